/* Names: register, resolve, list, take back; what must be refused is. */
#include <string.h>

#include <mach.h>
#include <machemu/server.h>
#include <mig/acs.h>

#include "check.h"

static mach_port_t new_port(void)
{
	mach_port_t port = MACH_PORT_NULL;

	mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &port);
	return port;
}

static int is_listed(const char *name)
{
	char *text = NULL, line[64];
	mach_msg_type_number_t size = 0;
	int found = 0;

	if (acs_list(name_server_port, &text, &size) != KERN_SUCCESS)
		return -1;
	snprintf(line, sizeof line, "name=%s ", name);
	for (mach_msg_type_number_t at = 0; at + strlen(line) <= size; at++)
		found |= memcmp(text + at, line, strlen(line)) == 0;
	vm_deallocate(mach_task_self(), (vm_address_t)text, size);
	return found;
}

int main(void)
{
	mach_port_t port = new_port(), other = new_port(), found;
	server_name_t name;

	CHECK(server_look_up("clock", &found) == SERVER_NO_NAME);
	CHECK(is_listed("clock") == 0);

	CHECK(server_register("clock", port) == KERN_SUCCESS);
	CHECK(is_listed("clock") == 1);
	CHECK(server_look_up("clock", &found) == KERN_SUCCESS);
	CHECK(found == port); /* our own right, under its one name */

	/* The counter's name is another task's. */
	CHECK(server_register("counter", other) == SERVER_NOT_ALLOWED);
	server_name(name, "counter");
	CHECK(acs_deregister(name_server_port, name) == 2);
	CHECK(is_listed("counter") == 1);

	/* A server may put another port under its name. */
	CHECK(server_register("clock", other) == KERN_SUCCESS);
	CHECK(server_look_up("clock", &found) == KERN_SUCCESS);
	CHECK(found == other);

	server_name(name, "clock");
	CHECK(acs_deregister(name_server_port, name) == KERN_SUCCESS);
	CHECK(acs_deregister(name_server_port, name) == 1);
	CHECK(server_look_up("clock", &found) == SERVER_NO_NAME);

	/* A name goes with its port. */
	CHECK(server_register("clock", port) == KERN_SUCCESS);
	CHECK(mach_port_mod_refs(mach_task_self(), port, MACH_PORT_RIGHT_RECEIVE, -1) == KERN_SUCCESS);
	CHECK(server_look_up("clock", &found) == SERVER_NO_NAME);
	CHECK(is_listed("clock") == 0);
	return 0;
}
