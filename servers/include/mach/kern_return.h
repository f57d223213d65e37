/* Results of kernel calls (mach-abi.md 4.1). */
#ifndef _MACH_KERN_RETURN_H_
#define _MACH_KERN_RETURN_H_

typedef int kern_return_t;

#define KERN_SUCCESS            0
#define KERN_INVALID_ADDRESS    1  /* not valid, or not mapped */
#define KERN_PROTECTION_FAILURE 2  /* mapped, but not with that access */
#define KERN_NO_SPACE           3  /* no room there; no free name; no further region */
#define KERN_INVALID_ARGUMENT   4
#define KERN_FAILURE            5
#define KERN_RESOURCE_SHORTAGE  6  /* the kernel is out of memory */
#define KERN_NOT_RECEIVER       7
#define KERN_NO_ACCESS          8
#define KERN_MEMORY_FAILURE     9  /* the memory object was destroyed */
#define KERN_MEMORY_ERROR       10 /* the memory object gave an error */
#define KERN_ALREADY_IN_SET     11 /* nothing returns it */
#define KERN_NOT_IN_SET         12
#define KERN_NAME_EXISTS        13
#define KERN_ABORTED            14
#define KERN_INVALID_NAME       15 /* the name denotes nothing */
#define KERN_INVALID_TASK       16
#define KERN_INVALID_RIGHT      17 /* the name denotes another kind of right */
#define KERN_INVALID_VALUE      18
#define KERN_UREFS_OVERFLOW     19
#define KERN_INVALID_CAPABILITY 20
#define KERN_RIGHT_EXISTS       21 /* the task has that right under another name */
#define KERN_INVALID_HOST       22
#define KERN_MEMORY_PRESENT     23 /* the page was there already */
#define KERN_WRITE_PROTECTION_FAILURE 24
#define KERN_TERMINATED         26
#define KERN_TIMEDOUT           27
#define KERN_INTERRUPTED        28

#endif
