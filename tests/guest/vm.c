/* Address-space calls, by shortcut trap and by message (mach-abi.md 8.1). */
#include <string.h>

#include <mach.h>

#include "check.h"

static mach_port_t self;

static int is_filled(vm_address_t address, vm_size_t size, char with)
{
	for (vm_size_t i = 0; i < size; i++)
		if (((char *)address)[i] != with)
			return 0;
	return 1;
}

static int allocation(void)
{
	vm_address_t a = 0, b, none = 123;

	CHECK(vm_allocate(self, &a, 3 * PAGE_SIZE - 5, TRUE) == KERN_SUCCESS);
	CHECK(a != 0 && page_aligned(a));
	CHECK(is_filled(a, 3 * PAGE_SIZE, 0));
	memset((char *)a, 'a', 3 * PAGE_SIZE);

	b = a + PAGE_SIZE + 17; /* truncated to a page, and that is taken */
	CHECK(vm_allocate(self, &b, PAGE_SIZE, FALSE) == KERN_NO_SPACE);
	CHECK(vm_deallocate(self, a + PAGE_SIZE + 17, 1) == KERN_SUCCESS);
	CHECK(vm_allocate(self, &b, PAGE_SIZE, FALSE) == KERN_SUCCESS);
	CHECK(b == a + PAGE_SIZE);
	CHECK(is_filled(b, PAGE_SIZE, 0));
	CHECK(is_filled(a, PAGE_SIZE, 'a') && is_filled(a + 2 * PAGE_SIZE, PAGE_SIZE, 'a'));

	CHECK(vm_allocate(self, &none, 0, TRUE) == KERN_SUCCESS && none == 0);
	b = VM_MAX_ADDRESS;
	CHECK(vm_allocate(self, &b, PAGE_SIZE, FALSE) != KERN_SUCCESS);
	CHECK(vm_allocate(self, (vm_address_t *)8, PAGE_SIZE, TRUE) == KERN_INVALID_ADDRESS);
	CHECK(vm_deallocate(self, a, 0) == KERN_SUCCESS);
	CHECK(vm_deallocate(self, a, 3 * PAGE_SIZE) == KERN_SUCCESS);
	CHECK(vm_deallocate(self, a, 3 * PAGE_SIZE) == KERN_SUCCESS); /* a hole is no mistake */
	return 0;
}

static int copies(void)
{
	vm_address_t a = 0;
	vm_offset_t data = 0;
	mach_msg_type_number_t count = 0;

	CHECK(vm_allocate(self, &a, 2 * PAGE_SIZE, TRUE) == KERN_SUCCESS);
	memset((char *)a, '1', PAGE_SIZE);
	CHECK(vm_copy(self, a, PAGE_SIZE, a + PAGE_SIZE) == KERN_SUCCESS);
	CHECK(is_filled(a + PAGE_SIZE, PAGE_SIZE, '1'));
	CHECK(vm_copy(self, a + 1, PAGE_SIZE, a + PAGE_SIZE) == KERN_INVALID_ARGUMENT);

	CHECK(vm_read(self, a + 100, PAGE_SIZE, &data, &count) == KERN_SUCCESS);
	CHECK(count == PAGE_SIZE && is_filled(data, count, '1'));
	memset((char *)a, '2', 2 * PAGE_SIZE);
	CHECK(is_filled(data, count, '1')); /* the copy was made when asked for */
	CHECK(vm_deallocate(self, data, count) == KERN_SUCCESS);

	CHECK(vm_write(self, a + PAGE_SIZE, a, PAGE_SIZE) == KERN_SUCCESS);
	CHECK(is_filled(a + PAGE_SIZE, PAGE_SIZE, '2'));
	CHECK(vm_read(self, 64, 64, &data, &count) == KERN_INVALID_ADDRESS);
	CHECK(vm_deallocate(self, a, 2 * PAGE_SIZE) == KERN_SUCCESS);
	return 0;
}

static int protection(void)
{
	vm_address_t a = 0, at;
	vm_size_t size;
	vm_prot_t prot, max;
	vm_inherit_t inherit;
	boolean_t shared;
	memory_object_name_t object;
	vm_offset_t offset;

	CHECK(vm_allocate(self, &a, 3 * PAGE_SIZE, TRUE) == KERN_SUCCESS);
	CHECK(vm_protect(self, a + PAGE_SIZE, PAGE_SIZE, FALSE, VM_PROT_READ) == KERN_SUCCESS);
	CHECK(vm_inherit(self, a + PAGE_SIZE, PAGE_SIZE, VM_INHERIT_SHARE) == KERN_SUCCESS);
	CHECK(vm_inherit(self, a, PAGE_SIZE, 3) == KERN_INVALID_ARGUMENT);
	CHECK(vm_protect(self, a, PAGE_SIZE, FALSE, 0x40) == KERN_INVALID_ARGUMENT);

	at = a + PAGE_SIZE;
	CHECK(vm_region(self, &at, &size, &prot, &max, &inherit, &shared, &object, &offset) == KERN_SUCCESS);
	CHECK(at == a + PAGE_SIZE && size == PAGE_SIZE);
	CHECK(prot == VM_PROT_READ && max == VM_PROT_ALL && inherit == VM_INHERIT_SHARE);
	if (MACH_PORT_VALID(object))
		mach_port_deallocate(self, object);

	CHECK(vm_protect(self, a, PAGE_SIZE, TRUE, VM_PROT_READ) == KERN_SUCCESS);
	CHECK(vm_protect(self, a, PAGE_SIZE, FALSE, VM_PROT_DEFAULT) == KERN_PROTECTION_FAILURE);
	CHECK(*(volatile char *)a == 0);
	CHECK(vm_deallocate(self, a, 3 * PAGE_SIZE) == KERN_SUCCESS);
	return 0;
}

/* All eleven arguments arrive: alignment by mask, protections, inheritance. */
static int mapping(void)
{
	vm_address_t a = 0, at;
	vm_size_t size;
	vm_prot_t prot, max;
	vm_inherit_t inherit;
	boolean_t shared;
	memory_object_name_t object;
	vm_offset_t offset;

	CHECK(vm_map(self, &a, PAGE_SIZE, 0xffff, TRUE, MEMORY_OBJECT_NULL, 0, FALSE, VM_PROT_READ,
		  VM_PROT_READ | VM_PROT_WRITE, VM_INHERIT_NONE) == KERN_SUCCESS);
	CHECK((a & 0xffff) == 0);
	at = a;
	CHECK(vm_region(self, &at, &size, &prot, &max, &inherit, &shared, &object, &offset) == KERN_SUCCESS);
	CHECK(at == a && size == PAGE_SIZE && prot == VM_PROT_READ);
	CHECK(max == (VM_PROT_READ | VM_PROT_WRITE) && inherit == VM_INHERIT_NONE);
	if (MACH_PORT_VALID(object))
		mach_port_deallocate(self, object);
	CHECK(*(volatile char *)a == 0);
	CHECK(vm_map(self, &a, PAGE_SIZE, 0, TRUE, MEMORY_OBJECT_NULL, 0, FALSE, VM_PROT_READ, VM_PROT_ALL, 3) ==
	    KERN_INVALID_ARGUMENT);
	CHECK(vm_map(self, &a, PAGE_SIZE, 0, TRUE, mach_task_self(), 0, FALSE, VM_PROT_READ, VM_PROT_ALL,
		  VM_INHERIT_COPY) == KERN_INVALID_ARGUMENT);
	CHECK(vm_deallocate(self, a, PAGE_SIZE) == KERN_SUCCESS);
	return 0;
}

static int statistics(void)
{
	vm_statistics_data_t all;

	CHECK(vm_statistics(self, &all) == KERN_SUCCESS);
	CHECK(all.pagesize == (integer_t)PAGE_SIZE && all.free_count > 0);
	return 0;
}

int main(void)
{
	self = mach_task_self();
	RUN(allocation());
	RUN(copies());
	RUN(protection());
	RUN(mapping());
	RUN(statistics());
	return 0;
}
