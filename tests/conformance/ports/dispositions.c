/* mach-abi.md 5.2: what each disposition needs, takes and delivers. */
#include "conform.h"

static mach_port_t box;

/* Send `right` in a message; the name that arrives. */
static mach_port_t pass(mach_port_t right, mach_msg_type_name_t use, mach_msg_type_name_t *arrived)
{
	*arrived = 0;
	return give(box, right, use) == MACH_MSG_SUCCESS ? fetch_right(box, arrived) : NO_NAME;
}

static int works(void)
{
	mach_port_t port = new_port(), send, once, got;
	mach_msg_type_name_t kind;

	CHECK(pass(port, MACH_MSG_TYPE_MAKE_SEND, &kind) == port && kind == MACH_MSG_TYPE_PORT_SEND);
	CHECK(status_of(port).mps_mscount == 1 && sends(port) == 1);
	got = pass(port, MACH_MSG_TYPE_MAKE_SEND_ONCE, &kind);
	CHECK(kind == MACH_MSG_TYPE_PORT_SEND_ONCE && type_of(got) == MACH_PORT_TYPE_SEND_ONCE);
	CHECK(status_of(port).mps_sorights == 1 && status_of(port).mps_mscount == 1);
	CHECK(pass(port, MACH_MSG_TYPE_COPY_SEND, &kind) == port && kind == MACH_MSG_TYPE_PORT_SEND && sends(port) == 2);
	CHECK(pass(port, MACH_MSG_TYPE_MOVE_SEND, &kind) == port && kind == MACH_MSG_TYPE_PORT_SEND && sends(port) == 2);
	once = got;
	got = pass(once, MACH_MSG_TYPE_MOVE_SEND_ONCE, &kind);
	CHECK(kind == MACH_MSG_TYPE_PORT_SEND_ONCE && type_of(once) == 0);
	CHECK(type_of(got) == MACH_PORT_TYPE_SEND_ONCE && status_of(port).mps_sorights == 1);
	CHECK(pass(port, MACH_MSG_TYPE_MOVE_RECEIVE, &kind) == port && kind == MACH_MSG_TYPE_PORT_RECEIVE);
	CHECK(type_of(port) == MACH_PORT_TYPE_SEND_RECEIVE && sends(port) == 2);

	/* The last reference moved: the name goes, unless there is a receive right. */
	CHECK(mach_port_mod_refs(mach_task_self(), port, MACH_PORT_RIGHT_SEND, -1) == KERN_SUCCESS);
	CHECK(give(box, port, MACH_MSG_TYPE_MOVE_SEND) == MACH_MSG_SUCCESS);
	CHECK(type_of(port) == MACH_PORT_TYPE_RECEIVE && fetch_right(box, NULL) == port);
	CHECK(give(box, port, MACH_MSG_TYPE_MOVE_RECEIVE) == MACH_MSG_SUCCESS && type_of(port) == MACH_PORT_TYPE_SEND);
	CHECK(give(box, port, MACH_MSG_TYPE_MOVE_SEND) == MACH_MSG_SUCCESS && type_of(port) == 0);
	send = fetch_right(box, NULL); /* the receive right, under a new name */
	CHECK(type_of(send) == MACH_PORT_TYPE_RECEIVE);
	CHECK(fetch_right(box, NULL) == send && type_of(send) == MACH_PORT_TYPE_SEND_RECEIVE);
	return 0;
}

static int refuses(void)
{
	mach_port_t receive = new_port(), full = new_port(), once = make_once(full), dead = new_dead_name(9);
	mach_port_t set = allocate(MACH_PORT_RIGHT_PORT_SET), send = new_port_with(1);
	const struct {
		mach_port_t name;
		unsigned int takes; /* bits: 1 << (disposition - 16) */
	} row[] = {
	    {receive, 1 << 4 | 1 << 5 | 1 << 0}, {send, 1 << 1 | 1 << 3}, {once, 1 << 2},
	    {dead, 1 << 1 | 1 << 2 | 1 << 3}, {set, 0}, {NO_NAME, 0},
	};

	/* Move the receive part of `send` out of the way. */
	CHECK(give(full, send, MACH_MSG_TYPE_MOVE_RECEIVE) == MACH_MSG_SUCCESS);
	for (unsigned int i = 0; i < sizeof row / sizeof row[0]; i++)
		for (mach_msg_type_name_t use = 16; use <= 21; use++) {
			mach_msg_type_name_t kind;

			if (row[i].takes & 1 << (use - 16)) {
				CHECK(row[i].name != dead || pass(dead, use, &kind) == MACH_PORT_DEAD);
				continue;
			}
			CHECK(give(box, row[i].name, use) == MACH_SEND_INVALID_RIGHT);
		}
	CHECK(deads(dead) == 7); /* the two that move took one each */
	CHECK(type_of(receive) == MACH_PORT_TYPE_RECEIVE && type_of(once) == MACH_PORT_TYPE_SEND_ONCE);
	CHECK(sends(send) == 1 && type_of(set) == MACH_PORT_TYPE_PORT_SET);

	/* NULL and DEAD go with any, and come as they went. */
	for (mach_msg_type_name_t use = 16; use <= 21; use++) {
		mach_msg_type_name_t kind;

		CHECK(pass(MACH_PORT_NULL, use, &kind) == MACH_PORT_NULL);
		CHECK(kind == (use == 16 ? 16u : use == 18 || use == 21 ? 18u : 17u));
		CHECK(pass(MACH_PORT_DEAD, use, &kind) == MACH_PORT_DEAD);
	}
	return 0;
}

static int destinations(void)
{
	mach_port_t port = new_port_with(2), once = make_once(port);

	/* As a destination a right is used up like any other. */
	CHECK(post(port, MACH_MSG_TYPE_MOVE_SEND, 1) == MACH_MSG_SUCCESS && sends(port) == 1);
	CHECK(post(port, MACH_MSG_TYPE_COPY_SEND, 2) == MACH_MSG_SUCCESS && sends(port) == 1);
	CHECK(post(port, MACH_MSG_TYPE_MOVE_SEND, 3) == MACH_MSG_SUCCESS && type_of(port) == MACH_PORT_TYPE_RECEIVE);
	CHECK(post(once, MACH_MSG_TYPE_MOVE_SEND_ONCE, 4) == MACH_MSG_SUCCESS && type_of(once) == 0);
	CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, 5) == MACH_MSG_SUCCESS && status_of(port).mps_mscount == 3);
	/* In transit they are rights: three to send, and one to send once. */
	CHECK(status_of(port).mps_srights && status_of(port).mps_sorights == 1);
	for (int i = 1; i <= 5; i++)
		CHECK(fetch_id(port) == i);
	CHECK(!status_of(port).mps_srights && status_of(port).mps_sorights == 0);
	return 0;
}

int main(void)
{
	box = new_port();
	RUN(works());
	RUN(refuses());
	RUN(destinations());
	return 0;
}
