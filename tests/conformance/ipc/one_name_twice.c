/* mach-abi.md 2.3: destination and reply port under one name; reply names that are none. */
#include "conform.h"

static mach_msg_return_t send(mach_port_t to, int how, mach_port_t reply, int reply_how)
{
	mach_msg_header_t head = header_to(to, how, 1);

	head.msgh_bits |= MACH_MSGH_BITS(0, reply_how);
	head.msgh_local_port = reply;
	return mach_msg(&head, SEND_BY_TIME, sizeof head, 0, 0, 0, 0);
}

static int same(void)
{
	mach_port_t port = new_port_with(1), once = make_once(port);
	inbox_t in;

	CHECK(send(once, 18, once, 18) == MACH_SEND_INVALID_DEST);
	CHECK(type_of(once) == MACH_PORT_TYPE_SEND_ONCE);

	/* Two references are moved, or none. */
	CHECK(send(port, 17, port, 17) == MACH_SEND_INVALID_DEST);
	CHECK(sends(port) == 1);
	CHECK(mach_port_mod_refs(mach_task_self(), port, MACH_PORT_RIGHT_SEND, 1) == KERN_SUCCESS);
	CHECK(send(port, 17, port, 17) == MACH_MSG_SUCCESS);
	CHECK(sends(port) == 0 && status_of(port).mps_srights);
	CHECK(fetch(port, &in) == MACH_MSG_SUCCESS);
	CHECK(in.head.msgh_bits == MACH_MSGH_BITS(17, 17) && in.head.msgh_remote_port == port && sends(port) == 1);

	/* Copied and moved, either way: one is enough. */
	CHECK(send(port, 19, port, 17) == MACH_MSG_SUCCESS);
	CHECK(sends(port) == 0);
	CHECK(fetch(port, &in) == MACH_MSG_SUCCESS && sends(port) == 1);
	CHECK(send(port, 17, port, 19) == MACH_MSG_SUCCESS);
	CHECK(sends(port) == 0);
	CHECK(fetch(port, &in) == MACH_MSG_SUCCESS && sends(port) == 1);
	CHECK(send(port, 19, port, 19) == MACH_MSG_SUCCESS);
	CHECK(fetch(port, &in) == MACH_MSG_SUCCESS && sends(port) == 2);

	/* Made twice, and made and moved. */
	CHECK(status_of(port).mps_mscount == 1);
	CHECK(send(port, 20, port, 20) == MACH_MSG_SUCCESS);
	CHECK(status_of(port).mps_mscount == 3);
	CHECK(fetch(port, &in) == MACH_MSG_SUCCESS && sends(port) == 3);
	CHECK(send(port, 20, port, 17) == MACH_MSG_SUCCESS && sends(port) == 2);
	CHECK(fetch(port, &in) == MACH_MSG_SUCCESS && sends(port) == 3);
	CHECK(send(port, 21, port, 21) == MACH_MSG_SUCCESS);
	CHECK(status_of(port).mps_sorights == 3);
	CHECK(fetch(port, &in) == MACH_MSG_SUCCESS);
	CHECK(type_of(in.head.msgh_remote_port) == MACH_PORT_TYPE_SEND_ONCE);
	return 0;
}

static int none(void)
{
	mach_port_t port = new_port(), dead = new_dead_name(3);
	inbox_t in;

	for (int how = 17; how <= 21; how++) {
		/* NULL and DEAD may have a disposition: the receiver sees them, and what it comes as. */
		int arrives = how == 18 || how == 21 ? 18 : 17;

		CHECK(send(port, 20, MACH_PORT_NULL, how) == MACH_MSG_SUCCESS);
		CHECK(fetch(port, &in) == MACH_MSG_SUCCESS && in.head.msgh_remote_port == MACH_PORT_NULL);
		CHECK(MACH_MSGH_BITS_REMOTE(in.head.msgh_bits) == (unsigned int)arrives);
		CHECK(send(port, 20, MACH_PORT_DEAD, how) == MACH_MSG_SUCCESS);
		CHECK(fetch(port, &in) == MACH_MSG_SUCCESS && in.head.msgh_remote_port == MACH_PORT_DEAD);
		CHECK(MACH_MSGH_BITS_REMOTE(in.head.msgh_bits) == (unsigned int)arrives);
	}
	CHECK(send(port, 20, MACH_PORT_NULL, 0) == MACH_MSG_SUCCESS);
	CHECK(fetch(port, &in) == MACH_MSG_SUCCESS && MACH_MSGH_BITS_REMOTE(in.head.msgh_bits) == 0);

	/* A dead name: DEAD arrives; the two that move take a reference. */
	for (int how = 17; how <= 19; how++) {
		CHECK(send(port, 20, dead, how) == MACH_MSG_SUCCESS);
		CHECK(fetch(port, &in) == MACH_MSG_SUCCESS && in.head.msgh_remote_port == MACH_PORT_DEAD);
	}
	CHECK(deads(dead) == 1);
	return 0;
}

int main(void)
{
	RUN(same());
	RUN(none());
	return 0;
}
