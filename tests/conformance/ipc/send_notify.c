/* mach-abi.md 2.6: MACH_SEND_NOTIFY, a message forced into a full queue. */
#include "conform.h"

static mach_port_t port, notify;

static mach_msg_return_t force(mach_port_t to, int how, mach_port_t tell, mach_msg_id_t id)
{
	mach_msg_header_t head = header_to(to, how, id);

	return mach_msg(&head, MACH_SEND_MSG | MACH_SEND_NOTIFY, sizeof head, 0, 0, 0, tell);
}

/* The name that a msg-accepted notification tells, or NO_NAME. */
static mach_port_t accepted(void)
{
	inbox_t in;

	if (fetch(notify, &in) != MACH_MSG_SUCCESS || in.head.msgh_id != MACH_NOTIFY_MSG_ACCEPTED)
		return NO_NAME;
	return in.accepted.not_port;
}

int main(void)
{
	mach_port_t self = mach_task_self();
	inbox_t in;

	port = new_port_with(3);
	notify = new_port();
	/* There is room: sent as ever, `notify` is not looked at. */
	CHECK(force(port, MACH_MSG_TYPE_COPY_SEND, NO_NAME, 1) == MACH_MSG_SUCCESS);
	CHECK(mach_port_set_qlimit(self, port, 1) == KERN_SUCCESS);

	/* There is none: `notify` must be a receive right, else the message comes back. */
	CHECK(force(port, MACH_MSG_TYPE_COPY_SEND, NO_NAME, 2) == MACH_SEND_INVALID_NOTIFY);
	CHECK(sends(port) == 4);
	CHECK(force(port, MACH_MSG_TYPE_MOVE_SEND, MACH_PORT_NULL, 2) == MACH_SEND_INVALID_NOTIFY);
	CHECK(force(port, MACH_MSG_TYPE_MOVE_SEND, make_once(notify), 2) == MACH_SEND_INVALID_NOTIFY);
	CHECK(sends(port) == 4);
	CHECK(force(port, MACH_MSG_TYPE_COPY_SEND, notify, 2) == MACH_SEND_WILL_NOTIFY);
	CHECK(status_of(port).mps_msgcount == 2);
	CHECK(type_of(port) == (MACH_PORT_TYPE_SEND_RECEIVE | MACH_PORT_TYPE_MAREQUEST));
	/* One at a time for each right. */
	CHECK(force(port, MACH_MSG_TYPE_MOVE_SEND, notify, 3) == MACH_SEND_NOTIFY_IN_PROGRESS);
	CHECK(sends(port) == 4);

	CHECK(fetch_id(port) == 1 && accepted() == NO_NAME);
	CHECK(fetch_id(port) == 2);
	CHECK(fetch(notify, &in) == MACH_MSG_SUCCESS);
	CHECK(in.head.msgh_id == MACH_NOTIFY_MSG_ACCEPTED && in.head.msgh_size == 48);
	CHECK(in.head.msgh_bits == MACH_MSGH_BITS(0, MACH_MSG_TYPE_PORT_SEND_ONCE));
	CHECK(in.accepted.not_type.msgt_name == MACH_MSG_TYPE_PORT_NAME && in.accepted.not_type.msgt_size == 32);
	CHECK(in.accepted.not_port == port);
	CHECK(type_of(port) == MACH_PORT_TYPE_SEND_RECEIVE);

	/* A new name is told; one that has gone is not.  Destroyed unreceived is accepted, too. */
	mach_port_t mine = new_port(), child, theirs;
	CHECK(mach_port_set_qlimit(self, mine, 0) == KERN_SUCCESS);
	CHECK(force(mine, MACH_MSG_TYPE_MAKE_SEND, notify, 4) == MACH_SEND_WILL_NOTIFY);
	CHECK(mach_port_rename(self, mine, 0x12400) == KERN_SUCCESS);
	CHECK(type_of(0x12400) == (MACH_PORT_TYPE_RECEIVE | MACH_PORT_TYPE_MAREQUEST));
	CHECK(fetch_id(0x12400) == 4 && accepted() == 0x12400);
	CHECK(force(0x12400, MACH_MSG_TYPE_MAKE_SEND, notify, 5) == MACH_SEND_WILL_NOTIFY);
	CHECK(mach_port_destroy(self, 0x12400) == KERN_SUCCESS);
	CHECK(accepted() == MACH_PORT_NULL && accepted() == NO_NAME);
	/* Nor one that the message itself took, or that died since. */
	CHECK(task_create(self, FALSE, &child) == KERN_SUCCESS);
	for (int moved = 0; moved < 2; moved++) {
		theirs = new_port_with(1);
		CHECK(mach_port_set_qlimit(self, theirs, 0) == KERN_SUCCESS);
		CHECK(mach_port_insert_right(child, 0x100, theirs, MACH_MSG_TYPE_MOVE_RECEIVE) == KERN_SUCCESS);
		CHECK(force(theirs, moved ? MACH_MSG_TYPE_MOVE_SEND : MACH_MSG_TYPE_COPY_SEND, notify, 6) ==
		    MACH_SEND_WILL_NOTIFY);
		CHECK(type_of(theirs) == (moved ? 0 : MACH_PORT_TYPE_SEND | MACH_PORT_TYPE_MAREQUEST));
		CHECK(mach_port_destroy(child, 0x100) == KERN_SUCCESS);
		CHECK(type_of(theirs) == (moved ? 0 : MACH_PORT_TYPE_DEAD_NAME));
		CHECK(moved ? accepted() == MACH_PORT_NULL : fetch_id(notify) == MACH_NOTIFY_MSG_ACCEPTED);
	}

	/* With SEND_TIMEOUT it waits as long first. */
	CHECK(post(port, MACH_MSG_TYPE_COPY_SEND, 6) == MACH_MSG_SUCCESS);
	mach_msg_header_t head = header_to(port, MACH_MSG_TYPE_COPY_SEND, 7);
	CHECK(mach_msg(&head, SEND_BY_TIME | MACH_SEND_NOTIFY, sizeof head, 0, 0, 20, notify) == MACH_SEND_WILL_NOTIFY);
	CHECK(fetch_id(port) == 6 && fetch_id(port) == 7 && accepted() == port);
	return 0;
}
