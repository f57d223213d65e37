/* The end of a task, with a status. */
#include <stdlib.h>

#include <mach.h>
#include <mach/machemu.h>
#include <mig/proc.h>

void _Exit(int status)
{
	mach_port_t proc = mach_registered_port(SERVICE_SLOT);

	/* The process server learns the status first: when the task ends, so does its
	   entry there. */
	if (MACH_PORT_VALID(proc))
		proc_exit(proc, status);
	machemu_exit(mach_task_self(), status);
	for (;;) /* where nobody knows machemu_exit */
		task_terminate(mach_task_self());
}

void _exit(int status)
{
	_Exit(status);
}
