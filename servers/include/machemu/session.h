/*
 * A program's session with its personality server (libsession): what the four
 * program-side libraries have in common.
 */
#ifndef MACHEMU_SESSION_H
#define MACHEMU_SESSION_H

#include <stddef.h>

#include <mach/mach_types.h>
#include <machemu/personality_types.h>

typedef struct client_session {
	const char *server; /* the name it is found under */
	kern_return_t (*attach)(mach_port_t server, mach_port_t proof, mach_port_t *session, int *pid);
	kern_return_t (*read)(mach_port_t session, int handle, int wanted, char *data,
	    mach_msg_type_number_t *count);
	kern_return_t (*write)(mach_port_t session, int handle, const char *data,
	    mach_msg_type_number_t count, int *written);
	mach_port_t port;   /* null until the first call */
	int         pid;
} client_session_t;

/* The session's port, which the first call opens; null if that failed. */
mach_port_t client_port(client_session_t *session);

/* Reads until `size` octets are there, the file ends or a line does. */
kern_return_t client_read(client_session_t *session, int handle, void *to, size_t size, size_t *got);
/* Writes all; `*done` tells how much was written before a failure. */
kern_return_t client_write(client_session_t *session, int handle, const void *from, size_t size,
    size_t *done);

/* One of the session's handles as a stream of <stdio.h>. */
typedef struct client_stream {
	client_session_t *session;
	int               handle;
} client_stream_t;

/* Has stdin, stdout and stderr use these handles of the session. */
void client_streams(client_stream_t streams[3]);

/* Lays strings out one after another, each with its NUL, for a program's
   arguments.  Returns the octets used, 0 if they do not fit. */
size_t client_arguments(char *const strings[], server_arguments_t arguments);

#endif
