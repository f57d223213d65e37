#ifndef CLOCK_TYPES_H
#define CLOCK_TYPES_H

#include <stdint.h>

#define SECOND 1000 /* ms */

typedef int ticks_t;

#endif
