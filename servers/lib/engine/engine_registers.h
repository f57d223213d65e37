/* Registers and rings of a context of the crypto engine (security.md 7.1): offsets. */
#ifndef ENGINE_REGISTERS_H
#define ENGINE_REGISTERS_H

#include <stdint.h>

#define ENGINE_ID 0x3145434d /* "MCE1" */

#define R_ID                  0x000
#define R_VERSION             0x004
#define R_COMMAND_BASE        0x010
#define R_COMMAND_ENTRIES     0x018
#define R_COMMAND_TAIL        0x020
#define R_INTERRUPT_STATUS    0x028
#define R_COMPLETION_BASE     0x030
#define R_COMPLETION_ENTRIES  0x038
#define R_COMPLETION_PRODUCER 0x03c
#define R_COMPLETION_CONSUMER 0x040

#define RING_FAILED 2 /* of the interrupt status */

#define OP_RANDOM 0x01
#define OP_DIGEST 0x02
#define DIGEST_SHA256 1u
#define DIGEST_FIRST  0x100u
#define DIGEST_NEXT   0x200u
#define DIGEST_LAST   0x400u

struct engine_command {
	uint16_t op, flags;
	uint32_t tag, key, key2;
	uint64_t src;
	uint32_t src_len, dst_cap;
	uint64_t dst, aad;
	uint32_t aad_len, arg;
	uint64_t aux;
};

struct engine_completion {
	uint32_t tag;
	int32_t status;
	uint32_t out_len, handle;
	uint64_t value, cost_ns;
};

_Static_assert(sizeof(struct engine_command) == 64, "command");
_Static_assert(sizeof(struct engine_completion) == 32, "completion");

#define ENTRIES       8
#define RING_OCTETS   4096
#define COMPLETIONS   (ENTRIES * sizeof(struct engine_command)) /* their place in the page of rings */
#define BUFFER_OCTETS (64 * 1024)

#endif
