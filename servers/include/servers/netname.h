/* Made from servers/defs/netname.defs. */
#ifndef _SERVERS_NETNAME_H_
#define _SERVERS_NETNAME_H_

#include <servers/netname_defs.h>
#include <mig/netname.h>

#endif
