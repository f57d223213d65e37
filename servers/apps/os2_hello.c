/*
 * A program of the OS/2 personality: greets, reads C:\etc\motd, runs a copy of
 * itself, and shows what refusals look like.
 */
#include <os2.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define STDOUT  1
#define OUTSIDE 9999u /* the ordinal of no call */

#define OPEN_EXISTING (OPEN_ACTION_FAIL_IF_NEW | OPEN_ACTION_OPEN_IF_EXISTS)
#define READ_ONLY     (OPEN_ACCESS_READONLY | OPEN_SHARE_DENYNONE)

static int faults;

static void print(const char *text)
{
	char line[160];
	ULONG written;

	snprintf(line, sizeof line, "%s\r\n", text);
	DosWrite(STDOUT, line, (ULONG)strlen(line), &written);
}

static void print_number(const char *before, ULONG number, const char *after)
{
	char text[120];

	snprintf(text, sizeof text, "%s%u%s", before, number, after);
	print(text);
}

static void expect(bool right, const char *what)
{
	if (!right) {
		print("os2_hello: wrong:");
		print(what);
		faults++;
	}
}

static void read_motd(void)
{
	char text[256];
	HFILE file = 0;
	ULONG action = 0, got = 0, offset = 0;

	expect(DosOpen("C:\\etc\\motd", &file, &action, 0, 0, OPEN_EXISTING, READ_ONLY, NULL) == NO_ERROR
	    && action == FILE_EXISTED, "DosOpen");
	expect(DosRead(file, text, sizeof text, &got) == NO_ERROR && got > 0, "DosRead");
	print_number("os2: C:\\etc\\motd has ", got, " octets");
	expect(DosSetFilePtr(file, 0, FILE_END, &offset) == NO_ERROR && offset == got, "DosSetFilePtr");
	expect(DosSetFilePtr(file, -1, FILE_BEGIN, &offset) == ERROR_NEGATIVE_SEEK, "a negative seek");
	expect(DosWrite(file, text, 1, &got) == ERROR_ACCESS_DENIED, "DosWrite on a read-only handle");
	expect(DosClose(file) == NO_ERROR, "DosClose");
	expect(DosClose(file) == ERROR_INVALID_HANDLE, "second DosClose");
}

static void be_refused(void)
{
	HFILE file;
	ULONG action;
	APIRET error;

	error = DosOpen("C:\\etc\\nothing", &file, &action, 0, 0, OPEN_EXISTING, READ_ONLY, NULL);
	expect(error == ERROR_OPEN_FAILED, "DosOpen of a missing file");
	print_number("os2: a missing file is error ", error, "");
	error = DosOpen("C:\\nowhere\\motd", &file, &action, 0, 0, OPEN_EXISTING, READ_ONLY, NULL);
	expect(error == ERROR_PATH_NOT_FOUND, "DosOpen in a missing directory");
	error = DosOpen("C:\\etc\\motd", &file, &action, 0, 0, OPEN_EXISTING, OPEN_ACCESS_READWRITE, NULL);
	expect(error == ERROR_ACCESS_DENIED, "DosOpen for writing");
	error = DosCall(OUTSIDE);
	expect(error == ERROR_INVALID_FUNCTION, "a call outside the list");
	print_number("os2: ordinal 9999 is error ", error, "");
}

static void run_a_copy(void)
{
	RESULTCODES results = {.codeResult = 0};
	char failed[64];
	PID ended = 0;
	APIRET error;

	error = DosExecPgm(failed, sizeof failed, EXEC_ASYNCRESULT, "os2_hello\0child\0", NULL, &results,
	    "C:\\bin\\os2_hello");
	expect(error == NO_ERROR, "DosExecPgm");
	error = DosWaitChild(DCWA_PROCESS, DCWW_WAIT, &results, &ended, results.codeTerminate);
	expect(error == NO_ERROR && results.codeTerminate == TC_EXIT && results.codeResult == 7,
	    "DosWaitChild");
	print_number("os2: the child gave ", results.codeResult, "");
	error = DosWaitChild(DCWA_PROCESS, DCWW_WAIT, &results, &ended, 0);
	expect(error == ERROR_WAIT_NO_CHILDREN, "DosWaitChild without a child");
	error = DosExecPgm(failed, sizeof failed, EXEC_SYNC, NULL, NULL, &results, "C:\\bin\\nothing");
	expect(error == ERROR_FILE_NOT_FOUND, "DosExecPgm of a missing program");
}

int main(int argc, char *argv[])
{
	PPIB process = NULL;
	DATETIME now = {0};

	if (argc > 1 && strcmp(argv[1], "child") == 0) {
		print("os2: hello from a child");
		DosExit(EXIT_PROCESS, 7);
	}
	print("os2: hello, world");
	expect(DosGetInfoBlocks(NULL, &process) == NO_ERROR && process->pib_ulpid > 0, "DosGetInfoBlocks");
	expect(DosGetDateTime(&now) == NO_ERROR && now.year >= 1970, "DosGetDateTime");
	read_motd();
	be_refused();
	run_a_copy();
	DosExit(EXIT_PROCESS, faults == 0 ? 0 : 1);
}
