/* A driver's thread that sleeps until there is work, in a section that is left after every
   instruction in turn.  Argument: how it sleeps.  `naive` looks first and suspends itself
   then: a wake-up between the two is lost, and it sleeps for ever. */
#include <cthreads.h>
#include <mach.h>
#include <machemu/preempt.h>
#include <string.h>

#include "check.h"

static struct mutex mutex;
static struct condition arrived;
static int volatile work;
static int naive;
static cthread_t driver;

static void sleep_until_work(void)
{
	if (naive) {
		if (!work)
			thread_suspend(cthread_kernel_thread(driver));
		return;
	}
	mutex_lock(&mutex);
	while (!work)
		condition_wait(&arrived, &mutex);
	mutex_unlock(&mutex);
}

static any_t bring_work(any_t argument)
{
	if (naive) {
		work = 1;
		thread_resume(cthread_kernel_thread(driver)); /* fails if it does not sleep yet */
		return argument;
	}
	mutex_lock(&mutex);
	work = 1;
	condition_signal(&arrived);
	mutex_unlock(&mutex);
	return argument;
}

static int sleep_once(int marked)
{
	cthread_t other;

	work = 0;
	other = cthread_fork(bring_work, NULL);
	if (marked)
		preempt_section_begins();
	sleep_until_work();
	if (marked)
		preempt_section_ends();
	CHECK(work);
	cthread_join(other);
	return 0;
}

int main(int argc, char **argv)
{
	naive = argc > 1 && strcmp(argv[1], "naive") == 0;
	driver = cthread_self();
	RUN(sleep_once(0)); /* once undisturbed: all that is made on first use is there then */
	return sleep_once(1);
}
