/* Everything a program of Mach needs. */
#ifndef _MACH_H_
#define _MACH_H_

#include <mach/mach_types.h>
#include <mach_init.h>
#include <mach/mach_traps.h>

#include <mach/mach_interface.h>
#include <mach/mach_port.h>
#include <mach/mach_host.h>
#include <mach/mig_support.h>

#endif
