/* Exceptions taken from a port by hand, message by message. */
#ifndef EXCEPTION_PORT_H
#define EXCEPTION_PORT_H

#include <mach.h>
#include <mach/exception.h>
#include <mach/mig_errors.h>
#include <mach/task_special_ports.h>
#include <mach/thread_special_ports.h>

#define EXCEPTION_RAISE_ID 2400

struct raised {
	mach_msg_header_t head;
	mach_msg_type_t thread_type;
	mach_port_name_inlined_t thread;
	mach_msg_type_t task_type;
	mach_port_name_inlined_t task;
	mach_msg_type_t exception_type;
	integer_t exception;
	integer_t pad1;
	mach_msg_type_t code_type;
	integer_t code;
	integer_t pad2;
	mach_msg_type_t subcode_type;
	uint64_t subcode;
};

_Static_assert(sizeof(struct raised) == 112, "exception_raise");

/* A port of ours for the exceptions of `task`. */
static inline mach_port_t watch_task(mach_port_t task)
{
	mach_port_t port = mach_reply_port();

	mach_port_insert_right(mach_task_self(), port, port, MACH_MSG_TYPE_MAKE_SEND);
	return task_set_special_port(task, TASK_EXCEPTION_PORT, port) == KERN_SUCCESS ? port : MACH_PORT_NULL;
}

static inline mach_port_t watch_thread(mach_port_t thread)
{
	mach_port_t port = mach_reply_port();

	mach_port_insert_right(mach_task_self(), port, port, MACH_MSG_TYPE_MAKE_SEND);
	return thread_set_special_port(thread, THREAD_EXCEPTION_PORT, port) == KERN_SUCCESS ? port : MACH_PORT_NULL;
}

static inline mach_msg_return_t take_exception(mach_port_t port, struct raised *raised, mach_msg_timeout_t ms)
{
	return mach_msg(&raised->head, MACH_RCV_MSG | (ms ? MACH_RCV_TIMEOUT : 0), 0, sizeof *raised, port, ms,
	    MACH_PORT_NULL);
}

/* Answer and drop the two rights. */
static inline mach_msg_return_t answer_exception(const struct raised *raised, kern_return_t code)
{
	mig_reply_header_t reply = {
		.Head = {.msgh_bits = MACH_MSGH_BITS(MACH_MSGH_BITS_REMOTE(raised->head.msgh_bits), 0),
		    .msgh_size = sizeof reply, .msgh_remote_port = raised->head.msgh_remote_port,
		    .msgh_id = EXCEPTION_RAISE_ID + 100},
		.RetCodeType = {.msgt_name = MACH_MSG_TYPE_INTEGER_32, .msgt_size = 32, .msgt_number = 1,
		    .msgt_inline = TRUE},
		.RetCode = code,
	};

	mach_port_deallocate(mach_task_self(), raised->thread.name);
	mach_port_deallocate(mach_task_self(), raised->task.name);
	return mach_msg(&reply.Head, MACH_SEND_MSG, sizeof reply, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL);
}

/* Has that task (or thread) ended?  Its name is then a dead one. */
static inline boolean_t has_ended(mach_port_t name)
{
	mach_port_type_t type = 0;

	mach_port_type(mach_task_self(), name, &type);
	return (type & MACH_PORT_TYPE_DEAD_NAME) != 0;
}

#endif
