/* Touches memory as its argument says, which ends a task that nobody watches:
   null, text (a write), data (a jump), unmapped, or an address. */
#include <stdlib.h>
#include <string.h>

static const int constant = 5;
static volatile unsigned variable[1];

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "null";

	if (strcmp(what, "text") == 0)
		*(volatile int *)&constant = 1;
	else if (strcmp(what, "data") == 0) {
		variable[0] = 0x00008067; /* ret */
		((void (*)(void))variable)();
	}
	else if (strcmp(what, "unmapped") == 0)
		*(volatile int *)0x3000000000 = 1;
	else
		*(volatile int *)strtoul(what, NULL, 0) = 1;
	return 0;
}
