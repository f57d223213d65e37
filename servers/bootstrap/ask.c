/* What bootstrap asks of proc.  It never waits for room in proc's queue, since proc may be
   waiting for our answer: while there is none, one request is forced into the queue, and the
   others are sent when that one has left it.  So a task that floods proc cannot stop the boot.

   These are the messages of proc_request.defs, to the octet, but MIG's stubs would wait. */
#include "bootstrap.h"

#include <string.h>

#include <mach/mig_errors.h>
#include <machemu/server.h>
#include <machemu/server_types.h>

#define PROC_START 0x4202 /* proc.defs */
#define PROC_WAIT  0x4203
#define PROC_START_FROM_MANIFEST 1
#define PROC_START_RESTART       2

struct request {
	mach_msg_header_t head;
	char items[4 * sizeof(mach_msg_type_t) + SERVER_PATH_MAX + sizeof(server_name_t) + SERVER_ARGUMENTS_MAX + 8];
};

static bool forced; /* a request past the limit of proc's queue, which is still in it */

static struct request request_to_proc(mach_msg_id_t id, mach_port_t reply)
{
	return (struct request){.head = {
	    .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE),
	    .msgh_size = sizeof(mach_msg_header_t),
	    .msgh_remote_port = proc_port,
	    .msgh_local_port = reply,
	    .msgh_id = id,
	}};
}

static void put(struct request *request, unsigned type, unsigned octets_each, const void *data, uint32_t number)
{
	char *at = (char *)request + request->head.msgh_size;
	mach_msg_type_t item = {
	    .msgt_name = type, .msgt_size = 8 * octets_each, .msgt_inline = TRUE, .msgt_number = number,
	};

	memcpy(at, &item, sizeof item);
	memcpy(at + sizeof item, data, octets_each * number);
	request->head.msgh_size += sizeof item + ((octets_each * number + 7) & ~7u);
}

static kern_return_t send(struct request *request)
{
	mach_msg_return_t result = mach_msg(&request->head, MACH_SEND_MSG | MACH_SEND_TIMEOUT | MACH_SEND_NOTIFY,
	    request->head.msgh_size, 0, MACH_PORT_NULL, 0, boot_port);

	if (result != MACH_SEND_WILL_NOTIFY)
		return result;
	forced = true;
	return KERN_SUCCESS;
}

bool ask_is_possible(void)
{
	return !forced;
}

void ask_accepted(void)
{
	forced = false;
}

kern_return_t ask_start(const struct entry *entry, mach_port_t reply)
{
	struct request request = request_to_proc(PROC_START, reply);
	int flags = PROC_START_FROM_MANIFEST | (entry->flags & ENTRY_RESTART ? PROC_START_RESTART : 0);
	server_name_t name;

	if (entry->arguments_size > SERVER_ARGUMENTS_MAX)
		return MIG_ARRAY_TOO_LARGE;
	server_name(name, entry->name);
	put(&request, MACH_MSG_TYPE_STRING_C, 1, entry->path, (uint32_t)strlen(entry->path) + 1);
	put(&request, MACH_MSG_TYPE_CHAR, 1, name, sizeof name);
	put(&request, MACH_MSG_TYPE_CHAR, 1, entry->arguments, entry->arguments_size);
	put(&request, MACH_MSG_TYPE_INTEGER_32, sizeof flags, &flags, 1);
	return send(&request);
}

kern_return_t ask_wait(const struct entry *entry, mach_port_t reply)
{
	struct request request = request_to_proc(PROC_WAIT, reply);

	put(&request, MACH_MSG_TYPE_INTEGER_32, sizeof entry->pid, &entry->pid, 1);
	return send(&request);
}
