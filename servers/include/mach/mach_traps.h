/* The traps (mach-abi.md 3.2).  Their stubs, servers/lib/mach/traps.S, are made from the
   kernel's table. */
#ifndef _MACH_MACH_TRAPS_H_
#define _MACH_MACH_TRAPS_H_

#include <mach/mach_types.h>

extern mach_port_name_t mach_reply_port(void);
extern mach_port_name_t mach_thread_self(void);
extern mach_port_name_t(mach_task_self)(void);
extern mach_port_name_t mach_host_self(void);

/* Text on the kernel's console; at most 1024 octets of it. */
extern void mach_print(const char *text);

/* Yield.  TRUE: others could run. */
extern boolean_t swtch(void);
extern boolean_t swtch_pri(int priority);
extern kern_return_t thread_switch(mach_port_name_t thread, int option, mach_msg_timeout_t timeout);

/* Shortcuts of the calls without `syscall_`, which try these first.
   MACH_SEND_INTERRUPTED: not an object of this node; make the call. */
extern kern_return_t syscall_vm_map(mach_port_name_t task, vm_offset_t *address, vm_size_t size,
    vm_offset_t mask, boolean_t anywhere, mach_port_name_t memory_object, vm_offset_t offset,
    boolean_t copy, vm_prot_t cur_protection, vm_prot_t max_protection, vm_inherit_t inheritance);
extern kern_return_t syscall_vm_allocate(mach_port_name_t task, vm_offset_t *address, vm_size_t size,
    boolean_t anywhere);
extern kern_return_t syscall_vm_deallocate(mach_port_name_t task, vm_offset_t address, vm_size_t size);
extern kern_return_t syscall_task_create(mach_port_name_t parent, boolean_t inherit_memory,
    mach_port_name_t *child);
extern kern_return_t syscall_task_terminate(mach_port_name_t task);
extern kern_return_t syscall_task_suspend(mach_port_name_t task);
extern kern_return_t syscall_task_set_special_port(mach_port_name_t task, int which, mach_port_name_t port);
extern kern_return_t syscall_mach_port_allocate(mach_port_name_t task, mach_port_right_t right,
    mach_port_name_t *name);
extern kern_return_t syscall_mach_port_allocate_name(mach_port_name_t task, mach_port_right_t right,
    mach_port_name_t name);
extern kern_return_t syscall_mach_port_deallocate(mach_port_name_t task, mach_port_name_t name);
extern kern_return_t syscall_mach_port_insert_right(mach_port_name_t task, mach_port_name_t name,
    mach_port_name_t right, mach_msg_type_name_t right_type);
extern kern_return_t syscall_thread_depress_abort(mach_port_name_t thread);

/* machemu: a step of a protocol, for the trace.  See <machemu/server.h>. */
extern kern_return_t trace_point(uint64_t code, uint64_t w1, uint64_t w2, uint64_t w3);

#endif
