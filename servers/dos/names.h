/*
 * Names as DOS sees them: eight letters, a dot, three letters, upper case.
 * Nothing here asks anybody; tests/servers tries it on the host.
 */
#ifndef DOS_NAMES_H
#define DOS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#define DOS_NAME 13 /* octets of a name with its NUL */

typedef char dos_name_t[DOS_NAME];

/* Is the name one of DOS's as it stands, but for upper and lower case? */
bool dos_name_fits(const char *name);

/*
 * The DOS names of all names of one directory, in the same order: of those that
 * fit, the name in upper case; of the others six letters, a tilde and the first
 * number that leaves every name of the directory different.
 */
void dos_names_of_directory(const char *const names[], size_t count, dos_name_t short_names[]);

/* One part of a path as a program wrote it, cut to what DOS looks at: eight
   letters before the dot and three behind it, upper case. */
void dos_name_cut(const char *part, size_t length, dos_name_t name);

/* Does a name match a pattern with '?' and '*', both of eight and three? */
bool dos_name_matches(const char *pattern, const char *name);

/* CON, NUL, AUX, PRN, whatever extension they are written with. */
bool dos_is_device(const char *name, const char *device);

#endif
