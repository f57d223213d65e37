/* processes SERVER PATH: what the process server of that name does, of this node or another:
   starts, lists, waits, kills, and tells who owns the port of "counter". */
#include <stdlib.h>
#include <string.h>

#include <mach.h>
#include <machemu/process.h>
#include <machemu/server.h>
#include <mig/proc.h>

#include "check.h"

static mach_port_t proc;
static const char *path;

static int is_listed(int pid, const char *state)
{
	char *text = NULL, line[64], *copy;
	mach_msg_type_number_t size = 0;
	const char *at;
	int found;

	if (proc_list(proc, &text, &size) != KERN_SUCCESS)
		return -1;
	copy = calloc(1, size + 1);
	memcpy(copy, text, size);
	vm_deallocate(mach_task_self(), (vm_address_t)text, size);
	snprintf(line, sizeof line, "pid=%d ", pid);
	at = strstr(copy, line);
	found = at != NULL && strstr(at, state) != NULL && strstr(at, state) < strchr(at, '\n');
	free(copy);
	return found;
}

static kern_return_t start(const char *name, const char *argument, int *pid)
{
	server_name_t padded;
	char arguments[64];
	size_t size = (size_t)snprintf(arguments, sizeof arguments, "%s%c%s%c", name, '\0', argument, '\0');
	int64_t task;

	server_name(padded, name);
	return proc_start(proc, (char *)path, padded, arguments, (mach_msg_type_number_t)size, 0, pid, &task);
}

static int run_to_its_end(void)
{
	int pid, status, how;

	CHECK(start("child", "9", &pid) == KERN_SUCCESS);
	CHECK(proc_wait(proc, pid, &status, &how) == KERN_SUCCESS);
	CHECK(status == 9 && how == PROCESS_EXITED);
	CHECK(is_listed(pid, "state=exited") == 1);
	CHECK(proc_kill(proc, pid) == KERN_INVALID_ARGUMENT);
	return 0;
}

static int killed(void)
{
	int pid, status, how;

	CHECK(start("sleeper", "sleep", &pid) == KERN_SUCCESS);
	CHECK(is_listed(pid, "state=running") == 1);
	CHECK(proc_kill(proc, pid) == KERN_SUCCESS);
	CHECK(proc_wait(proc, pid, &status, &how) == KERN_SUCCESS);
	CHECK(how == PROCESS_KILLED);
	CHECK(is_listed(pid, "state=killed") == 1);
	return 0;
}

static int refused(void)
{
	server_name_t name;
	int pid;
	int64_t task;

	server_name(name, "nothing");
	CHECK(proc_start(proc, "bin/nothing", name, "x", 2, 0, &pid, &task) == KERN_INVALID_NAME);
	CHECK(proc_start(proc, "etc/motd", name, "x", 2, 0, &pid, &task) == KERN_INVALID_VALUE);
	CHECK(proc_start(proc, (char *)path, name, "x", 2, 1, &pid, &task) == KERN_NO_ACCESS);
	CHECK(proc_kill(proc, 12345) == KERN_INVALID_ARGUMENT);
	return 0;
}

/* "owner <task> <SHA-256 of its program>", for the host to compare. */
static int owner_of_counter(void)
{
	process_record_t octets;
	const struct process_record *record = (const struct process_record *)octets;
	mach_port_t counter;

	CHECK(server_look_up("counter", &counter) == KERN_SUCCESS);
	CHECK(proc_who(proc, counter, octets) == KERN_SUCCESS);
	CHECK(record->flags & PROCESS_MEASURED);
	printf("owner %llu ", (unsigned long long)record->task);
	for (size_t i = 0; i < sizeof record->digest; i++)
		printf("%02x", record->digest[i]);
	printf("\n");
	return 0;
}

int main(int argc, char **argv)
{
	CHECK(argc == 3);
	path = argv[2];
	CHECK(server_look_up(argv[1], &proc) == KERN_SUCCESS);
	RUN(run_to_its_end());
	RUN(killed());
	RUN(refused());
	RUN(owner_of_counter());
	return 0;
}
