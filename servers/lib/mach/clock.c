/* The host's clock, as C programs read it, and sleeping by it. */
#include <errno.h>
#include <limits.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <mach.h>
#include <mach/thread_switch.h>

#define NS_PER_SECOND 1000000000L
#define NS_PER_MS     1000000L
#define MS_PER_SECOND 1000

/* Each mach_host_self adds a reference, so it is asked once; two threads that do so at the
   same time get the same name. */
static mach_port_t host(void)
{
	static mach_port_t port;

	if (__atomic_load_n(&port, __ATOMIC_RELAXED) == MACH_PORT_NULL)
		__atomic_store_n(&port, mach_host_self(), __ATOMIC_RELAXED);
	return port;
}

static int read_host_clock(struct timespec *now)
{
	time_value64_t value;

	if (host_get_time64(host(), &value) != KERN_SUCCESS) {
		errno = EIO;
		return -1;
	}
	*now = (struct timespec){value.seconds, value.nanoseconds};
	return 0;
}

static int read_counter(struct timespec *now)
{
	unsigned long time; /* ns */

	__asm__ volatile("rdtime %0" : "=r"(time));
	*now = (struct timespec){(time_t)(time / NS_PER_SECOND), (long)(time % NS_PER_SECOND)};
	return 0;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	switch (clock) {
	case CLOCK_REALTIME: return read_host_clock(now);
	case CLOCK_MONOTONIC: return read_counter(now);
	default: errno = EINVAL; return -1;
	}
}

int timespec_get(struct timespec *now, int base)
{
	return base == TIME_UTC && read_host_clock(now) == 0 ? base : 0;
}

/* Weak: the personalities' libraries ask their servers. */
__attribute__((weak)) time_t time(time_t *also)
{
	struct timespec now;

	if (read_host_clock(&now) != 0)
		now.tv_sec = -1;
	if (also != NULL)
		*also = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *now, void *zone)
{
	struct timespec exact;

	(void)zone;
	if (read_host_clock(&exact) != 0)
		return -1;
	*now = (struct timeval){exact.tv_sec, exact.tv_nsec / 1000};
	return 0;
}

double difftime(time_t later, time_t earlier)
{
	return (double)later - (double)earlier;
}

/* --- sleeping ------------------------------------------------------------------------ */

/* thread_switch waits for up to 2^32 - 1 ms, and ends early when thread_abort broke it. */
static void sleep_until(const struct timespec *end)
{
	for (;;) {
		struct timespec now;
		long ns;
		time_t seconds;

		read_counter(&now);
		seconds = end->tv_sec - now.tv_sec;
		ns = end->tv_nsec - now.tv_nsec;
		if (seconds < 0 || (seconds == 0 && ns <= 0) || (seconds == 1 && ns <= -NS_PER_SECOND))
			return;
		if (seconds > INT_MAX / MS_PER_SECOND - 2)
			seconds = INT_MAX / MS_PER_SECOND - 2;
		thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT,
		    (mach_msg_timeout_t)(seconds * MS_PER_SECOND + (ns + NS_PER_MS - 1) / NS_PER_MS));
	}
}

int nanosleep(const struct timespec *time, struct timespec *rest)
{
	struct timespec end;

	if (time->tv_sec < 0 || time->tv_nsec < 0 || time->tv_nsec >= NS_PER_SECOND) {
		errno = EINVAL;
		return -1;
	}
	read_counter(&end);
	end.tv_nsec += time->tv_nsec;
	end.tv_sec += end.tv_nsec / NS_PER_SECOND;
	end.tv_nsec %= NS_PER_SECOND;
	if (__builtin_add_overflow(end.tv_sec, time->tv_sec, &end.tv_sec))
		end.tv_sec = LONG_MAX;
	sleep_until(&end);
	if (rest != NULL)
		*rest = (struct timespec){0, 0}; /* there are no signals to wake it */
	return 0;
}

unsigned sleep(unsigned seconds)
{
	nanosleep(&(struct timespec){seconds, 0}, NULL);
	return 0;
}

int usleep(unsigned microseconds)
{
	return nanosleep(&(struct timespec){microseconds / 1000000, microseconds % 1000000 * 1000L}, NULL);
}
