/* Threads made by hand: a stack and a place to begin, for one of thread_create. */
#include <mach.h>
#include <mach/thread_status.h>
#include <machemu/thread_area.h>

#define STACK_SIZE (64UL << 10) /* octets, where the caller does not say */

static kern_return_t get_state(thread_t thread, struct riscv64_thread_state *state)
{
	mach_msg_type_number_t count = RISCV64_THREAD_STATE_COUNT;

	return thread_get_state(thread, RISCV64_THREAD_STATE, (thread_state_t)state, &count);
}

static kern_return_t set_state(thread_t thread, struct riscv64_thread_state *state)
{
	return thread_set_state(thread, RISCV64_THREAD_STATE, (thread_state_t)state, RISCV64_THREAD_STATE_COUNT);
}

/* The stack's lowest page is without access.  On an error none is left. */
static kern_return_t make_stack(task_t task, vm_address_t *base, vm_size_t *size)
{
	kern_return_t kr = vm_allocate(task, base, *size, TRUE);

	if (kr != KERN_SUCCESS)
		return kr;
	kr = vm_protect(task, *base, vm_page_size, FALSE, VM_PROT_NONE);
	if (kr != KERN_SUCCESS)
		vm_deallocate(task, *base, *size);
	return kr;
}

kern_return_t mach_setup_thread(task_t task, thread_t thread, void *pc, vm_address_t *stack_base,
    vm_size_t *stack_size)
{
	struct riscv64_thread_state state = {.pc = (uint64_t)pc};
	vm_address_t base = 0;
	vm_size_t size = stack_size != NULL && *stack_size != 0 ? round_page(*stack_size) : STACK_SIZE;
	kern_return_t kr;

	size += vm_page_size; /* the guard */
	kr = make_stack(task, &base, &size);
	if (kr != KERN_SUCCESS)
		return kr;
	state.x[RISCV64_SP] = base + size;
	__asm__("mv %0, gp" : "=r"(state.x[RISCV64_GP]));
	kr = set_state(thread, &state);
	if (kr != KERN_SUCCESS) {
		vm_deallocate(task, base, size);
		return kr;
	}
	if (stack_base != NULL)
		*stack_base = base;
	if (stack_size != NULL)
		*stack_size = size;
	return KERN_SUCCESS;
}

kern_return_t mach_setup_tls(thread_t thread)
{
	struct riscv64_thread_state state;
	vm_address_t area = 0;
	vm_size_t size = thread_area_size();
	kern_return_t kr = get_state(thread, &state);

	if (kr != KERN_SUCCESS)
		return kr;
	kr = vm_allocate(mach_task_self(), &area, size, TRUE);
	if (kr != KERN_SUCCESS)
		return kr;
	state.x[RISCV64_TP] = (uint64_t)thread_area_make((void *)area);
	kr = set_state(thread, &state);
	if (kr != KERN_SUCCESS)
		vm_deallocate(mach_task_self(), area, size);
	return kr;
}
