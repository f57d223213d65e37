/* The orderly end, and the other one.  _Exit, which tells process server and kernel, is
   libmach's. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mach/mach_traps.h>

#define HANDLERS 32

static void (*handlers[HANDLERS])(void);
static unsigned handler_count;

int atexit(void (*handler)(void))
{
	if (handler_count == HANDLERS) {
		errno = ENOMEM;
		return -1;
	}
	handlers[handler_count++] = handler;
	return 0;
}

void exit(int status)
{
	while (handler_count != 0)
		handlers[--handler_count](); /* which may register another */
	fflush(NULL);
	_Exit(status);
}

void abort(void)
{
	mach_print("abort\n");
	_Exit(ABORT_STATUS);
}

void __assert_fail(const char *condition, const char *file, int line, const char *function)
{
	char text[256];

	fflush(NULL);
	snprintf(text, sizeof text, "%s:%d: %s: assertion failed: %s\n", file, line, function, condition);
	mach_print(text);
	abort();
}

char **environ;

char *getenv(const char *name)
{
	size_t length = strlen(name);

	for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
		if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
			return *entry + length + 1;
	return NULL;
}
