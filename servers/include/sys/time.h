#ifndef _SYS_TIME_H_
#define _SYS_TIME_H_

#include <sys/types.h>
#include <time.h>

struct timeval {
	time_t tv_sec;
	long tv_usec;
};

extern int gettimeofday(struct timeval *now, void *zone); /* `zone` is not looked at */

#endif
