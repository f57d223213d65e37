/* mach-abi.md 5.5: what becomes of names whose port dies. */
#include "conform.h"

int main(void)
{
	mach_port_t self = mach_task_self(), port = new_port_with(3), once = make_once(port), notify = new_port();
	mach_port_t watched_once = make_once(port), child, dead, theirs = 0x4400;
	inbox_t in;

	/* In every space, with the references it had. */
	CHECK(task_create(self, FALSE, &child) == KERN_SUCCESS);
	CHECK(mach_port_insert_right(child, theirs, port, MACH_MSG_TYPE_COPY_SEND) == KERN_SUCCESS);
	CHECK(mach_port_mod_refs(child, theirs, MACH_PORT_RIGHT_SEND, 4) == KERN_SUCCESS);
	CHECK(request_on(port, MACH_NOTIFY_DEAD_NAME, 0, notify) == KERN_SUCCESS);
	CHECK(request_on(watched_once, MACH_NOTIFY_DEAD_NAME, 0, notify) == KERN_SUCCESS);
	CHECK(kill_port(port) == KERN_SUCCESS);

	/* Whose death is told has a reference more: the notification's. */
	CHECK(type_of(port) == MACH_PORT_TYPE_DEAD_NAME && deads(port) == 4 && sends(port) == 0);
	CHECK(refs(port, MACH_PORT_RIGHT_RECEIVE) == 0);
	CHECK(type_of(once) == MACH_PORT_TYPE_DEAD_NAME && deads(once) == 1);
	CHECK(refs(once, MACH_PORT_RIGHT_SEND_ONCE) == 0);
	CHECK(type_of(watched_once) == MACH_PORT_TYPE_DEAD_NAME && deads(watched_once) == 2);
	mach_port_urefs_t count = 0;
	CHECK(type_in(child, theirs) == MACH_PORT_TYPE_DEAD_NAME);
	CHECK(mach_port_get_refs(child, theirs, MACH_PORT_RIGHT_DEAD_NAME, &count) == KERN_SUCCESS && count == 5);
	for (int i = 0; i < 2; i++) {
		CHECK(fetch(notify, &in) == MACH_MSG_SUCCESS && in.head.msgh_id == MACH_NOTIFY_DEAD_NAME);
		CHECK(in.dead_name.not_port == port || in.dead_name.not_port == watched_once);
		CHECK(mach_port_deallocate(self, in.dead_name.not_port) == KERN_SUCCESS);
	}
	CHECK(fetch_id(notify) == -1);
	CHECK(deads(port) == 3 && deads(watched_once) == 1);
	for (int i = 0; i < 3; i++)
		CHECK(mach_port_deallocate(self, port) == KERN_SUCCESS);
	CHECK(type_of(port) == 0);

	/* A request is used up: the name has none when it is dead. */
	CHECK(type_of(watched_once) == MACH_PORT_TYPE_DEAD_NAME);

	/* The receive right alone leaves nothing. */
	port = new_port();
	CHECK(kill_port(port) == KERN_SUCCESS && type_of(port) == 0);
	CHECK(kill_port(port) == KERN_INVALID_NAME);

	/* Made as such. */
	dead = allocate(MACH_PORT_RIGHT_DEAD_NAME);
	CHECK(type_of(dead) == MACH_PORT_TYPE_DEAD_NAME && deads(dead) == 1);

	/* Each of a death's names is its own, though their port was one. */
	port = new_port_with(1);
	once = make_once(port);
	CHECK(kill_port(port) == KERN_SUCCESS);
	CHECK(mach_port_deallocate(self, once) == KERN_SUCCESS && type_of(port) == MACH_PORT_TYPE_DEAD_NAME);
	return 0;
}
