/* The names of this node's servers. */
#include "acs.h"

#include <stdlib.h>
#include <string.h>

#include <machemu/process.h>
#include <mig/proc.h>

#define NAMES_MAX          256 /* of this node */
#define NAMES_OF_TASK_MAX  4

struct name *names;
unsigned name_count;

struct name *name_find(const server_name_t wanted)
{
	struct name *name = names;

	while (name != NULL && memcmp(name->name, wanted, sizeof(server_name_t)) != 0)
		name = name->next;
	return name;
}

struct name *name_of_gns(void)
{
	server_name_t wanted;
	struct name *gns;

	server_name(wanted, "gns");
	gns = name_find(wanted);
	return gns != NULL && gns->from_manifest ? gns : NULL;
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

/* May the sender, who owns the port it brings, have the name that `name` has now? */
static bool may_replace(const struct name *name, mach_port_t signature)
{
	return name->signature == signature && (signature != MACH_PORT_NULL || name->task == sender);
}

void name_remove(struct name *name)
{
	struct name **link = &names;

	while (*link != name)
		link = &(*link)->next;
	*link = name->next;
	name_count--;
	mach_port_deallocate(mach_task_self(), name->public_port);
	mach_port_deallocate(mach_task_self(), name->door_port);
	if (name->signature != MACH_PORT_NULL)
		mach_port_deallocate(mach_task_self(), name->signature);
	free(name);
}

kern_return_t name_register(const server_name_t wanted, mach_port_t public_port, mach_port_t door_port,
    mach_port_t signature)
{
	struct name *name = name_find(wanted);
	bool public_from_manifest, door_from_manifest;
	uint64_t task;

	machemu_step(STEP_CODE(STEP_REG, 2, 0), public_port, 0);
	task = owner_of(public_port, &public_from_manifest);
	if (door_port != public_port && owner_of(door_port, &door_from_manifest) != task)
		return STATUS_NOT_ALLOWED;
	if (task != sender || is_of_another_node(wanted) || (name != NULL && !may_replace(name, signature)))
		return STATUS_NOT_ALLOWED;
	if (name == NULL && (name_count >= NAMES_MAX || names_of_task(task) >= NAMES_OF_TASK_MAX))
		return STATUS_LIMIT;
	if (name != NULL)
		name_remove(name);
	name = calloc(1, sizeof *name);
	if (name == NULL)
		return KERN_RESOURCE_SHORTAGE;
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

bool name_port_died(mach_port_t port)
{
	bool found = false;
	struct name *next;

	for (struct name *name = names; name != NULL; name = next) {
		next = name->next;
		if (name->public_port == port || name->door_port == port || name->signature == port) {
			name_remove(name);
			found = true;
		}
	}
	return found;
}
