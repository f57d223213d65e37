#ifndef _SYS_PARAM_H_
#define _SYS_PARAM_H_

#include <sys/types.h>

#define NBBY 8 /* bits to an octet */

#define MIN(a, b)      ((a) < (b) ? (a) : (b))
#define MAX(a, b)      ((a) > (b) ? (a) : (b))
#define howmany(x, y)  (((x) + ((y) - 1)) / (y))
#define roundup(x, y)  (howmany(x, y) * (y))
#define powerof2(x)    (((x) & ((x) - 1)) == 0)

#endif
