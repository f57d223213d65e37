/*
 * The Dos* calls of a program, as requests to the server "os2".
 */
#include <os2.h>

#include <machemu/personality_logic.h>
#include <machemu/session.h>
#include <mig/os2.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 8 /* the most arguments a call has */

static client_session_t client = {
	.server = "os2",
	.attach = os2_attach,
	.read = os2_read,
	.write = os2_write,
};

/* What C's own output goes through, from before main on. */
__attribute__((constructor)) static void set_streams(void)
{
	static client_stream_t streams[3] = {{&client, 0}, {&client, 1}, {&client, 2}};

	client_streams(streams);
}

static APIRET error_of(kern_return_t result)
{
	if (result == KERN_SUCCESS)
		return NO_ERROR;
	return (APIRET)personality_error_code(result, OS2_SUBSYSTEM, ERROR_GEN_FAILURE);
}

/* --- files --------------------------------------------------------------- */

APIRET DosOpen(PCSZ name, PHFILE handle, PULONG action, ULONG size, ULONG attributes, ULONG flags,
    ULONG mode, PVOID extended)
{
	int opened, done;
	APIRET error;

	(void)size, (void)attributes, (void)extended; /* of files that are created */
	if (strlen(name) >= sizeof(server_path_t))
		return ERROR_FILENAME_EXCED_RANGE;
	error = error_of(os2_open(client_port(&client), name, (int)flags, (int)mode, &opened, &done));
	if (error == NO_ERROR) {
		*handle = (HFILE)opened;
		*action = (ULONG)done;
	}
	return error;
}

APIRET DosClose(HFILE handle)
{
	return error_of(os2_close(client_port(&client), (int)handle));
}

APIRET DosRead(HFILE handle, PVOID buffer, ULONG size, PULONG read)
{
	size_t got;
	APIRET error = error_of(client_read(&client, (int)handle, buffer, size, &got));

	*read = (ULONG)got;
	return error;
}

APIRET DosWrite(HFILE handle, const void *data, ULONG size, PULONG written)
{
	size_t done;
	APIRET error = error_of(client_write(&client, (int)handle, data, size, &done));

	*written = (ULONG)done;
	return error;
}

APIRET DosSetFilePtr(HFILE handle, LONG distance, ULONG method, PULONG actual)
{
	int offset;
	APIRET error;

	error = error_of(os2_seek(client_port(&client), (int)handle, distance, (int)method, &offset));
	if (error == NO_ERROR)
		*actual = (ULONG)offset;
	return error;
}

/* --- processes ----------------------------------------------------------- */

void DosExit(ULONG action, ULONG result)
{
	(void)action; /* a program has one thread: with it the process ends */
	exit((int)result);
}

APIRET DosGetInfoBlocks(PTIB *thread, PPIB *process)
{
	static TIB own_thread = {.tib_ultid = 1};
	static PIB own_process;

	if (client_port(&client) == MACH_PORT_NULL)
		return ERROR_GEN_FAILURE;
	own_process.pib_ulpid = (ULONG)client.pid;
	if (thread != NULL)
		*thread = &own_thread;
	if (process != NULL)
		*process = &own_process;
	return NO_ERROR;
}

/* The argument block of DosExecPgm as strings; 0: they do not fit. */
static size_t exec_arguments(PCSZ name, PCSZ block, server_arguments_t arguments)
{
	PCSZ program = block != NULL ? block : name;
	PCSZ line = block != NULL ? block + strlen(block) + 1 : "";
	size_t size = strlen(program) + 1, parts;

	if (size > SERVER_ARGUMENTS_MAX)
		return 0;
	memcpy(arguments, program, size);
	parts = command_line_split(line, true, arguments + size, SERVER_ARGUMENTS_MAX - size);
	return parts == 0 && line[strspn(line, " \t\r\n")] != '\0' ? 0 : size + parts;
}

APIRET DosExecPgm(PSZ failed, LONG failed_size, ULONG flags, PCSZ arguments, PCSZ environment,
    PRESULTCODES results, PCSZ name)
{
	server_arguments_t strings;
	size_t size = exec_arguments(name, arguments, strings);
	int pid;
	PID ended;
	APIRET error;

	(void)environment; /* programs have none */
	if (failed != NULL && failed_size > 0)
		*failed = '\0';
	if (flags > EXEC_ASYNCRESULT)
		return ERROR_INVALID_FUNCTION;
	if (strlen(name) >= sizeof(server_path_t))
		return ERROR_FILENAME_EXCED_RANGE;
	if (size == 0)
		return ERROR_INVALID_PARAMETER;
	error = error_of(os2_exec(client_port(&client), name, strings, (mach_msg_type_number_t)size, &pid));
	if (error != NO_ERROR) {
		if (failed != NULL && failed_size > 0)
			strncat(failed, name, (size_t)failed_size - 1); /* what could not be run */
		return error;
	}
	if (flags == EXEC_SYNC)
		return DosWaitChild(DCWA_PROCESS, DCWW_WAIT, results, &ended, (PID)pid);
	results->codeTerminate = (ULONG)pid;
	results->codeResult = 0;
	return NO_ERROR;
}

APIRET DosWaitChild(ULONG action, ULONG option, PRESULTCODES results, PPID ended, PID wanted)
{
	int pid, how, status;
	APIRET error;

	if (action != DCWA_PROCESS || option > DCWW_NOWAIT)
		return ERROR_INVALID_PARAMETER;
	error = error_of(os2_wait(client_port(&client), (int)wanted, option == DCWW_NOWAIT, &pid, &how, &status));
	if (error != NO_ERROR)
		return error;
	results->codeTerminate = (ULONG)how;
	results->codeResult = (ULONG)status;
	*ended = (PID)pid;
	return NO_ERROR;
}

/* --- the rest ------------------------------------------------------------ */

APIRET DosGetDateTime(PDATETIME now)
{
	calendar_t date;
	int64_t seconds;
	int hundredths;
	APIRET error = error_of(os2_time(client_port(&client), &seconds, &hundredths));

	if (error != NO_ERROR)
		return error;
	calendar_of(seconds, &date);
	*now = (DATETIME){
		.hours = (UCHAR)date.hour,
		.minutes = (UCHAR)date.minute,
		.seconds = (UCHAR)date.second,
		.hundredths = (UCHAR)hundredths,
		.day = (UCHAR)date.day,
		.month = (UCHAR)date.month,
		.year = (USHORT)date.year,
		.weekday = (UCHAR)date.weekday,
	};
	return NO_ERROR;
}

static APIRET system_value(ULONG index, PULONG value)
{
	int64_t seconds;
	int hundredths;
	APIRET error;

	switch (index) {
	case QSV_MAX_PATH_LENGTH:
		*value = sizeof(server_path_t);
		return NO_ERROR;
	case QSV_PAGE_SIZE:
		*value = 4096;
		return NO_ERROR;
	case QSV_VERSION_MAJOR:
		*value = 20; /* as OS/2 2.x says */
		return NO_ERROR;
	case QSV_VERSION_MINOR:
		*value = 11;
		return NO_ERROR;
	case QSV_MS_COUNT:
		error = error_of(os2_time(client_port(&client), &seconds, &hundredths));
		if (error == NO_ERROR)
			*value = (ULONG)(seconds * 1000 + hundredths * 10);
		return error;
	default:
		return ERROR_INVALID_PARAMETER;
	}
}

APIRET DosQuerySysInfo(ULONG first, ULONG last, PVOID values, ULONG size)
{
	PULONG value = values;

	if (first == 0 || first > last)
		return ERROR_INVALID_PARAMETER;
	for (ULONG index = first; index <= last; index++, value++) {
		APIRET error;

		if (size < sizeof *value)
			return ERROR_BUFFER_OVERFLOW;
		error = system_value(index, value);
		if (error != NO_ERROR)
			return error;
		size -= sizeof *value;
	}
	return NO_ERROR;
}

static APIRET call_by_ordinal(ULONG ordinal, const uintptr_t w[WORDS])
{
	switch (ordinal) {
	case ORD_DOSGETDATETIME:
		return DosGetDateTime((PDATETIME)w[0]);
	case ORD_DOSEXIT:
		DosExit((ULONG)w[0], (ULONG)w[1]);
	case ORD_DOSSETFILEPTR:
		return DosSetFilePtr((HFILE)w[0], (LONG)w[1], (ULONG)w[2], (PULONG)w[3]);
	case ORD_DOSCLOSE:
		return DosClose((HFILE)w[0]);
	case ORD_DOSOPEN:
		return DosOpen((PCSZ)w[0], (PHFILE)w[1], (PULONG)w[2], (ULONG)w[3], (ULONG)w[4],
		    (ULONG)w[5], (ULONG)w[6], (PVOID)w[7]);
	case ORD_DOSWAITCHILD:
		return DosWaitChild((ULONG)w[0], (ULONG)w[1], (PRESULTCODES)w[2], (PPID)w[3], (PID)w[4]);
	case ORD_DOSREAD:
		return DosRead((HFILE)w[0], (PVOID)w[1], (ULONG)w[2], (PULONG)w[3]);
	case ORD_DOSWRITE:
		return DosWrite((HFILE)w[0], (PVOID)w[1], (ULONG)w[2], (PULONG)w[3]);
	case ORD_DOSEXECPGM:
		return DosExecPgm((PSZ)w[0], (LONG)w[1], (ULONG)w[2], (PCSZ)w[3], (PCSZ)w[4],
		    (PRESULTCODES)w[5], (PCSZ)w[6]);
	case ORD_DOSGETINFOBLOCKS:
		return DosGetInfoBlocks((PTIB *)w[0], (PPIB *)w[1]);
	case ORD_DOSQUERYSYSINFO:
		return DosQuerySysInfo((ULONG)w[0], (ULONG)w[1], (PVOID)w[2], (ULONG)w[3]);
	default:
		return error_of(os2_other(client_port(&client), (int)ordinal));
	}
}

APIRET DosCall(ULONG ordinal, ...)
{
	uintptr_t words[WORDS];
	va_list rest;

	va_start(rest, ordinal);
	for (int i = 0; i < WORDS; i++)
		words[i] = va_arg(rest, uintptr_t);
	va_end(rest);
	return call_by_ordinal(ordinal, words);
}
