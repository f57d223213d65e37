/* Every type that the kernel's interfaces mention. */
#ifndef _MACH_MACH_TYPES_H_
#define _MACH_MACH_TYPES_H_

#include <mach/std_types.h>

#include <mach/exception.h>
#include <mach/gsync.h>
#include <mach/host_info.h>
#include <mach/machine.h>
#include <mach/memory_object.h>
#include <mach/message.h>
#include <mach/policy.h>
#include <mach/port.h>
#include <mach/processor_info.h>
#include <mach/reboot.h>
#include <mach/task_info.h>
#include <mach/task_special_ports.h>
#include <mach/thread_info.h>
#include <mach/thread_special_ports.h>
#include <mach/thread_status.h>
#include <mach/thread_switch.h>
#include <mach/time_value.h>
#include <mach/vm_attributes.h>
#include <mach/vm_cache_statistics.h>
#include <mach/vm_inherit.h>
#include <mach/vm_param.h>
#include <mach/vm_prot.h>
#include <mach/vm_statistics.h>
#include <mach/vm_sync.h>
#include <mach/vm_types.h>
#include <mach/vm_wire.h>

typedef mach_port_t task_t;
typedef task_t *task_array_t;
typedef mach_port_t task_port_t;
typedef task_port_t *task_port_array_t;

typedef mach_port_t thread_t;
typedef thread_t *thread_array_t;
typedef mach_port_t thread_port_t;
typedef thread_port_t *thread_port_array_t;

typedef mach_port_t ipc_space_t;

typedef mach_port_t host_t;
typedef mach_port_t host_priv_t;

typedef mach_port_t processor_t;
typedef mach_port_t *processor_array_t;
typedef mach_port_t processor_set_t;
typedef mach_port_t processor_set_name_t;
typedef mach_port_t *processor_set_array_t;
typedef mach_port_t *processor_set_name_array_t;

typedef vm_offset_t *emulation_vector_t;
typedef char *user_subsystem_t;

typedef char symtab_name_t[32];
typedef const char *const_symtab_name_t;

typedef char kernel_debug_name_t[64];
typedef const char *const_kernel_debug_name_t;

/* No right to an object of that kind. */
#define TASK_NULL               ((task_t)0)
#define THREAD_NULL             ((thread_t)0)
#define HOST_NULL               ((host_t)0)
#define HOST_PRIV_NULL          ((host_priv_t)0)
#define PROCESSOR_NULL          ((processor_t)0)
#define PROCESSOR_SET_NULL      ((processor_set_t)0)
#define PROCESSOR_SET_NAME_NULL ((processor_set_name_t)0)

#endif
