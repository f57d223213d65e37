/* A stream's inside, and where the three begin. */
#ifndef STDIO_FILE_H
#define STDIO_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include <machemu/lock.h>

/* Each call of stdio is whole: it holds its stream's lock.  A thread may take it again, in
   a transfer function that prints. */
struct stdio_file {
	struct lock lock;
	void *owner; /* the holder's thread area */
	int depth;   /* how often it holds the lock */
	stdio_transfer_t transfer;
	void *cookie;
	int mode;  /* _IOFBF, _IOLBF, _IONBF: when output goes out */
	int unget; /* an octet pushed back, or EOF */
	bool eof, error;
	size_t used;  /* octets in the buffer */
	size_t taken; /* of which input has handed out so many */
	char buffer[BUFSIZ];
};

/* console.c */
extern ssize_t console_read(void *cookie, char *octets, size_t size);
extern ssize_t console_write(void *cookie, char *octets, size_t size);

#endif
