/* acs: its services and its loop. */
#include "acs.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <machemu/machemu_types.h>
#include <machemu/sender.h>
#include <mach/mig_errors.h>
#include <mig/acs_reply.h>
#include <mig/acs_server.h>
#include <mig/boot_files.h>
#include <mig/gns_reply_server.h>
#include <mig/mach_host.h>
#include <mig/machemu.h>
#include <mig/netname_server.h>
#include <mig/notify_server.h>

#define MESSAGE_MAX 4096 /* octets */
#define SWEEP_MS    5000 /* of silence, after which what is out of date goes */
#define SLOT_ACS  0
#define SLOT_BOOT 1
#define SLOT_PROC 2
#define INTERFACE_PUBLIC 1

mach_port_t acs_port, boot_port, proc_port, notify_port, port_set;
struct counters counters;
uint64_t sender;
uint32_t this_node, site_flags;

void say(const char *format, ...)
{
	char line[256];
	va_list arguments;
	int length = snprintf(line, sizeof line, "acs: ");

	va_start(arguments, format);
	vsnprintf(line + length, sizeof line - (size_t)length - 1, format, arguments);
	va_end(arguments);
	strcat(line, "\n");
	mach_print(line);
}

uint64_t now_seconds(void)
{
	static mach_port_t host;
	time_value_t now = {0};

	if (host == MACH_PORT_NULL)
		host = mach_host_self();
	return host_get_time(host, &now) == KERN_SUCCESS ? (uint64_t)now.seconds : 0;
}

mach_port_t copy_of(mach_port_t port)
{
	return mach_port_mod_refs(mach_task_self(), port, MACH_PORT_RIGHT_SEND, 1) == KERN_SUCCESS ? port
	    : MACH_PORT_NULL;
}

/* --- acs.defs ----------------------------------------------------------------------- */

/* REG_REQ, section 6.2: 0:4 flags, 4:2 name length, 6:2 zero, 8:64 name. */
kern_return_t serve_acs_register(mach_port_t acs, const acs_registration_t request, mach_port_t public_port,
    mach_port_t door_port)
{
	const unsigned char *octets = (const unsigned char *)request;
	unsigned length = octets[4] | (unsigned)octets[5] << 8;
	server_name_t name;
	kern_return_t status = STATUS_NOT_ALLOWED;

	(void)acs;
	machemu_step(STEP_CODE(STEP_REG, 1, 0), public_port, 0);
	memcpy(name, request + 8, sizeof name);
	if (length >= 1 && length <= sizeof name && octets[6] == 0 && octets[7] == 0
	    && strnlen(name, sizeof name) == length && MACH_PORT_VALID(public_port) && MACH_PORT_VALID(door_port))
		status = name_register(name, public_port, door_port, MACH_PORT_NULL);
	if (status == KERN_SUCCESS) {
		machemu_step(STEP_CODE(STEP_REG, 7, 0), public_port, 0);
		counters.registered++;
	} else
		counters.refused++;
	return status;
}

kern_return_t serve_acs_deregister(mach_port_t acs, const server_name_t wanted)
{
	struct name *name = name_find(wanted);

	(void)acs;
	if (name == NULL)
		return STATUS_NO_NAME;
	if (name->task != sender)
		return STATUS_NOT_ALLOWED;
	name_remove(name);
	return KERN_SUCCESS;
}

kern_return_t serve_acs_resolve(mach_port_t acs, mach_port_t reply, const server_name_t wanted,
    int interface, int *flags, int *ttl, mach_port_t *port)
{
	const struct name *name = name_find(wanted);
	const struct remote *remote;
	kern_return_t status;

	(void)acs;
	machemu_step(STEP_CODE(STEP_RES, 1, 0), reply, 0);
	counters.resolved++;
	if (interface != INTERFACE_PUBLIC)
		return STATUS_NOT_ALLOWED;
	if (name != NULL) {
		*flags = 0;
		*ttl = TTL_LOCAL;
		*port = copy_of(name->public_port);
	} else if ((remote = remote_find(wanted)) != NULL) {
		counters.cached++;
		*flags = remote->flags | ANSWER_REMOTE;
		*ttl = (int)(remote->until - now_seconds());
		*port = copy_of(remote->port);
	} else {
		status = remote_ask(wanted, reply);
		return status == KERN_SUCCESS ? MIG_NO_REPLY : status;
	}
	if (*port == MACH_PORT_NULL)
		return STATUS_NO_NAME;
	machemu_step(STEP_CODE(STEP_RES, 8, 0), reply, 0);
	return KERN_SUCCESS;
}

kern_return_t serve_acs_query(mach_port_t acs, const server_name_t wanted, int *flags, mach_port_t *port)
{
	const struct name *name = name_find(wanted);

	(void)acs;
	counters.queries++;
	if (name == NULL)
		return STATUS_NO_NAME;
	*flags = 0;
	*port = copy_of(name->public_port);
	if (*port == MACH_PORT_NULL)
		return STATUS_NO_NAME;
	machemu_step(STEP_CODE(STEP_RES, 5, 0), name->public_port, 0);
	return KERN_SUCCESS;
}

static void list(struct text *out)
{
	for (const struct name *name = names; name != NULL; name = name->next) {
		text_add(out, "name name=");
		text_add_field(out, name->name, sizeof name->name);
		text_add(out, " task=%llu port=%x manifest=%d\n", (unsigned long long)name->task, name->public_port,
		    name->from_manifest);
	}
}

kern_return_t serve_acs_list(mach_port_t acs, char **text, mach_msg_type_number_t *count)
{
	struct text out = TEXT_EMPTY;

	(void)acs;
	list(&out);
	return text_give(&out, text, count);
}

kern_return_t serve_acs_stat(mach_port_t acs, char **text, mach_msg_type_number_t *count)
{
	struct text out = TEXT_EMPTY;

	(void)acs;
	text_add(&out, "counter registered=%u refused=%u resolved=%u unknown=%u cached=%u asked=%u queries=%u\n",
	    counters.registered, counters.refused, counters.resolved, counters.unknown, counters.cached,
	    counters.asked, counters.queries);
	list(&out);
	remote_stat(&out);
	return text_give(&out, text, count);
}

/* --- notify.defs ---------------------------------------------------------------------- */

kern_return_t do_mach_notify_dead_name(mach_port_t port, mach_port_t name)
{
	if (port != notify_port)
		return KERN_INVALID_ARGUMENT;
	name_port_died(name);
	remote_port_died(name);
	return mach_port_deallocate(mach_task_self(), name); /* the notification's reference */
}

kern_return_t do_mach_notify_send_once(mach_port_t port)
{
	return port == notify_port || remote_lost(port) ? KERN_SUCCESS : KERN_INVALID_ARGUMENT;
}

kern_return_t do_mach_notify_port_deleted(mach_port_t port, mach_port_t name)
{
	(void)port, (void)name; /* a name was taken back while its port lived */
	return KERN_SUCCESS;
}

kern_return_t do_mach_notify_msg_accepted(mach_port_t port, mach_port_t name)
{
	(void)port, (void)name;
	return KERN_FAILURE;
}

kern_return_t do_mach_notify_port_destroyed(mach_port_t port, mach_port_t right)
{
	(void)port, (void)right;
	return KERN_FAILURE;
}

kern_return_t do_mach_notify_no_senders(mach_port_t port, mach_port_mscount_t count)
{
	(void)port, (void)count;
	return KERN_FAILURE;
}

/* --- start and loop --------------------------------------------------------------------- */

static boolean_t demux(mach_msg_header_t *request, mach_msg_header_t *reply)
{
	const struct sender_record *record = sender_of(request);

	/* What the GNS passes on is not its own wish. */
	sender = record->flags & SENDER_IS_PEER ? SENDER_FAR : record->task;
	names_tell_removed();
	if (request->msgh_local_port == acs_port)
		return acs_server(request, reply) || netname_server(request, reply);
	if ((notify_server(request, reply) || gns_reply_server(request, reply))
	    && ((mig_reply_header_t *)reply)->RetCode == KERN_SUCCESS)
		return TRUE;
	/* Whatever else came to where an answer of the GNS was to come, that won't come now. */
	remote_lost(request->msgh_local_port);
	return FALSE;
}

static bool find_ports(void)
{
	server_name_t name;
	mach_port_t well_known = mach_registered_port(SLOT_ACS);

	boot_port = mach_registered_port(SLOT_BOOT);
	proc_port = mach_registered_port(SLOT_PROC);
	server_name(name, "acs");
	return boot_check_in(boot_port, name, &acs_port) == KERN_SUCCESS && acs_port == well_known
	    && mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &notify_port) == KERN_SUCCESS
	    && mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_PORT_SET, &port_set) == KERN_SUCCESS
	    && mach_port_move_member(mach_task_self(), acs_port, port_set) == KERN_SUCCESS
	    && mach_port_move_member(mach_task_self(), notify_port, port_set) == KERN_SUCCESS;
}

/* Other nodes reach our process server by "proc@<node>". */
static bool register_proc(void)
{
	struct boot_info info;
	server_name_t name;
	char text[sizeof name];
	mach_port_t host = mach_host_self();
	kern_return_t kr = boot_info(host, (char *)&info);

	mach_port_deallocate(mach_task_self(), host);
	if (kr != KERN_SUCCESS)
		return false;
	this_node = info.node;
	site_flags = info.flags;
	snprintf(text, sizeof text, "proc@%u", this_node);
	server_name(name, text);
	return name_register(name, copy_of(proc_port), copy_of(proc_port), MACH_PORT_NULL) == KERN_SUCCESS;
}

int main(void)
{
	kern_return_t kr;

	if (!find_ports()) {
		say("bootstrap does not give the well-known port");
		return 1;
	}
	if (!register_proc())
		say("the process server has no name: it cannot be reached from other nodes");
	server_ready();
	do {
		remote_sweep();
		names_tell_removed();
		kr = mach_msg_server_timeout(demux, MESSAGE_MAX, port_set, MACH_RCV_SENDER | MACH_RCV_TIMEOUT, SWEEP_MS);
	} while (kr == MACH_RCV_TIMED_OUT);
	say("stopped (%x)", (unsigned)kr);
	return 1;
}
