/* A table four times as large as the node's RAM: filled, changed in another order and added up. */
#include <mach.h>
#include <mach/vm_param.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"

static uint64_t value_of(uint64_t page)
{
	return page * 0x9e3779b97f4a7c15u ^ page >> 7;
}

int main(int argc, char **argv)
{
	uint64_t pages = strtoul(argc > 1 ? argv[1] : "64", NULL, 10), sum = 0, expected = 0;
	vm_address_t base = 0;

	CHECK(vm_allocate(mach_task_self(), &base, pages * PAGE_SIZE, TRUE) == KERN_SUCCESS);
	for (uint64_t page = 0; page < pages; page++)
		*(uint64_t *)(base + page * PAGE_SIZE + page % 500 * 8) = value_of(page);
	for (uint64_t page = 1; page < pages; page += 3)
		*(uint64_t *)(base + page * PAGE_SIZE + 4088) = page;
	for (uint64_t page = 0; page < pages; page++) {
		sum += *(uint64_t *)(base + page * PAGE_SIZE + page % 500 * 8);
		sum += *(uint64_t *)(base + page * PAGE_SIZE + 4088);
		expected += value_of(page) + (page % 3 == 1 ? page : 0);
	}
	CHECK(sum == expected);
	CHECK(vm_deallocate(mach_task_self(), base, pages * PAGE_SIZE) == KERN_SUCCESS);
	printf("sum %016llx\n", (unsigned long long)sum);
	return 0;
}
