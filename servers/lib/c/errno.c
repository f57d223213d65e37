/* The number of the last error, and its text. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <machemu/thread_area.h>

int *errno_place(void)
{
	return &thread_area()->error;
}

static const struct {
	int number;
	const char *text;
} errors[] = {
	{0, "Success"},
	{EPERM, "Operation not permitted"},
	{ENOENT, "No such file or directory"},
	{EINTR, "Interrupted system call"},
	{EIO, "Input/output error"},
	{E2BIG, "Argument list too long"},
	{EBADF, "Bad file descriptor"},
	{EAGAIN, "Try again"},
	{ENOMEM, "Out of memory"},
	{EACCES, "Permission denied"},
	{EFAULT, "Bad address"},
	{EBUSY, "Busy"},
	{EEXIST, "File exists"},
	{ENODEV, "No such device"},
	{ENOTDIR, "Not a directory"},
	{EISDIR, "Is a directory"},
	{EINVAL, "Invalid argument"},
	{EMFILE, "Too many open files"},
	{EFBIG, "File too large"},
	{ENOSPC, "No space left on device"},
	{ESPIPE, "Illegal seek"},
	{EROFS, "Read-only file system"},
	{EDOM, "Argument out of domain"},
	{ERANGE, "Result out of range"},
	{ENAMETOOLONG, "File name too long"},
	{ENOSYS, "Function not implemented"},
	{EOVERFLOW, "Value too large"},
	{EILSEQ, "Invalid character"},
	{EOPNOTSUPP, "Operation not supported"},
	{ETIMEDOUT, "Timed out"},
	{ESRCH, "No such process"},
	{ENXIO, "No such device or address"},
	{ENOEXEC, "Exec format error"},
	{ECHILD, "No child processes"},
	{EXDEV, "Invalid cross-device link"},
	{ENFILE, "Too many open files in system"},
	{ENOTTY, "Inappropriate ioctl for device"},
	{EMLINK, "Too many links"},
	{EPIPE, "Broken pipe"},
	{EDEADLK, "Resource deadlock avoided"},
	{ENOTEMPTY, "Directory not empty"},
	{ELOOP, "Too many levels of symbolic links"},
	{EPROTO, "Protocol error"},
	{EBADMSG, "Bad message"},
	{EMSGSIZE, "Message too long"},
	{EADDRINUSE, "Address already in use"},
	{ENOBUFS, "No buffer space available"},
	{EISCONN, "Transport endpoint is already connected"},
	{ENOTCONN, "Transport endpoint is not connected"},
	{ECONNREFUSED, "Connection refused"},
	{EALREADY, "Operation already in progress"},
	{EINPROGRESS, "Operation now in progress"},
	{ESTALE, "Stale file handle"},
	{ECANCELED, "Operation canceled"},
};

char *strerror(int error)
{
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
		if (errors[i].number == error)
			return (char *)errors[i].text;
	return (char *)"Unknown error";
}
