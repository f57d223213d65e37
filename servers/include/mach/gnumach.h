/* Made from servers/defs/gnumach.defs. */
#ifndef _MACH_GNUMACH_H_
#define _MACH_GNUMACH_H_

#include <mig/gnumach.h>

#endif
