/* gns: start-up.  The manifest gives it the privileged host port, to be the node's network
   server, and the device master port, to have the NIC. */
#include "resolve.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <mach/machemu.h>
#include <mach_error.h>
#include <mig/bootstrap.h>

#define SLOT_ACS 0
#define NIC_NAME  "eth0"
#define NIC_QUEUE 0

struct self self;
struct nic nic;

void say(const char *format, ...)
{
	char line[256];
	va_list arguments;
	int length = snprintf(line, sizeof line, "gns: ");

	va_start(arguments, format);
	vsnprintf(line + length, sizeof line - (size_t)length - 1, format, arguments);
	va_end(arguments);
	strcat(line, "\n");
	mach_print(line);
}

static kern_return_t new_port(mach_port_t *name)
{
	kern_return_t kr = mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, name);

	return kr == KERN_SUCCESS ? mach_port_move_member(mach_task_self(), *name, self.set) : kr;
}

static kern_return_t make_ports(void)
{
	kern_return_t kr = mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_PORT_SET, &self.set);

	self.acs = mach_registered_port(SLOT_ACS);
	if (kr == KERN_SUCCESS)
		kr = new_port(&self.notify);
	return kr == KERN_SUCCESS ? new_port(&self.interrupts) : kr;
}

/* Who and where we are; the suite and the optimisations are the site's. */
static kern_return_t know_self(void)
{
	struct boot_info info;
	mach_port_t host = mach_host_self();
	kern_return_t kr = boot_info(host, (char *)&info);
	int instance = 0;

	mach_port_deallocate(mach_task_self(), host);
	if (kr == KERN_SUCCESS)
		kr = set_network_server(self.host, mach_task_self(), &instance);
	if (kr != KERN_SUCCESS)
		return kr;
	self.node = info.node;
	self.epoch = info.epoch;
	self.instance = (uint32_t)instance;
	self.answers_to_all = info.flags & BOOT_OPTIMISATION_1;
	self.origin_to_all = info.flags & BOOT_OPTIMISATION_2;
	suite = suite_of(BOOT_SUITE(info.flags));
	uid_next = (uint64_t)self.instance << 48 | WIRE_FIRST_UID;
	return suite != NULL ? KERN_SUCCESS : KERN_INVALID_VALUE;
}

/* The kernel copies a send right of the port it is to tell. */
static kern_return_t open_nic(mach_port_t device_master)
{
	mach_port_t task = mach_task_self(), port = self.interrupts;
	kern_return_t kr = mach_port_insert_right(task, port, port, MACH_MSG_TYPE_MAKE_SEND);

	if (kr == KERN_SUCCESS)
		kr = nic_open(&nic, device_master, NIC_NAME, NIC_QUEUE, WIRE_ETHERTYPE, port);
	mach_port_deallocate(task, port);
	return kr;
}

/* False, after a line on the console: it cannot serve. */
static bool start(void)
{
	mach_port_t device_master = MACH_PORT_NULL;
	const char *step = "privileged ports";
	kern_return_t kr = bootstrap_privileged_ports(bootstrap_port, &self.host, &device_master);

	if (kr == KERN_SUCCESS) {
		step = "ports";
		kr = make_ports();
	}
	if (kr == KERN_SUCCESS) {
		step = "site and network server";
		kr = know_self();
	}
	if (kr == KERN_SUCCESS) {
		step = "the network adapter";
		kr = open_nic(device_master);
	}
	if (kr != KERN_SUCCESS)
		say("%s: %s", step, mach_error_string(kr));
	return kr == KERN_SUCCESS;
}

int main(void)
{
	if (!start())
		return 1;
	now = clock_read();
	random_seed((uint64_t)self.node << 32 ^ self.epoch);
	random_seed(now ^ (uint64_t)self.instance << 48);
	broadcast_start();
	self.service = server_check_in("gns");
	mach_port_move_member(mach_task_self(), self.service, self.set);
	for (;;)
		turn();
}
