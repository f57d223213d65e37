/* Threads of a program that tests threads: each runs on a stack of its own, and ends with
   thread_terminate or with its task. */
#ifndef THREADS_H
#define THREADS_H

#include <mach.h>
#include <mach/mig_support.h>
#include <mach/thread_status.h>

#define STACK_OCTETS 0x4000

/* A thread of `task`, suspended once, about to call `function`(`argument`).  `task` has this
   program's code and data: it is this one or has inherited them. */
static inline mach_port_t new_thread(mach_port_t task, void (*function)(long), long argument)
{
	struct riscv64_thread_state state = {0};
	vm_address_t stack = 0;
	mach_port_t thread = MACH_PORT_NULL;

	if (vm_allocate(task, &stack, STACK_OCTETS, TRUE) != KERN_SUCCESS ||
	    thread_create(task, &thread) != KERN_SUCCESS)
		return MACH_PORT_NULL;
	__asm__("mv %0, gp" : "=r"(state.x[RISCV64_GP]));
	state.x[RISCV64_SP] = stack + STACK_OCTETS - 16;
	state.x[RISCV64_A0] = (uint64_t)argument;
	state.pc = (uint64_t)function;
	if (thread_set_state(thread, RISCV64_THREAD_STATE, (thread_state_t)&state,
	        RISCV64_THREAD_STATE_COUNT) != KERN_SUCCESS)
		return MACH_PORT_NULL;
	return thread;
}

/* The same, running. */
static inline mach_port_t start_thread(mach_port_t task, void (*function)(long), long argument)
{
	mach_port_t thread = new_thread(task, function, argument);

	return thread != MACH_PORT_NULL && thread_resume(thread) == KERN_SUCCESS ? thread : MACH_PORT_NULL;
}

static inline kern_return_t get_registers(mach_port_t thread, struct riscv64_thread_state *state)
{
	mach_msg_type_number_t count = RISCV64_THREAD_STATE_COUNT;

	return thread_get_state(thread, RISCV64_THREAD_STATE, (thread_state_t)state, &count);
}

static inline kern_return_t set_registers(mach_port_t thread, const struct riscv64_thread_state *state)
{
	return thread_set_state(thread, RISCV64_THREAD_STATE, (thread_state_t)state, RISCV64_THREAD_STATE_COUNT);
}

/* First in a task that inherited its memory: the names in there are its parent's. */
static inline void be_oneself(void)
{
	mach_init();
	mig_init(NULL);
}

/* Let the others run for so long. */
static inline void sleep_ms(unsigned ms)
{
	thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, ms);
}

#endif
