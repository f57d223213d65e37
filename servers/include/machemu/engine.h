/*
 * The crypto engine's driver library: one context, driven from user mode.
 *
 * Registers, rings and a buffer are mapped into the task that uses the library.  A call
 * hands one command after another to the engine and waits until it has answered, which
 * takes as long as the engine's cost model says; the kernel has no part in it.
 */
#ifndef _MACHEMU_ENGINE_H_
#define _MACHEMU_ENGINE_H_

#include <stddef.h>
#include <stdint.h>

#include <mach/mach_types.h>

#define ENGINE_SHA256_SIZE 32

struct engine {
	volatile uint32_t *registers; /* register page of the context */
	volatile uint8_t *rings;      /* commands, then completions */
	uint8_t *buffer;
	uint64_t buffer_bus;          /* bus address of the buffer */
	uint32_t submitted;           /* commands; runs freely */
	mach_port_t device;
};

/*
 * Open the first free context of "crypto0".
 *
 * `master`: the device master port.
 * Returns KERN_SUCCESS; D_NO_SUCH_DEVICE: no engine, or all contexts are taken; or what
 * device_map, vm_map or dma_window answered.
 */
extern kern_return_t engine_open(struct engine *engine, mach_port_t master);

/* Random octets.  KERN_FAILURE: the engine refuses (more than its 1000 commands a second). */
extern kern_return_t engine_random(struct engine *engine, void *octets, size_t size);

/* SHA-256.  KERN_FAILURE: the engine refuses. */
extern kern_return_t engine_sha256(struct engine *engine, const void *data, size_t size,
    uint8_t digest[ENGINE_SHA256_SIZE]);

#endif
