#ifndef _MACH_REBOOT_H_
#define _MACH_REBOOT_H_

/* Options of host_reboot; without one the machine starts anew. */
#define RB_AUTOBOOT 0x0000
#define RB_HALT     0x0008
#define RB_DEBUGGER 0x1000

#endif
