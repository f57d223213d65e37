/* A trap by number, for those that libmach has no stub for. */
#ifndef TRAP_H
#define TRAP_H

static inline long trap(long number, long first)
{
	register long a0 __asm__("a0") = first;
	register long a7 __asm__("a7") = number;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7) : "memory");
	return a0;
}

#endif
