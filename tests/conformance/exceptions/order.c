/* mach-abi.md 9.4: who is asked, in which order, and what follows from each answer. */
#include "check.h"
#include "exception_port.h"
#include "threads.h"

#define TIMEOUT_MS 1000

static void fault(long address)
{
	be_oneself();
	*(volatile int *)address = 1;
	thread_terminate(mach_thread_self());
}

/* A task that will fault, and its thread. */
static mach_port_t faulting_task(mach_port_t *thread, long address)
{
	mach_port_t task = MACH_PORT_NULL;

	if (task_create(mach_task_self(), TRUE, &task) != KERN_SUCCESS)
		return MACH_PORT_NULL;
	*thread = new_thread(task, fault, address);
	return task;
}

static int refused_by_both(void)
{
	struct raised raised;
	mach_port_t thread, task = faulting_task(&thread, 8);
	mach_port_t of_task = watch_task(task), of_thread = watch_thread(thread);

	CHECK(thread_resume(thread) == KERN_SUCCESS);
	CHECK(take_exception(of_thread, &raised, TIMEOUT_MS) == MACH_MSG_SUCCESS);
	CHECK(raised.head.msgh_id == EXCEPTION_RAISE_ID && raised.head.msgh_size == 112);
	CHECK(raised.thread.name == thread && raised.task.name == task);
	CHECK(raised.exception == EXC_BAD_ACCESS && raised.code == KERN_INVALID_ADDRESS && raised.subcode == 8);
	CHECK(take_exception(of_task, &raised, 20) == MACH_RCV_TIMED_OUT);
	CHECK(!has_ended(task));
	CHECK(answer_exception(&raised, KERN_FAILURE) == MACH_MSG_SUCCESS);
	CHECK(take_exception(of_task, &raised, TIMEOUT_MS) == MACH_MSG_SUCCESS);
	CHECK(raised.thread.name == thread && raised.subcode == 8);
	CHECK(!has_ended(task));
	CHECK(answer_exception(&raised, MIG_BAD_ID) == MACH_MSG_SUCCESS);
	CHECK(has_ended(task) && has_ended(thread));
	return 0;
}

static int mended_by_the_task_port(void)
{
	struct raised raised;
	vm_address_t page = 0x3000000000;
	mach_port_t thread, task = faulting_task(&thread, (long)page);
	mach_port_t of_task = watch_task(task), of_thread = watch_thread(thread);

	/* A port that has died is passed over. */
	CHECK(mach_port_destroy(mach_task_self(), of_thread) == KERN_SUCCESS);
	CHECK(thread_resume(thread) == KERN_SUCCESS);
	CHECK(take_exception(of_task, &raised, TIMEOUT_MS) == MACH_MSG_SUCCESS);
	CHECK(vm_allocate(task, &page, PAGE_SIZE, FALSE) == KERN_SUCCESS);
	CHECK(answer_exception(&raised, KERN_SUCCESS) == MACH_MSG_SUCCESS);
	sleep_ms(20);
	CHECK(!has_ended(task) && has_ended(thread)); /* it has stored and ended by itself */
	CHECK(task_terminate(task) == KERN_SUCCESS);
	return 0;
}

static int nobody_to_ask(void)
{
	mach_port_t thread, task = faulting_task(&thread, 8);

	CHECK(task_set_special_port(task, TASK_EXCEPTION_PORT, MACH_PORT_NULL) == KERN_SUCCESS);
	CHECK(thread_resume(thread) == KERN_SUCCESS);
	sleep_ms(20);
	CHECK(has_ended(task) && has_ended(thread));
	return 0;
}

/* A child inherits its parent's exception port; a thread has none at first. */
static int inherited(void)
{
	struct raised raised;
	mach_port_t port = watch_task(mach_task_self()), found = MACH_PORT_NULL, thread;
	mach_port_t task = faulting_task(&thread, 8);

	CHECK(task_get_special_port(task, TASK_EXCEPTION_PORT, &found) == KERN_SUCCESS && found == port);
	CHECK(thread_get_special_port(thread, THREAD_EXCEPTION_PORT, &found) == KERN_SUCCESS);
	CHECK(found == MACH_PORT_NULL);
	CHECK(thread_resume(thread) == KERN_SUCCESS);
	CHECK(take_exception(port, &raised, TIMEOUT_MS) == MACH_MSG_SUCCESS && raised.task.name == task);
	CHECK(thread_terminate(thread) == KERN_SUCCESS); /* the handler wants it dead */
	CHECK(answer_exception(&raised, KERN_SUCCESS) == MACH_SEND_INVALID_DEST);
	CHECK(!has_ended(task));
	CHECK(task_terminate(task) == KERN_SUCCESS);
	return 0;
}

int main(void)
{
	RUN(refused_by_both());
	RUN(mended_by_the_task_port());
	RUN(nobody_to_ask());
	RUN(inherited());
	return 0;
}
