/*
 * Devices that are driven from user mode (mach-abi.md 11.5): what every driver library
 * does first.
 */
#ifndef _MACHEMU_MAPPED_H_
#define _MACHEMU_MAPPED_H_

#include <stddef.h>
#include <stdint.h>

#include <mach/mach_types.h>

/* Open the unit `name` and map its register page.  Returns what device_open, device_map or
   vm_map answered. */
extern kern_return_t mapped_open(mach_port_t master, const char *name, mach_port_t *device,
    volatile uint32_t **registers);

/* Fresh memory of ours, `size` octets in whole pages, that the device may read and write:
   its address here and on the bus.  Returns what vm_allocate or dma_window answered. */
extern kern_return_t mapped_window(mach_port_t device, size_t size, vm_offset_t *address, uint64_t *bus);

#endif
