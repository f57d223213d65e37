/* Errors of the C library. */
#ifndef _ERRNO_H_
#define _ERRNO_H_

/* Each thread has its own. */
extern int *errno_place(void);
#define errno (*errno_place())

#define EPERM   1
#define ENOENT  2
#define EINTR   4
#define EIO     5
#define E2BIG   7
#define EBADF   9
#define EAGAIN  11
#define ENOMEM  12
#define EACCES  13
#define EFAULT  14
#define EBUSY   16
#define EEXIST  17
#define ENODEV  19
#define ENOTDIR 20
#define EISDIR  21
#define EINVAL  22
#define EMFILE  24
#define EFBIG   27
#define ENOSPC  28
#define ESPIPE  29
#define EROFS   30
#define EDOM    33
#define ERANGE  34
#define ENAMETOOLONG 36
#define ENOSYS  38
#define EILSEQ  84
#define EOVERFLOW 75
#define EOPNOTSUPP 95
#define ETIMEDOUT 110

#endif
