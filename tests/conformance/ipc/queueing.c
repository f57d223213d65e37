/* mach-abi.md 2.6: a queue's limit, and who waits for room. */
#include "conform.h"

static worker_t first, second, third;

static int sender(worker_t *worker, mach_port_t port, mach_msg_id_t id)
{
	memset(&worker->inbox.head, 0, sizeof worker->inbox.head);
	worker->inbox.head.msgh_id = id;
	CHECK(start_worker(worker, send_one, port) == KERN_SUCCESS);
	CHECK(!worker->done);
	return 0;
}

static int limit(mach_port_t port)
{
	mach_port_t once = make_once(port);

	CHECK(status_of(port).mps_qlimit == 5 && MACH_PORT_QLIMIT_DEFAULT == 5 && MACH_PORT_QLIMIT_MAX == 16);
	for (int i = 0; i < 5; i++)
		CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, i) == MACH_MSG_SUCCESS);
	CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, 5) == MACH_SEND_TIMED_OUT);
	/* Send-once rights do not wait, however they come to be the destination. */
	CHECK(post(once, MACH_MSG_TYPE_MOVE_SEND_ONCE, 6) == MACH_MSG_SUCCESS);
	CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND_ONCE, 7) == MACH_MSG_SUCCESS);
	/* Nor does the kernel. */
	CHECK(mach_port_deallocate(mach_task_self(), make_once(port)) == KERN_SUCCESS);
	CHECK(status_of(port).mps_msgcount == 8);
	return 0;
}

static int order(mach_port_t port)
{
	RUN(sender(&first, port, 100));
	RUN(sender(&second, port, 101));
	RUN(sender(&third, port, 102));
	for (int i = 0; i < 3; i++)
		CHECK(fetch_id(port) == i); /* 8 to 5: the limit, no room yet */
	settle();
	CHECK(!first.done);
	/* Each that is received makes room for one: who waits longest. */
	CHECK(fetch_id(port) == 3);
	settle();
	CHECK(first.done && first.result == MACH_MSG_SUCCESS && !second.done);
	/* A limit raised by two lets two go on. */
	CHECK(mach_port_set_qlimit(mach_task_self(), port, 7) == KERN_SUCCESS);
	settle();
	CHECK(second.done && third.done);
	CHECK(fetch_id(port) == 4 && fetch_id(port) == 6 && fetch_id(port) == 7);
	CHECK(fetch_id(port) == MACH_NOTIFY_SEND_ONCE);
	CHECK(fetch_id(port) == 100 && fetch_id(port) == 101 && fetch_id(port) == 102 && fetch_id(port) == -1);
	return 0;
}

static int waiting(mach_port_t port)
{
	/* A limit of 0: nobody gets in, even where a receiver waits; but through a send-once right. */
	CHECK(mach_port_set_qlimit(mach_task_self(), port, 0) == KERN_SUCCESS);
	CHECK(start_worker(&second, receive_one, port) == KERN_SUCCESS && !second.done);
	CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, 1) == MACH_SEND_TIMED_OUT);
	CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND_ONCE, 2) == MACH_MSG_SUCCESS);
	settle();
	CHECK(second.done && second.inbox.head.msgh_id == 2);
	/* Lowered below what is queued, a limit takes nothing away. */
	CHECK(mach_port_set_qlimit(mach_task_self(), port, 2) == KERN_SUCCESS);
	CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, 3) == MACH_MSG_SUCCESS);
	CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, 4) == MACH_MSG_SUCCESS);
	CHECK(mach_port_set_qlimit(mach_task_self(), port, 0) == KERN_SUCCESS);
	CHECK(fetch_id(port) == 3 && fetch_id(port) == 4);
	/* A sender's time ends: the message is its own again. */
	first.option = MACH_SEND_TIMEOUT;
	first.timeout = 50;
	RUN(sender(&first, port, 200));
	for (int i = 0; i < 4; i++)
		settle();
	CHECK(first.done && first.result == MACH_SEND_TIMED_OUT);
	CHECK(first.inbox.head.msgh_bits == MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND, 0));
	CHECK(sends(port) == 3); /* it came back like those of two posts before */
	/* In time, it goes. */
	first.timeout = 5000;
	RUN(sender(&first, port, 201));
	CHECK(mach_port_set_qlimit(mach_task_self(), port, 1) == KERN_SUCCESS);
	settle();
	CHECK(first.done && first.result == MACH_MSG_SUCCESS && fetch_id(port) == 201);

	CHECK(mach_port_set_qlimit(mach_task_self(), port, 16) == KERN_SUCCESS);
	CHECK(mach_port_set_qlimit(mach_task_self(), port, 17) == KERN_INVALID_VALUE);
	return 0;
}

static mach_port_t reply;

static int call(worker_t *worker)
{
	worker->inbox.head = header_to(worker->port, MACH_MSG_TYPE_MAKE_SEND, 300);
	return mach_msg_trap(&worker->inbox.head, MACH_SEND_MSG | MACH_RCV_MSG, 32, sizeof worker->inbox, reply, 0, 0);
}

/* A trap that sends and receives waits for both. */
static int both(mach_port_t port)
{
	reply = new_port();
	CHECK(mach_port_set_qlimit(mach_task_self(), port, 0) == KERN_SUCCESS);
	CHECK(start_worker(&third, call, port) == KERN_SUCCESS && !third.done);
	CHECK(mach_port_set_qlimit(mach_task_self(), port, 1) == KERN_SUCCESS);
	settle();
	CHECK(!third.done && fetch_id(port) == 300);
	CHECK(post(reply, MACH_MSG_TYPE_MAKE_SEND, 301) == MACH_MSG_SUCCESS);
	settle();
	CHECK(third.done && third.result == MACH_MSG_SUCCESS && third.inbox.head.msgh_id == 301);
	return 0;
}

int main(void)
{
	mach_port_t port = new_port();

	RUN(limit(port));
	RUN(order(port));
	RUN(waiting(port));
	RUN(both(port));
	return 0;
}
