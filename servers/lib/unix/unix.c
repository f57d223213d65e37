/*
 * The Unix calls of a program, as requests to the server "unix".
 */
#include <unix.h>

#include <machemu/session.h>
#include <mig/unix.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static client_session_t client = {
	.server = "unix",
	.attach = unix_attach,
	.read = unix_read,
	.write = unix_write,
};

/* What C's own output goes through, from before main on. */
__attribute__((constructor)) static void set_streams(void)
{
	static client_stream_t streams[3] = {{&client, 0}, {&client, 1}, {&client, 2}};

	client_streams(streams);
}

/* -1, with errno as the server said; EIO if it said nothing. */
static int failed(kern_return_t result)
{
	errno = personality_error_code(result, UNIX_SUBSYSTEM, EIO);
	return -1;
}

static int refused(int error)
{
	errno = error;
	return -1;
}

int open(const char *path, int flags, ...)
{
	int fd;
	kern_return_t result;

	if (strlen(path) >= sizeof(server_path_t))
		return refused(ENAMETOOLONG);
	result = unix_open(client_port(&client), path, flags, &fd);
	return result == KERN_SUCCESS ? fd : failed(result);
}

int close(int fd)
{
	kern_return_t result = unix_close(client_port(&client), fd);

	return result == KERN_SUCCESS ? 0 : failed(result);
}

ssize_t read(int fd, void *buffer, size_t size)
{
	size_t got;
	kern_return_t result = client_read(&client, fd, buffer, size, &got);

	return result == KERN_SUCCESS ? (ssize_t)got : failed(result);
}

ssize_t write(int fd, const void *data, size_t size)
{
	size_t done;
	kern_return_t result = client_write(&client, fd, data, size, &done);

	return result == KERN_SUCCESS || done > 0 ? (ssize_t)done : failed(result);
}

off_t lseek(int fd, off_t distance, int origin)
{
	int64_t offset;
	kern_return_t result = unix_lseek(client_port(&client), fd, distance, origin, &offset);

	return result == KERN_SUCCESS ? offset : failed(result);
}

pid_t getpid(void)
{
	return client_port(&client) != MACH_PORT_NULL ? client.pid : refused(EIO);
}

pid_t spawn(const char *path, char *const argv[])
{
	server_arguments_t arguments;
	size_t size;
	int pid;
	kern_return_t result;

	if (strlen(path) >= sizeof(server_path_t))
		return refused(ENAMETOOLONG);
	if (argv[0] == NULL)
		return refused(EINVAL);
	size = client_arguments(argv, arguments);
	if (size == 0)
		return refused(E2BIG);
	result = unix_spawn(client_port(&client), path, arguments, (mach_msg_type_number_t)size, &pid);
	return result == KERN_SUCCESS ? pid : failed(result);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
	int ended, how;
	kern_return_t result;

	if (options != 0)
		return refused(EINVAL);
	result = unix_wait(client_port(&client), pid, &ended, &how);
	if (result != KERN_SUCCESS)
		return failed(result);
	if (status != NULL)
		*status = how;
	return ended;
}

pid_t wait(int *status)
{
	return waitpid(-1, status, 0);
}

time_t time(time_t *seconds)
{
	int64_t now;
	kern_return_t result = unix_time(client_port(&client), &now);

	if (result != KERN_SUCCESS)
		return failed(result);
	if (seconds != NULL)
		*seconds = now;
	return now;
}

/* A number outside the list goes to the server too, which says what it is. */
static long other(long number)
{
	kern_return_t result = unix_other(client_port(&client), (int)number);

	return result == KERN_SUCCESS ? 0 : failed(result);
}

static long syscall_by_number(long number, const long word[3])
{
	switch (number) {
	case SYS_exit:
		exit((int)word[0]);
	case SYS_read:
		return read((int)word[0], (void *)word[1], (size_t)word[2]);
	case SYS_write:
		return write((int)word[0], (const void *)word[1], (size_t)word[2]);
	case SYS_open:
		return open((const char *)word[0], (int)word[1]);
	case SYS_close:
		return close((int)word[0]);
	case SYS_wait:
		return wait((int *)word[0]);
	case SYS_time:
		return time((time_t *)word[0]);
	case SYS_lseek:
		return lseek((int)word[0], word[1], (int)word[2]);
	case SYS_getpid:
		return getpid();
	case SYS_spawn:
		return spawn((const char *)word[0], (char *const *)word[1]);
	default:
		return other(number);
	}
}

long syscall(long number, ...)
{
	va_list rest;
	long word[3];

	va_start(rest, number);
	for (int i = 0; i < 3; i++)
		word[i] = va_arg(rest, long);
	va_end(rest);
	return syscall_by_number(number, word);
}

int dprintf(int fd, const char *format, ...)
{
	va_list values;
	char *text;
	int length;

	va_start(values, format);
	length = vasprintf(&text, format, values);
	va_end(values);
	if (length < 0)
		return refused(ENOMEM);
	length = (int)write(fd, text, (size_t)length);
	free(text);
	return length;
}
