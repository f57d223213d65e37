/*
 * The Unix personality for programs (libunix, server "unix").
 *
 * The whole list of calls is here; docs/personalities.md says what each does.
 * A call returns -1 and sets errno if it fails; one outside the list, by
 * syscall(), fails with ENOSYS.
 */
#ifndef _UNIX_H_
#define _UNIX_H_

#include <errno.h>
#include <stdlib.h> /* exit */
#include <sys/types.h>

#ifndef ESRCH
#define ESRCH 3
#endif
#ifndef ENOEXEC
#define ENOEXEC 8
#endif
#ifndef ECHILD
#define ECHILD 10
#endif

#define STDIN_FILENO  0
#define STDOUT_FILENO 1
#define STDERR_FILENO 2

#define O_RDONLY  0
#define O_WRONLY  1
#define O_RDWR    2
#define O_ACCMODE 3
#define O_CREAT   0100
#define O_EXCL    0200
#define O_TRUNC   01000
#define O_APPEND  02000

#ifndef SEEK_SET
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#endif

#define SIGSEGV 11

#define WIFEXITED(status)   (((status) & 0x7f) == 0)
#define WEXITSTATUS(status) ((status) >> 8 & 0xff)
#define WIFSIGNALED(status) (((status) & 0x7f) != 0)
#define WTERMSIG(status)    ((status) & 0x7f)

extern int open(const char *path, int flags, ...);
extern int close(int fd);
extern ssize_t read(int fd, void *buffer, size_t size);
extern ssize_t write(int fd, const void *data, size_t size);
extern off_t lseek(int fd, off_t distance, int origin);
extern pid_t getpid(void);
/* Starts the program at `path`; it inherits the open files.  `argv` ends with a
   null pointer and starts with the program's own name.  The result is its pid. */
extern pid_t spawn(const char *path, char *const argv[]);
extern pid_t wait(int *status); /* for any child; the result is its pid */
extern pid_t waitpid(pid_t pid, int *status, int options); /* pid -1: any; options 0 */
extern time_t time(time_t *seconds); /* since 1970, of the node's clock */

/* The numbers are those of the calls in the classic Unix tables. */
#define SYS_exit   1
#define SYS_read   3
#define SYS_write  4
#define SYS_open   5
#define SYS_close  6
#define SYS_wait   7
#define SYS_time   13
#define SYS_lseek  19
#define SYS_getpid 20
#define SYS_spawn  66

/* Any call by its number: what the functions above do, or ENOSYS. */
extern long syscall(long number, ...);

/* Formatted output on a descriptor; the length, or -1. */
extern int dprintf(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
