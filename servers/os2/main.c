/*
 * The OS/2 personality server: what stands behind the Dos* calls.
 *
 * One session is one process.  It sees drive C:, which is the boot archive, and
 * cannot write there; handles 0 to 2 are its parent's, or the console.
 */
#include <machemu/personality.h>

#include <mach/mach_init.h>
#include <mach/mach_port.h>
#include <mach/mig_errors.h>
#include <mig/os2_reply.h>
#include <mig/os2_server.h>
#include <os2.h>

/* OS/2's error for each way a call on a file can end. */
static const int error_of[FILE_STATUSES] = {
	[FILE_NO_ENTRY] = ERROR_FILE_NOT_FOUND,
	[FILE_NO_PATH] = ERROR_PATH_NOT_FOUND,
	[FILE_NO_DRIVE] = ERROR_INVALID_DRIVE,
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
	[FILE_BAD_ARGUMENT] = ERROR_INVALID_FUNCTION,
	[FILE_BAD_PROGRAM] = ERROR_BAD_FORMAT,
	[FILE_NO_CHILD] = ERROR_WAIT_NO_CHILDREN,
	[FILE_IO] = ERROR_GEN_FAILURE,
	[FILE_FAR_SEEK] = ERROR_INVALID_PARAMETER,
	[FILE_NOT_ALLOWED] = ERROR_ACCESS_DENIED,
	[FILE_TABLE_FULL] = ERROR_NOT_ENOUGH_MEMORY,
	[FILE_NO_PROCESSES] = ERROR_NO_PROC_SLOTS,
	[FILE_TOO_MANY_WAIT] = ERROR_NOT_ENOUGH_MEMORY,
};

static const char *const consoles[] = {"CON", "KBD$", "SCREEN$", NULL};

static kern_return_t failure(int error)
{
	return PERSONALITY_ERROR(OS2_SUBSYSTEM, error);
}

static kern_return_t answer(file_status_t status)
{
	return status == FILE_OK ? KERN_SUCCESS : failure(error_of[status]);
}

kern_return_t serve_os2_attach(mach_port_t server, mach_port_t proof, mach_port_t *session, int *pid)
{
	return session_attach(server, proof, session, pid);
}

/* --- files --------------------------------------------------------------- */

/* What DosOpen's flags ask to be done with a file; the archive only lets an
   existing one be opened. */
static kern_return_t check_action(bool exists, bool is_archive, int flags)
{
	if (!exists)
		return failure(flags & OPEN_ACTION_CREATE_IF_NEW ? ERROR_WRITE_PROTECT : ERROR_OPEN_FAILED);
	switch (flags & 0xf) {
	case OPEN_ACTION_OPEN_IF_EXISTS:
		return KERN_SUCCESS;
	case OPEN_ACTION_REPLACE_IF_EXISTS:
		return is_archive ? failure(ERROR_WRITE_PROTECT) : KERN_SUCCESS;
	default:
		return failure(ERROR_OPEN_FAILED);
	}
}

kern_return_t serve_os2_open(mach_port_t port, const char *path, int flags, int mode, int *handle,
    int *action)
{
	static const unsigned access[] = {FILE_READ, FILE_WRITE, FILE_READ | FILE_WRITE};
	session_t *session = session_find(port);
	const archive_entry_t *entry;
	file_kind_t kind;
	file_status_t status;
	kern_return_t result;
	int wanted = mode & 7; /* the bits above are for sharing and caching */

	if (session == NULL)
		return failure(ERROR_GEN_FAILURE);
	if (wanted > OPEN_ACCESS_READWRITE)
		return failure(ERROR_INVALID_ACCESS);
	if ((flags & ~0x13) != 0 || (flags & 0xf) > OPEN_ACTION_REPLACE_IF_EXISTS)
		return failure(ERROR_INVALID_PARAMETER);
	status = drive_look_up(path, consoles, &kind, &entry);
	if (status != FILE_OK && status != FILE_NO_ENTRY)
		return answer(status);
	result = check_action(status == FILE_OK, kind == FILE_ARCHIVE, flags);
	if (result != KERN_SUCCESS)
		return result;
	if (kind == FILE_ARCHIVE && wanted != OPEN_ACCESS_READONLY)
		return answer(FILE_READ_ONLY);
	*action = FILE_EXISTED;
	return answer(files_open(&session->files, kind, entry, access[wanted], handle));
}

kern_return_t serve_os2_close(mach_port_t port, int handle)
{
	session_t *session = session_find(port);

	return answer(session != NULL ? files_close(&session->files, handle) : FILE_IO);
}

static void read_late(mach_port_t reply, file_status_t status, const char *data, size_t count)
{
	if (os2_read_reply(reply, answer(status), data, (mach_msg_type_number_t)count) != KERN_SUCCESS)
		mach_port_deallocate(mach_task_self(), reply); /* the reader has gone */
}

kern_return_t serve_os2_read(mach_port_t port, mach_port_t reply, int handle, int wanted, char *data,
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
	status = files_read(&session->files, handle, data, (size_t)wanted, &got);
	if (status == FILE_WAITS) {
		status = session_read_console(session, (size_t)wanted, reply, read_late);
		if (status == FILE_OK)
			return MIG_NO_REPLY;
	}
	*count = (mach_msg_type_number_t)got;
	return answer(status);
}

kern_return_t serve_os2_write(mach_port_t port, int handle, const char *data,
    mach_msg_type_number_t count, int *written)
{
	session_t *session = session_find(port);

	*written = (int)count;
	return answer(session != NULL ? files_write(&session->files, handle, data, count) : FILE_IO);
}

kern_return_t serve_os2_seek(mach_port_t port, int handle, int distance, int origin, int *offset)
{
	session_t *session = session_find(port);
	uint64_t now = 0;
	file_status_t status = FILE_IO;

	if (session != NULL)
		status = files_seek(&session->files, handle, distance, (unsigned)origin, UINT32_MAX, &now);
	*offset = (int)now;
	return answer(status);
}

/* --- processes ----------------------------------------------------------- */

kern_return_t serve_os2_exec(mach_port_t port, const char *path, const char *arguments,
    mach_msg_type_number_t size, int *pid)
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
	if (status == FILE_OK)
		*pid = child->pid;
	return answer(status);
}

static bool wait_late(session_t *session, mach_port_t reply, const child_t *child)
{
	kern_return_t result = failure(ERROR_WAIT_NO_CHILDREN);
	int pid = 0, how = TC_EXIT, status = 0;

	(void)session;
	if (child != NULL) {
		result = KERN_SUCCESS;
		pid = child->pid;
		how = child->crashed ? TC_TRAP : TC_EXIT;
		status = child->status;
	}
	if (os2_wait_reply(reply, result, pid, how, status) != KERN_SUCCESS) {
		mach_port_deallocate(mach_task_self(), reply);
		return false; /* nobody has heard of it: it can still be waited for */
	}
	return true;
}

/* Is there a child that a wait would not have to wait for? */
static bool has_ended(const session_t *session, const child_t *wanted)
{
	const child_t *child = session->children;

	if (wanted != NULL)
		return wanted->ended;
	while (child != NULL && !child->ended)
		child = child->next;
	return child != NULL;
}

kern_return_t serve_os2_wait(mach_port_t port, mach_port_t reply, int wanted, boolean_t nowait,
    int *pid, int *how, int *result)
{
	session_t *session = session_find(port);
	child_t *child = NULL;
	file_status_t status;

	*pid = *how = *result = 0;
	if (session == NULL)
		return failure(ERROR_GEN_FAILURE);
	if (wanted != 0) {
		child = session_child_by_pid(session, wanted);
		if (child == NULL)
			return failure(ERROR_INVALID_PROCID);
	}
	if (nowait && session->children != NULL && !has_ended(session, child))
		return failure(ERROR_CHILD_NOT_COMPLETE);
	status = session_wait(session, child != NULL ? child->number : ANY_CHILD, reply, wait_late);
	return status == FILE_OK ? MIG_NO_REPLY : answer(status);
}

/* --- the rest ------------------------------------------------------------ */

kern_return_t serve_os2_time(mach_port_t port, int64_t *seconds, int *hundredths)
{
	int32_t microseconds;

	if (session_find(port) == NULL || personality_time(seconds, &microseconds) != KERN_SUCCESS)
		return failure(ERROR_GEN_FAILURE);
	*hundredths = microseconds / 10000;
	return KERN_SUCCESS;
}

kern_return_t serve_os2_other(mach_port_t port, int ordinal)
{
	(void)port, (void)ordinal;
	session_count_refused();
	return failure(ERROR_INVALID_FUNCTION);
}

kern_return_t serve_os2_stat(mach_port_t server, char **text, mach_msg_type_number_t *size)
{
	return personality_stat(server, text, size);
}

int main(void)
{
	static const personality_t os2 = {
		.name = "os2",
		.subsystem = OS2_SUBSYSTEM,
		.errors = error_of,
		.standard_handles = 3,
		.demux = os2_server,
	};

	return personality_serve(&os2);
}
