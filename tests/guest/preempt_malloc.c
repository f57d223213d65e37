/* Two threads that allocate, in a section that is left after every instruction in turn.
   With MALLOC_SOURCE that allocator is compiled in, without its lock. */
#include <machemu/lock.h>
#ifdef MALLOC_SOURCE
#define lock_take(lock)    ((void)(lock))
#define lock_release(lock) ((void)(lock))
#include MALLOC_SOURCE
#undef lock_take
#undef lock_release
#endif

#include <cthreads.h>
#include <machemu/preempt.h>
#include <stdint.h>
#include <stdlib.h>

#include "check.h"

static int volatile marked;

/* The inside of a block, its ends above all. */
static void fill(uint64_t *block, size_t size, uint64_t pattern)
{
	block[0] = block[1] = block[size / 8 - 1] = pattern;
}

static int holds(const uint64_t *block, size_t size, uint64_t pattern)
{
	return block[0] == pattern && block[1] == pattern && block[size / 8 - 1] == pattern;
}

/* A short life of an allocator; null if its blocks kept what was in them. */
static any_t use(any_t argument)
{
	uint64_t *a = malloc(40), *b = malloc(200);

	(void)argument;
	fill(a, 40, 1);
	fill(b, 200, 2);
	free(a);
	a = malloc(104);
	fill(a, 104, 3);
	if (!holds(a, 104, 3) || !holds(b, 200, 2))
		return (any_t)1;
	free(b);
	free(a);
	return NULL;
}

/* A shorter one, in the middle of which that of the other thread comes. */
static int use_marked(void)
{
	uint64_t *a;
	int kept;

	if (marked)
		preempt_section_begins();
	a = malloc(40);
	fill(a, 40, 4);
	kept = holds(a, 40, 4);
	free(a);
	if (marked)
		preempt_section_ends();
	return kept;
}

static int both_use(void)
{
	struct malloc_totals before, after;
	cthread_t other;

	CHECK(malloc_check(&before) == 0);
	other = cthread_fork(use, NULL);
	CHECK(use_marked());
	CHECK(cthread_join(other) == NULL);
	CHECK(malloc_check(&after) == 0);
	CHECK(after.blocks == before.blocks);
	return 0;
}

int main(void)
{
	RUN(both_use()); /* once undisturbed: all that is made on first use is there then */
	marked = 1;
	return both_use();
}
