/* A task that handles exceptions and notifications in one loop over a port set. */
#include <mach.h>
#include <mach/exc.h>
#include <mach/exc_server.h>
#include <mach/exception.h>
#include <mach/mig_errors.h>
#include <mach/notify.h>
#include <mach/notify_server.h>
#include <mach/thread_status.h>
#include <stdio.h>

static int dead_names;

kern_return_t catch_exception_raise(mach_port_t port, mach_port_t thread, mach_port_t task, integer_t exception,
    integer_t code, rpc_uintptr_t subcode)
{
	(void)port;
	printf("exception %d, code %d, at %#lx\n", exception, code, (unsigned long)subcode);
	mach_port_deallocate(mach_task_self(), thread);
	mach_port_deallocate(mach_task_self(), task);
	return exception == EXC_BAD_ACCESS ? KERN_SUCCESS : KERN_FAILURE;
}

kern_return_t do_mach_notify_dead_name(mach_port_t notify, mach_port_name_t name)
{
	(void)notify;
	dead_names++;
	/* The notification brought a reference of its own. */
	return mach_port_deallocate(mach_task_self(), name);
}

kern_return_t do_mach_notify_no_senders(mach_port_t notify, mach_port_mscount_t count)
{
	(void)count;
	return mach_port_mod_refs(mach_task_self(), notify, MACH_PORT_RIGHT_RECEIVE, -1);
}

static boolean_t demux(mach_msg_header_t *request, mach_msg_header_t *reply)
{
	return exc_server(request, reply) || notify_server(request, reply);
}

int main(void)
{
	mach_port_t set, port, previous;

	if (mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_PORT_SET, &set) != KERN_SUCCESS
	    || mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &port) != KERN_SUCCESS
	    || mach_port_insert_right(mach_task_self(), port, port, MACH_MSG_TYPE_MAKE_SEND) != KERN_SUCCESS
	    || mach_port_move_member(mach_task_self(), port, set) != KERN_SUCCESS)
		return 1;
	if (task_set_special_port(mach_task_self(), TASK_EXCEPTION_PORT, port) != KERN_SUCCESS)
		return 2;
	if (mach_port_request_notification(mach_task_self(), port, MACH_NOTIFY_NO_SENDERS, 1, port,
	        MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous) != KERN_SUCCESS)
		return 3;
	for (;;)
		mach_msg_server(demux, 1024, set);
}
