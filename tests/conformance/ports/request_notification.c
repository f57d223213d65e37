/* mach-abi.md 5.8, 6.1: mach_port_request_notification: what is accepted, what was before. */
#include <mach/mig_errors.h>

#include "conform.h"

static mach_port_t self, notify;

static kern_return_t request(mach_port_t name, mach_msg_id_t id, mach_port_mscount_t sync, mach_port_t tell,
    mach_msg_type_name_t how, mach_port_t *previous)
{
	*previous = NO_NAME;
	return mach_port_request_notification(self, name, id, sync, tell, how, previous);
}

/* One-shot registrations replace each other; the earlier is returned, NULL cancels. */
static int replaces(mach_port_t name, mach_msg_id_t id, mach_port_mscount_t sync)
{
	mach_port_t previous, once = make_once(notify);

	CHECK(request(name, id, sync, notify, MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous) == KERN_SUCCESS);
	CHECK(previous == MACH_PORT_NULL && status_of(notify).mps_sorights == 2);
	CHECK(request(name, id, sync, once, MACH_MSG_TYPE_MOVE_SEND_ONCE, &previous) == KERN_SUCCESS);
	CHECK(type_of(previous) == MACH_PORT_TYPE_SEND_ONCE && type_of(once) == 0);
	CHECK(mach_port_deallocate(self, previous) == KERN_SUCCESS && fetch_id(notify) == MACH_NOTIFY_SEND_ONCE);
	CHECK(request(name, id, sync, MACH_PORT_NULL, MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous) == KERN_SUCCESS);
	CHECK(type_of(previous) == MACH_PORT_TYPE_SEND_ONCE);
	CHECK(mach_port_deallocate(self, previous) == KERN_SUCCESS && fetch_id(notify) == MACH_NOTIFY_SEND_ONCE);
	CHECK(request(name, id, sync, MACH_PORT_NULL, MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous) == KERN_SUCCESS);
	CHECK(previous == MACH_PORT_NULL && status_of(notify).mps_sorights == 0 && fetch_id(notify) == -1);
	return 0;
}

static int errors(void)
{
	static const mach_msg_id_t known[] = {MACH_NOTIFY_PORT_DESTROYED, MACH_NOTIFY_NO_SENDERS, MACH_NOTIFY_DEAD_NAME};
	static const mach_msg_id_t unknown[] = {0, 64, 65, 66, 67, 68, 71, 73, 79, -1};
	mach_port_t port = new_port_with(1), once = make_once(port), dead = new_dead_name(1), previous;
	mach_port_t set = allocate(MACH_PORT_RIGHT_PORT_SET), pure = new_port(), send = mach_host_self();

	for (unsigned int i = 0; i < sizeof known / sizeof known[0]; i++) {
		CHECK(request_on(NO_NAME, known[i], 0, notify) == KERN_INVALID_NAME);
		CHECK(request_on(set, known[i], 0, notify) == KERN_INVALID_RIGHT);
		/* What is told must be a send-once right. */
		CHECK(request(port, known[i], 0, notify, MACH_MSG_TYPE_MAKE_SEND, &previous) == MIG_BAD_ARGUMENTS);
		CHECK(request(port, known[i], 0, port, MACH_MSG_TYPE_COPY_SEND, &previous) == MIG_BAD_ARGUMENTS);
		CHECK(request(port, known[i], 0, MACH_PORT_DEAD, MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous) ==
		    KERN_INVALID_CAPABILITY);
	}
	CHECK(request(port, MACH_NOTIFY_DEAD_NAME, 0, dead, MACH_MSG_TYPE_MOVE_SEND_ONCE, &previous) ==
	    KERN_INVALID_CAPABILITY);
	dead = new_dead_name(1);
	for (unsigned int i = 0; i < 2; i++) { /* of receive rights */
		CHECK(request_on(once, known[i], 0, notify) == KERN_INVALID_RIGHT);
		CHECK(request_on(dead, known[i], 0, notify) == KERN_INVALID_RIGHT);
		CHECK(request_on(send, known[i], 0, notify) == KERN_INVALID_RIGHT);
	}
	for (unsigned int i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
		CHECK(request_on(port, unknown[i], 0, notify) == KERN_INVALID_VALUE);
	CHECK(request_on(port, MACH_NOTIFY_PORT_DESTROYED, 1, notify) == KERN_INVALID_VALUE);
	CHECK(mach_port_request_notification(mach_thread_self(), port, 72, 0, notify, 21, &previous) ==
	    KERN_INVALID_TASK);
	/* Each refusal destroyed the right that came with it. */
	int refused = 0;
	while (fetch_id(notify) == MACH_NOTIFY_SEND_ONCE)
		refused++;
	CHECK(refused > 0 && status_of(notify).mps_sorights == 0 && !status_of(notify).mps_srights);

	/* A dead name: with sync at once, with a reference; without, or to nobody, not. */
	inbox_t in;
	CHECK(request_on(dead, MACH_NOTIFY_DEAD_NAME, 0, notify) == KERN_INVALID_ARGUMENT);
	CHECK(fetch_id(notify) == MACH_NOTIFY_SEND_ONCE);
	CHECK(request(dead, MACH_NOTIFY_DEAD_NAME, 1, MACH_PORT_NULL, 21, &previous) == KERN_INVALID_ARGUMENT);
	CHECK(request(dead, MACH_NOTIFY_DEAD_NAME, 1, notify, 21, &previous) == KERN_SUCCESS);
	CHECK(previous == MACH_PORT_NULL && deads(dead) == 2);
	CHECK(fetch(notify, &in) == MACH_MSG_SUCCESS && in.head.msgh_id == MACH_NOTIFY_DEAD_NAME);
	CHECK(in.dead_name.not_port == dead);
	CHECK(mach_port_mod_refs(self, dead, MACH_PORT_RIGHT_DEAD_NAME, 65533) == KERN_SUCCESS && deads(dead) == 65535);
	CHECK(request_on(dead, MACH_NOTIFY_DEAD_NAME, 1, notify) == KERN_UREFS_OVERFLOW);
	CHECK(fetch_id(notify) == MACH_NOTIFY_SEND_ONCE && deads(dead) == 65535);

	/* A full name that dies still is told of, though its reference finds no room. */
	CHECK(mach_port_mod_refs(self, port, MACH_PORT_RIGHT_SEND, 65533) == KERN_SUCCESS);
	CHECK(request_on(port, MACH_NOTIFY_DEAD_NAME, 0, notify) == KERN_SUCCESS);
	CHECK(kill_port(port) == KERN_SUCCESS && deads(port) == 65535);
	CHECK(fetch_id(notify) == MACH_NOTIFY_DEAD_NAME);
	CHECK(type_of(pure) == MACH_PORT_TYPE_RECEIVE);
	return 0;
}

int main(void)
{
	mach_port_t port = new_port_with(1);

	self = mach_task_self();
	notify = new_port();
	RUN(replaces(port, MACH_NOTIFY_DEAD_NAME, 0));
	RUN(replaces(port, MACH_NOTIFY_PORT_DESTROYED, 0));
	RUN(replaces(port, MACH_NOTIFY_NO_SENDERS, 0));
	RUN(replaces(new_port(), MACH_NOTIFY_NO_SENDERS, 1));
	RUN(replaces(make_once(port), MACH_NOTIFY_DEAD_NAME, 0));
	RUN(replaces(new_port(), MACH_NOTIFY_DEAD_NAME, 0));
	RUN(errors());
	return 0;
}
