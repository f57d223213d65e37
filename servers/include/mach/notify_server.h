/* Made from servers/defs/notify.defs. */
#ifndef _MACH_NOTIFY_SERVER_H_
#define _MACH_NOTIFY_SERVER_H_

#include <mach/notify.h>
#include <mig/notify_server.h>

#endif
