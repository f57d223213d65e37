/* mach-abi.md 2.11: MACH_RCV_SENDER, who sent a message. */
#include <stddef.h>

#include "conform.h"

typedef struct {
	mach_msg_header_t head;
	mach_msg_sender_t sender;
	char rest[64];
} received_t;

_Static_assert(sizeof(mach_msg_sender_t) == 32 && offsetof(mach_msg_sender_t, mss_task) == 8 &&
	offsetof(mach_msg_sender_t, mss_node) == 16 && offsetof(mach_msg_sender_t, mss_epoch) == 20 &&
	offsetof(mach_msg_sender_t, mss_flags) == 24, "sender");

static mach_msg_return_t receive(mach_port_t from, mach_msg_option_t option, mach_msg_size_t size, received_t *got)
{
	memset(got, 0xee, sizeof *got);
	return mach_msg(&got->head, RECEIVE_BY_TIME | MACH_RCV_SENDER | option, 0, size, from, 0, 0);
}

int main(void)
{
	mach_port_t port = new_port();
	received_t got;

	CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, 1) == MACH_MSG_SUCCESS);
	CHECK(receive(port, 0, 64, &got) == MACH_MSG_SUCCESS);
	CHECK(got.head.msgh_size == 32); /* not counted there */
	CHECK(got.sender.mss_type == 1 && got.sender.mss_size == 32);
	CHECK(got.sender.mss_node == 0 && got.sender.mss_epoch == 0);
	CHECK(got.sender.mss_flags == 0 && got.sender.mss_zero == 0);
	CHECK(got.rest[0] == (char)0xee);
	uint64_t self = got.sender.mss_task;
	CHECK(self != 0);

	/* The same task again has the same number; the kernel has 0. */
	CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, 1) == MACH_MSG_SUCCESS);
	CHECK(receive(port, 0, 64, &got) == MACH_MSG_SUCCESS && got.sender.mss_task == self);
	CHECK(mach_port_deallocate(mach_task_self(), make_once(port)) == KERN_SUCCESS);
	CHECK(receive(port, 0, 64, &got) == MACH_MSG_SUCCESS && got.head.msgh_id == MACH_NOTIFY_SEND_ONCE);
	CHECK(got.sender.mss_type == 1 && got.sender.mss_task == 0);

	/* Its 32 octets need room. */
	CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, 2) == MACH_MSG_SUCCESS);
	CHECK(receive(port, MACH_RCV_LARGE, 63, &got) == MACH_RCV_TOO_LARGE && got.head.msgh_size == 64);
	CHECK(receive(port, 0, 63, &got) == MACH_RCV_TOO_LARGE);
	CHECK(got.sender.mss_type == 0xeeeeeeee && fetch_id(port) == -1);

	/* Asked for in one trap with a send: MACH_SEND_PEER of another than the network server
	   adds nothing. */
	got.head = header_to(port, MACH_MSG_TYPE_MAKE_SEND, 3);
	memset(&got.sender, 7, sizeof got.sender);
	CHECK(mach_msg(&got.head, MACH_SEND_MSG | MACH_RCV_MSG | MACH_SEND_PEER | MACH_RCV_SENDER, 32, 64, port, 0, 0) ==
	    MACH_MSG_SUCCESS);
	CHECK(got.sender.mss_task == self && got.sender.mss_node == 0 && got.sender.mss_flags == 0);

	/* Without the option, not an octet. */
	CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, 4) == MACH_MSG_SUCCESS);
	memset(&got, 0xee, sizeof got);
	CHECK(mach_msg(&got.head, MACH_RCV_MSG, 0, sizeof got, port, 0, 0) == MACH_MSG_SUCCESS);
	CHECK(got.sender.mss_type == 0xeeeeeeee);
	return 0;
}
