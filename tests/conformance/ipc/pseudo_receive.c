/* mach-abi.md 2.5: a message that could not be sent is given back as if received. */
#include "conform.h"

typedef struct {
	mach_msg_header_t head;
	mach_msg_type_t type;
	mach_port_name_inlined_t right;
	mach_msg_type_long_t data_type;
	char *data;
	mach_msg_type_long_t names_type;
	mach_port_t *names;
} message_t;

static mach_port_t full;

static mach_msg_return_t send(mach_msg_header_t *head, mach_port_t to, int how, mach_port_t reply, int reply_how)
{
	*head = header_to(to, how, 77);
	head->msgh_bits |= MACH_MSGH_BITS(0, reply_how);
	head->msgh_local_port = reply;
	return mach_msg(head, SEND_BY_TIME, sizeof *head, 0, 0, 0, 0);
}

static int headers(void)
{
	mach_port_t reply = new_port_with(1), once = make_once(reply), dead = new_dead_name(2);
	mach_msg_header_t head;

	/* The ports stay on their sides; COPY_SEND has become a reference more. */
	CHECK(send(&head, full, MACH_MSG_TYPE_COPY_SEND, reply, MACH_MSG_TYPE_COPY_SEND) == MACH_SEND_TIMED_OUT);
	CHECK(head.msgh_bits == MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND, MACH_MSG_TYPE_MOVE_SEND));
	CHECK(head.msgh_remote_port == full && head.msgh_local_port == reply);
	CHECK(head.msgh_size == sizeof head && head.msgh_id == 77);
	CHECK(sends(full) == 2 && sends(reply) == 2);
	/* As it is now it can be tried again, any number of times. */
	for (int i = 0; i < 3; i++)
		CHECK(mach_msg(&head, SEND_BY_TIME, sizeof head, 0, 0, 0, 0) == MACH_SEND_TIMED_OUT);
	CHECK(sends(full) == 2 && sends(reply) == 2);

	CHECK(send(&head, full, MACH_MSG_TYPE_MAKE_SEND, reply, MACH_MSG_TYPE_MAKE_SEND) == MACH_SEND_TIMED_OUT);
	CHECK(head.msgh_bits == MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND, MACH_MSG_TYPE_MOVE_SEND));
	CHECK(sends(full) == 3 && sends(reply) == 3);
	CHECK(send(&head, full, MACH_MSG_TYPE_MOVE_SEND, reply, MACH_MSG_TYPE_MOVE_SEND) == MACH_SEND_TIMED_OUT);
	CHECK(sends(full) == 3 && sends(reply) == 3);

	/* MAKE_SEND_ONCE: a name that was not there. */
	CHECK(send(&head, full, MACH_MSG_TYPE_COPY_SEND, reply, MACH_MSG_TYPE_MAKE_SEND_ONCE) == MACH_SEND_TIMED_OUT);
	CHECK(MACH_MSGH_BITS_LOCAL(head.msgh_bits) == MACH_MSG_TYPE_MOVE_SEND_ONCE);
	CHECK(head.msgh_local_port != reply && type_of(head.msgh_local_port) == MACH_PORT_TYPE_SEND_ONCE);
	mach_msg_destroy(&head); /* the remote port's right only, as of a message received */
	CHECK(mach_port_deallocate(mach_task_self(), head.msgh_local_port) == KERN_SUCCESS);
	CHECK(fetch_id(reply) == MACH_NOTIFY_SEND_ONCE && sends(full) == 3);
	CHECK(send(&head, full, MACH_MSG_TYPE_COPY_SEND, once, MACH_MSG_TYPE_MOVE_SEND_ONCE) == MACH_SEND_TIMED_OUT);
	CHECK(type_of(head.msgh_local_port) == MACH_PORT_TYPE_SEND_ONCE);

	/* No reply, a dead one. */
	CHECK(send(&head, full, MACH_MSG_TYPE_COPY_SEND, 0, 0) == MACH_SEND_TIMED_OUT);
	CHECK(head.msgh_local_port == MACH_PORT_NULL && MACH_MSGH_BITS_LOCAL(head.msgh_bits) == 0);
	CHECK(send(&head, full, MACH_MSG_TYPE_COPY_SEND, dead, MACH_MSG_TYPE_MOVE_SEND) == MACH_SEND_TIMED_OUT);
	CHECK(head.msgh_local_port == MACH_PORT_DEAD && deads(dead) == 1);
	return 0;
}

static int bodies(void)
{
	mach_port_t right = new_port(), names[2] = {new_port_with(1), MACH_PORT_DEAD}, name = names[0];
	vm_address_t page = 0;
	message_t m;

	CHECK(vm_allocate(mach_task_self(), &page, PAGE_SIZE, TRUE) == KERN_SUCCESS);
	memset((char *)page, 'x', 100);
	m = (message_t){
	    .head = header_to(full, MACH_MSG_TYPE_COPY_SEND, 78),
	    .type = {.msgt_name = MACH_MSG_TYPE_MAKE_SEND_ONCE, .msgt_size = 64, .msgt_number = 1, .msgt_inline = TRUE},
	    .right = {.name = right},
	    .data_type = {.msgtl_name = MACH_MSG_TYPE_CHAR, .msgtl_size = 8, .msgtl_number = 100, .msgtl_longform = TRUE,
		.msgtl_deallocate = TRUE},
	    .data = (char *)page,
	    .names_type = {.msgtl_name = MACH_MSG_TYPE_COPY_SEND, .msgtl_size = 32, .msgtl_number = 2,
		.msgtl_longform = TRUE},
	    .names = names,
	};
	m.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
	CHECK(mach_msg(&m.head, SEND_BY_TIME, sizeof m, 0, 0, 0, 0) == MACH_SEND_TIMED_OUT);
	CHECK(m.head.msgh_bits == (MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND, 0) | MACH_MSGH_BITS_COMPLEX));
	CHECK(m.type.msgt_name == MACH_MSG_TYPE_MOVE_SEND_ONCE && type_of(m.right.name) == MACH_PORT_TYPE_SEND_ONCE);
	CHECK(m.data_type.msgtl_deallocate && memcmp(m.data, "xxxx", 4) == 0);
	CHECK(m.names_type.msgtl_name == MACH_MSG_TYPE_MOVE_SEND && m.names_type.msgtl_deallocate);
	CHECK(m.names != names && m.names[0] == name && m.names[1] == MACH_PORT_DEAD && sends(name) == 2);
	/* Again, and then into a queue with room: nothing is lost and nothing too much. */
	CHECK(mach_msg(&m.head, SEND_BY_TIME, sizeof m, 0, 0, 0, 0) == MACH_SEND_TIMED_OUT);
	CHECK(sends(name) == 2 && status_of(right).mps_sorights == 1);
	CHECK(mach_port_set_qlimit(mach_task_self(), full, 1) == KERN_SUCCESS);
	CHECK(mach_msg(&m.head, SEND_BY_TIME, sizeof m, 0, 0, 0, 0) == MACH_MSG_SUCCESS);
	CHECK(sends(name) == 1 && type_of(m.right.name) == 0);
	return 0;
}

int main(void)
{
	full = new_port_with(1);
	CHECK(mach_port_set_qlimit(mach_task_self(), full, 0) == KERN_SUCCESS);
	RUN(headers());
	RUN(bodies());
	return 0;
}
