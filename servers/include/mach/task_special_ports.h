#ifndef _MACH_TASK_SPECIAL_PORTS_H_
#define _MACH_TASK_SPECIAL_PORTS_H_

#define TASK_KERNEL_PORT    1
#define TASK_EXCEPTION_PORT 3
#define TASK_BOOTSTRAP_PORT 4

/* Slots of mach_ports_register: machemu's ACS, boot files and process server. */
#define NAME_SERVER_SLOT   0
#define ENVIRONMENT_SLOT   1
#define SERVICE_SLOT       2
#define MACH_PORTS_SLOTS_USED 3
#define TASK_PORT_REGISTER_MAX 4

#define task_get_kernel_port(task, port)    task_get_special_port((task), TASK_KERNEL_PORT, (port))
#define task_set_kernel_port(task, port)    task_set_special_port((task), TASK_KERNEL_PORT, (port))
#define task_get_exception_port(task, port) task_get_special_port((task), TASK_EXCEPTION_PORT, (port))
#define task_set_exception_port(task, port) task_set_special_port((task), TASK_EXCEPTION_PORT, (port))
#define task_get_bootstrap_port(task, port) task_get_special_port((task), TASK_BOOTSTRAP_PORT, (port))
#define task_set_bootstrap_port(task, port) task_set_special_port((task), TASK_BOOTSTRAP_PORT, (port))

#endif
