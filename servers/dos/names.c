/*
 * Names as DOS sees them.
 */
#include "names.h"

#include <machemu/personality_logic.h>

#include <string.h>

#define BASE      8
#define EXTENSION 3

static bool is_name_letter(char letter)
{
	letter = letter_upper(letter);
	return (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9')
	    || (letter != '\0' && strchr("!#$%&'()-@^_`{}~", letter) != NULL);
}

static bool all_name_letters(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!is_name_letter(text[i]))
			return false;
	return true;
}

bool dos_name_fits(const char *name)
{
	const char *dot = strchr(name, '.');
	size_t base = dot != NULL ? (size_t)(dot - name) : strlen(name);
	size_t extension = dot != NULL ? strlen(dot + 1) : 0;

	return base >= 1 && base <= BASE && extension <= EXTENSION && (dot == NULL || extension > 0)
	    && all_name_letters(name, base) && (dot == NULL || all_name_letters(dot + 1, extension));
}

/* Copies at most `room` of the letters that DOS can write; others that a name
   may hold elsewhere become '_', blanks and dots vanish.  Returns how many. */
static size_t copy_letters(const char *from, size_t length, char *to, size_t room)
{
	size_t used = 0;

	for (size_t i = 0; i < length && used < room; i++) {
		if (is_name_letter(from[i]))
			to[used++] = letter_upper(from[i]);
		else if (from[i] != ' ' && from[i] != '.')
			to[used++] = '_';
	}
	return used;
}

static size_t put_number(char *to, unsigned number)
{
	char digits[10];
	size_t count = 0;

	do
		digits[count++] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	for (size_t i = 0; i < count; i++)
		to[i] = digits[count - 1 - i];
	return count;
}

/* The `number`th DOS name for a name that does not fit. */
static void numbered_name(const char *name, unsigned number, dos_name_t short_name)
{
	const char *dot = strrchr(name, '.');
	char tail[BASE];
	size_t length, base, digits = put_number(tail, number);

	if (dot == name)
		dot = NULL; /* ".profile" has no extension */
	base = dot != NULL ? (size_t)(dot - name) : strlen(name);
	length = copy_letters(name, base, short_name, BASE - 1 - digits);
	short_name[length++] = '~';
	memcpy(short_name + length, tail, digits);
	length += digits;
	if (dot != NULL && dot[1] != '\0') {
		short_name[length++] = '.';
		length += copy_letters(dot + 1, strlen(dot + 1), short_name + length, EXTENSION);
	}
	short_name[length] = '\0';
}

static bool is_taken(const dos_name_t name, const char *const names[], size_t count,
    const dos_name_t short_names[], size_t given)
{
	for (size_t i = 0; i < count; i++)
		if (same_letters(names[i], name))
			return true;
	for (size_t i = 0; i < given; i++)
		if (strcmp(short_names[i], name) == 0)
			return true;
	return false;
}

void dos_names_of_directory(const char *const names[], size_t count, dos_name_t short_names[])
{
	for (size_t i = 0; i < count; i++) {
		unsigned number = 1;

		if (dos_name_fits(names[i])) {
			dos_name_cut(names[i], strlen(names[i]), short_names[i]);
			continue;
		}
		do
			numbered_name(names[i], number++, short_names[i]);
		while (is_taken(short_names[i], names, count, short_names, i));
	}
}

void dos_name_cut(const char *part, size_t length, dos_name_t name)
{
	size_t used = 0, limit = BASE;
	bool dot = false;

	for (size_t i = 0; i < length; i++) {
		if (part[i] == '.') {
			if (dot)
				break; /* a second extension is not looked at */
			dot = true;
			name[used++] = '.';
			limit = used + EXTENSION;
		} else if (used < limit) {
			name[used++] = letter_upper(part[i]);
		}
	}
	if (used > 0 && name[used - 1] == '.')
		used--;
	name[used] = '\0';
}

/* Spreads "AB*.C" over eleven places, with '?' for what may be anything and
   blanks behind shorter parts. */
static void spread(const char *name, char places[BASE + EXTENSION])
{
	size_t at = 0, end = BASE;

	memset(places, ' ', BASE + EXTENSION);
	for (; *name != '\0'; name++) {
		if (*name == '.' && end == BASE) {
			at = BASE;
			end = BASE + EXTENSION;
		} else if (*name == '*') {
			while (at < end)
				places[at++] = '?';
		} else if (at < end) {
			places[at++] = letter_upper(*name);
		}
	}
}

bool dos_name_matches(const char *pattern, const char *name)
{
	char wanted[BASE + EXTENSION], given[BASE + EXTENSION];

	spread(pattern, wanted);
	spread(name, given);
	for (size_t i = 0; i < sizeof wanted; i++)
		if (wanted[i] != '?' && wanted[i] != given[i])
			return false;
	return true;
}

bool dos_is_device(const char *name, const char *device)
{
	size_t length = strlen(device);

	return strncmp(name, device, length) == 0 && (name[length] == '\0' || name[length] == '.');
}
