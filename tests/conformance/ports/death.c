/* mach-abi.md 5.6: what happens, and in which order, when a receive right is destroyed. */
#include "conform.h"

static mach_port_t self, box;

/* A port with one message queued, that carries a send-once right to `told` as its reply,
   and the right `inside`. */
static mach_port_t loaded(mach_port_t told, mach_port_t inside, mach_msg_type_name_t use)
{
	mach_port_t port = new_port();
	parcel_t p = parcel(port, MACH_MSG_TYPE_MAKE_SEND, inside, use);

	p.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	p.head.msgh_local_port = told;
	mach_msg(&p.head, MACH_SEND_MSG, sizeof p, 0, 0, 0, 0);
	return port;
}

static int messages(void)
{
	mach_port_t told = new_port(), watched = new_port(), inner = new_port_with(1), port;

	/* Queued messages are destroyed: send-once rights tell of it, send rights are dropped,
	   receive rights are destroyed in turn. */
	CHECK(request_on(watched, MACH_NOTIFY_NO_SENDERS, 1, box) == KERN_SUCCESS);
	port = loaded(told, watched, MACH_MSG_TYPE_MAKE_SEND);
	CHECK(kill_port(port) == KERN_SUCCESS);
	CHECK(fetch_id(told) == MACH_NOTIFY_SEND_ONCE && fetch_id(told) == -1);
	CHECK(fetch_id(box) == MACH_NOTIFY_NO_SENDERS);
	port = loaded(told, inner, MACH_MSG_TYPE_MOVE_RECEIVE);
	CHECK(mach_port_destroy(self, port) == KERN_SUCCESS);
	CHECK(type_of(inner) == MACH_PORT_TYPE_DEAD_NAME);
	CHECK(fetch_id(told) == MACH_NOTIFY_SEND_ONCE);

	/* Ports within ports, as deep as one likes. */
	port = new_port_with(1);
	mach_port_t innermost = port;
	for (int i = 0; i < 100; i++) {
		mach_port_t outer = new_port();

		CHECK(give(outer, port, MACH_MSG_TYPE_MOVE_RECEIVE) == MACH_MSG_SUCCESS);
		port = outer;
	}
	CHECK(kill_port(port) == KERN_SUCCESS && type_of(innermost) == MACH_PORT_TYPE_DEAD_NAME);
	return 0;
}

static int requests(void)
{
	mach_port_t port = new_port_with(1), deaths = new_port();

	/* A no-senders request is destroyed: the holder of the receive right is told send-once. */
	CHECK(request_on(port, MACH_NOTIFY_NO_SENDERS, 0, box) == KERN_SUCCESS);
	CHECK(request_on(port, MACH_NOTIFY_DEAD_NAME, 0, deaths) == KERN_SUCCESS);
	CHECK(kill_port(port) == KERN_SUCCESS);
	CHECK(fetch_id(box) == MACH_NOTIFY_SEND_ONCE && fetch_id(box) == -1);
	CHECK(fetch_id(deaths) == MACH_NOTIFY_DEAD_NAME);

	/* All to one port: no-senders' first, then the messages', then the death. */
	port = loaded(box, MACH_PORT_NULL, MACH_MSG_TYPE_COPY_SEND);
	mach_port_t once = make_once(port);
	CHECK(request_on(port, MACH_NOTIFY_NO_SENDERS, 0, box) == KERN_SUCCESS);
	CHECK(request_on(once, MACH_NOTIFY_DEAD_NAME, 0, box) == KERN_SUCCESS);
	CHECK(kill_port(port) == KERN_SUCCESS);
	CHECK(fetch_id(box) == MACH_NOTIFY_SEND_ONCE && fetch_id(box) == MACH_NOTIFY_SEND_ONCE);
	CHECK(fetch_id(box) == MACH_NOTIFY_DEAD_NAME && fetch_id(box) == -1);
	return 0;
}

static int rescued(void)
{
	mach_port_t port = new_port_with(1), child;
	inbox_t in;

	/* A port-destroyed request: nothing dies; the right is sent, with its messages. */
	CHECK(post(port, MACH_MSG_TYPE_COPY_SEND, 5) == MACH_MSG_SUCCESS);
	CHECK(mach_port_set_mscount(self, port, 9) == KERN_SUCCESS && mach_port_set_seqno(self, port, 9) == KERN_SUCCESS);
	CHECK(request_on(port, MACH_NOTIFY_PORT_DESTROYED, 0, box) == KERN_SUCCESS);
	CHECK(kill_port(port) == KERN_SUCCESS && type_of(port) == MACH_PORT_TYPE_SEND);
	CHECK(fetch(box, &in) == MACH_MSG_SUCCESS && in.head.msgh_id == MACH_NOTIFY_PORT_DESTROYED);
	CHECK(in.destroyed.not_port == port && type_of(port) == MACH_PORT_TYPE_SEND_RECEIVE);
	CHECK(status_of(port).mps_mscount == 0 && status_of(port).mps_seqno == 0 && !status_of(port).mps_pdrequest);
	CHECK(fetch_id(port) == 5);
	/* Once: the next time it dies. */
	CHECK(kill_port(port) == KERN_SUCCESS && type_of(port) == MACH_PORT_TYPE_DEAD_NAME);

	/* By a task's death too. */
	port = new_port_with(1);
	CHECK(task_create(self, FALSE, &child) == KERN_SUCCESS);
	CHECK(request_on(port, MACH_NOTIFY_PORT_DESTROYED, 0, box) == KERN_SUCCESS);
	CHECK(mach_port_insert_right(child, 0x5500, port, MACH_MSG_TYPE_MOVE_RECEIVE) == KERN_SUCCESS);
	CHECK(task_terminate(child) == KERN_SUCCESS);
	CHECK(fetch_id(box) == MACH_NOTIFY_PORT_DESTROYED && type_of(port) == MACH_PORT_TYPE_SEND_RECEIVE);

	/* Where the notified port is dead, the port dies. */
	mach_port_t gone = new_port();
	CHECK(request_on(port, MACH_NOTIFY_PORT_DESTROYED, 0, gone) == KERN_SUCCESS);
	CHECK(mach_port_destroy(self, gone) == KERN_SUCCESS);
	CHECK(kill_port(port) == KERN_SUCCESS && type_of(port) == MACH_PORT_TYPE_DEAD_NAME);
	return 0;
}

int main(void)
{
	self = mach_task_self();
	box = new_port();
	RUN(messages());
	RUN(requests());
	RUN(rescued());
	return 0;
}
