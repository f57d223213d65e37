/* Made from servers/defs/mach_port.defs. */
#ifndef _MACH_MACH_PORT_H_
#define _MACH_MACH_PORT_H_

#include <mig/mach_port.h>

#endif
