/*
 * Programs that a session started.
 *
 * proc starts them, and is asked at once to tell their end on a port of their
 * own, so that a wait for any child, a wait that does not wait and a look at
 * the status all read the same list.
 */
#include "internal.h"

#include <mach/mach_init.h>
#include <mach/mach_interface.h>
#include <mach/mach_port.h>
#include <machemu/process.h>
#include <machemu/server.h>
#include <mig/proc.h>
#include <mig/proc_reply_server.h>
#include <mig/proc_request.h>

#include <stdlib.h>
#include <string.h>

/* Open files of a parent, for a child that has not opened its session yet.  They
   wait for it even if the parent forgets the child or ends. */
typedef struct legacy {
	struct legacy *next;
	int            pid;
	int            parent;
	mach_port_t    port; /* where proc tells the child's end, once the parent does not listen */
	file_table_t   files;
} legacy_t;

static legacy_t *legacies;
static unsigned child_total, waiter_total;

static legacy_t *legacy_find(int pid)
{
	legacy_t *legacy = legacies;

	while (legacy != NULL && legacy->pid != pid)
		legacy = legacy->next;
	return legacy;
}

/* Whether one more program of the session may be started: it becomes a child, and
   until it opens its session a legacy, which outlives the child. */
static bool start_room(const session_t *session)
{
	unsigned count = 0, of_parent = 0;

	for (const legacy_t *legacy = legacies; legacy != NULL; legacy = legacy->next) {
		count++;
		of_parent += legacy->parent == session->pid;
	}
	return session->child_count < CHILDREN_OF_SESSION && child_total < CHILDREN_MAX
	    && of_parent < SESSIONS_OF_PROGRAM * CHILDREN_OF_SESSION && count < CHILDREN_MAX;
}

/* Takes it off the list, without its files. */
static void legacy_free(legacy_t *legacy)
{
	legacy_t **link = &legacies;

	while (*link != legacy)
		link = &(*link)->next;
	*link = legacy->next;
	if (legacy->port != MACH_PORT_NULL)
		port_destroy(legacy->port);
	free(legacy);
}

bool legacy_take(int pid, file_table_t *files)
{
	legacy_t *legacy = legacy_find(pid);

	if (legacy == NULL)
		return false;
	*files = legacy->files; /* the references go with it */
	legacy_free(legacy);
	return true;
}

static void legacy_drop(int pid)
{
	legacy_t *legacy = legacy_find(pid);

	if (legacy != NULL) {
		files_close_all(&legacy->files);
		legacy_free(legacy);
	}
}

/* The child has ended that nobody but its legacy was waiting for. */
static bool legacy_lost(mach_port_t port)
{
	for (legacy_t *legacy = legacies; legacy != NULL; legacy = legacy->next)
		if (legacy->port == port) {
			legacy_drop(legacy->pid);
			return true;
		}
	return false;
}

/* --- proc ---------------------------------------------------------------- */

kern_return_t process_of(mach_port_t port, int *pid, uint64_t *task)
{
	process_record_t octets;
	struct process_record record;
	kern_return_t result = proc_who(service_port, port, octets);

	if (result != KERN_SUCCESS)
		return result;
	memcpy(&record, octets, sizeof record);
	*pid = (int)record.pid;
	*task = record.task;
	return KERN_SUCCESS;
}

kern_return_t process_start(const char *path, const char *arguments, size_t size, int *pid)
{
	const char *slash = strrchr(path, '/');
	server_name_t name;
	int64_t task;

	server_name(name, slash != NULL ? slash + 1 : path);
	return proc_start(service_port, path, name, arguments, (mach_msg_type_number_t)size, 0, pid, &task);
}

kern_return_t process_watch(int pid, mach_port_t port)
{
	return proc_wait_request(service_port, port, pid);
}

kern_return_t process_kill(int pid)
{
	return proc_kill(service_port, pid);
}

/* --- children ------------------------------------------------------------ */

static void child_free(child_t *child)
{
	legacy_t *legacy = legacy_find(child->pid);

	if (child->port != MACH_PORT_NULL && legacy != NULL)
		legacy->port = child->port; /* it may still come for its files */
	else if (child->port != MACH_PORT_NULL)
		port_destroy(child->port);
	free(child);
}

/* A program whose end could not be told is not left to run. */
static file_status_t launch(child_t *child, const char *path, const char *arguments, size_t size)
{
	if (process_start(path, arguments, size, &child->pid) != KERN_SUCCESS)
		return FILE_BAD_PROGRAM;
	if (process_watch(child->pid, child->port) == KERN_SUCCESS)
		return FILE_OK;
	process_kill(child->pid); /* fails if proc has gone, which nobody can help then */
	return FILE_IO;
}

/* Numbers go round, so that one is not soon taken for the child that had it before. */
static int child_number(session_t *session)
{
	do
		session->last_child = session->last_child % CHILD_NUMBERS + 1;
	while (session_child(session, session->last_child) != NULL);
	return session->last_child;
}

file_status_t session_start(session_t *session, const archive_entry_t *program,
    const char *arguments, size_t size, child_t **started)
{
	child_t *child;
	legacy_t *legacy;
	file_status_t status;

	if (!start_room(session))
		return FILE_NO_PROCESSES;
	child = calloc(1, sizeof *child);
	legacy = calloc(1, sizeof *legacy);
	if (child == NULL || legacy == NULL || port_in_set(&child->port) != KERN_SUCCESS) {
		free(legacy);
		free(child);
		return FILE_NO_MEMORY;
	}
	status = launch(child, program->path, arguments, size);
	if (status != FILE_OK) {
		free(legacy);
		child_free(child);
		return status;
	}
	/* The child cannot have opened its session: that request is still to be
	   received, by this thread. */
	legacy->pid = child->pid;
	legacy->parent = session->pid;
	files_share(&legacy->files, &session->files);
	legacy->next = legacies;
	legacies = legacy;
	child->number = child_number(session);
	child->next = session->children;
	session->children = child;
	session->child_count++;
	child_total++;
	*started = child;
	return FILE_OK;
}

child_t *session_child(session_t *session, int number)
{
	child_t *child = session->children;

	while (child != NULL && child->number != number)
		child = child->next;
	return child;
}

child_t *session_child_by_pid(session_t *session, int pid)
{
	child_t *child = session->children;

	while (child != NULL && child->pid != pid)
		child = child->next;
	return child;
}

/* A waiter that is not on the list yet; null with the reason. */
static waiter_t *waiter_make(const session_t *session, mach_port_t reply, child_answer_t answer,
    file_status_t *status)
{
	waiter_t *waiter = NULL;

	*status = FILE_TOO_MANY_WAIT;
	if (session->waiter_count >= WAITERS_OF_SESSION || waiter_total >= WAITERS_MAX)
		return NULL;
	waiter = malloc(sizeof *waiter);
	*status = waiter != NULL ? FILE_OK : FILE_NO_MEMORY;
	if (waiter != NULL)
		*waiter = (waiter_t){.reply = reply, .answer = answer};
	return waiter;
}

static void waiter_add(session_t *session, waiter_t *waiter, int number)
{
	waiter_t **link = &session->waiters;

	while (*link != NULL) /* who waits longest is answered first */
		link = &(*link)->next;
	waiter->number = number;
	*link = waiter;
	session->waiter_count++;
	waiter_total++;
}

/* Of one that is off the list. */
static void waiter_free(session_t *session, waiter_t *waiter)
{
	session->waiter_count--;
	waiter_total--;
	free(waiter);
}

/* Tells those who wait for a child that somebody else has waited for, or closed. */
static void answer_childless(session_t *session)
{
	waiter_t **link = &session->waiters;

	while (*link != NULL) {
		waiter_t *waiter = *link;

		if (waiter->number == ANY_CHILD ? session->children != NULL
						: session_child(session, waiter->number) != NULL) {
			link = &waiter->next;
			continue;
		}
		*link = waiter->next;
		waiter->answer(session, waiter->reply, NULL);
		waiter_free(session, waiter);
	}
}

void session_forget(session_t *session, child_t *child)
{
	for (child_t **link = &session->children; *link != NULL; link = &(*link)->next) {
		if (*link == child) {
			*link = child->next;
			session->child_count--;
			child_total--;
			child_free(child);
			break;
		}
	}
	answer_childless(session);
}

/* A child that has ended and that a wait for `number` may answer with; of
   several the one that was started first. */
static child_t *ended_child(session_t *session, int number)
{
	child_t *found = NULL;

	for (child_t *child = session->children; child != NULL; child = child->next)
		if (child->ended && (number == ANY_CHILD || number == child->number))
			found = child;
	return found;
}

file_status_t session_wait(session_t *session, int number, mach_port_t reply,
    child_answer_t answer)
{
	child_t *child = ended_child(session, number);
	waiter_t *waiter;
	file_status_t status;

	if (child != NULL) {
		if (answer(session, reply, child))
			session_forget(session, child);
		return FILE_OK;
	}
	if (number == ANY_CHILD ? session->children == NULL : session_child(session, number) == NULL)
		return FILE_NO_CHILD;
	waiter = waiter_make(session, reply, answer, &status);
	if (waiter != NULL)
		waiter_add(session, waiter, number);
	return status;
}

file_status_t session_run(session_t *session, const archive_entry_t *program,
    const char *arguments, size_t size, mach_port_t reply, child_answer_t answer)
{
	child_t *child;
	file_status_t status;
	waiter_t *waiter = waiter_make(session, reply, answer, &status); /* once it runs, nothing may fail */

	if (waiter == NULL)
		return status;
	status = session_start(session, program, arguments, size, &child);
	if (status == FILE_OK)
		waiter_add(session, waiter, child->number);
	else
		free(waiter);
	return status;
}

/* Answers those who wait for `child`, until one of them takes it away. */
static void answer_waiters(session_t *session, child_t *child)
{
	waiter_t **link = &session->waiters;

	while (*link != NULL) {
		waiter_t *waiter = *link;
		bool forget;

		if (waiter->number != ANY_CHILD && waiter->number != child->number) {
			link = &waiter->next;
			continue;
		}
		*link = waiter->next;
		forget = waiter->answer(session, waiter->reply, child);
		waiter_free(session, waiter);
		if (forget) {
			session_forget(session, child);
			return;
		}
	}
}

static child_t *child_of_port(mach_port_t port, session_t **of)
{
	for (session_t *session = sessions; session != NULL; session = session->next)
		for (child_t *child = session->children; child != NULL; child = child->next)
			if (child->port == port) {
				*of = session;
				return child;
			}
	return NULL;
}

static bool child_ended(mach_port_t port, bool crashed, int status)
{
	session_t *session;
	child_t *child = child_of_port(port, &session);

	if (child == NULL)
		return legacy_lost(port);
	child->ended = true;
	child->crashed = crashed;
	child->status = status;
	child->port = MACH_PORT_NULL;
	port_destroy(port);
	legacy_drop(child->pid);
	answer_waiters(session, child);
	return true;
}

/* proc_reply: how a child ended. */
kern_return_t take_proc_wait_reply(mach_port_t port, kern_return_t result, int status, int how)
{
	bool crashed = result != KERN_SUCCESS || how != PROCESS_EXITED;

	return child_ended(port, crashed, status) ? KERN_SUCCESS : KERN_INVALID_ARGUMENT;
}

kern_return_t take_proc_start_reply(mach_port_t port, kern_return_t result, int pid, int64_t task)
{
	(void)port, (void)result, (void)pid, (void)task; /* programs are started in one call */
	return KERN_INVALID_ARGUMENT;
}

bool child_lost(mach_port_t port)
{
	return child_ended(port, true, -1); /* proc has gone, and knows no more */
}

void children_abandon(session_t *session)
{
	while (session->waiters != NULL) {
		waiter_t *waiter = session->waiters;

		session->waiters = waiter->next;
		mach_port_deallocate(mach_task_self(), waiter->reply);
		waiter_free(session, waiter);
	}
	while (session->children != NULL)
		session_forget(session, session->children);
}
