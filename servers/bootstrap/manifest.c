/* The boot manifest: one line an entry, fields between single spaces, %XX for octets that
   would not be one field.

       machemu-manifest 1
       node <number> <name>
       site ...
       entry <name> <path> <flags> <personality> <argument>...
*/
#include "bootstrap.h"

#include <stdlib.h>
#include <string.h>

#define MANIFEST     "boot.manifest"
#define MANIFEST_MAX 65536
#define ENTRIES_MAX  64
#define FIELDS_MAX   64

struct entry *entries;
unsigned entry_count;

static const struct { const char *name; unsigned flag; } flag_names[] = {
	{"main", ENTRY_MAIN}, {"ready", ENTRY_READY}, {"restart", ENTRY_RESTART},
	{"host", ENTRY_HOST}, {"device", ENTRY_DEVICE},
};

static int hex(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit |= 0x20;
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Undo %XX in place.  False: not two hexadecimal digits behind a %. */
static bool unescape(char *field)
{
	char *to = field;

	for (const char *from = field; *from != '\0'; from++) {
		if (*from != '%') {
			*to++ = *from;
			continue;
		}
		if (hex(from[1]) < 0 || hex(from[2]) < 0)
			return false;
		*to++ = (char)(hex(from[1]) << 4 | hex(from[2]));
		from += 2;
	}
	*to = '\0';
	return true;
}

/* Cut a line into fields; their number, 0 if it is no good. */
static unsigned split(char *line, char *fields[FIELDS_MAX])
{
	unsigned count = 0;

	while (line != NULL && count < FIELDS_MAX) {
		char *space = strchr(line, ' ');

		if (space != NULL)
			*space++ = '\0';
		fields[count++] = line;
		line = space;
	}
	for (unsigned i = 0; i < count; i++)
		if (!unescape(fields[i]))
			return 0;
	return line == NULL ? count : 0;
}

static bool parse_flags(char *text, unsigned *flags)
{
	if (strcmp(text, "-") == 0)
		return true;
	while (text != NULL) {
		char *comma = strchr(text, ',');
		unsigned found = 0;

		if (comma != NULL)
			*comma++ = '\0';
		for (unsigned i = 0; i < sizeof flag_names / sizeof *flag_names; i++)
			if (strcmp(text, flag_names[i].name) == 0)
				found = flag_names[i].flag;
		if (found == 0)
			return false;
		*flags |= found;
		text = comma;
	}
	return true;
}

/* The program's name and its arguments, one after another. */
static bool lay_out_arguments(struct entry *entry, char *fields[], unsigned count)
{
	size_t size = 0, at = 0;

	for (unsigned i = 0; i < count; i++)
		size += strlen(fields[i]) + 1;
	entry->arguments = malloc(size + 1);
	if (entry->arguments == NULL)
		return false;
	for (unsigned i = 0; i < count; i++) {
		strcpy(entry->arguments + at, fields[i]);
		at += strlen(fields[i]) + 1;
	}
	entry->arguments_size = (uint32_t)size;
	return true;
}

static bool parse_entry(char *fields[], unsigned count)
{
	struct entry *entry = &entries[entry_count];

	if (count < 5 || entry_count == ENTRIES_MAX || strlen(fields[1]) >= sizeof entry->name
	    || strlen(fields[2]) >= sizeof entry->path || !parse_flags(fields[3], &entry->flags))
		return false;
	strcpy(entry->name, fields[1]);
	strcpy(entry->path, fields[2]);
	fields[4] = entry->name; /* argv[0]; the personality is the program's own business */
	if (!lay_out_arguments(entry, fields + 4, count - 4))
		return false;
	entry_count++;
	return true;
}

static bool parse_line(char *line, unsigned number)
{
	char *fields[FIELDS_MAX];
	unsigned count = split(line, fields);

	if (number == 1)
		return count == 2 && strcmp(fields[0], "machemu-manifest") == 0 && strcmp(fields[1], "1") == 0;
	if (count == 0)
		return false;
	if (strcmp(fields[0], "entry") == 0)
		return parse_entry(fields, count);
	return strcmp(fields[0], "node") == 0 || strcmp(fields[0], "site") == 0;
}

bool manifest_load(void)
{
	const struct archive_file *file = archive_find(MANIFEST);
	char *data, *line;
	mach_msg_type_number_t size;
	unsigned number = 0;

	if (file == NULL || file->size >= MANIFEST_MAX) {
		say("the archive has no " MANIFEST ", or one that is too long");
		return false;
	}
	entries = calloc(ENTRIES_MAX, sizeof *entries);
	if (entries == NULL || archive_read(file, 0, MANIFEST_MAX, &data, &size) != KERN_SUCCESS) {
		say(MANIFEST " cannot be read");
		return false;
	}
	line = calloc(1, (size_t)size + 1);
	if (line == NULL) {
		say("no memory for " MANIFEST);
		return false;
	}
	memcpy(line, data, size);
	vm_deallocate(mach_task_self(), (vm_address_t)data, size);
	while (*line != '\0') {
		char *end = strchr(line, '\n');

		if (end == NULL)
			end = line + strlen(line);
		else
			*end++ = '\0';
		if (*line != '\0' && !parse_line(line, ++number)) {
			say(MANIFEST ", line %u: not understood", number);
			return false;
		}
		line = end;
	}
	if (number == 0)
		say(MANIFEST " is empty");
	return number != 0;
}
