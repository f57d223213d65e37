/* Traps that do nothing, switches of context, faults on fresh pages. */
#include "bench.h"

/* mach_msg with neither half asked for: all of a trap's path and none of its work. */
int bench_trap(uint64_t rounds, uint64_t count, mach_port_t port)
{
	while (rounds-- > 0) {
		bench_begin();
		for (uint64_t i = 0; i < count; i++)
			mach_msg_trap(NULL, MACH_MSG_OPTION_NONE, 0, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL);
		bench_end(port);
	}
	return 0;
}

/* Two tasks that run this switch at every call. */
int bench_switch(uint64_t rounds, uint64_t count, mach_port_t port)
{
	while (rounds-- > 0) {
		bench_begin();
		for (uint64_t i = 0; i < count; i++)
			swtch();
		bench_end(port);
	}
	return 0;
}

/* Where the pages are when there is no kernel to ask for them. */
#define BARE_PAGES 0x100000000

int bench_touch(uint64_t rounds, uint64_t count, mach_port_t port)
{
	while (rounds-- > 0) {
		vm_address_t place = BARE_PAGES;

		if (syscall_vm_allocate(mach_task_self(), &place, count * PAGE_SIZE, TRUE) != KERN_SUCCESS)
			return 1;
		bench_begin();
		for (uint64_t i = 0; i < count; i++)
			*(volatile char *)(place + i * PAGE_SIZE) = 1;
		bench_end(port);
		syscall_vm_deallocate(mach_task_self(), place, count * PAGE_SIZE);
	}
	return 0;
}
