/* What every program has: its own task port, and the rights it was given. */
#include <stdbool.h>

#include <mach.h>

mach_port_t mach_task_self_;
vm_size_t vm_page_size = PAGE_SIZE;

void mach_init(void)
{
	mach_task_self_ = (mach_task_self)();
}

mach_port_t mach_registered_port(int slot)
{
	static bool asked;
	static mach_port_t ports[TASK_PORT_REGISTER_MAX];

	if (!asked) {
		mach_port_array_t found = NULL;
		mach_msg_type_number_t count = 0;

		if (mach_ports_lookup(mach_task_self(), &found, &count) != KERN_SUCCESS)
			return MACH_PORT_NULL;
		for (mach_msg_type_number_t i = 0; i < count && i < TASK_PORT_REGISTER_MAX; i++)
			ports[i] = found[i];
		vm_deallocate(mach_task_self(), (vm_address_t)found, count * sizeof found[0]);
		asked = true;
	}
	return slot >= 0 && slot < TASK_PORT_REGISTER_MAX ? ports[slot] : MACH_PORT_NULL;
}

mach_port_t mach_bootstrap_port(void)
{
	static bool asked;
	static mach_port_t port;

	if (!asked) {
		if (task_get_bootstrap_port(mach_task_self(), &port) != KERN_SUCCESS)
			port = MACH_PORT_NULL;
		asked = true;
	}
	return port;
}
