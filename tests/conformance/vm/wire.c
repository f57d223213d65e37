/* mach-abi.md 6.3, 8.5: vm_wire, and the pages that vm_statistics counts */
#include <mach.h>
#include <mach/bootstrap.h>
#include <mach/mach_host.h>
#include <mach/vm_param.h>

#include "check.h"

static int wired(void)
{
	vm_statistics_data_t statistics;

	return vm_statistics(mach_task_self(), &statistics) == KERN_SUCCESS ? statistics.wire_count : -1;
}

int main(void)
{
	mach_port_t task = mach_task_self(), host, master;
	vm_address_t base = 0;
	vm_size_t size = 16 << 20;

	CHECK(bootstrap_privileged_ports(bootstrap_port, &host, &master) == KERN_SUCCESS);
	CHECK(vm_allocate(task, &base, size, TRUE) == KERN_SUCCESS);
	CHECK(wired() == 0);
	CHECK(vm_wire(host, task, base + 1, PAGE_SIZE, VM_PROT_DEFAULT) == KERN_SUCCESS); /* rounded outward */
	CHECK(wired() == 2);
	CHECK(vm_wire(host, task, base, 2 * PAGE_SIZE, VM_PROT_NONE) == KERN_SUCCESS);
	CHECK(wired() == 0);
	CHECK(vm_wire(mach_host_self(), task, base, PAGE_SIZE, VM_PROT_READ) == KERN_SUCCESS);
	CHECK(vm_wire(mach_host_self(), task, base, size, VM_PROT_READ) == KERN_NO_ACCESS);
	CHECK(vm_deallocate(task, base, PAGE_SIZE) == KERN_SUCCESS); /* unwires too */
	CHECK(wired() == 0);
	CHECK(vm_wire(host, task, base, PAGE_SIZE, VM_PROT_READ) == KERN_INVALID_ADDRESS);
	CHECK(vm_protect(task, base + PAGE_SIZE, PAGE_SIZE, FALSE, VM_PROT_READ) == KERN_SUCCESS);
	CHECK(vm_wire(host, task, base + PAGE_SIZE, PAGE_SIZE, VM_PROT_WRITE) == KERN_PROTECTION_FAILURE);
	CHECK(vm_wire(host, task, base + PAGE_SIZE, PAGE_SIZE, 0x40) == KERN_INVALID_ARGUMENT);
	CHECK(vm_wire(host, host, base, PAGE_SIZE, VM_PROT_READ) == KERN_INVALID_TASK);
	CHECK(vm_wire(task, task, base, PAGE_SIZE, VM_PROT_READ) == KERN_INVALID_HOST);
	return 0;
}
