/* mach-abi.md 8.2, 8.3: lock_request, and the end of an object */
#include "check.h"
#include "pager_thread.h"

static int object_begins(vm_address_t *base)
{
	CHECK(map_object(base, FALSE) == KERN_SUCCESS);
	CHECK(heard(INIT, 0, PAGE_SIZE, 0));
	CHECK(memory_object_ready(control, FALSE, MEMORY_OBJECT_COPY_DELAY) == KERN_SUCCESS);
	return 0;
}

static int touch(vm_address_t base, unsigned page, enum answer answer)
{
	plan[page] = answer;
	CHECK(*octet_of(base, page) == page + 1);
	CHECK(heard(REQUEST, page * PAGE_SIZE, PAGE_SIZE, VM_PROT_READ));
	return 0;
}

static int lock_requests_return_and_flush(vm_address_t base)
{
	RUN(touch(base, 0, SUPPLY));
	RUN(touch(base, 1, SUPPLY));
	RUN(touch(base, 2, SUPPLY_PRECIOUS));
	*octet_of(base, 1) = 0x55;
	CHECK(memory_object_lock_request(control, 0, PAGES * PAGE_SIZE, MEMORY_OBJECT_RETURN_DIRTY, FALSE,
	          VM_PROT_NO_CHANGE, replies) == KERN_SUCCESS);
	CHECK(heard(RETURN, PAGE_SIZE, PAGE_SIZE, 1 + 2)); /* changed, and the kernel keeps it */
	CHECK(heard(RETURN, 2 * PAGE_SIZE, PAGE_SIZE, 2)); /* precious */
	CHECK(heard(LOCK_COMPLETED, 0, PAGES * PAGE_SIZE, 0));
	CHECK(*octet_of(base, 1) == 0x55);
	CHECK(memory_object_lock_request(control, 0, 2 * PAGE_SIZE, MEMORY_OBJECT_RETURN_ALL, TRUE,
	          VM_PROT_NO_CHANGE, replies) == KERN_SUCCESS);
	CHECK(heard(RETURN, 0, 2 * PAGE_SIZE, 0)); /* both unchanged since they were returned */
	CHECK(heard(LOCK_COMPLETED, 0, 2 * PAGE_SIZE, 0));
	RUN(touch(base, 1, SUPPLY)); /* the flushed page is asked for again */
	return 0;
}

static int bad_lock_requests_are_dropped(vm_address_t base)
{
	CHECK(memory_object_lock_request(control, 0, PAGE_SIZE, 7, TRUE, VM_PROT_NO_CHANGE, replies)
	    == KERN_SUCCESS);
	CHECK(memory_object_lock_request(control, 0, PAGE_SIZE, MEMORY_OBJECT_RETURN_NONE, TRUE, 0x40, replies)
	    == KERN_SUCCESS);
	CHECK(memory_object_lock_request(control, 1, PAGE_SIZE, MEMORY_OBJECT_RETURN_NONE, TRUE, 0, replies)
	    == KERN_SUCCESS);
	CHECK(*octet_of(base, 1) == 2);
	CHECK(hear()->what == 0);
	return 0;
}

static int last_unmapping_ends_the_object(vm_address_t base)
{
	vm_address_t again;

	*octet_of(base, 1) = 0x66;
	CHECK(map_object(&again, FALSE) == KERN_SUCCESS); /* the same object: no second init */
	CHECK(*octet_of(again, 1) == 0x66);
	CHECK(vm_deallocate(mach_task_self(), base, PAGES * PAGE_SIZE) == KERN_SUCCESS);
	CHECK(hear()->what == 0);
	CHECK(vm_deallocate(mach_task_self(), again, PAGES * PAGE_SIZE) == KERN_SUCCESS);
	CHECK(heard(RETURN, PAGE_SIZE, PAGE_SIZE, 1));
	CHECK(heard(TERMINATE, 0, 0, 0));
	return 0;
}

static int destroyed_object_fails(vm_address_t base)
{
	vm_offset_t data;
	mach_msg_type_number_t count;

	RUN(touch(base, 0, SUPPLY));
	*octet_of(base, 0) = 0x77;
	CHECK(memory_object_destroy(control, KERN_FAILURE) == KERN_SUCCESS);
	CHECK(heard(TERMINATE, 0, 0, 0));
	CHECK(*octet_of(base, 0) == 0x77); /* what is here stays */
	CHECK(vm_read(mach_task_self(), base + PAGE_SIZE, PAGE_SIZE, &data, &count) == KERN_MEMORY_ERROR);
	return 0;
}

int main(void)
{
	vm_address_t base;

	CHECK(start_pager() == KERN_SUCCESS);
	RUN(object_begins(&base));
	RUN(lock_requests_return_and_flush(base));
	RUN(bad_lock_requests_are_dropped(base));
	RUN(last_unmapping_ends_the_object(base));
	RUN(object_begins(&base)); /* mapped anew: a new object */
	RUN(destroyed_object_fails(base));
	return 0;
}
