/*
 * INT 21h: registers in, a request to the server "dos", registers out.
 */
#include <dos.h>

#include <machemu/personality_logic.h>
#include <machemu/session.h>
#include <mig/dos.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_DAY  315532800 /* its start, in seconds since 1970 */
#define VERSION    5         /* DOS 5.0 */

static client_session_t client = {
	.server = "dos",
	.attach = dos_attach,
	.read = dos_read,
	.write = dos_write,
};

/* What C's own output goes through, from before main on. */
__attribute__((constructor)) static void set_streams(void)
{
	static client_stream_t streams[3] = {{&client, 0}, {&client, 1}, {&client, 2}};

	client_streams(streams);
}

static struct dos_dta default_dta;
static struct dos_dta *dta = &default_dta;
static int last_error; /* what EXTENDED ERROR tells */

/* --- results ------------------------------------------------------------- */

static void refuse(struct regs *regs, int error)
{
	last_error = error;
	regs->ax = (uint16_t)error;
	regs->flags |= DOS_CARRY;
}

/* True if all went well; else the error is in the registers. */
static bool well(struct regs *regs, kern_return_t result)
{
	if (result == KERN_SUCCESS)
		return true;
	refuse(regs, personality_error_code(result, DOS_SUBSYSTEM, DOS_GENERAL_FAILURE));
	return false;
}

/* A path that does not fit into a request is one that leads nowhere. */
static const char *path_at(struct regs *regs, void *path)
{
	if (strlen(path) < sizeof(server_path_t))
		return path;
	refuse(regs, DOS_PATH_NOT_FOUND);
	return NULL;
}

/* --- the console --------------------------------------------------------- */

static void write_out(struct regs *regs, const void *text, size_t size)
{
	size_t done;

	well(regs, client_write(&client, 1, text, size, &done));
}

static void read_char(struct regs *regs)
{
	bool echo = regs->ah == DOS_READ_CHAR;
	size_t got;

	if (!well(regs, client_read(&client, 0, &regs->al, 1, &got)))
		return;
	if (got == 0)
		regs->al = 0x1a; /* the end of input */
	else if (echo)
		write_out(regs, &regs->al, 1);
}

static void write_char(struct regs *regs)
{
	write_out(regs, &regs->dl, 1);
	if (!(regs->flags & DOS_CARRY))
		regs->al = regs->dl;
}

static void write_string(struct regs *regs)
{
	const char *text = regs->ds_dx;

	write_out(regs, text, strcspn(text, "$"));
	if (!(regs->flags & DOS_CARRY))
		regs->al = '$';
}

/* Room, length, then the line with its return, which the length leaves out. */
static void read_line(struct regs *regs)
{
	uint8_t *buffer = regs->ds_dx;
	uint8_t length = 0;

	while (buffer[0] > 0 && length < buffer[0] - 1) {
		size_t got;
		char letter;

		if (!well(regs, client_read(&client, 0, &letter, 1, &got)))
			return;
		if (got == 0 || letter == '\n' || letter == '\r')
			break;
		buffer[2 + length++] = (uint8_t)letter;
	}
	buffer[1] = length;
	if (buffer[0] > 0)
		buffer[2 + length] = '\r';
}

/* --- files --------------------------------------------------------------- */

static void open_file(struct regs *regs)
{
	const char *path = path_at(regs, regs->ds_dx);
	int handle;

	if (path != NULL && well(regs, dos_open(client_port(&client), path, regs->al, &handle)))
		regs->ax = (uint16_t)handle;
}

static void close_file(struct regs *regs)
{
	well(regs, dos_close(client_port(&client), regs->bx));
}

static void read_file(struct regs *regs)
{
	size_t got;

	if (well(regs, client_read(&client, regs->bx, regs->ds_dx, regs->cx, &got)))
		regs->ax = (uint16_t)got;
}

static void write_file(struct regs *regs)
{
	size_t done;

	if (well(regs, client_write(&client, regs->bx, regs->ds_dx, regs->cx, &done)))
		regs->ax = (uint16_t)done;
}

static void seek_file(struct regs *regs)
{
	int distance = (int)((uint32_t)regs->cx << 16 | regs->dx);
	int offset;

	if (!well(regs, dos_seek(client_port(&client), regs->bx, distance, regs->al, &offset)))
		return;
	regs->ax = (uint16_t)offset;
	regs->dx = (uint16_t)((unsigned)offset >> 16);
}

static void change_disk(struct regs *regs)
{
	const char *path = path_at(regs, regs->ds_dx);
	bool create = regs->ah == DOS_CREATE || regs->ah == DOS_CREATE_NEW || regs->ah == DOS_MKDIR;

	if (path != NULL)
		well(regs, dos_change(client_port(&client), path, create));
}

static void attributes(struct regs *regs)
{
	const char *path = path_at(regs, regs->ds_dx);
	int found;

	if (path == NULL)
		return;
	if (regs->al == 1) { /* set them */
		well(regs, dos_change(client_port(&client), path, false));
	} else if (regs->al != 0) {
		refuse(regs, DOS_INVALID_FUNCTION);
	} else if (well(regs, dos_attributes(client_port(&client), path, &found))) {
		regs->cx = (uint16_t)found;
	}
}

static void change_directory(struct regs *regs)
{
	const char *path = path_at(regs, regs->ds_dx);

	if (path != NULL)
		well(regs, dos_chdir(client_port(&client), path));
}

static void current_directory(struct regs *regs)
{
	server_path_t path;

	if (regs->dl != 0 && regs->dl != 3) { /* 0 the current drive, 3 C: */
		refuse(regs, DOS_INVALID_DRIVE);
	} else if (well(regs, dos_getcwd(client_port(&client), path))) {
		strncpy(regs->ds_si, path, 64);
		((char *)regs->ds_si)[63] = '\0';
	}
}

/* --- searches ------------------------------------------------------------ */

/* A search goes on from what the transfer area holds; the pattern, too long for
   its reserved octets, is kept here for the searches begun last. */
#define SEARCHES 8

static struct search {
	uint32_t number;
	server_path_t pattern;
} searches[SEARCHES];

static uint32_t search_count;

struct search_state {
	uint32_t number; /* of the search */
	int32_t  index;  /* of the next name */
	int32_t  attributes;
};

_Static_assert(sizeof(struct search_state) <= sizeof dta->reserved, "a search's state");

static void find_from(struct regs *regs, struct search_state state)
{
	const struct search *search = &searches[state.number % SEARCHES];
	dos_found_t name;
	int size, found;

	if (state.number == 0 || search->number != state.number) {
		refuse(regs, DOS_NO_MORE_FILES);
		return;
	}
	if (!well(regs, dos_find(client_port(&client), search->pattern, state.attributes, state.index,
	        name, &size, &found)))
		return;
	state.index++;
	memcpy(dta->reserved, &state, sizeof state);
	memcpy(dta->size, &size, sizeof dta->size);
	snprintf(dta->name, sizeof dta->name, "%s", name);
	dta->attributes = (uint8_t)found;
	dta->time = 0;
	dta->date = 1 << 5 | 1; /* 1 January 1980 */
}

static void find_first(struct regs *regs)
{
	const char *pattern = path_at(regs, regs->ds_dx);
	struct search_state state = {.number = ++search_count, .attributes = regs->cx};

	if (pattern == NULL)
		return;
	searches[state.number % SEARCHES].number = state.number;
	strcpy(searches[state.number % SEARCHES].pattern, pattern);
	find_from(regs, state);
}

static void find_next(struct regs *regs)
{
	struct search_state state;

	memcpy(&state, dta->reserved, sizeof state);
	find_from(regs, state);
}

static void set_dta(struct regs *regs)
{
	dta = regs->ds_dx;
}

static void get_dta(struct regs *regs)
{
	regs->es_bx = dta;
}

/* --- programs ------------------------------------------------------------ */

static void exec(struct regs *regs)
{
	const char *path = path_at(regs, regs->ds_dx);
	const struct dos_exec *block = regs->es_bx;
	char tail[256] = "";

	if (path == NULL)
		return;
	if (regs->al != 0) { /* overlays */
		refuse(regs, DOS_INVALID_FUNCTION);
		return;
	}
	if (block != NULL && block->tail != NULL) {
		memcpy(tail, block->tail + 1, block->tail[0]);
		tail[block->tail[0]] = '\0';
	}
	well(regs, dos_exec(client_port(&client), path, tail));
}

static void terminate(struct regs *regs)
{
	exit(regs->ah == DOS_EXIT ? regs->al : 0);
}

static void return_code(struct regs *regs)
{
	int code;

	if (well(regs, dos_return_code(client_port(&client), &code)))
		regs->ax = (uint16_t)code;
}

static void psp(struct regs *regs)
{
	if (client_port(&client) == MACH_PORT_NULL)
		refuse(regs, DOS_GENERAL_FAILURE);
	else
		regs->bx = (uint16_t)client.pid;
}

/* --- the rest ------------------------------------------------------------ */

static bool now(struct regs *regs, calendar_t *date, int *hundredths)
{
	int64_t seconds;

	if (!well(regs, dos_time(client_port(&client), &seconds, hundredths)))
		return false;
	calendar_of(seconds < FIRST_DAY ? FIRST_DAY + seconds : seconds, date);
	return true;
}

static void get_date(struct regs *regs)
{
	calendar_t date;
	int hundredths;

	if (!now(regs, &date, &hundredths))
		return;
	regs->cx = (uint16_t)date.year;
	regs->dh = (uint8_t)date.month;
	regs->dl = (uint8_t)date.day;
	regs->al = (uint8_t)date.weekday;
}

static void get_time(struct regs *regs)
{
	calendar_t date;
	int hundredths;

	if (!now(regs, &date, &hundredths))
		return;
	regs->ch = (uint8_t)date.hour;
	regs->cl = (uint8_t)date.minute;
	regs->dh = (uint8_t)date.second;
	regs->dl = (uint8_t)hundredths;
}

static void get_drive(struct regs *regs)
{
	regs->al = 2; /* C: */
}

static void get_version(struct regs *regs)
{
	regs->ax = VERSION;
	regs->bx = 0;
	regs->cx = 0;
}

static void extended_error(struct regs *regs)
{
	bool missing = last_error == DOS_FILE_NOT_FOUND || last_error == DOS_PATH_NOT_FOUND
	    || last_error == DOS_NO_MORE_FILES || last_error == DOS_INVALID_DRIVE;

	regs->ax = (uint16_t)last_error;
	/* Classes: 8 not found, 3 not allowed, 7 the program's own mistake. */
	regs->bh = missing ? 8 : last_error == DOS_ACCESS_DENIED ? 3 : 7;
	regs->bl = missing ? 3 : 4; /* ask the user again; or give up */
	regs->ch = 1;               /* place unknown */
}

/* --- dispatch ------------------------------------------------------------ */

static void (*const functions[256])(struct regs *) = {
	[DOS_TERMINATE] = terminate,
	[DOS_READ_CHAR] = read_char,
	[DOS_WRITE_CHAR] = write_char,
	[DOS_READ_SILENT] = read_char,
	[DOS_WRITE_STRING] = write_string,
	[DOS_READ_LINE] = read_line,
	[DOS_GET_DRIVE] = get_drive,
	[DOS_SET_DTA] = set_dta,
	[DOS_GET_DATE] = get_date,
	[DOS_GET_TIME] = get_time,
	[DOS_GET_DTA] = get_dta,
	[DOS_GET_VERSION] = get_version,
	[DOS_MKDIR] = change_disk,
	[DOS_RMDIR] = change_disk,
	[DOS_CHDIR] = change_directory,
	[DOS_CREATE] = change_disk,
	[DOS_OPEN] = open_file,
	[DOS_CLOSE] = close_file,
	[DOS_READ] = read_file,
	[DOS_WRITE] = write_file,
	[DOS_DELETE] = change_disk,
	[DOS_SEEK] = seek_file,
	[DOS_ATTRIBUTES] = attributes,
	[DOS_GETCWD] = current_directory,
	[DOS_EXEC] = exec,
	[DOS_EXIT] = terminate,
	[DOS_RETURN_CODE] = return_code,
	[DOS_FIND_FIRST] = find_first,
	[DOS_FIND_NEXT] = find_next,
	[DOS_RENAME] = change_disk,
	[DOS_EXTENDED_ERROR] = extended_error,
	[DOS_CREATE_NEW] = change_disk,
	[DOS_GET_PSP] = psp,
};

void int21(struct regs *regs)
{
	regs->flags &= (uint16_t)~DOS_CARRY;
	if (functions[regs->ah] != NULL)
		functions[regs->ah](regs);
	else
		/* The server says what becomes of it. */
		well(regs, dos_other(client_port(&client), regs->ah));
}
