/* Made from servers/defs/default_pager.defs. */
#ifndef _MACH_DEFAULT_PAGER_H_
#define _MACH_DEFAULT_PAGER_H_

#include <mach/default_pager_types.h>
#include <mig/default_pager.h>

#endif
