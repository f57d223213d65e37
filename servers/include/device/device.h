/* Made from servers/defs/device.defs. */
#ifndef _DEVICE_DEVICE_H_
#define _DEVICE_DEVICE_H_

#include <mig/device.h>

#endif
