/* mach-abi.md 3.1, 3.2: traps by number, where there is nothing but a number. */
#include <mach.h>

#include "check.h"
#include "trap.h"

#define LAST (-129)

/* What the reference gives a meaning, and the placeholders. */
static int is_used(int number)
{
	switch (number) {
	case -30 ... -25:
	case -61 ... -59:
	case -66 ... -64:
	case -76 ... -68:
	case -100:
		return 1;
	}
	return 0;
}

static int is_placeholder(int number)
{
	return (number <= -10 && number >= -13) || number == -55 || number == -56;
}

int main(void)
{
	for (int number = 0; number >= LAST; number--) {
		if (is_used(number))
			continue;
		CHECK(trap(number, 5) == (is_placeholder(number) ? KERN_SUCCESS : KERN_INVALID_ARGUMENT));
	}
	/* Event counters, device writes and what UNIX emulation alone had are not there. */
	CHECK(trap(-17, 0) == KERN_INVALID_ARGUMENT && trap(-18, 0) == KERN_INVALID_ARGUMENT);
	CHECK(trap(-39, 0) == KERN_INVALID_ARGUMENT && trap(-40, 0) == KERN_INVALID_ARGUMENT);
	CHECK(trap(-41, 0) == KERN_INVALID_ARGUMENT && trap(-43, 0) == KERN_INVALID_ARGUMENT);
	CHECK(trap(-44, 0) == KERN_INVALID_ARGUMENT && trap(-52, 0) == KERN_INVALID_ARGUMENT);
	CHECK(trap(-53, 0) == KERN_INVALID_ARGUMENT);

	/* A code is a C int in its register: sign-extended, whatever its top bit. */
	mach_port_t port = mach_reply_port();
	CHECK((long)(int)MACH_SEND_INTERRUPTED == trap(-73, port));
	CHECK(trap(-100, 0) == KERN_SUCCESS);
	CHECK(trace_point(~0ul, 1, 2, 3) == KERN_SUCCESS);
	return 0;
}
