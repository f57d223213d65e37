/* gns: the Generic Network Server.  It stands between the tasks of its node and the wire:
   a port of another node is a proxy port here, whose receiver this server is.

   What comes in and where it goes:

       local message on a proxy    imports.c -> translate_out.c -> waiting.c -> items.c
                                   -> stream_out.c -> packet.c -> frames.c
       frame                       frames.c -> packet.c -> stream_in.c -> items.c
                                   -> incoming.c -> translate_in.c -> deliver.c
       gns_lookup of our ACS       resolve.c (figure 2, steps 2, 3 and 7)
       NAME_REQ of another node    broadcast.c -> answer.c (steps 4 to 6)
       handshake                   handshake.c -> channel.c, association.c, peers.c
       notification                death.c, or imports.c from a proxy

   One thread, which waits only in loop.c.  Nothing here blocks on a port: what a queue has
   no room for is held (held.c), and whoever sends too much is stopped (flow.c).

   Sections are those of the security design, which gives the wire format (4) and the rules
   of translation (5).  Times are ns of the node's own counter. */
#ifndef GNS_H
#define GNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mach.h>
#include <mach/notify.h>
#include <machemu/nic.h>
#include <machemu/server.h>
#include <machemu/text.h>
#include <machemu/wire.h>

#define MS    1000000ULL    /* ns */
#define NEVER UINT64_MAX

/* --- this node (main.c) ---------------------------------------------------------------- */

struct self {
	uint32_t node, epoch;
	uint32_t instance;        /* of the GNS in this boot, from 0 */
	bool answers_to_all;      /* optimisation 1 (4.3) */
	bool origin_to_all;       /* optimisation 2 */
	bool down;                /* NODE_DOWN has been sent: final */
	mach_port_t host;         /* privileged */
	mach_port_t acs;
	mach_port_t service;      /* gns.defs */
	mach_port_t notify;       /* dead-name notifications */
	mach_port_t interrupts;   /* of the NIC */
	mach_port_t set;          /* all that we receive on */
};

extern struct self self;
extern struct nic nic;

/* One line on the console, behind the server's name. */
extern void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- time and waiting (clock.c, timers.c) ------------------------------------------------- */

/* The node's counter, in ns. */
extern uint64_t clock_read(void);

extern uint64_t now;        /* read once a turn */
extern uint64_t timer_next; /* the loop comes round by then */

static inline void timer_by(uint64_t due)
{
	if (due < timer_next)
		timer_next = due;
}

/* Do what has fallen due.  Every room then says again by when it wants to be called. */
extern void timers_run(void);

/* A rate limit: `burst` at once, `rate` a second. */
struct bucket {
	uint64_t filled; /* when it was looked at last */
	uint64_t level;  /* thousandths */
};

extern bool bucket_take(struct bucket *bucket, unsigned rate, unsigned burst);

/* Eight octets nobody is likely to choose again.  Suites that need unguessable ones bring
   their own. */
extern uint64_t random_number(void);
extern void random_seed(uint64_t seed);

/* --- counters, by the names of the design (stat.c) ------------------------------------------ */

#define COUNTERS(C)                                                                              \
	C(rx_frames) C(rx_malformed) C(rx_bad_suite) C(rx_bad_tag) C(rx_not_mine) C(rx_self)     \
	C(rx_stale_epoch) C(rx_old) C(rx_replay) C(rx_reordered) C(rx_bad_chan) C(rx_early)      \
	C(rx_limited) C(rx_packets) C(rx_items) C(tx_frames) C(tx_packets) C(tx_items)           \
	C(tx_resent) C(tx_lost) C(tx_timeouts) C(tx_ring_full) C(hs_sent) C(hs_up) C(hs_failed)  \
	C(hs_full) C(hs_self) C(hs_bad_cert) C(hs_bad_tag) C(hs_stale_epoch) C(hs_stale_rel)     \
	C(hs_unexpected) C(bcast_bad_tag) C(name_asked) C(name_found) C(name_unknown)            \
	C(name_answered) C(name_conflict) C(name_denied) C(msg_out) C(msg_in) C(msg_fail)        \
	C(msg_refused) C(msg_held) C(msg_lost) C(cap_violation) C(assoc_reset) C(assoc_down)     \
	C(assoc_closed) C(no_memory)

struct counters {
#define COUNTER_FIELD(name) uint64_t name;
	COUNTERS(COUNTER_FIELD)
#undef COUNTER_FIELD
};

extern struct counters counters;

extern kern_return_t stat_give(char **text, mach_msg_type_number_t *count);

/* --- hash tables (table.c) ----------------------------------------------------------------- */

#define TABLE_FEW 32

/* What an entry of a table begins with, or holds; its key is two words. */
struct link {
	struct link *next; /* in its bucket */
	uint64_t     high, low;
};

struct table {
	struct link  *few[TABLE_FEW]; /* the buckets of a small table */
	struct link **more;           /* those of a large one, or null */
	unsigned      size;           /* buckets; 0: none yet */
	unsigned      count;          /* entries */
};

#define CONTAINER(link, type, member) ((type *)(void *)((char *)(link) - offsetof(type, member)))

extern struct link *table_find(const struct table *table, uint64_t high, uint64_t low);
extern void table_add(struct table *table, struct link *link, uint64_t high, uint64_t low);
extern void table_remove(struct table *table, struct link *link);
/* The entry after `link`, or the first; null at the end.  Take the next one before removing
   the one at hand. */
extern struct link *table_next(const struct table *table, const struct link *link);

/* --- frames (frames.c) ------------------------------------------------------------------------ */

struct header {
	uint8_t  suite, type;
	uint16_t length; /* of header and body */
	uint32_t src_node, dst_node, src_epoch, chan;
	uint64_t seq;
};

#define BODY_MAX (WIRE_MTU - WIRE_HEADER_SIZE) /* octets */

extern const uint8_t everybody[NIC_ADDRESS_SIZE];

/* A frame the NIC has received, where it lies. */
extern void frame_take(void *context, const uint8_t *frame, size_t length);

/* Begin a frame in a buffer of the NIC; the place of its body, BODY_MAX octets, or null
   while the ring is full.  Nothing is sent before frame_send, and nothing need be. */
extern uint8_t *frame_begin(const uint8_t mac[NIC_ADDRESS_SIZE], uint8_t type, uint32_t dst_node,
    uint32_t chan, uint64_t seq);
extern void frame_send(size_t body_length);
/* The header begun, for a suite that seals. */
extern uint8_t *frame_header(void);

/* --- suites (suite.c): section 3 -------------------------------------------------------------- */

struct peer;
struct association;
struct channel;
struct chunk;

/* One row of the table of section 3.  Seals work in place: they get the place of the
   plaintext in the frame, and give its new length, 0 if it cannot be sealed.  Opens give
   the plaintext, which may lie elsewhere, or null, and have then counted why. */
struct suite {
	const char *name;
	uint8_t     number;
	size_t (*broadcast_seal)(uint8_t *body, size_t length);
	const uint8_t *(*broadcast_open)(const struct peer *peer, const struct header *header,
	    const uint8_t *body, size_t *length);
	void (*dial)(struct association *association);
	void (*dial_again)(struct association *association);
	void (*handshake)(struct peer *peer, const struct header *header, const uint8_t *body, size_t length);
	size_t (*packet_seal)(struct channel *channel, uint8_t *body, size_t length);
	const uint8_t *(*packet_open)(struct channel *channel, const struct header *header,
	    const uint8_t *body, size_t *length);
	bool window_drops; /* packets seen before, or too old, are not only counted */
	/* The chunk to queue instead of `chunk`, which is given up; null: no memory. */
	struct chunk *(*item_seal)(struct association *association, struct chunk *chunk);
	const uint8_t *(*item_open)(struct association *association, uint8_t flags, const uint8_t *body,
	    size_t *length);
};

extern const struct suite *suite;
/* The suite of that number, or null: not in this server. */
extern const struct suite *suite_of(unsigned number);

#endif
