/* Checks of guest programs.  A program returns 0, or the number of the check that failed:
   its place among the file's CHECKs, from 1. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>

#define CHECK(condition) CHECK_NUMBERED(condition, __COUNTER__ + 1)
#define CHECK_NUMBERED(condition, number)                                               \
	do {                                                                            \
		int number_ = (number);                                                 \
		if (!(condition)) {                                                     \
			printf("%s:%d: check %d failed: %s\n", __FILE_NAME__, __LINE__, \
			    number_, #condition);                                       \
			return number_;                                                 \
		}                                                                       \
	} while (0)

/* Part of a program: a function that returns what CHECK does. */
#define RUN(part)                             \
	do {                                  \
		int failed_ = (part);         \
		if (failed_ != 0)             \
			return failed_;       \
	} while (0)

#endif
