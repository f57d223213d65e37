/* The null RPC: a message of 64 octets there and back, one trap a side. */
#include "bench.h"

#include <machemu/server.h>

#define REQUEST 5000

struct message {
	mach_msg_header_t header;
	uint64_t body[4];
};

int bench_client(uint64_t rounds, uint64_t count, mach_port_t port)
{
	static struct message message;
	mach_port_t reply = mach_reply_port();

	if (port == MACH_PORT_NULL && server_look_up("bench", &port) != KERN_SUCCESS)
		return 3;
	while (rounds-- > 0) {
		bench_begin();
		for (uint64_t i = 0; i < count; i++) {
			message.header.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
			    MACH_MSG_TYPE_MAKE_SEND_ONCE);
			message.header.msgh_remote_port = port;
			message.header.msgh_local_port = reply;
			message.header.msgh_id = REQUEST;
			message.body[0] = i;
			if (mach_msg_trap(&message.header, MACH_SEND_MSG | MACH_RCV_MSG, sizeof message,
			    sizeof message, reply, 0, MACH_PORT_NULL) != MACH_MSG_SUCCESS)
				return 1;
			if (message.header.msgh_id != REQUEST + 100 || message.body[0] != i + 1)
				return 2;
		}
		bench_end(port);
	}
	return 0;
}

/* Answers for ever. */
int bench_echo(uint64_t rounds, uint64_t count, mach_port_t port)
{
	static struct message message;
	mach_msg_option_t reply = 0;

	if (port == MACH_PORT_NULL)
		port = server_check_in("bench");
	(void)rounds, (void)count;
	for (;;) {
		if (mach_msg_trap(&message.header, MACH_RCV_MSG | reply, sizeof message, sizeof message, port, 0,
		    MACH_PORT_NULL) != MACH_MSG_SUCCESS) {
			reply = 0;
			continue;
		}
		/* The reply right came in the remote field, with its disposition. */
		message.header.msgh_bits &= MACH_MSGH_BITS_REMOTE_MASK;
		message.header.msgh_local_port = MACH_PORT_NULL;
		message.header.msgh_id += 100;
		message.body[0]++;
		reply = MACH_SEND_MSG;
	}
}
