/*
 * C's streams through a personality: printf in a program of Unix or DOS is a
 * write on that system's handle.
 */
#include <machemu/session.h>

#include <stdio.h>

static ssize_t put(void *cookie, char *octets, size_t size)
{
	client_stream_t *stream = cookie;
	size_t done;
	kern_return_t result = client_write(stream->session, stream->handle, octets, size, &done);

	return result == KERN_SUCCESS ? (ssize_t)done : -1;
}

static ssize_t take(void *cookie, char *octets, size_t size)
{
	client_stream_t *stream = cookie;
	size_t got;
	kern_return_t result = client_read(stream->session, stream->handle, octets, size, &got);

	return result == KERN_SUCCESS ? (ssize_t)got : -1;
}

void client_streams(client_stream_t streams[3])
{
	stdio_set(stdin, take, &streams[0]);
	stdio_set(stdout, put, &streams[1]);
	stdio_set(stderr, put, &streams[2]);
}
