/* Made from servers/defs/mach_host.defs. */
#ifndef _MACH_MACH_HOST_H_
#define _MACH_MACH_HOST_H_

#include <mig/mach_host.h>

#endif
