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

#endif
