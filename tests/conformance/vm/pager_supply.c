/* mach-abi.md 8.2, 8.3: what a pager can answer, and what becomes of the page */
#include "check.h"
#include "pager_thread.h"

static int object_begins(vm_address_t *base)
{
	CHECK(start_pager() == KERN_SUCCESS);
	CHECK(map_object(base, FALSE) == KERN_SUCCESS);
	CHECK(heard(INIT, 0, PAGE_SIZE, 0));
	CHECK(memory_object_ready(control, FALSE, MEMORY_OBJECT_COPY_DELAY) == KERN_SUCCESS);
	return 0;
}

static int pages_are_supplied_or_zeros(vm_address_t base)
{
	plan[1] = UNAVAILABLE;
	CHECK(*octet_of(base, 0) == 1);
	CHECK(heard(REQUEST, 0, PAGE_SIZE, VM_PROT_READ));
	CHECK(*octet_of(base, 1) == 0);
	CHECK(heard(REQUEST, PAGE_SIZE, PAGE_SIZE, VM_PROT_READ));
	*octet_of(base, 2) = 9;
	CHECK(heard(REQUEST, 2 * PAGE_SIZE, PAGE_SIZE, VM_PROT_WRITE));
	CHECK(octet_of(base, 2)[0] == 9 && octet_of(base, 2)[1] == 3);
	return 0;
}

static int lock_is_undone_on_demand(vm_address_t base)
{
	plan[3] = SUPPLY_LOCKED;
	CHECK(*octet_of(base, 3) == 4);
	CHECK(heard(REQUEST, 3 * PAGE_SIZE, PAGE_SIZE, VM_PROT_READ));
	*octet_of(base, 3) = 8;
	CHECK(heard(UNLOCK, 3 * PAGE_SIZE, PAGE_SIZE, VM_PROT_WRITE));
	CHECK(*octet_of(base, 3) == 8);
	return 0;
}

static int supply_is_completed(void)
{
	struct news *it;
	vm_address_t data = 0;

	CHECK(memory_object_data_supply(control, 5 * PAGE_SIZE, page_of(6), PAGE_SIZE, TRUE, VM_PROT_NONE, FALSE,
	          replies) == KERN_SUCCESS);
	CHECK(heard(SUPPLY_COMPLETED, 5 * PAGE_SIZE, PAGE_SIZE, KERN_SUCCESS));
	CHECK(vm_allocate(mach_task_self(), &data, 3 * PAGE_SIZE, TRUE) == KERN_SUCCESS);
	CHECK(memory_object_data_supply(control, 4 * PAGE_SIZE, data, 3 * PAGE_SIZE, FALSE, VM_PROT_NONE, FALSE,
	          replies) == KERN_SUCCESS);
	it = hear(); /* page 5 is there already, and the rest is not supplied */
	CHECK(it->what == SUPPLY_COMPLETED && it->code == KERN_MEMORY_PRESENT && it->value == PAGE_SIZE);
	CHECK(*(volatile int *)data == 0); /* it was not to be deallocated */
	return 0;
}

static int kernels_own_copies_wait_too(vm_address_t base)
{
	vm_offset_t data = 0;
	mach_msg_type_number_t count = 0;

	CHECK(vm_read(mach_task_self(), base + 6 * PAGE_SIZE, PAGE_SIZE, &data, &count) == KERN_SUCCESS);
	CHECK(count == PAGE_SIZE && *(unsigned char *)data == 7);
	CHECK(heard(REQUEST, 6 * PAGE_SIZE, PAGE_SIZE, VM_PROT_READ));
	plan[7] = ERROR;
	CHECK(vm_read(mach_task_self(), base + 7 * PAGE_SIZE, PAGE_SIZE, &data, &count) == KERN_MEMORY_ERROR);
	CHECK(heard(REQUEST, 7 * PAGE_SIZE, PAGE_SIZE, VM_PROT_READ));
	CHECK(vm_read(mach_task_self(), base + 7 * PAGE_SIZE, PAGE_SIZE, &data, &count) == KERN_MEMORY_ERROR);
	CHECK(heard(REQUEST, 7 * PAGE_SIZE, PAGE_SIZE, VM_PROT_READ)); /* errors are not remembered */
	return 0;
}

int main(void)
{
	vm_address_t base;

	RUN(object_begins(&base));
	RUN(pages_are_supplied_or_zeros(base));
	RUN(lock_is_undone_on_demand(base));
	RUN(supply_is_completed());
	RUN(kernels_own_copies_wait_too(base));
	return 0;
}
