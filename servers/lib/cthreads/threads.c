/* Threads: fork to join.

   A thread cannot free the stack it stands on.  When it ends it says so and waits for
   ever, as it were, for its end in thread_terminate; who joins it, or, if it is detached,
   who ends or forks next, makes sure that it has ended and clears it away.  From the moment
   it has said so, it holds nothing that others need. */
#include <stdint.h>
#include <stdlib.h>

#include <mach.h>
#include <mach/gnumach.h>
#include <mach/mig_support.h>
#include <mach/thread_switch.h>
#include <machemu/thread_area.h>

#include "cthread.h"

static struct cthread first = {.name = "main"};

/* The guard covers what follows, and `ended`, `detached` and `joiner` of every record. */
static spin_lock_t guard;
static struct cthread *leftover;             /* detached, ended, not yet cleared away */
static struct cthread *pending, *last_pending; /* forked beyond the limit */
static int count = 1, running = 1, limit;
static struct waiters last_one; /* main's thread, when it waits for all others to end */

__attribute__((constructor)) static void adopt_first(void)
{
	first.area = thread_area();
	first.area->cthread = &first;
	first.thread = mach_thread_self();
}

int cthread_init(void)
{
	return 0; /* all is done before main begins */
}

cthread_t cthread_self(void)
{
	return thread_area()->cthread;
}

static void clear_leftover(void)
{
	struct cthread *thread;

	spin_lock(&guard);
	thread = leftover;
	leftover = NULL;
	spin_unlock(&guard);
	while (thread != NULL) {
		struct cthread *next = thread->next;

		cthread_clear(thread);
		thread = next;
	}
}

/* --- the beginning ------------------------------------------------------------------ */

/* True: it may run now; else it waits for another one's end. */
static bool admit(struct cthread *thread)
{
	bool now;

	spin_lock(&guard);
	now = limit == 0 || running < limit;
	count++;
	if (now) {
		running++;
	} else {
		*(pending == NULL ? &pending : &last_pending->next) = thread;
		last_pending = thread;
	}
	spin_unlock(&guard);
	return now;
}

cthread_t cthread_fork(cthread_fn_t function, any_t argument)
{
	struct cthread *thread = calloc(1, sizeof *thread);

	clear_leftover();
	if (thread == NULL)
		return CTHREAD_NULL;
	thread->function = function;
	thread->argument = argument;
	if (!cthread_make(thread)) {
		cthread_clear(thread);
		return CTHREAD_NULL;
	}
	if (admit(thread))
		thread_resume(thread->thread);
	return thread;
}

void cthread_body(struct cthread *thread)
{
	cthread_exit(thread->function(thread->argument));
}

/* --- the end ------------------------------------------------------------------------- */

/* A pending one that may run now, or null.  With the guard. */
static struct cthread *next_admitted(void)
{
	struct cthread *next = pending;

	if (next == NULL || (limit != 0 && running >= limit))
		return NULL;
	pending = next->next;
	next->next = NULL;
	running++;
	return next;
}

/* `ended` of them run no longer: others may. */
static void admit_pending(int ended)
{
	struct cthread *next;

	do {
		spin_lock(&guard);
		running -= ended;
		next = next_admitted();
		spin_unlock(&guard);
		if (next != NULL)
			thread_resume(next->thread);
		ended = 0;
	} while (next != NULL);
}

/* After this anybody may clear `self` away.  Returns who waits for it, or null. */
static struct waiter *say_ended(struct cthread *self)
{
	struct waiter *waiting;

	spin_lock(&guard);
	self->ended = true;
	waiting = waiter_next(&self->joiner);
	if (self->detached) {
		self->next = leftover;
		leftover = self;
	}
	if (--count == 1 && waiting == NULL)
		waiting = waiter_next(&last_one);
	spin_unlock(&guard);
	return waiting;
}

static void wait_for_others(void)
{
	struct waiter self;
	bool wait;

	spin_lock(&guard);
	wait = count > 1;
	if (wait)
		waiter_join(&last_one, &self);
	spin_unlock(&guard);
	if (wait)
		waiter_sleep(&self);
}

void cthread_exit(any_t result)
{
	struct cthread *self = cthread_self();
	struct waiter *waiting;

	if (self == &first) {
		wait_for_others();
		exit((int)(intptr_t)result);
	}
	if (self != NULL) {
		self->result = result;
		clear_leftover();
		admit_pending(1);
		/* The one port of its last call, which does not return. */
		self->area->reply_port = self->reply_port = mig_get_reply_port();
		waiting = say_ended(self);
		if (waiting != NULL)
			waiter_wake(waiting);
	}
	for (;;)
		thread_terminate(self != NULL ? self->thread : mach_thread_self());
}

any_t cthread_join(cthread_t thread)
{
	struct waiter self;
	bool wait;
	any_t result;

	spin_lock(&guard);
	if (thread->detached)
		abort(); /* its record may be anybody's by now */
	wait = !thread->ended;
	if (wait)
		waiter_join(&thread->joiner, &self);
	spin_unlock(&guard);
	if (wait)
		waiter_sleep(&self);
	result = thread->result;
	cthread_clear(thread);
	return result;
}

void cthread_detach(cthread_t thread)
{
	bool ended;

	spin_lock(&guard);
	ended = thread->ended;
	thread->detached = true;
	spin_unlock(&guard);
	if (ended)
		cthread_clear(thread);
}

/* --- the rest -------------------------------------------------------------------------- */

void cthread_yield(void)
{
	thread_switch(MACH_PORT_NULL, SWITCH_OPTION_NONE, 0);
}

mach_port_t cthread_kernel_thread(cthread_t thread)
{
	return thread->thread;
}

int cthread_count(void)
{
	return __atomic_load_n(&count, __ATOMIC_RELAXED);
}

int cthread_limit(void)
{
	return __atomic_load_n(&limit, __ATOMIC_RELAXED);
}

void cthread_set_limit(int new_limit)
{
	spin_lock(&guard);
	limit = new_limit;
	spin_unlock(&guard);
	admit_pending(0);
}

void cthread_set_data(cthread_t thread, any_t data)
{
	thread->data = data;
}

any_t cthread_data(cthread_t thread)
{
	return thread->data;
}

void cthread_set_ldata(cthread_t thread, any_t data)
{
	thread->ldata = data;
}

any_t cthread_ldata(cthread_t thread)
{
	return thread->ldata;
}

void cthread_set_name(cthread_t thread, const char *name)
{
	thread->name = name;
	thread_set_name(thread->thread, name);
}

const char *cthread_name(cthread_t thread)
{
	return thread->name != NULL ? thread->name : "?";
}
