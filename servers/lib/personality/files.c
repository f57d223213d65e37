/*
 * Open files behind small numbers.
 */
#include <machemu/personality.h>

#include <stdlib.h>
#include <string.h>

static file_t *file_make(file_kind_t kind, const archive_entry_t *entry, unsigned access)
{
	file_t *file = malloc(sizeof *file);

	if (file != NULL)
		*file = (file_t){.references = 1, .kind = kind, .access = access, .entry = entry};
	return file;
}

static void file_drop(file_t *file)
{
	if (file != NULL && --file->references == 0)
		free(file);
}

file_status_t files_standard(file_table_t *table, unsigned count)
{
	file_t *console = file_make(FILE_CONSOLE, NULL, FILE_READ | FILE_WRITE);

	if (console == NULL)
		return FILE_NO_MEMORY;
	for (unsigned i = 0; i < count; i++) {
		table->slots[i] = console;
		console->references++;
	}
	file_drop(console); /* the reference it was made with */
	return FILE_OK;
}

void files_share(file_table_t *to, const file_table_t *from)
{
	for (unsigned i = 0; i < PERSONALITY_HANDLES; i++) {
		to->slots[i] = from->slots[i];
		if (to->slots[i] != NULL)
			to->slots[i]->references++;
	}
}

void files_close_all(file_table_t *table)
{
	for (unsigned i = 0; i < PERSONALITY_HANDLES; i++) {
		file_drop(table->slots[i]);
		table->slots[i] = NULL;
	}
}

unsigned files_open_count(const file_table_t *table)
{
	unsigned count = 0;

	for (unsigned i = 0; i < PERSONALITY_HANDLES; i++)
		count += table->slots[i] != NULL;
	return count;
}

file_status_t files_open(file_table_t *table, file_kind_t kind,
    const archive_entry_t *entry, unsigned access, int *handle)
{
	for (int i = 0; i < PERSONALITY_HANDLES; i++) {
		if (table->slots[i] != NULL)
			continue;
		table->slots[i] = file_make(kind, entry, access);
		*handle = i;
		return table->slots[i] != NULL ? FILE_OK : FILE_NO_MEMORY;
	}
	return FILE_NO_HANDLES;
}

file_t *files_get(const file_table_t *table, int handle)
{
	return handle >= 0 && handle < PERSONALITY_HANDLES ? table->slots[handle] : NULL;
}

file_status_t files_close(file_table_t *table, int handle)
{
	file_t *file = files_get(table, handle);

	if (file == NULL)
		return FILE_BAD_HANDLE;
	table->slots[handle] = NULL;
	file_drop(file);
	return FILE_OK;
}

file_status_t files_read(file_table_t *table, int handle, char *buffer,
    size_t room, size_t *count)
{
	file_t *file = files_get(table, handle);

	*count = 0;
	if (file == NULL)
		return FILE_BAD_HANDLE;
	if (!(file->access & FILE_READ))
		return FILE_NO_ACCESS;
	if (file->kind == FILE_NULL || room == 0)
		return FILE_OK;
	if (file->kind == FILE_CONSOLE)
		return FILE_WAITS;
	if (archive_read(file->entry, file->offset, buffer, room, count) != KERN_SUCCESS)
		return FILE_IO;
	file->offset += *count;
	return FILE_OK;
}

file_status_t files_write(file_table_t *table, int handle, const char *data, size_t size)
{
	file_t *file = files_get(table, handle);

	if (file == NULL)
		return FILE_BAD_HANDLE;
	if (!(file->access & FILE_WRITE))
		return FILE_NO_ACCESS;
	if (file->kind == FILE_NULL)
		return FILE_OK;
	if (file->kind != FILE_CONSOLE)
		return FILE_READ_ONLY;
	return terminal_write(data, size) == KERN_SUCCESS ? FILE_OK : FILE_IO;
}

file_status_t files_seek(file_table_t *table, int handle, int64_t distance,
    unsigned origin, uint64_t last, uint64_t *offset)
{
	file_t *file = files_get(table, handle);
	file_status_t status;

	if (file == NULL)
		return FILE_BAD_HANDLE;
	if (file->kind != FILE_ARCHIVE)
		return FILE_NOT_SEEKABLE;
	status = seek_to(file->offset, file->entry->size, distance, origin, offset);
	if (status == FILE_OK && *offset > last)
		status = FILE_FAR_SEEK;
	if (status == FILE_OK)
		file->offset = *offset;
	return status;
}
