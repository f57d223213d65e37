/* mach-abi.md 2.7: MACH_SEND_CANCEL and MACH_RCV_NOTIFY. */
#include "conform.h"

static mach_port_t port, notify, other;

static mach_msg_return_t send(mach_port_t to, int how, mach_port_t reply, int reply_how, int option)
{
	mach_msg_header_t head = header_to(to, how, 1);

	head.msgh_bits |= MACH_MSGH_BITS(0, reply_how);
	head.msgh_local_port = reply;
	return mach_msg(&head, SEND_BY_TIME | option, sizeof head, 0, 0, 0, notify);
}

static mach_msg_return_t receive(inbox_t *in, mach_port_t tell)
{
	memset(in, 0, sizeof *in);
	return mach_msg(&in->head, RECEIVE_BY_TIME | MACH_RCV_NOTIFY, 0, sizeof *in, port, 0, tell);
}

static int cancel(void)
{
	mach_port_t once = make_once(port);

	/* The name goes: its request goes with it.  Without the option it would tell. */
	CHECK(request_on(once, MACH_NOTIFY_DEAD_NAME, 0, notify) == KERN_SUCCESS);
	CHECK(send(once, MACH_MSG_TYPE_MOVE_SEND_ONCE, 0, 0, MACH_SEND_CANCEL) == MACH_MSG_SUCCESS);
	CHECK(fetch_id(notify) == -1 && status_of(notify).mps_sorights == 0);
	once = make_once(port);
	CHECK(request_on(once, MACH_NOTIFY_DEAD_NAME, 0, notify) == KERN_SUCCESS);
	CHECK(send(once, MACH_MSG_TYPE_MOVE_SEND_ONCE, 0, 0, 0) == MACH_MSG_SUCCESS);
	CHECK(fetch_id(notify) == MACH_NOTIFY_PORT_DELETED);
	/* Another's request is not cancelled. */
	once = make_once(port);
	CHECK(request_on(once, MACH_NOTIFY_DEAD_NAME, 0, other) == KERN_SUCCESS);
	CHECK(send(once, MACH_MSG_TYPE_MOVE_SEND_ONCE, 0, 0, MACH_SEND_CANCEL) == MACH_MSG_SUCCESS);
	CHECK(fetch_id(other) == MACH_NOTIFY_PORT_DELETED && fetch_id(notify) == -1);
	/* Nor one on a name that stays. */
	mach_port_t stays = new_port_with(1);
	CHECK(request_on(stays, MACH_NOTIFY_DEAD_NAME, 0, notify) == KERN_SUCCESS);
	CHECK(send(stays, MACH_MSG_TYPE_MOVE_SEND, 0, 0, MACH_SEND_CANCEL) == MACH_MSG_SUCCESS);
	CHECK(fetch_id(notify) == -1);
	CHECK(type_of(stays) == (MACH_PORT_TYPE_RECEIVE | MACH_PORT_TYPE_DNREQUEST));
	CHECK(mach_port_destroy(mach_task_self(), stays) == KERN_SUCCESS);
	CHECK(fetch_id(notify) == MACH_NOTIFY_PORT_DELETED);
	while (fetch_id(port) != -1)
		;
	return 0;
}

static int watch(void)
{
	mach_port_t client = new_port();
	inbox_t in;

	/* `notify` must be a receive right, even if there is nothing to watch. */
	CHECK(send(port, MACH_MSG_TYPE_MAKE_SEND, client, MACH_MSG_TYPE_MAKE_SEND_ONCE, 0) == MACH_MSG_SUCCESS);
	CHECK(receive(&in, MACH_PORT_NULL) == MACH_RCV_INVALID_NOTIFY);
	CHECK(in.head.msgh_remote_port == MACH_PORT_NULL && in.head.msgh_local_port == port);
	CHECK(in.head.msgh_id == 1 && fetch_id(client) == MACH_NOTIFY_SEND_ONCE && fetch_id(port) == -1);
	CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, 2) == MACH_MSG_SUCCESS);
	CHECK(receive(&in, make_once(notify)) == MACH_RCV_INVALID_NOTIFY);

	/* A reply right under a new name is watched: its death is told. */
	CHECK(send(port, MACH_MSG_TYPE_MAKE_SEND, client, MACH_MSG_TYPE_MAKE_SEND_ONCE, 0) == MACH_MSG_SUCCESS);
	CHECK(receive(&in, notify) == MACH_MSG_SUCCESS);
	mach_port_t reply = in.head.msgh_remote_port;
	CHECK(type_of(reply) == (MACH_PORT_TYPE_SEND_ONCE | MACH_PORT_TYPE_DNREQUEST));
	CHECK(mach_port_destroy(mach_task_self(), client) == KERN_SUCCESS);
	CHECK(fetch(notify, &in) == MACH_MSG_SUCCESS);
	CHECK(in.head.msgh_id == MACH_NOTIFY_DEAD_NAME && in.dead_name.not_port == reply && deads(reply) == 2);

	/* Under a name that was there, and no reply right at all: not. */
	client = new_port();
	CHECK(send(port, MACH_MSG_TYPE_MAKE_SEND, client, MACH_MSG_TYPE_MAKE_SEND, 0) == MACH_MSG_SUCCESS);
	CHECK(receive(&in, notify) == MACH_MSG_SUCCESS && in.head.msgh_remote_port == client);
	CHECK(type_of(client) == MACH_PORT_TYPE_SEND_RECEIVE);
	CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, 3) == MACH_MSG_SUCCESS);
	CHECK(receive(&in, notify) == MACH_MSG_SUCCESS && status_of(notify).mps_sorights == 1); /* of above */
	return 0;
}

int main(void)
{
	port = new_port();
	notify = new_port();
	other = new_port();
	RUN(cancel());
	RUN(watch());
	return 0;
}
