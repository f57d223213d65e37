/*
 * A program of the Win32 personality: greets, reads C:\etc\motd, runs a copy of
 * itself, and shows what refusals look like.
 */
#include <windows.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int faults;

static void print(const char *text)
{
	char line[160];
	DWORD written;

	snprintf(line, sizeof line, "%s\r\n", text);
	WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), line, (DWORD)strlen(line), &written, NULL);
}

static void print_number(const char *before, DWORD number, const char *after)
{
	char text[120];

	snprintf(text, sizeof text, "%s%u%s", before, number, after);
	print(text);
}

static void expect(bool right, const char *what)
{
	if (!right) {
		print_number("win32_hello: wrong, last error ", GetLastError(), ":");
		print(what);
		faults++;
	}
}

static HANDLE open_file(const char *name, DWORD access)
{
	return CreateFileA(name, access, FILE_SHARE_READ, NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
}

static void read_motd(void)
{
	char text[256];
	DWORD got = 0;
	HANDLE file = open_file("C:\\etc\\motd", GENERIC_READ);

	expect(file != INVALID_HANDLE_VALUE, "CreateFileA");
	expect(ReadFile(file, text, sizeof text, &got, NULL) && got > 0, "ReadFile");
	print_number("win32: C:\\etc\\motd has ", got, " octets");
	expect(SetFilePointer(file, 0, NULL, FILE_END) == got, "SetFilePointer");
	expect(SetFilePointer(file, -1, NULL, FILE_BEGIN) == INVALID_SET_FILE_POINTER
	    && GetLastError() == ERROR_NEGATIVE_SEEK, "a negative seek");
	expect(!WriteFile(file, text, 1, &got, NULL) && GetLastError() == ERROR_ACCESS_DENIED,
	    "WriteFile on a read-only handle");
	expect(CloseHandle(file), "CloseHandle");
	expect(!CloseHandle(file) && GetLastError() == ERROR_INVALID_HANDLE, "second CloseHandle");
}

static void be_refused(void)
{
	HMODULE kernel32 = GetModuleHandleA("kernel32.dll");

	expect(open_file("C:\\etc\\nothing", GENERIC_READ) == INVALID_HANDLE_VALUE
	    && GetLastError() == ERROR_FILE_NOT_FOUND, "CreateFileA of a missing file");
	print_number("win32: a missing file is error ", GetLastError(), "");
	expect(open_file("C:\\nowhere\\motd", GENERIC_READ) == INVALID_HANDLE_VALUE
	    && GetLastError() == ERROR_PATH_NOT_FOUND, "CreateFileA in a missing directory");
	expect(open_file("C:\\etc\\motd", GENERIC_WRITE) == INVALID_HANDLE_VALUE
	    && GetLastError() == ERROR_ACCESS_DENIED, "CreateFileA for writing");
	expect(GetProcAddress(kernel32, "ReadFile") != NULL, "GetProcAddress");
	expect(CreateFileW(NULL, 0, 0, NULL, OPEN_EXISTING, 0, NULL) == INVALID_HANDLE_VALUE
	    && GetLastError() == ERROR_CALL_NOT_IMPLEMENTED, "CreateFileW");
	expect(GetProcAddress(kernel32, "Beep") == NULL && GetLastError() == ERROR_PROC_NOT_FOUND,
	    "a call outside the list");
	print_number("win32: Beep is error ", GetLastError(), "");
}

static void run_a_copy(void)
{
	char line[] = "\"C:\\bin\\win32_hello\" child";
	STARTUPINFOA startup = {.cb = sizeof startup};
	PROCESS_INFORMATION child = {0};
	DWORD code = 0;

	expect(CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &child),
	    "CreateProcessA");
	expect(child.dwProcessId != GetCurrentProcessId(), "the child's number");
	expect(WaitForSingleObject(child.hProcess, INFINITE) == WAIT_OBJECT_0, "WaitForSingleObject");
	expect(WaitForSingleObject(child.hProcess, 0) == WAIT_OBJECT_0, "a second wait");
	expect(GetExitCodeProcess(child.hProcess, &code) && code == 7, "GetExitCodeProcess");
	print_number("win32: the child gave ", code, "");
	expect(CloseHandle(child.hThread) && CloseHandle(child.hProcess), "closing the child's handles");
	expect(WaitForSingleObject(child.hProcess, 0) == WAIT_FAILED
	    && GetLastError() == ERROR_INVALID_HANDLE, "waiting on a closed handle");
}

int main(int argc, char *argv[])
{
	SYSTEMTIME now = {0};

	if (argc > 1 && strcmp(argv[1], "child") == 0) {
		print("win32: hello from a child");
		ExitProcess(7);
	}
	print("win32: hello, world");
	GetSystemTime(&now);
	expect(now.wYear >= 1970, "GetSystemTime");
	read_motd();
	be_refused();
	run_a_copy();
	ExitProcess(faults == 0 ? 0 : 1);
}
