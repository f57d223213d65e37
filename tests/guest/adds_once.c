/* Looks the server "counter" up, rests, calls it once, rests, and ends. */
#include <mach.h>
#include <mach/thread_switch.h>
#include <machemu/server.h>
#include <mig/counter.h>

#include "check.h"

#define REST_MS 20

int main(void)
{
	mach_port_t counter;
	int64_t sum;

	CHECK(server_look_up("counter", &counter) == KERN_SUCCESS);
	thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, REST_MS);
	CHECK(counter_add(counter, 5, &sum) == KERN_SUCCESS);
	printf("the sum is %lld\n", (long long)sum);
	thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, REST_MS);
	return 0;
}
