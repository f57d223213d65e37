/* What start-up sets up for a program. */
#ifndef _MACH_INIT_H_
#define _MACH_INIT_H_

#include <mach/mach_types.h>

/* The trap adds a user reference each time, so it is made once; the macro is what
   programs use. */
extern mach_port_t mach_task_self_;
#define mach_task_self() (mach_task_self_ + 0)
#define current_task()   mach_task_self()

extern vm_size_t vm_page_size;

/* The rights in the slots of mach_ports_register, looked up on first use; null where
   none is.  The references belong to the library. */
extern mach_port_t mach_registered_port(int slot);
#define name_server_port mach_registered_port(NAME_SERVER_SLOT)
#define environment_port mach_registered_port(ENVIRONMENT_SLOT)
#define service_port     mach_registered_port(SERVICE_SLOT)

/* This task's bootstrap port, looked up on first use. */
extern mach_port_t mach_bootstrap_port(void);
#define bootstrap_port mach_bootstrap_port()

extern void mach_init(void);

/* A thread of thread_create is to begin at `pc` on a new stack, above a page without
   access; `stack_base` and `stack_size` tell where, the guard included, and may be null.
   *stack_size 0: as large as is usual.  The result of the call that failed; then nothing
   is left of the stack. */
extern kern_return_t mach_setup_thread(task_t task, thread_t thread, void *pc, vm_address_t *stack_base,
    vm_size_t *stack_size);
/* The same thread, of this task, gets _Thread_local variables, errno and a reply port of its
   own; without, it shares them with its like and must not use the first.  Their memory is
   the thread's until the task ends. */
extern kern_return_t mach_setup_tls(thread_t thread);

#endif
