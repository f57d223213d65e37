/* mach-abi.md 1.2, 1.3: the header's fields, sent and received. */
#include "conform.h"

static mach_msg_return_t pass(mach_msg_header_t *head, inbox_t *in, mach_port_t from)
{
	mach_msg_return_t mr = mach_msg(head, SEND_BY_TIME, sizeof *head, 0, 0, 0, 0);

	return mr == MACH_MSG_SUCCESS ? fetch(from, in) : mr;
}

int main(void)
{
	mach_port_t port = new_port(), reply = new_port();
	mach_msg_header_t head;
	inbox_t in;

	/* Ignored on sending: the size field, the high halves of both ports, the sequence number. */
	head = header_to(port, MACH_MSG_TYPE_MAKE_SEND, -5);
	head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	head.msgh_size = 7;
	head.msgh_remote_port_do_not_use = 0xabcdef0100000000 | port;
	head.msgh_protected_payload = 0x1234567800000000 | reply;
	head.msgh_seqno = 99;
	CHECK(pass(&head, &in, port) == MACH_MSG_SUCCESS);
	CHECK(in.head.msgh_size == 32);
	CHECK(in.head.msgh_seqno == 0);
	CHECK(in.head.msgh_id == -5);
	/* Both ports and both dispositions change places; what arrives is 17 or 18. */
	CHECK(in.head.msgh_bits == MACH_MSGH_BITS(MACH_MSG_TYPE_PORT_SEND_ONCE, MACH_MSG_TYPE_PORT_SEND));
	CHECK(in.head.msgh_protected_payload == port);
	CHECK(in.head.msgh_remote_port != reply && type_of(in.head.msgh_remote_port) == MACH_PORT_TYPE_SEND_ONCE);
	CHECK(in.head.msgh_remote_port_do_not_use >> 32 == 0);
	CHECK(mach_port_deallocate(mach_task_self(), in.head.msgh_remote_port) == KERN_SUCCESS);
	CHECK(fetch_id(reply) == MACH_NOTIFY_SEND_ONCE);

	/* Unused bits go through; internal ones do not. */
	head = header_to(port, MACH_MSG_TYPE_MAKE_SEND, 1);
	head.msgh_bits |= MACH_MSGH_BITS_UNUSED | MACH_MSGH_BITS_CIRCULAR | MACH_MSGH_BITS_MIGRATED;
	CHECK(pass(&head, &in, port) == MACH_MSG_SUCCESS);
	CHECK((in.head.msgh_bits & MACH_MSGH_BITS_UNUSED) == MACH_MSGH_BITS_UNUSED);
	CHECK((in.head.msgh_bits & (MACH_MSGH_BITS_CIRCULAR | MACH_MSGH_BITS_MIGRATED)) == 0);

	/* COMPLEX goes if the body has neither rights nor regions. */
	head = header_to(port, MACH_MSG_TYPE_MAKE_SEND, 1);
	head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
	CHECK(pass(&head, &in, port) == MACH_MSG_SUCCESS);
	CHECK(in.head.msgh_bits == MACH_MSGH_BITS(0, MACH_MSG_TYPE_PORT_SEND));

	/* A dead reply port is 0x00000000ffffffff in its slot. */
	head = header_to(port, MACH_MSG_TYPE_MAKE_SEND, 1);
	head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_COPY_SEND);
	head.msgh_protected_payload = MACH_PORT_DEAD;
	CHECK(pass(&head, &in, port) == MACH_MSG_SUCCESS);
	CHECK(in.head.msgh_remote_port_do_not_use == 0xffffffff);
	CHECK(MACH_MSGH_BITS_REMOTE(in.head.msgh_bits) == MACH_MSG_TYPE_PORT_SEND);
	return 0;
}
