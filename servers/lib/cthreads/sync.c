/* Mutexes and conditions; a mutex is a lock of <machemu/lock.h>. */
#include <stdlib.h>

#include <cthreads.h>

mutex_t mutex_alloc(void)
{
	return calloc(1, sizeof(struct mutex));
}

void mutex_free(mutex_t mutex)
{
	free(mutex);
}

condition_t condition_alloc(void)
{
	return calloc(1, sizeof(struct condition));
}

void condition_free(condition_t condition)
{
	condition_broadcast(condition);
	free(condition);
}

void condition_wait(condition_t condition, mutex_t mutex)
{
	struct waiter self;

	/* In the queue before the mutex is free: who then makes true what we wait for finds us. */
	spin_lock(&condition->guard);
	waiter_join(&condition->waiting, &self);
	spin_unlock(&condition->guard);
	mutex_unlock(mutex);
	waiter_sleep(&self);
	mutex_lock(mutex);
}

void cond_signal(condition_t condition)
{
	struct waiter *next;

	spin_lock(&condition->guard);
	next = waiter_next(&condition->waiting);
	spin_unlock(&condition->guard);
	if (next != NULL)
		waiter_wake(next);
}

void cond_broadcast(condition_t condition)
{
	struct waiters woken;
	struct waiter *next;

	/* Those that wait from now on wait for the next one. */
	spin_lock(&condition->guard);
	woken = condition->waiting;
	condition->waiting.first = NULL;
	spin_unlock(&condition->guard);
	while ((next = waiter_next(&woken)) != NULL)
		waiter_wake(next);
}
