/* A program for a process server to start.  Its first argument says what it does: `exit N`,
   `arguments` (prints them, its name included), `fault`, or `wait` for ever without a timer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mach.h>

static void wait_for_ever(void)
{
	mach_msg_header_t message;
	mach_port_t port = mach_reply_port();

	mach_msg(&message, MACH_RCV_MSG, 0, sizeof message, port, MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL);
}

int main(int argc, char **argv)
{
	const char *deed = argc > 1 ? argv[1] : "";

	if (strcmp(deed, "exit") == 0)
		return argc > 2 ? atoi(argv[2]) : 0;
	if (strcmp(deed, "arguments") == 0)
		for (int i = 0; i < argc; i++)
			printf("[%s]\n", argv[i]);
	if (strcmp(deed, "fault") == 0)
		*(volatile int *)8 = 1;
	if (strcmp(deed, "wait") == 0)
		wait_for_ever();
	return 0;
}
