/*
 * The calls of kernel32 of a program, as requests to the server "win32".
 */
#include <windows.h>

#include <mach/message.h>
#include <machemu/personality_logic.h>
#include <machemu/session.h>
#include <mig/win32.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static client_session_t client = {
	.server = "win32",
	.attach = win32_attach,
	.read = win32_read,
	.write = win32_write,
};

/* What C's own output goes through, from before main on. */
__attribute__((constructor)) static void set_streams(void)
{
	static client_stream_t streams[3] = {{&client, 4}, {&client, 8}, {&client, 12}};

	client_streams(streams);
}

static DWORD last_error;

DWORD GetLastError(VOID)
{
	return last_error;
}

VOID SetLastError(DWORD error)
{
	last_error = error;
}

static BOOL refused(DWORD error)
{
	last_error = error;
	return FALSE;
}

static BOOL done(kern_return_t result)
{
	if (result == KERN_SUCCESS)
		return TRUE;
	return refused((DWORD)personality_error_code(result, WIN32_SUBSYSTEM, ERROR_GEN_FAILURE));
}

/* Handles are small numbers that look like pointers; -1 is no handle. */
static int number_of(HANDLE handle)
{
	intptr_t value = (intptr_t)handle;

	return value > 0 && value <= INT32_MAX ? (int)value : -1;
}

static HANDLE handle_of(int number)
{
	return (HANDLE)(intptr_t)number;
}

/* --- files --------------------------------------------------------------- */

HANDLE CreateFileA(LPCSTR name, DWORD access, DWORD share, LPSECURITY_ATTRIBUTES security,
    DWORD disposition, DWORD attributes, HANDLE model)
{
	int number;

	(void)share, (void)security, (void)attributes, (void)model;
	if (strlen(name) >= sizeof(server_path_t)) {
		refused(ERROR_FILENAME_EXCED_RANGE);
		return INVALID_HANDLE_VALUE;
	}
	if (!done(win32_open(client_port(&client), name, (int)access, (int)disposition, &number)))
		return INVALID_HANDLE_VALUE;
	return handle_of(number);
}

BOOL CloseHandle(HANDLE object)
{
	return done(win32_close(client_port(&client), number_of(object)));
}

BOOL ReadFile(HANDLE file, LPVOID buffer, DWORD size, LPDWORD read, LPOVERLAPPED overlapped)
{
	size_t got = 0;
	BOOL well;

	if (overlapped != NULL)
		return refused(ERROR_INVALID_PARAMETER);
	well = done(client_read(&client, number_of(file), buffer, size, &got));
	*read = (DWORD)got;
	return well;
}

BOOL WriteFile(HANDLE file, LPCVOID data, DWORD size, LPDWORD written, LPOVERLAPPED overlapped)
{
	size_t put = 0;
	BOOL well;

	if (overlapped != NULL)
		return refused(ERROR_INVALID_PARAMETER);
	well = done(client_write(&client, number_of(file), data, size, &put));
	*written = (DWORD)put;
	return well;
}

DWORD SetFilePointer(HANDLE file, LONG distance, PLONG high, DWORD method)
{
	int64_t whole = high != NULL ? (int64_t)((uint64_t)(uint32_t)*high << 32 | (uint32_t)distance)
				     : distance;
	int64_t offset;

	if (!done(win32_seek(client_port(&client), number_of(file), whole, (int)method, &offset)))
		return INVALID_SET_FILE_POINTER;
	if (high != NULL)
		*high = (LONG)(offset >> 32);
	last_error = ERROR_SUCCESS; /* 0xffffffff may be an offset: so one tells */
	return (DWORD)offset;
}

HANDLE GetStdHandle(DWORD which)
{
	switch (which) {
	case STD_INPUT_HANDLE:
		return handle_of(4);
	case STD_OUTPUT_HANDLE:
		return handle_of(8);
	case STD_ERROR_HANDLE:
		return handle_of(12);
	default:
		refused(ERROR_INVALID_HANDLE);
		return INVALID_HANDLE_VALUE;
	}
}

/* --- processes ----------------------------------------------------------- */

VOID ExitProcess(UINT code)
{
	exit((int)code);
}

DWORD GetCurrentProcessId(VOID)
{
	return client_port(&client) != MACH_PORT_NULL ? (DWORD)client.pid : 0;
}

BOOL CreateProcessA(LPCSTR name, LPSTR line, LPSECURITY_ATTRIBUTES process,
    LPSECURITY_ATTRIBUTES thread, BOOL inherit, DWORD flags, LPVOID environment, LPCSTR directory,
    LPSTARTUPINFOA startup, LPPROCESS_INFORMATION information)
{
	server_arguments_t arguments;
	size_t size;
	int number, pid;

	(void)process, (void)thread, (void)inherit, (void)flags;
	(void)environment, (void)directory, (void)startup;
	size = command_line_split(line != NULL ? line : name, line != NULL, arguments, sizeof arguments);
	if (size == 0)
		return refused(ERROR_INVALID_PARAMETER);
	if (name == NULL)
		name = arguments; /* the first word */
	if (strlen(name) >= sizeof(server_path_t))
		return refused(ERROR_FILENAME_EXCED_RANGE);
	if (!done(win32_create_process(client_port(&client), name, arguments,
	        (mach_msg_type_number_t)size, &number, &pid)))
		return FALSE;
	*information = (PROCESS_INFORMATION){
		.hProcess = handle_of(number),
		.hThread = handle_of(number + 0x10000),
		.dwProcessId = (DWORD)pid,
		.dwThreadId = (DWORD)pid,
	};
	return TRUE;
}

DWORD WaitForSingleObject(HANDLE process, DWORD milliseconds)
{
	/* INFINITE is the longest time-out there is, 49 days; nothing to limit in a call that
	   is answered at once. */
	DWORD limit = milliseconds == 0 ? INFINITE : milliseconds;
	kern_return_t result;

	result = win32_wait(client_port(&client), (int)limit, number_of(process), milliseconds == 0);
	if (result == MACH_RCV_TIMED_OUT
	    || result == PERSONALITY_ERROR(WIN32_SUBSYSTEM, WAIT_TIMEOUT))
		return WAIT_TIMEOUT;
	return done(result) ? WAIT_OBJECT_0 : WAIT_FAILED;
}

BOOL GetExitCodeProcess(HANDLE process, LPDWORD code)
{
	int value;

	if (!done(win32_exit_code(client_port(&client), number_of(process), &value)))
		return FALSE;
	*code = (DWORD)value;
	return TRUE;
}

/* --- the rest ------------------------------------------------------------ */

VOID GetSystemTime(LPSYSTEMTIME now)
{
	calendar_t date;
	int64_t seconds = 0;
	int milliseconds = 0;

	done(win32_time(client_port(&client), &seconds, &milliseconds));
	calendar_of(seconds, &date);
	*now = (SYSTEMTIME){
		.wYear = (WORD)date.year,
		.wMonth = (WORD)date.month,
		.wDayOfWeek = (WORD)date.weekday,
		.wDay = (WORD)date.day,
		.wHour = (WORD)date.hour,
		.wMinute = (WORD)date.minute,
		.wSecond = (WORD)date.second,
		.wMilliseconds = (WORD)milliseconds,
	};
}

DWORD GetTickCount(VOID)
{
	int64_t seconds = 0;
	int milliseconds = 0;

	done(win32_time(client_port(&client), &seconds, &milliseconds));
	return (DWORD)(seconds * 1000 + milliseconds);
}

HANDLE CreateFileW(LPCWSTR name, DWORD access, DWORD share, LPSECURITY_ATTRIBUTES security,
    DWORD disposition, DWORD attributes, HANDLE model)
{
	(void)name, (void)access, (void)share, (void)security;
	(void)disposition, (void)attributes, (void)model;
	done(win32_other(client_port(&client), "CreateFileW"));
	return INVALID_HANDLE_VALUE;
}

/* --- the module ---------------------------------------------------------- */

static const struct {
	const char *name;
	FARPROC     function;
} exports[] = {
#define EXPORT(name) {#name, (FARPROC)(uintptr_t)name}
	EXPORT(CloseHandle),
	EXPORT(CreateFileA),
	EXPORT(CreateFileW),
	EXPORT(CreateProcessA),
	EXPORT(ExitProcess),
	EXPORT(GetCurrentProcessId),
	EXPORT(GetExitCodeProcess),
	EXPORT(GetLastError),
	EXPORT(GetModuleHandleA),
	EXPORT(GetProcAddress),
	EXPORT(GetStdHandle),
	EXPORT(GetSystemTime),
	EXPORT(GetTickCount),
	EXPORT(ReadFile),
	EXPORT(SetFilePointer),
	EXPORT(SetLastError),
	EXPORT(WaitForSingleObject),
	EXPORT(WriteFile),
#undef EXPORT
};

HMODULE GetModuleHandleA(LPCSTR module)
{
	if (module == NULL || same_letters(module, "kernel32") || same_letters(module, "kernel32.dll"))
		return (HMODULE)(uintptr_t)exports;
	refused(ERROR_MOD_NOT_FOUND);
	return NULL;
}

FARPROC GetProcAddress(HMODULE module, LPCSTR name)
{
	if (module != (HMODULE)(uintptr_t)exports) {
		refused(ERROR_MOD_NOT_FOUND);
		return NULL;
	}
	for (size_t i = 0; i < sizeof exports / sizeof exports[0]; i++)
		if (strcmp(exports[i].name, name) == 0)
			return exports[i].function;
	/* The server says what becomes of it. */
	if (strlen(name) < sizeof(server_path_t))
		done(win32_other(client_port(&client), name));
	else
		refused(ERROR_PROC_NOT_FOUND);
	return NULL;
}
