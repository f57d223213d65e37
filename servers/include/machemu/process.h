/* What the process server tells about a process. */
#ifndef _MACHEMU_PROCESS_H_
#define _MACHEMU_PROCESS_H_

#include <stdint.h>

struct process_record {
	uint64_t task;        /* task number, never reused in a boot; 0: not a process of proc's */
	uint32_t pid;
	uint32_t flags;       /* PROCESS_ bits */
	char     name[64];    /* of the manifest's entry or the program */
	uint8_t  digest[32];  /* SHA-256 of the program's file */
	uint8_t  zero[16];
};

_Static_assert(sizeof(struct process_record) == 128, "struct process_record");

#define PROCESS_FROM_MANIFEST 1 /* started by bootstrap */
#define PROCESS_MEASURED      2 /* `digest` is valid */

/* How a process ended, with its status. */
#define PROCESS_EXITED 0 /* by itself: the status is its own */
#define PROCESS_KILLED 1 /* by an exception or somebody else */

#endif
