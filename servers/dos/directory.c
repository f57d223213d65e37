/*
 * The archive as drive C: of the DOS server.
 *
 * Paths are followed part by part: each is cut to eight and three letters, and
 * compared with the DOS names of what lies in the directory reached so far.
 */
#include "directory.h"

#include <stdlib.h>
#include <string.h>

/* Where the parts of names come from: the names of one directory. */
typedef struct listing {
	size_t          count;
	archive_name_t *names;
	const char    **long_names;
	dos_name_t     *short_names;
} listing_t;

static void listing_free(listing_t *listing)
{
	free(listing->names);
	free(listing->long_names);
	free(listing->short_names);
}

static size_t count_names(const char *directory)
{
	archive_name_t *name = malloc(sizeof *name);
	size_t cursor = 0, count = 0;

	while (name != NULL && archive_next(directory, &cursor, name))
		count++;
	free(name);
	return count;
}

static bool listing_make(const char *directory, listing_t *listing)
{
	size_t cursor = 0;

	listing->count = count_names(directory);
	listing->names = calloc(listing->count + 1, sizeof *listing->names);
	listing->long_names = calloc(listing->count + 1, sizeof *listing->long_names);
	listing->short_names = calloc(listing->count + 1, sizeof *listing->short_names);
	if (listing->names == NULL || listing->long_names == NULL || listing->short_names == NULL) {
		listing_free(listing);
		return false;
	}
	for (size_t i = 0; i < listing->count; i++) {
		archive_next(directory, &cursor, &listing->names[i]);
		listing->long_names[i] = listing->names[i].name;
	}
	dos_names_of_directory(listing->long_names, listing->count, listing->short_names);
	return true;
}

/* Appends "part" to a path that uses `separator`; both are known to be short. */
static file_status_t append(char *path, char separator, const char *part)
{
	size_t length = strlen(path);

	if (length + strlen(part) + 2 > PERSONALITY_PATH)
		return FILE_NAME_TOO_LONG;
	if (length > 0)
		path[length++] = separator;
	strcpy(path + length, part);
	return FILE_OK;
}

/* Goes one part further, from the directory that `place` is. */
static file_status_t step(place_t *place, const char *part, size_t length)
{
	dos_name_t wanted;
	listing_t listing;
	file_status_t status = FILE_NO_ENTRY;

	if (!place->is_directory)
		return FILE_NO_PATH;
	if (!listing_make(place->real, &listing))
		return FILE_NO_MEMORY;
	dos_name_cut(part, length, wanted);
	for (size_t i = 0; i < listing.count; i++) {
		if (strcmp(listing.short_names[i], wanted) != 0)
			continue;
		place->entry = listing.names[i].entry;
		place->is_directory = place->entry == NULL;
		status = append(place->real, '/', listing.names[i].name);
		if (status == FILE_OK)
			status = append(place->shown, '\\', wanted);
		break;
	}
	listing_free(&listing);
	return status;
}

/* Follows a resolved path; what is missing on the way is a missing path. */
static file_status_t follow(const char *path, place_t *place)
{
	while (*path != '\0') {
		size_t length = strcspn(path, "/");
		bool last = path[length] == '\0';
		file_status_t status = step(place, path, length);

		if (status != FILE_OK)
			return status == FILE_NO_ENTRY && !last ? FILE_NO_PATH : status;
		path += length + !last;
	}
	return FILE_OK;
}

/* The path from the root of C:, with '/' and nothing relative left. */
static file_status_t resolve(const char *current, const char *path, char *resolved)
{
	char drive, given[PERSONALITY_PATH], from[PERSONALITY_PATH], none;
	file_status_t status = path_drive(path, &drive, given);

	if (status == FILE_OK && drive != '\0' && drive != 'C')
		status = FILE_NO_DRIVE;
	if (status == FILE_OK)
		status = path_drive(current, &none, from); /* for its '/' */
	if (status == FILE_OK)
		status = path_resolve(from, given, resolved);
	return status;
}

static bool is_device(const char *path, place_t *place)
{
	static const char *const consoles[] = {"CON", "AUX", "PRN"};
	const char *slash = strrchr(path, '/');
	dos_name_t name;

	if (slash != NULL)
		path = slash + 1;
	dos_name_cut(path, strlen(path), name);
	place->kind = FILE_CONSOLE;
	for (size_t i = 0; i < sizeof consoles / sizeof consoles[0]; i++)
		if (dos_is_device(name, consoles[i]))
			return true;
	place->kind = FILE_NULL;
	return dos_is_device(name, "NUL");
}

static void place_root(place_t *place)
{
	memset(place, 0, sizeof *place);
	place->kind = FILE_ARCHIVE;
	place->is_directory = true;
}

file_status_t place_find(const char *current, const char *path, place_t *place)
{
	char resolved[PERSONALITY_PATH];
	file_status_t status = resolve(current, path, resolved);

	place_root(place);
	if (status != FILE_OK)
		return status;
	if (is_device(resolved, place)) {
		place->is_directory = false;
		return FILE_OK;
	}
	place->kind = FILE_ARCHIVE;
	return follow(resolved, place);
}

/* Attributes that a search has to ask for to find a name that bears them. */
static bool is_asked_for(int found, int attributes)
{
	return !(found & ATTRIBUTE_DIRECTORY) || (attributes & ATTRIBUTE_DIRECTORY);
}

static file_status_t pick(const listing_t *listing, const char *pattern, int attributes,
    int index, dos_name_t name, uint64_t *size, int *found)
{
	for (size_t i = 0; i < listing->count; i++) {
		const archive_entry_t *entry = listing->names[i].entry;

		*found = entry != NULL ? ATTRIBUTE_READ_ONLY | ATTRIBUTE_ARCHIVE : ATTRIBUTE_DIRECTORY;
		if (!is_asked_for(*found, attributes)
		    || !dos_name_matches(pattern, listing->short_names[i]) || index-- > 0)
			continue;
		memcpy(name, listing->short_names[i], DOS_NAME);
		*size = entry != NULL ? entry->size : 0;
		return FILE_OK;
	}
	return FILE_NO_ENTRY;
}

file_status_t place_match(const char *current, const char *pattern, int attributes,
    int index, dos_name_t name, uint64_t *size, int *found)
{
	char resolved[PERSONALITY_PATH];
	file_status_t status = resolve(current, pattern, resolved);
	const char *last = resolved;
	place_t place;
	listing_t listing;
	char *slash;

	if (status != FILE_OK)
		return status;
	place_root(&place);
	slash = strrchr(resolved, '/');
	if (slash != NULL) {
		*slash = '\0';
		last = slash + 1;
		status = follow(resolved, &place);
	}
	if (status == FILE_OK && !place.is_directory)
		status = FILE_NO_PATH;
	if (status != FILE_OK)
		return status == FILE_NO_ENTRY ? FILE_NO_PATH : status;
	if (index < 0)
		return FILE_NO_ENTRY;
	if (!listing_make(place.real, &listing))
		return FILE_NO_MEMORY;
	status = pick(&listing, last, attributes, index, name, size, found);
	listing_free(&listing);
	return status;
}
