/* mach-abi.md 2.2, 2.4, 2.7, 2.8, 2.11: what a thread finds that waited for its message. */
#include "conform.h"

static worker_t worker;
static mach_port_t port, notify;
static vm_address_t page;

/* Into `page`, with as many octets as `timeout` says. */
static int receive_into_page(worker_t *w)
{
	return mach_msg_trap((mach_msg_header_t *)page, MACH_RCV_MSG | w->option, 0, w->timeout, w->port, 0, notify);
}

static int start(mach_msg_option_t option, mach_msg_size_t size)
{
	worker.option = option;
	worker.timeout = size;
	memset((char *)page, 0xee, PAGE_SIZE);
	CHECK(start_worker(&worker, receive_into_page, port) == KERN_SUCCESS && !worker.done);
	return 0;
}

/* Send a right that is made of `right`, with a reply port that is to be told. */
static mach_msg_return_t send(mach_port_t right, mach_port_t reply)
{
	parcel_t p = parcel(port, MACH_MSG_TYPE_MAKE_SEND, right, MACH_MSG_TYPE_MAKE_SEND);
	mach_msg_return_t mr;

	p.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	p.head.msgh_local_port = reply;
	mr = mach_msg(&p.head, SEND_BY_TIME, sizeof p, 0, 0, 0, 0);
	settle();
	return mr;
}

static int buffers(void)
{
	mach_msg_header_t *head = (mach_msg_header_t *)page;
	mach_port_t right = new_port(), reply = new_port();

	/* Too small: destroyed, and its header is there; the number is used. */
	RUN(start(0, 40));
	CHECK(send(right, reply) == MACH_MSG_SUCCESS);
	CHECK(worker.done && worker.result == MACH_RCV_TOO_LARGE);
	CHECK(head->msgh_size == sizeof(parcel_t) && head->msgh_seqno == 0 && head->msgh_remote_port == MACH_PORT_NULL);
	CHECK(fetch_id(reply) == MACH_NOTIFY_SEND_ONCE && !status_of(right).mps_srights);

	/* With LARGE and RCV_SENDER: queued, and told what both need. */
	RUN(start(MACH_RCV_LARGE | MACH_RCV_SENDER, sizeof(parcel_t)));
	CHECK(send(right, reply) == MACH_MSG_SUCCESS);
	CHECK(worker.done && worker.result == MACH_RCV_TOO_LARGE);
	CHECK(head->msgh_size == sizeof(parcel_t) + 32 && status_of(port).mps_msgcount == 1);
	CHECK(fetch_right(port, NULL) == right);
	RUN(start(MACH_RCV_SENDER, sizeof(parcel_t) + 32));
	CHECK(send(right, reply) == MACH_MSG_SUCCESS && worker.done && worker.result == MACH_MSG_SUCCESS);
	CHECK(((mach_msg_sender_t *)(page + sizeof(parcel_t)))->mss_task != 0 && sends(right) == 2);

	/* Gone meanwhile: received by the kernel, its rights are there. */
	RUN(start(0, 512));
	CHECK(vm_deallocate(mach_task_self(), page, PAGE_SIZE) == KERN_SUCCESS);
	CHECK(send(right, reply) == MACH_MSG_SUCCESS && worker.done && worker.result == MACH_RCV_INVALID_DATA);
	CHECK(sends(right) == 3 && status_of(port).mps_seqno == 4);
	CHECK(vm_allocate(mach_task_self(), &page, PAGE_SIZE, FALSE) == KERN_SUCCESS);
	return 0;
}

static int watching(void)
{
	mach_msg_header_t *head = (mach_msg_header_t *)page;
	mach_port_t right = new_port(), reply = new_port();

	/* RCV_NOTIFY: looked at when the message comes. */
	RUN(start(MACH_RCV_NOTIFY, 512));
	CHECK(send(right, reply) == MACH_MSG_SUCCESS && worker.done && worker.result == MACH_MSG_SUCCESS);
	CHECK(type_of(head->msgh_remote_port) == (MACH_PORT_TYPE_SEND_ONCE | MACH_PORT_TYPE_DNREQUEST));
	RUN(start(MACH_RCV_NOTIFY, 512));
	CHECK(mach_port_destroy(mach_task_self(), notify) == KERN_SUCCESS);
	CHECK(send(right, reply) == MACH_MSG_SUCCESS && worker.done && worker.result == MACH_RCV_INVALID_NOTIFY);
	CHECK(head->msgh_remote_port == MACH_PORT_NULL && head->msgh_local_port == port);
	CHECK(fetch_id(reply) == MACH_NOTIFY_SEND_ONCE && sends(right) == 1);
	return 0;
}

static int ending(void)
{
	mach_port_t right = new_port(), reply = new_port();

	/* Who waits no more gets nothing: the message is there for the next. */
	RUN(start(0, 512));
	CHECK(thread_terminate(worker.thread) == KERN_SUCCESS);
	CHECK(send(right, reply) == MACH_MSG_SUCCESS && !worker.done);
	CHECK(fetch_right(port, NULL) == right);

	/* A sender that ends while it waits: its message is destroyed. */
	CHECK(mach_port_set_qlimit(mach_task_self(), port, 0) == KERN_SUCCESS);
	worker.option = 0;
	worker.inbox.head = header_to(port, MACH_MSG_TYPE_MAKE_SEND, 1);
	worker.inbox.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	worker.inbox.head.msgh_local_port = reply;
	CHECK(start_worker(&worker, send_one, port) == KERN_SUCCESS && !worker.done);
	CHECK(fetch_id(reply) == -1 && status_of(port).mps_srights);
	CHECK(thread_terminate(worker.thread) == KERN_SUCCESS);
	CHECK(fetch_id(reply) == MACH_NOTIFY_SEND_ONCE && !status_of(port).mps_srights);
	CHECK(mach_port_set_qlimit(mach_task_self(), port, 5) == KERN_SUCCESS && fetch_id(port) == -1);
	return 0;
}

int main(void)
{
	port = new_port();
	notify = new_port();
	CHECK(vm_allocate(mach_task_self(), &page, PAGE_SIZE, TRUE) == KERN_SUCCESS);
	RUN(buffers());
	RUN(watching());
	RUN(ending());
	return 0;
}
