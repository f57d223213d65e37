/*
 * The example server "counter": sums, echoes, and rights passed both ways.
 *
 * Each counter is a port.  The first is the registered one; counter_new makes
 * others, which end with their last send right.  No network code is here: the
 * same program serves clients of its own node and of others.
 */
#include <mach.h>
#include <mach/notify.h>
#include <machemu/server.h>
#include <machemu/text.h>
#include <mig/counter_notice.h>
#include <mig/counter_server.h>
#include <mig/notify_server.h>

#include <stdlib.h>
#include <string.h>

#define REQUEST_OCTETS 4096

typedef struct counter {
	struct counter *next;
	mach_port_t     port;
	mach_port_t     notice; /* where sums are told too; null: nowhere */
	int64_t         sum;
	unsigned        additions;
} counter_t;

static counter_t *counters;
static mach_port_t port_set;
static unsigned echoes, notices, lost_notices;

/* --- counters ------------------------------------------------------------ */

static counter_t *find(mach_port_t port)
{
	counter_t *counter = counters;

	while (counter != NULL && counter->port != port)
		counter = counter->next;
	return counter;
}

static void forget_notice(counter_t *counter)
{
	if (counter->notice != MACH_PORT_NULL)
		mach_port_deallocate(mach_task_self(), counter->notice);
	counter->notice = MACH_PORT_NULL;
}

static void end(counter_t *counter)
{
	counter_t **link = &counters;

	while (*link != counter)
		link = &(*link)->next;
	*link = counter->next;
	forget_notice(counter);
	mach_port_mod_refs(mach_task_self(), counter->port, MACH_PORT_RIGHT_RECEIVE, -1);
	free(counter);
}

/* Serves `port` as a counter; what was wrong, with the port left alone. */
static kern_return_t begin(mach_port_t port)
{
	counter_t *counter = calloc(1, sizeof *counter);
	kern_return_t result;

	if (counter == NULL)
		return KERN_RESOURCE_SHORTAGE;
	result = mach_port_move_member(mach_task_self(), port, port_set);
	if (result != KERN_SUCCESS) {
		free(counter);
		return result;
	}
	counter->port = port;
	counter->next = counters;
	counters = counter;
	return KERN_SUCCESS;
}

/* --- routines (counter.defs) --------------------------------------------- */

static void tell(counter_t *counter)
{
	kern_return_t result;

	if (counter->notice == MACH_PORT_NULL)
		return;
	result = counter_notice(counter->notice, counter->sum);
	if (result == KERN_SUCCESS) {
		notices++;
		return;
	}
	lost_notices++;
	if (result == MACH_SEND_TIMED_OUT)
		/* The message came back, and its copy of the right with it. */
		mach_port_deallocate(mach_task_self(), counter->notice);
	else
		forget_notice(counter);
}

kern_return_t serve_counter_add(mach_port_t port, int64_t amount, int64_t *value)
{
	counter_t *counter = find(port);

	if (counter == NULL)
		return KERN_INVALID_ARGUMENT;
	/* Sums wrap around, as unsigned ones do. */
	counter->sum = (int64_t)((uint64_t)counter->sum + (uint64_t)amount);
	counter->additions++;
	*value = counter->sum;
	tell(counter);
	return KERN_SUCCESS;
}

kern_return_t serve_counter_echo(mach_port_t port, const char *data, mach_msg_type_number_t size,
    char *same, mach_msg_type_number_t *same_size)
{
	(void)port;
	memcpy(same, data, size);
	*same_size = size;
	echoes++;
	return KERN_SUCCESS;
}

/* The pages that came go back: nothing is copied. */
kern_return_t serve_counter_echo_ool(mach_port_t port, char *data, mach_msg_type_number_t size,
    char **same, mach_msg_type_number_t *same_size)
{
	(void)port;
	*same = data;
	*same_size = size;
	echoes++;
	return KERN_SUCCESS;
}

kern_return_t serve_counter_keep(mach_port_t port, mach_port_t notice)
{
	counter_t *counter = find(port);

	if (counter == NULL)
		return KERN_INVALID_ARGUMENT; /* which destroys the right */
	forget_notice(counter);
	counter->notice = notice;
	return KERN_SUCCESS;
}

kern_return_t serve_counter_new(mach_port_t port, mach_port_t *other)
{
	mach_port_t previous;
	kern_return_t result;

	(void)port;
	result = mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, other);
	if (result != KERN_SUCCESS)
		return result;
	/* A sync of 1: not before the send right of the answer has been made. */
	result = mach_port_request_notification(mach_task_self(), *other, MACH_NOTIFY_NO_SENDERS, 1,
	    *other, MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous);
	if (result == KERN_SUCCESS)
		result = begin(*other);
	if (result != KERN_SUCCESS)
		mach_port_mod_refs(mach_task_self(), *other, MACH_PORT_RIGHT_RECEIVE, -1);
	return result;
}

kern_return_t serve_counter_stat(mach_port_t port, char **text, mach_msg_type_number_t *size)
{
	struct text out = TEXT_EMPTY;

	(void)port;
	text_add(&out, "service echoes=%u notices=%u lost=%u\n", echoes, notices, lost_notices);
	for (const counter_t *counter = counters; counter != NULL; counter = counter->next)
		text_add(&out, "counter sum=%lld additions=%u told=%d\n", (long long)counter->sum,
		    counter->additions, counter->notice != MACH_PORT_NULL);
	return text_give(&out, text, size);
}

/* --- notifications ------------------------------------------------------- */

kern_return_t do_mach_notify_no_senders(mach_port_t port, mach_port_mscount_t count)
{
	counter_t *counter = find(port);

	(void)count;
	if (counter != NULL)
		end(counter);
	return KERN_SUCCESS;
}

static boolean_t demux(mach_msg_header_t *request, mach_msg_header_t *reply)
{
	/* The kernel notifies through a send-once right, which no client has: it only
	   could send something that looks like a notification. */
	return counter_server(request, reply)
	    || (MACH_MSGH_BITS_LOCAL(request->msgh_bits) == MACH_MSG_TYPE_PORT_SEND_ONCE
	        && notify_server(request, reply));
}

int main(void)
{
	mach_port_t service;

	if (mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_PORT_SET, &port_set) != KERN_SUCCESS)
		return 1;
	service = server_check_in("counter");
	if (begin(service) != KERN_SUCCESS)
		return 1;
	mach_msg_server(demux, REQUEST_OCTETS, port_set);
	return 1; /* only our own bug leads here: let the parent see it */
}
