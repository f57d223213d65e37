/* Ends with the status that its first argument gives; `sleep` never ends. */
#include <stdlib.h>
#include <string.h>

#include <mach.h>
#include <mach/thread_switch.h>

int main(int argc, char **argv)
{
	while (argc > 1 && strcmp(argv[1], "sleep") == 0)
		thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 100);
	return argc > 1 ? atoi(argv[1]) : 0;
}
