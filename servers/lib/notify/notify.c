/*
 * Notifications that a server has not asked for (notify.defs).
 *
 * notify_server calls six functions; a server writes those it needs, and the
 * linker takes the others from here.  KERN_FAILURE has the loop destroy the
 * message with the right that is in it.
 */
#include <mach/mach_init.h>
#include <mach/mach_port.h>
#include <mig/notify_server.h>

#define UNLESS_WRITTEN __attribute__((weak))

UNLESS_WRITTEN kern_return_t do_mach_notify_port_deleted(mach_port_t port, mach_port_t name)
{
	(void)port, (void)name;
	return KERN_FAILURE;
}

UNLESS_WRITTEN kern_return_t do_mach_notify_msg_accepted(mach_port_t port, mach_port_t name)
{
	(void)port, (void)name;
	return KERN_FAILURE;
}

UNLESS_WRITTEN kern_return_t do_mach_notify_port_destroyed(mach_port_t port, mach_port_t right)
{
	(void)port, (void)right;
	return KERN_FAILURE;
}

UNLESS_WRITTEN kern_return_t do_mach_notify_no_senders(mach_port_t port, mach_port_mscount_t count)
{
	(void)port, (void)count;
	return KERN_FAILURE;
}

UNLESS_WRITTEN kern_return_t do_mach_notify_send_once(mach_port_t port)
{
	(void)port;
	return KERN_FAILURE;
}

UNLESS_WRITTEN kern_return_t do_mach_notify_dead_name(mach_port_t port, mach_port_t name)
{
	(void)port;
	/* The notification gave us a reference to the dead name. */
	mach_port_deallocate(mach_task_self(), name);
	return KERN_SUCCESS;
}
