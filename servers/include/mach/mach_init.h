#ifndef _MACH_MACH_INIT_H_
#define _MACH_MACH_INIT_H_

#include <mach_init.h>

#endif
