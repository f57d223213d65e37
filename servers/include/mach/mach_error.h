/* The same as <mach_error.h>. */
#ifndef _MACH_MACH_ERROR_H_
#define _MACH_MACH_ERROR_H_

#include <mach_error.h>

#endif
