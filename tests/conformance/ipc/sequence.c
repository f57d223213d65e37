/* mach-abi.md 2.10: order of messages and receivers, sequence numbers. */
#include "conform.h"

static worker_t first, second, third;

static int numbers(mach_port_t port)
{
	inbox_t in;

	/* Counted when a message is received, not when sent. */
	for (int i = 0; i < 3; i++)
		CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, 10 + i) == MACH_MSG_SUCCESS);
	CHECK(status_of(port).mps_seqno == 0);
	for (unsigned int i = 0; i < 3; i++)
		CHECK(fetch(port, &in) == MACH_MSG_SUCCESS && in.head.msgh_seqno == i && in.head.msgh_id == 10 + (int)i);
	CHECK(status_of(port).mps_seqno == 3);
	CHECK(fetch(port, &in) == MACH_RCV_TIMED_OUT && status_of(port).mps_seqno == 3);

	CHECK(mach_port_set_seqno(mach_task_self(), port, 0xffffffff) == KERN_SUCCESS);
	CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, 1) == MACH_MSG_SUCCESS);
	CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, 2) == MACH_MSG_SUCCESS);
	CHECK(fetch(port, &in) == MACH_MSG_SUCCESS && in.head.msgh_seqno == 0xffffffff);
	CHECK(fetch(port, &in) == MACH_MSG_SUCCESS && in.head.msgh_seqno == 0);

	/* The right moves: 0 again, messages and their order kept. */
	mach_port_t box = new_port();
	CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, 3) == MACH_MSG_SUCCESS);
	CHECK(give(box, port, MACH_MSG_TYPE_MOVE_RECEIVE) == MACH_MSG_SUCCESS);
	port = fetch_right(box, NULL);
	CHECK(fetch(port, &in) == MACH_MSG_SUCCESS && in.head.msgh_seqno == 0 && in.head.msgh_id == 3);
	return 0;
}

static int receivers(mach_port_t port)
{
	CHECK(mach_port_set_seqno(mach_task_self(), port, 0) == KERN_SUCCESS);
	CHECK(start_worker(&first, receive_one, port) == KERN_SUCCESS && !first.done);
	CHECK(start_worker(&second, receive_one, port) == KERN_SUCCESS && !second.done);
	CHECK(start_worker(&third, receive_one, port) == KERN_SUCCESS && !third.done);
	/* Who waits longest is served first, suspended or not. */
	CHECK(thread_suspend(first.thread) == KERN_SUCCESS);
	for (int i = 0; i < 4; i++)
		CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, 20 + i) == MACH_MSG_SUCCESS);
	settle();
	CHECK(!first.done && second.done && third.done);
	CHECK(thread_resume(first.thread) == KERN_SUCCESS);
	settle();
	CHECK(first.done);
	CHECK(first.inbox.head.msgh_id == 20 && second.inbox.head.msgh_id == 21 && third.inbox.head.msgh_id == 22);
	CHECK(first.inbox.head.msgh_seqno == 0 && second.inbox.head.msgh_seqno == 1 &&
	    third.inbox.head.msgh_seqno == 2);
	CHECK(fetch_id(port) == 23);
	return 0;
}

/* Into a buffer of a header only, with RCV_LARGE. */
static int receive_header(worker_t *worker)
{
	return mach_msg_trap(&worker->inbox.head, MACH_RCV_MSG | MACH_RCV_LARGE, 0, 32, worker->port, 0, 0);
}

static int too_small(mach_port_t port)
{
	/* Two that are too small fail; the third takes the message. */
	CHECK(start_worker(&first, receive_header, port) == KERN_SUCCESS);
	CHECK(start_worker(&second, receive_header, port) == KERN_SUCCESS);
	CHECK(start_worker(&third, receive_one, port) == KERN_SUCCESS);
	CHECK(give(port, MACH_PORT_NULL, MACH_MSG_TYPE_COPY_SEND) == MACH_MSG_SUCCESS);
	settle();
	CHECK(first.done && first.result == MACH_RCV_TOO_LARGE && first.inbox.head.msgh_size == sizeof(parcel_t));
	CHECK(second.done && second.result == MACH_RCV_TOO_LARGE);
	CHECK(third.done && third.result == MACH_MSG_SUCCESS && third.inbox.head.msgh_seqno == 4);
	/* None is left: it queues. */
	CHECK(start_worker(&first, receive_header, port) == KERN_SUCCESS);
	CHECK(give(port, MACH_PORT_NULL, MACH_MSG_TYPE_COPY_SEND) == MACH_MSG_SUCCESS);
	settle();
	CHECK(first.done && first.result == MACH_RCV_TOO_LARGE && status_of(port).mps_msgcount == 1);
	CHECK(fetch_right(port, NULL) == MACH_PORT_NULL);
	return 0;
}

static int waiting_ends(mach_port_t port)
{
	/* In time, or not. */
	first.timeout = 40;
	first.option = MACH_RCV_TIMEOUT;
	CHECK(start_worker(&first, receive_one, port) == KERN_SUCCESS && !first.done);
	settle();
	settle();
	CHECK(first.done && first.result == MACH_RCV_TIMED_OUT);
	/* Moved, destroyed: for who waits the port is gone. */
	second.option = third.option = 0;
	CHECK(start_worker(&second, receive_one, port) == KERN_SUCCESS && !second.done);
	mach_port_t box = new_port();
	CHECK(give(box, port, MACH_MSG_TYPE_MOVE_RECEIVE) == MACH_MSG_SUCCESS);
	settle();
	CHECK(second.done && second.result == MACH_RCV_PORT_DIED);
	port = fetch_right(box, NULL);
	CHECK(start_worker(&third, receive_one, port) == KERN_SUCCESS && !third.done);
	CHECK(mach_port_destroy(mach_task_self(), port) == KERN_SUCCESS);
	settle();
	CHECK(third.done && third.result == MACH_RCV_PORT_DIED);
	return 0;
}

int main(void)
{
	mach_port_t port = new_port();

	RUN(numbers(new_port()));
	RUN(receivers(port));
	RUN(too_small(port));
	RUN(waiting_ends(port));
	return 0;
}
