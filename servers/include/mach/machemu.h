/* What machemu adds to Mach (mach-abi.md 6.13): made from servers/defs/machemu.defs. */
#ifndef _MACH_MACHEMU_H_
#define _MACH_MACHEMU_H_

#include <machemu/machemu_types.h>
#include <mig/machemu.h>

#endif
