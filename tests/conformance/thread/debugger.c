/* mach-abi.md 9.4, 9.2: a debugger of another task: breakpoints, single steps, registers, memory. */
#include <string.h>

#include "check.h"
#include "exception_port.h"
#include "threads.h"

#define TIMEOUT_MS 1000
#define CALLS      4

static const uint16_t C_EBREAK = 0x9002; /* 2 octets: fits over any instruction */
static volatile long result;

__attribute__((noinline)) static long triple(long value)
{
	__asm__ volatile("" : "+r"(value));
	return 3 * value;
}

/* What the debugged task does. */
static void work(long first)
{
	for (long i = first; i < first + CALLS; i++)
		result += triple(i);
	__asm__ volatile("ebreak"); /* a stop of its own */
	for (;;)
		thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 1000);
}

/* -- the debugger ------------------------------------------------------------ */

static mach_port_t task, thread, port;
static struct raised raised;

/* Writes code of the debugged task; what was there goes to `old`. */
static kern_return_t patch(vm_address_t address, uint16_t new, uint16_t *old)
{
	vm_address_t page = trunc_page(address), data;
	mach_msg_type_number_t size;
	kern_return_t kr = vm_read(task, page, PAGE_SIZE, (pointer_t *)&data, &size);

	if (kr != KERN_SUCCESS)
		return kr;
	memcpy(old, (char *)data + (address - page), sizeof *old);
	memcpy((char *)data + (address - page), &new, sizeof new);
	kr = vm_protect(task, page, PAGE_SIZE, FALSE, VM_PROT_READ | VM_PROT_WRITE);
	if (kr == KERN_SUCCESS)
		kr = vm_write(task, page, (pointer_t)data, size);
	if (kr == KERN_SUCCESS)
		kr = vm_protect(task, page, PAGE_SIZE, FALSE, VM_PROT_READ | VM_PROT_EXECUTE);
	vm_deallocate(mach_task_self(), data, size);
	return kr;
}

static kern_return_t single_step(boolean_t on)
{
	struct riscv64_debug_state state = {.single_step = (uint32_t)on};

	return thread_set_state(thread, RISCV64_DEBUG_STATE, (thread_state_t)&state, RISCV64_DEBUG_STATE_COUNT);
}

/* Lets it go on until the next exception. */
static mach_msg_return_t go(void)
{
	mach_msg_return_t mr = answer_exception(&raised, KERN_SUCCESS);

	return mr == MACH_MSG_SUCCESS ? take_exception(port, &raised, TIMEOUT_MS) : mr;
}

static boolean_t stopped_by(integer_t code, uint64_t at)
{
	struct riscv64_thread_state state;

	return raised.thread.name == thread && raised.task.name == task && raised.exception == EXC_BREAKPOINT &&
	    raised.code == code && raised.subcode == at && get_registers(thread, &state) == KERN_SUCCESS &&
	    state.pc == at;
}

static int breakpoint_at_each_call(void)
{
	vm_address_t place = (vm_address_t)triple;
	struct riscv64_thread_state state;
	uint16_t instruction, trap;
	unsigned length;

	CHECK(patch(place, C_EBREAK, &instruction) == KERN_SUCCESS);
	length = (instruction & 3) == 3 ? 4 : 2;
	CHECK(thread_resume(thread) == KERN_SUCCESS);
	CHECK(take_exception(port, &raised, TIMEOUT_MS) == MACH_MSG_SUCCESS);
	for (int call = 0; call < CALLS; call++) {
		CHECK(stopped_by(EXC_RISCV64_BREAKPOINT, place));
		CHECK(get_registers(thread, &state) == KERN_SUCCESS && state.x[RISCV64_A0] == 10 + (uint64_t)call);
		if (call == 1) { /* another argument than it was given */
			state.x[RISCV64_A0] = 100;
			CHECK(set_registers(thread, &state) == KERN_SUCCESS);
		}
		/* Over the breakpoint: take it out, one instruction, put it back. */
		CHECK(patch(place, instruction, &trap) == KERN_SUCCESS && trap == C_EBREAK);
		CHECK(single_step(TRUE) == KERN_SUCCESS);
		CHECK(go() == MACH_MSG_SUCCESS && stopped_by(EXC_RISCV64_STEP, place + length));
		CHECK(single_step(FALSE) == KERN_SUCCESS);
		CHECK(patch(place, C_EBREAK, &instruction) == KERN_SUCCESS);
		CHECK(go() == MACH_MSG_SUCCESS);
	}
	/* Now at its own ebreak. */
	CHECK(raised.code == EXC_RISCV64_BREAKPOINT && raised.subcode != place);
	return 0;
}

static int its_memory(void)
{
	vm_address_t data;
	mach_msg_type_number_t size;

	CHECK(vm_read(task, trunc_page((vm_address_t)&result), PAGE_SIZE, (pointer_t *)&data, &size) == KERN_SUCCESS);
	CHECK(*(long *)(data + ((vm_address_t)&result & PAGE_MASK)) == 3 * (10 + 100 + 12 + 13));
	CHECK(result == 0 && triple(2) == 6); /* ours is another copy, and has no breakpoint */
	return 0;
}

/* Past the ebreak and on by 200 steps, through a trap in which it waits. */
static int many_steps(void)
{
	struct riscv64_thread_state state;

	CHECK(get_registers(thread, &state) == KERN_SUCCESS);
	state.pc += *(uint16_t *)state.pc == C_EBREAK ? 2 : 4;
	CHECK(set_registers(thread, &state) == KERN_SUCCESS);
	CHECK(single_step(TRUE) == KERN_SUCCESS);
	for (int i = 0; i < 200; i++) {
		CHECK(answer_exception(&raised, KERN_SUCCESS) == MACH_MSG_SUCCESS);
		CHECK(take_exception(port, &raised, 3 * TIMEOUT_MS) == MACH_MSG_SUCCESS);
		CHECK(stopped_by(EXC_RISCV64_STEP, raised.subcode));
	}
	return 0;
}

int main(void)
{
	CHECK(task_create(mach_task_self(), TRUE, &task) == KERN_SUCCESS);
	port = watch_task(task);
	thread = new_thread(task, work, 10);
	CHECK(thread != MACH_PORT_NULL);
	RUN(breakpoint_at_each_call());
	RUN(its_memory());
	RUN(many_steps());
	CHECK(task_terminate(task) == KERN_SUCCESS);
	return 0;
}
