/* The names of this node's servers. */
#include "acs.h"

#include <stdlib.h>
#include <string.h>

#include <machemu/machemu_types.h>
#include <machemu/process.h>
#include <mig/proc.h>

#define NAMES_MAX          256 /* of this node */
#define NAMES_OF_TASK_MAX  4

struct name *names;
unsigned name_count;         /* those that are removed are counted until the GNS knows */
static struct name *removed; /* first those it must be told of first */

struct name *name_find(const server_name_t wanted)
{
	struct name *name = names;

	while (name != NULL && memcmp(name->name, wanted, sizeof(server_name_t)) != 0)
		name = name->next;
	return name;
}

static bool is_gns(const server_name_t name)
{
	server_name_t gns;

	server_name(gns, "gns");
	return memcmp(name, gns, sizeof gns) == 0;
}

struct name *name_of_gns(void)
{
	struct name *name = names;

	while (name != NULL && !is_gns(name->name))
		name = name->next;
	return name != NULL && name->from_manifest ? name : NULL;
}

const struct name *name_of_task(uint64_t task)
{
	const struct name *first = NULL;

	for (const struct name *name = names; name != NULL && task != 0; name = name->next)
		if (name->task == task)
			first = name; /* the list begins with the newest */
	return first;
}

uint64_t owner_of(mach_port_t port, bool *from_manifest)
{
	process_record_t octets;
	const struct process_record *record = (const struct process_record *)octets;

	*from_manifest = false;
	if (proc_who(proc_port, port, octets) != KERN_SUCCESS)
		return 0;
	*from_manifest = (record->flags & PROCESS_FROM_MANIFEST) != 0;
	return record->task;
}

static unsigned names_of_task(uint64_t task)
{
	unsigned count = 0;

	for (const struct name *name = names; name != NULL; name = name->next)
		count += name->task == task;
	return count;
}

static void watch(mach_port_t port)
{
	mach_port_t previous = MACH_PORT_NULL;

	if (mach_port_request_notification(mach_task_self(), port, MACH_NOTIFY_DEAD_NAME, 1, notify_port,
	    MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous) == KERN_SUCCESS && previous != MACH_PORT_NULL)
		mach_port_deallocate(mach_task_self(), previous);
}

/* A name that ends in "@" and a number is of the node with that number. */
static bool is_of_another_node(const server_name_t name)
{
	size_t end = strnlen(name, sizeof(server_name_t)), at = end;
	uint64_t node = 0;

	while (at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9')
		at--;
	if (at == end || at == 0 || name[at - 1] != '@')
		return false;
	for (; at < end && node <= UINT32_MAX; at++)
		node = 10 * node + (uint64_t)(name[at] - '0');
	return node != this_node;
}

/* May the sender, who owns the port it brings, have the name that `name` has now?  Nobody
   keeps the manifest's GNS out by being there first. */
static bool may_replace(const struct name *name, mach_port_t signature, bool from_manifest)
{
	if (from_manifest && !name->from_manifest && is_gns(name->name))
		return true;
	return name->signature == signature && (signature != MACH_PORT_NULL || name->task == sender);
}

static void name_free(struct name *name)
{
	name_count--;
	mach_port_deallocate(mach_task_self(), name->public_port);
	mach_port_deallocate(mach_task_self(), name->door_port);
	if (name->signature != MACH_PORT_NULL)
		mach_port_deallocate(mach_task_self(), name->signature);
	free(name);
}

static void unlink_name(struct name *name)
{
	struct name **link = &names;

	while (*link != name)
		link = &(*link)->next;
	*link = name->next;
}

/* With either optimisation other nodes may have been told of the name. */
void name_remove(struct name *name)
{
	struct name **last = &removed;

	unlink_name(name);
	if ((site_flags & (BOOT_OPTIMISATION_1 | BOOT_OPTIMISATION_2)) == 0) {
		name_free(name);
		return;
	}
	while (*last != NULL)
		last = &(*last)->next;
	*last = name;
	name->next = NULL;
	names_tell_removed();
}

/* A GNS that has gone has taken with it what it told others. */
void names_tell_removed(void)
{
	struct name *name;

	while ((name = removed) != NULL && (name_of_gns() == NULL || gns_tell_unregistered(name))) {
		removed = name->next;
		name_free(name);
	}
}

/* Has the sender, or the node, as many names as it may?  `old` is the one to be replaced, which
   needs no room unless it has to wait for the GNS. */
static bool is_full(const struct name *old)
{
	return ((old == NULL || old->task != sender) && names_of_task(sender) >= NAMES_OF_TASK_MAX)
	    || ((old == NULL || removed != NULL) && name_count >= NAMES_MAX);
}

kern_return_t name_register(const server_name_t wanted, mach_port_t public_port, mach_port_t door_port,
    mach_port_t signature)
{
	struct name *old = name_find(wanted), *name;
	bool public_from_manifest, door_from_manifest;
	uint64_t task;

	machemu_step(STEP_CODE(STEP_REG, 2, 0), public_port, 0);
	task = owner_of(public_port, &public_from_manifest);
	if (door_port != public_port && owner_of(door_port, &door_from_manifest) != task)
		return STATUS_NOT_ALLOWED;
	if (task != sender || is_of_another_node(wanted)
	    || (old != NULL && !may_replace(old, signature, public_from_manifest)))
		return STATUS_NOT_ALLOWED;
	if (is_full(old))
		return STATUS_LIMIT;
	name = calloc(1, sizeof *name);
	if (name == NULL)
		return KERN_RESOURCE_SHORTAGE;
	if (old != NULL)
		name_remove(old);
	memcpy(name->name, wanted, sizeof(server_name_t));
	name->public_port = public_port;
	name->door_port = door_port;
	name->signature = signature;
	name->task = task;
	name->from_manifest = public_from_manifest;
	name->next = names;
	names = name;
	name_count++;
	watch(public_port);
	if (door_port != public_port)
		watch(door_port);
	if (signature != MACH_PORT_NULL && signature != public_port)
		watch(signature);
	return KERN_SUCCESS;
}

/* The GNS knows by itself of a public port that has died. */
static void remove_dead(struct name *name, mach_port_t port)
{
	if (name->public_port != port) {
		name_remove(name);
	} else {
		unlink_name(name);
		name_free(name);
	}
}

bool name_port_died(mach_port_t port)
{
	bool found = false;
	struct name *next;

	for (struct name *name = names; name != NULL; name = next) {
		next = name->next;
		if (name->public_port == port || name->door_port == port || name->signature == port) {
			remove_dead(name, port);
			found = true;
		}
	}
	return found;
}
