/* mach-abi.md 5.7: a receive right that could never be received. */
#include "conform.h"

#define LINKS 20

int main(void)
{
	mach_port_t self = mach_task_self(), port = new_port_with(1), a, b, chain[LINKS];

	/* To itself: the send succeeds, message and port are gone. */
	CHECK(give(port, port, MACH_MSG_TYPE_MOVE_RECEIVE) == MACH_MSG_SUCCESS);
	CHECK(type_of(port) == MACH_PORT_TYPE_DEAD_NAME);

	/* a in b, then b to a: a is in what b's queue holds. */
	a = new_port_with(1);
	b = new_port_with(1);
	CHECK(give(b, a, MACH_MSG_TYPE_MOVE_RECEIVE) == MACH_MSG_SUCCESS && type_of(a) == MACH_PORT_TYPE_SEND);
	parcel_t p = parcel(a, MACH_MSG_TYPE_COPY_SEND, b, MACH_MSG_TYPE_MOVE_RECEIVE);
	CHECK(mach_msg(&p.head, SEND_BY_TIME, sizeof p, 0, 0, 0, 0) == MACH_MSG_SUCCESS);
	CHECK(type_of(a) == MACH_PORT_TYPE_DEAD_NAME && type_of(b) == MACH_PORT_TYPE_DEAD_NAME);

	/* Through a chain, from its last to its first. */
	for (int i = 0; i < LINKS; i++)
		chain[i] = new_port_with(1);
	for (int i = 0; i + 1 < LINKS; i++)
		CHECK(give(chain[i + 1], chain[i], MACH_MSG_TYPE_MOVE_RECEIVE) == MACH_MSG_SUCCESS);
	p = parcel(chain[0], MACH_MSG_TYPE_COPY_SEND, chain[LINKS - 1], MACH_MSG_TYPE_MOVE_RECEIVE);
	CHECK(mach_msg(&p.head, SEND_BY_TIME, sizeof p, 0, 0, 0, 0) == MACH_MSG_SUCCESS);
	for (int i = 0; i < LINKS; i++)
		CHECK(type_of(chain[i]) == MACH_PORT_TYPE_DEAD_NAME);

	/* A chain that does not close is received link by link. */
	mach_port_t box = new_port();
	for (int i = 0; i < LINKS; i++)
		chain[i] = new_port();
	port = new_port_with(1);
	CHECK(give(chain[0], port, MACH_MSG_TYPE_MOVE_RECEIVE) == MACH_MSG_SUCCESS);
	for (int i = 0; i + 1 < LINKS; i++)
		CHECK(give(chain[i + 1], chain[i], MACH_MSG_TYPE_MOVE_RECEIVE) == MACH_MSG_SUCCESS);
	CHECK(give(box, chain[LINKS - 1], MACH_MSG_TYPE_MOVE_RECEIVE) == MACH_MSG_SUCCESS);
	mach_port_t link = box;
	for (int i = 0; i < LINKS; i++) {
		link = fetch_right(link, NULL);
		CHECK(type_of(link) == MACH_PORT_TYPE_RECEIVE);
	}
	CHECK(fetch_right(link, NULL) == port && type_of(port) == MACH_PORT_TYPE_SEND_RECEIVE);

	/* A port whose destruction would be told to itself, or into its own queue, just dies. */
	CHECK(request_on(port, MACH_NOTIFY_PORT_DESTROYED, 0, port) == KERN_SUCCESS);
	CHECK(kill_port(port) == KERN_SUCCESS && type_of(port) == MACH_PORT_TYPE_DEAD_NAME);
	a = new_port_with(1);
	b = new_port_with(1);
	CHECK(request_on(a, MACH_NOTIFY_PORT_DESTROYED, 0, b) == KERN_SUCCESS);
	CHECK(give(a, b, MACH_MSG_TYPE_MOVE_RECEIVE) == MACH_MSG_SUCCESS);
	CHECK(mach_port_mod_refs(self, a, MACH_PORT_RIGHT_RECEIVE, -1) == KERN_SUCCESS);
	CHECK(type_of(a) == MACH_PORT_TYPE_DEAD_NAME && type_of(b) == MACH_PORT_TYPE_DEAD_NAME);
	return 0;
}
