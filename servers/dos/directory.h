/*
 * The archive as drive C: of the DOS server.
 */
#ifndef DOS_DIRECTORY_H
#define DOS_DIRECTORY_H

#include <machemu/personality.h>

#include "names.h"

#define ATTRIBUTE_READ_ONLY 0x01
#define ATTRIBUTE_DIRECTORY 0x10
#define ATTRIBUTE_ARCHIVE   0x20

/* What a path leads to. */
typedef struct place {
	file_kind_t            kind;
	const archive_entry_t *entry;                   /* of a file in the archive */
	bool                   is_directory;
	char                   real[PERSONALITY_PATH];  /* as the archive writes it */
	char                   shown[PERSONALITY_PATH]; /* as DOS does, with '\' */
} place_t;

/* `current` is the session's directory on C:, as DOS writes it. */
file_status_t place_find(const char *current, const char *path, place_t *place);

/* The `index`th name, from 0, that matches the last part of `pattern`, and has
   no attribute but those in `attributes`.  FILE_NO_ENTRY: there are no more. */
file_status_t place_match(const char *current, const char *pattern, int attributes,
    int index, dos_name_t name, uint64_t *size, int *found);

#endif
