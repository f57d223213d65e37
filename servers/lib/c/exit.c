/* The orderly end, and the other one.  _Exit, which tells process server and kernel, is
   libmach's. */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mach/mach_traps.h>
#include <machemu/lock.h>

#define HANDLERS 32

typedef void (*handler_t)(void);

/* Called in the reverse order. */
struct handlers {
	struct lock lock;
	unsigned count;
	handler_t at[HANDLERS];
};

static struct handlers ordinary, quick;

static int add(struct handlers *handlers, handler_t handler)
{
	bool room;

	lock_take(&handlers->lock);
	room = handlers->count < HANDLERS;
	if (room)
		handlers->at[handlers->count++] = handler;
	lock_release(&handlers->lock);
	if (!room)
		errno = ENOMEM;
	return room ? 0 : -1;
}

static handler_t take_last(struct handlers *handlers)
{
	handler_t last;

	lock_take(&handlers->lock);
	last = handlers->count != 0 ? handlers->at[--handlers->count] : NULL;
	lock_release(&handlers->lock);
	return last;
}

/* Without the lock: a handler may register another, or exit itself. */
static void run(struct handlers *handlers)
{
	for (handler_t handler; (handler = take_last(handlers)) != NULL;)
		handler();
}

int atexit(void (*handler)(void))
{
	return add(&ordinary, handler);
}

int at_quick_exit(void (*handler)(void))
{
	return add(&quick, handler);
}

void exit(int status)
{
	run(&ordinary);
	fflush(NULL);
	_Exit(status);
}

void quick_exit(int status)
{
	run(&quick);
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
