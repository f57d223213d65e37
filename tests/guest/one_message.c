/* Sends one message of so many octets to a server of another node, and some time later asks
   whether it has come. */
#include <mach.h>
#include <mach/thread_switch.h>
#include <machemu/server.h>
#include <mig/soak.h>
#include <stdlib.h>

#include "check.h"

int main(int argc, char *argv[])
{
	static char data[65536];
	mach_port_t server;
	int64_t received, faults, first, digest;

	CHECK(argc == 2);
	CHECK(server_look_up("soak", &server) == KERN_SUCCESS);
	CHECK(soak_put(server, 0, data, (mach_msg_type_number_t)atoi(argv[1])) == KERN_SUCCESS);
	thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 50);
	CHECK(soak_finish(server, &received, &faults, &first, &digest) == KERN_SUCCESS);
	CHECK(received == 1);
	return 0;
}
