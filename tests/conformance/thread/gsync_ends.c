/* mach-abi.md 6.9: how a gsync_wait ends, and each error. */
#include <mach/gnumach.h>

#include "check.h"
#include "threads.h"

static unsigned word[2] = {5, 7};
static volatile int woken, result;

static void sleep_at(long flags)
{
	result = gsync_wait(mach_task_self(), (vm_address_t)word, 5, 7, 30, (int)flags);
	__atomic_fetch_add(&woken, 1, __ATOMIC_RELAXED);
	thread_terminate(mach_thread_self());
}

static int ways_to_end(void)
{
	mach_port_t task = mach_task_self(), thread;

	for (int i = 0; i < 3; i++)
		CHECK(start_thread(task, sleep_at, GSYNC_QUAD) != MACH_PORT_NULL);
	sleep_ms(50);
	CHECK(woken == 0);
	CHECK(gsync_wake(task, (vm_address_t)word, 0, 0) == MACH_MSG_SUCCESS);
	sleep_ms(20);
	CHECK(woken == 1 && result == KERN_SUCCESS);
	CHECK(gsync_wake(task, (vm_address_t)word, 6, GSYNC_BROADCAST | GSYNC_MUTATE) == MACH_MSG_SUCCESS);
	sleep_ms(20);
	CHECK(woken == 3 && word[0] == 6 && word[1] == 7);

	word[0] = 5;
	CHECK(start_thread(task, sleep_at, GSYNC_TIMED) != MACH_PORT_NULL);
	sleep_ms(60);
	CHECK(woken == 4 && result == KERN_TIMEDOUT);
	CHECK((thread = start_thread(task, sleep_at, 0)) != MACH_PORT_NULL);
	sleep_ms(20);
	CHECK(thread_abort(thread) == KERN_SUCCESS);
	sleep_ms(20);
	CHECK(woken == 5 && result == KERN_INTERRUPTED);
	return 0;
}

static int errors(void)
{
	mach_port_t task = mach_task_self();
	vm_address_t address = (vm_address_t)word;

	CHECK(gsync_wait(task, address, 6, 0, 0, 0) == KERN_INVALID_ARGUMENT);
	CHECK(gsync_wait(task, address, 5, 8, 0, GSYNC_QUAD) == KERN_INVALID_ARGUMENT);
	CHECK(gsync_wait(task, address + 2, 0, 0, 0, 0) == KERN_INVALID_ADDRESS);
	CHECK(gsync_wait(task, 0x3000000000, 0, 0, 0, 0) == KERN_INVALID_ADDRESS);
	CHECK(gsync_wait(mach_thread_self(), address, 5, 0, 0, 0) == KERN_INVALID_TASK);
	return 0;
}

int main(void)
{
	RUN(ways_to_end());
	RUN(errors());
	return 0;
}
