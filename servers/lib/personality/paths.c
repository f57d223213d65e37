/*
 * Names of files, without asking anybody.
 */
#include <machemu/personality_logic.h>

char letter_upper(char letter)
{
	return letter >= 'a' && letter <= 'z' ? (char)(letter - 'a' + 'A') : letter;
}

bool same_letters(const char *a, const char *b)
{
	for (; *a != '\0' && *b != '\0'; a++, b++)
		if (letter_upper(*a) != letter_upper(*b))
			return false;
	return *a == *b;
}

/* Takes the last part of a path off. */
static size_t without_last(const char *path, size_t length)
{
	while (length > 0 && path[length - 1] != '/')
		length--;
	return length > 0 ? length - 1 : 0;
}

/* Adds the parts of `path` to the `length` octets already in `resolved`. */
static file_status_t add_parts(const char *path, char *resolved, size_t *length)
{
	while (*path != '\0') {
		size_t part = 0;

		while (path[part] != '\0' && path[part] != '/')
			part++;
		if (part == 2 && path[0] == '.' && path[1] == '.') {
			*length = without_last(resolved, *length);
		} else if (part > 0 && !(part == 1 && path[0] == '.')) {
			if (*length + (*length > 0) + part + 1 > PERSONALITY_PATH)
				return FILE_NAME_TOO_LONG;
			if (*length > 0)
				resolved[(*length)++] = '/';
			for (size_t i = 0; i < part; i++)
				resolved[(*length)++] = path[i];
		}
		path += part;
		if (*path == '/')
			path++;
	}
	return FILE_OK;
}

file_status_t path_resolve(const char *directory, const char *path, char *resolved)
{
	size_t length = 0;
	file_status_t status = FILE_OK;

	if (*path == '\0')
		return FILE_NO_ENTRY;
	if (*path != '/')
		status = add_parts(directory, resolved, &length);
	if (status == FILE_OK)
		status = add_parts(path, resolved, &length);
	resolved[length] = '\0';
	return status;
}

file_status_t path_drive(const char *path, char *drive, char *rest)
{
	size_t length = 0;

	*drive = '\0';
	if (path[0] != '\0' && path[1] == ':') {
		*drive = letter_upper(path[0]);
		if (*drive < 'A' || *drive > 'Z')
			return FILE_NO_DRIVE;
		path += 2;
	}
	for (; *path != '\0'; path++) {
		if (length + 1 >= PERSONALITY_PATH)
			return FILE_NAME_TOO_LONG;
		rest[length++] = *path == '\\' ? '/' : *path;
	}
	rest[length] = '\0';
	return FILE_OK;
}

file_status_t seek_to(uint64_t current, uint64_t size, int64_t distance,
    unsigned origin, uint64_t *offset)
{
	uint64_t base;

	switch (origin) {
	case SEEK_FROM_START:
		base = 0;
		break;
	case SEEK_FROM_CURRENT:
		base = current;
		break;
	case SEEK_FROM_END:
		base = size;
		break;
	default:
		return FILE_BAD_ARGUMENT;
	}
	/* Offsets stay below 2^63, so that they fit the personalities' types. */
	if (distance < 0 ? (uint64_t)-(distance + 1) + 1 > base
			 : (uint64_t)distance > (uint64_t)INT64_MAX - base)
		return FILE_BAD_SEEK;
	*offset = base + (uint64_t)distance;
	return FILE_OK;
}
