/* mach-abi.md 9.5, 2.9: what thread_abort does to a thread in each kind of wait. */
#include <mach_error.h>

#include "check.h"
#include "threads.h"

#define LONG_MS 100000

static mach_port_t port;
static volatile mach_msg_return_t result;
static volatile int done;
static volatile long counter;
static mach_msg_header_t head;

/* mach_msg without the retries of libmach, `option` as given. */
static void message(long option)
{
	mach_msg_size_t sent = option & MACH_SEND_MSG ? sizeof head : 0;

	result = mach_msg_trap(&head, (mach_msg_option_t)option, sent, sizeof head, port, LONG_MS, MACH_PORT_NULL);
	done = 1;
	thread_terminate(mach_thread_self());
}

static void pause(long unused)
{
	(void)unused;
	result = thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, LONG_MS);
	done = 1;
	thread_terminate(mach_thread_self());
}

static void count(long unused)
{
	(void)unused;
	for (;;)
		counter++;
}

/* The thread's result after an abort, or -1 if it came to none or had one before. */
static int aborted(void (*function)(long), long argument)
{
	mach_port_t thread;

	done = 0;
	thread = start_thread(mach_task_self(), function, argument);
	sleep_ms(20);
	if (done || thread_abort(thread) != KERN_SUCCESS)
		return -1;
	sleep_ms(20);
	return done ? result : -1;
}

static int receives(void)
{
	CHECK(aborted(message, MACH_RCV_MSG) == MACH_RCV_INTERRUPTED);
	CHECK(aborted(message, MACH_RCV_MSG | MACH_RCV_TIMEOUT) == MACH_RCV_INTERRUPTED);
	return 0;
}

/* The message comes back, ready to be sent again. */
static int sends(void)
{
	mach_msg_header_t filler;

	head = (mach_msg_header_t){.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0), .msgh_size = sizeof head,
	    .msgh_remote_port = port, .msgh_id = 7};
	for (int i = 0; i < MACH_PORT_QLIMIT_DEFAULT; i++) {
		filler = head;
		CHECK(mach_msg(&filler, MACH_SEND_MSG, sizeof filler, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL) == 0);
	}
	CHECK(aborted(message, MACH_SEND_MSG) == MACH_SEND_INTERRUPTED);
	CHECK(head.msgh_bits == MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND, 0));
	CHECK(head.msgh_remote_port == port && head.msgh_id == 7);
	CHECK(aborted(message, MACH_SEND_MSG | MACH_SEND_TIMEOUT) == MACH_SEND_INTERRUPTED);
	CHECK(aborted(message, MACH_SEND_MSG | MACH_RCV_MSG) == MACH_SEND_INTERRUPTED);
	for (int i = 0; i < MACH_PORT_QLIMIT_DEFAULT; i++)
		CHECK(mach_msg(&filler, MACH_RCV_MSG, 0, sizeof filler, port, 0, MACH_PORT_NULL) == 0);
	CHECK(mach_msg(&filler, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof filler, port, 0, MACH_PORT_NULL) ==
	    MACH_RCV_TIMED_OUT);
	return 0;
}

static int others(void)
{
	struct riscv64_thread_state state;
	mach_port_t thread;
	long before;

	CHECK(aborted(pause, 0) == KERN_SUCCESS);

	/* One that runs goes on running; one that is suspended stays so. */
	thread = start_thread(mach_task_self(), count, 0);
	CHECK(thread_abort(thread) == KERN_SUCCESS);
	sleep_ms(20);
	CHECK((before = counter) > 0);
	sleep_ms(20);
	CHECK(counter > before);
	CHECK(thread_suspend(thread) == KERN_SUCCESS && thread_abort(thread) == KERN_SUCCESS);
	before = counter;
	sleep_ms(20);
	CHECK(counter == before);
	CHECK(thread_terminate(thread) == KERN_SUCCESS);

	/* The recipe of signals: suspend, abort, set the state, resume. */
	thread = start_thread(mach_task_self(), message, MACH_RCV_MSG);
	sleep_ms(20);
	CHECK(thread_suspend(thread) == KERN_SUCCESS && thread_abort(thread) == KERN_SUCCESS);
	CHECK(get_registers(thread, &state) == KERN_SUCCESS && state.x[RISCV64_A0] == MACH_RCV_INTERRUPTED);
	state.pc = (uint64_t)count;
	CHECK(set_registers(thread, &state) == KERN_SUCCESS && thread_resume(thread) == KERN_SUCCESS);
	before = counter;
	sleep_ms(20);
	CHECK(counter > before);
	CHECK(thread_terminate(thread) == KERN_SUCCESS);

	CHECK(thread_abort(mach_thread_self()) == KERN_INVALID_ARGUMENT);
	CHECK(thread_abort(mach_task_self()) == KERN_INVALID_ARGUMENT);
	CHECK(thread_abort(thread) == MACH_SEND_INVALID_DEST);
	return 0;
}

int main(void)
{
	port = mach_reply_port();
	RUN(receives());
	RUN(sends());
	RUN(others());
	return 0;
}
