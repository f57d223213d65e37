/*
 * The Win32 personality for programs (libwin32, server "win32").
 *
 * The calls of kernel32 in the list below, which docs/personalities.md repeats
 * with what each does.  A call that fails says why through GetLastError.  For a
 * name outside the list GetProcAddress gives NULL and ERROR_PROC_NOT_FOUND.
 */
#ifndef _WINDOWS_H_
#define _WINDOWS_H_

#include <stddef.h>
#include <stdint.h>

#define WINAPI
#define CONST const
#define VOID  void

typedef int BOOL;
typedef int32_t LONG;
typedef uint32_t DWORD, UINT;
typedef uint16_t WORD;
typedef uint8_t BYTE;
typedef uint16_t WCHAR;
typedef void *HANDLE, *HMODULE, *LPVOID, *PVOID;
typedef const void *LPCVOID;
typedef char *LPSTR;
typedef const char *LPCSTR;
typedef const WCHAR *LPCWSTR;
typedef DWORD *LPDWORD;
typedef LONG *PLONG;
typedef int (WINAPI *FARPROC)(void);

#ifndef TRUE
#define TRUE  1
#define FALSE 0
#endif

#define INVALID_HANDLE_VALUE     ((HANDLE)(intptr_t)-1)
#define INVALID_SET_FILE_POINTER ((DWORD)-1)

#define ERROR_SUCCESS             0
#define ERROR_INVALID_FUNCTION    1
#define ERROR_FILE_NOT_FOUND      2
#define ERROR_PATH_NOT_FOUND      3
#define ERROR_TOO_MANY_OPEN_FILES 4
#define ERROR_ACCESS_DENIED       5
#define ERROR_INVALID_HANDLE      6
#define ERROR_NOT_ENOUGH_MEMORY   8
#define ERROR_BAD_FORMAT          11
#define ERROR_INVALID_DRIVE       15
#define ERROR_WRITE_PROTECT       19
#define ERROR_GEN_FAILURE         31
#define ERROR_FILE_EXISTS         80
#define ERROR_INVALID_PARAMETER   87
#define ERROR_CALL_NOT_IMPLEMENTED 120
#define ERROR_MOD_NOT_FOUND       126
#define ERROR_PROC_NOT_FOUND      127
#define ERROR_NEGATIVE_SEEK       131
#define ERROR_SEEK_ON_DEVICE      132
#define ERROR_BAD_EXE_FORMAT      193
#define ERROR_FILENAME_EXCED_RANGE 206
#define ERROR_NO_SYSTEM_RESOURCES 1450

#define GENERIC_READ  0x80000000u
#define GENERIC_WRITE 0x40000000u

#define FILE_SHARE_READ  1u
#define FILE_SHARE_WRITE 2u

#define CREATE_NEW        1
#define CREATE_ALWAYS     2
#define OPEN_EXISTING     3
#define OPEN_ALWAYS       4
#define TRUNCATE_EXISTING 5

#define FILE_ATTRIBUTE_NORMAL 0x80

#define FILE_BEGIN   0
#define FILE_CURRENT 1
#define FILE_END     2

#define STD_INPUT_HANDLE  ((DWORD)-10)
#define STD_OUTPUT_HANDLE ((DWORD)-11)
#define STD_ERROR_HANDLE  ((DWORD)-12)

#define INFINITE      0xffffffffu
#define WAIT_OBJECT_0 0u
#define WAIT_TIMEOUT  258u
#define WAIT_FAILED   0xffffffffu
#define STILL_ACTIVE  259u

#define STATUS_ACCESS_VIOLATION 0xc0000005u /* what a program gave that faulted */

typedef struct _SYSTEMTIME {
	WORD wYear, wMonth, wDayOfWeek, wDay;
	WORD wHour, wMinute, wSecond, wMilliseconds;
} SYSTEMTIME, *LPSYSTEMTIME;

typedef struct _STARTUPINFOA {
	DWORD cb; /* the other fields are not looked at */
	DWORD dwFlags;
} STARTUPINFOA, *LPSTARTUPINFOA;

typedef struct _PROCESS_INFORMATION {
	HANDLE hProcess, hThread;
	DWORD dwProcessId, dwThreadId;
} PROCESS_INFORMATION, *LPPROCESS_INFORMATION;

typedef struct _SECURITY_ATTRIBUTES *LPSECURITY_ATTRIBUTES; /* pass NULL */
typedef struct _OVERLAPPED *LPOVERLAPPED;                   /* pass NULL */

extern HANDLE CreateFileA(LPCSTR name, DWORD access, DWORD share, LPSECURITY_ATTRIBUTES security,
    DWORD disposition, DWORD attributes, HANDLE model);
extern BOOL CloseHandle(HANDLE object);
extern BOOL ReadFile(HANDLE file, LPVOID buffer, DWORD size, LPDWORD read, LPOVERLAPPED overlapped);
extern BOOL WriteFile(HANDLE file, LPCVOID data, DWORD size, LPDWORD written, LPOVERLAPPED overlapped);
extern DWORD SetFilePointer(HANDLE file, LONG distance, PLONG high, DWORD method);
extern HANDLE GetStdHandle(DWORD which);
extern _Noreturn VOID ExitProcess(UINT code);
extern DWORD GetCurrentProcessId(VOID);
/* `name` NULL: the first word of `line`. */
extern BOOL CreateProcessA(LPCSTR name, LPSTR line, LPSECURITY_ATTRIBUTES process,
    LPSECURITY_ATTRIBUTES thread, BOOL inherit, DWORD flags, LPVOID environment, LPCSTR directory,
    LPSTARTUPINFOA startup, LPPROCESS_INFORMATION information);
extern DWORD WaitForSingleObject(HANDLE process, DWORD milliseconds);
extern BOOL GetExitCodeProcess(HANDLE process, LPDWORD code);
extern VOID GetSystemTime(LPSYSTEMTIME now);
extern DWORD GetTickCount(VOID);
extern DWORD GetLastError(VOID);
extern VOID SetLastError(DWORD error);
extern HMODULE GetModuleHandleA(LPCSTR module);
extern FARPROC GetProcAddress(HMODULE module, LPCSTR name);

/* There, but not implemented: ERROR_CALL_NOT_IMPLEMENTED. */
extern HANDLE CreateFileW(LPCWSTR name, DWORD access, DWORD share, LPSECURITY_ATTRIBUTES security,
    DWORD disposition, DWORD attributes, HANDLE model);

#endif
