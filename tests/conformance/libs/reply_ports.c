/* mach-abi.md 7.4: a thread's reply port is kept between calls, and not given out twice. */
#include <cthreads.h>
#include <mach.h>
#include <mach/mig_support.h>

#include "check.h"

static int is_receive_right(mach_port_t name)
{
	mach_port_type_t type;

	return mach_port_type(mach_task_self(), name, &type) == KERN_SUCCESS && type == MACH_PORT_TYPE_RECEIVE;
}

static any_t own_port(any_t argument)
{
	mach_port_t port = mig_get_reply_port();

	mig_put_reply_port(port);
	return (any_t)(uintptr_t)port;
}

int main(void)
{
	mach_port_t first = mig_get_reply_port(), second = mig_get_reply_port(); /* as inside a call */
	char text[4] = "xxx";

	CHECK(MACH_PORT_VALID(first) && MACH_PORT_VALID(second) && second != first);
	mig_put_reply_port(second);
	mig_put_reply_port(first); /* one is kept, the other ends */
	CHECK(is_receive_right(second) && !is_receive_right(first));
	CHECK(mig_get_reply_port() == second);
	mig_dealloc_reply_port(second); /* a reply may still come to it: never again */
	CHECK(!is_receive_right(second));
	first = mig_get_reply_port();
	CHECK(MACH_PORT_VALID(first) && first != second);
	mig_put_reply_port(first);
	CHECK(is_receive_right(first));
	mig_dealloc_reply_port(MACH_PORT_NULL);

	/* Each thread has its own, which ends with it. */
	second = (mach_port_t)(uintptr_t)cthread_join(cthread_fork(own_port, NULL));
	CHECK(second != first && !is_receive_right(second));

	/* mig_strncpy always ends with NUL, and tells the length. */
	CHECK(mig_strncpy(text, "abcdef", 4) == 3 && text[2] == 'c' && text[3] == '\0');
	CHECK(mig_strncpy(text, "a", 4) == 1 && text[1] == '\0' && mig_strncpy(text, "a", 0) == 0);
	return 0;
}
