/* Made from servers/defs/device_reply.defs. */
#ifndef _DEVICE_DEVICE_REPLY_SERVER_H_
#define _DEVICE_DEVICE_REPLY_SERVER_H_

#include <mig/device_reply_server.h>

#endif
