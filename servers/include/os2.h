/*
 * The OS/2 personality for programs (libos2, server "os2").
 *
 * The 32-bit control program calls of the list below, which
 * docs/personalities.md repeats with what each does.  Each returns 0 or an
 * error; DosCall reaches any of them by its ordinal in DOSCALLS, and fails with
 * ERROR_INVALID_FUNCTION for another.
 */
#ifndef _OS2_H_
#define _OS2_H_

#include <stdint.h>

typedef uint32_t ULONG, APIRET, HFILE, PID, TID;
typedef int32_t LONG;
typedef uint16_t USHORT;
typedef uint8_t UCHAR;
typedef char *PSZ;
typedef const char *PCSZ;
typedef void *PVOID;
typedef ULONG *PULONG;
typedef HFILE *PHFILE;
typedef PID *PPID;

#define NO_ERROR                  0
#define ERROR_INVALID_FUNCTION    1
#define ERROR_FILE_NOT_FOUND      2
#define ERROR_PATH_NOT_FOUND      3
#define ERROR_TOO_MANY_OPEN_FILES 4
#define ERROR_ACCESS_DENIED       5
#define ERROR_INVALID_HANDLE      6
#define ERROR_NOT_ENOUGH_MEMORY   8
#define ERROR_BAD_FORMAT          11
#define ERROR_INVALID_ACCESS      12
#define ERROR_INVALID_DRIVE       15
#define ERROR_WRITE_PROTECT       19
#define ERROR_GEN_FAILURE         31
#define ERROR_INVALID_PARAMETER   87
#define ERROR_NO_PROC_SLOTS       89
#define ERROR_OPEN_FAILED         110
#define ERROR_BUFFER_OVERFLOW     111
#define ERROR_WAIT_NO_CHILDREN    128
#define ERROR_CHILD_NOT_COMPLETE  129
#define ERROR_NEGATIVE_SEEK       131
#define ERROR_SEEK_ON_DEVICE      132
#define ERROR_FILENAME_EXCED_RANGE 206
#define ERROR_INVALID_PROCID      303

#define OPEN_ACTION_FAIL_IF_NEW        0x00
#define OPEN_ACTION_CREATE_IF_NEW      0x10
#define OPEN_ACTION_FAIL_IF_EXISTS     0x00
#define OPEN_ACTION_OPEN_IF_EXISTS     0x01
#define OPEN_ACTION_REPLACE_IF_EXISTS  0x02

#define OPEN_ACCESS_READONLY    0x0000
#define OPEN_ACCESS_WRITEONLY   0x0001
#define OPEN_ACCESS_READWRITE   0x0002
#define OPEN_SHARE_DENYREADWRITE 0x0010
#define OPEN_SHARE_DENYWRITE    0x0020
#define OPEN_SHARE_DENYREAD     0x0030
#define OPEN_SHARE_DENYNONE     0x0040

#define FILE_EXISTED 1

#define FILE_BEGIN   0
#define FILE_CURRENT 1
#define FILE_END     2

#define EXIT_THREAD  0
#define EXIT_PROCESS 1

#define EXEC_SYNC        0
#define EXEC_ASYNC       1
#define EXEC_ASYNCRESULT 2

#define DCWA_PROCESS 0
#define DCWW_WAIT    0
#define DCWW_NOWAIT  1

#define TC_EXIT 0 /* the child ended by itself */
#define TC_TRAP 2 /* by a fault */

typedef struct _RESULTCODES {
	ULONG codeTerminate; /* TC_, or the pid after EXEC_ASYNC... */
	ULONG codeResult;
} RESULTCODES, *PRESULTCODES;

typedef struct _DATETIME {
	UCHAR  hours, minutes, seconds, hundredths;
	UCHAR  day, month;
	USHORT year;
	int16_t timezone; /* minutes west of UTC: 0 */
	UCHAR  weekday;   /* 0 is Sunday */
} DATETIME, *PDATETIME;

typedef struct tib_s {
	TID tib_ultid;
} TIB, *PTIB;

typedef struct pib_s {
	ULONG pib_ulpid;
	ULONG pib_ulppid; /* 0: not known */
} PIB, *PPIB;

#define QSV_MAX_PATH_LENGTH 1
#define QSV_PAGE_SIZE       10
#define QSV_VERSION_MAJOR   11
#define QSV_VERSION_MINOR   12
#define QSV_MS_COUNT        14 /* milliseconds since 1970, low word */

extern APIRET DosOpen(PCSZ name, PHFILE handle, PULONG action, ULONG size, ULONG attributes,
    ULONG flags, ULONG mode, PVOID extended);
extern APIRET DosClose(HFILE handle);
extern APIRET DosRead(HFILE handle, PVOID buffer, ULONG size, PULONG read);
extern APIRET DosWrite(HFILE handle, const void *data, ULONG size, PULONG written);
extern APIRET DosSetFilePtr(HFILE handle, LONG distance, ULONG method, PULONG actual);
extern _Noreturn void DosExit(ULONG action, ULONG result);
extern APIRET DosGetInfoBlocks(PTIB *thread, PPIB *process);
/* `arguments`: the program's name, NUL, its command line, NUL, NUL; may be null. */
extern APIRET DosExecPgm(PSZ failed, LONG failed_size, ULONG flags, PCSZ arguments,
    PCSZ environment, PRESULTCODES results, PCSZ name);
extern APIRET DosWaitChild(ULONG action, ULONG option, PRESULTCODES results, PPID ended, PID wanted);
extern APIRET DosGetDateTime(PDATETIME now);
extern APIRET DosQuerySysInfo(ULONG first, ULONG last, PVOID values, ULONG size);

#define ORD_DOSGETDATETIME   230
#define ORD_DOSEXIT          234
#define ORD_DOSSETFILEPTR    256
#define ORD_DOSCLOSE         257
#define ORD_DOSOPEN          273
#define ORD_DOSWAITCHILD     280
#define ORD_DOSREAD          281
#define ORD_DOSWRITE         282
#define ORD_DOSEXECPGM       283
#define ORD_DOSGETINFOBLOCKS 312
#define ORD_DOSQUERYSYSINFO  348

/* Any call by its ordinal; arguments as above, each as wide as a pointer. */
extern APIRET DosCall(ULONG ordinal, ...);

#endif
