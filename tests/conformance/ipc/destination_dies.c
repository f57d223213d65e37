/* mach-abi.md 2.4: sends that succeed although the message can never be received. */
#include "conform.h"

static worker_t first, second;

/* A worker that has filled the queue of `port` waits to send; with it goes `reply`. */
static int blocked_sender(worker_t *worker, mach_port_t port, mach_port_t reply)
{
	worker->inbox.head = header_to(port, MACH_MSG_TYPE_COPY_SEND, 9);
	worker->inbox.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	worker->inbox.head.msgh_local_port = reply;
	CHECK(start_worker(worker, send_one, port) == KERN_SUCCESS);
	CHECK(!worker->done);
	return 0;
}

int main(void)
{
	mach_port_t port = new_port_with(1), reply = new_port(), box;

	/* The port dies while senders wait. */
	CHECK(mach_port_set_qlimit(mach_task_self(), port, 0) == KERN_SUCCESS);
	RUN(blocked_sender(&first, port, reply));
	RUN(blocked_sender(&second, port, reply));
	CHECK(kill_port(port) == KERN_SUCCESS);
	settle();
	CHECK(first.done && first.result == MACH_MSG_SUCCESS);
	CHECK(second.done && second.result == MACH_MSG_SUCCESS);
	CHECK(fetch_id(reply) == MACH_NOTIFY_SEND_ONCE); /* both messages were destroyed */
	CHECK(fetch_id(reply) == MACH_NOTIFY_SEND_ONCE);
	CHECK(fetch_id(reply) == -1);
	CHECK(deads(port) == 1);

	/* A receive right in a message to itself. */
	port = new_port_with(1);
	parcel_t p = parcel(port, MACH_MSG_TYPE_COPY_SEND, port, MACH_MSG_TYPE_MOVE_RECEIVE);
	CHECK(mach_msg(&p.head, SEND_BY_TIME, sizeof p, 0, 0, 0, 0) == MACH_MSG_SUCCESS);
	CHECK(deads(port) == 1);

	/* A sender waits while the right is in transit, and goes on when that message dies. */
	port = new_port_with(1);
	box = new_port();
	CHECK(mach_port_set_qlimit(mach_task_self(), port, 0) == KERN_SUCCESS);
	RUN(blocked_sender(&first, port, reply));
	CHECK(give(box, port, MACH_MSG_TYPE_MOVE_RECEIVE) == MACH_MSG_SUCCESS);
	settle();
	CHECK(!first.done);
	CHECK(mach_port_destroy(mach_task_self(), box) == KERN_SUCCESS);
	settle();
	CHECK(first.done && first.result == MACH_MSG_SUCCESS);
	CHECK(fetch_id(reply) == MACH_NOTIFY_SEND_ONCE);
	return 0;
}
