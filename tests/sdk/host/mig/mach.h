/* What the C library uses of the interface mach, for a run on the host. */
#include <mach/mach_types.h>

extern kern_return_t vm_allocate(vm_task_t task, vm_address_t *address, vm_size_t size, boolean_t anywhere);
extern kern_return_t vm_deallocate(vm_task_t task, vm_address_t address, vm_size_t size);
