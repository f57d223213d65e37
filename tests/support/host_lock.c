/* The slow way of the C library's locks, on the host: with one thread nobody ever goes it. */
#include <machemu/lock.h>

void lock_take_solid(struct lock *lock)
{
	(void)lock;
	__builtin_trap();
}

void lock_wake_one(struct lock *lock)
{
	(void)lock;
	__builtin_trap();
}
