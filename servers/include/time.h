/* The host's clock, and dates: UTC is the only zone there is. */
#ifndef _TIME_H_
#define _TIME_H_

#include <stddef.h>
#include <sys/types.h>

typedef int clockid_t;

struct timespec {
	time_t tv_sec;
	long tv_nsec;
};

struct tm {
	int tm_sec;  /* 0 to 60 */
	int tm_min;
	int tm_hour;
	int tm_mday; /* 1 to 31 */
	int tm_mon;  /* 0 to 11 */
	int tm_year; /* since 1900 */
	int tm_wday; /* 0: Sunday */
	int tm_yday; /* 0 to 365 */
	int tm_isdst;
};

#define TIME_UTC        1
#define CLOCK_REALTIME  0
#define CLOCK_MONOTONIC 1 /* the node's counter: never set */

extern time_t time(time_t *also);
extern int timespec_get(struct timespec *now, int base);          /* `base`, or 0 */
extern int clock_gettime(clockid_t clock, struct timespec *now);  /* -1 and EINVAL: no such clock */
/* To the next tick of 10 ms.  0; -1 and EINVAL: no such time. */
extern int nanosleep(const struct timespec *time, struct timespec *rest);
extern double difftime(time_t later, time_t earlier);

/* NULL and EOVERFLOW: the year does not fit.  Without _r the result is overwritten by the
   next call in any thread. */
extern struct tm *gmtime_r(const time_t *time, struct tm *date);
extern struct tm *gmtime(const time_t *time);
extern struct tm *localtime_r(const time_t *time, struct tm *date);
extern struct tm *localtime(const time_t *time);
/* Any values are taken, and put right. */
extern time_t timegm(struct tm *date);
extern time_t mktime(struct tm *date);

extern char *asctime_r(const struct tm *date, char text[26]);
extern char *asctime(const struct tm *date);
extern char *ctime_r(const time_t *time, char text[26]);
extern char *ctime(const time_t *time);
/* a A b B c C d D e F H I j m M n p R S t T u w x X y Y Z z %; the length, 0: no room. */
extern size_t strftime(char *restrict to, size_t size, const char *restrict format,
    const struct tm *restrict date);

#endif
