/* Tasks, threads, memory: made from servers/defs/mach.defs. */
#ifndef _MACH_MACH_INTERFACE_H_
#define _MACH_MACH_INTERFACE_H_

#include <mig/mach.h>

#endif
