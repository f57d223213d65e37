/* Calls that try the kernel's shortcut first (mach-abi.md 3.2).  MACH_SEND_INTERRUPTED
   tells that the first argument is not an object of this node, and nothing was done:
   then the message is sent, which may reach another node, or tell what is wrong. */
#include <mach.h>

#define SHORTCUT(name, parameters, arguments)                \
	extern kern_return_t name##_rpc parameters;          \
	kern_return_t name parameters                        \
	{                                                    \
		kern_return_t kr = syscall_##name arguments; \
                                                             \
		if (kr == MACH_SEND_INTERRUPTED)             \
			kr = name##_rpc arguments;           \
		return kr;                                   \
	}

SHORTCUT(vm_map,
    (vm_task_t task, vm_address_t *address, vm_size_t size, vm_address_t mask, boolean_t anywhere,
	memory_object_t object, vm_offset_t offset, boolean_t copy, vm_prot_t cur, vm_prot_t max,
	vm_inherit_t inheritance),
    (task, address, size, mask, anywhere, object, offset, copy, cur, max, inheritance))
SHORTCUT(vm_allocate, (vm_task_t task, vm_address_t *address, vm_size_t size, boolean_t anywhere),
    (task, address, size, anywhere))
SHORTCUT(vm_deallocate, (vm_task_t task, vm_address_t address, vm_size_t size), (task, address, size))
SHORTCUT(task_create, (task_t parent, boolean_t inherit, task_t *child), (parent, inherit, child))
SHORTCUT(task_terminate, (task_t task), (task))
SHORTCUT(task_suspend, (task_t task), (task))
SHORTCUT(task_set_special_port, (task_t task, int which, mach_port_t port), (task, which, port))
SHORTCUT(mach_port_allocate, (ipc_space_t task, mach_port_right_t right, mach_port_name_t *name),
    (task, right, name))
SHORTCUT(mach_port_allocate_name, (ipc_space_t task, mach_port_right_t right, mach_port_name_t name),
    (task, right, name))
SHORTCUT(mach_port_deallocate, (ipc_space_t task, mach_port_name_t name), (task, name))
SHORTCUT(mach_port_insert_right,
    (ipc_space_t task, mach_port_name_t name, mach_port_t right, mach_msg_type_name_t right_type),
    (task, name, right, right_type))
SHORTCUT(thread_depress_abort, (thread_t thread), (thread))
