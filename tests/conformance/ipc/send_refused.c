/* mach-abi.md 2.2, 2.3: a header that is refused changes nothing, and what is checked first. */
#include "conform.h"

static mach_port_t port, dead;

/* Send a header with these two ports and dispositions. */
static mach_msg_return_t send(mach_port_t to, int how, mach_port_t reply, int reply_how, mach_msg_option_t option,
    mach_port_t notify)
{
	mach_msg_header_t head = header_to(to, how, 1);

	head.msgh_bits |= MACH_MSGH_BITS(0, reply_how);
	head.msgh_local_port = reply;
	return mach_msg(&head, SEND_BY_TIME | option, sizeof head, 0, 0, 0, notify);
}

static int memory(void)
{
	vm_address_t page = 0;
	mach_msg_header_t *head;

	CHECK(mach_msg((mach_msg_header_t *)64, MACH_SEND_MSG, 32, 0, 0, 0, 0) == MACH_SEND_INVALID_DATA);
	CHECK(vm_allocate(mach_task_self(), &page, 2 * PAGE_SIZE, TRUE) == KERN_SUCCESS);
	CHECK(vm_deallocate(mach_task_self(), page + PAGE_SIZE, PAGE_SIZE) == KERN_SUCCESS);
	head = (mach_msg_header_t *)(page + PAGE_SIZE - 32);
	*head = header_to(port, MACH_MSG_TYPE_MAKE_SEND, 1);
	CHECK(mach_msg(head, MACH_SEND_MSG, 40, 0, 0, 0, 0) == MACH_SEND_INVALID_DATA);
	CHECK(mach_msg(head, MACH_SEND_MSG, 32, 0, 0, 0, 0) == MACH_MSG_SUCCESS);
	CHECK(fetch_id(port) == 1);
	/* Its size is looked at before its memory. */
	CHECK(mach_msg((mach_msg_header_t *)64, MACH_SEND_MSG, 31, 0, 0, 0, 0) == MACH_SEND_MSG_TOO_SMALL);
	CHECK(mach_msg((mach_msg_header_t *)64, MACH_SEND_MSG | MACH_SEND_CANCEL, 32, 0, 0, 0, 0) ==
	    MACH_SEND_INVALID_DATA);
	return 0;
}

static int headers(void)
{
	static const int bad[] = {0, 1, 16, 22, 23, 255};

	/* The destination's disposition is one of 17 to 21; the reply's too, or 0 with no name. */
	for (unsigned int i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		CHECK(send(port, bad[i], 0, 0, 0, 0) == MACH_SEND_INVALID_HEADER);
		CHECK(send(NO_NAME, bad[i], NO_NAME, 20, 0, 0) == MACH_SEND_INVALID_HEADER);
		CHECK(send(port, 20, port, bad[i], 0, 0) == MACH_SEND_INVALID_HEADER);
		if (bad[i] != 0)
			CHECK(send(port, 20, MACH_PORT_NULL, bad[i], 0, 0) == MACH_SEND_INVALID_HEADER);
	}
	CHECK(send(port, 20, MACH_PORT_DEAD, 0, 0, 0) == MACH_SEND_INVALID_HEADER);
	/* CANCEL without `notify` comes before the dispositions; with a bad one, after. */
	CHECK(send(port, 0, 0, 0, MACH_SEND_CANCEL, MACH_PORT_NULL) == MACH_SEND_INVALID_NOTIFY);
	CHECK(send(port, 0, 0, 0, MACH_SEND_CANCEL, NO_NAME) == MACH_SEND_INVALID_HEADER);
	CHECK(send(NO_NAME, 17, 0, 0, MACH_SEND_CANCEL, NO_NAME) == MACH_SEND_INVALID_NOTIFY);
	CHECK(send(NO_NAME, 17, 0, 0, MACH_SEND_CANCEL, dead) == MACH_SEND_INVALID_NOTIFY);
	CHECK(send(NO_NAME, 17, 0, 0, MACH_SEND_CANCEL, port) == MACH_SEND_INVALID_DEST);
	return 0;
}

static int names(void)
{
	mach_port_t sender = new_port_with(1), once = make_once(port), set = allocate(MACH_PORT_RIGHT_PORT_SET);
	mach_port_t receiver = new_port();

	/* The names' existence: destination, then reply. */
	CHECK(send(NO_NAME, 19, NO_NAME, 19, 0, 0) == MACH_SEND_INVALID_DEST);
	CHECK(send(MACH_PORT_NULL, 19, 0, 0, 0, 0) == MACH_SEND_INVALID_DEST);
	CHECK(send(MACH_PORT_DEAD, 19, 0, 0, 0, 0) == MACH_SEND_INVALID_DEST);
	/* Their rights: reply, then destination. */
	CHECK(send(receiver, 19, NO_NAME, 19, 0, 0) == MACH_SEND_INVALID_REPLY);
	CHECK(send(receiver, 19, receiver, 19, 0, 0) == MACH_SEND_INVALID_REPLY);
	CHECK(send(dead, 19, receiver, 17, 0, 0) == MACH_SEND_INVALID_REPLY);
	/* What each disposition does not take. */
	CHECK(send(receiver, 17, 0, 0, 0, 0) == MACH_SEND_INVALID_DEST);
	CHECK(send(receiver, 18, 0, 0, 0, 0) == MACH_SEND_INVALID_DEST);
	CHECK(send(receiver, 19, 0, 0, 0, 0) == MACH_SEND_INVALID_DEST);
	CHECK(send(sender, 18, 0, 0, 0, 0) == MACH_SEND_INVALID_DEST);
	for (int how = 17; how <= 21; how++) {
		if (how != 18)
			CHECK(send(once, how, 0, 0, 0, 0) == MACH_SEND_INVALID_DEST);
		CHECK(send(set, how, 0, 0, 0, 0) == MACH_SEND_INVALID_DEST);
		CHECK(send(dead, how, 0, 0, 0, 0) == MACH_SEND_INVALID_DEST);
		CHECK(send(port, 20, set, how, 0, 0) == MACH_SEND_INVALID_REPLY);
		if (how != 18)
			CHECK(send(port, 20, once, how, 0, 0) == MACH_SEND_INVALID_REPLY);
	}
	CHECK(send(port, 20, dead, 20, 0, 0) == MACH_SEND_INVALID_REPLY);
	CHECK(send(port, 20, dead, 21, 0, 0) == MACH_SEND_INVALID_REPLY);
	CHECK(send(port, 20, receiver, 18, 0, 0) == MACH_SEND_INVALID_REPLY);

	/* Nothing was taken, made or sent. */
	CHECK(sends(sender) == 1 && deads(dead) == 1 && type_of(once) == MACH_PORT_TYPE_SEND_ONCE);
	CHECK(status_of(receiver).mps_mscount == 0 && status_of(receiver).mps_sorights == 0);
	CHECK(status_of(port).mps_mscount == 1 && status_of(port).mps_sorights == 1);
	CHECK(fetch_id(port) == -1 && fetch_id(sender) == -1);
	return 0;
}

int main(void)
{
	port = new_port();
	dead = new_dead_name(1);
	RUN(memory());
	RUN(headers());
	RUN(names());
	return 0;
}
