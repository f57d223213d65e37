/* What POSIX and BSD add to ISO's strings, and ISO's own for locales: ours has one. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

size_t strxfrm(char *restrict to, const char *restrict from, size_t size)
{
	return strlcpy(to, from, size);
}

void *memccpy(void *restrict to, const void *restrict from, int last, size_t size)
{
	const void *found = memchr(from, last, size);

	if (found != NULL)
		return mempcpy(to, from, (size_t)((const char *)found - (const char *)from) + 1);
	memcpy(to, from, size);
	return NULL;
}

char *stpncpy(char *restrict to, const char *restrict from, size_t size)
{
	size_t length = strnlen(from, size);

	memcpy(to, from, length);
	memset(to + length, 0, size - length);
	return to + length;
}

char *strcasestr(const char *text, const char *what)
{
	size_t length = strlen(what);

	for (;; text++) {
		if (strncasecmp(text, what, length) == 0)
			return (char *)text;
		if (*text == '\0')
			return NULL;
	}
}

char *strnstr(const char *text, const char *what, size_t max)
{
	return memmem(text, strnlen(text, max), what, strlen(what));
}

/* POSIX's: 0, or ERANGE and as much as there is room for. */
int strerror_r(int error, char *to, size_t size)
{
	return strlcpy(to, strerror(error), size) < size ? 0 : ERANGE;
}

void explicit_bzero(void *at, size_t size)
{
	memset(at, 0, size);
	__asm__ volatile("" : : "r"(at) : "memory"); /* the compiler may not leave it out */
}

char *index(const char *text, int c)
{
	return strchr(text, c);
}

char *rindex(const char *text, int c)
{
	return strrchr(text, c);
}
