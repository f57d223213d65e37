/* mach-abi.md 5.1: names, and what may share one. */
#include "conform.h"

int main(void)
{
	mach_port_t self = mach_task_self(), port = new_port(), box = new_port(), seen[64];
	mach_port_t once, other_once, set, dead;

	/* Receive and send rights of a port share one name; send-once rights share none. */
	CHECK(type_of(port) == MACH_PORT_TYPE_RECEIVE);
	CHECK(give(box, port, MACH_MSG_TYPE_MAKE_SEND) == MACH_MSG_SUCCESS && fetch_right(box, NULL) == port);
	CHECK(type_of(port) == MACH_PORT_TYPE_SEND_RECEIVE && sends(port) == 1);
	CHECK(give(box, port, MACH_MSG_TYPE_MAKE_SEND) == MACH_MSG_SUCCESS && fetch_right(box, NULL) == port);
	CHECK(sends(port) == 2);
	once = make_once(port);
	other_once = make_once(port);
	CHECK(once != port && other_once != port && once != other_once);
	CHECK(type_of(once) == MACH_PORT_TYPE_SEND_ONCE);

	/* References: of send rights and dead names they count, of the others they are 1. */
	set = allocate(MACH_PORT_RIGHT_PORT_SET);
	dead = allocate(MACH_PORT_RIGHT_DEAD_NAME);
	CHECK(type_of(set) == MACH_PORT_TYPE_PORT_SET && type_of(dead) == MACH_PORT_TYPE_DEAD_NAME);
	CHECK(refs(port, MACH_PORT_RIGHT_RECEIVE) == 1 && refs(once, MACH_PORT_RIGHT_SEND_ONCE) == 1);
	CHECK(refs(set, MACH_PORT_RIGHT_PORT_SET) == 1 && deads(dead) == 1);

	/* A name just freed is not the next one: a stale name is noticed. */
	for (int i = 0; i < 64; i++) {
		seen[i] = new_port();
		CHECK(MACH_PORT_VALID(seen[i]));
		for (int before = 0; before < i; before++)
			CHECK(seen[before] != seen[i]);
		CHECK(mach_port_destroy(self, seen[i]) == KERN_SUCCESS && type_of(seen[i]) == 0);
	}

	/* Names can be chosen, any but two. */
	CHECK(mach_port_allocate_name(self, MACH_PORT_RIGHT_RECEIVE, 1) == KERN_SUCCESS);
	CHECK(mach_port_allocate_name(self, MACH_PORT_RIGHT_PORT_SET, 0xfffffffe) == KERN_SUCCESS);
	CHECK(mach_port_allocate_name(self, MACH_PORT_RIGHT_DEAD_NAME, 0x80000000) == KERN_SUCCESS);
	CHECK(type_of(1) == MACH_PORT_TYPE_RECEIVE && type_of(0xfffffffe) == MACH_PORT_TYPE_PORT_SET);
	CHECK(mach_port_allocate_name(self, MACH_PORT_RIGHT_RECEIVE, MACH_PORT_NULL) == KERN_INVALID_VALUE);
	CHECK(mach_port_allocate_name(self, MACH_PORT_RIGHT_RECEIVE, MACH_PORT_DEAD) == KERN_INVALID_VALUE);

	/* A chosen name in the way of those the kernel chooses. */
	for (int i = 1; i <= 32; i++)
		mach_port_allocate_name(self, MACH_PORT_RIGHT_DEAD_NAME, port + ((mach_port_t)i << 8));
	for (int i = 0; i < 64; i++) {
		seen[i] = new_port();
		CHECK(type_of(seen[i]) == MACH_PORT_TYPE_RECEIVE);
	}

	/* Another space has names of its own. */
	mach_port_t child, theirs;
	CHECK(task_create(self, FALSE, &child) == KERN_SUCCESS);
	CHECK(mach_port_insert_right(child, 1, port, MACH_MSG_TYPE_COPY_SEND) == KERN_SUCCESS);
	CHECK(type_in(child, 1) == MACH_PORT_TYPE_SEND && type_of(1) == MACH_PORT_TYPE_RECEIVE);
	CHECK(mach_port_allocate(child, MACH_PORT_RIGHT_RECEIVE, &theirs) == KERN_SUCCESS);
	CHECK(mach_port_destroy(child, theirs) == KERN_SUCCESS && type_in(child, theirs) == 0);
	return 0;
}
