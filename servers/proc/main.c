/* proc: its services and its loop. */
#include "proc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <machemu/sender.h>
#include <mach/machemu.h>
#include <mach/mig_errors.h>
#include <mig/bootstrap.h>
#include <mig/notify_server.h>
#include <mig/proc_reply.h>
#include <mig/proc_server.h>

#define MESSAGE_MAX 8192 /* octets */
#define SLOT_BOOT 1
#define SLOT_PROC 2

mach_port_t host_privileged, device_master;
mach_port_t boot_port, proc_port, notify_port, port_set;
struct engine engine;
bool measuring;
static struct sender sender;    /* of the request at hand */
static uint64_t bootstrap_task; /* the only one whose word on the manifest counts */
static unsigned started, refused;

void say(const char *format, ...)
{
	char line[256];
	va_list arguments;
	int length = snprintf(line, sizeof line, "proc: ");

	va_start(arguments, format);
	vsnprintf(line + length, sizeof line - (size_t)length - 1, format, arguments);
	va_end(arguments);
	strcat(line, "\n");
	mach_print(line);
}

/* --- proc.defs --------------------------------------------------------------------- */

kern_return_t serve_proc_who(mach_port_t proc, mach_port_t port, process_record_t octets)
{
	struct process_record *record = (struct process_record *)octets;
	const struct process *process;
	uint64_t number;
	int kind;
	kern_return_t kr = port_owner(host_privileged, port, &number, &kind);

	(void)proc;
	if (kr != KERN_SUCCESS)
		return kr;
	process = kind == PORT_OWNER_TASK ? process_of_task(number) : NULL;
	if (process == NULL)
		return KERN_INVALID_ARGUMENT;
	mach_port_deallocate(mach_task_self(), port);
	memset(record, 0, sizeof *record);
	record->task = process->task_number;
	record->pid = (uint32_t)process->pid;
	record->flags = (process->flags & START_FROM_MANIFEST ? PROCESS_FROM_MANIFEST : 0)
	    | (process->measured ? PROCESS_MEASURED : 0);
	memcpy(record->name, process->name, sizeof record->name);
	memcpy(record->digest, process->digest, sizeof record->digest);
	return KERN_SUCCESS;
}

static kern_return_t describe(struct process *process, const char *path, const char *name,
    const char *arguments, mach_msg_type_number_t size)
{
	if (size == 0 || arguments[size - 1] != '\0')
		return KERN_INVALID_VALUE;
	process->arguments = malloc(size);
	if (process->arguments == NULL)
		return KERN_RESOURCE_SHORTAGE;
	memcpy(process->arguments, arguments, size);
	process->arguments_size = size;
	strncpy(process->path, path, sizeof process->path - 1);
	memcpy(process->name, name, sizeof process->name);
	process->name[sizeof process->name - 1] = '\0';
	return KERN_SUCCESS;
}

kern_return_t serve_proc_start(mach_port_t proc, mach_port_t reply, const server_path_t path,
    const server_name_t name, const server_arguments_t arguments, mach_msg_type_number_t size, int flags, int *pid, int64_t *task)
{
	struct process *process;
	mach_port_t thread = MACH_PORT_NULL;
	kern_return_t kr;

	(void)proc;
	if (flags != 0 && sender.task != bootstrap_task)
		return KERN_NO_ACCESS;
	process = process_new(flags);
	if (process == NULL)
		return KERN_RESOURCE_SHORTAGE;
	process->starter = sender;
	kr = describe(process, path, name, arguments, size);
	if (kr == KERN_SUCCESS)
		kr = load_program(process, &thread);
	if (kr != KERN_SUCCESS) {
		refused++;
		process_free(process);
		return kr;
	}
	started++;
	*pid = process->pid;
	*task = (int64_t)process->task_number;
	/* Whoever asked knows the number before the program can do anything with it. */
	if (proc_start_reply(reply, KERN_SUCCESS, *pid, *task) != KERN_SUCCESS)
		mach_port_deallocate(mach_task_self(), reply); /* whoever asked has gone */
	thread_resume(thread);
	mach_port_deallocate(mach_task_self(), thread);
	return MIG_NO_REPLY;
}

static bool is_sender(const struct sender *other)
{
	return sender.task == other->task && sender.node == other->node && sender.epoch == other->epoch;
}

kern_return_t serve_proc_wait(mach_port_t proc, mach_port_t reply, int pid, int *status, int *how)
{
	struct process *process = process_of_pid(pid);
	kern_return_t kr;

	(void)proc, (void)status, (void)how;
	if (process == NULL)
		return KERN_INVALID_ARGUMENT;
	kr = process_wait(process, reply, is_sender(&process->starter));
	return kr == KERN_SUCCESS ? MIG_NO_REPLY : kr;
}

kern_return_t serve_proc_exit(mach_port_t proc, int status)
{
	struct process *process = process_of_task(sender.task);

	(void)proc;
	if (process != NULL) {
		process->told_status = true;
		process->status = status;
	}
	return KERN_SUCCESS;
}

static void list(struct text *out)
{
	for (const struct process *process = processes; process != NULL; process = process->next) {
		text_add(out, "process pid=%d task=%llu name=", process->pid, (unsigned long long)process->task_number);
		text_add_field(out, process->name, sizeof process->name);
		text_add(out, " state=%s status=%d restarts=%u\n",
		    process->task != MACH_PORT_NULL ? "running" : process->how == PROCESS_EXITED ? "exited" : "killed",
		    process->status, process->restarts);
	}
}

kern_return_t serve_proc_list(mach_port_t proc, char **text, mach_msg_type_number_t *count)
{
	struct text out = TEXT_EMPTY;

	(void)proc;
	list(&out);
	return text_give(&out, text, count);
}

kern_return_t serve_proc_kill(mach_port_t proc, int pid)
{
	struct process *process = process_of_pid(pid);

	(void)proc;
	if (process == NULL || process->task == MACH_PORT_NULL)
		return KERN_INVALID_ARGUMENT;
	if (!is_sender(&process->starter) && sender.task != process->task_number)
		return KERN_NO_ACCESS;
	return task_terminate(process->task);
}

kern_return_t serve_proc_stat(mach_port_t proc, char **text, mach_msg_type_number_t *count)
{
	struct text out = TEXT_EMPTY;

	(void)proc;
	text_add(&out, "counter started=%u refused=%u\n", started, refused);
	list(&out);
	return text_give(&out, text, count);
}

/* --- notify.defs: the death of tasks ------------------------------------------------- */

kern_return_t do_mach_notify_dead_name(mach_port_t port, mach_port_t name)
{
	struct process *process = process_of_port(name);

	if (port != notify_port)
		return KERN_INVALID_ARGUMENT;
	mach_port_deallocate(mach_task_self(), name); /* the notification's reference */
	if (process == NULL) /* a task that died while it was loaded */
		return KERN_SUCCESS;
	mach_port_deallocate(mach_task_self(), name); /* the table's */
	process_ended(process);
	return KERN_SUCCESS;
}

kern_return_t do_mach_notify_port_deleted(mach_port_t port, mach_port_t name)
{
	(void)port, (void)name;
	return KERN_FAILURE;
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

kern_return_t do_mach_notify_send_once(mach_port_t port)
{
	(void)port;
	return KERN_SUCCESS;
}

/* --- start and loop ----------------------------------------------------------------- */

static boolean_t demux(mach_msg_header_t *request, mach_msg_header_t *reply)
{
	const struct sender_record *record = sender_of(request);

	/* What the network server passes on is not its own wish. */
	sender = record->flags & SENDER_IS_PEER ? (struct sender){SENDER_FAR, record->node, record->epoch}
	    : (struct sender){record->task, 0, 0};
	return proc_server(request, reply)
	    || (request->msgh_local_port == notify_port && notify_server(request, reply));
}

static bool find_ports(void)
{
	int kind;

	boot_port = mach_registered_port(SLOT_BOOT);
	proc_port = mach_registered_port(SLOT_PROC);
	return bootstrap_privileged_ports(boot_port, &host_privileged, &device_master) == KERN_SUCCESS
	    && port_owner(host_privileged, boot_port, &bootstrap_task, &kind) == KERN_SUCCESS
	    && mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &notify_port) == KERN_SUCCESS
	    && mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_PORT_SET, &port_set) == KERN_SUCCESS
	    && mach_port_move_member(mach_task_self(), proc_port, port_set) == KERN_SUCCESS
	    && mach_port_move_member(mach_task_self(), notify_port, port_set) == KERN_SUCCESS;
}

int main(void)
{
	kern_return_t kr;

	if (!find_ports()) {
		say("bootstrap gives no privileged ports");
		return 1;
	}
	kr = engine_open(&engine, device_master);
	if (kr == KERN_SUCCESS)
		measuring = true;
	else
		say("no crypto engine (%x): programs are not measured", (unsigned)kr);
	kr = mach_msg_server_timeout(demux, MESSAGE_MAX, port_set, MACH_RCV_SENDER, 0);
	say("stopped (%x)", (unsigned)kr);
	return 1;
}
