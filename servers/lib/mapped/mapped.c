/* Registers into our map, our memory into the device's windows. */
#include <machemu/mapped.h>

#include <string.h>

#include <device/device_types.h>
#include <mach.h>
#include <mach/machemu.h>
#include <mig/device.h>

static kern_return_t map_registers(mach_port_t device, volatile uint32_t **registers)
{
	mach_port_t pager;
	vm_offset_t address = 0;
	kern_return_t kr = device_map(device, VM_PROT_READ | VM_PROT_WRITE, 0, vm_page_size, &pager, 0);

	if (kr != KERN_SUCCESS)
		return kr;
	kr = vm_map(mach_task_self(), &address, vm_page_size, 0, TRUE, pager, 0, FALSE,
	    VM_PROT_READ | VM_PROT_WRITE, VM_PROT_READ | VM_PROT_WRITE, VM_INHERIT_NONE);
	mach_port_deallocate(mach_task_self(), pager);
	*registers = (volatile uint32_t *)address;
	return kr;
}

kern_return_t mapped_open(mach_port_t master, const char *name, mach_port_t *device,
    volatile uint32_t **registers)
{
	dev_name_t unit;
	kern_return_t kr;

	memset(unit, 0, sizeof unit);
	strncpy(unit, name, sizeof unit - 1);
	kr = device_open(master, D_READ | D_WRITE, unit, device);
	return kr == KERN_SUCCESS ? map_registers(*device, registers) : kr;
}

kern_return_t mapped_window(mach_port_t device, size_t size, vm_offset_t *address, uint64_t *bus)
{
	rpc_vm_address_t window = 0;
	kern_return_t kr = vm_allocate(mach_task_self(), address, size, TRUE);

	if (kr == KERN_SUCCESS)
		kr = dma_window(device, mach_task_self(), *address, size, VM_PROT_READ | VM_PROT_WRITE, &window);
	*bus = window;
	return kr;
}
