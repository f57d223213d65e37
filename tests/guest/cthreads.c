/* C threads: from fork to join, what a thread has for itself, waiting, limits, and that
   nothing is left of those that have ended. */
#include <cthreads.h>
#include <errno.h>
#include <mach.h>
#include <mach_error.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define THREADS 8
#define ROUNDS  300

static struct mutex mutex = MUTEX_INITIALIZER;
static struct condition changed = CONDITION_INITIALIZER;
static int turn, shared, sleeping;

/* --- fork and join ------------------------------------------------------------------ */

static any_t twice(any_t argument)
{
	return (any_t)(2 * (uintptr_t)argument);
}

static any_t leave_early(any_t argument)
{
	cthread_exit(argument);
}

static int results(void)
{
	cthread_t threads[THREADS];

	CHECK(cthread_count() == 1 && cthread_self() != CTHREAD_NULL);
	for (uintptr_t i = 0; i < THREADS; i++) {
		threads[i] = cthread_fork(i % 2 != 0 ? twice : leave_early, (any_t)i);
		CHECK(threads[i] != CTHREAD_NULL);
	}
	CHECK(cthread_count() <= THREADS + 1);
	for (uintptr_t i = THREADS; i-- != 0;)
		CHECK(cthread_join(threads[i]) == (any_t)(i % 2 != 0 ? 2 * i : i));
	CHECK(cthread_count() == 1);
	return 0;
}

/* --- what each has for itself -------------------------------------------------------- */

static _Thread_local int own = 7;
static _Thread_local char text[100] = "as it was";

static any_t look_at_own(any_t argument)
{
	int number = (int)(uintptr_t)argument;
	char unknown[40];

	if (own != 7 || strcmp(text, "as it was") != 0 || (uintptr_t)&own % _Alignof(int) != 0)
		return (any_t)1;
	own = errno = number;
	strcpy(text, "changed");
	cthread_set_data(cthread_self(), &own);
	strcpy(unknown, mach_error_string(100000 + number));
	for (int i = 0; i < 20; i++) {
		cthread_yield();
		/* An RPC from several threads: each hears the answer to its own. */
		vm_address_t address = 0;
		vm_size_t size;
		vm_prot_t protection, most;
		vm_inherit_t inheritance;
		boolean_t is_shared;
		mach_port_t object;
		vm_offset_t offset;
		if (vm_region(mach_task_self(), &address, &size, &protection, &most, &inheritance, &is_shared,
			&object, &offset) != KERN_SUCCESS)
			return (any_t)2;
		if (MACH_PORT_VALID(object))
			mach_port_deallocate(mach_task_self(), object);
		if (own != number || errno != number || cthread_data(cthread_self()) != &own)
			return (any_t)3;
		if (strcmp(mach_error_string(100000 + number), unknown) != 0)
			return (any_t)4;
	}
	return NULL;
}

static int own_data(void)
{
	cthread_t threads[THREADS];

	own = errno = 99;
	for (uintptr_t i = 0; i < THREADS; i++)
		threads[i] = cthread_fork(look_at_own, (any_t)i);
	for (int i = 0; i < THREADS; i++)
		CHECK(cthread_join(threads[i]) == NULL);
	CHECK(own == 99 && errno == 99 && strcmp(text, "as it was") == 0);
	cthread_set_ldata(cthread_self(), &own);
	CHECK(cthread_ldata(cthread_self()) == &own);
	cthread_set_name(cthread_self(), "the first");
	CHECK(strcmp(cthread_name(cthread_self()), "the first") == 0);
	return 0;
}

/* --- mutexes and conditions ------------------------------------------------------------ */

static any_t count_up(any_t argument)
{
	for (int i = 0; i < ROUNDS; i++) {
		mutex_lock(&mutex);
		int before = shared;
		if (i % 16 == 0)
			cthread_yield(); /* with the mutex: the others must wait */
		shared = before + 1;
		mutex_unlock(&mutex);
	}
	return argument;
}

static int exclusion(void)
{
	cthread_t threads[THREADS];

	shared = 0;
	for (int i = 0; i < THREADS; i++)
		threads[i] = cthread_fork(count_up, NULL);
	for (int i = 0; i < THREADS; i++)
		cthread_join(threads[i]);
	CHECK(shared == THREADS * ROUNDS);
	CHECK(mutex_try_lock(&mutex));
	CHECK(!mutex_try_lock(&mutex));
	mutex_unlock(&mutex);
	return 0;
}

/* Each in turn, which only the one before gives. */
static any_t take_turns(any_t argument)
{
	int number = (int)(uintptr_t)argument;

	for (int round = 0; round < 50; round++) {
		mutex_lock(&mutex);
		while (turn % THREADS != number)
			condition_wait(&changed, &mutex);
		turn++;
		condition_broadcast(&changed);
		mutex_unlock(&mutex);
	}
	return NULL;
}

static any_t wait_once(any_t argument)
{
	mutex_lock(&mutex);
	sleeping++;
	condition_wait(&changed, &mutex);
	sleeping--;
	mutex_unlock(&mutex);
	return argument;
}

static int conditions(void)
{
	cthread_t threads[THREADS];

	turn = 0;
	for (uintptr_t i = 0; i < THREADS; i++)
		threads[i] = cthread_fork(take_turns, (any_t)i);
	for (int i = 0; i < THREADS; i++)
		cthread_join(threads[i]);
	CHECK(turn == 50 * THREADS);
	for (int i = 0; i < THREADS; i++)
		threads[i] = cthread_fork(wait_once, NULL);
	while (sleeping < THREADS)
		cthread_yield();
	for (int left = THREADS; left != 0; left--) { /* a signal wakes one, the longest waiting */
		mutex_lock(&mutex);
		CHECK(sleeping == left);
		condition_signal(&changed);
		mutex_unlock(&mutex);
		cthread_join(threads[THREADS - left]);
	}
	CHECK(sleeping == 0);
	return 0;
}

/* --- limits, and what is left -------------------------------------------------------------- */

static int running, most_running;

static any_t be_counted(any_t argument)
{
	mutex_lock(&mutex);
	if (++running > most_running)
		most_running = running;
	mutex_unlock(&mutex);
	for (int i = 0; i < 5; i++)
		cthread_yield();
	mutex_lock(&mutex);
	running--;
	mutex_unlock(&mutex);
	return argument;
}

static int limits(void)
{
	cthread_t threads[THREADS];

	cthread_set_limit(3); /* and one of the three is this one */
	CHECK(cthread_limit() == 3);
	for (int i = 0; i < THREADS; i++)
		threads[i] = cthread_fork(be_counted, NULL);
	for (int i = 0; i < THREADS; i++)
		cthread_join(threads[i]);
	CHECK(most_running == 2 && running == 0);
	for (int i = 0; i < THREADS; i++)
		threads[i] = cthread_fork(be_counted, NULL);
	cthread_set_limit(0);
	for (int i = 0; i < THREADS; i++)
		cthread_join(threads[i]);
	CHECK(most_running > 2);
	return 0;
}

static int names_held(void)
{
	mach_port_array_t names;
	mach_port_type_t *types;
	mach_msg_type_number_t count, also;

	if (mach_port_names(mach_task_self(), &names, &count, &types, &also) != KERN_SUCCESS)
		return -1;
	vm_deallocate(mach_task_self(), (vm_address_t)names, count * sizeof *names);
	vm_deallocate(mach_task_self(), (vm_address_t)types, also * sizeof *types);
	return (int)count;
}

static vm_size_t memory_held(void)
{
	vm_address_t address = 0;
	vm_size_t size, sum = 0;
	vm_prot_t protection, most;
	vm_inherit_t inheritance;
	boolean_t is_shared;
	mach_port_t object;
	vm_offset_t offset;

	while (vm_region(mach_task_self(), &address, &size, &protection, &most, &inheritance, &is_shared,
		   &object, &offset) == KERN_SUCCESS) {
		if (MACH_PORT_VALID(object))
			mach_port_deallocate(mach_task_self(), object);
		sum += size;
		address += size;
	}
	return sum;
}

static int fork_many(int detach)
{
	for (int round = 0; round < 20; round++) {
		cthread_t thread = cthread_fork(round % 2 != 0 ? count_up : twice, NULL);

		CHECK(thread != CTHREAD_NULL);
		if (detach)
			cthread_detach(thread);
		else
			cthread_join(thread);
	}
	while (cthread_count() > 1)
		cthread_yield();
	cthread_join(cthread_fork(twice, NULL)); /* clears away the last of the detached */
	return 0;
}

static int nothing_left(void)
{
	RUN(fork_many(0));
	int names = names_held();
	vm_size_t memory = memory_held();

	RUN(fork_many(0));
	CHECK(names_held() == names && memory_held() == memory);
	RUN(fork_many(1));
	CHECK(names_held() == names && memory_held() == memory);
	CHECK(malloc_check(NULL) == 0);
	return 0;
}

static int running_out(void)
{
	cthread_stack_size = 1UL << 50;
	CHECK(cthread_fork(twice, NULL) == CTHREAD_NULL);
	cthread_stack_size = CTHREAD_STACK_SIZE;
	CHECK(cthread_count() == 1);
	return 0;
}

int main(void)
{
	RUN(results());
	RUN(own_data());
	RUN(exclusion());
	RUN(conditions());
	RUN(limits());
	RUN(nothing_left());
	RUN(running_out());
	return 0;
}
