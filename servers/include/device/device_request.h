/* Made from servers/defs/device_request.defs. */
#ifndef _DEVICE_DEVICE_REQUEST_H_
#define _DEVICE_DEVICE_REQUEST_H_

#include <mig/device_request.h>

#endif
