/* What the libraries keep for each thread, in front of its _Thread_local variables:

       ... stack | struct thread_area | _Thread_local variables
                                      ^ tp

   Start-up sets tp for the first thread, <cthreads.h> for those it makes.  A thread made
   with thread_create alone begins with tp 0; all such threads share one area, which is
   why what is in it is taken and put with atomic operations. */
#ifndef _MACHEMU_THREAD_AREA_H_
#define _MACHEMU_THREAD_AREA_H_

#include <stdbool.h>
#include <stddef.h>

#include <mach/port.h>

#define THREAD_AREA_ALIGNMENT 64 /* the largest that a _Thread_local variable may ask for */

struct thread_area {
	mach_port_t reply_port; /* of RPCs, while none is under way */
	mach_port_t wake_port;  /* where it waits for locks; null: it never had to */
	int error;              /* errno */
	int ending_port;        /* mig_support.c: inside the RPC that ends a reply port */
	void *cthread;
	char unknown_error[40]; /* mach_error_string's text for a result without one */
} __attribute__((aligned(THREAD_AREA_ALIGNMENT)));

#ifdef __riscv
extern struct thread_area thread_area_without_tp;

static inline struct thread_area *thread_area(void)
{
	struct thread_area *behind = __builtin_thread_pointer();

	return behind != NULL ? behind - 1 : &thread_area_without_tp;
}

static inline bool thread_has_area(void)
{
	return __builtin_thread_pointer() != NULL;
}
#else /* where C of the libraries is tested on another machine: one thread */
static inline struct thread_area *thread_area(void)
{
	static struct thread_area only;

	return &only;
}

static inline bool thread_has_area(void)
{
	return true;
}
#endif

/* Octets of an area with its variables, and the area laid out at `at`, which is aligned;
   the result is the thread's tp. */
extern size_t thread_area_size(void);
extern void *thread_area_make(void *at);

#endif
