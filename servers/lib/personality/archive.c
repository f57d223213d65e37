/*
 * The boot archive as a tree of files.
 *
 * bootstrap serves it read-only and it never changes, so the list is fetched
 * once, sorted, and searched here; only contents are asked for each time.
 * Directories are not entries of their own: they are what stands before a '/'.
 */
#include <machemu/personality.h>

#include <mach/mach_init.h>
#include <mig/boot_files.h>
#include <mach/mach_interface.h>

#include <stdlib.h>
#include <string.h>

static archive_entry_t *entries; /* by the octets of their paths */
static size_t entry_count;

static int by_path(const void *a, const void *b)
{
	return strcmp(((const archive_entry_t *)a)->path, ((const archive_entry_t *)b)->path);
}
