/*
 * Virtual time: called by the engine at the start of every basic block.
 *
 * Time is counted in units, of which there are a whole number both in a
 * nanosecond and in an octet of code (hw/clock.py).  A block is paid for in full
 * when it is entered; whoever leaves one early gives the rest back.
 */
#include <stdint.h>

struct clock {
	uint64_t now;       /* units */
	uint64_t limit;     /* units: no block starts at this time or later */
	uint64_t block_end; /* address behind the block last entered */
	uint64_t per_octet; /* units an octet of code costs */
	uint64_t ended;     /* 1: the limit has stopped the engine */
	uint64_t resumed;   /* 1: the next block is the rest of one already let in */
	int (*stop)(void *engine);
};

void machemu_on_block(void *engine, uint64_t pc, uint32_t size, void *clock_pointer);

void machemu_on_block(void *engine, uint64_t pc, uint32_t size, void *clock_pointer)
{
	struct clock *clock = clock_pointer;

	if (clock->resumed) {
		clock->resumed = 0;
	} else if (clock->now >= clock->limit) {
		clock->ended = 1;
		clock->stop(engine);
		return; /* not executed, not counted */
	}
	clock->now += size * clock->per_octet;
	clock->block_end = pc + size;
}
