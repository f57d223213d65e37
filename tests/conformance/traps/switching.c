/* mach-abi.md 3.2, 9.6: swtch, swtch_pri and thread_switch. */
#include "conform.h"

static worker_t worker;
static volatile int stop;
static volatile long turns;

static int spin(worker_t *w)
{
	(void)w;
	while (!stop)
		turns++;
	return 0;
}

static long now_us(void)
{
	time_value_t time = {0};

	host_get_time(mach_host_self(), &time);
	return time.seconds * 1000000 + time.microseconds;
}

int main(void)
{
	long before;

	/* Alone: nobody else could run. */
	CHECK(swtch() == FALSE && swtch_pri(0) == FALSE && swtch_pri(99) == FALSE);
	CHECK(thread_switch(MACH_PORT_NULL, SWITCH_OPTION_NONE, 0) == KERN_SUCCESS);
	CHECK(thread_switch(MACH_PORT_NULL, SWITCH_OPTION_DEPRESS, 10) == KERN_SUCCESS);
	CHECK(thread_switch(MACH_PORT_NULL, 3, 0) == KERN_INVALID_ARGUMENT);
	CHECK(thread_switch(MACH_PORT_NULL, -1, 0) == KERN_INVALID_ARGUMENT);
	/* The hint need not be a thread. */
	CHECK(thread_switch(NO_NAME, SWITCH_OPTION_NONE, 0) == KERN_SUCCESS);
	CHECK(thread_switch(mach_task_self(), SWITCH_OPTION_NONE, 0) == KERN_SUCCESS);
	CHECK(thread_switch(mach_thread_self(), SWITCH_OPTION_NONE, 0) == KERN_SUCCESS);
	CHECK(thread_switch(MACH_PORT_DEAD, SWITCH_OPTION_DEPRESS, 0) == KERN_SUCCESS);

	/* WAIT waits; for nothing, it waits for the next tick. */
	before = now_us();
	CHECK(thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 50) == KERN_SUCCESS);
	CHECK(now_us() - before >= 50000);
	before = now_us();
	CHECK(thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 0) == KERN_SUCCESS);
	CHECK(now_us() - before < 50000);

	/* With another that always could. */
	CHECK(start_worker(&worker, spin, MACH_PORT_NULL) == KERN_SUCCESS);
	CHECK(turns > 0);
	for (int i = 0; i < 4; i++) {
		long seen = turns;

		CHECK(i == 0 ? swtch() == TRUE : i == 1 ? swtch_pri(0) == TRUE :
			thread_switch(worker.thread, i == 2 ? SWITCH_OPTION_NONE : SWITCH_OPTION_DEPRESS, 20) ==
			    KERN_SUCCESS);
		CHECK(turns > seen);
	}
	stop = 1;
	settle();
	CHECK(worker.done);

	/* A suspended thread cannot be handed the processor. */
	CHECK(thread_suspend(worker.thread) == KERN_SUCCESS);
	CHECK(swtch() == FALSE);
	CHECK(thread_switch(worker.thread, SWITCH_OPTION_NONE, 0) == KERN_SUCCESS);
	CHECK(thread_terminate(worker.thread) == KERN_SUCCESS);
	CHECK(thread_switch(worker.thread, SWITCH_OPTION_NONE, 0) == KERN_SUCCESS);
	return 0;
}
