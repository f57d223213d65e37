/* Made from servers/defs/netname.defs. */
#ifndef _SERVERS_NETNAME_SERVER_H_
#define _SERVERS_NETNAME_SERVER_H_

#include <servers/netname_defs.h>
#include <mig/netname_server.h>

#endif
