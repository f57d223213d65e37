/* Lines of any length. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_SIZE 128 /* octets */

/* Room for `needed` octets; false: there is none. */
static int make_room(char **line, size_t *size, size_t needed)
{
	size_t larger = *size < FIRST_SIZE ? FIRST_SIZE : 2 * *size;
	char *moved;

	if (*line != NULL && *size >= needed)
		return 1;
	moved = realloc(*line, larger);
	if (moved == NULL)
		return 0;
	*line = moved;
	*size = larger;
	return 1;
}

ssize_t getdelim(char **restrict line, size_t *restrict size, int last, FILE *restrict stream)
{
	size_t length = 0;
	int c = 0, room = 1;

	if (*line == NULL)
		*size = 0;
	flockfile(stream);
	while ((room = make_room(line, size, length + 2)) && (c = getc_unlocked(stream)) != EOF) {
		(*line)[length++] = (char)c;
		if (c == last)
			break;
	}
	funlockfile(stream);
	if (!room || length == 0)
		return -1;
	(*line)[length] = '\0';
	return (ssize_t)length;
}

ssize_t getline(char **restrict line, size_t *restrict size, FILE *restrict stream)
{
	return getdelim(line, size, '\n', stream);
}
