/* Made from servers/defs/exc.defs. */
#ifndef _MACH_EXC_SERVER_H_
#define _MACH_EXC_SERVER_H_

#include <mig/exc_server.h>

#endif
