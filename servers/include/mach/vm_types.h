#ifndef _MACH_VM_TYPES_H_
#define _MACH_VM_TYPES_H_

#include <mach/machine/vm_types.h>
#include <mach/port.h>

typedef mach_port_t vm_task_t; /* a task port, for its address space */

#endif
