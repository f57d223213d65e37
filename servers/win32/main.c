/*
 * The Win32 personality server: what stands behind kernel32.
 *
 * One session is one process.  Its handles are numbers: files from 4 on in
 * steps of 4, the processes it started from PROCESS_HANDLES on, and their first
 * threads from THREAD_HANDLES on.  It sees drive C:, which is the boot archive,
 * and cannot write there.
 */
#include <machemu/personality.h>

#include <mach/mach_init.h>
#include <mach/mach_port.h>
#include <mach/mig_errors.h>
#include <mig/win32_reply.h>
#include <mig/win32_server.h>
#include <windows.h>

#include <string.h>

#define PROCESS_HANDLES 0x10000
#define THREAD_HANDLES  0x20000
_Static_assert(PROCESS_HANDLES + 4 * CHILD_NUMBERS < THREAD_HANDLES, "no handle is both");

/* Win32's error for each way a call on a file can end. */
static const int error_of[FILE_STATUSES] = {
	[FILE_NO_ENTRY] = ERROR_FILE_NOT_FOUND,
	[FILE_NO_PATH] = ERROR_PATH_NOT_FOUND,
	[FILE_NO_DRIVE] = ERROR_PATH_NOT_FOUND,
	[FILE_IS_DIRECTORY] = ERROR_ACCESS_DENIED,
	[FILE_NOT_DIRECTORY] = ERROR_PATH_NOT_FOUND,
	[FILE_READ_ONLY] = ERROR_ACCESS_DENIED,
	[FILE_BAD_HANDLE] = ERROR_INVALID_HANDLE,
	[FILE_NO_ACCESS] = ERROR_ACCESS_DENIED,
	[FILE_NO_HANDLES] = ERROR_TOO_MANY_OPEN_FILES,
	[FILE_NO_MEMORY] = ERROR_NOT_ENOUGH_MEMORY,
	[FILE_BAD_SEEK] = ERROR_NEGATIVE_SEEK,
	[FILE_NOT_SEEKABLE] = ERROR_SEEK_ON_DEVICE,
	[FILE_NAME_TOO_LONG] = ERROR_FILENAME_EXCED_RANGE,
	[FILE_BAD_ARGUMENT] = ERROR_INVALID_PARAMETER,
	[FILE_BAD_PROGRAM] = ERROR_BAD_EXE_FORMAT,
	[FILE_NO_CHILD] = ERROR_INVALID_HANDLE,
	[FILE_IO] = ERROR_GEN_FAILURE,
	[FILE_FAR_SEEK] = ERROR_INVALID_PARAMETER,
	[FILE_NOT_ALLOWED] = ERROR_ACCESS_DENIED,
	[FILE_TABLE_FULL] = ERROR_NO_SYSTEM_RESOURCES,
	[FILE_NO_PROCESSES] = ERROR_NO_SYSTEM_RESOURCES,
	[FILE_TOO_MANY_WAIT] = ERROR_NO_SYSTEM_RESOURCES,
};

static const char *const consoles[] = {"CON", "CONIN$", "CONOUT$", NULL};

static kern_return_t failure(int error)
{
	return PERSONALITY_ERROR(WIN32_SUBSYSTEM, error);
}

static kern_return_t answer(file_status_t status)
{
	return status == FILE_OK ? KERN_SUCCESS : failure(error_of[status]);
}

kern_return_t serve_win32_attach(mach_port_t server, mach_port_t proof, mach_port_t *session, int *pid)
{
	return session_attach(server, proof, session, pid);
}

/* --- handles ------------------------------------------------------------- */

/* The slot of a file's handle; -1, which is no slot, for any other. */
static int slot_of(int handle)
{
	return handle >= 4 && handle % 4 == 0 && handle < PROCESS_HANDLES ? handle / 4 - 1 : -1;
}

/* The child that a process's or a thread's handle means; null: neither. */
static child_t *child_of(session_t *session, int handle)
{
	int base = handle >= THREAD_HANDLES ? THREAD_HANDLES : PROCESS_HANDLES;

	return handle > base && handle % 4 == 0 ? session_child(session, (handle - base) / 4) : NULL;
}

kern_return_t serve_win32_close(mach_port_t port, int handle)
{
	session_t *session = session_find(port);
	child_t *child;

	if (session == NULL)
		return failure(ERROR_GEN_FAILURE);
	child = child_of(session, handle);
	if (child == NULL)
		return answer(files_close(&session->files, slot_of(handle)));
	if (handle < THREAD_HANDLES) /* the process lives on, unwatched */
		session_forget(session, child);
	return KERN_SUCCESS;
}

/* --- files --------------------------------------------------------------- */

/* What CreateFile's disposition asks to be done; the archive only lets an
   existing file be opened. */
static kern_return_t check_disposition(bool exists, int disposition)
{
	switch (disposition) {
	case OPEN_EXISTING:
		return exists ? KERN_SUCCESS : failure(ERROR_FILE_NOT_FOUND);
	case OPEN_ALWAYS:
		return exists ? KERN_SUCCESS : failure(ERROR_WRITE_PROTECT);
	case CREATE_NEW:
		return failure(exists ? ERROR_FILE_EXISTS : ERROR_WRITE_PROTECT);
	case CREATE_ALWAYS:
		return failure(exists ? ERROR_ACCESS_DENIED : ERROR_WRITE_PROTECT);
	case TRUNCATE_EXISTING:
		return failure(exists ? ERROR_ACCESS_DENIED : ERROR_FILE_NOT_FOUND);
	default:
		return failure(ERROR_INVALID_PARAMETER);
	}
}

kern_return_t serve_win32_open(mach_port_t port, const char *path, int access, int disposition,
    int *handle)
{
	session_t *session = session_find(port);
	const archive_entry_t *entry;
	file_kind_t kind;
	file_status_t status;
	kern_return_t result = KERN_SUCCESS;
	unsigned wanted = ((unsigned)access & GENERIC_READ ? FILE_READ : 0)
	    | ((unsigned)access & GENERIC_WRITE ? FILE_WRITE : 0);
	int slot;

	if (session == NULL)
		return failure(ERROR_GEN_FAILURE);
	status = drive_look_up(path, consoles, &kind, &entry);
	if (status != FILE_OK && status != FILE_NO_ENTRY)
		return answer(status);
	if (kind == FILE_ARCHIVE)
		result = check_disposition(status == FILE_OK, disposition);
	if (result != KERN_SUCCESS)
		return result;
	if (kind == FILE_ARCHIVE && (wanted & FILE_WRITE))
		return answer(FILE_READ_ONLY);
	status = files_open(&session->files, kind, entry, wanted, &slot);
	if (status == FILE_OK)
		*handle = (slot + 1) * 4;
	return answer(status);
}

static void read_late(mach_port_t reply, file_status_t status, const char *data, size_t count)
{
	if (win32_read_reply(reply, answer(status), data, (mach_msg_type_number_t)count) != KERN_SUCCESS)
		mach_port_deallocate(mach_task_self(), reply); /* the reader has gone */
}

kern_return_t serve_win32_read(mach_port_t port, mach_port_t reply, int handle, int wanted, char *data,
    mach_msg_type_number_t *count)
{
	session_t *session = session_find(port);
	file_status_t status;
	size_t got = 0;

	*count = 0;
	if (session == NULL || wanted < 0)
		return failure(ERROR_GEN_FAILURE);
	if (wanted > PERSONALITY_DATA)
		wanted = PERSONALITY_DATA;
	status = files_read(&session->files, slot_of(handle), data, (size_t)wanted, &got);
	if (status == FILE_WAITS) {
		status = session_read_console(session, (size_t)wanted, reply, read_late);
		if (status == FILE_OK)
			return MIG_NO_REPLY;
	}
	*count = (mach_msg_type_number_t)got;
	return answer(status);
}

kern_return_t serve_win32_write(mach_port_t port, int handle, const char *data,
    mach_msg_type_number_t count, int *written)
{
	session_t *session = session_find(port);

	*written = (int)count;
	return answer(session != NULL ? files_write(&session->files, slot_of(handle), data, count)
				      : FILE_IO);
}

kern_return_t serve_win32_seek(mach_port_t port, int handle, int64_t distance, int origin,
    int64_t *offset)
{
	session_t *session = session_find(port);
	uint64_t now = 0;
	file_status_t status = FILE_IO;

	if (session != NULL)
		status = files_seek(&session->files, slot_of(handle), distance, (unsigned)origin, INT64_MAX, &now);
	*offset = (int64_t)now;
	return answer(status);
}

/* --- processes ----------------------------------------------------------- */

kern_return_t serve_win32_create_process(mach_port_t port, const char *path, const char *arguments,
    mach_msg_type_number_t size, int *handle, int *pid)
{
	session_t *session = session_find(port);
	const archive_entry_t *entry;
	child_t *child;
	file_kind_t kind;
	file_status_t status;

	if (session == NULL)
		return failure(ERROR_GEN_FAILURE);
	if (size == 0 || arguments[size - 1] != '\0')
		return failure(ERROR_INVALID_PARAMETER);
	status = drive_look_up(path, consoles, &kind, &entry);
	if (status == FILE_OK && kind != FILE_ARCHIVE)
		status = FILE_IS_DIRECTORY;
	if (status == FILE_OK)
		status = session_start(session, entry, arguments, size, &child);
	if (status == FILE_OK) {
		*handle = PROCESS_HANDLES + 4 * child->number;
		*pid = child->pid;
	}
	return answer(status);
}

/* The child stays, until its handle is closed: any number of waits end with it. */
static bool wait_late(session_t *session, mach_port_t reply, const child_t *child)
{
	kern_return_t result = child != NULL ? KERN_SUCCESS : failure(ERROR_INVALID_HANDLE);

	(void)session;
	if (win32_wait_reply(reply, result) != KERN_SUCCESS)
		mach_port_deallocate(mach_task_self(), reply); /* it waits no longer */
	return false;
}

kern_return_t serve_win32_wait(mach_port_t port, mach_port_t reply, int handle, boolean_t nowait)
{
	session_t *session = session_find(port);
	child_t *child;
	file_status_t status;

	if (session == NULL)
		return failure(ERROR_GEN_FAILURE);
	child = child_of(session, handle);
	if (child == NULL)
		return failure(ERROR_INVALID_HANDLE);
	if (nowait && !child->ended)
		return failure(WAIT_TIMEOUT);
	status = session_wait(session, child->number, reply, wait_late);
	return status == FILE_OK ? MIG_NO_REPLY : answer(status);
}

kern_return_t serve_win32_exit_code(mach_port_t port, int handle, int *code)
{
	session_t *session = session_find(port);
	const child_t *child;

	if (session == NULL)
		return failure(ERROR_GEN_FAILURE);
	child = child_of(session, handle);
	if (child == NULL)
		return failure(ERROR_INVALID_HANDLE);
	if (!child->ended)
		*code = (int)STILL_ACTIVE;
	else
		*code = child->crashed ? (int)STATUS_ACCESS_VIOLATION : child->status;
	return KERN_SUCCESS;
}

/* --- the rest ------------------------------------------------------------ */

kern_return_t serve_win32_time(mach_port_t port, int64_t *seconds, int *milliseconds)
{
	int32_t microseconds;

	if (session_find(port) == NULL || personality_time(seconds, &microseconds) != KERN_SUCCESS)
		return failure(ERROR_GEN_FAILURE);
	*milliseconds = microseconds / 1000;
	return KERN_SUCCESS;
}

kern_return_t serve_win32_other(mach_port_t port, const char *name)
{
	/* Names that kernel32 has for its wide characters: there, but not done. */
	size_t length = strlen(name);
	bool wide = length > 0 && name[length - 1] == 'W';

	(void)port;
	session_count_refused();
	return failure(wide ? ERROR_CALL_NOT_IMPLEMENTED : ERROR_PROC_NOT_FOUND);
}

kern_return_t serve_win32_stat(mach_port_t server, char **text, mach_msg_type_number_t *size)
{
	return personality_stat(server, text, size);
}

int main(void)
{
	static const personality_t win32 = {
		.name = "win32",
		.subsystem = WIN32_SUBSYSTEM,
		.errors = error_of,
		.standard_handles = 3,
		.demux = win32_server,
	};

	return personality_serve(&win32);
}
