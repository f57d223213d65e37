/* mach-abi.md 5.10: the protected payload of a port. */
#include "conform.h"

#define PAYLOAD 0xfedcba9876543210

int main(void)
{
	mach_port_t self = mach_task_self(), port = new_port(), once, set = allocate(MACH_PORT_RIGHT_PORT_SET);
	inbox_t in;

	CHECK(mach_port_set_protected_payload(self, port, PAYLOAD) == KERN_SUCCESS);
	CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, 1) == MACH_MSG_SUCCESS);
	CHECK(fetch(port, &in) == MACH_MSG_SUCCESS);
	CHECK(MACH_MSGH_BITS_LOCAL(in.head.msgh_bits) == MACH_MSG_TYPE_PROTECTED_PAYLOAD);
	CHECK(in.head.msgh_protected_payload == PAYLOAD);

	/* Through a send-once right, from a set, in the header of one that was too large. */
	once = make_once(port);
	CHECK(mach_port_move_member(self, port, set) == KERN_SUCCESS);
	CHECK(post(once, MACH_MSG_TYPE_MOVE_SEND_ONCE, 2) == MACH_MSG_SUCCESS);
	CHECK(fetch(set, &in) == MACH_MSG_SUCCESS && in.head.msgh_protected_payload == PAYLOAD);
	CHECK(give(port, MACH_PORT_NULL, MACH_MSG_TYPE_COPY_SEND) == MACH_MSG_SUCCESS);
	CHECK(mach_msg(&in.head, RECEIVE_BY_TIME, 0, 32, set, 0, 0) == MACH_RCV_TOO_LARGE);
	CHECK(in.head.msgh_protected_payload == PAYLOAD);
	CHECK(MACH_MSGH_BITS_LOCAL(in.head.msgh_bits) == MACH_MSG_TYPE_PROTECTED_PAYLOAD);

	/* Another one, one of zero, none. */
	CHECK(mach_port_set_protected_payload(self, port, 0) == KERN_SUCCESS);
	CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, 3) == MACH_MSG_SUCCESS);
	CHECK(fetch(set, &in) == MACH_MSG_SUCCESS && in.head.msgh_protected_payload == 0);
	CHECK(MACH_MSGH_BITS_LOCAL(in.head.msgh_bits) == MACH_MSG_TYPE_PROTECTED_PAYLOAD);
	/* Queued before it is cleared, received after. */
	CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, 4) == MACH_MSG_SUCCESS);
	CHECK(mach_port_clear_protected_payload(self, port) == KERN_SUCCESS);
	CHECK(fetch(set, &in) == MACH_MSG_SUCCESS && in.head.msgh_protected_payload == port);
	CHECK(MACH_MSGH_BITS_LOCAL(in.head.msgh_bits) == MACH_MSG_TYPE_PORT_SEND);
	CHECK(mach_port_clear_protected_payload(self, port) == KERN_SUCCESS);

	/* The payload cannot be sent: 23 is no disposition of a sender. */
	mach_msg_header_t head = header_to(port, MACH_MSG_TYPE_MAKE_SEND, 5);
	head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_PROTECTED_PAYLOAD);
	CHECK(mach_msg(&head, SEND_BY_TIME, sizeof head, 0, 0, 0, 0) == MACH_SEND_INVALID_HEADER);

	/* Of receive rights only. */
	mach_port_t wrong[] = {make_once(port), new_dead_name(1), set, mach_host_self()};
	for (unsigned int i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		CHECK(mach_port_set_protected_payload(self, wrong[i], 1) == KERN_INVALID_RIGHT);
		CHECK(mach_port_clear_protected_payload(self, wrong[i]) == KERN_INVALID_RIGHT);
	}
	CHECK(mach_port_set_protected_payload(self, NO_NAME, 1) == KERN_INVALID_NAME);
	CHECK(mach_port_clear_protected_payload(self, NO_NAME) == KERN_INVALID_NAME);
	CHECK(mach_port_set_protected_payload(mach_thread_self(), port, 1) == KERN_INVALID_TASK);
	CHECK(mach_port_clear_protected_payload(mach_thread_self(), port) == KERN_INVALID_TASK);
	return 0;
}
