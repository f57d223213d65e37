/* mach-abi.md 1.6: a vm_allocate request and its reply, octet by octet. */
#include "conform.h"

struct request {
	mach_msg_header_t head;
	uint64_t address_type, address, size_type, size, anywhere_type;
	int anywhere, pad;
};

struct reply {
	mach_msg_header_t head;
	uint64_t code_type;
	int code, pad;
	uint64_t address_type, address;
};

_Static_assert(sizeof(struct request) == 80 && sizeof(struct reply) == 64, "sizes");

static struct request request_of(mach_port_t task, mach_port_t reply, uint64_t address, uint64_t size, int anywhere)
{
	return (struct request){
	    .head = {.msgh_bits = 0x1513, .msgh_remote_port = task, .msgh_local_port = reply, .msgh_id = 2021},
	    .address_type = 0x000000012000400b,
	    .address = address,
	    .size_type = 0x000000012000400b,
	    .size = size,
	    .anywhere_type = 0x0000000120002000,
	    .anywhere = anywhere,
	};
}

int main(void)
{
	mach_port_t task = mach_task_self(), reply_port = new_port();
	union {
		struct request request;
		struct reply reply;
		inbox_t inbox;
	} m;

	m.request = request_of(task, reply_port, 0, 100, TRUE);
	CHECK(mach_msg(&m.request.head, MACH_SEND_MSG | MACH_RCV_MSG, 80, sizeof m, reply_port, 0, 0) ==
	    MACH_MSG_SUCCESS);
	CHECK(m.reply.head.msgh_bits == 0x1200);
	CHECK(m.reply.head.msgh_size == 64 && m.reply.head.msgh_id == 2121 && m.reply.head.msgh_seqno == 0);
	CHECK(m.reply.head.msgh_remote_port == MACH_PORT_NULL && m.reply.head.msgh_local_port == reply_port);
	CHECK(m.reply.code_type == 0x0000000120002002 && m.reply.code == KERN_SUCCESS);
	CHECK(m.reply.address_type == 0x000000012000400b);
	vm_address_t address = m.reply.address;
	CHECK(*(volatile char *)address == 0);

	/* An error's reply is its first 48 octets. */
	m.request = request_of(task, reply_port, address, PAGE_SIZE, FALSE);
	CHECK(mach_msg(&m.request.head, MACH_SEND_MSG | MACH_RCV_MSG, 80, sizeof m, reply_port, 0, 0) ==
	    MACH_MSG_SUCCESS);
	CHECK(m.reply.head.msgh_size == 48 && m.reply.head.msgh_id == 2121 && m.reply.head.msgh_seqno == 1);
	CHECK(m.reply.code_type == 0x0000000120002002 && m.reply.code == KERN_NO_SPACE);
	CHECK(vm_deallocate(task, address, 100) == KERN_SUCCESS);
	return 0;
}
