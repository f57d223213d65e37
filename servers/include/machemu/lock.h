/* Locks for short and for longer waits: what the libraries and <cthreads.h> are made of.

   All zeros is a free lock without waiters.  Taking a free one and giving it back is an
   atomic instruction each and no trap. */
#ifndef _MACHEMU_LOCK_H_
#define _MACHEMU_LOCK_H_

#include <stdbool.h>
#include <stddef.h>

#include <mach/port.h>

/* --- spin locks: for a few instructions; who finds one taken yields -------------- */

typedef int spin_lock_t;

#define SPIN_LOCK_INITIALIZER 0

extern void spin_lock_solid(spin_lock_t *lock); /* the slow way */

static inline bool spin_try_lock(spin_lock_t *lock)
{
	return __atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE) == 0;
}

static inline void spin_lock(spin_lock_t *lock)
{
	if (!spin_try_lock(lock))
		spin_lock_solid(lock);
}

static inline void spin_unlock(spin_lock_t *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

/* --- waiting: a thread sleeps until another one, which found it in a queue, wakes it - */

struct waiter {
	struct waiter *next;
	mach_port_t port; /* where the wake-up comes; null: there is none to be had */
	int woken;
};

/* Longest wait first.  Whoever looks at one holds the lock that guards it. */
struct waiters {
	struct waiter *first, *last;
};

extern void waiter_join(struct waiters *queue, struct waiter *self);
extern void waiter_leave(struct waiters *queue, struct waiter *self);
extern struct waiter *waiter_next(struct waiters *queue); /* takes it out; null: empty */

/* Until woken, exactly once after each join that nobody took back.  Its place is the
   thread's stack: the waker does not look at it after this. */
extern void waiter_sleep(struct waiter *self);
extern void waiter_wake(struct waiter *other);

/* --- locks to wait for --------------------------------------------------------------- */

enum { LOCK_FREE, LOCK_TAKEN, LOCK_WANTED /* taken, and somebody may be waiting */ };

struct lock {
	int state;
	spin_lock_t guard; /* of waiting */
	struct waiters waiting;
};

extern void lock_take_solid(struct lock *lock);
extern void lock_wake_one(struct lock *lock);

static inline bool lock_try(struct lock *lock)
{
	int state = LOCK_FREE;

	return __atomic_compare_exchange_n(&lock->state, &state, LOCK_TAKEN, false, __ATOMIC_ACQUIRE,
	    __ATOMIC_RELAXED);
}

static inline void lock_take(struct lock *lock)
{
	if (!lock_try(lock))
		lock_take_solid(lock);
}

static inline void lock_release(struct lock *lock)
{
	if (__atomic_exchange_n(&lock->state, LOCK_FREE, __ATOMIC_RELEASE) == LOCK_WANTED)
		lock_wake_one(lock);
}

#endif
