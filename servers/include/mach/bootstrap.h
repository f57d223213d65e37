/* Made from servers/defs/bootstrap.defs. */
#ifndef _MACH_BOOTSTRAP_H_
#define _MACH_BOOTSTRAP_H_

#include <mig/bootstrap.h>

#endif
