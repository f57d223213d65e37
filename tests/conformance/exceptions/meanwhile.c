/* mach-abi.md 9.4, 9.5: what else can happen to a thread that waits for its answer. */
#include "check.h"
#include "exception_port.h"
#include "threads.h"

#define TIMEOUT_MS 1000

static volatile int ran;

static void fault(long behind)
{
	*(volatile int *)behind = 1;
	ran++;
	thread_terminate(mach_thread_self());
}

static mach_port_t port;

/* A thread of this task that waits for the answer to `raised`. */
static mach_port_t waiting_thread(struct raised *raised)
{
	mach_port_t thread = new_thread(mach_task_self(), fault, 8);

	port = watch_thread(thread);
	if (thread_resume(thread) != KERN_SUCCESS || take_exception(port, raised, TIMEOUT_MS) != MACH_MSG_SUCCESS)
		return MACH_PORT_NULL;
	return thread;
}

/* Lets the thread go on with a good address. */
static kern_return_t mend(mach_port_t thread)
{
	static int place;
	struct riscv64_thread_state state;
	kern_return_t kr = get_registers(thread, &state);

	for (int i = 0; i < 31; i++)
		if (state.x[i] == 8)
			state.x[i] = (uint64_t)&place;
	return kr == KERN_SUCCESS ? set_registers(thread, &state) : kr;
}

static int aborted(void)
{
	struct raised raised, again;
	mach_port_t thread = waiting_thread(&raised);

	/* It goes on as if answered, and does the same again. */
	CHECK(thread_abort(thread) == KERN_SUCCESS);
	CHECK(take_exception(port, &again, TIMEOUT_MS) == MACH_MSG_SUCCESS && again.thread.name == thread);
	CHECK(has_ended(raised.head.msgh_remote_port)); /* the reply port */
	CHECK(answer_exception(&raised, KERN_FAILURE) == MACH_SEND_INVALID_DEST);
	CHECK(mend(thread) == KERN_SUCCESS);
	CHECK(answer_exception(&again, KERN_SUCCESS) == MACH_MSG_SUCCESS);
	sleep_ms(20);
	CHECK(ran == 1 && has_ended(thread));
	return 0;
}

static int suspended(void)
{
	struct raised raised;
	mach_port_t thread = waiting_thread(&raised);

	CHECK(thread_suspend(thread) == KERN_SUCCESS);
	CHECK(mend(thread) == KERN_SUCCESS);
	CHECK(answer_exception(&raised, KERN_SUCCESS) == MACH_MSG_SUCCESS);
	sleep_ms(20);
	CHECK(ran == 1);
	CHECK(thread_resume(thread) == KERN_SUCCESS);
	sleep_ms(20);
	CHECK(ran == 2 && has_ended(thread));
	return 0;
}

static int terminated(void)
{
	struct raised raised;
	mach_port_t thread = new_thread(mach_task_self(), fault, 8);

	port = watch_thread(thread);
	CHECK(thread_resume(thread) == KERN_SUCCESS);
	sleep_ms(20);
	CHECK(thread_terminate(thread) == KERN_SUCCESS);
	/* What is still queued tells of a thread and a reply port that are no more. */
	CHECK(take_exception(port, &raised, TIMEOUT_MS) == MACH_MSG_SUCCESS);
	CHECK(raised.thread.name == MACH_PORT_DEAD && raised.task.name == mach_task_self());
	CHECK(raised.head.msgh_remote_port == MACH_PORT_DEAD);
	sleep_ms(20);
	CHECK(ran == 2);
	return 0;
}

/* More exceptions than the queue's limit: none is lost, none blocks. */
static int many(void)
{
	struct raised raised;
	mach_port_t threads[8];

	port = watch_task(mach_task_self());
	for (int i = 0; i < 8; i++)
		CHECK((threads[i] = start_thread(mach_task_self(), fault, 8)) != MACH_PORT_NULL);
	sleep_ms(20);
	for (int i = 0; i < 8; i++) {
		CHECK(take_exception(port, &raised, TIMEOUT_MS) == MACH_MSG_SUCCESS);
		CHECK(mend(raised.thread.name) == KERN_SUCCESS);
		CHECK(answer_exception(&raised, KERN_SUCCESS) == MACH_MSG_SUCCESS);
	}
	sleep_ms(20);
	CHECK(ran == 10);
	return 0;
}

int main(void)
{
	RUN(aborted());
	RUN(suspended());
	RUN(terminated());
	RUN(many());
	return 0;
}
