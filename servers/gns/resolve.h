/* Names: figure 2 of the paper. */
#ifndef GNS_RESOLVE_H
#define GNS_RESOLVE_H

#include "rights.h"

typedef char gns_name[WIRE_NAME_MAX]; /* padded with zeros */

extern void name_pad(gns_name padded, const uint8_t *name, size_t length);
/* A name that ends in "@<number>" is that node's, others are anybody's (4.3). */
extern bool name_is_of(const gns_name name, uint32_t node);

/* --- broadcasts (broadcast.c): bodies of 4.2 --------------------------------------------- */

struct name_request {
	uint64_t id;
	bool     has_origin;
	gns_name name, origin;
	uint64_t origin_uid;
};

struct name_answer {
	uint64_t id, uid;
	uint32_t status;
	bool     to_all;
	gns_name name;
};

extern void broadcast_take(struct peer *peer, const struct header *header, const uint8_t *body, size_t length);
extern bool broadcast_name_request(const struct name_request *request);
extern bool broadcast_name_answer(const struct peer *to, const struct name_answer *answer);
/* This node no longer has what it told everybody of. */
extern bool broadcast_withdrawal(const gns_name name);
extern void broadcast_node_down(uint32_t reason);
extern void broadcast_start(void);
extern void broadcast_timers(void);

/* --- asking (resolve.c): steps 2, 3 and 7 ---------------------------------------------------- */

/* The answer goes to `reply`, now or later, and always in the form of gns_reply.defs. */
extern void resolve(const gns_name name, mach_port_t reply);
extern void resolve_answer(struct peer *peer, const struct name_answer *answer);
/* The association that lookups wait for is there, or will not be. */
extern void resolve_up(const struct association *association);
extern void resolve_down(const struct association *association);
extern void resolve_timers(void);
extern void resolve_stat(struct text *out);

/* --- who asks (asker.c): optimisation 2 --------------------------------------------------------- */

/* The next lookup of `wanted` will be for the server `name`, whose port this is; the right is
   taken over. */
extern void asker_told(const gns_name wanted, const gns_name name, mach_port_t port);
/* Put who asks into the request of a new lookup, if it is known. */
extern void asker_take(struct name_request *request);
/* May the request still say so?  The server may be gone, or registered no more. */
extern bool asker_is_there(const struct name_request *request);

/* --- answering (answer.c): steps 4 to 6 --------------------------------------------------------- */

extern void answer_request(struct peer *peer, const struct name_request *request);
/* A reply of the ACS has come to one of our query ports.  False: the port is none of them. */
extern bool answer_message(mach_msg_header_t *message);
extern void answer_stat(struct text *out);

/* --- names heard of (names.c): optimisations of 4.3 ----------------------------------------------- */

struct heard_name {
	struct heard_name *next;
	gns_name name;
	uint32_t node, epoch;
	uint64_t uid;
};

extern void name_heard(const struct peer *peer, const gns_name name, uint64_t uid);
extern const struct heard_name *name_known(const gns_name name);
extern void name_withdrawn(const struct peer *peer, const gns_name name);
/* The port is dead, or the boot is over: `uid` 0 means all of that node. */
extern void names_forget(uint32_t node, uint64_t uid);
/* Everybody is about to be told of a name of this node, which is withdrawn from any other port
   that had it.  False: no room. */
extern bool name_publish(const gns_name name, struct home *home);
/* The registration is over; the port may live on. */
extern void name_unregistered(const gns_name name, mach_port_t port);
extern void names_home_died(const struct home *home);
extern void names_stat(struct text *out);

/* --- the end of ports (death.c), the loop (loop.c) ---------------------------------------------------- */

/* What has come to the notify port. */
extern void notification(mach_msg_header_t *message);
/* Wait for one message, and do all that it or the time asks for. */
extern void turn(void);
/* Say goodbye: final for this epoch. */
extern void go_down(uint32_t reason);

#endif
