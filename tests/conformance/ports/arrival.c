/* mach-abi.md 5.3: under which name a right arrives, and port-deleted when one goes. */
#include "conform.h"

static mach_port_t box;

static int names(void)
{
	mach_port_t self = mach_task_self(), port = new_port_with(1), got;

	/* More references than a name can have are dropped, and nobody is told. */
	CHECK(mach_port_mod_refs(self, port, MACH_PORT_RIGHT_SEND, 65533) == KERN_SUCCESS && sends(port) == 65534);
	CHECK(give(box, port, MACH_MSG_TYPE_COPY_SEND) == MACH_MSG_SUCCESS);
	CHECK(fetch_right(box, NULL) == port && sends(port) == 65534);
	CHECK(mach_port_mod_refs(self, port, MACH_PORT_RIGHT_SEND, -65533) == KERN_SUCCESS);

	/* A send right whose name went meanwhile makes a new one. */
	CHECK(give(box, port, MACH_MSG_TYPE_COPY_SEND) == MACH_MSG_SUCCESS);
	CHECK(give(box, port, MACH_MSG_TYPE_MOVE_RECEIVE) == MACH_MSG_SUCCESS);
	CHECK(mach_port_deallocate(self, port) == KERN_SUCCESS && type_of(port) == 0);
	got = fetch_right(box, NULL);
	CHECK(got != port && type_of(got) == MACH_PORT_TYPE_SEND && sends(got) == 1);
	/* The receive right joins its send rights. */
	CHECK(fetch_right(box, NULL) == got && type_of(got) == MACH_PORT_TYPE_SEND_RECEIVE);
	CHECK(sends(got) == 1);

	/* A receive right alone has a name that was not there; a send right joins it. */
	port = new_port();
	CHECK(give(box, port, MACH_MSG_TYPE_MAKE_SEND) == MACH_MSG_SUCCESS);
	CHECK(give(box, port, MACH_MSG_TYPE_MOVE_RECEIVE) == MACH_MSG_SUCCESS && type_of(port) == 0);
	got = fetch_right(box, NULL);
	CHECK(type_of(got) == MACH_PORT_TYPE_SEND && fetch_right(box, NULL) == got);
	CHECK(type_of(got) == MACH_PORT_TYPE_SEND_RECEIVE);

	/* Send-once rights always have their own. */
	for (int i = 0; i < 2; i++)
		CHECK(give(box, got, MACH_MSG_TYPE_MAKE_SEND_ONCE) == MACH_MSG_SUCCESS);
	mach_port_t first = fetch_right(box, NULL), second = fetch_right(box, NULL);
	CHECK(first != second && first != got && second != got);
	CHECK(type_of(first) == MACH_PORT_TYPE_SEND_ONCE && type_of(second) == MACH_PORT_TYPE_SEND_ONCE);

	/* Of a port that died: no name. */
	CHECK(give(box, got, MACH_MSG_TYPE_MAKE_SEND_ONCE) == MACH_MSG_SUCCESS);
	CHECK(give(box, got, MACH_MSG_TYPE_COPY_SEND) == MACH_MSG_SUCCESS);
	CHECK(mach_port_destroy(self, got) == KERN_SUCCESS);
	CHECK(fetch_right(box, NULL) == MACH_PORT_DEAD && fetch_right(box, NULL) == MACH_PORT_DEAD);
	return 0;
}

static mach_port_t notify;

/* The name that port-deleted tells, or NO_NAME. */
static mach_port_t deleted(void)
{
	inbox_t in;

	if (fetch(notify, &in) != MACH_MSG_SUCCESS || in.head.msgh_id != MACH_NOTIFY_PORT_DELETED)
		return NO_NAME;
	return in.deleted.not_port;
}

static mach_port_t watched(mach_port_t name)
{
	request_on(name, MACH_NOTIFY_DEAD_NAME, 0, notify);
	return name;
}

static int removal(void)
{
	mach_port_t self = mach_task_self(), port = new_port_with(1), mute = new_port(), name;

	/* Losing the send rights of a name that still receives keeps the request, and so does a
	   new name for it. */
	watched(port);
	CHECK(mach_port_deallocate(self, port) == KERN_SUCCESS);
	CHECK(type_of(port) == (MACH_PORT_TYPE_RECEIVE | MACH_PORT_TYPE_DNREQUEST));
	CHECK(mach_port_rename(self, port, 0x9900) == KERN_SUCCESS);
	CHECK(type_of(0x9900) == (MACH_PORT_TYPE_RECEIVE | MACH_PORT_TYPE_DNREQUEST) && deleted() == NO_NAME);
	/* Moved away, deallocated, destroyed: deleted. */
	CHECK(give(box, 0x9900, MACH_MSG_TYPE_MOVE_RECEIVE) == MACH_MSG_SUCCESS && deleted() == 0x9900);
	name = watched(fetch_right(box, NULL));
	CHECK(kill_port(name) == KERN_SUCCESS && deleted() == name);
	name = watched(make_once(mute));
	CHECK(give(box, name, MACH_MSG_TYPE_MOVE_SEND_ONCE) == MACH_MSG_SUCCESS && deleted() == name);
	name = watched(fetch_right(box, NULL));
	CHECK(mach_port_deallocate(self, name) == KERN_SUCCESS && deleted() == name);
	name = watched(make_once(mute));
	CHECK(mach_port_mod_refs(self, name, MACH_PORT_RIGHT_SEND_ONCE, -1) == KERN_SUCCESS && deleted() == name);
	name = watched(make_once(mute));
	CHECK(mach_port_destroy(self, name) == KERN_SUCCESS && deleted() == name);
	name = watched(new_port_with(3));
	CHECK(mach_port_destroy(self, name) == KERN_SUCCESS && deleted() == name && type_of(name) == 0);

	name = new_port_with(1);
	CHECK(give(box, name, MACH_MSG_TYPE_MOVE_RECEIVE) == MACH_MSG_SUCCESS);
	watched(name);
	CHECK(give(box, name, MACH_MSG_TYPE_MOVE_SEND) == MACH_MSG_SUCCESS && deleted() == name);
	CHECK(deleted() == NO_NAME);
	return 0;
}

int main(void)
{
	box = new_port();
	notify = new_port();
	RUN(names());
	RUN(removal());
	return 0;
}
