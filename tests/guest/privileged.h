/* The host's privileged port, for a program that is alone on its node (mach-abi.md 10.1). */
#ifndef PRIVILEGED_H
#define PRIVILEGED_H

#include <mach.h>
#include <mach/task_special_ports.h>
#include <mig/bootstrap.h>

static inline mach_port_t host_privileged(void)
{
	mach_port_t bootstrap = MACH_PORT_NULL, host = MACH_PORT_NULL, devices = MACH_PORT_NULL;

	if (task_get_special_port(mach_task_self(), TASK_BOOTSTRAP_PORT, &bootstrap) != KERN_SUCCESS
	    || bootstrap_privileged_ports(bootstrap, &host, &devices) != KERN_SUCCESS)
		return MACH_PORT_NULL;
	return host;
}

/* The control port of the default processor set. */
static inline mach_port_t default_set(void)
{
	mach_port_t name = MACH_PORT_NULL, set = MACH_PORT_NULL;

	if (processor_set_default(mach_host_self(), &name) != KERN_SUCCESS
	    || host_processor_set_priv(host_privileged(), name, &set) != KERN_SUCCESS)
		return MACH_PORT_NULL;
	return set;
}

#endif
