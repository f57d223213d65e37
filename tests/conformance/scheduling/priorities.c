/* mach-abi.md 9.6, 6.3: the stronger thread runs; priorities, their maximum, policies. */
#include "check.h"
#include "privileged.h"
#include "threads.h"

#include <mach/policy.h>

static volatile long counters[2];

static void count(long which)
{
	for (;;)
		counters[which]++;
}

/* Which of the two threads run?  Bit 0 and bit 1. */
static int who_runs(void)
{
	long first = counters[0], second = counters[1];

	sleep_ms(40);
	return (counters[0] != first) | (counters[1] != second) << 1;
}

static int base_of(mach_port_t thread)
{
	struct thread_sched_info info;
	mach_msg_type_number_t size = THREAD_SCHED_INFO_COUNT;

	return thread_info(thread, THREAD_SCHED_INFO, (thread_info_t)&info, &size) == KERN_SUCCESS
	    ? info.base_priority : -1;
}

int main(void)
{
	mach_port_t first = start_thread(mach_task_self(), count, 0);
	mach_port_t second = start_thread(mach_task_self(), count, 1);
	mach_port_t set = default_set(), name;

	CHECK(first != MACH_PORT_NULL && second != MACH_PORT_NULL && set != MACH_PORT_NULL);
	CHECK(base_of(first) == 25);
	CHECK(thread_max_priority(mach_thread_self(), set, 5) == KERN_SUCCESS); /* to see what the others do */
	CHECK(thread_priority(mach_thread_self(), 5, FALSE) == KERN_SUCCESS);
	CHECK(who_runs() == 3); /* equals take turns */

	CHECK(thread_priority(second, 60, FALSE) == KERN_SUCCESS && base_of(second) == 60);
	CHECK(who_runs() == 1); /* the weaker one has to wait, however busy the other has been */
	CHECK(thread_suspend(first) == KERN_SUCCESS && who_runs() == 2);
	CHECK(thread_resume(first) == KERN_SUCCESS && who_runs() == 1);
	CHECK(thread_priority(second, 25, FALSE) == KERN_SUCCESS && who_runs() == 3);

	/* No stronger than the maximum, which only the set's control port lifts. */
	CHECK(thread_priority(first, 24, FALSE) == KERN_FAILURE);
	CHECK(thread_priority(first, -1, FALSE) == KERN_INVALID_ARGUMENT);
	CHECK(thread_priority(first, 64, FALSE) == KERN_INVALID_ARGUMENT);
	CHECK(thread_priority(first, 30, TRUE) == KERN_SUCCESS);
	CHECK(thread_priority(first, 25, FALSE) == KERN_FAILURE);
	CHECK(processor_set_default(mach_host_self(), &name) == KERN_SUCCESS);
	CHECK(thread_max_priority(first, name, 10) == KERN_INVALID_ARGUMENT);
	CHECK(thread_max_priority(first, set, 10) == KERN_SUCCESS);
	CHECK(thread_priority(first, 10, FALSE) == KERN_SUCCESS && base_of(first) == 10);
	CHECK(who_runs() == 1);
	CHECK(thread_terminate(first) == KERN_SUCCESS);

	/* Fixed priorities must be allowed by the set. */
	CHECK(thread_policy(second, POLICY_FIXEDPRI, 20) == KERN_FAILURE);
	CHECK(processor_set_policy_enable(set, POLICY_FIXEDPRI) == KERN_SUCCESS);
	CHECK(thread_policy(second, POLICY_FIXEDPRI, 20) == KERN_SUCCESS && who_runs() == 2);
	CHECK(processor_set_policy_disable(set, POLICY_TIMESHARE, FALSE) == KERN_INVALID_ARGUMENT);
	CHECK(processor_set_policy_disable(set, POLICY_FIXEDPRI, TRUE) == KERN_SUCCESS);
	CHECK(thread_policy(second, 3, 0) == KERN_INVALID_ARGUMENT);

	/* A task's priority is what its new threads get, and the old ones if that is asked. */
	CHECK(task_priority(mach_task_self(), 40, FALSE) == KERN_SUCCESS && base_of(second) == 25);
	CHECK(base_of(new_thread(mach_task_self(), count, 0)) == 40);
	CHECK(task_priority(mach_task_self(), 41, TRUE) == KERN_SUCCESS && base_of(second) == 41);
	CHECK(task_priority(mach_task_self(), 3, TRUE) == KERN_FAILURE);
	CHECK(task_priority(mach_task_self(), 64, FALSE) == KERN_INVALID_ARGUMENT);
	CHECK(thread_depress_abort(second) == KERN_SUCCESS);
	return 0;
}
