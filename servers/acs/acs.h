/* acs: the Administration and Configuration Server.  It knows the servers of its node by
   name, asks the GNS for all others, and remembers what it was told. */
#ifndef ACS_H
#define ACS_H

#include <stdbool.h>
#include <stdint.h>

#include <mach.h>
#include <mach/notify.h>
#include <machemu/server.h>
#include <machemu/server_types.h>
#include <machemu/text.h>

/* Answers (site protocol, section 4.7). */
#define STATUS_FOUND       0
#define STATUS_NO_NAME     1
#define STATUS_NOT_ALLOWED 2
#define STATUS_BUSY        6
#define STATUS_LIMIT       7

/* `flags` of an answer. */
#define ANSWER_REMOTE 4

#define TTL_LOCAL 300 /* seconds */

extern mach_port_t acs_port, boot_port, proc_port, notify_port, port_set;
#define SENDER_FAR UINT64_MAX /* no task of this node: owns no name, and no port here */

extern uint64_t sender;     /* task number of the request at hand; 0: the ACS or the kernel */
extern uint32_t this_node;  /* its number */
extern uint32_t site_flags; /* BOOT_ bits of boot_info */

extern void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern uint64_t now_seconds(void);
/* One more reference of a send right, to be kept or moved out in a reply; null if its port has
   died, of which a notification is then on its way. */
extern mach_port_t copy_of(mach_port_t port);

/* --- names.c: servers of this node -------------------------------------------------- */

struct name {
	struct name *next;
	server_name_t name;
	mach_port_t  public_port, door_port; /* one reference each */
	mach_port_t  signature;              /* netname_check_in's; null */
	uint64_t     task;                   /* number of the owner; 0: none that proc knows */
	bool         from_manifest;
};

extern struct name *names;
extern unsigned name_count;
extern struct name *name_find(const server_name_t name);
/* The GNS, if the manifest's has registered. */
extern struct name *name_of_gns(void);
/* What a task registered first, and still has; null. */
extern const struct name *name_of_task(uint64_t task);
/* Both ports are the table's if it succeeds; they must be the sender's.
   STATUS_NOT_ALLOWED, STATUS_LIMIT. */
extern kern_return_t name_register(const server_name_t name, mach_port_t public_port, mach_port_t door_port,
    mach_port_t signature);
extern void name_remove(struct name *name);
/* Tell the GNS of names that went while it had no room for messages. */
extern void names_tell_removed(void);
/* A port has died: its names go.  False: it was none of theirs. */
extern bool name_port_died(mach_port_t port);
/* The task that holds a port's receive right, 0 if proc knows none. */
extern uint64_t owner_of(mach_port_t port, bool *from_manifest);

/* --- remote.c: servers of other nodes ------------------------------------------------- */

struct remote {
	struct remote *next;
	server_name_t name;
	mach_port_t  port; /* one reference: a proxy */
	int          flags;
	uint64_t     until; /* seconds */
};

extern unsigned remote_count(void);
/* What is known of a name, and still good; null. */
extern struct remote *remote_find(const server_name_t name);
extern bool remote_port_died(mach_port_t port);
/* Forget what is out of date, so that proxies nobody uses are not kept for its sake. */
extern void remote_sweep(void);
/* Ask the GNS; the answer goes to `reply`.  KERN_SUCCESS or STATUS_NO_NAME, STATUS_BUSY. */
extern kern_return_t remote_ask(const server_name_t name, mach_port_t reply);
/* The GNS has given up a lookup's reply right. */
extern bool remote_lost(mach_port_t port);
extern void remote_stat(struct text *out);

/* --- gns.c: messages to the GNS, which never wait -------------------------------------- */

/* Step 2; the answer will come to `answer_port`.  False: it was not sent. */
extern bool gns_look_up(const server_name_t wanted, mach_port_t answer_port);
/* False: the GNS's queue is full, and it has to be told later. */
extern bool gns_tell_unregistered(const struct name *name);

struct counters {
	unsigned registered, refused, resolved, unknown, cached, asked, queries;
};
extern struct counters counters;

#endif
