/* The table of processes, those that have ended included until nobody can ask any more. */
#include "proc.h"

#include <stdlib.h>
#include <string.h>

#include <mig/boot_files.h>
#include <mig/proc_reply.h>

#define ENDED_MAX    256 /* ended processes that are remembered */
#define RUNNING_MAX  192 /* and those that run, the manifest's (at most 64) not counted */
#define WAITERS_MAX  64  /* of one process */
#define WAITERS_KEPT 8   /* further ones, for who started it */
#define RESTARTS_MAX 5

struct process *processes;
static int last_pid;
static unsigned ended_count;

static unsigned running(void)
{
	unsigned count = 0;

	for (const struct process *process = processes; process != NULL; process = process->next)
		count += process->task != MACH_PORT_NULL && !(process->flags & START_FROM_MANIFEST);
	return count;
}

struct process *process_new(int flags)
{
	struct process *process = NULL;

	if (flags & START_FROM_MANIFEST || running() < RUNNING_MAX)
		process = calloc(1, sizeof *process);
	if (process != NULL) {
		process->pid = ++last_pid;
		process->flags = flags;
		process->next = processes;
		processes = process;
	}
	return process;
}

struct process *process_of_pid(int pid)
{
	struct process *process = processes;

	while (process != NULL && process->pid != pid)
		process = process->next;
	return process;
}

struct process *process_of_task(uint64_t task_number)
{
	struct process *process = processes;

	while (process != NULL && (process->task == MACH_PORT_NULL || process->task_number != task_number))
		process = process->next;
	return process;
}

struct process *process_of_port(mach_port_t task)
{
	struct process *process = processes;

	while (process != NULL && (process->task == MACH_PORT_NULL || process->task != task))
		process = process->next;
	return process;
}

void process_free(struct process *process)
{
	struct process **link = &processes;

	while (*link != process)
		link = &(*link)->next;
	*link = process->next;
	free(process->arguments);
	free(process);
}

/* Forget the process that ended first, when too many are remembered. */
static void forget_oldest(void)
{
	struct process *oldest = NULL;

	if (++ended_count <= ENDED_MAX)
		return;
	for (struct process *process = processes; process != NULL; process = process->next)
		if (process->task == MACH_PORT_NULL)
			oldest = process; /* new ones are put in front */
	if (oldest != NULL) {
		process_free(oldest);
		ended_count--;
	}
}

static bool start_again(struct process *process)
{
	mach_port_t thread;
	kern_return_t kr;

	if (!(process->flags & START_RESTART) || process->restarts >= RESTARTS_MAX)
		return false;
	process->restarts++;
	process->told_status = false;
	kr = load_program(process, &thread);
	if (kr != KERN_SUCCESS) {
		say("%s cannot be started again (%x)", process->name, (unsigned)kr);
		return false;
	}
	say("%s is started again (%u of %u)", process->name, process->restarts, RESTARTS_MAX);
	boot_restarted(boot_port, process->pid, (int64_t)process->task_number);
	thread_resume(thread);
	mach_port_deallocate(mach_task_self(), thread);
	return true;
}

/* Tell one who waits how the process ended. */
static void tell(mach_port_t reply, const struct process *process)
{
	if (proc_wait_reply(reply, KERN_SUCCESS, process->status, process->how) != KERN_SUCCESS)
		mach_port_deallocate(mach_task_self(), reply); /* it waits no longer */
}

void process_ended(struct process *process)
{
	process->how = process->told_status ? PROCESS_EXITED : PROCESS_KILLED;
	process->task = MACH_PORT_NULL;
	if (!process->told_status)
		process->status = -1;
	while (process->waiters != NULL) {
		struct waiter *waiter = process->waiters;

		process->waiters = waiter->next;
		tell(waiter->reply, process);
		free(waiter);
	}
	process->waiter_count = 0;
	if (!start_again(process))
		forget_oldest();
}

/* Forget those who wait no longer; how many do. */
static unsigned sweep_waiters(struct process *process)
{
	struct waiter **link = &process->waiters;
	unsigned count = 0;

	while (*link != NULL) {
		struct waiter *waiter = *link;
		mach_port_type_t type;

		if (mach_port_type(mach_task_self(), waiter->reply, &type) == KERN_SUCCESS
		    && type & MACH_PORT_TYPE_DEAD_NAME) {
			*link = waiter->next;
			mach_port_deallocate(mach_task_self(), waiter->reply);
			free(waiter);
		} else {
			link = &waiter->next;
			count++;
		}
	}
	return count;
}

kern_return_t process_wait(struct process *process, mach_port_t reply, bool by_starter)
{
	unsigned limit = WAITERS_MAX + (by_starter ? WAITERS_KEPT : 0);
	struct waiter *waiter;

	if (process->task == MACH_PORT_NULL) {
		tell(reply, process);
		return KERN_SUCCESS;
	}
	if (process->waiter_count >= limit)
		process->waiter_count = sweep_waiters(process);
	waiter = process->waiter_count < limit ? malloc(sizeof *waiter) : NULL;
	if (waiter == NULL)
		return KERN_RESOURCE_SHORTAGE;
	waiter->reply = reply;
	waiter->next = process->waiters;
	process->waiters = waiter;
	process->waiter_count++;
	return KERN_SUCCESS;
}
