/* mach-abi.md 10.2, 10.3: what a program finds when it begins. */
#include <mach.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static int constructed;

__attribute__((constructor)) static void construct(void)
{
	constructed = MACH_PORT_VALID(mach_task_self());
}

int main(int argc, char **argv, char **envp)
{
	mach_port_t port = MACH_PORT_NULL;

	CHECK(constructed == 1);
	CHECK(argc == 1 && argv[0] != NULL && argv[1] == NULL && envp == argv + 2 && envp[0] == NULL);
	CHECK(environ == envp && getenv("PATH") == NULL);
	CHECK((uintptr_t)__builtin_frame_address(0) % 16 == 0);
	CHECK(vm_page_size == PAGE_SIZE && vm_page_size == 4096);
	CHECK(mach_task_self() == (mach_task_self)()); /* the trap gives the same name */

	CHECK(task_get_bootstrap_port(mach_task_self(), &port) == KERN_SUCCESS && port == bootstrap_port);
	CHECK(bootstrap_port == bootstrap_port); /* asked once: no reference is added */
	CHECK(mach_registered_port(-1) == MACH_PORT_NULL && mach_registered_port(TASK_PORT_REGISTER_MAX) == MACH_PORT_NULL);
	/* Nobody is there to give a program alone these. */
	CHECK(name_server_port == MACH_PORT_NULL && environment_port == MACH_PORT_NULL && service_port == MACH_PORT_NULL);
	return 0;
}
