/* mach-abi.md 3.2, 8.1: the shortcut traps on memory, -64 to -66. */
#include "conform.h"

#define OUTSIDE ((vm_address_t)1 << 60)

static int elsewhere(void)
{
	mach_port_t none[] = {MACH_PORT_NULL, MACH_PORT_DEAD, NO_NAME, new_port_with(1), new_dead_name(1),
	    mach_thread_self(), mach_host_self()};
	vm_address_t address = 5;

	for (unsigned int i = 0; i < sizeof none / sizeof none[0]; i++) {
		CHECK(syscall_vm_allocate(none[i], &address, PAGE_SIZE, TRUE) == MACH_SEND_INTERRUPTED);
		CHECK(syscall_vm_deallocate(none[i], 0, PAGE_SIZE) == MACH_SEND_INTERRUPTED);
		CHECK(syscall_vm_map(none[i], &address, PAGE_SIZE, 0, TRUE, MACH_PORT_NULL, 0, FALSE, VM_PROT_DEFAULT,
			  VM_PROT_ALL, VM_INHERIT_COPY) == MACH_SEND_INTERRUPTED);
	}
	CHECK(address == 5); /* stored on success only */
	CHECK(vm_allocate(mach_thread_self(), &address, PAGE_SIZE, TRUE) == KERN_INVALID_TASK);
	return 0;
}

static int allocating(mach_port_t self, mach_port_t child)
{
	vm_address_t address = 12345, again;

	CHECK(syscall_vm_allocate(self, &address, 0, TRUE) == KERN_SUCCESS && address == 0);
	CHECK(syscall_vm_allocate(self, &address, PAGE_SIZE + 1, TRUE) == KERN_SUCCESS);
	CHECK((address & PAGE_MASK) == 0 && *(volatile int *)(address + PAGE_SIZE) == 0);
	again = address + 7; /* cut to its page */
	CHECK(syscall_vm_allocate(self, &again, 1, FALSE) == KERN_NO_SPACE && again == address + 7);
	CHECK(syscall_vm_deallocate(self, address, PAGE_SIZE) == KERN_SUCCESS);
	CHECK(syscall_vm_allocate(self, &again, 1, FALSE) == KERN_SUCCESS && again == address);
	again = OUTSIDE;
	CHECK(syscall_vm_allocate(self, &again, PAGE_SIZE, FALSE) == KERN_INVALID_ADDRESS);
	CHECK(syscall_vm_allocate(self, &again, OUTSIDE, TRUE) == KERN_NO_SPACE);
	CHECK(syscall_vm_allocate(self, (vm_address_t *)64, PAGE_SIZE, TRUE) == KERN_INVALID_ADDRESS);
	/* Holes are fine, and so is nothing. */
	CHECK(syscall_vm_deallocate(self, address, 4 * PAGE_SIZE) == KERN_SUCCESS);
	CHECK(syscall_vm_deallocate(self, address, 4 * PAGE_SIZE) == KERN_SUCCESS);
	CHECK(syscall_vm_deallocate(self, OUTSIDE, 0) == KERN_SUCCESS);

	/* In another task the place is ours, the memory its. */
	address = 16 * PAGE_SIZE;
	CHECK(syscall_vm_allocate(child, &address, PAGE_SIZE, FALSE) == KERN_SUCCESS && address == 16 * PAGE_SIZE);
	CHECK(vm_write(child, address, address, 0) == KERN_SUCCESS);
	CHECK(syscall_vm_allocate(child, &address, PAGE_SIZE, FALSE) == KERN_NO_SPACE);
	CHECK(syscall_vm_deallocate(child, address, PAGE_SIZE) == KERN_SUCCESS);
	CHECK(syscall_vm_allocate(child, &address, PAGE_SIZE, FALSE) == KERN_SUCCESS);
	return 0;
}

/* vm_map of no object, with what is mostly given. */
static kern_return_t map(vm_address_t *address, vm_size_t size, vm_address_t mask, boolean_t anywhere,
    mach_port_t object, vm_prot_t current, vm_prot_t most, vm_inherit_t inherit)
{
	return syscall_vm_map(mach_task_self(), address, size, mask, anywhere, object, 0, TRUE, current, most, inherit);
}

static int mapping(void)
{
	vm_address_t address = 0, fixed;
	vm_prot_t current, most;
	vm_inherit_t inherit;

	CHECK(map(&address, PAGE_SIZE + 1, 0xffff, TRUE, 0, VM_PROT_READ, VM_PROT_DEFAULT, VM_INHERIT_NONE) ==
	    KERN_SUCCESS);
	CHECK((address & 0xffff) == 0);
	/* All eleven arguments have arrived: those in registers, in t0 and on the stack. */
	CHECK(region_at((void *)address, &current, &most, &inherit));
	CHECK(current == VM_PROT_READ && most == VM_PROT_DEFAULT && inherit == VM_INHERIT_NONE);
	CHECK(is_mapped((char *)address + PAGE_SIZE));

	CHECK(map(&address, 0, 0, TRUE, 0, 3, 7, 1) == KERN_INVALID_ARGUMENT);
	CHECK(map(&address, PAGE_SIZE, 0, TRUE, 0, 8, 7, 1) == KERN_INVALID_ARGUMENT);
	CHECK(map(&address, PAGE_SIZE, 0, TRUE, 0, 3, 0x10, 1) == KERN_INVALID_ARGUMENT);
	CHECK(map(&address, PAGE_SIZE, 0, TRUE, 0, 3, 7, 3) == KERN_INVALID_ARGUMENT);
	fixed = address;
	CHECK(map(&fixed, PAGE_SIZE, 0, FALSE, 0, 3, 7, 1) == KERN_NO_SPACE);
	fixed = address + 8 * PAGE_SIZE;
	CHECK(map(&fixed, PAGE_SIZE, 0xffff, FALSE, 0, 3, 7, 1) == KERN_NO_SPACE); /* bits that must be zero */
	fixed = OUTSIDE;
	CHECK(map(&fixed, PAGE_SIZE, 0, FALSE, 0, 3, 7, 1) == KERN_INVALID_ADDRESS);
	CHECK(map((vm_address_t *)64, PAGE_SIZE, 0, TRUE, 0, 3, 7, 1) == KERN_INVALID_ADDRESS);
	/* DEAD is as NULL; another kernel object is left to the request, which refuses it. */
	CHECK(map(&address, PAGE_SIZE, 0, TRUE, MACH_PORT_DEAD, 3, 7, 1) == KERN_SUCCESS);
	CHECK(map(&address, PAGE_SIZE, 0, TRUE, mach_task_self(), 3, 7, 1) == MACH_SEND_INTERRUPTED);
	CHECK(vm_map(mach_task_self(), &address, PAGE_SIZE, 0, TRUE, mach_task_self(), 0, FALSE, 3, 7, 1) ==
	    KERN_INVALID_ARGUMENT);
	return 0;
}

int main(void)
{
	mach_port_t child;

	CHECK(task_create(mach_task_self(), FALSE, &child) == KERN_SUCCESS);
	RUN(elsewhere());
	RUN(allocating(mach_task_self(), child));
	RUN(mapping());
	return 0;
}
