/*
 * The part of libpersonality that asks nobody: names, dates, command lines.
 * It compiles on any host, which is how tests/servers tries it.
 */
#ifndef MACHEMU_PERSONALITY_LOGIC_H
#define MACHEMU_PERSONALITY_LOGIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PERSONALITY_PATH    256 /* octets of a path with its NUL */
#define PERSONALITY_HANDLES 32  /* of one session */

/* How a call on a file can end.  Each personality has a table that turns
   these into its own codes. */
typedef enum file_status {
	FILE_OK,
	FILE_NO_ENTRY,      /* the directory is there, the file is not */
	FILE_NO_PATH,       /* a directory on the way is not there */
	FILE_NO_DRIVE,      /* no such drive letter */
	FILE_IS_DIRECTORY,
	FILE_NOT_DIRECTORY, /* a file where a directory is wanted */
	FILE_READ_ONLY,     /* the archive is not to be written */
	FILE_BAD_HANDLE,
	FILE_NO_ACCESS,     /* the handle was not opened for this */
	FILE_NO_HANDLES,    /* the table is full */
	FILE_NO_MEMORY,
	FILE_BAD_SEEK,      /* before the start, or an unknown origin */
	FILE_NOT_SEEKABLE,  /* the console */
	FILE_NAME_TOO_LONG,
	FILE_BAD_ARGUMENT,
	FILE_BAD_PROGRAM,   /* proc would not start it */
	FILE_NO_CHILD,
	FILE_IO,            /* bootstrap, proc or the console failed */
	FILE_FAR_SEEK,      /* behind the last offset that the call can tell */
	FILE_NOT_ALLOWED,   /* a task of another node asks */
	FILE_TABLE_FULL,    /* the server serves as many as it will */
	FILE_NO_PROCESSES,  /* as many programs are started as may be */
	FILE_TOO_MANY_WAIT, /* as many requests wait as may */
	FILE_WAITS,         /* not an error: the answer comes later */
	FILE_STATUSES
} file_status_t;

#define SEEK_FROM_START   0u
#define SEEK_FROM_CURRENT 1u
#define SEEK_FROM_END     2u

/* Where a seek leads.  Behind the end is allowed, before the start is not. */
file_status_t seek_to(uint64_t current, uint64_t size, int64_t distance,
    unsigned origin, uint64_t *offset);

/* `path` as seen from `directory` ("" is the root), without ".", ".." and empty
   parts; ".." at the root stays there.  Both use '/'.  `resolved` holds
   PERSONALITY_PATH octets and gets no '/' at either end. */
file_status_t path_resolve(const char *directory, const char *path, char *resolved);

/* Splits "C:\ETC\MOTD" into the drive (upper case; 0: none given) and
   "/ETC/MOTD".  `rest` holds PERSONALITY_PATH octets. */
file_status_t path_drive(const char *path, char *drive, char *rest);

char letter_upper(char letter); /* ASCII only */
bool same_letters(const char *a, const char *b); /* but for upper and lower case */

typedef struct calendar {
	int year;    /* 1970... */
	int month;   /* 1 to 12 */
	int day;     /* 1 to 31 */
	int weekday; /* 0 is Sunday */
	int hour, minute, second;
} calendar_t;

/* UTC; `seconds` since 1970, not negative. */
void calendar_of(int64_t seconds, calendar_t *date);

/* Turns a command line into NUL-ended strings, one after another.  Blanks
   separate; with `quotes`, "a b" is one argument and \" a quote.  Returns the
   octets written, or 0 if they do not fit or a quote stays open. */
size_t command_line_split(const char *line, bool quotes, char *arguments, size_t room);

#endif
