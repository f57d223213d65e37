/* mach-abi.md 2, 2.1: the options of mach_msg. */
#include "conform.h"

#define UNKNOWN_OPTIONS ((mach_msg_option_t)0x7fcef00c)

_Static_assert(MACH_SEND_MSG == 1 && MACH_RCV_MSG == 2 && MACH_SEND_TIMEOUT == 0x10 && MACH_SEND_NOTIFY == 0x20 &&
	MACH_SEND_INTERRUPT == 0x40 && MACH_SEND_CANCEL == 0x80 && MACH_RCV_TIMEOUT == 0x100 &&
	MACH_RCV_NOTIFY == 0x200 && MACH_RCV_INTERRUPT == 0x400 && MACH_RCV_LARGE == 0x800 &&
	MACH_SEND_ALWAYS == 0x10000 && MACH_RCV_SENDER == 0x100000 && MACH_SEND_PEER == 0x200000, "options");

int main(void)
{
	mach_port_t port = new_port(), other = new_port();
	mach_msg_header_t head;
	inbox_t in;

	/* Neither half: nothing is looked at. */
	CHECK(mach_msg_trap((mach_msg_header_t *)64, MACH_MSG_OPTION_NONE, 3, 3, NO_NAME, 0, NO_NAME) ==
	    MACH_MSG_SUCCESS);
	CHECK(mach_msg_trap((mach_msg_header_t *)64, MACH_SEND_TIMEOUT | MACH_RCV_LARGE | MACH_SEND_NOTIFY, 3, 3,
		  NO_NAME, 0, NO_NAME) == MACH_MSG_SUCCESS);

	/* One half each. */
	head = header_to(port, MACH_MSG_TYPE_MAKE_SEND, 1);
	CHECK(mach_msg_trap(&head, MACH_SEND_MSG, sizeof head, 3, NO_NAME, 0, NO_NAME) == MACH_MSG_SUCCESS);
	CHECK(mach_msg_trap(&in.head, MACH_RCV_MSG, 3, sizeof in, port, 0, NO_NAME) == MACH_MSG_SUCCESS);
	CHECK(in.head.msgh_id == 1);

	/* Both, into the same buffer. */
	head = header_to(port, MACH_MSG_TYPE_MAKE_SEND, 2);
	CHECK(mach_msg_trap(&head, MACH_SEND_MSG | MACH_RCV_MSG, sizeof head, sizeof head, port, 0, 0) ==
	    MACH_MSG_SUCCESS);
	CHECK(head.msgh_id == 2 && head.msgh_local_port == port);

	/* A send that fails is not followed by a receive; one that works is, whatever comes of it. */
	CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, 3) == MACH_MSG_SUCCESS);
	head = header_to(NO_NAME, MACH_MSG_TYPE_MAKE_SEND, 4);
	CHECK(mach_msg_trap(&head, MACH_SEND_MSG | MACH_RCV_MSG, sizeof head, sizeof head, port, 0, 0) ==
	    MACH_SEND_INVALID_DEST);
	CHECK(head.msgh_id == 4);
	head = header_to(other, MACH_MSG_TYPE_MAKE_SEND, 5);
	CHECK(mach_msg_trap(&head, MACH_SEND_MSG | MACH_RCV_MSG, sizeof head, sizeof head, NO_NAME, 0, 0) ==
	    MACH_RCV_INVALID_NAME);
	CHECK(fetch_id(other) == 5);
	CHECK(fetch_id(port) == 3);

	/* Unknown bits, libmach's two, SEND_ALWAYS and another's SEND_PEER do nothing. */
	head = header_to(port, MACH_MSG_TYPE_MAKE_SEND, 6);
	CHECK(mach_msg_trap(&head, SEND_BY_TIME | UNKNOWN_OPTIONS | MACH_SEND_INTERRUPT | MACH_RCV_INTERRUPT |
		  MACH_SEND_PEER, sizeof head, 0, 0, 0, 0) == MACH_MSG_SUCCESS);
	CHECK(mach_msg_trap(&in.head, MACH_RCV_MSG | UNKNOWN_OPTIONS | MACH_RCV_INTERRUPT, 0, sizeof in, port, 0, 0) ==
	    MACH_MSG_SUCCESS);
	CHECK(in.head.msgh_id == 6);
	CHECK(mach_port_set_qlimit(mach_task_self(), port, 0) == KERN_SUCCESS);
	head = header_to(port, MACH_MSG_TYPE_MAKE_SEND, 7);
	CHECK(mach_msg_trap(&head, SEND_BY_TIME | MACH_SEND_ALWAYS, sizeof head, 0, 0, 0, 0) == MACH_SEND_TIMED_OUT);

	/* The time is one for both halves, and each has all of it. */
	head = header_to(other, MACH_MSG_TYPE_MAKE_SEND, 8);
	CHECK(mach_msg_trap(&head, MACH_SEND_MSG | MACH_SEND_TIMEOUT | MACH_RCV_MSG | MACH_RCV_TIMEOUT, sizeof head,
		  sizeof head, port, 30, 0) == MACH_RCV_TIMED_OUT);
	CHECK(fetch_id(other) == 8);
	return 0;
}
