/* mach-abi.md 6.9: gsync_wait and gsync_wake: a lock made of them, and shared memory. */
#include <mach/gnumach.h>

#include "check.h"
#include "threads.h"

#define THREADS 4
#define ROUNDS  200

/* A lock: 0 free, 1 held, 2 held and waited for. */
static unsigned lock;
static volatile long counter;
static volatile int finished;

static void acquire(void)
{
	unsigned seen = 0;

	if (__atomic_compare_exchange_n(&lock, &seen, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(&lock, 2, __ATOMIC_ACQUIRE) != 0)
		gsync_wait(mach_task_self(), (vm_address_t)&lock, 2, 0, 0, 0);
}

static void release(void)
{
	if (__atomic_exchange_n(&lock, 0, __ATOMIC_RELEASE) == 2)
		gsync_wake(mach_task_self(), (vm_address_t)&lock, 0, 0);
}

static void work(long unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		long seen;

		acquire();
		seen = counter;
		if (i % 16 == 0)
			thread_switch(MACH_PORT_NULL, SWITCH_OPTION_NONE, 0); /* with the lock held */
		counter = seen + 1;
		release();
	}
	__atomic_fetch_add(&finished, 1, __ATOMIC_RELAXED);
	thread_terminate(mach_thread_self());
}

static int a_lock(void)
{
	for (int i = 0; i < THREADS; i++)
		CHECK(start_thread(mach_task_self(), work, 0) != MACH_PORT_NULL);
	for (int i = 0; i < 100 && finished < THREADS; i++)
		sleep_ms(20);
	CHECK(finished == THREADS && counter == THREADS * ROUNDS);
	return 0;
}

/* Between tasks, in memory that they share. */
static void wait_shared(long address)
{
	be_oneself();
	gsync_wait(mach_task_self(), (vm_address_t)address, 0, 0, 0, GSYNC_SHARED);
	*(volatile int *)(address + 8) = 1;
	for (;;)
		sleep_ms(1000);
}

static int between_tasks(void)
{
	vm_address_t shared = 0;
	mach_port_t task;

	CHECK(vm_allocate(mach_task_self(), &shared, PAGE_SIZE, TRUE) == KERN_SUCCESS);
	CHECK(vm_inherit(mach_task_self(), shared, PAGE_SIZE, VM_INHERIT_SHARE) == KERN_SUCCESS);
	CHECK(task_create(mach_task_self(), TRUE, &task) == KERN_SUCCESS);
	CHECK(start_thread(task, wait_shared, (long)shared) != MACH_PORT_NULL);
	sleep_ms(20);
	CHECK(*(volatile int *)(shared + 8) == 0);
	CHECK(gsync_wake(mach_task_self(), shared, 0, GSYNC_SHARED) == MACH_MSG_SUCCESS);
	sleep_ms(20);
	CHECK(*(volatile int *)(shared + 8) == 1);
	CHECK(task_terminate(task) == KERN_SUCCESS);
	return 0;
}

int main(void)
{
	RUN(a_lock());
	RUN(between_tasks());
	return 0;
}
