/* mach-abi.md 9.3, 6.2: what task_info and thread_info tell. */
#include "check.h"
#include "threads.h"

#include <mach/task_info.h>
#include <mach/thread_info.h>

#define MS(time) ((time).seconds * 1000 + (time).microseconds / 1000)

static void spin(long unused)
{
	(void)unused;
	for (;;)
		;
}

static int of_threads(void)
{
	mach_port_t thread = new_thread(mach_task_self(), spin, 0);
	struct thread_basic_info basic;
	mach_msg_type_number_t count = THREAD_BASIC_INFO_COUNT;

	CHECK(thread_info(thread, THREAD_BASIC_INFO, (thread_info_t)&basic, &count) == KERN_SUCCESS);
	CHECK(count == 32 && basic.run_state == TH_STATE_STOPPED && basic.suspend_count == 1);
	CHECK(MS(basic.user_time) == 0 && basic.base_priority == 25);
	CHECK(thread_resume(thread) == KERN_SUCCESS);
	sleep_ms(50);
	CHECK(thread_info(thread, THREAD_BASIC_INFO, (thread_info_t)&basic, &count) == KERN_SUCCESS);
	CHECK(basic.run_state == TH_STATE_RUNNING && basic.suspend_count == 0);
	CHECK(MS(basic.user_time) >= 45 && MS(basic.user_time) <= 55);
	CHECK(basic.user_time64.nanoseconds / 1000 == basic.user_time.microseconds);
	CHECK(basic.cpu_usage > 0);
	CHECK(thread_terminate(thread) == KERN_SUCCESS);
	count = THREAD_BASIC_INFO_COUNT - 1;
	CHECK(thread_info(mach_thread_self(), THREAD_BASIC_INFO, (thread_info_t)&basic, &count) == KERN_INVALID_ARGUMENT);
	CHECK(thread_info(mach_thread_self(), 9, (thread_info_t)&basic, &count) == KERN_INVALID_ARGUMENT);
	CHECK(thread_info(mach_task_self(), THREAD_BASIC_INFO, (thread_info_t)&basic, &count) == KERN_INVALID_ARGUMENT);
	return 0;
}

static int of_tasks(void)
{
	struct task_basic_info before, after;
	struct task_events_info events, later;
	struct task_thread_times_info times;
	mach_msg_type_number_t count = TASK_BASIC_INFO_COUNT;
	vm_address_t place = 0;

	CHECK(task_info(mach_task_self(), TASK_BASIC_INFO, (task_info_t)&before, &count) == KERN_SUCCESS && count == 30);
	CHECK(MS(before.user_time) >= 45); /* of the thread that has ended */
	count = TASK_EVENTS_INFO_COUNT;
	CHECK(vm_allocate(mach_task_self(), &place, 8 * PAGE_SIZE, TRUE) == KERN_SUCCESS);
	CHECK(task_info(mach_task_self(), TASK_EVENTS_INFO, (task_info_t)&events, &count) == KERN_SUCCESS && count == 14);
	for (int page = 0; page < 8; page++)
		*(volatile char *)(place + page * PAGE_SIZE) = 1;
	CHECK(task_info(mach_task_self(), TASK_EVENTS_INFO, (task_info_t)&later, &count) == KERN_SUCCESS);
	CHECK(later.faults - events.faults >= 8 && later.zero_fills - events.zero_fills == 8);
	CHECK(later.messages_sent == events.messages_sent + 1);
	CHECK(later.messages_received == events.messages_received + 1);
	count = TASK_BASIC_INFO_COUNT;
	CHECK(task_info(mach_task_self(), TASK_BASIC_INFO, (task_info_t)&after, &count) == KERN_SUCCESS);
	CHECK(after.virtual_size == before.virtual_size + 8 * PAGE_SIZE);
	CHECK(after.resident_size >= before.resident_size + 8 * PAGE_SIZE);
	CHECK(after.suspend_count == 0 && after.base_priority == 25);
	count = 18; /* the older structure */
	CHECK(task_info(mach_task_self(), TASK_BASIC_INFO, (task_info_t)&after, &count) == KERN_SUCCESS && count == 18);
	count = 17;
	CHECK(task_info(mach_task_self(), TASK_BASIC_INFO, (task_info_t)&after, &count) == KERN_INVALID_ARGUMENT);
	count = TASK_THREAD_TIMES_INFO_COUNT;
	CHECK(task_info(mach_task_self(), TASK_THREAD_TIMES_INFO, (task_info_t)&times, &count) == KERN_SUCCESS);
	CHECK(task_info(mach_task_self(), 4, (task_info_t)&times, &count) == KERN_INVALID_ARGUMENT);
	CHECK(task_info(mach_thread_self(), TASK_BASIC_INFO, (task_info_t)&after, &count) == KERN_INVALID_TASK);
	return 0;
}

int main(void)
{
	RUN(of_threads());
	RUN(of_tasks());
	return 0;
}
