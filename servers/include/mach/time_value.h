#ifndef _MACH_TIME_VALUE_H_
#define _MACH_TIME_VALUE_H_

#include <mach/machine/vm_types.h>

/* 16 octets, on the wire too. */
struct time_value {
	rpc_long_integer_t seconds;
	integer_t microseconds;
};
typedef struct time_value time_value_t;
typedef struct time_value rpc_time_value_t;

struct time_value64 {
	int64_t seconds;
	int64_t nanoseconds;
};
typedef struct time_value64 time_value64_t;

/* The page of the device `time`.  Read check_seconds first and seconds last, and try
   again until they are equal. */
typedef struct mapped_time_value {
	integer_t seconds;
	integer_t microseconds;
	integer_t check_seconds;
	time_value64_t time_value;
	int64_t check_seconds64;
} mapped_time_value_t;

#define TIME_MICROS_MAX 1000000
#define TIME_NANOS_MAX  1000000000

#define time_value_add_usec(value, micros)                                   \
	do {                                                                 \
		if (((value)->microseconds += (micros)) >= TIME_MICROS_MAX) { \
			(value)->microseconds -= TIME_MICROS_MAX;            \
			(value)->seconds++;                                  \
		}                                                            \
	} while (0)
#define time_value_add(result, addend)                                       \
	do {                                                                 \
		(result)->microseconds += (addend)->microseconds;            \
		(result)->seconds += (addend)->seconds;                      \
		if ((result)->microseconds >= TIME_MICROS_MAX) {             \
			(result)->microseconds -= TIME_MICROS_MAX;           \
			(result)->seconds++;                                 \
		}                                                            \
	} while (0)

#endif
