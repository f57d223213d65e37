/* mach-abi.md 9.3, 6.3: what the host, its processor and its set tell. */
#include "check.h"
#include "privileged.h"

#include <mach/host_info.h>
#include <mach/processor_info.h>

static int of_host(mach_port_t host)
{
	struct host_basic_info basic;
	struct host_sched_info sched;
	struct host_load_info load;
	integer_t slots[1] = {7};
	mach_msg_type_number_t count = HOST_BASIC_INFO_COUNT;

	CHECK(host_info(host, HOST_BASIC_INFO, (host_info_t)&basic, &count) == KERN_SUCCESS);
	CHECK(count == 6 && basic.max_cpus == 1 && basic.avail_cpus == 1);
	CHECK(basic.memory_size >= 1 << 20 && basic.cpu_type == CPU_TYPE_RISCV64);
	count = 5;
	CHECK(host_info(host, HOST_BASIC_INFO, (host_info_t)&basic, &count) == KERN_INVALID_ARGUMENT);
	count = 1;
	CHECK(host_info(host, HOST_PROCESSOR_SLOTS, slots, &count) == KERN_SUCCESS && count == 1 && slots[0] == 0);
	count = HOST_SCHED_INFO_COUNT;
	CHECK(host_info(host, HOST_SCHED_INFO, (host_info_t)&sched, &count) == KERN_SUCCESS);
	CHECK(sched.min_timeout == 10 && sched.min_quantum >= 1);
	count = HOST_LOAD_INFO_COUNT;
	CHECK(host_info(host, HOST_LOAD_INFO, (host_info_t)&load, &count) == KERN_SUCCESS && count == 6);
	CHECK(host_info(host, 5, slots, &count) == KERN_INVALID_ARGUMENT);
	CHECK(host_info(mach_task_self(), HOST_SCHED_INFO, (host_info_t)&sched, &count) == KERN_INVALID_HOST);
	return 0;
}

static int of_processor(mach_port_t privileged)
{
	struct processor_basic_info basic;
	mach_port_t *processors, host, set;
	mach_msg_type_number_t number, count = PROCESSOR_BASIC_INFO_COUNT;

	CHECK(host_processors(mach_host_self(), &processors, &number) == KERN_INVALID_HOST);
	CHECK(host_processors(privileged, &processors, &number) == KERN_SUCCESS && number == 1);
	CHECK(processor_info(processors[0], PROCESSOR_BASIC_INFO, &host, (processor_info_t)&basic, &count)
	    == KERN_SUCCESS);
	CHECK(host == mach_host_self() && basic.running && basic.is_master && basic.slot_num == 0);
	CHECK(processor_info(processors[0], 2, &host, (processor_info_t)&basic, &count) == KERN_INVALID_ARGUMENT);
	CHECK(processor_get_assignment(processors[0], &set) == KERN_SUCCESS && MACH_PORT_VALID(set));
	return 0;
}

static int of_set(mach_port_t privileged)
{
	struct processor_set_basic_info basic;
	struct processor_set_sched_info sched;
	mach_port_t name, set, *tasks, *threads, *names, host, other;
	mach_msg_type_number_t count = PROCESSOR_SET_BASIC_INFO_COUNT, number;

	CHECK(processor_set_default(mach_host_self(), &name) == KERN_SUCCESS);
	CHECK(host_processor_sets(mach_host_self(), &names, &number) == KERN_SUCCESS);
	CHECK(number == 1 && names[0] == name);
	CHECK(processor_set_info(name, PROCESSOR_SET_BASIC_INFO, &host, (processor_set_info_t)&basic, &count)
	    == KERN_SUCCESS);
	CHECK(basic.processor_count == 1 && basic.task_count == 1 && basic.thread_count == 1);
	count = PROCESSOR_SET_SCHED_INFO_COUNT;
	CHECK(processor_set_info(name, PROCESSOR_SET_SCHED_INFO, &host, (processor_set_info_t)&sched, &count)
	    == KERN_SUCCESS);
	CHECK(sched.policies == 1 && sched.max_priority == 25);

	/* The name tells; control is for who has the privileged port. */
	CHECK(processor_set_tasks(name, &tasks, &number) == KERN_INVALID_ARGUMENT);
	CHECK(host_processor_set_priv(mach_host_self(), name, &set) == KERN_INVALID_HOST);
	CHECK(host_processor_set_priv(privileged, mach_task_self(), &set) == KERN_INVALID_ARGUMENT);
	CHECK(host_processor_set_priv(privileged, name, &set) == KERN_SUCCESS);
	CHECK(processor_set_tasks(set, &tasks, &number) == KERN_SUCCESS);
	CHECK(number == 1 && tasks[0] == mach_task_self());
	CHECK(processor_set_threads(set, &threads, &number) == KERN_SUCCESS);
	CHECK(number == 1 && threads[0] == mach_thread_self());

	/* There is no other set. */
	CHECK(processor_set_create(mach_host_self(), &other, &other) == KERN_FAILURE);
	CHECK(processor_set_destroy(set) == KERN_FAILURE);
	CHECK(thread_assign(mach_thread_self(), set) == KERN_SUCCESS);
	CHECK(thread_assign(mach_thread_self(), name) == KERN_INVALID_ARGUMENT);
	CHECK(task_assign_default(mach_task_self(), TRUE) == KERN_SUCCESS);
	CHECK(task_get_assignment(mach_task_self(), &other) == KERN_SUCCESS && other == name);
	return 0;
}

static int of_time(mach_port_t privileged)
{
	time_value_t set = {1000000000, 250000}, now;

	CHECK(host_set_time(mach_host_self(), set) == KERN_INVALID_HOST);
	CHECK(host_set_time(privileged, set) == KERN_SUCCESS);
	CHECK(host_get_time(mach_host_self(), &now) == KERN_SUCCESS);
	CHECK(now.seconds == 1000000000 && now.microseconds >= 250000);
	set.microseconds = 1000000;
	CHECK(host_set_time(privileged, set) == KERN_INVALID_ARGUMENT);
	return 0;
}

int main(void)
{
	mach_port_t privileged = host_privileged();

	CHECK(MACH_PORT_VALID(privileged));
	RUN(of_host(mach_host_self()));
	RUN(of_host(privileged));
	RUN(of_processor(privileged));
	RUN(of_set(privileged));
	RUN(of_time(privileged));
	return 0;
}
