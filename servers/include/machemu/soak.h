/*
 * What both ends of the soak test compute: the contents of message n, and the
 * digest of the stream.
 */
#ifndef MACHEMU_SOAK_H
#define MACHEMU_SOAK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SOAK_MOST 65536 /* octets of one message */

/* A generator that gives the same from the same seed (xorshift64*). */
static inline uint64_t soak_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

static inline uint64_t soak_seed(uint64_t number)
{
	return number * 0x9e3779b97f4a7c15ull + 1;
}

/* Octets of message `number`: every sixteenth of a size near the most, the
   others of any size, small ones as often as large ones. */
static inline size_t soak_size(uint64_t number, size_t most)
{
	uint64_t state = soak_seed(number);
	size_t limit = most;

	if (number % 16 != 15)
		limit = most >> soak_next(&state) % 16;
	if (limit == 0)
		limit = 1;
	return number % 16 == 15 ? most : 1 + (size_t)(soak_next(&state) % limit);
}

/* Fills whole words, so `data` has room for `size` rounded up to 8. */
static inline void soak_fill(uint64_t number, char *data, size_t size)
{
	uint64_t state = soak_seed(~number);

	for (size_t at = 0; at < size; at += sizeof state) {
		uint64_t word = soak_next(&state);

		memcpy(data + at, &word, sizeof word);
	}
}

/* Adds a message to the digest (FNV-1a, by words of 8 octets). */
static inline uint64_t soak_digest(uint64_t digest, uint64_t number, const char *data, size_t size)
{
	const uint64_t prime = 0x100000001b3ull;

	digest = (digest ^ number) * prime;
	digest = (digest ^ size) * prime;
	for (size_t at = 0; at < size; at += 8) {
		uint64_t word = 0;

		memcpy(&word, data + at, size - at < 8 ? size - at : 8);
		digest = (digest ^ word) * prime;
	}
	return digest;
}

#define SOAK_DIGEST_START 0xcbf29ce484222325ull

#endif
