/* mach-abi.md 3.2: the shortcut traps on tasks and threads, -68 to -71 and -76; mach_print. */
#include "conform.h"
#include "trap.h"

int main(void)
{
	mach_port_t self = mach_task_self(), child = 0x1234, port = new_port_with(1), found, thread = mach_thread_self();
	mach_port_t none[] = {MACH_PORT_NULL, MACH_PORT_DEAD, NO_NAME, port, new_dead_name(1), thread, mach_host_self()};

	for (unsigned int i = 0; i < sizeof none / sizeof none[0]; i++) {
		CHECK(syscall_task_create(none[i], FALSE, &child) == MACH_SEND_INTERRUPTED && child == 0x1234);
		CHECK(syscall_task_terminate(none[i]) == MACH_SEND_INTERRUPTED);
		CHECK(syscall_task_suspend(none[i]) == MACH_SEND_INTERRUPTED);
		CHECK(syscall_task_set_special_port(none[i], TASK_BOOTSTRAP_PORT, port) == MACH_SEND_INTERRUPTED);
		if (none[i] != thread)
			CHECK(syscall_thread_depress_abort(none[i]) == MACH_SEND_INTERRUPTED);
	}
	CHECK(syscall_thread_depress_abort(self) == MACH_SEND_INTERRUPTED);
	CHECK(syscall_thread_depress_abort(thread) == KERN_SUCCESS);

	CHECK(syscall_task_create(self, FALSE, (mach_port_t *)64) == KERN_INVALID_ADDRESS);
	CHECK(syscall_task_create(self, FALSE, &child) == KERN_SUCCESS);
	CHECK(type_of(child) == MACH_PORT_TYPE_SEND && child != self);

	/* The names are the caller's, whatever the task. */
	CHECK(syscall_task_set_special_port(child, TASK_BOOTSTRAP_PORT, port) == KERN_SUCCESS);
	CHECK(task_get_special_port(child, TASK_BOOTSTRAP_PORT, &found) == KERN_SUCCESS && found == port);
	CHECK(sends(port) == 2);
	CHECK(syscall_task_set_special_port(child, TASK_BOOTSTRAP_PORT, MACH_PORT_NULL) == KERN_SUCCESS);
	CHECK(task_get_special_port(child, TASK_BOOTSTRAP_PORT, &found) == KERN_SUCCESS && found == MACH_PORT_NULL);
	CHECK(syscall_task_set_special_port(child, 99, port) == KERN_INVALID_ARGUMENT);
	CHECK(syscall_task_set_special_port(child, TASK_BOOTSTRAP_PORT, NO_NAME) == KERN_INVALID_CAPABILITY);
	CHECK(syscall_task_set_special_port(child, TASK_BOOTSTRAP_PORT, new_port()) == KERN_INVALID_CAPABILITY);
	CHECK(sends(port) == 2);

	CHECK(syscall_task_suspend(child) == KERN_SUCCESS);
	CHECK(task_resume(child) == KERN_SUCCESS);
	CHECK(task_resume(child) == KERN_FAILURE);
	CHECK(syscall_task_terminate(child) == KERN_SUCCESS);
	CHECK(type_of(child) == MACH_PORT_TYPE_DEAD_NAME);
	CHECK(syscall_task_terminate(child) == MACH_SEND_INTERRUPTED);

	/* -30: nothing to print, and nothing to be read. */
	CHECK(trap(-30, (long)"") == KERN_SUCCESS);
	CHECK(trap(-30, 64) == KERN_INVALID_ADDRESS);
	return 0;
}
