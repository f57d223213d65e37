/* Two threads and one mutex, in a section that is left after every instruction in turn.
   Argument: which mutex.  `test, then set` is broken; ours is that of <cthreads.h>. */
#include <cthreads.h>
#include <machemu/preempt.h>
#include <string.h>

#include "check.h"

static struct mutex ours;
static int volatile taken;
static int volatile inside, violations, done;
static int broken, marked;

static void lock(void)
{
	if (!broken) {
		mutex_lock(&ours);
		return;
	}
	while (taken)
		cthread_yield();
	taken = 1;
}

static void unlock(void)
{
	if (broken)
		taken = 0;
	else
		mutex_unlock(&ours);
}

static any_t enter(any_t argument)
{
	if (marked)
		preempt_section_begins(); /* the first to come here is the one that is preempted */
	lock();
	if (inside != 0)
		violations++;
	inside = 1;
	cthread_yield();
	inside = 0;
	unlock();
	preempt_section_ends();
	done++;
	return argument;
}

static int all_enter(void)
{
	cthread_t others[2];

	done = violations = 0;
	for (int i = 0; i < 2; i++)
		others[i] = cthread_fork(enter, NULL);
	enter(NULL);
	for (int i = 0; i < 2; i++)
		cthread_join(others[i]);
	CHECK(done == 3);
	CHECK(violations == 0);
	return 0;
}

int main(int argc, char **argv)
{
	broken = argc > 1 && strcmp(argv[1], "broken") == 0;
	RUN(all_enter()); /* once undisturbed: all that is made on first use is there then */
	marked = 1;
	return all_enter();
}
