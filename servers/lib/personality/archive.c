/*
 * The boot archive as a tree of files.
 *
 * bootstrap serves it read-only and it never changes, so the list is fetched
 * once, sorted, and searched here; only contents are asked for each time.
 * Directories are no entries of their own: they are what stands before a '/'.
 */
#include <machemu/personality.h>

#include <mach/mach_init.h>
#include <mach/mach_interface.h>
#include <mig/boot_files.h>

#include <stdlib.h>
#include <string.h>

static archive_entry_t *entries; /* by the octets of their paths */
static size_t entry_count;

/* --- the list ------------------------------------------------------------ */

static int by_path(const void *a, const void *b)
{
	return strcmp(((const archive_entry_t *)a)->path, ((const archive_entry_t *)b)->path);
}

static size_t count_lines(const char *text, size_t size)
{
	size_t lines = 0;

	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	return lines;
}

/* Cuts the text, lines of "size path", into entries whose paths stay in it. */
static void read_list(char *text, size_t lines)
{
	for (size_t i = 0; i < lines; i++) {
		char *end = strchr(text, '\n'), *path;

		*end = '\0';
		entries[i].size = strtoull(text, &path, 10);
		entries[i].path = *path == ' ' ? path + 1 : path;
		text = end + 1;
	}
}

kern_return_t archive_load(void)
{
	char *list, *text;
	mach_msg_type_number_t size;
	kern_return_t result = boot_list(environment_port, &list, &size);

	if (result != KERN_SUCCESS)
		return result;
	entry_count = count_lines(list, size);
	entries = calloc(entry_count + 1, sizeof *entries);
	text = malloc((size_t)size + 1);
	if (entries == NULL || text == NULL) {
		result = KERN_RESOURCE_SHORTAGE; /* and the server ends */
	} else {
		memcpy(text, list, size);
		text[size] = '\0';
		read_list(text, entry_count);
		qsort(entries, entry_count, sizeof *entries, by_path);
	}
	vm_deallocate(mach_task_self(), (vm_address_t)list, size);
	return result;
}

/* --- names --------------------------------------------------------------- */

/* Do the first `length` octets agree? */
static bool same_start(const char *a, const char *b, size_t length, bool caseless)
{
	for (size_t i = 0; i < length; i++) {
		char x = a[i], y = b[i];

		if (x != y && !(caseless && letter_upper(x) == letter_upper(y)))
			return false;
		if (x == '\0')
			return true;
	}
	return true;
}

const archive_entry_t *archive_find(const char *path, bool caseless)
{
	for (size_t i = 0; i < entry_count; i++)
		if (same_start(entries[i].path, path, PERSONALITY_PATH, caseless))
			return &entries[i];
	return NULL;
}

/* Is `path` what stands before a '/' in `entry`, or the root? */
static bool lies_under(const archive_entry_t *entry, const char *path, size_t length, bool caseless)
{
	return length == 0
	    || (same_start(entry->path, path, length, caseless) && strlen(entry->path) > length
	        && entry->path[length] == '/');
}

bool archive_is_directory(const char *path, bool caseless)
{
	size_t length = strlen(path);

	for (size_t i = 0; i < entry_count; i++)
		if (lies_under(&entries[i], path, length, caseless))
			return true;
	return length == 0;
}

/* Why the path, which names neither file nor directory, names nothing. */
static file_status_t why_missing(const char *path, bool caseless)
{
	char directory[PERSONALITY_PATH];
	char *slash;

	strcpy(directory, path);
	slash = strrchr(directory, '/');
	if (slash == NULL)
		return FILE_NO_ENTRY;
	*slash = '\0';
	if (archive_is_directory(directory, caseless))
		return FILE_NO_ENTRY;
	return archive_find(directory, caseless) != NULL ? FILE_NOT_DIRECTORY : FILE_NO_PATH;
}

file_status_t archive_look_up(const char *path, bool caseless, const archive_entry_t **entry)
{
	*entry = archive_find(path, caseless);
	if (*entry != NULL)
		return FILE_OK;
	return archive_is_directory(path, caseless) ? FILE_IS_DIRECTORY : why_missing(path, caseless);
}

static bool is_one_of(const char *name, const char *const names[])
{
	for (; *names != NULL; names++)
		if (same_letters(name, *names))
			return true;
	return false;
}

file_status_t drive_look_up(const char *path, const char *const consoles[], file_kind_t *kind,
    const archive_entry_t **entry)
{
	char drive, given[PERSONALITY_PATH], resolved[PERSONALITY_PATH];
	const char *slash;
	file_status_t status = path_drive(path, &drive, given);

	*kind = FILE_ARCHIVE;
	*entry = NULL;
	if (status == FILE_OK && drive != '\0' && drive != 'C')
		status = FILE_NO_DRIVE;
	if (status == FILE_OK)
		status = path_resolve("", given, resolved);
	if (status != FILE_OK)
		return status;
	slash = strrchr(resolved, '/');
	if (is_one_of(slash != NULL ? slash + 1 : resolved, consoles))
		*kind = FILE_CONSOLE;
	else if (same_letters(slash != NULL ? slash + 1 : resolved, "NUL"))
		*kind = FILE_NULL;
	else
		return archive_look_up(resolved, true, entry);
	return FILE_OK;
}

bool archive_next(const char *directory, size_t *cursor, archive_name_t *name)
{
	size_t length = strlen(directory), skip = length > 0 ? length + 1 : 0, size;
	const char *rest, *previous = *cursor > 0 ? entries[*cursor - 1].path : NULL;

	for (; *cursor < entry_count; previous = entries[(*cursor)++].path) {
		const archive_entry_t *entry = &entries[*cursor];

		if (!lies_under(entry, directory, length, false))
			continue;
		rest = entry->path + skip;
		size = strcspn(rest, "/");
		/* The list is sorted: a directory's files follow one another. */
		if (rest[size] == '/' && previous != NULL
		    && strncmp(previous, entry->path, skip + size + 1) == 0)
			continue;
		if (size >= sizeof name->name)
			continue;
		memcpy(name->name, rest, size);
		name->name[size] = '\0';
		name->entry = rest[size] == '\0' ? entry : NULL;
		(*cursor)++;
		return true;
	}
	return false;
}

/* --- contents ------------------------------------------------------------ */

kern_return_t archive_read(const archive_entry_t *entry, uint64_t offset, char *buffer,
    size_t room, size_t *count)
{
	char *data;
	mach_msg_type_number_t size;
	kern_return_t result;

	*count = 0;
	if (offset >= entry->size)
		return KERN_SUCCESS;
	result = boot_read(environment_port, entry->path, (int64_t)offset, (int)room, &data, &size);
	if (result != KERN_SUCCESS)
		return result;
	*count = size < room ? size : room;
	memcpy(buffer, data, *count);
	vm_deallocate(mach_task_self(), (vm_address_t)data, size);
	return KERN_SUCCESS;
}
