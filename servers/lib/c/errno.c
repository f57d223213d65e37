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
};

char *strerror(int error)
{
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
		if (errors[i].number == error)
			return (char *)errors[i].text;
	return (char *)"Unknown error";
}
