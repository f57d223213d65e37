/*
 * A program's session with its personality server.
 */
#include <machemu/session.h>

#include <mach/mach_init.h>
#include <mach/mach_port.h>
#include <machemu/server.h>

#include <string.h>

/* Shows a port that only this task receives from, by which the server learns
   from proc which process it talks to. */
static kern_return_t attach(client_session_t *session)
{
	mach_port_t server, proof;
	kern_return_t result = server_look_up(session->server, &server);

	if (result != KERN_SUCCESS)
		return result;
	result = mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &proof);
	if (result == KERN_SUCCESS) {
		result = session->attach(server, proof, &session->port, &session->pid);
		mach_port_mod_refs(mach_task_self(), proof, MACH_PORT_RIGHT_RECEIVE, -1);
	}
	mach_port_deallocate(mach_task_self(), server);
	return result;
}

mach_port_t client_port(client_session_t *session)
{
	if (session->port == MACH_PORT_NULL && attach(session) != KERN_SUCCESS)
		session->port = MACH_PORT_NULL;
	return session->port;
}

kern_return_t client_read(client_session_t *session, int handle, void *to, size_t size, size_t *got)
{
	char *next = to;

	*got = 0;
	do {
		mach_msg_type_number_t count = PERSONALITY_DATA;
		size_t left = size - *got;
		int wanted = left < PERSONALITY_DATA ? (int)left : PERSONALITY_DATA;
		personality_data_t part;
		kern_return_t result;

		result = session->read(client_port(session), handle, wanted, part, &count);
		if (result != KERN_SUCCESS)
			return *got > 0 ? KERN_SUCCESS : result;
		if (count > (mach_msg_type_number_t)wanted)
			count = (mach_msg_type_number_t)wanted;
		memcpy(next + *got, part, count);
		*got += count;
		if (count < (mach_msg_type_number_t)wanted)
			break; /* the end of the file, or of a line */
	} while (*got < size);
	return KERN_SUCCESS;
}

kern_return_t client_write(client_session_t *session, int handle, const void *from, size_t size,
    size_t *done)
{
	const char *next = from;

	*done = 0;
	do {
		size_t left = size - *done;
		mach_msg_type_number_t part = left < PERSONALITY_DATA ? left : PERSONALITY_DATA;
		int written = 0;
		kern_return_t result;

		result = session->write(client_port(session), handle, next + *done, part, &written);
		if (result != KERN_SUCCESS)
			return result;
		*done += (size_t)written;
		if (written < (int)part)
			break;
	} while (*done < size);
	return KERN_SUCCESS;
}

size_t client_arguments(char *const strings[], server_arguments_t arguments)
{
	size_t used = 0;

	for (; *strings != NULL; strings++) {
		size_t size = strlen(*strings) + 1;

		if (size > SERVER_ARGUMENTS_MAX - used)
			return 0;
		memcpy(arguments + used, *strings, size);
		used += size;
	}
	return used;
}
