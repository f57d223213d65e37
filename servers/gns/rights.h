/* Rights: what peers hold here, what we hold there, and messages between the two (5). */
#ifndef GNS_RIGHTS_H
#define GNS_RIGHTS_H

#include "peer.h"

/* --- exports (exports.c) ------------------------------------------------------------------ */

struct held;
struct line;
struct grant;
struct waiting;

/* A port of this node to which others have send rights.  While there is any row or unclaimed
   grant of it, this server holds a send right and a dead-name request. */
struct home {
	struct link by_name;       /* our name for it; not in the table once it is dead */
	struct link by_uid;
	mach_port_t name;          /* MACH_PORT_DEAD once it is dead */
	unsigned references;       /* of our send right */
	uint64_t uid;
	unsigned published;        /* names it was published under (4.3), withdrawn ones too */
	unsigned listed;           /* of these, names by which any peer may use it, uncounted */
	bool     dying;            /* being taken apart */
	unsigned row_count;
	struct row *rows;
	struct grant *grants;
	/* Messages its queue had no room for: held.c. */
	struct held *held_first, *held_last;
	unsigned held_count;
	size_t   held_octets;
	uint64_t told_blocked[(WIRE_ASSOCIATIONS + 63) / 64]; /* a bit for each association */
	struct home *next_held;
};

/* An export row: what one association may do here. */
struct row {
	struct link by_uid;        /* high: the peer's node */
	struct association *association;
	struct row *next, **at;    /* of the association */
	struct row *next_of_home, **at_home;
	struct home *home;         /* null: a send-once right */
	mach_port_t once;          /* that right; MACH_PORT_DEAD once its port has died */
	struct line *line;         /* that it waits in; null: none */
	struct row *next_in_line, **at_in_line;
	uint64_t since;            /* in that line */
	bool     watched;          /* a dead-name request is out for `once` */
	struct link by_name;       /* of a watched one */
	uint32_t n;                /* references */
	uint32_t fresh;            /* of these, given by answers to names and not confirmed */
};

extern uint64_t uid_next;
extern struct table homes_by_name, homes_by_uid, rows_by_uid, once_by_name;

/* The home of a send right we have just been given; its reference is taken over.  Null: no
   memory, and nothing taken. */
extern struct home *home_of(mach_port_t name);
/* The port of that uid, if it was published; null. */
extern struct home *home_published(uint64_t uid);

/* May a peer use it that has no row for it?  Once it is withdrawn it is dead to them. */
static inline bool home_is_public(const struct home *home)
{
	return home->listed != 0 && home->name != MACH_PORT_DEAD;
}

extern void home_release(struct home *home); /* if nothing needs it any more */
extern void home_died(struct home *home);
/* One more reference for a peer.  Null: over its limit, or no memory. */
extern struct row *row_give(struct association *association, struct home *home);
/* A send-once right for a peer: the right itself is the row's from here on.  `uid` 0: a
   fresh one. */
extern struct row *row_give_once(struct association *association, uint64_t uid, mach_port_t once);
extern struct row *row_find(const struct association *association, uint64_t uid);
/* `n` references less.  False: there are not so many. */
extern bool row_take(struct row *row, uint32_t n);
/* Its last reference goes out with the answer to a name; one such has come through. */
extern void row_answered(struct row *row);
extern void row_confirm(struct row *row);
extern void row_free(struct row *row);
/* Give up a row's send-once right, if it still has it: the kernel then notifies its port. */
extern void row_drop_once(struct row *row);
extern void row_once_died(struct row *row);
extern bool row_is_dead(const struct row *row);
extern void rows_drop(struct association *association, bool keep_fresh);
/* Send-once rights that have been away for long get a dead-name request; references that
   nobody has confirmed are taken back. */
extern void rows_timers(void);

/* --- imports (imports.c) ---------------------------------------------------------------------- */

#define STOP_BLOCKED  1    /* the peer's queue is full */
#define STOP_BACKLOG  2    /* our stream to the peer is */
#define STOP_WAITING  4    /* a message waits for a grant; later ones must not overtake it */
#define STOP_CLAIMING 8    /* the right is not ours yet */

/* A port of another node, and its proxy here. */
struct import {
	struct link by_uid;        /* high: node and epoch */
	struct link by_name;       /* the proxy's name, of which we have the receive right */
	struct association *association;
	struct import *next, **at; /* of the association */
	bool     once;             /* a send-once right */
	bool     dead;             /* the port is; the struct lives until nothing pins it */
	bool     given_up;         /* the last local right went while it was claiming or pinned */
	unsigned claims;           /* CLAIM_PORT without an answer */
	unsigned stopped;          /* STOP_ bits; in the port set only if 0 */
	unsigned pins;             /* messages that wait and name it */
	uint32_t n;                /* references received */
	uint32_t fresh;            /* of these, from answers to names and not confirmed */
	uint32_t made;             /* send rights we made: the kernel's make-send count */
};

extern struct table imports_by_uid, imports_by_name;

static inline mach_port_t import_proxy(const struct import *import)
{
	return (mach_port_t)import->by_name.low;
}

/* A reference to (the association's node, uid) has come in; null: over the limit, no memory. */
extern struct import *import_take(struct association *association, uint64_t uid, bool once);
/* The same for one that is claimed first: no reference yet, and closed until then. */
extern struct import *import_claim(struct association *association, uint64_t uid, bool once);
/* A reference has come with the answer to a name; its home will be told that it has. */
extern struct import *import_answered(struct association *association, uint64_t uid);
extern void imports_timers(struct association *association);
/* One that everybody may use: uncounted. */
extern struct import *import_published(struct association *association, uint64_t uid);
/* The answer to a claim. */
extern void import_claimed(struct import *import, bool granted);
extern struct import *import_find(const struct association *association, uint64_t uid);
extern struct import *import_of_proxy(mach_port_t name);
extern void import_stop(struct import *import, unsigned why);
extern void import_go(struct import *import, unsigned why);
extern void import_pin(struct import *import);
extern void import_unpin(struct import *import);
/* Its send-once right has been used, or has gone: the proxy is free again. */
extern void import_used(struct import *import);
/* Nobody here has a right any more, says the kernel; `made`: its make-send count. */
extern void import_no_senders(struct import *import, uint32_t made);
/* The port has died there: local holders get dead names. */
extern void import_died(struct import *import);
extern void imports_drop(struct association *association, bool keep_fresh);
/* Stop or start proxies by the length of the stream to their peer. */
extern void imports_backlog(struct import *import);
extern void imports_drained(struct association *association);
/* A message to a proxy was destroyed instead of being received. */
extern void import_message_lost(struct import *import);
/* A message, or a notification, has come to a proxy. */
extern void import_message(struct import *import, mach_msg_header_t *message);

/* --- messages out (translate_out.c) ----------------------------------------------------------------- */

/* A message on its way out: the item, and what becomes of the rights it came with. */
struct waiting {
	struct waiting *next;      /* of the association it goes to, while it waits for grants */
	struct import *destination;
	struct chunk *item;
	unsigned wanted;           /* grants */
	unsigned homeward_count;
	struct import *homeward[WIRE_DESCRIPTORS_MAX + 1]; /* proxies whose rights go home in it */
};

/* A message has come to the proxy `import`; all it holds is gone afterwards. */
extern void message_out(struct import *import, mach_msg_header_t *message);
/* The item is complete: queue it (waiting.c). */
extern void waiting_leave(struct waiting *waiting);
/* The same for one that had to wait, now that all its grants are there. */
extern void waiting_go_on(struct waiting *waiting);
extern void waitings_drop(struct association *association);

/* --- third parties (thirds.c): 5.3 ----------------------------------------------------------------- */

/* Ask the home of `import` to let the peer of `waiting` have a right, which the PD `offset`
   octets into the item stands for; the gid, 0: it cannot be asked. */
extern uint64_t grant_want(struct waiting *waiting, struct import *import, uint32_t offset);
extern void grants_forget(const struct waiting *waiting);
extern bool grant_for_take(struct association *association, const uint8_t *body);
extern void grant_res_take(struct association *association, const uint8_t *body);
extern void claim_port_take(struct association *association, const uint8_t *body);
extern void claim_res_take(struct association *association, const uint8_t *body);
/* A right of a third node has come in a message: claim it there.  Null: cannot. */
extern struct import *claim(const struct peer *granter, uint32_t node, uint32_t epoch, uint64_t uid,
    uint64_t gid, bool once);
extern void grants_home_died(struct home *home);
extern void grants_drop(struct association *association);
extern void grants_timers(void);
extern void grants_stat(struct text *out);

/* --- messages (body.c, translate_in.c) ------------------------------------------------------------------ */

/* Where a walk over the body of a message stands: one descriptor and its data. */
struct body_item {
	uint32_t at;               /* offset of the descriptor in the body */
	uint32_t data;             /* offset of the data, or of the pointer word */
	uint8_t  name;             /* MACH_MSG_TYPE_ */
	bool     is_port, is_inline;
	uint32_t number;           /* elements */
	uint64_t octets;           /* of data, wherever they are */
	uint32_t next;             /* offset of the item after it */
};

/* The item at offset `at` of a body.  False: there is none that ends within it, or it is
   one no receiver is ever given. */
extern bool body_item(const uint8_t *body, uint32_t length, uint32_t at, struct body_item *item);
/* A right we can make or copy, in our hands; its name. */
extern mach_port_t right_own(mach_port_t name, mach_msg_type_name_t use);
/* Make every right that an unsent message names its own: dispositions become MOVE. */
extern void message_own_rights(mach_msg_header_t *message);
/* Give up all that a message holds, reply right included. */
extern void message_drop(mach_msg_header_t *message);

/* A port descriptor (4.8). */
struct pd {
	uint8_t  what, region;
	uint16_t count;
	uint32_t offset, node, epoch;
	uint64_t uid, gid;
};

extern void pd_put(uint8_t *at, const struct pd *pd);
/* False: not one that may be. */
extern bool pd_get(const uint8_t *at, struct pd *pd);
/* A MSG item has come in.  False: malformed. */
extern bool message_in(struct association *association, uint64_t item, const uint8_t *body, uint32_t length);

/* The result of a send or receive, but for shortages that may be or-ed in. */
#define WITHOUT_SHORTAGES(mr) ((mr) & ~MACH_MSG_MASK)

/* --- delivery (deliver.c) -------------------------------------------------------------------------------- */

/* For whom a message is sent. */
struct origin {
	uint32_t node, epoch;
	uint64_t item;
	uint32_t octets;           /* of that item, which is what it costs to hold it */
	bool     announced;        /* its step has been told, or it has none */
};

/* The one message buffer, of at least `size` octets and room for the peer behind; null: no
   memory.  What it held is sent first. */
extern mach_msg_header_t *buffer_for(size_t size);
/* Send what is in the buffer to a port of this node.  `home`: null for a send-once right.
   `octets`: of the item it came in. */
extern void deliver(struct home *home, const struct association *from, uint64_t item, uint32_t octets);
/* Send now what `deliver` has put off until the next receive. */
extern void deliver_flush(void);
/* Send a message at once, if its queue takes it. */
extern mach_msg_return_t deliver_now(mach_msg_header_t *message, struct origin *origin, bool to_once);
/* Receive the next message, and send what was put off with the same trap.  Null: none came. */
extern mach_msg_header_t *receive(mach_msg_timeout_t timeout);
/* The number of the task that sent a message just received; 0: the kernel, or not known, as
   at sites without the optimisations of 4.3. */
extern uint64_t sender_task(const mach_msg_header_t *message);

/* --- messages that wait for their port (held.c) ---------------------------------------------------------- */

/* Keep a message whose rights are in our hands, until the queue takes it. */
extern void held_add(struct home *home, mach_msg_header_t *message, const struct origin *origin);
extern void held_drop(struct home *home);
extern void held_forget(const struct association *association);
extern void held_timers(void);
extern void held_stat(struct text *out);

#endif
