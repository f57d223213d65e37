/* mach-abi.md 6.9, 6.10: who asked for it is told of every new task. */
#include <mach/bootstrap.h>
#include <mach/gnumach.h>
#include <task_notify_server.h>

#include "check.h"
#include "threads.h"

static mach_port_t told_task, told_parent;

kern_return_t do_mach_notify_new_task(mach_port_t notify, mach_port_t task, mach_port_t parent)
{
	(void)notify;
	told_task = task;
	told_parent = parent;
	return KERN_SUCCESS;
}

/* The next notification, by MIG's stub. */
static boolean_t take(mach_port_t port)
{
	union {
		mach_msg_header_t head;
		char octets[256];
	} request, reply;

	return mach_msg(&request.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof request, port, 10, MACH_PORT_NULL) ==
	    MACH_MSG_SUCCESS &&
	    request.head.msgh_size == 64 && task_notify_server(&request.head, &reply.head);
}

int main(void)
{
	mach_port_t self = mach_task_self(), port = mach_reply_port(), other = mach_reply_port();
	mach_port_t host, device, child, grandchild, bootstrap;

	CHECK(task_get_special_port(self, TASK_BOOTSTRAP_PORT, &bootstrap) == KERN_SUCCESS);
	CHECK(bootstrap_privileged_ports(bootstrap, &host, &device) == KERN_SUCCESS);
	CHECK(register_new_task_notification(mach_host_self(), port, MACH_MSG_TYPE_MAKE_SEND) == KERN_INVALID_HOST);
	CHECK(register_new_task_notification(host, port, MACH_MSG_TYPE_MAKE_SEND) == KERN_SUCCESS);
	CHECK(register_new_task_notification(host, other, MACH_MSG_TYPE_MAKE_SEND) == KERN_NO_ACCESS);

	CHECK(task_create(self, FALSE, &child) == KERN_SUCCESS);
	CHECK(take(port) && told_task == child && told_parent == self);
	CHECK(task_create(child, TRUE, &grandchild) == KERN_SUCCESS);
	CHECK(take(port) && told_task == grandchild && told_parent == child);
	CHECK(!take(port));

	/* More than the queue's limit: none is lost. */
	for (int i = 0; i < 8; i++)
		CHECK(task_create(self, FALSE, &child) == KERN_SUCCESS);
	for (int i = 0; i < 8; i++)
		CHECK(take(port));
	CHECK(told_task == child && !take(port));

	/* With the port dead, tasks are made all the same, and there is no second chance. */
	CHECK(mach_port_destroy(self, port) == KERN_SUCCESS);
	CHECK(task_create(self, FALSE, &child) == KERN_SUCCESS);
	CHECK(register_new_task_notification(host, other, MACH_MSG_TYPE_MAKE_SEND) == KERN_NO_ACCESS);
	return 0;
}
