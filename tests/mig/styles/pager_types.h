#ifndef PAGER_TYPES_H
#define PAGER_TYPES_H

#include <mach/std_types.h>

typedef struct {
	vm_offset_t start, end, align;
} window_t;

/* What a kernel has for a port. */
typedef struct pager_object *pager_object_t;
extern pager_object_t control_of(mach_port_t port);
extern void control_release(pager_object_t object);

#endif
