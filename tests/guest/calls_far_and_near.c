/* Calls a server of another node, and again after a while, when it must fail; then one of its
   own node, which must not. */
#include <mach.h>
#include <mach/thread_switch.h>
#include <machemu/server.h>
#include <mig/counter.h>
#include <mig/soak.h>

#include "check.h"

int main(void)
{
	mach_port_t far, near;
	int64_t sum, received, faults, first, digest;

	CHECK(server_look_up("counter", &far) == KERN_SUCCESS);
	CHECK(counter_add(far, 1, &sum) == KERN_SUCCESS);
	printf("the network server works\n");
	thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 50);
	CHECK(counter_add(far, 1, &sum) != KERN_SUCCESS);
	CHECK(server_look_up("soak", &near) == KERN_SUCCESS);
	CHECK(soak_finish(near, &received, &faults, &first, &digest) == KERN_SUCCESS);
	return 0;
}
