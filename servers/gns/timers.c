/* Waiting times.  There is no list of timers: a room that must act later says by when, the
   loop comes round by the earliest of these times, and every room looks for what is due.
   That is seldom; the way of a message only ever compares two numbers. */
#include "resolve.h"

uint64_t now, timer_next = NEVER;
static uint64_t random_state = 0x6d616368656d75ULL;

void timers_run(void)
{
	timer_next = NEVER;
	associations_timers();
	resolve_timers();
	broadcast_timers();
	held_timers();
	grants_timers();
	rows_timers();
}

bool bucket_take(struct bucket *bucket, unsigned rate, unsigned burst)
{
	uint64_t full = burst * 1000ULL, passed = now - bucket->filled, added;

	/* Longer than it takes to fill: the product below must not overflow. */
	if (bucket->filled == 0 || passed > 1000 * MS * burst) {
		bucket->level = full;
		bucket->filled = now;
	} else {
		/* Only whole thousandths count as passed, or a flood would stop the clock. */
		added = passed * rate / MS;
		bucket->level += added;
		bucket->filled += added * MS / rate;
	}
	if (bucket->level > full)
		bucket->level = full;
	if (bucket->level < 1000)
		return false;
	bucket->level -= 1000;
	return true;
}

void random_seed(uint64_t seed)
{
	random_state ^= seed * 0x9e3779b97f4a7c15ULL;
}

/* splitmix64 (Steele, Lea, Flood 2014). */
uint64_t random_number(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}
