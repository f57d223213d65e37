/* Locks that somebody else holds: see <machemu/lock.h>.

   A thread sleeps in a receive on a port of its own.  A message queued is a wake-up kept,
   so that it does not matter whether it comes before or after the thread is asleep. */
#include <stdlib.h>

#include <mach.h>
#include <mach/thread_switch.h>
#include <machemu/lock.h>
#include <machemu/thread_area.h>

#define TICK_MS 10 /* of virtual time: the shortest wait there is */

/* Depressed, for the holder may have a weaker priority. */
void spin_lock_solid(spin_lock_t *lock)
{
	do
		thread_switch(MACH_PORT_NULL, SWITCH_OPTION_DEPRESS, TICK_MS);
	while (!spin_try_lock(lock));
}

/* --- waiting ------------------------------------------------------------------------ */

void waiter_join(struct waiters *queue, struct waiter *self)
{
	struct thread_area *area = thread_area();

	/* Kept for the thread's next wait; taken out meanwhile, as an area may be shared. */
	self->port = __atomic_exchange_n(&area->wake_port, MACH_PORT_NULL, __ATOMIC_RELAXED);
	if (self->port == MACH_PORT_NULL)
		self->port = mach_reply_port();
	self->next = NULL;
	self->woken = false;
	if (queue->first == NULL)
		queue->first = self;
	else
		queue->last->next = self;
	queue->last = self;
}

/* `self` is in no queue any more: its port is for the next wait. */
static void keep_port(struct waiter *self)
{
	mach_port_t none = MACH_PORT_NULL;

	if (self->port != MACH_PORT_NULL &&
	    !__atomic_compare_exchange_n(&thread_area()->wake_port, &none, self->port, false, __ATOMIC_RELAXED,
		__ATOMIC_RELAXED))
		mach_port_mod_refs(mach_task_self(), self->port, MACH_PORT_RIGHT_RECEIVE, -1);
}

void waiter_leave(struct waiters *queue, struct waiter *self)
{
	struct waiter **link = &queue->first, *before = NULL;

	while (*link != self) {
		before = *link;
		link = &before->next;
	}
	*link = self->next;
	if (queue->last == self)
		queue->last = before;
	keep_port(self);
}

struct waiter *waiter_next(struct waiters *queue)
{
	struct waiter *first = queue->first;

	if (first != NULL)
		queue->first = first->next;
	return first;
}

void waiter_sleep(struct waiter *self)
{
	mach_msg_header_t wake_up;
	mach_msg_return_t mr;

	while (self->port == MACH_PORT_NULL && !__atomic_load_n(&self->woken, __ATOMIC_ACQUIRE))
		thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, TICK_MS);
	if (self->port == MACH_PORT_NULL)
		return;
	do
		mr = mach_msg_trap(&wake_up, MACH_RCV_MSG, 0, sizeof wake_up, self->port,
		    MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL);
	while (mr == MACH_RCV_INTERRUPTED);
	if (mr != MACH_MSG_SUCCESS)
		abort(); /* somebody ended our port: there is no telling when to go on */
	keep_port(self);
}

void waiter_wake(struct waiter *other)
{
	mach_port_t port = other->port;
	mach_msg_header_t wake_up = {
	    .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND_ONCE, 0),
	    .msgh_size = sizeof wake_up,
	    .msgh_remote_port = port,
	};
	mach_msg_return_t mr;

	__atomic_store_n(&other->woken, true, __ATOMIC_RELEASE); /* without a port it may be gone now */
	if (port == MACH_PORT_NULL)
		return;
	do
		mr = mach_msg_trap(&wake_up, MACH_SEND_MSG, sizeof wake_up, 0, MACH_PORT_NULL,
		    MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL);
	while (mr == MACH_SEND_INTERRUPTED || mr == MACH_SEND_NO_BUFFER);
	if (mr != MACH_MSG_SUCCESS)
		abort();
}

/* --- locks to wait for ---------------------------------------------------------------- */

/* Marks the lock as wanted, and takes it if it was free; else waits to be woken.  The
   holder sees the mark, takes the guard and then finds us in the queue. */
static bool take_or_wait(struct lock *lock)
{
	struct waiter self;

	spin_lock(&lock->guard);
	waiter_join(&lock->waiting, &self);
	if (__atomic_exchange_n(&lock->state, LOCK_WANTED, __ATOMIC_ACQUIRE) == LOCK_FREE) {
		waiter_leave(&lock->waiting, &self);
		spin_unlock(&lock->guard);
		return true;
	}
	spin_unlock(&lock->guard);
	waiter_sleep(&self);
	return false;
}

/* Who was woken takes its turn with those that come: a lock is never handed over to a
   thread that does not run. */
void lock_take_solid(struct lock *lock)
{
	while (!take_or_wait(lock))
		;
}

void lock_wake_one(struct lock *lock)
{
	struct waiter *next;

	spin_lock(&lock->guard);
	next = waiter_next(&lock->waiting);
	spin_unlock(&lock->guard);
	if (next != NULL)
		waiter_wake(next);
}
