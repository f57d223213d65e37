/* An RPC whose request carries a page out of line: the server reads it and gives it back. */
#include "bench.h"

#define REQUEST 5001

struct request {
	mach_msg_header_t header;
	mach_msg_type_long_t type;
	vm_address_t region;
};

static char page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE))) = {1};

int bench_region_client(uint64_t rounds, uint64_t count, mach_port_t port)
{
	mach_port_t reply = mach_reply_port();
	struct request message;

	while (rounds-- > 0) {
		bench_begin();
		for (uint64_t i = 0; i < count; i++) {
			message = (struct request){
			    .header = {
			        .msgh_bits = MACH_MSGH_BITS_COMPLEX
			            | MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE),
			        .msgh_remote_port = port,
			        .msgh_local_port = reply,
			        .msgh_id = REQUEST,
			    },
			    .type = {
			        .msgtl_name = MACH_MSG_TYPE_BYTE,
			        .msgtl_size = 8,
			        .msgtl_longform = 1,
			        .msgtl_number = PAGE_SIZE,
			    },
			    .region = (vm_address_t)page,
			};
			if (mach_msg_trap(&message.header, MACH_SEND_MSG | MACH_RCV_MSG, sizeof message,
			    sizeof message, reply, 0, MACH_PORT_NULL) != MACH_MSG_SUCCESS)
				return 1;
			if (message.header.msgh_id != REQUEST + 100)
				return 2;
		}
		bench_end(port);
	}
	return 0;
}

/* Answers for ever. */
int bench_region_server(uint64_t rounds, uint64_t count, mach_port_t port)
{
	static struct request message;
	mach_msg_option_t reply = 0;

	(void)rounds, (void)count;
	for (;;) {
		if (mach_msg_trap(&message.header, MACH_RCV_MSG | reply, sizeof message.header, sizeof message, port,
		    0, MACH_PORT_NULL) != MACH_MSG_SUCCESS || *(volatile char *)message.region != 1)
			return 1;
		if (syscall_vm_deallocate(mach_task_self(), message.region, PAGE_SIZE) != KERN_SUCCESS)
			return 2;
		message.header.msgh_bits &= MACH_MSGH_BITS_REMOTE_MASK;
		message.header.msgh_local_port = MACH_PORT_NULL;
		message.header.msgh_id += 100;
		reply = MACH_SEND_MSG;
	}
}
