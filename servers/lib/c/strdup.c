/* The strings that allocate. */
#include <stdlib.h>
#include <string.h>

char *strndup(const char *text, size_t max)
{
	size_t length = strnlen(text, max);
	char *copy = malloc(length + 1);

	if (copy != NULL) {
		memcpy(copy, text, length);
		copy[length] = '\0';
	}
	return copy;
}

char *strdup(const char *text)
{
	return strndup(text, strlen(text));
}
