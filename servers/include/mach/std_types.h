/* What MIG's standard types are called in C. */
#ifndef _MACH_STD_TYPES_H_
#define _MACH_STD_TYPES_H_

#include <stdint.h>

#include <mach/boolean.h>
#include <mach/kern_return.h>
#include <mach/machine/vm_types.h>
#include <mach/port.h>

typedef vm_address_t pointer_t; /* of out-of-line octets */
typedef char *data_t;

#endif
