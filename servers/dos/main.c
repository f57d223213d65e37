/*
 * The DOS personality server: what stands behind INT 21h.
 *
 * One session is one program.  It sees drive C:, which is the boot archive, and
 * cannot write there; the standard handles 0 to 4 are the console.
 */
#include "directory.h"

#include <dos.h>
#include <mach/mach_init.h>
#include <mach/mach_port.h>
#include <mach/mig_errors.h>
#include <mig/dos_reply.h>
#include <mig/dos_server.h>

#include <stdlib.h>
#include <string.h>

#define STANDARD_HANDLES 5 /* input, output, errors, auxiliary, printer */

/* DOS's error for each way a call on a file can end. */
static const int error_of[FILE_STATUSES] = {
	[FILE_NO_ENTRY] = DOS_FILE_NOT_FOUND,
	[FILE_NO_PATH] = DOS_PATH_NOT_FOUND,
	[FILE_NO_DRIVE] = DOS_INVALID_DRIVE,
	[FILE_IS_DIRECTORY] = DOS_ACCESS_DENIED,
	[FILE_NOT_DIRECTORY] = DOS_PATH_NOT_FOUND,
	[FILE_READ_ONLY] = DOS_ACCESS_DENIED,
	[FILE_BAD_HANDLE] = DOS_INVALID_HANDLE,
	[FILE_NO_ACCESS] = DOS_ACCESS_DENIED,
	[FILE_NO_HANDLES] = DOS_TOO_MANY_FILES,
	[FILE_NO_MEMORY] = DOS_NO_MEMORY,
	[FILE_BAD_SEEK] = DOS_INVALID_FUNCTION,
	[FILE_NOT_SEEKABLE] = DOS_INVALID_FUNCTION,
	[FILE_NAME_TOO_LONG] = DOS_PATH_NOT_FOUND,
	[FILE_BAD_ARGUMENT] = DOS_INVALID_FUNCTION,
	[FILE_BAD_PROGRAM] = DOS_BAD_FORMAT,
	[FILE_NO_CHILD] = DOS_INVALID_FUNCTION,
	[FILE_IO] = DOS_GENERAL_FAILURE,
	[FILE_FAR_SEEK] = DOS_INVALID_FUNCTION,
	[FILE_NOT_ALLOWED] = DOS_ACCESS_DENIED,
	[FILE_TABLE_FULL] = DOS_NO_MEMORY,
	[FILE_NO_PROCESSES] = DOS_NO_MEMORY,
	[FILE_TOO_MANY_WAIT] = DOS_NO_MEMORY,
};

/* What a session has beside its files. */
typedef struct dos_state {
	char current[PERSONALITY_PATH]; /* directory on C:, without the root's '\' */
	int  return_code;               /* of the last program it ran */
} dos_state_t;

static kern_return_t failure(int error)
{
	return PERSONALITY_ERROR(DOS_SUBSYSTEM, error);
}

static kern_return_t answer(file_status_t status)
{
	return status == FILE_OK ? KERN_SUCCESS : failure(error_of[status]);
}

/* For calls that name a file: a drive that is not there is a path that is not. */
static kern_return_t answer_path(file_status_t status)
{
	return answer(status == FILE_NO_DRIVE ? FILE_NO_PATH : status);
}

static dos_state_t *state_of(session_t *session)
{
	return session->own;
}

static bool opened(session_t *session)
{
	session->own = calloc(1, sizeof(dos_state_t));
	return session->own != NULL;
}

static void closed(session_t *session)
{
	free(session->own);
}

kern_return_t serve_dos_attach(mach_port_t server, mach_port_t proof, mach_port_t *session, int *psp)
{
	return session_attach(server, proof, session, psp);
}

/* --- files --------------------------------------------------------------- */

static file_status_t find(session_t *session, const char *path, place_t *place)
{
	return place_find(state_of(session)->current, path, place);
}

kern_return_t serve_dos_open(mach_port_t port, const char *path, int mode, int *handle)
{
	static const unsigned access[] = {FILE_READ, FILE_WRITE, FILE_READ | FILE_WRITE};
	session_t *session = session_find(port);
	place_t place;
	file_status_t status;

	if (session == NULL)
		return failure(DOS_GENERAL_FAILURE);
	if ((mode & 7) > 2) /* the bits above are for sharing */
		return failure(DOS_INVALID_ACCESS);
	status = find(session, path, &place);
	if (status == FILE_OK && place.is_directory)
		status = FILE_IS_DIRECTORY;
	if (status == FILE_OK && place.kind == FILE_ARCHIVE && (mode & 7) != 0)
		status = FILE_READ_ONLY;
	if (status == FILE_OK)
		status = files_open(&session->files, place.kind, place.entry, access[mode & 7], handle);
	return answer_path(status);
}

kern_return_t serve_dos_close(mach_port_t port, int handle)
{
	session_t *session = session_find(port);

	return answer(session != NULL ? files_close(&session->files, handle) : FILE_IO);
}

static void read_late(mach_port_t reply, file_status_t status, const char *data, size_t count)
{
	if (dos_read_reply(reply, answer(status), data, (mach_msg_type_number_t)count) != KERN_SUCCESS)
		mach_port_deallocate(mach_task_self(), reply); /* the reader has gone */
}

kern_return_t serve_dos_read(mach_port_t port, mach_port_t reply, int handle, int wanted, char *data,
    mach_msg_type_number_t *count)
{
	session_t *session = session_find(port);
	file_status_t status;
	size_t got = 0;

	*count = 0;
	if (session == NULL || wanted < 0)
		return failure(DOS_GENERAL_FAILURE);
	if (wanted > PERSONALITY_DATA)
		wanted = PERSONALITY_DATA;
	status = files_read(&session->files, handle, data, (size_t)wanted, &got);
	if (status == FILE_WAITS) {
		status = session_read_console(session, (size_t)wanted, reply, read_late);
		if (status == FILE_OK)
			return MIG_NO_REPLY;
	}
	*count = (mach_msg_type_number_t)got;
	return answer(status);
}

kern_return_t serve_dos_write(mach_port_t port, int handle, const char *data,
    mach_msg_type_number_t count, int *written)
{
	session_t *session = session_find(port);

	*written = (int)count;
	return answer(session != NULL ? files_write(&session->files, handle, data, count) : FILE_IO);
}

kern_return_t serve_dos_seek(mach_port_t port, int handle, int distance, int origin, int *offset)
{
	session_t *session = session_find(port);
	uint64_t now = 0;
	file_status_t status = FILE_IO;

	if (session != NULL)
		status = files_seek(&session->files, handle, distance, (unsigned)origin, UINT32_MAX, &now);
	*offset = (int)now;
	return answer(status);
}

/* --- names --------------------------------------------------------------- */

kern_return_t serve_dos_change(mach_port_t port, const char *path, boolean_t create)
{
	session_t *session = session_find(port);
	place_t place;
	file_status_t status = session != NULL ? find(session, path, &place) : FILE_IO;

	/* Whatever could be changed, the disk is write-protected. */
	if (status == FILE_OK || (status == FILE_NO_ENTRY && create))
		status = FILE_READ_ONLY;
	return answer_path(status);
}

kern_return_t serve_dos_attributes(mach_port_t port, const char *path, int *attributes)
{
	session_t *session = session_find(port);
	place_t place;
	file_status_t status = session != NULL ? find(session, path, &place) : FILE_IO;

	if (status == FILE_OK)
		*attributes = place.is_directory ? ATTRIBUTE_DIRECTORY
						 : ATTRIBUTE_READ_ONLY | ATTRIBUTE_ARCHIVE;
	return answer_path(status);
}

kern_return_t serve_dos_chdir(mach_port_t port, const char *path)
{
	session_t *session = session_find(port);
	place_t place;
	file_status_t status = session != NULL ? find(session, path, &place) : FILE_IO;

	if (status == FILE_OK && !place.is_directory)
		status = FILE_NO_PATH;
	if (status != FILE_OK)
		return answer(status == FILE_NO_ENTRY ? FILE_NO_PATH : status);
	strcpy(state_of(session)->current, place.shown);
	return KERN_SUCCESS;
}

kern_return_t serve_dos_getcwd(mach_port_t port, char *path)
{
	session_t *session = session_find(port);

	if (session == NULL)
		return failure(DOS_GENERAL_FAILURE);
	strcpy(path, state_of(session)->current);
	return KERN_SUCCESS;
}

kern_return_t serve_dos_find(mach_port_t port, const char *pattern, int attributes, int index,
    char *name, int *size, int *found)
{
	session_t *session = session_find(port);
	uint64_t octets = 0;
	file_status_t status;

	if (session == NULL)
		return failure(DOS_GENERAL_FAILURE);
	name[0] = '\0';
	status = place_match(state_of(session)->current, pattern, attributes, index, name, &octets, found);
	*size = (int)octets;
	return status == FILE_NO_ENTRY ? failure(DOS_NO_MORE_FILES) : answer_path(status);
}

/* --- programs ------------------------------------------------------------ */

/* AH 2: ended by an error of the machine. */
static bool exec_late(session_t *session, mach_port_t reply, const child_t *child)
{
	if (child != NULL)
		state_of(session)->return_code = child->crashed ? 0x200 : child->status & 0xff;
	if (dos_exec_reply(reply, child != NULL ? KERN_SUCCESS : failure(DOS_GENERAL_FAILURE))
	    != KERN_SUCCESS)
		mach_port_deallocate(mach_task_self(), reply);
	return true;
}

/* The program's name and the parts of its tail, as arguments; 0: too long. */
static size_t exec_arguments(const char *path, const char *tail, server_arguments_t arguments)
{
	size_t name = strlen(path) + 1, parts;

	memcpy(arguments, path, name);
	parts = command_line_split(tail, false, arguments + name, SERVER_ARGUMENTS_MAX - name);
	return parts == 0 && tail[strspn(tail, " \t\r\n")] != '\0' ? 0 : name + parts;
}

kern_return_t serve_dos_exec(mach_port_t port, mach_port_t reply, const char *path, const char *tail)
{
	session_t *session = session_find(port);
	server_arguments_t arguments;
	size_t size = exec_arguments(path, tail, arguments);
	place_t place;
	file_status_t status;

	if (session == NULL)
		return failure(DOS_GENERAL_FAILURE);
	status = find(session, path, &place);
	if (status == FILE_OK && (place.is_directory || place.kind != FILE_ARCHIVE))
		status = FILE_IS_DIRECTORY;
	if (status == FILE_OK && size == 0)
		status = FILE_NO_MEMORY;
	if (status == FILE_OK)
		status = session_run(session, place.entry, arguments, size, reply, exec_late);
	return status == FILE_OK ? MIG_NO_REPLY : answer_path(status);
}

kern_return_t serve_dos_return_code(mach_port_t port, int *code)
{
	session_t *session = session_find(port);

	if (session == NULL)
		return failure(DOS_GENERAL_FAILURE);
	*code = state_of(session)->return_code;
	state_of(session)->return_code = 0; /* it can be asked for once */
	return KERN_SUCCESS;
}

/* --- the rest ------------------------------------------------------------ */

kern_return_t serve_dos_time(mach_port_t port, int64_t *seconds, int *hundredths)
{
	int32_t microseconds;

	if (session_find(port) == NULL || personality_time(seconds, &microseconds) != KERN_SUCCESS)
		return failure(DOS_GENERAL_FAILURE);
	*hundredths = microseconds / 10000;
	return KERN_SUCCESS;
}

kern_return_t serve_dos_other(mach_port_t port, int function)
{
	(void)port, (void)function;
	session_count_refused();
	return failure(DOS_INVALID_FUNCTION);
}

kern_return_t serve_dos_stat(mach_port_t server, char **text, mach_msg_type_number_t *size)
{
	return personality_stat(server, text, size);
}

int main(void)
{
	static const personality_t dos = {
		.name = "dos",
		.subsystem = DOS_SUBSYSTEM,
		.errors = error_of,
		.standard_handles = STANDARD_HANDLES,
		.demux = dos_server,
		.opened = opened,
		.closed = closed,
	};

	return personality_serve(&dos);
}
