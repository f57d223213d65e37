/* The node's counter.  The instruction traps, so it is read once a turn, not once a use. */
#include "gns.h"

uint64_t clock_read(void)
{
	uint64_t time;

	__asm__ volatile("rdtime %0" : "=r"(time));
	return time;
}
