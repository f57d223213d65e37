/* Imports: ports of other nodes, each with a proxy port here whose receiver we are (5.1, 5.2).

   There is one proxy for each (node, epoch, uid), so a port that comes twice has one name in
   every task.  The proxy of a send right lives until the kernel says that nobody has a send
   right to it any more, or until the port has died; that of a send-once right is used once,
   and its port then serves the next. */
#include "rights.h"

#include <stdlib.h>

#define CONFIRM_AFTER (1000 * MS) /* long before the home takes back what is not confirmed */
#define SPARE_MAX     32          /* ports kept for send-once rights */

struct table imports_by_uid, imports_by_name;
static mach_port_t spare[SPARE_MAX];
static unsigned spares;

static uint64_t home_of_peer(const struct peer *peer)
{
	return (uint64_t)peer->node << 32 | peer->epoch;
}

struct import *import_find(const struct association *association, uint64_t uid)
{
	struct link *link = table_find(&imports_by_uid, home_of_peer(association->peer), uid);

	return link != NULL ? CONTAINER(link, struct import, by_uid) : NULL;
}

struct import *import_of_proxy(mach_port_t name)
{
	struct link *link = table_find(&imports_by_name, 0, name);

	return link != NULL ? CONTAINER(link, struct import, by_name) : NULL;
}

/* --- proxy ports ------------------------------------------------------------------------------- */

/* The notification comes to the proxy itself, behind the messages that were sent before. */
static void ask_for_no_senders(const struct import *import, uint32_t sync)
{
	mach_port_t previous = MACH_PORT_NULL;

	if (mach_port_request_notification(mach_task_self(), import_proxy(import), MACH_NOTIFY_NO_SENDERS, sync,
	    import_proxy(import), MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous) == KERN_SUCCESS
	    && previous != MACH_PORT_NULL)
		mach_port_deallocate(mach_task_self(), previous);
}

/* A port that is in the set; null: none to be had. */
static mach_port_t port_new(void)
{
	mach_port_t name;

	if (mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &name) != KERN_SUCCESS) {
		counters.no_memory++;
		return MACH_PORT_NULL;
	}
	mach_port_move_member(mach_task_self(), name, self.set);
	return name;
}

static void port_destroy(mach_port_t name)
{
	mach_port_mod_refs(mach_task_self(), name, MACH_PORT_RIGHT_RECEIVE, -1);
}

/* --- coming and going ------------------------------------------------------------------------------ */

static struct import *import_new(struct association *association, uint64_t uid, bool once)
{
	struct import *import = NULL;
	mach_port_t name = once && spares != 0 ? spare[--spares] : port_new();

	if (name != MACH_PORT_NULL && association->import_count < WIRE_EXPORTS_MAX)
		import = calloc(1, sizeof *import);
	if (import == NULL) {
		if (name != MACH_PORT_NULL)
			port_destroy(name);
		return NULL;
	}
	association_needed(association);
	import->association = association;
	import->once = once;
	import->at = &association->imports;
	import->next = association->imports;
	if (import->next != NULL)
		import->next->at = &import->next;
	association->imports = import;
	association->import_count++;
	table_add(&imports_by_uid, &import->by_uid, home_of_peer(association->peer), uid);
	table_add(&imports_by_name, &import->by_name, 0, name);
	if (!once)
		ask_for_no_senders(import, 1);
	return import;
}

static struct import *find_or_make(struct association *association, uint64_t uid, bool once)
{
	struct import *import = import_find(association, uid);

	if (import == NULL)
		return import_new(association, uid, once);
	/* A uid is of one kind for good, and a send-once right comes once. */
	return once || import->once || import->n == UINT32_MAX ? NULL : import;
}

struct import *import_take(struct association *association, uint64_t uid, bool once)
{
	struct import *import = find_or_make(association, uid, once);

	if (import != NULL)
		import->n++;
	return import;
}

struct import *import_answered(struct association *association, uint64_t uid)
{
	struct import *import = find_or_make(association, uid, false);

	if (import != NULL) {
		import->n++;
		import->fresh++;
		if (association->confirm_due == NEVER)
			association->confirm_due = now + CONFIRM_AFTER;
		timer_by(association->confirm_due);
	}
	return import;
}

/* A DROP of nothing for each answer: what it gave has come. */
static void confirm(struct import *import)
{
	for (; import->fresh != 0; import->fresh--)
		send_drop(import->association, import->by_uid.low, 0);
}

void imports_timers(struct association *association)
{
	if (association->confirm_due > now || !association->begun) {
		timer_by(association->confirm_due > now ? association->confirm_due : now + CONFIRM_AFTER);
		return;
	}
	association->confirm_due = NEVER;
	for (struct import *import = association->imports; import != NULL; import = import->next)
		confirm(import);
}

struct import *import_published(struct association *association, uint64_t uid)
{
	return find_or_make(association, uid, false);
}

struct import *import_claim(struct association *association, uint64_t uid, bool once)
{
	struct import *import = find_or_make(association, uid, once);

	if (import == NULL)
		return NULL;
	import->claims++;
	if (import->n == 0)
		import_stop(import, STOP_CLAIMING);
	return import;
}

/* Out of the tables and the list: nobody finds it from here on. */
static void leave(struct import *import)
{
	table_remove(&imports_by_uid, &import->by_uid);
	table_remove(&imports_by_name, &import->by_name);
	*import->at = import->next;
	if (import->next != NULL)
		import->next->at = import->at;
	import->association->import_count--;
}

static void give_back(struct import *import)
{
	if (import->once && import->n != 0)
		send_once_drop(import->association, import->by_uid.low);
	else if (import->n != 0)
		send_drop(import->association, import->by_uid.low, import->n);
}

void import_used(struct import *import)
{
	mach_port_t name = import_proxy(import);

	leave(import);
	if (import->stopped == 0 && spares < SPARE_MAX)
		spare[spares++] = name;
	else
		port_destroy(name);
	free(import);
}

void import_no_senders(struct import *import, uint32_t made)
{
	if (made < import->made) { /* one was made since */
		ask_for_no_senders(import, import->made);
		return;
	}
	if (import->pins != 0 || import->claims != 0) {
		import->given_up = true;
		return;
	}
	give_back(import);
	leave(import);
	port_destroy(import_proxy(import));
	free(import);
}

void import_died(struct import *import)
{
	port_destroy(import_proxy(import)); /* local holders have dead names now */
	leave(import);
	if (import->pins != 0) {
		import->dead = true;
		return;
	}
	give_back(import);
	free(import);
}

void import_pin(struct import *import)
{
	import->pins++;
}

void import_unpin(struct import *import)
{
	if (--import->pins != 0)
		return;
	if (import->dead) {
		give_back(import);
		free(import);
	} else if (import->given_up && import->claims == 0) {
		import->given_up = false;
		ask_for_no_senders(import, import->made);
	}
}

void import_claimed(struct import *import, bool granted)
{
	import->claims--;
	if (granted)
		import->n++;
	if (import->n == 0 && import->claims == 0) {
		import_died(import);
		return;
	}
	if (import->n != 0)
		import_go(import, STOP_CLAIMING);
	if (import->given_up && import->claims == 0 && import->pins == 0) {
		import->given_up = false;
		ask_for_no_senders(import, import->made);
	}
}

/* --- all of an association ---------------------------------------------------------------------------- */

void imports_drop(struct association *association, bool keep_fresh)
{
	struct import *import = association->imports, *next;

	for (; import != NULL; import = next) {
		next = import->next;
		if (keep_fresh && import->fresh != 0) {
			import->n = import->fresh;
			import->claims = 0;
			import_go(import, STOP_BLOCKED | STOP_BACKLOG | STOP_CLAIMING);
			continue;
		}
		import->n = 0; /* there is nobody to give anything back to */
		import_died(import);
	}
}

/* --- messages ------------------------------------------------------------------------------------------------ */

static bool is_once_notification(const mach_msg_header_t *message)
{
	return message->msgh_id == MACH_NOTIFY_SEND_ONCE && message->msgh_size == sizeof *message
	    && message->msgh_remote_port == MACH_PORT_NULL && (message->msgh_bits & MACH_MSGH_BITS_COMPLEX) == 0;
}

void import_message_lost(struct import *import)
{
	counters.msg_refused++;
	if (!import->once)
		return;
	send_once_drop(import->association, import->by_uid.low);
	import_used(import);
}

void import_message(struct import *import, mach_msg_header_t *message)
{
	bool through_once = MACH_MSGH_BITS_LOCAL(message->msgh_bits) == MACH_MSG_TYPE_MOVE_SEND_ONCE;

	if (import->once && is_once_notification(message)) {
		send_once_drop(import->association, import->by_uid.low);
		import_used(import);
	} else if (!import->once && through_once) {
		/* The only send-once right to such a proxy is that of the request. */
		import_no_senders(import, ((mach_no_senders_notification_t *)message)->not_count);
	} else {
		message_out(import, message);
	}
}
