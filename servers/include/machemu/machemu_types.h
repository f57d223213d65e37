/* Structures of the machemu subsystem (mach-abi.md 6.13). */
#ifndef _MACHEMU_MACHEMU_TYPES_H_
#define _MACHEMU_MACHEMU_TYPES_H_

#include <stdint.h>

/* Kinds of owner that port_owner tells. */
#define PORT_OWNER_TASK    1
#define PORT_OWNER_KERNEL  2
#define PORT_OWNER_TRANSIT 3

#define BOOT_INFO_SIZE 64

/* The octets that machemu_boot_info gives. */
struct boot_info {
	uint32_t node;
	uint32_t epoch;
	uint64_t ram;          /* octets */
	uint64_t clock;        /* octets of code per second */
	uint32_t harts;
	uint32_t flags;
	uint8_t platform[32];  /* measurement */
};

#define BOOT_LABORATORY     0x1 /* a laboratory site */
#define BOOT_PAPER_IDS      0x2
#define BOOT_OPTIMISATION_1 0x4
#define BOOT_OPTIMISATION_2 0x8
#define BOOT_SUITE(flags)   ((flags) >> 8 & 0xff)

_Static_assert(sizeof(struct boot_info) == BOOT_INFO_SIZE, "boot_info");

#endif
