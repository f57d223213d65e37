/* bootstrap: its ports, its services, its loop.

   Slots of mach_ports, filled by the boot loader: 0 the ACS's well-known port and 1 the
   boot port, whose receive rights this task holds, and 2 proc's port. */
#include "bootstrap.h"

#include <stdlib.h>
#include <string.h>

#include <mach/notify.h>
#include <machemu/sender.h>
#include <machemu/server.h>
#include <mach/mig_errors.h>
#include <mig/boot_files_server.h>
#include <mig/bootstrap.h>
#include <mig/bootstrap_server.h>
#include <mig/machemu.h>
#include <mig/notify_server.h>
#include <mig/proc_reply_server.h>

#define MESSAGE_MAX 8192 /* octets */
#define SLOT_ACS  0
#define SLOT_BOOT 1
#define SLOT_PROC 2
#define SENDER_FAR UINT64_MAX /* no task of this node: no entry, nor proc */

mach_port_t host_privileged, device_master;
mach_port_t boot_port, proc_port, acs_port, port_set;
static uint64_t sender;    /* task number of the request at hand; 0: the kernel */
static uint64_t proc_task;
static bool acs_given;

/* --- boot_files.defs ------------------------------------------------------------ */

kern_return_t serve_boot_list(mach_port_t boot, char **list, mach_msg_type_number_t *count)
{
	struct text out = TEXT_EMPTY;

	(void)boot;
	for (unsigned i = 0; i < archive_count(); i++)
		text_add(&out, "%llu %s\n", (unsigned long long)archive_at(i)->size, archive_at(i)->path);
	return text_give(&out, list, count);
}

kern_return_t serve_boot_size(mach_port_t boot, const server_path_t path, int64_t *size)
{
	const struct archive_file *file = archive_find(path);

	(void)boot;
	if (file == NULL)
		return KERN_INVALID_NAME;
	*size = (int64_t)file->size;
	return KERN_SUCCESS;
}

kern_return_t serve_boot_read(mach_port_t boot, const server_path_t path, int64_t offset, int size,
    char **data, mach_msg_type_number_t *count)
{
	const struct archive_file *file = archive_find(path);

	(void)boot;
	if (file == NULL)
		return KERN_INVALID_NAME;
	if (offset < 0 || size < 0)
		return KERN_INVALID_VALUE;
	return archive_read(file, (uint64_t)offset, (uint32_t)size, data, count);
}

kern_return_t serve_boot_ready(mach_port_t boot)
{
	(void)boot;
	order_ready(sender);
	return KERN_SUCCESS;
}

kern_return_t serve_boot_check_in(mach_port_t boot, const server_name_t name, mach_port_t *port)
{
	const struct entry *entry = entry_of_task(sender);
	mach_port_t previous;
	kern_return_t kr;

	(void)boot;
	if (entry == NULL || strcmp(entry->name, "acs") != 0 || strncmp(name, "acs", sizeof(server_name_t)) != 0)
		return KERN_NO_ACCESS;
	if (acs_given)
		return KERN_NAME_EXISTS;
	/* Should the ACS die, its port lives on and comes back here for the next one. */
	kr = mach_port_request_notification(mach_task_self(), acs_port, MACH_NOTIFY_PORT_DESTROYED, 0, boot_port,
	    MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous);
	if (kr != KERN_SUCCESS)
		return kr;
	acs_given = true;
	*port = acs_port;
	return KERN_SUCCESS;
}

kern_return_t serve_boot_restarted(mach_port_t boot, int pid, int64_t task)
{
	(void)boot;
	if (sender == proc_task)
		order_restarted(pid, (uint64_t)task);
	return KERN_SUCCESS;
}

kern_return_t do_mach_notify_port_destroyed(mach_port_t notify, mach_port_t right)
{
	(void)notify;
	if (sender != 0) /* the kernel's number */
		return KERN_NO_ACCESS;
	acs_port = right; /* the name it always had, for our send right stands under it */
	acs_given = false;
	return KERN_SUCCESS;
}

kern_return_t do_mach_notify_msg_accepted(mach_port_t notify, mach_port_t name)
{
	(void)notify, (void)name;
	if (sender != 0)
		return KERN_NO_ACCESS;
	ask_accepted();
	order_ask();
	return KERN_SUCCESS;
}

kern_return_t serve_boot_stat(mach_port_t boot, char **text, mach_msg_type_number_t *count)
{
	struct text out = TEXT_EMPTY;

	(void)boot;
	text_add(&out, "archive files=%u\n", archive_count());
	for (unsigned i = 0; i < entry_count; i++)
		text_add(&out, "entry name=%s pid=%d task=%llu started=%d ready=%d ended=%d\n", entries[i].name,
		    entries[i].pid, (unsigned long long)entries[i].task, entries[i].started, entries[i].ready,
		    entries[i].ended);
	return text_give(&out, text, count);
}

/* --- bootstrap.defs: privileged ports for those the manifest entitles ------------- */

kern_return_t do_bootstrap_privileged_ports(mach_port_t boot, mach_port_t *host, mach_port_t *device)
{
	const struct entry *entry = entry_of_task(sender);
	unsigned granted = sender == proc_task ? ENTRY_HOST | ENTRY_DEVICE : entry != NULL ? entry->flags : 0;

	(void)boot;
	if (!(granted & (ENTRY_HOST | ENTRY_DEVICE)))
		return KERN_NO_ACCESS;
	*host = granted & ENTRY_HOST ? host_privileged : MACH_PORT_NULL;
	*device = granted & ENTRY_DEVICE ? device_master : MACH_PORT_NULL;
	return KERN_SUCCESS;
}

/* --- start and loop ------------------------------------------------------------------ */

static boolean_t demux(mach_msg_header_t *request, mach_msg_header_t *reply)
{
	const struct sender_record *record = sender_of(request);

	/* What the network server passes on is not its own wish. */
	sender = record->flags & SENDER_IS_PEER ? SENDER_FAR : record->task;
	return boot_files_server(request, reply) || bootstrap_server(request, reply) || notify_server(request, reply)
	    || (sender == proc_task && proc_reply_server(request, reply));
}

static bool find_ports(void)
{
	mach_port_t kernel;
	int kind;

	acs_port = mach_registered_port(SLOT_ACS);
	boot_port = mach_registered_port(SLOT_BOOT);
	proc_port = mach_registered_port(SLOT_PROC);
	return task_get_special_port(mach_task_self(), TASK_BOOTSTRAP_PORT, &kernel) == KERN_SUCCESS
	    && bootstrap_privileged_ports(kernel, &host_privileged, &device_master) == KERN_SUCCESS
	    && port_owner(host_privileged, proc_port, &proc_task, &kind) == KERN_SUCCESS
	    && mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_PORT_SET, &port_set) == KERN_SUCCESS
	    && mach_port_move_member(mach_task_self(), boot_port, port_set) == KERN_SUCCESS;
}

int main(void)
{
	kern_return_t kr;

	if (!find_ports()) {
		say("the boot loader's ports are not there");
		return 1;
	}
	kr = archive_open(device_master);
	if (kr != KERN_SUCCESS) {
		say("the boot archive cannot be read (%x)", (unsigned)kr);
		give_up();
		return 1;
	}
	if (!manifest_load()) {
		give_up();
		return 1;
	}
	order_go_on();
	kr = mach_msg_server_timeout(demux, MESSAGE_MAX, port_set, MACH_RCV_SENDER, 0);
	say("stopped (%x)", (unsigned)kr);
	return 1;
}
