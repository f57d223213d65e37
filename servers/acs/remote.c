/* Names of other nodes: lookups that are under way, and what they have found. */
#include "acs.h"

#include <stdlib.h>
#include <string.h>

#include <mig/acs_reply.h>
#include <mig/gns_reply_server.h>

#define CACHE_MAX   1024
#define LOOKUPS_MAX 64
#define WAITERS_MAX 64 /* of one lookup */

struct waiter {
	struct waiter *next;
	mach_port_t    reply; /* a send-once right */
};

/* A question to the GNS.  All who ask for the same name meanwhile wait for its answer. */
struct lookup {
	struct lookup *next;
	server_name_t  name;
	mach_port_t    answer_port; /* where the GNS answers */
	struct waiter *waiters;     /* the first to ask is the last in the list */
	unsigned       waiting;
};

static struct remote *cache;
static struct lookup *lookups;
static unsigned cached, looking;

unsigned remote_count(void)
{
	return cached;
}

static void forget(struct remote *remote)
{
	struct remote **link = &cache;

	while (*link != remote)
		link = &(*link)->next;
	*link = remote->next;
	cached--;
	mach_port_deallocate(mach_task_self(), remote->port);
	free(remote);
}

struct remote *remote_find(const server_name_t name)
{
	for (struct remote *remote = cache; remote != NULL; remote = remote->next) {
		if (memcmp(remote->name, name, sizeof(server_name_t)) != 0)
			continue;
		if (remote->until > now_seconds())
			return remote;
		forget(remote);
		return NULL;
	}
	return NULL;
}

void remote_sweep(void)
{
	uint64_t now = cache != NULL ? now_seconds() : 0;
	struct remote *next;

	for (struct remote *remote = cache; remote != NULL; remote = next) {
		next = remote->next;
		if (remote->until <= now)
			forget(remote);
	}
}

bool remote_port_died(mach_port_t port)
{
	struct remote *next;
	bool found = false;

	for (struct remote *remote = cache; remote != NULL; remote = next) {
		next = remote->next;
		if (remote->port == port) {
			forget(remote);
			found = true;
		}
	}
	return found;
}

/* The reference of `port` is taken over. */
static void remember(const server_name_t name, mach_port_t port, int flags, int ttl)
{
	struct remote *remote = ttl > 0 ? calloc(1, sizeof *remote) : NULL, *last;
	mach_port_t previous = MACH_PORT_NULL;

	remote_sweep();
	if (remote == NULL) {
		mach_port_deallocate(mach_task_self(), port);
		return;
	}
	if (cached >= CACHE_MAX) {
		for (last = cache; last->next != NULL; last = last->next)
			;
		forget(last);
	}
	memcpy(remote->name, name, sizeof(server_name_t));
	remote->port = port;
	remote->flags = flags;
	remote->until = now_seconds() + (uint64_t)ttl;
	remote->next = cache;
	cache = remote;
	cached++;
	if (mach_port_request_notification(mach_task_self(), port, MACH_NOTIFY_DEAD_NAME, 1, notify_port,
	    MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous) == KERN_SUCCESS && previous != MACH_PORT_NULL)
		mach_port_deallocate(mach_task_self(), previous);
}

static bool add_waiter(struct lookup *lookup, mach_port_t reply)
{
	struct waiter *waiter = lookup->waiting < WAITERS_MAX ? malloc(sizeof *waiter) : NULL;

	if (waiter == NULL)
		return false;
	waiter->reply = reply;
	waiter->next = lookup->waiters;
	lookup->waiters = waiter;
	lookup->waiting++;
	return true;
}

static struct lookup *new_lookup(const server_name_t name)
{
	struct lookup *lookup = looking < LOOKUPS_MAX ? calloc(1, sizeof *lookup) : NULL;

	if (lookup == NULL)
		return NULL;
	memcpy(lookup->name, name, sizeof(server_name_t));
	if (mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &lookup->answer_port) != KERN_SUCCESS) {
		free(lookup);
		return NULL;
	}
	mach_port_move_member(mach_task_self(), lookup->answer_port, port_set);
	lookup->next = lookups;
	lookups = lookup;
	looking++;
	return lookup;
}

/* Take a lookup off the list; its waiters are the caller's to answer. */
static void end_lookup(struct lookup *lookup)
{
	struct lookup **link = &lookups;

	while (*link != lookup)
		link = &(*link)->next;
	*link = lookup->next;
	looking--;
	mach_port_mod_refs(mach_task_self(), lookup->answer_port, MACH_PORT_RIGHT_RECEIVE, -1);
}

static void answer_all(struct lookup *lookup, kern_return_t status, int flags, int ttl, mach_port_t port)
{
	while (lookup->waiters != NULL) {
		struct waiter *waiter = lookup->waiters;

		lookup->waiters = waiter->next;
		machemu_step(STEP_CODE(STEP_RES, 8, 0), waiter->reply, 0);
		if (acs_resolve_reply(waiter->reply, status, flags, ttl, port, MACH_MSG_TYPE_COPY_SEND) != KERN_SUCCESS
		    && waiter->reply != MACH_PORT_NULL)
			mach_port_deallocate(mach_task_self(), waiter->reply); /* it waits no longer */
		free(waiter);
	}
	free(lookup);
}

kern_return_t remote_ask(const server_name_t name, mach_port_t reply)
{
	struct lookup *lookup = lookups;

	if (name_of_gns() == NULL)
		return STATUS_NO_NAME;
	while (lookup != NULL && memcmp(lookup->name, name, sizeof(server_name_t)) != 0)
		lookup = lookup->next;
	if (lookup != NULL)
		return add_waiter(lookup, reply) ? KERN_SUCCESS : STATUS_BUSY;
	lookup = new_lookup(name);
	if (lookup == NULL)
		return STATUS_BUSY;
	counters.asked++;
	machemu_step(STEP_CODE(STEP_RES, 2, 0), reply, 0);
	if (!add_waiter(lookup, reply) || !gns_look_up(name, lookup->answer_port)) {
		end_lookup(lookup);
		free(lookup->waiters);
		free(lookup);
		return STATUS_BUSY;
	}
	return KERN_SUCCESS;
}

static struct lookup *lookup_of_port(mach_port_t port)
{
	struct lookup *lookup = lookups;

	while (lookup != NULL && lookup->answer_port != port)
		lookup = lookup->next;
	return lookup;
}

/* The GNS's answer, step 7 (gns_reply.defs). */
kern_return_t take_gns_lookup_reply(mach_port_t answer_port, kern_return_t status, int flags, int ttl,
    mach_port_t port, mach_msg_type_name_t port_type)
{
	struct lookup *lookup = lookup_of_port(answer_port);
	mach_port_t kept = MACH_PORT_NULL;

	(void)port_type;
	if (lookup == NULL)
		return KERN_INVALID_ARGUMENT;
	end_lookup(lookup);
	if (status == KERN_SUCCESS && (kept = copy_of(port)) == MACH_PORT_NULL)
		status = STATUS_NO_NAME; /* none was given, or it has died since */
	if (kept != MACH_PORT_NULL)
		remember(lookup->name, kept, flags, ttl);
	else
		counters.unknown++;
	answer_all(lookup, status, flags | ANSWER_REMOTE, ttl, status == KERN_SUCCESS ? port : MACH_PORT_NULL);
	if (MACH_PORT_VALID(port))
		mach_port_deallocate(mach_task_self(), port);
	return KERN_SUCCESS;
}

bool remote_lost(mach_port_t port)
{
	struct lookup *lookup = lookup_of_port(port);

	if (lookup == NULL)
		return false;
	end_lookup(lookup);
	answer_all(lookup, STATUS_NO_NAME, 0, 0, MACH_PORT_NULL);
	return true;
}

void remote_stat(struct text *out)
{
	for (const struct remote *remote = cache; remote != NULL; remote = remote->next) {
		text_add(out, "cache name=");
		text_add_field(out, remote->name, sizeof remote->name);
		text_add(out, " port=%x flags=%d until=%llu\n", remote->port, remote->flags,
		    (unsigned long long)remote->until);
	}
	for (const struct lookup *lookup = lookups; lookup != NULL; lookup = lookup->next) {
		text_add(out, "lookup name=");
		text_add_field(out, lookup->name, sizeof lookup->name);
		text_add(out, " waiting=%u\n", lookup->waiting);
	}
}
