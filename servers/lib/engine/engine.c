/* Commands, one at a time. */
#include <machemu/engine.h>

#include <string.h>

#include <mach/mach_traps.h>

#include "engine_registers.h"

/* Execute one command.  KERN_FAILURE: the engine refuses it, or its rings. */
static kern_return_t execute(struct engine *engine, const struct engine_command *command)
{
	volatile struct engine_command *commands = (volatile struct engine_command *)engine->rings;
	volatile struct engine_completion *completions =
	    (volatile struct engine_completion *)(engine->rings + COMPLETIONS);
	uint32_t place = engine->submitted % ENTRIES;

	commands[place] = *command;
	engine->submitted++;
	__sync_synchronize(); /* the command before the doorbell */
	engine->registers[R_COMMAND_TAIL / 4] = engine->submitted;
	while (engine->registers[R_COMPLETION_PRODUCER / 4] != engine->submitted) {
		if (engine->registers[R_INTERRUPT_STATUS / 4] & RING_FAILED)
			return KERN_FAILURE;
		swtch();
	}
	__sync_synchronize();
	engine->registers[R_COMPLETION_CONSUMER / 4] = engine->submitted;
	return completions[place].status == 0 ? KERN_SUCCESS : KERN_FAILURE;
}

kern_return_t engine_random(struct engine *engine, void *octets, size_t size)
{
	struct engine_command command = {.op = OP_RANDOM, .dst = engine->buffer_bus};

	for (size_t done = 0; done < size; done += command.dst_cap) {
		kern_return_t kr;

		command.dst_cap = (uint32_t)(size - done < BUFFER_OCTETS ? size - done : BUFFER_OCTETS);
		kr = execute(engine, &command);
		if (kr != KERN_SUCCESS)
			return kr;
		memcpy((uint8_t *)octets + done, engine->buffer, command.dst_cap);
	}
	return KERN_SUCCESS;
}

kern_return_t engine_sha256(struct engine *engine, const void *data, size_t size,
    uint8_t digest[ENGINE_SHA256_SIZE])
{
	struct engine_command command = {.op = OP_DIGEST, .src = engine->buffer_bus, .dst = engine->buffer_bus,
	    .dst_cap = ENGINE_SHA256_SIZE};
	size_t done = 0;
	kern_return_t kr;

	do {
		uint32_t stage = done == 0 ? DIGEST_FIRST : DIGEST_NEXT;

		command.src_len = (uint32_t)(size - done < BUFFER_OCTETS ? size - done : BUFFER_OCTETS);
		memcpy(engine->buffer, (const uint8_t *)data + done, command.src_len);
		if (done + command.src_len == size)
			stage = done == 0 ? 0 : DIGEST_LAST;
		command.arg = DIGEST_SHA256 | stage;
		kr = execute(engine, &command);
		done += command.src_len;
	} while (kr == KERN_SUCCESS && done < size);
	if (kr == KERN_SUCCESS)
		memcpy(digest, engine->buffer, ENGINE_SHA256_SIZE);
	return kr;
}
