/*
 * The console, written at once and read when somebody types.
 *
 * A read is passed to the device with a port of its own; the client's request
 * stays unanswered until the device's answer arrives on that port, so that no
 * other client waits.
 */
#include "internal.h"

#include <device/device.h>
#include <device/device_types.h>
#include <mach/bootstrap.h>
#include <mach/mach_init.h>
#include <mach/mach_interface.h>
#include <mach/mach_port.h>
#include <mig/device_request.h>

#include <stdlib.h>

typedef struct reader {
	struct reader   *next;
	session_t       *session;
	mach_port_t      port; /* where the device answers */
	mach_port_t      reply;
	console_answer_t answer;
} reader_t;

static mach_port_t console;
static reader_t *readers;
static unsigned reader_total;

kern_return_t terminal_open(void)
{
	mach_port_t host = MACH_PORT_NULL, master = MACH_PORT_NULL;
	kern_return_t result = bootstrap_privileged_ports(bootstrap_port, &host, &master);
	dev_name_t name = "console";

	if (result != KERN_SUCCESS)
		return result;
	if (host != MACH_PORT_NULL)
		mach_port_deallocate(mach_task_self(), host);
	if (master == MACH_PORT_NULL) /* the manifest does not give us `device` */
		return KERN_NO_ACCESS;
	result = device_open(master, D_READ | D_WRITE, name, &console);
	mach_port_deallocate(mach_task_self(), master);
	return result;
}

kern_return_t terminal_write(const char *data, size_t size)
{
	while (size > 0) {
		mach_msg_type_number_t part = size < IO_INBAND_MAX ? size : IO_INBAND_MAX;
		int written = 0;
		kern_return_t result = device_write_inband(console, 0, 0, data, part, &written);

		if (result != KERN_SUCCESS)
			return result;
		if (written <= 0)
			return D_IO_ERROR;
		data += written;
		size -= (size_t)written;
	}
	return KERN_SUCCESS;
}

file_status_t session_read_console(session_t *session, size_t wanted, mach_port_t reply,
    console_answer_t answer)
{
	reader_t *reader;

	if (session->reader_count >= READERS_OF_SESSION || reader_total >= READERS_MAX)
		return FILE_TOO_MANY_WAIT;
	reader = malloc(sizeof *reader);
	if (reader == NULL)
		return FILE_NO_MEMORY;
	*reader = (reader_t){.session = session, .reply = reply, .answer = answer};
	if (port_in_set(&reader->port) != KERN_SUCCESS) {
		free(reader);
		return FILE_NO_MEMORY;
	}
	if (wanted > IO_INBAND_MAX)
		wanted = IO_INBAND_MAX;
	if (device_read_request_inband(console, reader->port, 0, 0, (int)wanted) != KERN_SUCCESS) {
		port_destroy(reader->port);
		free(reader);
		return FILE_IO;
	}
	reader->next = readers;
	readers = reader;
	session->reader_count++;
	reader_total++;
	return FILE_OK;
}

/* Takes the reader that waits on `port` off the list; null if there is none. */
static reader_t *reader_take(mach_port_t port)
{
	for (reader_t **link = &readers; *link != NULL; link = &(*link)->next) {
		reader_t *reader = *link;

		if (reader->port == port) {
			*link = reader->next;
			return reader;
		}
	}
	return NULL;
}

static void reader_end(reader_t *reader)
{
	reader->session->reader_count--;
	reader_total--;
	port_destroy(reader->port);
	free(reader);
}

/* device_reply: what was typed. */
kern_return_t device_read_reply_inband(mach_port_t port, kern_return_t code,
    const char *data, mach_msg_type_number_t count)
{
	reader_t *reader = reader_take(port);

	if (reader == NULL)
		return KERN_INVALID_ARGUMENT;
	reader->answer(reader->reply, code == KERN_SUCCESS ? FILE_OK : FILE_IO, data, count);
	reader_end(reader);
	return KERN_SUCCESS;
}

bool console_lost(mach_port_t port)
{
	reader_t *reader = reader_take(port);

	if (reader == NULL)
		return false;
	reader->answer(reader->reply, FILE_IO, NULL, 0);
	reader_end(reader);
	return true;
}

void console_abandon(session_t *session)
{
	reader_t **link = &readers;

	while (*link != NULL) {
		reader_t *reader = *link;

		if (reader->session != session) {
			link = &reader->next;
			continue;
		}
		*link = reader->next;
		mach_port_deallocate(mach_task_self(), reader->reply);
		reader_end(reader);
	}
}

unsigned console_readers(void)
{
	return reader_total;
}
