/* mach-abi.md 8.2, 8.4: attributes of an object, its copies, and the default memory manager */
#include <mach/bootstrap.h>

#include "check.h"
#include "pager_thread.h"

static int attributes_are_told_and_changed(vm_address_t *base)
{
	boolean_t ready, may_cache;
	memory_object_copy_strategy_t strategy;

	CHECK(map_object(base, FALSE) == KERN_SUCCESS);
	CHECK(heard(INIT, 0, PAGE_SIZE, 0));
	CHECK(memory_object_get_attributes(control, &ready, &may_cache, &strategy) == KERN_SUCCESS);
	CHECK(!ready && !may_cache && strategy == MEMORY_OBJECT_COPY_NONE);
	CHECK(memory_object_ready(control, TRUE, MEMORY_OBJECT_COPY_DELAY) == KERN_SUCCESS);
	CHECK(memory_object_get_attributes(control, &ready, &may_cache, &strategy) == KERN_SUCCESS);
	CHECK(ready && may_cache && strategy == MEMORY_OBJECT_COPY_DELAY);
	CHECK(memory_object_change_attributes(control, TRUE, 17, replies) == KERN_SUCCESS);
	CHECK(memory_object_get_attributes(control, &ready, &may_cache, &strategy) == KERN_SUCCESS);
	CHECK(strategy == MEMORY_OBJECT_COPY_DELAY && hear()->what == 0);
	CHECK(memory_object_get_attributes(mach_task_self(), &ready, &may_cache, &strategy) == KERN_INVALID_ARGUMENT);
	return 0;
}

static int object_is_kept_if_it_may_be(vm_address_t *base)
{
	CHECK(*octet_of(*base, 0) == 1);
	CHECK(heard(REQUEST, 0, PAGE_SIZE, VM_PROT_READ));
	*octet_of(*base, 0) = 0x41;
	CHECK(vm_deallocate(mach_task_self(), *base, PAGES * PAGE_SIZE) == KERN_SUCCESS);
	CHECK(hear()->what == 0);
	CHECK(map_object(base, FALSE) == KERN_SUCCESS);
	CHECK(*octet_of(*base, 0) == 0x41);
	CHECK(hear()->what == 0);
	return 0;
}

static int copies_do_not_see_later_writes(vm_address_t base)
{
	vm_address_t copy;

	CHECK(map_object(&copy, TRUE) == KERN_SUCCESS);
	*octet_of(base, 0) = 0x42;
	CHECK(*octet_of(copy, 0) == 0x41);
	*octet_of(copy, 1) = 0x43;
	CHECK(heard(REQUEST, PAGE_SIZE, PAGE_SIZE, VM_PROT_READ));
	CHECK(*octet_of(base, 1) == 2);
	CHECK(vm_deallocate(mach_task_self(), copy, PAGES * PAGE_SIZE) == KERN_SUCCESS);
	return 0;
}

static int cached_object_ends_when_it_may_not_be_kept(vm_address_t base)
{
	CHECK(vm_deallocate(mach_task_self(), base, PAGES * PAGE_SIZE) == KERN_SUCCESS);
	CHECK(memory_object_change_attributes(control, FALSE, MEMORY_OBJECT_COPY_NONE, replies) == KERN_SUCCESS);
	CHECK(heard(CHANGE_COMPLETED, FALSE, MEMORY_OBJECT_COPY_NONE, 0));
	CHECK(heard(RETURN, 0, PAGE_SIZE, 1));
	CHECK(heard(TERMINATE, 0, 0, 0));
	return 0;
}

static int default_manager_is_set_and_told(void)
{
	mach_port_t host, master, manager = MACH_PORT_NULL, first = object;

	CHECK(bootstrap_privileged_ports(bootstrap_port, &host, &master) == KERN_SUCCESS);
	CHECK(vm_set_default_memory_manager(host, &manager) == KERN_SUCCESS);
	CHECK(manager == MACH_PORT_NULL);
	manager = first;
	CHECK(vm_set_default_memory_manager(host, &manager) == KERN_SUCCESS);
	CHECK(manager == MACH_PORT_NULL);
	CHECK(vm_set_default_memory_manager(host, &manager) == KERN_SUCCESS);
	CHECK(manager == first);
	CHECK(vm_set_default_memory_manager(mach_host_self(), &manager) == KERN_INVALID_HOST);
	return 0;
}

int main(void)
{
	vm_address_t base;

	CHECK(start_pager() == KERN_SUCCESS);
	RUN(attributes_are_told_and_changed(&base));
	RUN(object_is_kept_if_it_may_be(&base));
	RUN(copies_do_not_see_later_writes(base));
	RUN(cached_object_ends_when_it_may_not_be_kept(base));
	RUN(default_manager_is_set_and_told());
	return 0;
}
