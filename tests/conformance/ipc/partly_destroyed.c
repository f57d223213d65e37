/* mach-abi.md 2.4: a bad item in a body; what came before it is destroyed. */
#include "conform.h"

typedef struct {
	mach_msg_header_t head;
	mach_msg_type_t pair_type;
	mach_port_name_inlined_t pair[2];
	mach_msg_type_long_t data_type;
	char *data;
	mach_msg_type_t bad_type;
	mach_port_name_inlined_t bad;
	mach_msg_type_t last_type;
	mach_port_name_inlined_t last;
} message_t;

static mach_port_t port, reply, once, moved, last;

static message_t full(void)
{
	static const mach_msg_type_t right = {.msgt_size = 64, .msgt_number = 1, .msgt_inline = TRUE};
	vm_address_t page = 0;
	message_t m;

	vm_allocate(mach_task_self(), &page, PAGE_SIZE, TRUE);
	once = make_once(reply);
	moved = new_port_with(1);
	last = new_port_with(1);
	m = (message_t){
	    .head = {.msgh_bits = MACH_MSGH_BITS(17, 21) | MACH_MSGH_BITS_COMPLEX, .msgh_remote_port = port,
		.msgh_local_port = reply},
	    .pair_type = right, .bad_type = right, .last_type = right,
	    .data_type = {.msgtl_name = MACH_MSG_TYPE_BYTE, .msgtl_size = 8, .msgtl_number = 16, .msgtl_longform = TRUE,
		.msgtl_deallocate = TRUE},
	    .data = (char *)page,
	    .bad = {.name = last}, .last = {.name = last},
	};
	m.pair_type.msgt_number = 2;
	m.pair_type.msgt_name = MACH_MSG_TYPE_MOVE_SEND;
	m.pair[0].name = moved;
	m.pair[1].name = moved; /* has but one */
	m.bad_type.msgt_name = MACH_MSG_TYPE_COPY_SEND;
	m.last_type.msgt_name = MACH_MSG_TYPE_MOVE_SEND;
	return m;
}

static mach_msg_return_t send(message_t *m)
{
	return mach_msg(&m->head, SEND_BY_TIME, sizeof *m, 0, 0, 0, 0);
}

/* The header's rights were taken and destroyed: one send right less, and a notification. */
static int header_is_gone(mach_port_urefs_t left)
{
	CHECK(sends(port) == left);
	CHECK(fetch_id(reply) == MACH_NOTIFY_SEND_ONCE);
	CHECK(fetch_id(reply) == -1);
	CHECK(fetch_id(port) == -1);
	CHECK(sends(last) == 1); /* behind the bad item: untouched */
	return 0;
}

int main(void)
{
	message_t m;

	port = new_port_with(4);
	reply = new_port();

	/* The second of two rights: the first is destroyed; the region behind stays. */
	m = full();
	CHECK(send(&m) == MACH_SEND_INVALID_RIGHT);
	RUN(header_is_gone(3));
	CHECK(sends(moved) == 0 && is_mapped(m.data));

	/* A bad descriptor behind the region, which is lost. */
	m = full();
	m.pair_type.msgt_number = 0;
	m.pair_type = (mach_msg_type_t){.msgt_name = MACH_MSG_TYPE_INTEGER_64, .msgt_size = 64, .msgt_number = 2,
	    .msgt_inline = TRUE};
	m.bad_type.msgt_unused = 1;
	CHECK(send(&m) == MACH_SEND_INVALID_TYPE);
	RUN(header_is_gone(2));
	CHECK(!is_mapped(m.data));

	/* Memory that is not there.  Before it a receive right, whose port dies, and a send-once. */
	m = full();
	mach_port_t dies = new_port_with(1);
	m.pair_type.msgt_name = MACH_MSG_TYPE_MOVE_RECEIVE;
	m.pair_type.msgt_number = 2;
	m.pair[0].name = dies;
	m.pair[1].name = MACH_PORT_NULL;
	m.data = (char *)64;
	CHECK(send(&m) == MACH_SEND_INVALID_MEMORY);
	RUN(header_is_gone(1));
	CHECK(type_of(dies) == MACH_PORT_TYPE_DEAD_NAME);

	m = full();
	m.pair_type.msgt_name = MACH_MSG_TYPE_MOVE_SEND_ONCE;
	m.pair[0].name = once;
	m.pair[1].name = NO_NAME;
	CHECK(send(&m) == MACH_SEND_INVALID_RIGHT);
	CHECK(fetch_id(reply) == MACH_NOTIFY_SEND_ONCE); /* of the header */
	RUN(header_is_gone(0)); /* and of the body */
	CHECK(type_of(once) == 0);

	/* A body that is not one is found before anything is taken. */
	m = full();
	m.last_type.msgt_number = 2;
	m.head.msgh_bits = MACH_MSGH_BITS(20, 21) | MACH_MSGH_BITS_COMPLEX;
	CHECK(send(&m) == MACH_SEND_INVALID_DATA);
	CHECK(fetch_id(reply) == -1 && sends(moved) == 1 && is_mapped(m.data));
	return 0;
}
