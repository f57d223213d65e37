/* The BSD names. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

int strncasecmp(const char *a, const char *b, size_t max)
{
	for (; max != 0; max--, a++, b++) {
		int x = tolower((unsigned char)*a), y = tolower((unsigned char)*b);

		if (x != y || x == '\0')
			return x - y;
	}
	return 0;
}

int strcasecmp(const char *a, const char *b)
{
	return strncasecmp(a, b, (size_t)-1);
}

void bzero(void *at, size_t size)
{
	memset(at, 0, size);
}

void bcopy(const void *from, void *to, size_t size)
{
	memmove(to, from, size);
}

int bcmp(const void *a, const void *b, size_t size)
{
	return memcmp(a, b, size);
}

int ffs(int word)
{
	return word != 0 ? __builtin_ctz((unsigned)word) + 1 : 0;
}
