/* mach-abi.md 9.1: threads are made suspended once; suspensions of thread and task are counted. */
#include "check.h"
#include "threads.h"

static volatile long counter;
static volatile int received, suspended_self;

static void count(long unused)
{
	(void)unused;
	for (;;)
		counter++;
}

/* Does the thread run?  Its counter tells. */
static boolean_t runs(void)
{
	long before = counter;

	sleep_ms(20);
	return counter != before;
}

static int of_threads(void)
{
	mach_port_t thread = new_thread(mach_task_self(), count, 0);

	CHECK(!runs()); /* suspended once */
	CHECK(thread_resume(thread) == KERN_SUCCESS && runs());
	CHECK(thread_resume(thread) == KERN_FAILURE && runs());
	CHECK(thread_suspend(thread) == KERN_SUCCESS && !runs());
	CHECK(thread_suspend(thread) == KERN_SUCCESS && !runs());
	CHECK(thread_resume(thread) == KERN_SUCCESS && !runs());
	CHECK(thread_resume(thread) == KERN_SUCCESS && runs());
	CHECK(thread_terminate(thread) == KERN_SUCCESS && !runs());
	CHECK(thread_suspend(thread) == MACH_SEND_INVALID_DEST);
	CHECK(thread_resume(thread) == MACH_SEND_INVALID_DEST);
	CHECK(thread_suspend(mach_host_self()) == KERN_INVALID_ARGUMENT);
	return 0;
}

static void child(long shared)
{
	for (;;)
		++*(volatile long *)shared;
}

static int of_tasks(void)
{
	vm_address_t shared = 0;
	mach_port_t task, thread;

	CHECK(vm_allocate(mach_task_self(), &shared, PAGE_SIZE, TRUE) == KERN_SUCCESS);
	CHECK(vm_inherit(mach_task_self(), shared, PAGE_SIZE, VM_INHERIT_SHARE) == KERN_SUCCESS);
	CHECK(task_create(mach_task_self(), TRUE, &task) == KERN_SUCCESS);
	CHECK((thread = start_thread(task, child, (long)shared)) != MACH_PORT_NULL);

#define CHILD_RUNS() ({ long was = *(volatile long *)shared; sleep_ms(20); *(volatile long *)shared != was; })
	CHECK(CHILD_RUNS());
	CHECK(task_resume(task) == KERN_FAILURE);
	CHECK(task_suspend(task) == KERN_SUCCESS && !CHILD_RUNS());
	CHECK(task_suspend(task) == KERN_SUCCESS && thread_suspend(thread) == KERN_SUCCESS);
	CHECK(task_resume(task) == KERN_SUCCESS && !CHILD_RUNS());
	CHECK(task_resume(task) == KERN_SUCCESS && !CHILD_RUNS()); /* the thread is still suspended */
	CHECK(task_resume(task) == KERN_FAILURE);
	CHECK(thread_resume(thread) == KERN_SUCCESS && CHILD_RUNS());
	CHECK(task_terminate(task) == KERN_SUCCESS && !CHILD_RUNS());
	CHECK(task_suspend(task) == MACH_SEND_INVALID_DEST && task_resume(task) == MACH_SEND_INVALID_DEST);
	CHECK(task_resume(mach_thread_self()) == KERN_INVALID_TASK);
	return 0;
}

static mach_port_t port;

static void receive(long unused)
{
	mach_msg_header_t head;

	(void)unused;
	if (mach_msg(&head, MACH_RCV_MSG, 0, sizeof head, port, 0, MACH_PORT_NULL) == MACH_MSG_SUCCESS)
		received = head.msgh_id;
	thread_suspend(mach_thread_self());
	suspended_self = 1;
	thread_terminate(mach_thread_self());
}

/* A suspended thread keeps its place in a wait, and may be handed messages. */
static int in_a_wait(void)
{
	mach_msg_header_t head = {.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0), .msgh_size = sizeof head,
	    .msgh_id = 5};
	mach_port_t thread;
	mach_port_status_t status;

	head.msgh_remote_port = port = mach_reply_port();
	thread = start_thread(mach_task_self(), receive, 0);
	sleep_ms(20);
	CHECK(thread_suspend(thread) == KERN_SUCCESS);
	CHECK(mach_msg(&head, MACH_SEND_MSG, sizeof head, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL) == MACH_MSG_SUCCESS);
	CHECK(mach_port_get_receive_status(mach_task_self(), port, &status) == KERN_SUCCESS);
	CHECK(status.mps_msgcount == 0 && received == 0); /* it is the thread's already */
	CHECK(thread_resume(thread) == KERN_SUCCESS);
	sleep_ms(20);
	CHECK(received == 5 && !suspended_self); /* of itself: at once */
	CHECK(thread_resume(thread) == KERN_SUCCESS);
	sleep_ms(20);
	CHECK(suspended_self);
	return 0;
}

int main(void)
{
	RUN(of_threads());
	RUN(of_tasks());
	RUN(in_a_wait());
	return 0;
}
