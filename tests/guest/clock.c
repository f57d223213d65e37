/* The host's clock, and sleeping by it. */
#include <errno.h>
#include <limits.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static long elapsed_ms(clockid_t clock, const struct timespec *from)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (now.tv_sec - from->tv_sec) * 1000 + (now.tv_nsec - from->tv_nsec) / 1000000;
}

int main(void)
{
	struct timespec real, counter, rest = {1, 1};
	struct timeval also;
	time_t now = time(NULL), same;

	CHECK(now >= 0 && clock_gettime(CLOCK_REALTIME, &real) == 0 && real.tv_sec - now <= 1);
	CHECK(time(&same) == same && timespec_get(&real, TIME_UTC) == TIME_UTC && timespec_get(&real, 5) == 0);
	CHECK(gettimeofday(&also, NULL) == 0 && also.tv_sec - now <= 1 && also.tv_usec < 1000000);
	errno = 0;
	CHECK(clock_gettime(7, &real) == -1 && errno == EINVAL);
	CHECK(clock_gettime(CLOCK_MONOTONIC, &counter) == 0);

	clock_gettime(CLOCK_REALTIME, &real);
	CHECK(nanosleep(&(struct timespec){0, 25000000}, &rest) == 0 && rest.tv_sec == 0 && rest.tv_nsec == 0);
	CHECK(elapsed_ms(CLOCK_MONOTONIC, &counter) >= 25 && elapsed_ms(CLOCK_MONOTONIC, &counter) < 45);
	CHECK(elapsed_ms(CLOCK_REALTIME, &real) >= 25 && elapsed_ms(CLOCK_REALTIME, &real) < 45);
	CHECK(nanosleep(&(struct timespec){0, 1000000000}, NULL) == -1 && errno == EINVAL);
	CHECK(nanosleep(&(struct timespec){-1, 0}, NULL) == -1);

	clock_gettime(CLOCK_MONOTONIC, &counter);
	CHECK(sleep(1) == 0 && usleep(1) == 0);
	CHECK(elapsed_ms(CLOCK_MONOTONIC, &counter) >= 1000 && elapsed_ms(CLOCK_MONOTONIC, &counter) < 1040);
	return 0;
}
