/* mach-abi.md 2.9, 9.5: mach_msg goes on when thread_abort broke it; with *_INTERRUPT it tells. */
#include <cthreads.h>
#include <mach.h>

#include "check.h"

static mach_port_t port;
static mach_msg_header_t received;

static any_t receive(any_t option)
{
	return (any_t)(long)mach_msg(&received, MACH_RCV_MSG | (mach_msg_option_t)(long)option, 0, sizeof received, port,
	    MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL);
}

static any_t send(any_t option)
{
	mach_msg_header_t message = {.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0),
	    .msgh_size = sizeof message, .msgh_remote_port = port, .msgh_id = 7};

	return (any_t)(long)mach_msg(&message, MACH_SEND_MSG | (mach_msg_option_t)(long)option, sizeof message, 0,
	    MACH_PORT_NULL, MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL);
}

static cthread_t started(cthread_fn_t function, long option)
{
	cthread_t thread = cthread_fork(function, (any_t)option);

	for (int i = 0; i < 10; i++)
		cthread_yield(); /* until it waits */
	return thread;
}

int main(void)
{
	cthread_t thread;

	CHECK(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &port) == KERN_SUCCESS);
	CHECK(mach_port_set_qlimit(mach_task_self(), port, 1) == KERN_SUCCESS);

	thread = started(receive, MACH_RCV_INTERRUPT);
	CHECK(thread_abort(cthread_kernel_thread(thread)) == KERN_SUCCESS);
	CHECK(cthread_join(thread) == (any_t)MACH_RCV_INTERRUPTED);
	thread = started(receive, 0);
	CHECK(thread_abort(cthread_kernel_thread(thread)) == KERN_SUCCESS);
	CHECK(send(0) == (any_t)MACH_MSG_SUCCESS);
	CHECK(cthread_join(thread) == (any_t)MACH_MSG_SUCCESS && received.msgh_id == 7);

	CHECK(send(0) == (any_t)MACH_MSG_SUCCESS); /* the queue is full now */
	thread = started(send, MACH_SEND_INTERRUPT);
	CHECK(thread_abort(cthread_kernel_thread(thread)) == KERN_SUCCESS);
	CHECK(cthread_join(thread) == (any_t)MACH_SEND_INTERRUPTED);
	thread = started(send, 0);
	CHECK(thread_abort(cthread_kernel_thread(thread)) == KERN_SUCCESS);
	CHECK(receive(0) == (any_t)MACH_MSG_SUCCESS);
	CHECK(cthread_join(thread) == (any_t)MACH_MSG_SUCCESS);
	CHECK(receive(0) == (any_t)MACH_MSG_SUCCESS);

	/* An interrupted mutex or condition goes on waiting as well. */
	struct mutex mutex = MUTEX_INITIALIZER;
	mutex_lock(&mutex);
	thread = started((cthread_fn_t)lock_take_solid, (long)&mutex.held);
	CHECK(thread_abort(cthread_kernel_thread(thread)) == KERN_SUCCESS);
	cthread_yield();
	CHECK(!mutex_try_lock(&mutex));
	mutex_unlock(&mutex);
	cthread_join(thread);
	CHECK(!mutex_try_lock(&mutex));
	return 0;
}
