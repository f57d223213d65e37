/* mach-abi.md 2.8: what is received, and from what. */
#include "conform.h"

static mach_msg_return_t receive(mach_port_t from, mach_msg_option_t option, mach_msg_size_t size, inbox_t *in)
{
	memset(in, 0xee, sizeof *in);
	return mach_msg(&in->head, RECEIVE_BY_TIME | option, 0, size, from, 0, 0);
}

static mach_msg_return_t send_size(mach_port_t to, mach_port_t reply, mach_msg_size_t size)
{
	inbox_t out;

	memset(&out, 7, sizeof out);
	out.head = header_to(to, MACH_MSG_TYPE_MAKE_SEND, 5);
	if (reply != MACH_PORT_NULL)
		out.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	out.head.msgh_local_port = reply;
	return mach_msg(&out.head, SEND_BY_TIME, size, 0, 0, 0, 0);
}

static int names(mach_port_t port)
{
	mach_port_t set = allocate(MACH_PORT_RIGHT_PORT_SET), member = new_port(), dead = new_dead_name(1);
	mach_port_t once = make_once(member), gone = new_port();
	inbox_t in;

	CHECK(receive(NO_NAME, 0, sizeof in, &in) == MACH_RCV_INVALID_NAME);
	CHECK(receive(MACH_PORT_NULL, 0, sizeof in, &in) == MACH_RCV_INVALID_NAME);
	CHECK(receive(MACH_PORT_DEAD, 0, sizeof in, &in) == MACH_RCV_INVALID_NAME);
	CHECK(receive(dead, 0, sizeof in, &in) == MACH_RCV_INVALID_NAME);
	CHECK(receive(once, 0, sizeof in, &in) == MACH_RCV_INVALID_NAME);
	CHECK(receive(mach_task_self(), 0, sizeof in, &in) == MACH_RCV_INVALID_NAME);
	CHECK(mach_port_destroy(mach_task_self(), gone) == KERN_SUCCESS);
	CHECK(receive(gone, 0, sizeof in, &in) == MACH_RCV_INVALID_NAME);
	CHECK(mach_port_move_member(mach_task_self(), member, set) == KERN_SUCCESS);
	CHECK(receive(member, 0, sizeof in, &in) == MACH_RCV_IN_SET);
	CHECK(receive(set, 0, sizeof in, &in) == MACH_RCV_TIMED_OUT);
	CHECK(receive(port, 0, sizeof in, &in) == MACH_RCV_TIMED_OUT);
	CHECK(mach_msg(&in.head, RECEIVE_BY_TIME, 0, sizeof in, port, 30, 0) == MACH_RCV_TIMED_OUT);
	return 0;
}

static int too_large(mach_port_t port, mach_port_t reply)
{
	static const mach_msg_size_t small[] = {0, 31, 32, 63};
	inbox_t in;

	/* Destroyed: a header tells of it, even where 32 octets are too many; the number is used. */
	for (unsigned int i = 0; i < 4; i++) {
		CHECK(send_size(port, reply, 64) == MACH_MSG_SUCCESS);
		CHECK(receive(port, 0, small[i], &in) == MACH_RCV_TOO_LARGE);
		CHECK(in.head.msgh_size == 64 && in.head.msgh_id == 5 && in.head.msgh_seqno == i);
		CHECK(in.head.msgh_bits == MACH_MSGH_BITS(0, MACH_MSG_TYPE_PORT_SEND));
		CHECK(in.head.msgh_local_port == port && in.head.msgh_remote_port == MACH_PORT_NULL);
		CHECK(in.octets[32] == (char)0xee);
		CHECK(fetch_id(reply) == MACH_NOTIFY_SEND_ONCE && fetch_id(port) == -1);
	}
	/* With LARGE it stays, and only msgh_size tells how large a buffer it needs. */
	CHECK(send_size(port, reply, 64) == MACH_MSG_SUCCESS);
	for (int i = 0; i < 2; i++) {
		CHECK(receive(port, MACH_RCV_LARGE, 56, &in) == MACH_RCV_TOO_LARGE);
		CHECK(in.head.msgh_size == 64 && in.head.msgh_bits == 0xeeeeeeee && in.head.msgh_id == (int)0xeeeeeeee);
		CHECK(status_of(port).mps_seqno == 4);
	}
	CHECK(receive(port, MACH_RCV_LARGE, 64, &in) == MACH_MSG_SUCCESS && in.head.msgh_seqno == 4);
	CHECK(in.octets[63] == 7);
	CHECK(mach_port_deallocate(mach_task_self(), in.head.msgh_remote_port) == KERN_SUCCESS);
	CHECK(fetch_id(reply) == MACH_NOTIFY_SEND_ONCE);
	return 0;
}

static int buffer(mach_port_t port)
{
	mach_port_t box = new_port(), right = new_port();

	/* Not writable: received by the kernel, and its octets are lost. */
	CHECK(give(port, right, MACH_MSG_TYPE_MAKE_SEND) == MACH_MSG_SUCCESS);
	CHECK(mach_msg((mach_msg_header_t *)64, RECEIVE_BY_TIME, 0, 512, port, 0, 0) == MACH_RCV_INVALID_DATA);
	CHECK(sends(right) == 1 && fetch_id(port) == -1);
	CHECK(post(box, MACH_MSG_TYPE_MAKE_SEND, 1) == MACH_MSG_SUCCESS);
	CHECK(mach_msg((mach_msg_header_t *)64, RECEIVE_BY_TIME, 0, 8, box, 0, 0) == MACH_RCV_INVALID_DATA);
	CHECK(post(box, MACH_MSG_TYPE_MAKE_SEND, 2) == MACH_MSG_SUCCESS);
	CHECK(mach_msg((mach_msg_header_t *)64, RECEIVE_BY_TIME | MACH_RCV_LARGE, 0, 8, box, 0, 0) ==
	    MACH_RCV_INVALID_DATA);
	CHECK(fetch_id(box) == 2); /* it had stayed */
	return 0;
}

static int died(mach_port_t port)
{
	mach_port_t right = new_port_with(1), reply = new_port();
	parcel_t p = parcel(port, MACH_MSG_TYPE_MAKE_SEND, right, MACH_MSG_TYPE_COPY_SEND);
	inbox_t in;

	/* Rights whose ports died on the way. */
	p.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	p.head.msgh_local_port = reply;
	CHECK(mach_msg(&p.head, MACH_SEND_MSG, sizeof p, 0, 0, 0, 0) == MACH_MSG_SUCCESS);
	CHECK(kill_port(right) == KERN_SUCCESS && kill_port(reply) == KERN_SUCCESS);
	CHECK(fetch(port, &in) == MACH_MSG_SUCCESS);
	CHECK(in.head.msgh_remote_port == MACH_PORT_DEAD && ((parcel_t *)&in)->right.name == MACH_PORT_DEAD);
	CHECK(((parcel_t *)&in)->type.msgt_name == MACH_MSG_TYPE_PORT_SEND);
	return 0;
}

int main(void)
{
	mach_port_t port = new_port(), reply = new_port();

	RUN(names(port));
	RUN(too_large(port, reply));
	RUN(buffer(port));
	RUN(died(port));
	return 0;
}
