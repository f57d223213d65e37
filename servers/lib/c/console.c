/* The console, for stdin and stdout.

   A task entitled to the device master opens the device `console`; any other prints with
   mach_print, and reads nothing.  That is found out at the first octet. */
#include <stdbool.h>
#include <string.h>

#include <device/device.h>
#include <mach.h>
#include <mach/bootstrap.h>
#include <machemu/lock.h>

#include "stdio_file.h"

static struct lock lock; /* streams have one each, and there are two that come here */
static bool asked;
static mach_port_t console; /* null: not ours */

static void open_console(void)
{
	mach_port_t host = MACH_PORT_NULL, master = MACH_PORT_NULL;

	if (!MACH_PORT_VALID(bootstrap_port) ||
	    bootstrap_privileged_ports(bootstrap_port, &host, &master) != KERN_SUCCESS)
		return;
	if (MACH_PORT_VALID(master)) {
		if (device_open(master, D_READ | D_WRITE, (char *)"console", &console) != D_SUCCESS)
			console = MACH_PORT_NULL;
		mach_port_deallocate(mach_task_self(), master);
	}
	if (MACH_PORT_VALID(host))
		mach_port_deallocate(mach_task_self(), host);
}

static mach_port_t console_port(void)
{
	lock_take(&lock);
	if (!asked)
		open_console();
	asked = true;
	lock_release(&lock);
	return console;
}

static ssize_t print_on_kernel(const char *octets, size_t size)
{
	char line[BUFSIZ + 1];
	size_t length = size < BUFSIZ ? size : BUFSIZ;

	memcpy(line, octets, length);
	line[length] = '\0';
	mach_print(line);
	return (ssize_t)length;
}

ssize_t console_write(void *cookie, char *octets, size_t size)
{
	mach_port_t port = console_port();
	int written = 0;

	(void)cookie;
	if (port == MACH_PORT_NULL)
		return print_on_kernel(octets, size);
	if (size > IO_INBAND_MAX)
		size = IO_INBAND_MAX;
	if (device_write_inband(port, 0, 0, octets, (mach_msg_type_number_t)size, &written) != D_SUCCESS)
		return -1;
	return written;
}

ssize_t console_read(void *cookie, char *octets, size_t size)
{
	mach_port_t port = console_port();
	mach_msg_type_number_t count = IO_INBAND_MAX;
	io_buf_ptr_inband_t line;

	(void)cookie;
	if (port == MACH_PORT_NULL)
		return 0;
	if (size > sizeof line)
		size = sizeof line;
	if (device_read_inband(port, 0, 0, (int)size, line, &count) != D_SUCCESS || count > size)
		return -1;
	memcpy(octets, line, count);
	return (ssize_t)count;
}
