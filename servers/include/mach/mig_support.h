/* What MIG's stubs call. */
#ifndef _MACH_MIG_SUPPORT_H_
#define _MACH_MIG_SUPPORT_H_

#include <stddef.h>
#include <string.h>

#include <mach/mach_types.h>
#include <mach/message.h>

extern void mig_init(void *first);

/* Whole pages of zeros, for out-of-line data. */
extern void mig_allocate(vm_address_t *address, vm_size_t size);
extern void mig_deallocate(vm_address_t address, vm_size_t size);

/* The reply port: taken for a call, given back after it, given up when a reply may
   still come to it. */
extern mach_port_t mig_get_reply_port(void);
extern void mig_put_reply_port(mach_port_t port);
extern void mig_dealloc_reply_port(mach_port_t port);

extern void mig_reply_setup(const mach_msg_header_t *request, mach_msg_header_t *reply);

/* Copies at most `size` - 1 characters and always ends with NUL; returns the length. */
extern vm_size_t mig_strncpy(char *to, const char *from, vm_size_t size);

#endif
