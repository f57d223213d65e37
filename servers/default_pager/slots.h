/* The paging space: slots of one page each on the disk, and which page is in which. */
#ifndef DEFAULT_PAGER_SLOTS_H
#define DEFAULT_PAGER_SLOTS_H

#include <mach/kern_return.h>
#include <mach/std_types.h>
#include <stdbool.h>
#include <stdint.h>

#define NO_SLOT 0xffffffffu

/* One object's pages.  `slots` chains them. */
typedef struct object {
	mach_port_t port;            /* its receive right is here, and is its name */
	mach_port_t control, name;   /* the kernel's, once it has told of them */
	bool kernels;                /* made for anonymous memory */
	uint32_t slots;
	struct object *next;
} object_t;

/* Room for `count` slots, once.  KERN_RESOURCE_SHORTAGE. */
extern kern_return_t slots_make(uint32_t count);

/* Where page `page` of an object is; NO_SLOT: nowhere. */
extern uint32_t slot_find(const object_t *object, uint64_t page);

/* The same, and a free slot if it is nowhere.  NO_SLOT: none is free. */
extern uint32_t slot_get(object_t *object, uint64_t page);

/* The object's pages are wanted no more. */
extern void slots_drop(object_t *object);

extern uint32_t slots_total(void), slots_free(void);

#endif
