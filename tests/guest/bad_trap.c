/* A trap number outside the table: EXC_BAD_INSTRUCTION, which ends a task that nobody
   watches. */
#include <stdlib.h>

#include "trap.h"

int main(int argc, char **argv)
{
	trap(argc > 1 ? atol(argv[1]) : -130, 0);
	return 0;
}
