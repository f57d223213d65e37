/* What CMU's programs include for <mach.h>. */
#ifndef _MACH_MACH_H_
#define _MACH_MACH_H_

#include <mach.h>

#endif
