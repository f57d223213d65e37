/* A kernel thread and its stack: made before it runs, cleared away by another thread.

       guard page | stack, growing down | thread area | _Thread_local variables | */
#include <stdlib.h>

#include <mach.h>
#include <mach/thread_status.h>
#include <machemu/thread_area.h>

#include "cthread.h"

vm_size_t cthread_stack_size = CTHREAD_STACK_SIZE;

static bool make_stack(struct cthread *thread)
{
	vm_size_t above = round_page(thread_area_size());
	mach_port_t self = mach_task_self();

	thread->size = PAGE_SIZE + round_page(cthread_stack_size) + above;
	if (vm_allocate(self, &thread->stack, thread->size, TRUE) != KERN_SUCCESS)
		return false;
	thread->area = (struct thread_area *)(thread->stack + thread->size - above);
	return vm_protect(self, thread->stack, PAGE_SIZE, FALSE, VM_PROT_NONE) == KERN_SUCCESS;
}

static bool make_thread(struct cthread *thread)
{
	struct riscv64_thread_state state = {.pc = (uint64_t)cthread_begin};

	if (thread_create(mach_task_self(), &thread->thread) != KERN_SUCCESS)
		return false;
	state.x[RISCV64_SP] = (uint64_t)thread->area;
	state.x[RISCV64_TP] = (uint64_t)thread_area_make(thread->area);
	state.x[RISCV64_A0] = (uint64_t)thread;
	thread->area->cthread = thread;
	return thread_set_state(thread->thread, RISCV64_THREAD_STATE, (thread_state_t)&state,
		   RISCV64_THREAD_STATE_COUNT) == KERN_SUCCESS;
}

bool cthread_make(struct cthread *thread)
{
	return make_stack(thread) && make_thread(thread);
}

static void end_port(mach_port_t port)
{
	if (port != MACH_PORT_NULL)
		mach_port_mod_refs(mach_task_self(), port, MACH_PORT_RIGHT_RECEIVE, -1);
}

void cthread_clear(struct cthread *thread)
{
	mach_port_t self = mach_task_self();

	if (thread->thread != MACH_PORT_NULL) {
		thread_terminate(thread->thread); /* an error: it has ended by itself */
		mach_port_deallocate(self, thread->thread);
		end_port(thread->reply_port);
		end_port(thread->area->wake_port);
	}
	if (thread->stack != 0)
		vm_deallocate(self, thread->stack, thread->size);
	free(thread);
}
