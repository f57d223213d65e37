/* As much of a kernel as one process needs to call itself: mach_msg hands a request to
   `host_demux` and brings back the reply, with rights and regions as a receiver finds them
   (mach-abi.md 1.5 and 5.2).  Whatever happens to rights, memory and reply ports is counted. */
#include <stdint.h>
#include <string.h>

#include <mach.h>
#include <mach/mig_errors.h>
#include <mach/mig_support.h>

#define MESSAGE_MAX 65536
#define LOG_MAX     256
#define OLD_OCTET   0xa5 /* what buffers hold before */

struct message {
	mach_msg_size_t size;
	mach_msg_option_t option;
	mach_msg_size_t room;
	mach_port_t port;
	mach_msg_timeout_t timeout;
	char octets[MESSAGE_MAX] __attribute__((aligned(8)));
};

/* The request as it was sent and as it came, the reply likewise. */
struct message host_sent, host_came, host_answer, host_reply;
mach_msg_demux_t host_demux;
boolean_t host_known;              /* what the demux said */
mach_msg_return_t host_result;     /* mach_msg's next result, instead of a reply */
mach_msg_size_t host_forged;       /* octets in host_reply that come as the next reply */
natural_t host_seqno;
rpc_uintptr_t host_payload;        /* not 0: requests come with it */

struct event {
	unsigned what; /* 1 a right dropped, 2 a receive right dropped, 3 memory dropped, 4 given */
	mach_port_t port;
	vm_address_t address;
	vm_size_t size;
};
struct event host_log[LOG_MAX];
unsigned host_events;
unsigned host_reply_ports;
boolean_t host_no_memory;

mach_port_t mach_task_self_ = 1;

static void note(unsigned what, mach_port_t port, vm_address_t address, vm_size_t size)
{
	if (host_events < LOG_MAX)
		host_log[host_events++] = (struct event){what, port, address, size};
}

/* --- what the library calls ----------------------------------------------------- */

extern void *calloc(size_t number, size_t size);

kern_return_t vm_allocate(vm_task_t task, vm_address_t *address, vm_size_t size, boolean_t anywhere)
{
	(void)task, (void)anywhere;
	if (host_no_memory)
		return KERN_NO_SPACE;
	*address = (vm_address_t)calloc(1, size);
	note(4, 0, *address, size);
	return KERN_SUCCESS;
}

kern_return_t vm_deallocate(vm_task_t task, vm_address_t address, vm_size_t size)
{
	(void)task;
	note(3, 0, address, size);
	return KERN_SUCCESS;
}

kern_return_t mach_port_deallocate(ipc_space_t task, mach_port_name_t name)
{
	(void)task;
	note(1, name, 0, 0);
	return KERN_SUCCESS;
}

kern_return_t mach_port_mod_refs(ipc_space_t task, mach_port_name_t name, mach_port_right_t right,
    mach_port_delta_t delta)
{
	(void)task, (void)right, (void)delta;
	note(2, name, 0, 0);
	return KERN_SUCCESS;
}

kern_return_t mach_port_insert_right(ipc_space_t task, mach_port_name_t name, mach_port_t right,
    mach_msg_type_name_t type)
{
	(void)task, (void)name, (void)right, (void)type;
	return KERN_FAILURE;
}

kern_return_t mach_port_extract_right(ipc_space_t task, mach_port_name_t name, mach_msg_type_name_t wanted,
    mach_port_t *right, mach_msg_type_name_t *type)
{
	(void)task, (void)name, (void)wanted, (void)right, (void)type;
	return KERN_FAILURE;
}

mach_port_name_t mach_reply_port(void)
{
	return 0x900 + ++host_reply_ports;
}

/* --- messages ---------------------------------------------------------------------- */

static mach_msg_type_name_t arrives_as(mach_msg_type_name_t type)
{
	switch (type) {
	case MACH_MSG_TYPE_COPY_SEND:
	case MACH_MSG_TYPE_MAKE_SEND:
		return MACH_MSG_TYPE_PORT_SEND;
	case MACH_MSG_TYPE_MAKE_SEND_ONCE:
		return MACH_MSG_TYPE_PORT_SEND_ONCE;
	default:
		return type;
	}
}

/* One item of a complex body; returns the octets it takes.  `*carries` grows. */
static size_t deliver_item(char *at, boolean_t *carries)
{
	mach_msg_type_t *type = (mach_msg_type_t *)at;
	size_t octets = ((size_t)type->msgt_size * type->msgt_number + 7) / 8;

	if (!type->msgt_inline) {
		octets = 8;
		type->msgt_deallocate = TRUE;
		*carries = TRUE;
	} else if (MACH_MSG_TYPE_PORT_ANY(type->msgt_name)) {
		*carries |= type->msgt_number != 0;
	}
	/* Of no rights there is nothing to translate. */
	if (MACH_MSG_TYPE_PORT_ANY(type->msgt_name) && (type->msgt_number != 0 || !type->msgt_inline))
		type->msgt_name = arrives_as(type->msgt_name);
	return 8 + ((octets + 7) & ~(size_t)7);
}

static void deliver(struct message *to, const struct message *from, size_t size)
{
	mach_msg_header_t *head = (mach_msg_header_t *)to->octets;
	mach_port_t remote, local;
	mach_msg_bits_t bits;
	boolean_t carries = FALSE;

	memcpy(to->octets, from->octets, size);
	to->size = head->msgh_size = (mach_msg_size_t)size;
	bits = head->msgh_bits;
	remote = head->msgh_remote_port, local = head->msgh_local_port;
	for (size_t at = sizeof *head; (bits & MACH_MSGH_BITS_COMPLEX) && at < size;)
		at += deliver_item(to->octets + at, &carries);
	head->msgh_bits = MACH_MSGH_BITS(arrives_as(MACH_MSGH_BITS_LOCAL(bits)), arrives_as(MACH_MSGH_BITS_REMOTE(bits)))
	    | (carries ? MACH_MSGH_BITS_COMPLEX : 0);
	head->msgh_remote_port_do_not_use = local;
	head->msgh_protected_payload = remote;
}

/* What mach_msg_server does between request and reply.  TRUE: there is a reply. */
static boolean_t serve(void)
{
	mach_msg_header_t *request = (mach_msg_header_t *)host_came.octets;
	mig_reply_header_t *reply = (mig_reply_header_t *)host_answer.octets;

	request->msgh_seqno = host_seqno;
	if (host_payload != 0) {
		request->msgh_protected_payload = host_payload;
		request->msgh_bits = (request->msgh_bits & ~MACH_MSGH_BITS_LOCAL_MASK)
		    | MACH_MSG_TYPE_PROTECTED_PAYLOAD << 8;
	}
	memset(host_answer.octets, OLD_OCTET, MESSAGE_MAX);
	host_known = host_demux(request, &reply->Head);
	host_answer.size = reply->Head.msgh_size;
	if ((reply->Head.msgh_bits & MACH_MSGH_BITS_COMPLEX) == 0 && reply->RetCode != KERN_SUCCESS) {
		if (reply->RetCode == MIG_NO_REPLY)
			return FALSE;
		request->msgh_remote_port = MACH_PORT_NULL;
		mach_msg_destroy(request);
	}
	return reply->Head.msgh_remote_port != MACH_PORT_NULL;
}

mach_msg_return_t mach_msg(mach_msg_header_t *msg, mach_msg_option_t option, mach_msg_size_t send_size,
    mach_msg_size_t rcv_size, mach_port_t rcv_name, mach_msg_timeout_t timeout, mach_port_t notify)
{
	mach_msg_return_t result = host_result;
	boolean_t replied;

	(void)notify;
	host_result = MACH_MSG_SUCCESS;
	host_sent.size = send_size;
	host_sent.option = option, host_sent.room = rcv_size;
	host_sent.port = rcv_name, host_sent.timeout = timeout;
	memcpy(host_sent.octets, msg, send_size);
	if (result != MACH_MSG_SUCCESS)
		return result;
	if (host_forged != 0) {
		host_reply.size = host_forged;
		host_forged = 0;
	} else {
		deliver(&host_came, &host_sent, send_size);
		replied = serve();
		if ((option & MACH_RCV_MSG) == 0)
			return MACH_MSG_SUCCESS;
		if (!replied)
			return MACH_RCV_TIMED_OUT;
		deliver(&host_reply, &host_answer, host_answer.size);
	}
	if (host_reply.size > rcv_size)
		return MACH_RCV_TOO_LARGE;
	memcpy(msg, host_reply.octets, host_reply.size);
	return MACH_MSG_SUCCESS;
}

void host_reset(mach_msg_demux_t demux)
{
	host_demux = demux;
	host_result = MACH_MSG_SUCCESS;
	host_forged = host_events = 0;
	host_payload = host_seqno = 0;
	host_no_memory = FALSE;
	memset(host_sent.octets, 0, 256);
	mig_init(NULL);
}
