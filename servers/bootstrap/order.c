/* The order of boot.  proc starts one entry after the other; one marked `ready` holds the
   rest up until it says so.  Nothing here waits: proc's answers arrive as messages. */
#include "bootstrap.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <machemu/process.h>
#include <mig/mach_host.h>
#include <mig/proc_reply_server.h>

static unsigned next_entry;           /* the one to start next */
static struct entry *starting;        /* proc has not answered */
static bool start_asked;              /* proc has been asked for it */
static struct entry *awaited;         /* started, not ready */
static mach_port_t start_port;        /* where proc answers */

void say(const char *format, ...)
{
	char line[256];
	va_list arguments;
	int length = snprintf(line, sizeof line, "bootstrap: ");

	va_start(arguments, format);
	vsnprintf(line + length, sizeof line - (size_t)length - 1, format, arguments);
	va_end(arguments);
	strcat(line, "\n");
	mach_print(line);
}

void give_up(void)
{
	say("the node cannot boot and is halted");
	host_reboot(host_privileged, RB_HALT);
}

struct entry *entry_of_task(uint64_t task)
{
	for (unsigned i = 0; i < entry_count; i++)
		if (entries[i].started && entries[i].task == task)
			return &entries[i];
	return NULL;
}

static bool new_port_in_set(mach_port_t *port)
{
	return mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, port) == KERN_SUCCESS
	    && mach_port_move_member(mach_task_self(), *port, port_set) == KERN_SUCCESS;
}

static void start(void)
{
	kern_return_t kr = ask_start(starting, start_port);

	start_asked = true;
	if (kr != KERN_SUCCESS) {
		say("%s: proc does not answer (%x)", starting->name, (unsigned)kr);
		give_up();
	}
}

void order_ask(void)
{
	for (unsigned i = 0; i < entry_count && ask_is_possible(); i++)
		if (entries[i].end_port != MACH_PORT_NULL && !entries[i].watched) {
			entries[i].watched = true;
			ask_wait(&entries[i], entries[i].end_port);
		}
	if (starting != NULL && !start_asked && ask_is_possible())
		start();
}

void order_go_on(void)
{
	if (start_port == MACH_PORT_NULL && !new_port_in_set(&start_port)) {
		say("no port for proc's answers");
		give_up();
		return;
	}
	if (starting == NULL && awaited == NULL && next_entry < entry_count) {
		starting = &entries[next_entry++];
		start_asked = false;
	}
	order_ask();
}

void order_ready(uint64_t task)
{
	struct entry *entry = entry_of_task(task);

	if (entry == NULL)
		return;
	entry->ready = true;
	if (entry == awaited) {
		awaited = NULL;
		order_go_on();
	}
}

void order_restarted(int pid, uint64_t task)
{
	for (unsigned i = 0; i < entry_count; i++)
		if (entries[i].started && entries[i].pid == pid)
			entries[i].task = task;
}

/* proc's answer to a start (proc_reply.defs). */
kern_return_t take_proc_start_reply(mach_port_t reply, kern_return_t result, int pid, int64_t task)
{
	struct entry *entry = starting;

	if (reply != start_port || entry == NULL)
		return KERN_INVALID_ARGUMENT;
	starting = NULL;
	if (result != KERN_SUCCESS) {
		say("%s: %s cannot be started (%x)", entry->name, entry->path, (unsigned)result);
		give_up();
		return KERN_SUCCESS;
	}
	entry->pid = pid;
	entry->task = (uint64_t)task;
	entry->started = true;
	new_port_in_set(&entry->end_port);
	if (entry->flags & ENTRY_READY)
		awaited = entry;
	order_go_on();
	return KERN_SUCCESS;
}

/* An entry has ended. */
kern_return_t take_proc_wait_reply(mach_port_t reply, kern_return_t result, int status, int how)
{
	for (unsigned i = 0; i < entry_count; i++) {
		struct entry *entry = &entries[i];

		if (entry->end_port != reply)
			continue;
		entry->end_port = MACH_PORT_NULL;
		mach_port_mod_refs(mach_task_self(), reply, MACH_PORT_RIGHT_RECEIVE, -1);
		if (result != KERN_SUCCESS || entry->flags & ENTRY_RESTART)
			return KERN_SUCCESS;
		entry->ended = true;
		if (entry == awaited) {
			say("%s ended before it was ready (%s %d)", entry->name,
			    how == PROCESS_EXITED ? "status" : "killed", status);
			give_up();
		} else if (how != PROCESS_EXITED || (status != 0 && !(entry->flags & ENTRY_MAIN))) {
			say("%s ended (%s %d)", entry->name, how == PROCESS_EXITED ? "status" : "killed", status);
		}
		return KERN_SUCCESS;
	}
	return KERN_INVALID_ARGUMENT;
}
