/* C threads (CMU's interface): several threads in one task, on kernel threads, one each.

   main's thread is one of them.  When main returns, or anybody calls exit, the task ends
   and all its threads with it; cthread_exit in main's thread waits for the others first. */
#ifndef _CTHREADS_H_
#define _CTHREADS_H_

#include <mach/mach_types.h>
#include <mach/message.h>
#include <machemu/lock.h>

typedef void *any_t;
typedef any_t (*cthread_fn_t)(any_t argument);

/* --- threads ---------------------------------------------------------------------- */

typedef struct cthread *cthread_t;

#define CTHREAD_NULL ((cthread_t)0)
#define NO_CTHREAD   CTHREAD_NULL

/* No need to call it; returns 0. */
extern int cthread_init(void);

/* CTHREAD_NULL: no memory, or no kernel thread. */
extern cthread_t cthread_fork(cthread_fn_t function, any_t argument);
/* Wait for it to end, once; what it returned.  Nothing of it is left then. */
extern any_t cthread_join(cthread_t thread);
/* Nobody is going to join it: what it leaves is cleared away as it ends. */
extern void cthread_detach(cthread_t thread);
extern _Noreturn void cthread_exit(any_t result);
extern void cthread_yield(void);

/* CTHREAD_NULL in a thread that the program made with thread_create. */
extern cthread_t cthread_self(void);
extern mach_port_t cthread_kernel_thread(cthread_t thread); /* no reference is added */

/* A word for the program, and another for its libraries. */
extern void cthread_set_data(cthread_t thread, any_t data);
extern any_t cthread_data(cthread_t thread);
extern void cthread_set_ldata(cthread_t thread, any_t data);
extern any_t cthread_ldata(cthread_t thread);

/* The text is not copied.  The kernel gets it too, for those that look from outside. */
extern void cthread_set_name(cthread_t thread, const char *name);
extern const char *cthread_name(cthread_t thread);

/* How many there are, main's included, and how many may run: those forked beyond the
   limit begin when others end.  0: no limit. */
extern int cthread_count(void);
extern void cthread_set_limit(int limit);
extern int cthread_limit(void);
#define cthread_set_kernel_limit(limit) cthread_set_limit(limit)
#define cthread_kernel_limit()          cthread_limit()

/* Octets of the stacks of threads yet to be forked.  Below each lies a page without
   access: what runs out of stack ends there. */
extern vm_size_t cthread_stack_size;
#define CTHREAD_STACK_SIZE (64UL << 10) /* at first */

/* Each thread is wired to a kernel thread of its own anyway. */
static inline void cthread_wire(void) {}
static inline void cthread_unwire(void) {}

/* In CMU's version these let others of its processors run meanwhile. */
#define cthread_mach_msg(msg, option, send_size, rcv_size, rcv_name, timeout, notify, least, most) \
	mach_msg(msg, option, send_size, rcv_size, rcv_name, timeout, notify)
#define cthread_msg_busy(port, least, most)   ((void)0)
#define cthread_msg_active(port, least, most) ((void)0)

#define spin_lock_init(lock)   spin_unlock(lock)
#define spin_lock_locked(lock) (*(volatile spin_lock_t *)(lock) != 0)

/* --- mutexes ------------------------------------------------------------------------ */

typedef struct mutex {
	struct lock held;
	const char *name;
} *mutex_t;

#define MUTEX_NULL                    ((mutex_t)0)
#define MUTEX_INITIALIZER             {{0}, 0}
#define MUTEX_NAMED_INITIALIZER(text) {{0}, text}

extern mutex_t mutex_alloc(void); /* MUTEX_NULL: no memory */
extern void mutex_free(mutex_t mutex);

static inline void mutex_init(mutex_t mutex)
{
	*mutex = (struct mutex)MUTEX_INITIALIZER;
}

/* A thread that holds it and locks it again waits for ever. */
static inline void mutex_lock(mutex_t mutex)
{
	lock_take(&mutex->held);
}

static inline int mutex_try_lock(mutex_t mutex)
{
	return lock_try(&mutex->held);
}

static inline void mutex_unlock(mutex_t mutex)
{
	lock_release(&mutex->held);
}

#define mutex_clear(mutex)          mutex_init(mutex)
#define mutex_set_name(mutex, text) ((void)((mutex)->name = (text)))
#define mutex_name(mutex)           ((mutex)->name != 0 ? (mutex)->name : "?")

/* --- conditions ------------------------------------------------------------------------ */

typedef struct condition {
	spin_lock_t guard;
	struct waiters waiting;
	const char *name;
} *condition_t;

#define CONDITION_NULL                    ((condition_t)0)
#define CONDITION_INITIALIZER             {0, {0, 0}, 0}
#define CONDITION_NAMED_INITIALIZER(text) {0, {0, 0}, text}

extern condition_t condition_alloc(void); /* CONDITION_NULL: no memory */
extern void condition_free(condition_t condition);

static inline void condition_init(condition_t condition)
{
	*condition = (struct condition)CONDITION_INITIALIZER;
}

/* Unlocks the mutex, waits for a signal, and locks it.  Others may have had it between the
   signal and that: test again what was waited for. */
extern void condition_wait(condition_t condition, mutex_t mutex);

extern void cond_signal(condition_t condition);
extern void cond_broadcast(condition_t condition);

/* Wakes who has waited longest, or all.  Without waiters: nothing, and no call. */
static inline void condition_signal(condition_t condition)
{
	if (__atomic_load_n(&condition->waiting.first, __ATOMIC_RELAXED) != NULL)
		cond_signal(condition);
}

static inline void condition_broadcast(condition_t condition)
{
	if (__atomic_load_n(&condition->waiting.first, __ATOMIC_RELAXED) != NULL)
		cond_broadcast(condition);
}

#define condition_clear(condition)          condition_broadcast(condition)
#define condition_set_name(condition, text) ((void)((condition)->name = (text)))
#define condition_name(condition)           ((condition)->name != 0 ? (condition)->name : "?")

#endif
