/*
 * Sessions: one port per client, all served by one loop.
 *
 * A session ends with the last send right on its port, that is with its
 * client, however that one ended: the kernel's no-senders notification comes
 * in on the session's own port.
 */
#include "internal.h"

#include <mach/mach_host.h>
#include <mach/mach_init.h>
#include <mach/mach_interface.h>
#include <mach/mach_port.h>
#include <mach/mach_traps.h>
#include <mach/mig_errors.h>
#include <mach/mig_support.h>
#include <mach/notify.h>
#include <mach_error.h>
#include <machemu/sender.h>
#include <machemu/server.h>
#include <machemu/text.h>
#include <mig/device_reply_server.h>
#include <mig/notify_server.h>
#include <mig/proc_reply_server.h>

#include <stdio.h>
#include <stdlib.h>

#define STAT_OFFSET    0xf0 /* of an interface's stat, from its first routine */
#define REQUEST_OCTETS 8192 /* the longest message of these interfaces, and room */

session_t *sessions;

static unsigned session_total;
static const personality_t *personality;
static mach_port_t service, port_set;
static uint64_t sender; /* task number of the request at hand */

static struct {
	unsigned opened, closed, requests, refused;
} counters;

kern_return_t port_in_set(mach_port_t *port)
{
	kern_return_t result;

	result = mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, port);
	if (result != KERN_SUCCESS)
		return result;
	result = mach_port_move_member(mach_task_self(), *port, port_set);
	if (result != KERN_SUCCESS)
		port_destroy(*port);
	return result;
}

void port_destroy(mach_port_t port)
{
	mach_port_mod_refs(mach_task_self(), port, MACH_PORT_RIGHT_RECEIVE, -1);
}

session_t *session_find(mach_port_t port)
{
	session_t *session = sessions;

	while (session != NULL && session->port != port)
		session = session->next;
	return session;
}

static void session_free(session_t *session)
{
	children_abandon(session);
	console_abandon(session);
	files_close_all(&session->files);
	if (session->port != MACH_PORT_NULL)
		port_destroy(session->port);
	free(session);
}

static void session_end(session_t *session)
{
	for (session_t **link = &sessions; *link != NULL; link = &(*link)->next)
		if (*link == session) {
			*link = session->next;
			session_total--;
			break;
		}
	if (personality->closed != NULL)
		personality->closed(session);
	session_free(session);
	counters.closed++;
}

/* Asks for the notification that ends the session.  A sync of 1 lets it wait
   for the send right that the answer to attach is going to make. */
static kern_return_t watch_senders(mach_port_t port)
{
	mach_port_t previous = MACH_PORT_NULL;

	return mach_port_request_notification(mach_task_self(), port, MACH_NOTIFY_NO_SENDERS, 1,
	    port, MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous);
}

/* A session with its files and its port, not yet on the list; null: no memory. */
static session_t *session_make(int pid)
{
	session_t *session = calloc(1, sizeof *session);

	if (session == NULL)
		return NULL;
	session->pid = pid;
	if ((legacy_take(pid, &session->files)
	        || files_standard(&session->files, personality->standard_handles) == FILE_OK)
	    && port_in_set(&session->port) == KERN_SUCCESS
	    && watch_senders(session->port) == KERN_SUCCESS
	    && (personality->opened == NULL || personality->opened(session)))
		return session;
	session_free(session);
	return NULL;
}

/* Whether one more session of the process `pid` may be opened. */
static file_status_t session_room(int pid)
{
	unsigned count = 0;

	for (const session_t *session = sessions; session != NULL; session = session->next)
		count += session->pid == pid;
	if (count >= SESSIONS_OF_PROGRAM)
		return FILE_NO_HANDLES;
	return session_total < SESSIONS_MAX ? FILE_OK : FILE_TABLE_FULL;
}

/* The personality's own error. */
static kern_return_t failure(file_status_t status)
{
	return PERSONALITY_ERROR(personality->subsystem, personality->errors[status]);
}

kern_return_t session_attach(mach_port_t server, mach_port_t proof, mach_port_t *port, int *pid)
{
	session_t *session;
	uint64_t task = 0;
	int owner = 0;
	file_status_t room;
	kern_return_t result;

	if (server != service)
		return KERN_INVALID_ARGUMENT;
	result = process_of(proof, &owner, &task);
	if (result == KERN_SUCCESS && task != sender)
		result = KERN_NO_ACCESS; /* it shows a port of another's */
	if (result != KERN_SUCCESS)
		return result; /* the request, and so the right, is destroyed */
	room = session_room(owner);
	if (room != FILE_OK)
		return failure(room);
	session = session_make(owner);
	if (session == NULL)
		return failure(FILE_NO_MEMORY);
	mach_port_deallocate(mach_task_self(), proof);
	session->next = sessions;
	sessions = session;
	session_total++;
	counters.opened++;
	*port = session->port;
	*pid = owner;
	return KERN_SUCCESS;
}

void session_count_refused(void)
{
	counters.refused++;
}

kern_return_t personality_time(int64_t *seconds, int32_t *microseconds)
{
	static mach_port_t host;
	time_value_t now;
	kern_return_t result;

	if (host == MACH_PORT_NULL)
		host = mach_host_self();
	result = host_get_time(host, &now);
	if (result == KERN_SUCCESS) {
		*seconds = now.seconds;
		*microseconds = now.microseconds;
	}
	return result;
}

/* --- stat ---------------------------------------------------------------- */

static void stat_session(const session_t *session, struct text *out)
{
	text_add(out, "session pid=%d files=%u children=%u waiters=%u\n", session->pid,
	    files_open_count(&session->files), session->child_count, session->waiter_count);
}

kern_return_t personality_stat(mach_port_t server, char **text, mach_msg_type_number_t *size)
{
	struct text out = TEXT_EMPTY;

	if (server != service)
		return KERN_INVALID_ARGUMENT;
	text_add(&out, "counter opened=%u closed=%u requests=%u refused=%u readers=%u\n",
	    counters.opened, counters.closed, counters.requests, counters.refused, console_readers());
	for (const session_t *session = sessions; session != NULL; session = session->next)
		stat_session(session, &out);
	return text_give(&out, text, size);
}

/* --- notifications (notify.defs) ----------------------------------------- */

kern_return_t do_mach_notify_no_senders(mach_port_t port, mach_port_mscount_t count)
{
	session_t *session = session_find(port);

	(void)count; /* one send right was ever made */
	if (session != NULL)
		session_end(session);
	return KERN_SUCCESS;
}

kern_return_t do_mach_notify_send_once(mach_port_t port)
{
	if (!console_lost(port))
		child_lost(port);
	return KERN_SUCCESS;
}

/* --- the loop ------------------------------------------------------------ */

/* What another node's task asks for comes from the GNS, which would get it, and in
   whose name programs would be started.  The tables it may look at. */
static bool is_refused(const mach_msg_header_t *request)
{
	return (sender_of(request)->flags & SENDER_IS_PEER)
	    && request->msgh_id != (personality->subsystem << 8 | STAT_OFFSET);
}

static boolean_t refuse(const mach_msg_header_t *request, mach_msg_header_t *reply)
{
	counters.refused++;
	mig_reply_setup(request, reply);
	((mig_reply_header_t *)reply)->RetCode = failure(FILE_NOT_ALLOWED);
	return TRUE;
}

static boolean_t demux(mach_msg_header_t *request, mach_msg_header_t *reply)
{
	counters.requests++;
	sender = sender_of(request)->task;
	if (is_refused(request))
		return refuse(request, reply);
	if (personality->demux(request, reply))
		return TRUE;
	/* The kernel and proc answer through send-once rights, which no client has: it
	   only could send something that looks like an answer. */
	return MACH_MSGH_BITS_LOCAL(request->msgh_bits) == MACH_MSG_TYPE_PORT_SEND_ONCE
	    && (notify_server(request, reply) || device_reply_server(request, reply)
	        || proc_reply_server(request, reply));
}

int personality_serve(const personality_t *served)
{
	kern_return_t result;

	personality = served;
	result = mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_PORT_SET, &port_set);
	if (result == KERN_SUCCESS)
		result = terminal_open();
	if (result == KERN_SUCCESS)
		result = archive_load();
	if (result != KERN_SUCCESS) {
		printf("%s: cannot start: %s\n", served->name, mach_error_string(result));
		return 1;
	}
	service = server_check_in(served->name);
	if (service == MACH_PORT_NULL)
		return 1;
	result = mach_port_move_member(mach_task_self(), service, port_set);
	if (result == KERN_SUCCESS)
		result = mach_msg_server_timeout(demux, REQUEST_OCTETS, port_set, MACH_RCV_SENDER, 0);
	printf("%s: stopped: %s\n", served->name, mach_error_string(result));
	return 1;
}
