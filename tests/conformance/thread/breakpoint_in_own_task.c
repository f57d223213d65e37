/* mach-abi.md 9.4: a breakpoint in another thread of one's own task, and a step over a trap. */
#include <string.h>

#include "check.h"
#include "exception_port.h"
#include "threads.h"

#define TIMEOUT_MS 1000

static volatile int calls;
static volatile mach_port_t found;

__attribute__((noinline, aligned(4096))) static void on_a_page_of_its_own(void)
{
	calls++;
	found = (mach_task_self)(); /* the trap */
}

__attribute__((noinline, aligned(4096))) static void work(long unused)
{
	(void)unused;
	for (;;)
		on_a_page_of_its_own();
}

static kern_return_t patch(uint16_t *place, uint16_t new, uint16_t *old)
{
	vm_address_t page = trunc_page((vm_address_t)place);
	kern_return_t kr = vm_protect(mach_task_self(), page, PAGE_SIZE, FALSE, VM_PROT_READ | VM_PROT_WRITE);

	if (kr != KERN_SUCCESS)
		return kr;
	*old = *place;
	*place = new;
	return vm_protect(mach_task_self(), page, PAGE_SIZE, FALSE, VM_PROT_READ | VM_PROT_EXECUTE);
}

int main(void)
{
	struct raised raised;
	struct riscv64_debug_state step = {.single_step = 1};
	struct riscv64_thread_state state;
	uint16_t *place = (uint16_t *)on_a_page_of_its_own, old, trap;
	mach_port_t thread = new_thread(mach_task_self(), work, 0);
	mach_port_t port = watch_thread(thread);
	int steps = 0;

	CHECK(patch(place, 0x9002, &old) == KERN_SUCCESS);
	CHECK(thread_resume(thread) == KERN_SUCCESS);
	CHECK(take_exception(port, &raised, TIMEOUT_MS) == MACH_MSG_SUCCESS);
	CHECK(raised.code == EXC_RISCV64_BREAKPOINT && raised.subcode == (uint64_t)place && calls == 0);

	/* By steps to where it was called from: the trap is one step like any other. */
	CHECK(patch(place, old, &trap) == KERN_SUCCESS && trap == 0x9002);
	CHECK(thread_set_state(thread, RISCV64_DEBUG_STATE, (thread_state_t)&step, RISCV64_DEBUG_STATE_COUNT) ==
	    KERN_SUCCESS);
	CHECK(get_registers(thread, &state) == KERN_SUCCESS);
	while (raised.subcode != state.x[RISCV64_RA]) {
		CHECK(steps++ < 100);
		CHECK(answer_exception(&raised, KERN_SUCCESS) == MACH_MSG_SUCCESS);
		CHECK(take_exception(port, &raised, TIMEOUT_MS) == MACH_MSG_SUCCESS);
		CHECK(raised.exception == EXC_BREAKPOINT && raised.code == EXC_RISCV64_STEP);
	}
	CHECK(calls == 1 && found == mach_task_self() && steps > 5);

	/* Let go, it runs on by itself. */
	step.single_step = 0;
	CHECK(thread_set_state(thread, RISCV64_DEBUG_STATE, (thread_state_t)&step, RISCV64_DEBUG_STATE_COUNT) ==
	    KERN_SUCCESS);
	CHECK(answer_exception(&raised, KERN_SUCCESS) == MACH_MSG_SUCCESS);
	sleep_ms(20);
	CHECK(calls > 100);
	CHECK(take_exception(port, &raised, 10) == MACH_RCV_TIMED_OUT);
	CHECK(thread_terminate(thread) == KERN_SUCCESS);
	return 0;
}
