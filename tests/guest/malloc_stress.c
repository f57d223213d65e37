/* The allocator under a long random use; each block holds a pattern of its own.
   Arguments: rounds, seed.  It checks itself every so often and gives all back. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define SLOTS 200

static struct slot {
	unsigned char *block;
	size_t size;
	unsigned char pattern;
} slots[SLOTS];

static unsigned seed;

static size_t random_size(void)
{
	unsigned kind = (unsigned)rand_r(&seed) % 100;

	if (kind < 60)
		return (unsigned)rand_r(&seed) % 100;
	if (kind < 90)
		return (unsigned)rand_r(&seed) % 3000;
	return (unsigned)rand_r(&seed) % (kind < 99 ? 30000 : 200000);
}

static int is_intact(const struct slot *slot, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (slot->block[i] != slot->pattern)
			return 0;
	return 1;
}

static void fill(struct slot *slot, void *block, size_t size)
{
	slot->block = block;
	slot->size = size;
	slot->pattern = (unsigned char)rand_r(&seed);
	memset(block, slot->pattern, size);
}

static int take(struct slot *slot)
{
	size_t size = random_size(), alignment = (size_t)16 << (unsigned)rand_r(&seed) % 9;
	unsigned char *block;

	switch (rand_r(&seed) % 4) {
	case 0:
		block = calloc(size, 1);
		CHECK(block != NULL);
		for (size_t i = 0; i < size; i++)
			CHECK(block[i] == 0);
		break;
	case 1:
		block = aligned_alloc(alignment, size);
		CHECK(block != NULL && (uintptr_t)block % alignment == 0);
		break;
	default:
		block = malloc(size);
		CHECK(block != NULL && (uintptr_t)block % 16 == 0);
	}
	CHECK(malloc_usable_size(block) >= size);
	fill(slot, block, size);
	return 0;
}

static int change(struct slot *slot)
{
	size_t size = random_size(), kept = size < slot->size ? size : slot->size;
	unsigned char *block;

	CHECK(is_intact(slot, slot->size));
	if (rand_r(&seed) % 2 != 0) {
		free(slot->block);
		slot->block = NULL;
		return 0;
	}
	block = realloc(slot->block, size);
	CHECK(block != NULL);
	slot->block = block;
	CHECK(is_intact(slot, kept));
	fill(slot, block, size);
	return 0;
}

static int stress(int rounds)
{
	struct malloc_totals totals;

	for (int round = 0; round < rounds; round++) {
		struct slot *slot = &slots[rand_r(&seed) % SLOTS];

		RUN(slot->block == NULL ? take(slot) : change(slot));
		if (round % 64 == 0)
			CHECK(malloc_check(NULL) == 0);
	}
	for (int i = 0; i < SLOTS; i++) {
		CHECK(slots[i].block == NULL || is_intact(&slots[i], slots[i].size));
		free(slots[i].block);
		slots[i].block = NULL;
	}
	CHECK(malloc_check(&totals) == 0);
	CHECK(totals.blocks == 0 && totals.used == 0);
	CHECK(totals.regions <= 1); /* one is kept for what comes next */
	return 0;
}

static int limits(void)
{
	size_t volatile huge = SIZE_MAX; /* or the compiler knows */
	void *a = malloc(0), *b = malloc(0);

	CHECK(a != NULL && b != NULL && a != b);
	free(a);
	free(b);
	free(NULL);
	errno = 0;
	CHECK(malloc(huge) == NULL && errno == ENOMEM);
	CHECK(malloc(huge - 64) == NULL);
	CHECK(calloc(huge / 2, 3) == NULL);
	CHECK(reallocarray(NULL, huge / 4, 8) == NULL);
	CHECK(aligned_alloc(24, 8) == NULL && errno == EINVAL);
	a = malloc(10);
	CHECK(realloc(a, huge) == NULL); /* and a is still there */
	memset(a, 1, 10);
	b = realloc(NULL, 20);
	CHECK(b != NULL);
	CHECK(realloc(b, 0) != NULL);
	free(b);
	free(a);
	return 0;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 2000;

	seed = argc > 2 ? (unsigned)atoi(argv[2]) : 1;
	RUN(limits());
	RUN(stress(rounds));
	return 0;
}
