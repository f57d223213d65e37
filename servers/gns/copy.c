/* Copying between places of unlike alignment, which the data of a packet and those of an item
   always are: the library's memcpy then goes octet by octet, at eight times the cost. */
#include "gns.h"

#include <string.h>

#define WORD    sizeof(uint64_t)
#define WORTH_IT 32 /* octets */

typedef uint64_t __attribute__((may_alias)) word_t;

/* Each word written is put together from two that are read.  No word is read of which no
   octet is wanted, so nothing behind the page of the last octet is touched. */
static void copy_shifted(word_t *to, const uint8_t *from, size_t words)
{
	unsigned low = (unsigned)((uintptr_t)from % WORD) * 8, high = 64 - low;
	const word_t *next = (const word_t *)(from - (uintptr_t)from % WORD);
	uint64_t have = *next++;

	for (; words >= 2; words -= 2, to += 2, next += 2) {
		uint64_t a = next[0], b = next[1];

		to[0] = have >> low | a << high;
		to[1] = a >> low | b << high;
		have = b;
	}
	if (words != 0)
		*to = have >> low | *next << high;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the shifts go the other way elsewhere");

void copy_octets(uint8_t *to, const uint8_t *from, size_t size)
{
	size_t first = -(uintptr_t)to % WORD, words;

	if (size < WORTH_IT || ((uintptr_t)to ^ (uintptr_t)from) % WORD == 0) {
		memcpy(to, from, size);
		return;
	}
	memcpy(to, from, first);
	to += first;
	from += first;
	words = (size - first) / WORD;
	copy_shifted((word_t *)to, from, words);
	memcpy(to + words * WORD, from + words * WORD, size - first - words * WORD);
}
