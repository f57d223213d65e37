/*
 * The Unix personality server: processes see files by descriptors, and errno.
 *
 * One session is one process.  Its files come from its parent, or are the
 * console three times.  The tree of files is the boot archive, so nothing can
 * be written but the console and /dev/null.
 */
#include <machemu/personality.h>

#include <mach/mach_init.h>
#include <mach/mach_port.h>
#include <mach/mig_errors.h>
#include <mig/unix_reply.h>
#include <mig/unix_server.h>
#include <unix.h>

#include <string.h>

/* errno of each way a call on a file can end. */
static const int errno_of[FILE_STATUSES] = {
	[FILE_NO_ENTRY] = ENOENT,
	[FILE_NO_PATH] = ENOENT,
	[FILE_NO_DRIVE] = ENOENT,
	[FILE_IS_DIRECTORY] = EISDIR,
	[FILE_NOT_DIRECTORY] = ENOTDIR,
	[FILE_READ_ONLY] = EROFS,
	[FILE_BAD_HANDLE] = EBADF,
	[FILE_NO_ACCESS] = EBADF,
	[FILE_NO_HANDLES] = EMFILE,
	[FILE_NO_MEMORY] = ENOMEM,
	[FILE_BAD_SEEK] = EINVAL,
	[FILE_NOT_SEEKABLE] = ESPIPE,
	[FILE_NAME_TOO_LONG] = ENAMETOOLONG,
	[FILE_BAD_ARGUMENT] = EINVAL,
	[FILE_BAD_PROGRAM] = ENOEXEC,
	[FILE_NO_CHILD] = ECHILD,
	[FILE_IO] = EIO,
	[FILE_FAR_SEEK] = EOVERFLOW,
	[FILE_NOT_ALLOWED] = EPERM,
	[FILE_TABLE_FULL] = ENFILE,
	[FILE_NO_PROCESSES] = EAGAIN,
	[FILE_TOO_MANY_WAIT] = EAGAIN,
};

static kern_return_t failure(int error)
{
	return PERSONALITY_ERROR(UNIX_SUBSYSTEM, error);
}

static kern_return_t answer(file_status_t status)
{
	return status == FILE_OK ? KERN_SUCCESS : failure(errno_of[status]);
}

kern_return_t serve_unix_attach(mach_port_t server, mach_port_t proof, mach_port_t *session, int *pid)
{
	return session_attach(server, proof, session, pid);
}

/* --- files --------------------------------------------------------------- */

/* What `name` denotes: a device, a file of the archive, or why there is none. */
static file_status_t look_up(const char *name, file_kind_t *kind, const archive_entry_t **entry)
{
	char path[PERSONALITY_PATH];
	file_status_t status = path_resolve("", name, path);

	*entry = NULL;
	if (status != FILE_OK)
		return status;
	if (strcmp(path, "dev/console") == 0 || strcmp(path, "dev/tty") == 0) {
		*kind = FILE_CONSOLE;
		return FILE_OK;
	}
	if (strcmp(path, "dev/null") == 0) {
		*kind = FILE_NULL;
		return FILE_OK;
	}
	*kind = FILE_ARCHIVE;
	return archive_look_up(path, false, entry);
}

kern_return_t serve_unix_open(mach_port_t port, const char *name, int flags, int *fd)
{
	static const unsigned access[] = {
		[O_RDONLY] = FILE_READ, [O_WRONLY] = FILE_WRITE, [O_RDWR] = FILE_READ | FILE_WRITE};
	session_t *session = session_find(port);
	const archive_entry_t *entry;
	file_kind_t kind;
	file_status_t status;
	int mode = flags & O_ACCMODE;

	if (session == NULL)
		return failure(EIO);
	if (mode > O_RDWR || (flags & ~(O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_APPEND)) != 0)
		return failure(EINVAL);
	status = look_up(name, &kind, &entry);
	if (status == FILE_NO_ENTRY && (flags & O_CREAT))
		return failure(EROFS);
	if (status != FILE_OK)
		return answer(status);
	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return failure(EEXIST);
	if (kind == FILE_ARCHIVE && (mode != O_RDONLY || (flags & O_TRUNC)))
		return failure(EROFS);
	return answer(files_open(&session->files, kind, entry, access[mode], fd));
}

kern_return_t serve_unix_close(mach_port_t port, int fd)
{
	session_t *session = session_find(port);

	return session != NULL ? answer(files_close(&session->files, fd)) : failure(EIO);
}

static void read_late(mach_port_t reply, file_status_t status, const char *data, size_t count)
{
	if (unix_read_reply(reply, answer(status), data, (mach_msg_type_number_t)count) != KERN_SUCCESS)
		mach_port_deallocate(mach_task_self(), reply); /* the reader has gone */
}

kern_return_t serve_unix_read(mach_port_t port, mach_port_t reply, int fd, int wanted, char *data,
    mach_msg_type_number_t *count)
{
	session_t *session = session_find(port);
	file_status_t status;
	size_t got = 0;

	*count = 0;
	if (session == NULL)
		return failure(EIO);
	if (wanted < 0)
		return failure(EINVAL);
	if (wanted > PERSONALITY_DATA)
		wanted = PERSONALITY_DATA;
	status = files_read(&session->files, fd, data, (size_t)wanted, &got);
	if (status == FILE_WAITS) {
		status = session_read_console(session, (size_t)wanted, reply, read_late);
		if (status == FILE_OK)
			return MIG_NO_REPLY;
	}
	*count = (mach_msg_type_number_t)got;
	return answer(status);
}

kern_return_t serve_unix_write(mach_port_t port, int fd, const char *data,
    mach_msg_type_number_t count, int *written)
{
	session_t *session = session_find(port);

	if (session == NULL)
		return failure(EIO);
	*written = (int)count;
	return answer(files_write(&session->files, fd, data, count));
}

kern_return_t serve_unix_lseek(mach_port_t port, int fd, int64_t distance, int origin, int64_t *offset)
{
	session_t *session = session_find(port);
	uint64_t now = 0;
	file_status_t status;

	if (session == NULL)
		return failure(EIO);
	status = files_seek(&session->files, fd, distance, (unsigned)origin, INT64_MAX, &now);
	*offset = (int64_t)now;
	return answer(status);
}

/* --- processes ----------------------------------------------------------- */

kern_return_t serve_unix_spawn(mach_port_t port, const char *name, const char *arguments,
    mach_msg_type_number_t size, int *pid)
{
	session_t *session = session_find(port);
	const archive_entry_t *entry;
	child_t *child;
	file_kind_t kind;
	file_status_t status;

	if (session == NULL)
		return failure(EIO);
	if (size == 0 || arguments[size - 1] != '\0')
		return failure(EINVAL);
	status = look_up(name, &kind, &entry);
	if (status == FILE_IS_DIRECTORY || (status == FILE_OK && kind != FILE_ARCHIVE))
		return failure(EACCES);
	if (status == FILE_OK)
		status = session_start(session, entry, arguments, size, &child);
	if (status == FILE_OK)
		*pid = child->pid;
	return answer(status);
}

/* As wait() gives it: the exit status in the second octet, a signal in the first. */
static bool wait_late(session_t *session, mach_port_t reply, const child_t *child)
{
	kern_return_t result = child != NULL ? KERN_SUCCESS : failure(ECHILD);
	int pid = child != NULL ? child->pid : 0;
	int status = 0;

	(void)session;
	if (child != NULL)
		status = child->crashed ? SIGSEGV : (child->status & 0xff) << 8;
	if (unix_wait_reply(reply, result, pid, status) != KERN_SUCCESS) {
		mach_port_deallocate(mach_task_self(), reply);
		return false; /* nobody has heard of it: it can still be waited for */
	}
	return true;
}

kern_return_t serve_unix_wait(mach_port_t port, mach_port_t reply, int wanted, int *pid, int *status)
{
	session_t *session = session_find(port);
	child_t *child = NULL;
	file_status_t result;

	*pid = *status = 0;
	if (session == NULL)
		return failure(EIO);
	if (wanted != -1) {
		child = session_child_by_pid(session, wanted);
		if (child == NULL)
			return failure(ECHILD);
	}
	result = session_wait(session, child != NULL ? child->number : ANY_CHILD, reply, wait_late);
	return result == FILE_OK ? MIG_NO_REPLY : answer(result);
}

/* --- the rest ------------------------------------------------------------ */

kern_return_t serve_unix_time(mach_port_t port, int64_t *seconds)
{
	int32_t microseconds;

	if (session_find(port) == NULL)
		return failure(EIO);
	return personality_time(seconds, &microseconds) == KERN_SUCCESS ? KERN_SUCCESS : failure(EIO);
}

kern_return_t serve_unix_other(mach_port_t port, int number)
{
	(void)port, (void)number;
	session_count_refused();
	return failure(ENOSYS);
}

kern_return_t serve_unix_stat(mach_port_t server, char **text, mach_msg_type_number_t *size)
{
	return personality_stat(server, text, size);
}

int main(void)
{
	static const personality_t unix_personality = {
		.name = "unix",
		.subsystem = UNIX_SUBSYSTEM,
		.errors = errno_of,
		.standard_handles = 3,
		.demux = unix_server,
	};

	return personality_serve(&unix_personality);
}
