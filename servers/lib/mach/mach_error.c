/* Results as text: a table of all there are (mach-abi.md 2.2, 4.1 to 4.3). */
#include <stdio.h>
#include <string.h>

#include <device/device_types.h>
#include <mach/message.h>
#include <mach/mig_errors.h>
#include <mach_error.h>
#include <machemu/personality_types.h>
#include <machemu/server.h>
#include <machemu/thread_area.h>
#include <servers/netname_defs.h>

struct error_text {
	mach_error_t error;
	const char *text;
};

static const struct error_text texts[] = {
	{KERN_SUCCESS, "success"},
	{KERN_INVALID_ADDRESS, "invalid address"},
	{KERN_PROTECTION_FAILURE, "protection failure"},
	{KERN_NO_SPACE, "no space available"},
	{KERN_INVALID_ARGUMENT, "invalid argument"},
	{KERN_FAILURE, "failure"},
	{KERN_RESOURCE_SHORTAGE, "resource shortage"},
	{KERN_NOT_RECEIVER, "not receiver"},
	{KERN_NO_ACCESS, "no access"},
	{KERN_MEMORY_FAILURE, "memory failure"},
	{KERN_MEMORY_ERROR, "memory error"},
	{KERN_ALREADY_IN_SET, "port is in the set already"},
	{KERN_NOT_IN_SET, "port is in no set"},
	{KERN_NAME_EXISTS, "name exists"},
	{KERN_ABORTED, "operation aborted"},
	{KERN_INVALID_NAME, "invalid name"},
	{KERN_INVALID_TASK, "invalid task"},
	{KERN_INVALID_RIGHT, "invalid right"},
	{KERN_INVALID_VALUE, "invalid value"},
	{KERN_UREFS_OVERFLOW, "too many user references"},
	{KERN_INVALID_CAPABILITY, "invalid capability"},
	{KERN_RIGHT_EXISTS, "right exists under another name"},
	{KERN_INVALID_HOST, "invalid host"},
	{KERN_MEMORY_PRESENT, "memory present"},
	{KERN_WRITE_PROTECTION_FAILURE, "write protection failure"},
	{KERN_TERMINATED, "object terminated"},
	{KERN_TIMEDOUT, "operation timed out"},
	{KERN_INTERRUPTED, "operation interrupted"},

	{MACH_SEND_IN_PROGRESS, "send in progress"},
	{MACH_SEND_INVALID_DATA, "message unreadable"},
	{MACH_SEND_INVALID_DEST, "invalid destination port"},
	{MACH_SEND_TIMED_OUT, "send timed out"},
	{MACH_SEND_WILL_NOTIFY, "sent, notification to come"},
	{MACH_SEND_NOTIFY_IN_PROGRESS, "earlier notification not yet come"},
	{MACH_SEND_INTERRUPTED, "send interrupted"},
	{MACH_SEND_MSG_TOO_SMALL, "message too small"},
	{MACH_SEND_INVALID_REPLY, "invalid reply port"},
	{MACH_SEND_INVALID_RIGHT, "invalid right in message"},
	{MACH_SEND_INVALID_NOTIFY, "invalid notify port"},
	{MACH_SEND_INVALID_MEMORY, "invalid memory in message"},
	{MACH_SEND_NO_BUFFER, "no buffer for message"},
	{MACH_SEND_NO_NOTIFY, "no room for notification request"},
	{MACH_SEND_INVALID_TYPE, "invalid type descriptor in message"},
	{MACH_SEND_INVALID_HEADER, "invalid message header"},

	{MACH_RCV_IN_PROGRESS, "receive in progress"},
	{MACH_RCV_INVALID_NAME, "invalid name to receive on"},
	{MACH_RCV_TIMED_OUT, "receive timed out"},
	{MACH_RCV_TOO_LARGE, "message too large"},
	{MACH_RCV_INTERRUPTED, "receive interrupted"},
	{MACH_RCV_PORT_CHANGED, "port has joined a set"},
	{MACH_RCV_INVALID_NOTIFY, "invalid notify port"},
	{MACH_RCV_INVALID_DATA, "receive buffer not writable"},
	{MACH_RCV_PORT_DIED, "port died"},
	{MACH_RCV_IN_SET, "port is in a set"},
	{MACH_RCV_HEADER_ERROR, "error in message header"},
	{MACH_RCV_BODY_ERROR, "error in message body"},

	{MIG_TYPE_ERROR, "reply malformed"},
	{MIG_REPLY_MISMATCH, "reply to another request"},
	{MIG_REMOTE_ERROR, "remote error"},
	{MIG_BAD_ID, "request unknown to server"},
	{MIG_BAD_ARGUMENTS, "request malformed"},
	{MIG_NO_REPLY, "no reply sent"},
	{MIG_EXCEPTION, "server raised an exception"},
	{MIG_ARRAY_TOO_LARGE, "array too large"},
	{MIG_SERVER_DIED, "server died"},
	{MIG_DESTROY_REQUEST, "request destroyed"},

	{D_IO_QUEUED, "pending"}, /* and NETNAME_PENDING */
	{D_IO_ERROR, "device: I/O error"},
	{D_WOULD_BLOCK, "device: would block"},
	{D_NO_SUCH_DEVICE, "device: no such device"},
	{D_ALREADY_OPEN, "device: already open"},
	{D_DEVICE_DOWN, "device: down"},
	{D_INVALID_OPERATION, "device: invalid operation"},
	{D_INVALID_RECNUM, "device: invalid record number"},
	{D_INVALID_SIZE, "device: invalid size"},
	{D_NO_MEMORY, "device: no memory"},
	{D_READ_ONLY, "device: read only"},

	{NETNAME_NOT_YOURS, "name server: not yours"},
	{NETNAME_NOT_CHECKED_IN, "name server: name not checked in"},
	{NETNAME_NO_SUCH_HOST, "name server: no such host"},
	{NETNAME_HOST_NOT_FOUND, "name server: host not found"},
	{NETNAME_INVALID_PORT, "name server: invalid port"},

	{SERVER_NO_NAME, "no server has that name"},
	{SERVER_NOT_ALLOWED, "server: not allowed"},
	{SERVER_DEAD, "server: port is dead"},
	{SERVER_BAD_RIGHT, "server: no right to that port"},
	{SERVER_EXPIRED, "server: expired"},
	{SERVER_BUSY, "server: busy"},
	{SERVER_LIMIT, "server: limit reached"},
};

/* Whose own code a result of err_server holds, by its subsystem. */
static const char *const personalities[] = {
	[UNIX_SUBSYSTEM - UNIX_SUBSYSTEM] = "Unix",
	[DOS_SUBSYSTEM - UNIX_SUBSYSTEM] = "DOS",
	[OS2_SUBSYSTEM - UNIX_SUBSYSTEM] = "OS/2",
	[WIN32_SUBSYSTEM - UNIX_SUBSYSTEM] = "Win32",
};

static const char *known(mach_error_t error)
{
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (texts[i].error == error)
			return texts[i].text;
	return NULL;
}

/* Null: the result is of no personality. */
static const char *personality_of(mach_error_t error)
{
	unsigned number = (unsigned)err_get_sub(error) - UNIX_SUBSYSTEM;

	return err_get_system(error) == err_get_system(err_server)
	    && number < sizeof personalities / sizeof personalities[0] ? personalities[number] : NULL;
}

const char *mach_error_string(mach_error_t error)
{
	struct thread_area *area = thread_area();
	const char *text = known(error), *personality = personality_of(error);

	/* A receive may tell of shortages by further bits. */
	if (text == NULL && err_get_system(error) == err_get_system(err_mach_ipc))
		text = known(error & ~MACH_MSG_MASK);
	if (text != NULL)
		return text;
	if ((error & ~code_emask) == unix_err(0))
		return strerror(err_get_code(error));
	if (personality != NULL)
		snprintf(area->unknown_error, sizeof area->unknown_error, "%s error %d", personality, err_get_code(error));
	else
		snprintf(area->unknown_error, sizeof area->unknown_error, "unknown result %#x", (unsigned)error);
	return area->unknown_error;
}

const char *mach_error_type(mach_error_t error)
{
	if (error <= MIG_TYPE_ERROR && error >= MIG_DESTROY_REQUEST)
		return "(mig)";
	if (err_get_system(error) == err_get_system(err_mach_ipc))
		return err_get_sub(error) == 0 ? "(ipc/send)" : "(ipc/rcv)";
	if (err_get_system(error) == err_get_system(err_server))
		return personality_of(error) != NULL ? "(personality)" : "(server)";
	if ((error & ~code_emask) == unix_err(0))
		return "(os/unix)";
	if (error >= D_IO_ERROR && error <= D_READ_ONLY)
		return "(device)";
	if (error >= NETNAME_NOT_YOURS && error <= NETNAME_INVALID_PORT)
		return "(netname)";
	return err_get_system(error) == 0 && error >= 0 ? "(os/kern)" : "(?)";
}

void mach_error(const char *what, mach_error_t error)
{
	fprintf(stderr, "%s: %s %s\n", what, mach_error_type(error), mach_error_string(error));
}
