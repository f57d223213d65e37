/* mach-abi.md 2.9: thread_abort breaks a wait; libmach's mach_msg waits again. */
#include "conform.h"

static worker_t worker;

static int library_receive(worker_t *w)
{
	return mach_msg(&w->inbox.head, MACH_RCV_MSG | w->option, 0, sizeof w->inbox, w->port, 0, 0);
}

static int library_send(worker_t *w)
{
	w->inbox.head = header_to(w->port, MACH_MSG_TYPE_COPY_SEND, 3);
	return mach_msg(&w->inbox.head, MACH_SEND_MSG | w->option, 32, 0, 0, 0, 0);
}

/* The worker sends, and then waits to receive from `reply`. */
static mach_port_t reply;

static int library_call(worker_t *w)
{
	w->inbox.head = header_to(w->port, MACH_MSG_TYPE_COPY_SEND, 3);
	return mach_msg(&w->inbox.head, MACH_SEND_MSG | MACH_RCV_MSG, 32, sizeof w->inbox, reply, 0, 0);
}

static kern_return_t abort_worker(void)
{
	kern_return_t kr = thread_abort(worker.thread);

	settle();
	return kr;
}

static int receives(mach_port_t port)
{
	worker.option = 0;
	CHECK(start_worker(&worker, receive_one, port) == KERN_SUCCESS && !worker.done);
	CHECK(abort_worker() == KERN_SUCCESS);
	CHECK(worker.done && worker.result == MACH_RCV_INTERRUPTED);

	CHECK(start_worker(&worker, library_receive, port) == KERN_SUCCESS);
	CHECK(abort_worker() == KERN_SUCCESS && !worker.done);
	CHECK(post(port, MACH_MSG_TYPE_COPY_SEND, 1) == MACH_MSG_SUCCESS);
	settle();
	CHECK(worker.done && worker.result == MACH_MSG_SUCCESS && worker.inbox.head.msgh_id == 1);

	worker.option = MACH_RCV_INTERRUPT;
	CHECK(start_worker(&worker, library_receive, port) == KERN_SUCCESS && !worker.done);
	CHECK(abort_worker() == KERN_SUCCESS && worker.done && worker.result == MACH_RCV_INTERRUPTED);
	return 0;
}

static int sending(mach_port_t port)
{
	CHECK(mach_port_set_qlimit(mach_task_self(), port, 0) == KERN_SUCCESS);
	worker.option = 0;
	worker.inbox.head = header_to(port, MACH_MSG_TYPE_COPY_SEND, 2);
	CHECK(start_worker(&worker, send_one, port) == KERN_SUCCESS && !worker.done);
	CHECK(abort_worker() == KERN_SUCCESS);
	CHECK(worker.done && worker.result == MACH_SEND_INTERRUPTED);
	/* Given back as by a pseudo-receive. */
	CHECK(worker.inbox.head.msgh_bits == MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND, 0));
	CHECK(worker.inbox.head.msgh_remote_port == port && sends(port) == 2);

	worker.option = MACH_SEND_INTERRUPT;
	CHECK(start_worker(&worker, library_send, port) == KERN_SUCCESS && !worker.done);
	CHECK(abort_worker() == KERN_SUCCESS && worker.done && worker.result == MACH_SEND_INTERRUPTED);
	CHECK(sends(port) == 3);

	worker.option = 0;
	CHECK(start_worker(&worker, library_send, port) == KERN_SUCCESS);
	CHECK(abort_worker() == KERN_SUCCESS && !worker.done);
	CHECK(mach_port_set_qlimit(mach_task_self(), port, 5) == KERN_SUCCESS);
	settle();
	CHECK(worker.done && worker.result == MACH_MSG_SUCCESS);
	CHECK(fetch_id(port) == 3 && fetch_id(port) == -1);
	CHECK(sends(port) == 3); /* the copy was made at first, and moved at last */
	return 0;
}

static int both(mach_port_t port)
{
	/* The send half is done once, however often the receive half is broken. */
	reply = new_port();
	CHECK(start_worker(&worker, library_call, port) == KERN_SUCCESS);
	CHECK(abort_worker() == KERN_SUCCESS && abort_worker() == KERN_SUCCESS && !worker.done);
	CHECK(fetch_id(port) == 3 && fetch_id(port) == -1);
	CHECK(post(reply, MACH_MSG_TYPE_MAKE_SEND, 4) == MACH_MSG_SUCCESS);
	settle();
	CHECK(worker.done && worker.result == MACH_MSG_SUCCESS && worker.inbox.head.msgh_id == 4);
	return 0;
}

int main(void)
{
	mach_port_t port = new_port_with(1);

	RUN(receives(port));
	RUN(sending(port));
	RUN(both(port));
	return 0;
}
