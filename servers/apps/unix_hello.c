/*
 * A program of the Unix personality: greets, reads etc/motd, starts a copy of
 * itself, and shows what refusals look like.
 */
#include <unix.h>

#include <stdbool.h>
#include <string.h>

#define OUTSIDE 999 /* the number of no call */

static int faults;

static void expect(bool right, const char *what)
{
	if (!right) {
		dprintf(STDERR_FILENO, "unix_hello: wrong: %s (errno %d)\n", what, errno);
		faults++;
	}
}

static void read_motd(void)
{
	char text[256];
	int fd = open("/etc/motd", O_RDONLY);
	ssize_t got = read(fd, text, sizeof text);

	expect(fd >= 0 && got > 0, "reading /etc/motd");
	dprintf(STDOUT_FILENO, "unix: /etc/motd has %d octets\n", (int)got);
	expect(lseek(fd, 0, SEEK_END) == got, "lseek to the end");
	expect(lseek(fd, 0, SEEK_SET) == 0 && read(fd, text, 1) == 1, "lseek to the start");
	expect(write(fd, text, 1) == -1 && errno == EBADF, "write on a read-only descriptor");
	expect(close(fd) == 0, "close");
	expect(close(fd) == -1 && errno == EBADF, "second close");
}

static void be_refused(void)
{
	expect(open("/no/such/file", O_RDONLY) == -1 && errno == ENOENT, "ENOENT");
	dprintf(STDOUT_FILENO, "unix: a missing file is errno %d\n", errno);
	expect(open("/etc/motd", O_RDWR) == -1 && errno == EROFS, "EROFS");
	expect(open("/etc/motd", ~0) == -1 && errno == EINVAL, "EINVAL");
	expect(open("/etc", O_RDONLY) == -1 && errno == EISDIR, "EISDIR");
	expect(wait(NULL) == -1 && errno == ECHILD, "ECHILD");
	expect(syscall(OUTSIDE) == -1 && errno == ENOSYS, "ENOSYS");
	dprintf(STDOUT_FILENO, "unix: call %d is errno %d\n", OUTSIDE, errno);
}

static void start_a_child(void)
{
	char *arguments[] = {"unix_hello", "child", NULL};
	int status = -1;
	pid_t child = spawn("/bin/unix_hello", arguments);

	expect(child > 0 && child != getpid(), "spawn");
	expect(wait(&status) == child, "wait");
	expect(WIFEXITED(status) && WEXITSTATUS(status) == 7, "the child's status");
	dprintf(STDOUT_FILENO, "unix: the child gave %d\n", WEXITSTATUS(status));
}

int main(int argc, char *argv[])
{
	if (argc > 1 && strcmp(argv[1], "child") == 0) {
		dprintf(STDOUT_FILENO, "unix: hello from a child\n");
		return 7;
	}
	dprintf(STDOUT_FILENO, "unix: hello, world\n");
	expect(getpid() > 0, "getpid");
	expect(time(NULL) >= 0, "time");
	read_motd();
	be_refused();
	start_a_child();
	return faults == 0 ? 0 : 1;
}
