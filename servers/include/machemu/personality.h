/*
 * What the personality servers share (libpersonality).
 *
 *   archive   the boot archive as a read-only tree of files
 *   paths     names with '/', with drive letters, relative to a directory
 *   files     open files behind small numbers, the console among them
 *   children  programs a session started, and those who wait for them
 *   sessions  one port per client, and the loop that serves them all
 *   calendar  seconds since 1970 as a date
 *
 * A server adds what is its own: its calls, their numbers, its error codes.
 * Nothing here waits for anybody but the kernel, bootstrap and proc: what a
 * client must wait for (a line, a child's end) is answered later.
 */
#ifndef MACHEMU_PERSONALITY_H
#define MACHEMU_PERSONALITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mach/mach_types.h>
#include <mach/message.h>
#include <mach/port.h>
#include <machemu/personality_types.h>

#include <machemu/personality_logic.h>

/* --- archive ------------------------------------------------------------- */

typedef struct archive_entry {
	char    *path; /* no '/' at either end */
	uint64_t size; /* octets */
} archive_entry_t;

/* A name directly under a directory; `entry` is null for a directory. */
typedef struct archive_name {
	char                   name[PERSONALITY_PATH];
	const archive_entry_t *entry;
} archive_name_t;

typedef enum file_kind { FILE_ARCHIVE, FILE_CONSOLE, FILE_NULL } file_kind_t;

kern_return_t archive_load(void);
const archive_entry_t *archive_find(const char *path, bool caseless);
bool archive_is_directory(const char *path, bool caseless);

/* FILE_OK and the entry, or why there is none. */
file_status_t archive_look_up(const char *path, bool caseless, const archive_entry_t **entry);
/* The same for a path of systems with drive letters, of which only C: is there;
   names that end in one of `consoles` (the last is null) or NUL are devices. */
file_status_t drive_look_up(const char *path, const char *const consoles[], file_kind_t *kind,
    const archive_entry_t **entry);

/* Steps through the names under `directory` ("" is the root), each once, in
   the order of their octets.  `*cursor` starts at 0.  False: no more. */
bool archive_next(const char *directory, size_t *cursor, archive_name_t *name);

/* At most `room` octets from `offset`; `*count` is 0 at the end of the file. */
kern_return_t archive_read(const archive_entry_t *entry, uint64_t offset,
    char *buffer, size_t room, size_t *count);

/* --- console ------------------------------------------------------------- */

kern_return_t terminal_open(void);
kern_return_t terminal_write(const char *data, size_t size);

/* --- open files ---------------------------------------------------------- */

#define FILE_READ  1u
#define FILE_WRITE 2u

/* Handles that were inherited share one of these, and so its offset. */
typedef struct file {
	unsigned               references;
	file_kind_t            kind;
	unsigned               access; /* FILE_READ | FILE_WRITE */
	const archive_entry_t *entry;  /* FILE_ARCHIVE only */
	uint64_t               offset;
} file_t;

typedef struct file_table {
	file_t *slots[PERSONALITY_HANDLES];
} file_table_t;

/* Slots 0 to 2 (`count` of them) become the console. */
file_status_t files_standard(file_table_t *table, unsigned count);
void files_share(file_table_t *to, const file_table_t *from);
void files_close_all(file_table_t *table);
file_status_t files_open(file_table_t *table, file_kind_t kind,
    const archive_entry_t *entry, unsigned access, int *handle);
file_status_t files_close(file_table_t *table, int handle);
file_t *files_get(const file_table_t *table, int handle); /* null: not open */

/* FILE_WAITS: the console has to be asked; see session_read_console. */
file_status_t files_read(file_table_t *table, int handle, char *buffer,
    size_t room, size_t *count);
file_status_t files_write(file_table_t *table, int handle, const char *data, size_t size);
/* An offset behind `last` is refused, FILE_FAR_SEEK. */
file_status_t files_seek(file_table_t *table, int handle, int64_t distance,
    unsigned origin, uint64_t last, uint64_t *offset);
unsigned files_open_count(const file_table_t *table);

/* --- sessions ------------------------------------------------------------ */

typedef struct child {
	struct child *next;
	int           pid;
	int           number; /* of this child within its session, 1 to CHILD_NUMBERS */
	bool          ended;
	bool          crashed; /* ended by an exception, not by its own call */
	int           status;  /* what it gave to exit, if it was not ended otherwise */
	mach_port_t   port;    /* where proc tells the end; null once told */
} child_t;

#define ANY_CHILD     0
#define CHILD_NUMBERS 1023 /* then the numbers of children start anew */

struct session;

/* Answers a wait.  `child` is null when it cannot be waited for any more.
   True: the child is to be forgotten. */
typedef bool (*child_answer_t)(struct session *session, mach_port_t reply, const child_t *child);

typedef struct waiter {
	struct waiter *next;
	int            number; /* of a child, or ANY_CHILD */
	mach_port_t    reply;
	child_answer_t answer;
} waiter_t;

/* Answers a read from the console: `status`, and the octets. */
typedef void (*console_answer_t)(mach_port_t reply, file_status_t status,
    const char *data, size_t count);

typedef struct session {
	struct session *next;
	mach_port_t     port; /* its requests come in here */
	int             pid;
	file_table_t    files;
	child_t        *children;
	waiter_t       *waiters;
	unsigned        child_count, waiter_count, reader_count;
	int             last_child; /* number last given out */
	void           *own;        /* the personality's, made by its `opened` */
} session_t;

typedef struct personality {
	const char *name;             /* under which programs find the server */
	int         subsystem;        /* of its errors; its requests start at 256 times this */
	const int  *errors;           /* its codes, by file_status_t */
	unsigned    standard_handles; /* open at a program's start, on the console */
	boolean_t (*demux)(mach_msg_header_t *request, mach_msg_header_t *reply);
	bool (*opened)(session_t *session); /* false: no memory; may be null */
	void (*closed)(session_t *session); /* may be null */
} personality_t;

/* Registers, and serves until the port set dies.  The result is main's. */
int personality_serve(const personality_t *personality);

/* Opens a session for the process that receives from `proof`; the send right
   is consumed.  Its files are those its parent left for it, if any. */
kern_return_t session_attach(mach_port_t server, mach_port_t proof,
    mach_port_t *port, int *pid);
session_t *session_find(mach_port_t port); /* null: not a session's port */

/* Has proc start `path` with `arguments`, NUL-ended strings one after another,
   of `size` octets together. */
file_status_t session_start(session_t *session, const archive_entry_t *program,
    const char *arguments, size_t size, child_t **child);
child_t *session_child(session_t *session, int number);
child_t *session_child_by_pid(session_t *session, int pid);
void session_forget(session_t *session, child_t *child);

/* Answers on `reply`, at once if the child has ended, else later.
   FILE_NO_CHILD: there is nothing to wait for.  No answer will be given if this fails. */
file_status_t session_wait(session_t *session, int number, mach_port_t reply,
    child_answer_t answer);
file_status_t session_read_console(session_t *session, size_t wanted, mach_port_t reply,
    console_answer_t answer);

/* Starts a program as session_start does, and answers on `reply` when it has ended.
   No answer will be given if this fails, and no program has been started. */
file_status_t session_run(session_t *session, const archive_entry_t *program,
    const char *arguments, size_t size, mach_port_t reply, child_answer_t answer);

/* Counts a call outside the personality's list, for `stat`. */
void session_count_refused(void);

/* The tables as text, in memory to be given away with the answer. */
kern_return_t personality_stat(mach_port_t server, char **text, mach_msg_type_number_t *size);

/* Seconds of the node's clock since 1970, and microseconds of the second. */
kern_return_t personality_time(int64_t *seconds, int32_t *microseconds);

#endif
