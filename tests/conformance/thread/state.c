/* mach-abi.md 9.2: every flavor of thread state, of threads that run, wait and are suspended. */
#include <string.h>

#include "check.h"
#include "threads.h"

static volatile long counter;
static volatile double sum;

static void count(long unused)
{
	(void)unused;
	for (;;)
		counter++;
}

static void wait(long unused)
{
	mach_msg_header_t head;
	mach_port_t port = mach_reply_port();

	(void)unused;
	for (;;)
		mach_msg(&head, MACH_RCV_MSG, 0, sizeof head, port, 0, MACH_PORT_NULL);
}

static void compute(long unused)
{
	double third = 1.0;

	(void)unused;
	__asm__ volatile("fmv.d fs0, %1\n\tfdiv.d %0, %0, %1" : "+f"(third) : "f"(3.0) : "fs0");
	sum = third;
	for (;;)
		;
}

#define COUNTED(flavor, state) flavor, (thread_state_t)&(state), flavor##_COUNT

static int lists_its_flavors(mach_port_t thread)
{
	natural_t flavors[8];
	mach_msg_type_number_t count = 8;

	CHECK(thread_get_state(thread, THREAD_STATE_FLAVOR_LIST, flavors, &count) == KERN_SUCCESS && count == 4);
	for (natural_t i = 0; i < 4; i++)
		CHECK(flavors[i] == i + 1);
	return 0;
}

static int general(void)
{
	struct riscv64_thread_state state, other;
	mach_port_t thread = new_thread(mach_task_self(), count, 0);

	RUN(lists_its_flavors(thread));
	for (int i = 0; i < 31; i++)
		state.x[i] = 0x0123456789abcdef * (uint64_t)(i + 1);
	state.pc = (uint64_t)count;
	CHECK(set_registers(thread, &state) == KERN_SUCCESS);
	CHECK(get_registers(thread, &other) == KERN_SUCCESS && memcmp(&state, &other, sizeof state) == 0);
	state.pc++; /* odd */
	CHECK(set_registers(thread, &state) == KERN_INVALID_ARGUMENT);
	CHECK(get_registers(thread, &state) == KERN_SUCCESS && memcmp(&state, &other, sizeof state) == 0);

	/* Of a thread that runs, and of one that waits. */
	CHECK(thread_terminate(thread) == KERN_SUCCESS);
	thread = start_thread(mach_task_self(), count, 0);
	sleep_ms(20);
	CHECK(get_registers(thread, &state) == KERN_SUCCESS && counter > 0);
	CHECK(state.pc >= (uint64_t)count && state.pc < (uint64_t)count + 64);
	CHECK(thread_terminate(thread) == KERN_SUCCESS);
	thread = start_thread(mach_task_self(), wait, 0);
	sleep_ms(20);
	CHECK(get_registers(thread, &state) == KERN_SUCCESS && state.x[16] == (uint64_t)-25L); /* a7: mach_msg */
	CHECK(thread_terminate(thread) == KERN_SUCCESS);
	return 0;
}

static int floating_point(void)
{
	struct riscv64_float_state state;
	mach_msg_type_number_t count = RISCV64_FLOAT_STATE_COUNT;
	mach_port_t thread = new_thread(mach_task_self(), compute, 0);
	double value;

	CHECK(thread_get_state(thread, RISCV64_FLOAT_STATE, (thread_state_t)&state, &count) == KERN_SUCCESS);
	CHECK(count == 66);
	for (int i = 0; i < 32; i++)
		CHECK(state.f[i] == 0);
	CHECK(state.fcsr == 0 && state.pad == 0);
	state.fcsr = 3 << 5; /* round up */
	CHECK(thread_set_state(thread, COUNTED(RISCV64_FLOAT_STATE, state)) == KERN_SUCCESS);
	CHECK(thread_resume(thread) == KERN_SUCCESS);
	sleep_ms(20);
	CHECK(thread_suspend(thread) == KERN_SUCCESS);
	CHECK(sum > 1.0 / 3.0); /* rounded to nearest */
	CHECK(thread_get_state(thread, RISCV64_FLOAT_STATE, (thread_state_t)&state, &count) == KERN_SUCCESS);
	memcpy(&value, &state.f[8], sizeof value);
	CHECK(value == 3.0 && state.fcsr == (3 << 5 | 1)); /* fs0; inexact */
	CHECK(thread_terminate(thread) == KERN_SUCCESS);
	return 0;
}

int main(void)
{
	RUN(general());
	RUN(floating_point());
	return 0;
}
