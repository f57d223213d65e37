/* How a server makes itself known, and finds others: see <machemu/server.h>. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mach.h>
#include <mach_error.h>
#include <machemu/server.h>
#include <mig/acs.h>
#include <mig/boot_files.h>

#define REGISTER_REQUEST_SIZE 72
#define ACS_PUBLIC            1 /* the interface asked for */

/* REG_REQ (security.md 6.2): 0:4 flags, 4:2 length of the name, 6:2 zero, 8:64 name. */
struct register_request {
	uint32_t flags;
	uint16_t name_length;
	uint16_t zero;
	char name[SERVER_NAME_SIZE];
};

_Static_assert(sizeof(struct register_request) == REGISTER_REQUEST_SIZE, "REG_REQ");

void server_name(char padded[SERVER_NAME_SIZE], const char *name)
{
	size_t length = strnlen(name, SERVER_NAME_SIZE);

	memcpy(padded, name, length);
	memset(padded + length, 0, SERVER_NAME_SIZE - length);
}

/* What the ACS answers: its small statuses become results of err_server. */
static kern_return_t acs_result(kern_return_t status)
{
	return status > 0 && status < 64 ? SERVER_RESULT(status) : status;
}

kern_return_t server_register(const char *name, mach_port_t port)
{
	mach_port_t self = mach_task_self();
	struct register_request request = {.name_length = (uint16_t)strnlen(name, SERVER_NAME_SIZE)};
	char octets[REGISTER_REQUEST_SIZE];
	kern_return_t kr;

	server_name(request.name, name);
	memcpy(octets, &request, sizeof octets);
	kr = mach_port_insert_right(self, port, port, MACH_MSG_TYPE_MAKE_SEND);
	if (kr != KERN_SUCCESS)
		return kr;
	kr = acs_register(name_server_port, octets, port, port);
	mach_port_deallocate(self, port); /* the send right; the ACS has its own */
	return acs_result(kr);
}

void server_ready(void)
{
	if (MACH_PORT_VALID(environment_port))
		boot_ready(environment_port);
}

static void must(const char *name, const char *step, kern_return_t kr)
{
	if (kr == KERN_SUCCESS)
		return;
	fprintf(stderr, "%s: %s: %s\n", name, step, mach_error_string(kr));
	exit(EXIT_FAILURE);
}

mach_port_t server_check_in(const char *name)
{
	mach_port_t port;

	must(name, "no port", mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &port));
	must(name, "not registered", server_register(name, port));
	server_ready();
	return port;
}

kern_return_t server_look_up(const char *name, mach_port_t *port)
{
	char padded[SERVER_NAME_SIZE];
	int flags, ttl;

	*port = MACH_PORT_NULL;
	server_name(padded, name);
	return acs_result(acs_resolve(name_server_port, padded, ACS_PUBLIC, &flags, &ttl, port));
}

int machemu_step(uint64_t code, uint64_t id, uint64_t peer_node)
{
	return trace_point(code, id, peer_node, 0);
}
