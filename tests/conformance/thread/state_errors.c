/* mach-abi.md 9.2: states that cannot be told or set, and the two that are no registers. */
#include "check.h"
#include "threads.h"

#define COUNTED(flavor, state) flavor, (thread_state_t)&(state), flavor##_COUNT

static void loop(long unused)
{
	(void)unused;
	for (;;)
		;
}

static int exception_and_debug(void)
{
	struct riscv64_exception_state exception;
	struct riscv64_debug_state debug;
	mach_msg_type_number_t count = RISCV64_EXCEPTION_STATE_COUNT;
	mach_port_t thread = new_thread(mach_task_self(), loop, 0);

	CHECK(thread_get_state(thread, RISCV64_EXCEPTION_STATE, (thread_state_t)&exception, &count) == KERN_SUCCESS);
	CHECK(count == 6 && exception.scause == 0 && exception.stval == 0 && exception.sepc == 0);
	CHECK(thread_set_state(thread, COUNTED(RISCV64_EXCEPTION_STATE, exception)) == KERN_INVALID_ARGUMENT);
	count = RISCV64_DEBUG_STATE_COUNT;
	CHECK(thread_get_state(thread, RISCV64_DEBUG_STATE, (thread_state_t)&debug, &count) == KERN_SUCCESS);
	CHECK(count == 2 && debug.single_step == 0 && debug.pad == 0);
	debug.single_step = 2;
	CHECK(thread_set_state(thread, COUNTED(RISCV64_DEBUG_STATE, debug)) == KERN_INVALID_ARGUMENT);
	CHECK(thread_terminate(thread) == KERN_SUCCESS);
	return 0;
}

static int refused(void)
{
	natural_t words[RISCV64_FLOAT_STATE_COUNT] = {0};
	mach_port_t thread = new_thread(mach_task_self(), loop, 0), self = mach_thread_self();
	mach_msg_type_number_t count;

	for (int flavor = 0; flavor <= 4; flavor++) {
		count = 1; /* too little room for any */
		CHECK(thread_get_state(thread, flavor, words, &count) == KERN_INVALID_ARGUMENT);
		CHECK(thread_set_state(thread, flavor, words, 1) == KERN_INVALID_ARGUMENT);
		count = RISCV64_FLOAT_STATE_COUNT;
		CHECK(thread_get_state(self, flavor, words, &count) == KERN_INVALID_ARGUMENT);
	}
	count = RISCV64_FLOAT_STATE_COUNT;
	CHECK(thread_get_state(thread, 5, words, &count) == KERN_INVALID_ARGUMENT);
	CHECK(thread_get_state(thread, -1, words, &count) == KERN_INVALID_ARGUMENT);
	CHECK(thread_set_state(thread, 5, words, 2) == KERN_INVALID_ARGUMENT);
	CHECK(thread_set_state(thread, THREAD_STATE_FLAVOR_LIST, words, 4) == KERN_INVALID_ARGUMENT);
	CHECK(thread_set_state(self, RISCV64_THREAD_STATE, words, RISCV64_THREAD_STATE_COUNT) == KERN_INVALID_ARGUMENT);
	CHECK(thread_get_state(mach_task_self(), RISCV64_THREAD_STATE, words, &count) == KERN_INVALID_ARGUMENT);
	CHECK(thread_terminate(thread) == KERN_SUCCESS);
	count = RISCV64_FLOAT_STATE_COUNT;
	CHECK(thread_get_state(thread, RISCV64_THREAD_STATE, words, &count) == MACH_SEND_INVALID_DEST);
	return 0;
}

int main(void)
{
	RUN(exception_and_debug());
	RUN(refused());
	return 0;
}
