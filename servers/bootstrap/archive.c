/* The boot archive: a POSIX ustar archive on partition 1, read where it lies.  The headers
   are read once; contents each time they are asked for. */
#include "bootstrap.h"

#include <stdlib.h>
#include <string.h>

#include <device/device_types.h>
#include <mig/device.h>

#define RECORD      512
#define FILES_MAX   512
#define READ_AT_ONCE (256 * 1024) /* octets of one device_read */

/* Offsets in a header (POSIX.1-1988, ustar). */
#define TAR_NAME 0
#define TAR_SIZE 124
#define TAR_SUM  148
#define TAR_TYPE 156
#define TAR_MAGIC 257
#define TAR_PREFIX 345

static mach_port_t partition;
static uint64_t partition_records;
static struct archive_file *files;
static unsigned file_count;

/* All the octets, in fresh pages at `*data`; a device that gives fewer has failed. */
static kern_return_t read_records(uint64_t record, uint32_t octets, char **data)
{
	io_buf_ptr_t buffer = 0;
	mach_msg_type_number_t count = 0;
	kern_return_t kr = device_read(partition, 0, (recnum_t)record, (int)octets, &buffer, &count);

	if (kr == KERN_SUCCESS && count < octets) {
		if (count != 0)
			vm_deallocate(mach_task_self(), (vm_address_t)buffer, count);
		kr = D_IO_ERROR;
	}
	*data = (char *)buffer;
	return kr;
}

static uint64_t octal(const char *field, unsigned width)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < width && field[i] >= '0' && field[i] <= '7'; i++)
		value = value << 3 | (uint64_t)(field[i] - '0');
	return value;
}

static bool header_is_good(const char *header)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < RECORD; i++)
		sum += i >= TAR_SUM && i < TAR_SUM + 8 ? ' ' : (unsigned char)header[i];
	return memcmp(header + TAR_MAGIC, "ustar", 5) == 0 && octal(header + TAR_SUM, 8) == sum;
}

static bool add_file(const char *header, uint64_t record)
{
	struct archive_file *file = &files[file_count];
	uint64_t size = octal(header + TAR_SIZE, 12);
	size_t prefix = strnlen(header + TAR_PREFIX, 155), name = strnlen(header + TAR_NAME, 100);

	if (file_count == FILES_MAX || size > (partition_records - record - 1) * RECORD
	    || prefix + 1 + name >= sizeof file->path)
		return false;
	memset(file, 0, sizeof *file);
	memcpy(file->path, header + TAR_PREFIX, prefix);
	if (prefix != 0)
		file->path[prefix++] = '/';
	memcpy(file->path + prefix, header + TAR_NAME, name);
	file->record = record + 1;
	file->size = size;
	file_count++;
	return true;
}

static kern_return_t read_headers(void)
{
	for (uint64_t record = 0; record < partition_records;) {
		char *header;
		kern_return_t kr = read_records(record, RECORD, &header);
		bool end, good;

		if (kr != KERN_SUCCESS)
			return kr;
		end = header[0] == '\0';
		good = end || (header_is_good(header)
		    && ((header[TAR_TYPE] != '0' && header[TAR_TYPE] != '\0') || add_file(header, record)));
		if (good && !end)
			record += 1 + (octal(header + TAR_SIZE, 12) + RECORD - 1) / RECORD;
		vm_deallocate(mach_task_self(), (vm_address_t)header, RECORD);
		if (!good)
			return KERN_INVALID_VALUE;
		if (end)
			break;
	}
	return KERN_SUCCESS;
}

kern_return_t archive_open(mach_port_t master)
{
	int size[2] = {0, 0};
	mach_msg_type_number_t words = 2;
	kern_return_t kr = device_open(master, D_READ, "hd0s1", &partition);

	if (kr == KERN_SUCCESS)
		kr = device_get_status(partition, DEV_GET_RECORDS, size, &words);
	if (kr != KERN_SUCCESS)
		return kr;
	partition_records = (uint64_t)(unsigned)size[0];
	files = calloc(FILES_MAX, sizeof *files);
	return files == NULL ? KERN_RESOURCE_SHORTAGE : read_headers();
}

const struct archive_file *archive_find(const char *path)
{
	for (unsigned i = 0; i < file_count; i++)
		if (strcmp(files[i].path, path) == 0)
			return &files[i];
	return NULL;
}

unsigned archive_count(void)
{
	return file_count;
}

const struct archive_file *archive_at(unsigned index)
{
	return &files[index];
}

kern_return_t archive_read(const struct archive_file *file, uint64_t offset, uint32_t wanted,
    char **data, mach_msg_type_number_t *count)
{
	uint64_t left = offset < file->size ? file->size - offset : 0;
	uint32_t size = wanted < left ? wanted : (uint32_t)left;
	uint64_t record = file->record + offset / RECORD;
	uint32_t skip = offset % RECORD;
	vm_address_t pages = 0;
	kern_return_t kr;

	*data = NULL;
	*count = 0;
	if (size == 0)
		return KERN_SUCCESS;
	kr = vm_allocate(mach_task_self(), &pages, size, TRUE);
	for (uint32_t done = 0; kr == KERN_SUCCESS && done < size;) {
		uint32_t octets = skip + size - done, whole;
		char *part;

		if (octets > READ_AT_ONCE)
			octets = READ_AT_ONCE;
		whole = (octets + RECORD - 1) / RECORD * RECORD;
		kr = read_records(record, whole, &part);
		if (kr != KERN_SUCCESS)
			break;
		memcpy((char *)pages + done, part + skip, octets - skip);
		vm_deallocate(mach_task_self(), (vm_address_t)part, whole);
		done += octets - skip;
		record += octets / RECORD;
		skip = 0;
	}
	if (kr != KERN_SUCCESS) {
		vm_deallocate(mach_task_self(), pages, size);
		return kr;
	}
	*data = (char *)pages;
	*count = size;
	return KERN_SUCCESS;
}
