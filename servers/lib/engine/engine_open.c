/* Opening a context: its registers into our map, our rings and buffer into its windows. */
#include <machemu/engine.h>

#include <stdio.h>
#include <string.h>

#include <device/device_types.h>
#include <mach.h>
#include <machemu/mapped.h>
#include <mig/device.h>

#include "engine_registers.h"

#define CONTEXTS 128
#define UNIT_NAME_MAX 16 /* "crypto0c127": octets, terminator included */

static void write_register64(volatile uint32_t *page, unsigned offset, uint64_t value)
{
	page[offset / 4] = (uint32_t)value;
	page[offset / 4 + 1] = (uint32_t)(value >> 32);
}

static kern_return_t start_rings(struct engine *engine)
{
	vm_offset_t rings, buffer;
	uint64_t rings_bus;
	kern_return_t kr = mapped_window(engine->device, RING_OCTETS, &rings, &rings_bus);

	if (kr == KERN_SUCCESS)
		kr = mapped_window(engine->device, BUFFER_OCTETS, &buffer, &engine->buffer_bus);
	if (kr != KERN_SUCCESS)
		return kr;
	engine->rings = (volatile uint8_t *)rings;
	engine->buffer = (uint8_t *)buffer;
	write_register64(engine->registers, R_COMPLETION_BASE, rings_bus + COMPLETIONS);
	engine->registers[R_COMPLETION_ENTRIES / 4] = ENTRIES;
	write_register64(engine->registers, R_COMMAND_BASE, rings_bus);
	engine->registers[R_COMMAND_ENTRIES / 4] = ENTRIES;
	return KERN_SUCCESS;
}

kern_return_t engine_open(struct engine *engine, mach_port_t master)
{
	kern_return_t kr = D_NO_SUCH_DEVICE;

	memset(engine, 0, sizeof *engine);
	for (unsigned context = 0; context < CONTEXTS; context++) {
		char unit[UNIT_NAME_MAX];

		snprintf(unit, sizeof unit, "crypto0c%u", context);
		kr = mapped_open(master, unit, &engine->device, &engine->registers);
		if (kr != D_ALREADY_OPEN)
			break;
		kr = D_NO_SUCH_DEVICE;
	}
	if (kr != KERN_SUCCESS)
		return kr;
	return engine->registers[R_ID / 4] == ENGINE_ID ? start_rings(engine) : KERN_FAILURE;
}
