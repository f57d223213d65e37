/* mach-abi.md 3.2: the traps that give a task its own ports. */
#include <mach.h>

#include "check.h"

static mach_port_urefs_t references(mach_port_t name)
{
	mach_port_urefs_t count = 0;

	mach_port_get_refs(mach_task_self(), name, MACH_PORT_RIGHT_SEND, &count);
	return count;
}

int main(void)
{
	mach_port_t task = mach_task_self(), thread = mach_thread_self(), host = mach_host_self();
	mach_port_t reply = mach_reply_port();
	mach_port_type_t type;

	CHECK(MACH_PORT_VALID(task) && MACH_PORT_VALID(thread) && MACH_PORT_VALID(host));
	CHECK(task != thread && thread != host && host != task);

	/* Each call adds a reference to the one name a port has. */
	mach_port_urefs_t before = references(thread);
	CHECK(mach_thread_self() == thread);
	CHECK(references(thread) == before + 1);
	before = references(host);
	CHECK(mach_host_self() == host);
	CHECK(references(host) == before + 1);

	/* A reply port is a receive right, without a send right, and new each time. */
	CHECK(mach_port_type(task, reply, &type) == KERN_SUCCESS);
	CHECK(type == MACH_PORT_TYPE_RECEIVE);
	CHECK(mach_reply_port() != reply);
	return 0;
}
