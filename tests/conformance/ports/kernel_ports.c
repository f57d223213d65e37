/* mach-abi.md 5.11: requests to the ports that the kernel receives from. */
#include <mach/mig_errors.h>

#include "conform.h"

typedef struct {
	mach_msg_header_t head;
	mach_msg_type_t name_type;
	mach_port_t name;
	mach_msg_type_t right_type;
	mach_port_name_inlined_t right;
	char room[128];
} call_t;

#define CALL_SIZE 64

static mach_port_t reply;
static call_t call;

/* Send `size` octets of `call` as request `id` and receive the reply into it; its RetCode. */
static int rpc(mach_port_t to, mach_msg_id_t id, mach_msg_size_t size)
{
	call.head.msgh_bits = (call.head.msgh_bits & MACH_MSGH_BITS_COMPLEX) |
	    MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	call.head.msgh_remote_port = to;
	call.head.msgh_local_port = reply;
	call.head.msgh_id = id;
	if (mach_msg(&call.head, MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_TIMEOUT, size, sizeof call, reply, 0, 0) !=
	    MACH_MSG_SUCCESS)
		return -1;
	return ((mig_reply_header_t *)&call)->RetCode;
}

static void fill(mach_port_t name, mach_port_t right, mach_msg_type_name_t use)
{
	call = (call_t){
	    .head = {.msgh_bits = MACH_MSGH_BITS_COMPLEX},
	    .name_type = {.msgt_name = MACH_MSG_TYPE_PORT_NAME, .msgt_size = 32, .msgt_number = 1, .msgt_inline = TRUE},
	    .name = name,
	    .right_type = {.msgt_name = use, .msgt_size = 64, .msgt_number = 1, .msgt_inline = TRUE},
	    .right = {.name = right},
	};
}

int main(void)
{
	mach_port_t self = mach_task_self(), port = new_port(), moved;

	reply = new_port();
	/* Executed while it is sent: its reply is there at once, with the request's id + 100. */
	fill(port, 0, 0);
	call.head.msgh_bits = 0;
	CHECK(rpc(self, 3201, 48) == KERN_SUCCESS && call.head.msgh_id == 3301 && call.head.msgh_size == 64);
	CHECK(call.head.msgh_bits == MACH_MSGH_BITS(0, MACH_MSG_TYPE_PORT_SEND_ONCE));

	/* Ids nobody knows, skipped ones among them. */
	static const mach_msg_id_t unknown[] = {0, 1, 3209, 3219, 3223, 99999, -1};
	for (unsigned int i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
		fill(port, new_port_with(1), MACH_MSG_TYPE_MOVE_SEND);
		moved = call.right.name;
		CHECK(rpc(self, unknown[i], CALL_SIZE) == MIG_BAD_ID);
		CHECK(call.head.msgh_size == 48 && call.head.msgh_id == unknown[i] + 100);
		CHECK(type_of(moved) == MACH_PORT_TYPE_RECEIVE && !status_of(moved).mps_srights);
	}

	/* Malformed: too short, too long, another type, not complex. */
	fill(port, 0, 0);
	call.head.msgh_bits = 0;
	CHECK(rpc(self, 3201, 32) == MIG_BAD_ARGUMENTS && call.head.msgh_size == 48 && call.head.msgh_id == 3301);
	fill(port, 0, 0);
	call.head.msgh_bits = 0;
	CHECK(rpc(self, 3201, 56) == MIG_BAD_ARGUMENTS);
	fill(port, 0, 0);
	call.head.msgh_bits = 0;
	call.name_type.msgt_name = MACH_MSG_TYPE_CHAR;
	CHECK(rpc(self, 3201, 48) == MIG_BAD_ARGUMENTS);
	moved = new_port_with(1);
	fill(0x6600, moved, MACH_MSG_TYPE_MOVE_SEND);
	call.name_type.msgt_name = MACH_MSG_TYPE_INTEGER_32;
	CHECK(rpc(self, 3215, CALL_SIZE) == MIG_BAD_ARGUMENTS);
	CHECK(type_of(moved) == MACH_PORT_TYPE_RECEIVE && !status_of(moved).mps_srights); /* destroyed */
	fill(0x6600, 0x77, MACH_MSG_TYPE_MAKE_SEND);
	call.head.msgh_bits = 0;
	CHECK(rpc(self, 3215, CALL_SIZE) == MIG_BAD_ARGUMENTS);

	/* An error destroys what the request carries but for the reply right. */
	moved = new_port_with(2);
	fill(port, moved, MACH_MSG_TYPE_MOVE_SEND);
	CHECK(rpc(self, 3215, CALL_SIZE) == KERN_NAME_EXISTS);
	CHECK(sends(moved) == 1);
	moved = new_port_with(1);
	fill(port, moved, MACH_MSG_TYPE_MOVE_RECEIVE);
	CHECK(rpc(self, 3215, CALL_SIZE) == KERN_NAME_EXISTS && type_of(moved) == MACH_PORT_TYPE_DEAD_NAME);

	/* Without a reply port it is executed all the same. */
	fill(0x6700, port, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	call.head.msgh_remote_port = self;
	call.head.msgh_bits |= MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
	call.head.msgh_id = 3215;
	CHECK(mach_msg(&call.head, MACH_SEND_MSG, CALL_SIZE, 0, 0, 0, 0) == MACH_MSG_SUCCESS);
	CHECK(type_of(0x6700) == MACH_PORT_TYPE_SEND_ONCE);

	/* A reply does not wait for room, and a reply port may be any port. */
	CHECK(mach_port_set_qlimit(self, reply, 0) == KERN_SUCCESS);
	fill(port, 0, 0);
	call.head.msgh_bits = 0;
	CHECK(rpc(self, 3201, 48) == KERN_SUCCESS);
	/* The kernel's ports are no receive rights of ours. */
	CHECK(type_of(self) == MACH_PORT_TYPE_SEND);
	CHECK(kill_port(self) == KERN_INVALID_RIGHT);
	return 0;
}
