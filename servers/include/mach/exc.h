/* Made from servers/defs/exc.defs. */
#ifndef _MACH_EXC_H_
#define _MACH_EXC_H_

#include <mig/exc.h>

#endif
