/* mach-abi.md 2.10: port sets: one queue of many ports. */
#include "conform.h"

static mach_port_t a, b, c, set;
static worker_t waiter;

static kern_return_t move(mach_port_t member, mach_port_t into)
{
	return mach_port_move_member(mach_task_self(), member, into);
}

static mach_msg_return_t post_to(mach_port_t port, mach_msg_id_t id)
{
	return post(port, MACH_MSG_TYPE_MAKE_SEND, id);
}

static int merged(void)
{
	inbox_t in;

	/* What is queued joins behind what is there; then all comes in order of arrival. */
	CHECK(post_to(a, 1) == 0 && post_to(b, 2) == 0 && post_to(a, 3) == 0);
	CHECK(move(b, set) == KERN_SUCCESS && move(a, set) == KERN_SUCCESS);
	CHECK(post_to(b, 4) == 0 && post_to(a, 5) == 0);
	CHECK(status_of(a).mps_pset == set && status_of(a).mps_msgcount == 3);
	CHECK(fetch(set, &in) == 0 && in.head.msgh_id == 2 && in.head.msgh_local_port == b && in.head.msgh_seqno == 0);
	CHECK(fetch(set, &in) == 0 && in.head.msgh_id == 1 && in.head.msgh_local_port == a && in.head.msgh_seqno == 0);
	CHECK(fetch(a, &in) == MACH_RCV_IN_SET);

	/* Leaving, a port takes its own with it. */
	CHECK(move(a, MACH_PORT_NULL) == KERN_SUCCESS);
	CHECK(status_of(a).mps_pset == MACH_PORT_NULL);
	CHECK(fetch_id(set) == 4 && fetch_id(set) == -1);
	CHECK(fetch(a, &in) == 0 && in.head.msgh_id == 3 && in.head.msgh_seqno == 1);
	CHECK(fetch_id(a) == 5);

	/* From set to set, in one step. */
	mach_port_t other = allocate(MACH_PORT_RIGHT_PORT_SET);
	CHECK(post_to(b, 6) == 0);
	CHECK(move(b, other) == KERN_SUCCESS && status_of(b).mps_pset == other);
	CHECK(fetch_id(set) == -1 && fetch_id(other) == 6);

	/* The limit is each port's own. */
	CHECK(move(a, other) == KERN_SUCCESS);
	for (int i = 0; i < 5; i++)
		CHECK(post_to(a, i) == 0);
	CHECK(post_to(a, 9) == MACH_SEND_TIMED_OUT && post_to(b, 9) == 0);
	/* Destroyed: the members are by themselves, and keep what they have. */
	CHECK(mach_port_destroy(mach_task_self(), other) == KERN_SUCCESS);
	CHECK(status_of(b).mps_pset == MACH_PORT_NULL);
	for (int i = 0; i < 5; i++)
		CHECK(fetch_id(a) == i);
	CHECK(fetch_id(b) == 9);
	return 0;
}

static int waiters(void)
{
	mach_port_t box = new_port();

	/* Who waits for a port that joins a set is told so. */
	CHECK(start_worker(&waiter, receive_one, a) == KERN_SUCCESS && !waiter.done);
	CHECK(move(a, set) == KERN_SUCCESS);
	settle();
	CHECK(waiter.done && waiter.result == MACH_RCV_PORT_CHANGED);

	/* Who waits for a set goes on when members come, go, move away and die. */
	CHECK(start_worker(&waiter, receive_one, set) == KERN_SUCCESS && !waiter.done);
	CHECK(move(b, set) == KERN_SUCCESS && move(a, MACH_PORT_NULL) == KERN_SUCCESS);
	CHECK(move(a, set) == KERN_SUCCESS);
	CHECK(mach_port_destroy(mach_task_self(), a) == KERN_SUCCESS);
	CHECK(give(box, b, MACH_MSG_TYPE_MOVE_RECEIVE) == MACH_MSG_SUCCESS);
	settle();
	CHECK(!waiter.done);
	/* A port that joins with a message ends the wait. */
	CHECK(post_to(c, 7) == 0);
	CHECK(move(c, set) == KERN_SUCCESS);
	settle();
	CHECK(waiter.done && waiter.result == MACH_MSG_SUCCESS && waiter.inbox.head.msgh_id == 7);
	CHECK(waiter.inbox.head.msgh_local_port == c);

	/* The set itself goes. */
	CHECK(start_worker(&waiter, receive_one, set) == KERN_SUCCESS && !waiter.done);
	CHECK(mach_port_mod_refs(mach_task_self(), set, MACH_PORT_RIGHT_PORT_SET, -1) == KERN_SUCCESS);
	settle();
	CHECK(waiter.done && waiter.result == MACH_RCV_PORT_DIED);
	CHECK(type_of(c) == MACH_PORT_TYPE_RECEIVE && status_of(c).mps_pset == MACH_PORT_NULL);
	return 0;
}

int main(void)
{
	a = new_port();
	b = new_port();
	c = new_port();
	set = allocate(MACH_PORT_RIGHT_PORT_SET);
	RUN(merged());
	RUN(waiters());
	return 0;
}
