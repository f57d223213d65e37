/* mach-abi.md 9.4, 13: any other reply, and the loss of the reply right, end the task. */
#include "check.h"
#include "exception_port.h"
#include "threads.h"

#define REPLY_ID (EXCEPTION_RAISE_ID + 100)

/* A reply with room for one item more. */
struct long_reply {
	mig_reply_header_t reply;
	mach_msg_type_t type;
	mach_port_name_inlined_t port;
};

static void fault(long unused)
{
	(void)unused;
	*(volatile int *)8 = 1;
}

/* A task that waits for the answer to `raised`. */
static mach_port_t waiting_task(struct raised *raised, mach_port_t *port)
{
	mach_port_t task = MACH_PORT_NULL;

	if (task_create(mach_task_self(), TRUE, &task) != KERN_SUCCESS)
		return MACH_PORT_NULL;
	*port = watch_task(task);
	if (start_thread(task, fault, 0) == MACH_PORT_NULL ||
	    take_exception(*port, raised, 1000) != MACH_MSG_SUCCESS)
		return MACH_PORT_NULL;
	return task;
}

static struct long_reply good_reply(const struct raised *raised)
{
	return (struct long_reply){
		.reply.Head = {.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND_ONCE, 0),
		    .msgh_size = sizeof(mig_reply_header_t), .msgh_remote_port = raised->head.msgh_remote_port,
		    .msgh_id = REPLY_ID},
		.reply.RetCodeType = {.msgt_name = MACH_MSG_TYPE_INTEGER_32, .msgt_size = 32, .msgt_number = 1,
		    .msgt_inline = TRUE},
	};
}

static boolean_t ends_task(struct long_reply *reply, mach_port_t task)
{
	return mach_msg(&reply->reply.Head, MACH_SEND_MSG, reply->reply.Head.msgh_size, 0, MACH_PORT_NULL, 0,
	           MACH_PORT_NULL) == MACH_MSG_SUCCESS &&
	    has_ended(task);
}

static int wrong_forms(void)
{
	struct raised raised;
	mach_port_t port, task = waiting_task(&raised, &port);
	struct long_reply reply = good_reply(&raised);

	CHECK(task != MACH_PORT_NULL);
	reply.reply.Head.msgh_id = REPLY_ID + 1;
	CHECK(ends_task(&reply, task));

	task = waiting_task(&raised, &port);
	reply = good_reply(&raised);
	reply.reply.Head.msgh_size = sizeof reply; /* longer, though all it says is right */
	CHECK(ends_task(&reply, task));

	task = waiting_task(&raised, &port);
	reply = good_reply(&raised);
	reply.reply.Head.msgh_size = sizeof(mach_msg_header_t);
	CHECK(ends_task(&reply, task));

	task = waiting_task(&raised, &port);
	reply = good_reply(&raised);
	reply.reply.RetCodeType.msgt_name = MACH_MSG_TYPE_BOOLEAN;
	CHECK(ends_task(&reply, task));

	task = waiting_task(&raised, &port);
	reply = good_reply(&raised);
	reply.reply.Head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
	reply.reply.Head.msgh_size = sizeof reply;
	reply.type = (mach_msg_type_t){.msgt_name = MACH_MSG_TYPE_COPY_SEND, .msgt_size = 64, .msgt_number = 1,
	    .msgt_inline = TRUE};
	reply.port.name = mach_task_self();
	CHECK(ends_task(&reply, task));

	task = waiting_task(&raised, &port);
	reply = good_reply(&raised);
	reply.reply.Head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	reply.reply.Head.msgh_local_port = port;
	CHECK(ends_task(&reply, task));
	return 0;
}

static int lost_rights(void)
{
	struct raised raised;
	mach_msg_header_t small;
	mach_port_t port, task = waiting_task(&raised, &port);

	CHECK(mach_port_deallocate(mach_task_self(), raised.head.msgh_remote_port) == KERN_SUCCESS);
	CHECK(has_ended(task));

	/* The port dies, with the exception still in its queue. */
	CHECK(task_create(mach_task_self(), TRUE, &task) == KERN_SUCCESS);
	port = watch_task(task);
	CHECK(start_thread(task, fault, 0) != MACH_PORT_NULL);
	sleep_ms(20);
	CHECK(!has_ended(task));
	CHECK(mach_port_destroy(mach_task_self(), port) == KERN_SUCCESS);
	CHECK(has_ended(task));

	/* A receiver with too small a buffer destroys the message, and the right with it. */
	CHECK(task_create(mach_task_self(), TRUE, &task) == KERN_SUCCESS);
	port = watch_task(task);
	CHECK(start_thread(task, fault, 0) != MACH_PORT_NULL);
	CHECK(mach_msg(&small, MACH_RCV_MSG, 0, sizeof small, port, 0, MACH_PORT_NULL) == MACH_RCV_TOO_LARGE);
	CHECK(has_ended(task));
	return 0;
}

int main(void)
{
	CHECK(task_set_special_port(mach_task_self(), TASK_EXCEPTION_PORT, MACH_PORT_NULL) == KERN_SUCCESS);
	RUN(wrong_forms());
	RUN(lost_rights());
	return 0;
}
