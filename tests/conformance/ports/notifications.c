/* mach-abi.md 5.8: each notification's message, and when it comes. */
#include "conform.h"

static mach_port_t self, notify;

static int is_notification(const inbox_t *in, mach_msg_id_t id, unsigned int type, unsigned int bits, boolean_t complex)
{
	mach_msg_type_t t = in->dead_name.not_type;

	return in->head.msgh_id == id && in->head.msgh_size == 48 && in->head.msgh_remote_port == MACH_PORT_NULL &&
	    in->head.msgh_local_port == notify &&
	    in->head.msgh_bits ==
	    (MACH_MSGH_BITS(0, MACH_MSG_TYPE_PORT_SEND_ONCE) | (complex ? MACH_MSGH_BITS_COMPLEX : 0)) &&
	    t.msgt_name == type && t.msgt_size == bits && t.msgt_number == 1 && t.msgt_inline && !t.msgt_deallocate;
}

static int forms(void)
{
	mach_port_t port = new_port_with(1);
	inbox_t in;

	CHECK(mach_port_deallocate(self, make_once(notify)) == KERN_SUCCESS);
	CHECK(fetch(notify, &in) == MACH_MSG_SUCCESS && in.head.msgh_id == MACH_NOTIFY_SEND_ONCE);
	CHECK(in.head.msgh_size == 32 && in.head.msgh_bits == MACH_MSGH_BITS(0, MACH_MSG_TYPE_PORT_SEND_ONCE));
	CHECK(in.head.msgh_remote_port == MACH_PORT_NULL && in.head.msgh_local_port == notify);

	CHECK(request_on(port, MACH_NOTIFY_PORT_DESTROYED, 0, notify) == KERN_SUCCESS && kill_port(port) == KERN_SUCCESS);
	CHECK(fetch(notify, &in) == MACH_MSG_SUCCESS);
	CHECK(is_notification(&in, 69, MACH_MSG_TYPE_PORT_RECEIVE, 64, TRUE) && in.destroyed.not_port_slot == port);

	CHECK(request_on(port, MACH_NOTIFY_NO_SENDERS, 0, notify) == KERN_SUCCESS);
	CHECK(mach_port_set_mscount(self, port, 0x11223344) == KERN_SUCCESS);
	CHECK(mach_port_deallocate(self, port) == KERN_SUCCESS);
	CHECK(fetch(notify, &in) == MACH_MSG_SUCCESS);
	CHECK(is_notification(&in, 70, MACH_MSG_TYPE_INTEGER_32, 32, FALSE) && in.no_senders.not_count == 0x11223344);

	CHECK(request_on(port, MACH_NOTIFY_DEAD_NAME, 0, notify) == KERN_SUCCESS && kill_port(port) == KERN_SUCCESS);
	CHECK(fetch(notify, &in) == MACH_MSG_SUCCESS);
	CHECK(is_notification(&in, 65, MACH_MSG_TYPE_PORT_NAME, 32, FALSE) && in.deleted.not_port == port);

	port = new_port_with(1);
	CHECK(request_on(port, MACH_NOTIFY_DEAD_NAME, 0, notify) == KERN_SUCCESS && kill_port(port) == KERN_SUCCESS);
	CHECK(fetch(notify, &in) == MACH_MSG_SUCCESS);
	CHECK(is_notification(&in, 72, MACH_MSG_TYPE_PORT_NAME, 32, FALSE) && in.dead_name.not_port == port);

	/* They do not wait for room. */
	CHECK(mach_port_set_qlimit(self, notify, 0) == KERN_SUCCESS);
	for (int i = 0; i < 20; i++)
		CHECK(mach_port_deallocate(self, make_once(notify)) == KERN_SUCCESS);
	CHECK(status_of(notify).mps_msgcount == 20);
	for (int i = 0; i < 20; i++)
		CHECK(fetch_id(notify) == MACH_NOTIFY_SEND_ONCE);
	return 0;
}

/* The count that a no-senders notification tells, or -1. */
static int no_senders(void)
{
	inbox_t in;

	if (fetch(notify, &in) != MACH_MSG_SUCCESS || in.head.msgh_id != MACH_NOTIFY_NO_SENDERS)
		return -1;
	return (int)in.no_senders.not_count;
}

static int senders(void)
{
	mach_port_t port = new_port(), box = new_port(), once;

	/* Nobody can send now, and as often as asked for rights were made: at once, and once. */
	CHECK(request_on(port, MACH_NOTIFY_NO_SENDERS, 0, notify) == KERN_SUCCESS && no_senders() == 0);
	CHECK(!status_of(port).mps_nsrequest);
	/* More are expected: registered. */
	CHECK(request_on(port, MACH_NOTIFY_NO_SENDERS, 1, notify) == KERN_SUCCESS && no_senders() == -1);
	CHECK(status_of(port).mps_nsrequest);
	/* Send-once rights do not count; a send right does, wherever it is, and its last copy tells. */
	once = make_once(port);
	CHECK(mach_port_deallocate(self, once) == KERN_SUCCESS && no_senders() == -1);
	CHECK(fetch_id(port) == MACH_NOTIFY_SEND_ONCE);
	CHECK(give(box, port, MACH_MSG_TYPE_MAKE_SEND) == MACH_MSG_SUCCESS && no_senders() == -1);
	CHECK(fetch_right(box, NULL) == port);
	CHECK(give(box, port, MACH_MSG_TYPE_MOVE_SEND) == MACH_MSG_SUCCESS && no_senders() == -1);
	CHECK(mach_port_destroy(self, box) == KERN_SUCCESS && no_senders() == 1);
	CHECK(no_senders() == -1 && !status_of(port).mps_nsrequest);
	/* One message through the only right that there is. */
	CHECK(request_on(port, MACH_NOTIFY_NO_SENDERS, 2, notify) == KERN_SUCCESS);
	CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, 1) == MACH_MSG_SUCCESS && no_senders() == -1);
	CHECK(fetch_id(port) == 1 && no_senders() == 2);

	/* sync is what one has made oneself: met, it is told at once; after that it plays no part. */
	CHECK(request_on(port, MACH_NOTIFY_NO_SENDERS, 2, notify) == KERN_SUCCESS && no_senders() == 2);
	CHECK(request_on(port, MACH_NOTIFY_NO_SENDERS, 99, notify) == KERN_SUCCESS && no_senders() == -1);
	CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, 2) == MACH_MSG_SUCCESS);
	CHECK(fetch_id(port) == 2 && no_senders() == 3);
	/* A request that is met at once still returns the one before it, and leaves none. */
	mach_port_t previous;
	CHECK(request_on(port, MACH_NOTIFY_NO_SENDERS, 99, notify) == KERN_SUCCESS);
	CHECK(mach_port_request_notification(self, port, MACH_NOTIFY_NO_SENDERS, 0, notify, MACH_MSG_TYPE_MAKE_SEND_ONCE,
		  &previous) == KERN_SUCCESS);
	CHECK(no_senders() == 3 && !status_of(port).mps_nsrequest);
	CHECK(mach_port_deallocate(self, previous) == KERN_SUCCESS && fetch_id(notify) == MACH_NOTIFY_SEND_ONCE);
	/* While there are senders it is registered whatever sync. */
	CHECK(mach_port_insert_right(self, port, port, MACH_MSG_TYPE_MAKE_SEND) == KERN_SUCCESS);
	CHECK(request_on(port, MACH_NOTIFY_NO_SENDERS, 0, notify) == KERN_SUCCESS && no_senders() == -1);
	CHECK(mach_port_mod_refs(self, port, MACH_PORT_RIGHT_SEND, 1) == KERN_SUCCESS);
	CHECK(mach_port_mod_refs(self, port, MACH_PORT_RIGHT_SEND, -1) == KERN_SUCCESS && no_senders() == -1);
	CHECK(mach_port_mod_refs(self, port, MACH_PORT_RIGHT_SEND, -1) == KERN_SUCCESS && no_senders() == 4);

	/* The right of another task, which ends. */
	mach_port_t child;
	CHECK(task_create(self, FALSE, &child) == KERN_SUCCESS);
	CHECK(mach_port_insert_right(child, 0x4400, port, MACH_MSG_TYPE_MAKE_SEND) == KERN_SUCCESS);
	CHECK(request_on(port, MACH_NOTIFY_NO_SENDERS, 0, notify) == KERN_SUCCESS && no_senders() == -1);
	CHECK(task_terminate(child) == KERN_SUCCESS && no_senders() == 5);
	return 0;
}

int main(void)
{
	self = mach_task_self();
	notify = new_port();
	RUN(forms());
	RUN(senders());
	return 0;
}
