/* A thread's record, and what makes and clears away the thread itself. */
#ifndef CTHREAD_H
#define CTHREAD_H

#include <cthreads.h>

struct cthread {
	struct cthread *next; /* in the list it is in, if any */
	cthread_fn_t function;
	any_t argument, result;
	any_t data, ldata;
	const char *name;
	bool detached, ended;
	struct waiters joiner; /* in cthread_join, if any */
	mach_port_t thread;    /* the kernel's; a send right */
	vm_address_t stack;    /* the guard page, then the stack, then the area */
	vm_size_t size;
	struct thread_area *area;
	mach_port_t reply_port; /* of its last call; null: it has not come to that */
};

/* make.c */
extern bool cthread_make(struct cthread *thread);  /* ready to be resumed; false: no room */
extern void cthread_clear(struct cthread *thread); /* it ends if it has not; the record too */

/* begin.S, and what it calls */
extern void cthread_begin(struct cthread *thread);
extern _Noreturn void cthread_body(struct cthread *thread);

#endif
