/* A section in which a test preempts the thread after every instruction in turn
   (machemu/testing/preemption.py).  In any other run: two traps without effect. */
#ifndef _MACHEMU_PREEMPT_H_
#define _MACHEMU_PREEMPT_H_

#include <mach/mach_traps.h>

static inline void preempt_section_begins(void)
{
	trace_point(0x0b060001, 0, 0, 0);
}

static inline void preempt_section_ends(void)
{
	trace_point(0x0b060002, 0, 0, 0);
}

#endif
