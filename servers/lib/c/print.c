/* Formatted text into memory. */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct room {
	char *at;
	size_t left; /* without the NUL */
};

static void put_room(void *cookie, const char *piece, size_t size)
{
	struct room *room = cookie;
	size_t fits = size < room->left ? size : room->left;

	memcpy(room->at, piece, fits);
	room->at += fits;
	room->left -= fits;
}

int vsnprintf(char *restrict to, size_t size, const char *restrict format, va_list arguments)
{
	char none[1];
	struct room room = {size != 0 ? to : none, size != 0 ? size - 1 : 0};
	int length = format_text(put_room, &room, format, arguments);

	*room.at = '\0';
	return length;
}

int vsprintf(char *restrict to, const char *restrict format, va_list arguments)
{
	/* The largest size that does not wrap round the end of the address space. */
	return vsnprintf(to, SIZE_MAX - (uintptr_t)to, format, arguments);
}

int vasprintf(char **restrict to, const char *restrict format, va_list arguments)
{
	va_list again;
	int length;

	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	*to = length >= 0 ? malloc((size_t)length + 1) : NULL;
	return *to != NULL ? vsnprintf(*to, (size_t)length + 1, format, arguments) : -1;
}

int snprintf(char *restrict to, size_t size, const char *restrict format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(to, size, format, arguments);
	va_end(arguments);
	return length;
}

int sprintf(char *restrict to, const char *restrict format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsprintf(to, format, arguments);
	va_end(arguments);
	return length;
}

int asprintf(char **restrict to, const char *restrict format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vasprintf(to, format, arguments);
	va_end(arguments);
	return length;
}
