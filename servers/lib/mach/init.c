/* What every program has: its own task port, and the rights it was given. */
#include <stdbool.h>

#include <mach.h>
#include <machemu/lock.h>

mach_port_t mach_task_self_;
vm_size_t vm_page_size = PAGE_SIZE;

void mach_init(void)
{
	mach_task_self_ = (mach_task_self)();
}

static struct lock lock; /* of the first uses below */

/* False: not now; the next use asks again. */
static bool look_up(mach_port_t ports[TASK_PORT_REGISTER_MAX])
{
	mach_port_array_t found = NULL;
	mach_msg_type_number_t count = 0;

	if (mach_ports_lookup(mach_task_self(), &found, &count) != KERN_SUCCESS)
		return false;
	for (mach_msg_type_number_t i = 0; i < count && i < TASK_PORT_REGISTER_MAX; i++)
		ports[i] = found[i];
	vm_deallocate(mach_task_self(), (vm_address_t)found, count * sizeof found[0]);
	return true;
}

mach_port_t mach_registered_port(int slot)
{
	static bool known;
	static mach_port_t ports[TASK_PORT_REGISTER_MAX];

	if (slot < 0 || slot >= TASK_PORT_REGISTER_MAX)
		return MACH_PORT_NULL;
	lock_take(&lock);
	if (!known)
		known = look_up(ports);
	lock_release(&lock);
	return ports[slot];
}

mach_port_t mach_bootstrap_port(void)
{
	static bool asked;
	static mach_port_t port;

	lock_take(&lock);
	if (!asked && task_get_bootstrap_port(mach_task_self(), &port) != KERN_SUCCESS)
		port = MACH_PORT_NULL;
	asked = true;
	lock_release(&lock);
	return port;
}
