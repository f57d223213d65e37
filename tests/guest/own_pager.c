/* A pager with a replacement policy of its own, in one thread, and a program that walks round
   over its pages, in the other: one page more than the pager keeps in memory.  The program
   tells the pager, as only an application can, when it used each page.

   Arguments: the policy, lru or mru (or dead: the pager gives up when it is first asked), the
   frames it keeps, the rounds of the walk.  Prints references and faults. */
#include <mach.h>
#include <mach/memory_object.h>
#include <mach/thread_status.h>
#include <mach/vm_param.h>
#include <mig/memory_object_server.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define FRAMES_MAX 64
#define STACK_OCTETS 0x8000

static mach_port_t object;
static bool most_recent, dead;
static unsigned frames, resident_count, faults;
static unsigned resident[FRAMES_MAX];              /* pages in memory, in no order */
static volatile unsigned last_use[FRAMES_MAX + 1]; /* of each page, by number of reference */

kern_return_t serve_memory_object_init(mach_port_t port, mach_port_t control, mach_port_t name,
    vm_size_t page_size)
{
	(void)port;
	(void)name;
	return page_size == PAGE_SIZE ? memory_object_ready(control, FALSE, MEMORY_OBJECT_COPY_NONE)
	                              : KERN_INVALID_ARGUMENT;
}

/* Make room for one more page: the one used last, or longest ago, goes. */
static void replace(mach_port_t control)
{
	unsigned victim = 0;

	for (unsigned at = 1; at < resident_count; at++)
		if ((last_use[resident[at]] > last_use[resident[victim]]) == most_recent)
			victim = at;
	memory_object_lock_request(control, resident[victim] * PAGE_SIZE, PAGE_SIZE, MEMORY_OBJECT_RETURN_NONE,
	    TRUE, VM_PROT_NO_CHANGE, MACH_PORT_NULL);
	resident[victim] = resident[--resident_count];
}

kern_return_t serve_memory_object_data_request(mach_port_t port, mach_port_t control, vm_offset_t offset,
    vm_size_t length, vm_prot_t access)
{
	vm_address_t page = 0;

	(void)access;
	if (dead)
		return mach_port_destroy(mach_task_self(), port);
	if (length != PAGE_SIZE || vm_allocate(mach_task_self(), &page, PAGE_SIZE, TRUE) != KERN_SUCCESS)
		return memory_object_data_error(control, offset, length, KERN_FAILURE);
	faults++;
	if (resident_count == frames)
		replace(control);
	resident[resident_count++] = (unsigned)(offset / PAGE_SIZE);
	*(vm_offset_t *)page = offset + 1;
	return memory_object_data_supply(control, offset, page, PAGE_SIZE, TRUE, VM_PROT_NONE, FALSE,
	    MACH_PORT_NULL);
}

static void serve(void)
{
	mach_msg_server(memory_object_server, 512, object);
	for (;;)
		thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 1000);
}

static kern_return_t start_pager(void)
{
	struct riscv64_thread_state state = {0};
	vm_address_t stack = 0;
	mach_port_t thread;
	kern_return_t kr = vm_allocate(mach_task_self(), &stack, STACK_OCTETS, TRUE);

	if (kr == KERN_SUCCESS)
		kr = thread_create(mach_task_self(), &thread);
	__asm__("mv %0, gp" : "=r"(state.x[RISCV64_GP]));
	state.x[RISCV64_SP] = stack + STACK_OCTETS - 16;
	state.pc = (uint64_t)serve;
	if (kr == KERN_SUCCESS)
		kr = thread_set_state(thread, RISCV64_THREAD_STATE, (thread_state_t)&state,
		    RISCV64_THREAD_STATE_COUNT);
	return kr == KERN_SUCCESS ? thread_resume(thread) : kr;
}

int main(int argc, char **argv)
{
	unsigned rounds, references = 0;
	vm_address_t base = 0;
	mach_port_t task = mach_task_self();

	CHECK(argc == 4);
	most_recent = strcmp(argv[1], "mru") == 0;
	dead = strcmp(argv[1], "dead") == 0;
	frames = (unsigned)strtoul(argv[2], NULL, 10);
	rounds = (unsigned)strtoul(argv[3], NULL, 10);
	CHECK(frames > 0 && frames <= FRAMES_MAX);
	CHECK(mach_port_allocate(task, MACH_PORT_RIGHT_RECEIVE, &object) == KERN_SUCCESS);
	CHECK(mach_port_insert_right(task, object, object, MACH_MSG_TYPE_MAKE_SEND) == KERN_SUCCESS);
	CHECK(start_pager() == KERN_SUCCESS);
	CHECK(vm_map(task, &base, (frames + 1) * PAGE_SIZE, 0, TRUE, object, 0, FALSE, VM_PROT_READ, VM_PROT_READ,
	          VM_INHERIT_NONE) == KERN_SUCCESS);
	for (unsigned round = 0; round < rounds; round++)
		for (unsigned page = 0; page <= frames; page++) {
			CHECK(*(volatile vm_offset_t *)(base + page * PAGE_SIZE) == page * PAGE_SIZE + 1);
			last_use[page] = ++references;
		}
	printf("references %u faults %u\n", references, faults);
	return 0;
}
