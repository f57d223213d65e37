/* Computation without traps, of several kinds, so that no one instruction decides. */
#include "bench.h"

#define CELLS 512
#define EDGE  24

static uint32_t cells[CELLS];
static int left[EDGE][EDGE], right[EDGE][EDGE], product[EDGE][EDGE];

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Branches and memory: a heap sort. */
static void sift(uint32_t root, uint32_t end)
{
	for (uint32_t child; (child = 2 * root + 1) < end; root = child) {
		uint32_t kept = cells[root];

		if (child + 1 < end && cells[child] < cells[child + 1])
			child++;
		if (kept >= cells[child])
			return;
		cells[root] = cells[child];
		cells[child] = kept;
	}
}

static uint32_t sort(uint32_t seed)
{
	for (int i = 0; i < CELLS; i++)
		cells[i] = next_random(&seed);
	for (uint32_t i = CELLS / 2; i-- > 0;)
		sift(i, CELLS);
	for (uint32_t end = CELLS; --end > 0;) {
		uint32_t largest = cells[0];

		cells[0] = cells[end];
		cells[end] = largest;
		sift(0, end);
	}
	return cells[CELLS / 3];
}

/* Multiplications in nested loops. */
static uint32_t multiply(uint32_t seed)
{
	uint32_t sum = 0;

	for (int i = 0; i < EDGE; i++)
		for (int j = 0; j < EDGE; j++) {
			left[i][j] = (int)(next_random(&seed) & 0xff);
			right[i][j] = (int)(next_random(&seed) & 0xff);
		}
	for (int i = 0; i < EDGE; i++)
		for (int j = 0; j < EDGE; j++) {
			int total = 0;

			for (int k = 0; k < EDGE; k++)
				total += left[i][k] * right[k][j];
			product[i][j] = total;
			sum += (uint32_t)total;
		}
	return sum;
}

/* A chain of dependent operations: a CRC, bit by bit. */
static uint32_t crc(uint32_t seed)
{
	uint32_t remainder = ~seed;

	for (int i = 0; i < CELLS; i++) {
		remainder ^= cells[i];
		for (int bit = 0; bit < 16; bit++)
			remainder = remainder >> 1 ^ (remainder & 1 ? 0xedb88320 : 0);
	}
	return remainder;
}

/* Short unpredictable branches: a machine with few states. */
static uint32_t walk(uint32_t seed)
{
	uint32_t visits[4] = {0};
	unsigned state = 0;

	for (int i = 0; i < 4 * CELLS; i++) {
		uint32_t bits = next_random(&seed);

		switch (state) {
		case 0:
			state = bits & 1 ? 1 : 3;
			break;
		case 1:
			state = bits & 6 ? 2 : 0;
			break;
		case 2:
			state = bits % 3 == 0 ? 0 : 3;
			break;
		default:
			state = bits & 0x10 ? 1 : 2;
		}
		visits[state]++;
	}
	return visits[0] ^ visits[1] << 8 ^ visits[2] << 16 ^ visits[3] << 24;
}

int bench_work(uint64_t rounds, uint64_t count, mach_port_t port)
{
	while (rounds-- > 0) {
		uint32_t seed = 1;

		bench_begin();
		for (uint64_t i = 0; i < count; i++) {
			seed = seed * 1664525 + sort(seed | 1);
			seed = seed * 1664525 + multiply(seed | 1);
			seed = seed * 1664525 + crc(seed);
			seed = seed * 1664525 + walk(seed | 1);
		}
		bench_end(seed + port);
	}
	return 0;
}
