/* Traps without a row in the table, and those that hold a place; the argument says how
   many more of the cheapest to make (for measuring). */
#include <stdlib.h>

#include <mach.h>

#include "check.h"
#include "trap.h"

#define PLACEHOLDER -10
#define UNUSED      -1
#define LAST        -129

int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 0;

	CHECK(trap(PLACEHOLDER, 7) == 0);
	CHECK(trap(-55, 7) == 0);
	CHECK(trap(UNUSED, 0) == KERN_INVALID_ARGUMENT);
	CHECK(trap(0, 0) == KERN_INVALID_ARGUMENT);
	CHECK(trap(LAST, 0) == KERN_INVALID_ARGUMENT);
	while (count-- > 0)
		trap(PLACEHOLDER, 0);
	return 0;
}
