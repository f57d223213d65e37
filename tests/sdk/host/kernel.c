/* The few things of Mach that the C library stands on, for a run on the host: memory from
   an arena of pages, output into a buffer, an end that can be caught. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mach.h>

#define ARENA_PAGES 65536

static char arena[ARENA_PAGES][4096] __attribute__((aligned(4096)));
static unsigned char taken[ARENA_PAGES];
static long pages_allowed = ARENA_PAGES;
static long pages_taken;

mach_port_t mach_task_self_ = 1;
extern char host_output[];
extern size_t host_output_length;
char host_output[1 << 16];
size_t host_output_length;

static int is_free(size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++)
		if (taken[i])
			return 0;
	return 1;
}

kern_return_t vm_allocate(vm_task_t task, vm_address_t *address, vm_size_t size, boolean_t anywhere)
{
	size_t count = (size + 4095) / 4096;

	if (task != mach_task_self_ || !anywhere)
		return KERN_INVALID_ARGUMENT;
	if (count > ARENA_PAGES || pages_taken + (long)count > pages_allowed)
		return KERN_NO_SPACE;
	for (size_t first = 0; first + count <= ARENA_PAGES; first++)
		if (is_free(first, count)) {
			memset(taken + first, 1, count);
			memset(arena[first], 0, count * 4096);
			pages_taken += (long)count;
			*address = (vm_address_t)arena[first];
			return KERN_SUCCESS;
		}
	return KERN_NO_SPACE;
}

kern_return_t vm_deallocate(vm_task_t task, vm_address_t address, vm_size_t size)
{
	size_t first = (address - (vm_address_t)arena) / 4096, count = (size + 4095) / 4096;

	if (task != mach_task_self_ || address % 4096 != 0 || first + count > ARENA_PAGES)
		return KERN_INVALID_ADDRESS;
	for (size_t i = first; i < first + count; i++) {
		pages_taken -= taken[i];
		taken[i] = 0;
		memset(arena[i], 0xdd, 4096); /* a use after this shows */
	}
	return KERN_SUCCESS;
}

extern long host_pages(void);
extern void host_allow_pages(long count);

long host_pages(void)
{
	return pages_taken;
}

void host_allow_pages(long count)
{
	pages_allowed = count;
}

/* --- output and the end ------------------------------------------------------ */

static void *escape[5];

static void add_output(const char *octets, size_t size)
{
	memcpy(host_output + host_output_length, octets, size);
	host_output_length += size;
}

void mach_print(const char *text)
{
	add_output(text, strlen(text));
}

extern ssize_t console_read(void *cookie, char *octets, size_t size);
extern ssize_t console_write(void *cookie, char *octets, size_t size);

ssize_t console_write(void *cookie, char *octets, size_t size)
{
	size_t part = size < 100 ? size : 100; /* as a device may take less than all */

	(void)cookie;
	add_output(octets, part);
	return (ssize_t)part;
}

ssize_t console_read(void *cookie, char *octets, size_t size)
{
	static const char *const lines[] = {"first line\n", "second, ", "in two parts\n", "no end"};
	static size_t next;
	size_t length;

	(void)cookie;
	if (next == sizeof lines / sizeof lines[0])
		return 0;
	length = strlen(lines[next]);
	if (length > size)
		return -1;
	memcpy(octets, lines[next++], length);
	return (ssize_t)length;
}

void _Exit(int status)
{
	host_output_length += (size_t)sprintf(host_output + host_output_length, "exit %d\n", status);
	__builtin_longjmp(escape, 1);
}

/* Runs `part`; 1 if it ended the program, else 0. */
static int ends(void (*part)(void))
{
	if (__builtin_setjmp(escape) != 0)
		return 1;
	part();
	return 0;
}

static void free_twice(void)
{
	char *block = malloc(100), *other = malloc(100);

	free(block);
	free(block);
	free(other);
}

static void free_inside(void)
{
	char *block = malloc(100);

	free(block + 8);
}

static void write_behind(void)
{
	char *volatile block = malloc(24);

	memset(block, 'x', 40);
	free(block);
}

static void exit_twice_handled(void)
{
	printf("before");
	exit(3);
}

extern int host_ends(int which);

int host_ends(int which)
{
	static void (*const parts[])(void) = {free_twice, free_inside, write_behind, abort, exit_twice_handled};

	return ends(parts[which]);
}

/* --- printf for ctypes, which has no variadic calls everywhere ------------------ */

extern int host_print_long(char *to, size_t size, const char *format, long value);
extern int host_print_double(char *to, size_t size, const char *format, double value);

#pragma clang diagnostic ignored "-Wformat-nonliteral"
int host_print_long(char *to, size_t size, const char *format, long value)
{
	return snprintf(to, size, format, value);
}

int host_print_double(char *to, size_t size, const char *format, double value)
{
	return snprintf(to, size, format, value);
}
