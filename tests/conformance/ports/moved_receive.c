/* mach-abi.md 5.4: what a port keeps, and what it loses, when its receive right moves. */
#include "conform.h"

int main(void)
{
	mach_port_t self = mach_task_self(), port = new_port_with(2), box = new_port(), notify = new_port();
	mach_port_t set = allocate(MACH_PORT_RIGHT_PORT_SET), got;
	mach_port_status_t status;
	inbox_t in;

	CHECK(mach_port_set_qlimit(self, port, 3) == KERN_SUCCESS);
	CHECK(mach_port_set_protected_payload(self, port, 0x123456789abcdef0) == KERN_SUCCESS);
	CHECK(mach_port_set_seqno(self, port, 7) == KERN_SUCCESS && mach_port_set_mscount(self, port, 8) == KERN_SUCCESS);
	CHECK(mach_port_move_member(self, port, set) == KERN_SUCCESS);
	CHECK(request_on(port, MACH_NOTIFY_NO_SENDERS, 99, notify) == KERN_SUCCESS);
	CHECK(request_on(port, MACH_NOTIFY_PORT_DESTROYED, 0, notify) == KERN_SUCCESS);
	CHECK(post(port, MACH_MSG_TYPE_COPY_SEND, 1) == MACH_MSG_SUCCESS);

	CHECK(give(box, port, MACH_MSG_TYPE_MOVE_RECEIVE) == MACH_MSG_SUCCESS);
	CHECK(type_of(port) == MACH_PORT_TYPE_SEND && sends(port) == 2);
	CHECK(fetch_id(set) == -1); /* its messages left the set with it */
	/* In transit it is sent to as ever, up to its limit. */
	CHECK(post(port, MACH_MSG_TYPE_COPY_SEND, 2) == MACH_MSG_SUCCESS);
	CHECK(post(port, MACH_MSG_TYPE_COPY_SEND, 3) == MACH_MSG_SUCCESS);
	CHECK(post(port, MACH_MSG_TYPE_COPY_SEND, 4) == MACH_SEND_TIMED_OUT);
	CHECK(mach_port_deallocate(self, port) == KERN_SUCCESS); /* of the message that came back */

	CHECK(fetch_right(box, NULL) == port);
	status = status_of(port);
	CHECK(status.mps_pset == MACH_PORT_NULL && status.mps_seqno == 0 && status.mps_mscount == 0);
	CHECK(status.mps_qlimit == 3 && status.mps_msgcount == 3);
	CHECK(status.mps_srights && status.mps_nsrequest && status.mps_pdrequest);
	for (unsigned int i = 1; i <= 3; i++) {
		CHECK(fetch(port, &in) == MACH_MSG_SUCCESS && in.head.msgh_id == (int)i && in.head.msgh_seqno == i - 1);
		CHECK(in.head.msgh_local_port == port); /* no payload any more */
		CHECK(MACH_MSGH_BITS_LOCAL(in.head.msgh_bits) == MACH_MSG_TYPE_PORT_SEND);
	}

	/* The message that carries it is destroyed: so is the port, or the right is told of. */
	CHECK(give(box, port, MACH_MSG_TYPE_MOVE_RECEIVE) == MACH_MSG_SUCCESS);
	CHECK(mach_port_destroy(self, box) == KERN_SUCCESS);
	CHECK(fetch(notify, &in) == MACH_MSG_SUCCESS && in.head.msgh_id == MACH_NOTIFY_PORT_DESTROYED);
	got = in.destroyed.not_port;
	CHECK(got == port && type_of(got) == MACH_PORT_TYPE_SEND_RECEIVE && !status_of(got).mps_pdrequest);
	box = new_port();
	CHECK(give(box, port, MACH_MSG_TYPE_MOVE_RECEIVE) == MACH_MSG_SUCCESS);
	CHECK(mach_port_destroy(self, box) == KERN_SUCCESS && type_of(port) == MACH_PORT_TYPE_DEAD_NAME);
	CHECK(deads(port) == 2);

	/* A receiver in another task, which dies with it. */
	mach_port_t child;
	CHECK(task_create(self, FALSE, &child) == KERN_SUCCESS);
	port = new_port_with(1);
	CHECK(mach_port_insert_right(child, 0x3300, port, MACH_MSG_TYPE_MOVE_RECEIVE) == KERN_SUCCESS);
	CHECK(type_of(port) == MACH_PORT_TYPE_SEND && type_in(child, 0x3300) == MACH_PORT_TYPE_RECEIVE);
	CHECK(post(port, MACH_MSG_TYPE_COPY_SEND, 5) == MACH_MSG_SUCCESS);
	CHECK(task_terminate(child) == KERN_SUCCESS && type_of(port) == MACH_PORT_TYPE_DEAD_NAME);
	return 0;
}
