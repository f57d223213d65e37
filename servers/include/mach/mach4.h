/* Made from servers/defs/mach4.defs. */
#ifndef _MACH_MACH4_H_
#define _MACH_MACH4_H_

#include <mig/mach4.h>

#endif
