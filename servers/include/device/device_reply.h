/* Made from servers/defs/device_reply.defs. */
#ifndef _DEVICE_DEVICE_REPLY_H_
#define _DEVICE_DEVICE_REPLY_H_

#include <mig/device_reply.h>

#endif
