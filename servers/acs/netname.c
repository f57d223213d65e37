/* netname: Mach's old name service, on the same names (mach-abi.md 6.12).

   A signature is a send right that only its owner has; whoever shows it again may replace
   the name or take it back. */
#include "acs.h"

#include <string.h>

#include <mig/netname_server.h>
#include <servers/netname.h>

/* False: no server can have such a name, which is empty or too long. */
static bool to_server_name(server_name_t name, const netname_name_t text)
{
	size_t length = strnlen(text, sizeof(netname_name_t));

	memset(name, 0, sizeof(server_name_t));
	if (length == 0 || length > sizeof(server_name_t))
		return false;
	memcpy(name, text, length);
	return true;
}

kern_return_t do_netname_check_in(mach_port_t server, const netname_name_t text, mach_port_t signature,
    mach_port_t port)
{
	server_name_t name;
	kern_return_t status;

	(void)server;
	if (!MACH_PORT_VALID(port) || signature == MACH_PORT_DEAD)
		return NETNAME_INVALID_PORT;
	if (!to_server_name(name, text))
		return KERN_INVALID_ARGUMENT;
	if (copy_of(port) == MACH_PORT_NULL) /* it is its own door */
		return NETNAME_INVALID_PORT;
	status = name_register(name, port, port, signature);
	if (status == KERN_SUCCESS)
		return NETNAME_SUCCESS;
	mach_port_deallocate(mach_task_self(), port);
	return status == STATUS_NOT_ALLOWED ? NETNAME_NOT_YOURS : KERN_RESOURCE_SHORTAGE;
}

/* Host "" is this node; "*" also names that were found on others before. */
kern_return_t do_netname_look_up(mach_port_t server, const netname_name_t host, const netname_name_t text,
    mach_port_t *port)
{
	server_name_t wanted;
	const struct name *name;
	const struct remote *remote;

	(void)server;
	if (host[0] != '\0' && strncmp(host, "*", sizeof(netname_name_t)) != 0)
		return NETNAME_NO_SUCH_HOST;
	if (!to_server_name(wanted, text))
		return NETNAME_NOT_CHECKED_IN;
	name = name_find(wanted);
	remote = host[0] == '*' ? remote_find(wanted) : NULL;
	if (name == NULL && remote == NULL)
		return NETNAME_NOT_CHECKED_IN;
	*port = copy_of(name != NULL ? name->public_port : remote->port);
	return *port != MACH_PORT_NULL ? NETNAME_SUCCESS : NETNAME_NOT_CHECKED_IN;
}

kern_return_t do_netname_check_out(mach_port_t server, const netname_name_t text, mach_port_t signature)
{
	server_name_t wanted;
	struct name *name;

	(void)server;
	name = to_server_name(wanted, text) ? name_find(wanted) : NULL;
	if (name == NULL)
		return NETNAME_NOT_CHECKED_IN;
	if (name->signature != signature || signature == MACH_PORT_NULL)
		return NETNAME_NOT_YOURS;
	name_remove(name);
	mach_port_deallocate(mach_task_self(), signature);
	return NETNAME_SUCCESS;
}

kern_return_t do_netname_version(mach_port_t server, netname_name_t version)
{
	(void)server;
	strncpy(version, "machemu ACS 1", sizeof(netname_name_t));
	return NETNAME_SUCCESS;
}
