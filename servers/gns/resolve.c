/* Asking for names: the ACS of this node does not know one, so all other nodes are asked
   (figure 2, steps 2, 3, 6a and 7).

   A lookup asks three times; the first acceptable answer wins.  It is told when there is an
   association with the node that has the name.  Silence is the negative answer, and it is
   remembered for a while. */
#include "resolve.h"

#include <stdlib.h>
#include <string.h>

#include <mig/gns_reply.h>

#define TRIES         3
#define LOOKUPS_MAX   64
#define WAITERS_MAX   16 /* of one lookup */
#define UNKNOWN_KEPT  64 /* names */
#define FINISHED_KEPT 16 /* lookups, to tell a second answer from one nobody asked for */

static const uint64_t waits[TRIES] = {WIRE_NAME_TRY_1_NS, WIRE_NAME_TRY_2_NS, WIRE_NAME_TRY_3_NS};

struct lookup {
	struct lookup *next;
	struct name_request request;
	unsigned tries;
	uint64_t due;                    /* of the next try; NEVER: there is an answer */
	struct association *association; /* that is being set up */
	uint64_t uid;                    /* of the port there */
	mach_port_t waiters[WAITERS_MAX]; /* send-once rights */
	unsigned waiter_count;
};

static struct lookup *lookups;
static unsigned lookup_count;
static struct { gns_name name; uint64_t until; } unknown[UNKNOWN_KEPT];
static struct { uint64_t id; uint32_t node; } finished[FINISHED_KEPT];
static unsigned next_unknown, next_finished;

/* --- the end of a lookup ------------------------------------------------------------------- */

static void unlink_lookup(struct lookup *lookup)
{
	struct lookup **at = &lookups;

	while (*at != lookup)
		at = &(*at)->next;
	*at = lookup->next;
	lookup_count--;
}

/* Step 7: the proxy's send right, to each who asked. */
static void give(struct import *import, mach_port_t reply)
{
	mach_port_t proxy = import_proxy(import);

	machemu_step(STEP_CODE(STEP_RES, 7, 0), proxy, import->association->peer->node);
	if (gns_lookup_reply(reply, KERN_SUCCESS, 0, WIRE_TTL_UNVOUCHED_S, proxy, MACH_MSG_TYPE_MAKE_SEND)
	    == KERN_SUCCESS)
		import->made++;
	else
		mach_port_deallocate(mach_task_self(), reply);
}

static void give_nothing(mach_port_t reply, kern_return_t status)
{
	if (gns_lookup_reply(reply, status, 0, 0, MACH_PORT_NULL, MACH_MSG_TYPE_COPY_SEND) != KERN_SUCCESS)
		mach_port_deallocate(mach_task_self(), reply);
}

/* Null: `status` tells why there is no port. */
static void finish(struct lookup *lookup, struct import *import, kern_return_t status)
{
	unlink_lookup(lookup);
	for (unsigned i = 0; i < lookup->waiter_count; i++)
		if (import != NULL)
			give(import, lookup->waiters[i]);
		else
			give_nothing(lookup->waiters[i], status);
	if (import != NULL) {
		counters.name_found++;
		if (import->made == 0) /* nobody was there to take it */
			import_no_senders(import, 0);
	} else {
		counters.name_unknown++;
	}
	free(lookup);
}

static void finish_unknown(struct lookup *lookup)
{
	memcpy(unknown[next_unknown].name, lookup->request.name, sizeof(gns_name));
	unknown[next_unknown].until = now + WIRE_NAME_NEGATIVE_NS;
	next_unknown = (next_unknown + 1) % UNKNOWN_KEPT;
	finish(lookup, NULL, WIRE_ST_NO_SUCH_NAME);
}

static bool is_unknown(const gns_name name)
{
	for (unsigned i = 0; i < UNKNOWN_KEPT; i++)
		if (unknown[i].until > now && memcmp(unknown[i].name, name, sizeof(gns_name)) == 0)
			return true;
	return false;
}

/* --- asking ----------------------------------------------------------------------------------- */

static void ask(struct lookup *lookup)
{
	struct name_request *request = &lookup->request;

	if (request->has_origin)
		request->has_origin = asker_is_there(request);
	machemu_step(STEP_CODE(STEP_RES, 3, 0), request->id, 0);
	broadcast_name_request(request);
	counters.name_asked++;
	lookup->due = now + waits[lookup->tries++];
	timer_by(lookup->due);
}

static struct lookup *lookup_new(const gns_name name)
{
	struct lookup *lookup = lookup_count < LOOKUPS_MAX ? calloc(1, sizeof *lookup) : NULL;

	if (lookup == NULL)
		return NULL;
	memcpy(lookup->request.name, name, sizeof(gns_name));
	lookup->request.id = random_number();
	asker_take(&lookup->request);
	lookup->due = NEVER;
	lookup->next = lookups;
	lookups = lookup;
	lookup_count++;
	return lookup;
}

/* The port is known, or has just been told of: reach its node first, if `now_or_never`. */
static void found(struct lookup *lookup, struct association *association, struct import *import, bool dial_first)
{
	if (!dial_first || (association->begun && association->current != NULL)) {
		finish(lookup, import, KERN_SUCCESS);
		return;
	}
	lookup->association = association;
	lookup->uid = import->by_uid.low;
	lookup->due = NEVER;
	dial(association);
}

/* From the table of what everybody was told: the association waits for the first message. */
static bool find_known(struct lookup *lookup)
{
	const struct heard_name *known = name_known(lookup->request.name);
	struct peer *peer = known != NULL ? peer_find(known->node) : NULL;
	struct association *association = peer != NULL && peer->epoch == known->epoch ? association_of(peer) : NULL;
	struct import *import = association != NULL ? import_published(association, known->uid) : NULL;

	if (import == NULL)
		return false;
	found(lookup, association, import, false);
	return true;
}

static bool join(struct lookup *lookup, mach_port_t reply)
{
	if (lookup->waiter_count == WAITERS_MAX)
		return false;
	lookup->waiters[lookup->waiter_count++] = reply;
	return true;
}

void resolve(const gns_name name, mach_port_t reply)
{
	struct lookup *lookup = lookups;

	while (lookup != NULL && memcmp(lookup->request.name, name, sizeof(gns_name)) != 0)
		lookup = lookup->next;
	if (lookup == NULL && (name[0] == '\0' || is_unknown(name) || self.down)) {
		give_nothing(reply, WIRE_ST_NO_SUCH_NAME);
	} else if (lookup != NULL) {
		if (!join(lookup, reply))
			give_nothing(reply, WIRE_ST_BUSY);
	} else if ((lookup = lookup_new(name)) == NULL) {
		give_nothing(reply, WIRE_ST_BUSY);
	} else {
		join(lookup, reply);
		if (!find_known(lookup))
			ask(lookup);
	}
}

/* --- answers ------------------------------------------------------------------------------------- */

bool name_is_of(const gns_name name, uint32_t node)
{
	size_t length = strnlen(name, sizeof(gns_name)), at = length;
	uint64_t number = 0;

	while (at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9')
		at--;
	if (at == length || at == 0 || name[at - 1] != '@' || length - at > 10)
		return true; /* of no node in particular */
	for (; at < length; at++)
		number = number * 10 + (uint64_t)(name[at] - '0');
	return number == node;
}

static struct lookup *lookup_of(const struct name_answer *answer)
{
	struct lookup *lookup = lookups;

	while (lookup != NULL && (lookup->request.id != answer->id || lookup->due == NEVER
	    || memcmp(lookup->request.name, answer->name, sizeof(gns_name)) != 0))
		lookup = lookup->next;
	return lookup;
}

/* Another node has the name, too.  What it has given with its answer goes back. */
static void take_second(const struct peer *peer, const struct name_answer *answer)
{
	for (unsigned i = 0; i < FINISHED_KEPT; i++) {
		if (finished[i].id != answer->id || finished[i].id == 0 || finished[i].node == peer->node)
			continue;
		counters.name_conflict++;
		if (!answer->to_all && peer->association != NULL && peer->association->doomed == 0)
			send_drop(peer->association, answer->uid, 1);
	}
}

/* A uid tells which instance of a network server made it (5.1): if that is a later one than
   we shook hands with, what we share with the peer is of the past. */
static void notice_restart(struct peer *peer, uint64_t uid)
{
	if (peer->association != NULL && peer->association->begun && uid >> 48 > peer->rel >> 16)
		association_drop(peer->association, false);
}

static void accept(struct lookup *lookup, struct peer *peer, const struct name_answer *answer)
{
	struct association *association;
	struct import *import = NULL;

	notice_restart(peer, answer->uid);
	association = association_of(peer);
	finished[next_finished].id = answer->id;
	finished[next_finished].node = peer->node;
	next_finished = (next_finished + 1) % FINISHED_KEPT;
	if (association != NULL && answer->to_all)
		import = import_published(association, answer->uid);
	else if (association != NULL)
		import = import_answered(association, answer->uid);
	if (import == NULL) {
		finish(lookup, NULL, WIRE_ST_BUSY);
		return;
	}
	found(lookup, association, import, true);
}

void resolve_answer(struct peer *peer, const struct name_answer *answer)
{
	struct lookup *lookup = lookup_of(answer);

	if (answer->status != WIRE_ST_OK)
		return;
	if (!name_is_of(answer->name, peer->node)) {
		counters.name_denied++;
		return;
	}
	if (answer->to_all)
		name_heard(peer, answer->name, answer->uid);
	if (lookup != NULL)
		accept(lookup, peer, answer);
	else
		take_second(peer, answer);
}

/* --- associations and time ------------------------------------------------------------------------- */

void resolve_up(const struct association *association)
{
	struct lookup *lookup = lookups, *next;

	for (; lookup != NULL; lookup = next) {
		struct import *import;

		next = lookup->next;
		if (lookup->association != association)
			continue;
		import = import_find(association, lookup->uid);
		finish(lookup, import, WIRE_ST_NO_SUCH_NAME);
	}
}

void resolve_down(const struct association *association)
{
	struct lookup *lookup = lookups, *next;

	for (; lookup != NULL; lookup = next) {
		struct import *import;

		next = lookup->next;
		if (lookup->association != association)
			continue;
		import = import_find(association, lookup->uid);
		finish(lookup, NULL, WIRE_ST_NO_SUCH_NAME);
		if (import != NULL && import->made == 0)
			import_no_senders(import, 0);
	}
}

void resolve_timers(void)
{
	struct lookup *lookup = lookups, *next;

	for (; lookup != NULL; lookup = next) {
		next = lookup->next;
		if (lookup->due > now)
			timer_by(lookup->due);
		else if (lookup->tries < TRIES)
			ask(lookup);
		else
			finish_unknown(lookup);
	}
}

void resolve_stat(struct text *out)
{
	for (const struct lookup *lookup = lookups; lookup != NULL; lookup = lookup->next) {
		text_add(out, "lookup name=");
		text_add_field(out, lookup->request.name, sizeof(gns_name));
		text_add(out, " tries=%u waiting=%u state=%s\n", lookup->tries, lookup->waiter_count,
		    lookup->due == NEVER ? "dialling" : "asking");
	}
	for (unsigned i = 0; i < UNKNOWN_KEPT; i++)
		if (unknown[i].until > now) {
			text_add(out, "unknown name=");
			text_add_field(out, unknown[i].name, sizeof(gns_name));
			text_add(out, " for_ms=%llu\n", (unsigned long long)((unknown[i].until - now) / MS));
		}
}
