/* mach-abi.md 6.1: mach_port_insert_right and mach_port_extract_right, across two spaces. */
#include <mach/mig_errors.h>

#include "conform.h"

static mach_port_t self, child;

static kern_return_t insert(mach_port_t name, mach_port_t right, mach_msg_type_name_t use)
{
	return mach_port_insert_right_rpc(child, name, right, use);
}

static int inserting(void)
{
	mach_port_t port = new_port(), other = new_port(), once;
	mach_port_urefs_t count = 0;

	/* Send rights merge where they are; nothing else does. */
	CHECK(insert(0x1100, port, MACH_MSG_TYPE_MAKE_SEND) == KERN_SUCCESS);
	CHECK(insert(0x1100, port, MACH_MSG_TYPE_MAKE_SEND) == KERN_SUCCESS);
	CHECK(mach_port_get_refs(child, 0x1100, MACH_PORT_RIGHT_SEND, &count) == KERN_SUCCESS && count == 2);
	CHECK(insert(0x1200, port, MACH_MSG_TYPE_MAKE_SEND) == KERN_RIGHT_EXISTS);
	CHECK(insert(0x1200, port, MACH_MSG_TYPE_MOVE_RECEIVE) == KERN_RIGHT_EXISTS);
	CHECK(type_of(port) == 0); /* moved first, refused then: destroyed */
	CHECK(type_in(child, 0x1100) == MACH_PORT_TYPE_DEAD_NAME);
	port = new_port_with(1);
	CHECK(insert(0x1300, port, MACH_MSG_TYPE_COPY_SEND) == KERN_SUCCESS);
	CHECK(insert(0x1300, other, MACH_MSG_TYPE_MAKE_SEND) == KERN_NAME_EXISTS);
	CHECK(insert(0x1300, other, MACH_MSG_TYPE_MAKE_SEND_ONCE) == KERN_NAME_EXISTS);
	CHECK(insert(0x1100, other, MACH_MSG_TYPE_MAKE_SEND) == KERN_NAME_EXISTS);
	CHECK(fetch_id(other) == MACH_NOTIFY_SEND_ONCE);
	/* A receive right joins the send rights of its port. */
	CHECK(insert(0x1300, port, MACH_MSG_TYPE_MOVE_RECEIVE) == KERN_SUCCESS);
	CHECK(type_in(child, 0x1300) == MACH_PORT_TYPE_SEND_RECEIVE && type_of(port) == MACH_PORT_TYPE_SEND);
	CHECK(insert(0x1300, port, MACH_MSG_TYPE_MOVE_SEND) == KERN_SUCCESS && type_of(port) == 0);
	once = make_once(other);
	CHECK(insert(0x1400, once, MACH_MSG_TYPE_MOVE_SEND_ONCE) == KERN_SUCCESS);
	CHECK(type_in(child, 0x1400) == MACH_PORT_TYPE_SEND_ONCE && type_of(once) == 0);
	CHECK(insert(0x1400, other, MACH_MSG_TYPE_MAKE_SEND_ONCE) == KERN_NAME_EXISTS);
	CHECK(fetch_id(other) == MACH_NOTIFY_SEND_ONCE);

	CHECK(insert(MACH_PORT_NULL, other, MACH_MSG_TYPE_MAKE_SEND) == KERN_INVALID_VALUE);
	CHECK(insert(MACH_PORT_DEAD, other, MACH_MSG_TYPE_MAKE_SEND) == KERN_INVALID_VALUE);
	CHECK(insert(0x1500, MACH_PORT_NULL, MACH_MSG_TYPE_COPY_SEND) == KERN_INVALID_CAPABILITY);
	CHECK(insert(0x1500, MACH_PORT_DEAD, MACH_MSG_TYPE_COPY_SEND) == KERN_INVALID_CAPABILITY);
	CHECK(insert(0x1500, new_dead_name(1), MACH_MSG_TYPE_COPY_SEND) == KERN_INVALID_CAPABILITY);
	CHECK(mach_port_insert_right(child, 0x1500, other, MACH_MSG_TYPE_PORT_NAME) == KERN_INVALID_VALUE);
	CHECK(insert(0x1500, other, MACH_MSG_TYPE_PORT_NAME) == MIG_BAD_ARGUMENTS); /* no right in it */
	CHECK(mach_port_insert_right_rpc(mach_thread_self(), 0x1500, other, 20) == KERN_INVALID_TASK);
	CHECK(insert(0x1500, other, MACH_MSG_TYPE_MAKE_SEND) == KERN_SUCCESS);
	CHECK(mach_port_mod_refs(child, 0x1500, MACH_PORT_RIGHT_SEND, 65533) == KERN_SUCCESS);
	CHECK(insert(0x1500, other, MACH_MSG_TYPE_MAKE_SEND) == KERN_UREFS_OVERFLOW);
	CHECK(mach_port_destroy(child, 0x1500) == KERN_SUCCESS && !status_of(other).mps_srights);
	return 0;
}

/* Takes `name` out of the child; what came, and as what. */
static kern_return_t extract(mach_port_t name, mach_msg_type_name_t use, mach_port_t *got, mach_msg_type_name_t *kind)
{
	*got = NO_NAME;
	return mach_port_extract_right(child, name, use, got, kind);
}

static int extracting(void)
{
	mach_port_t got, port, again;
	mach_msg_type_name_t kind;
	mach_port_urefs_t count;

	CHECK(mach_port_allocate_name(child, MACH_PORT_RIGHT_RECEIVE, 0x3100) == KERN_SUCCESS);
	CHECK(extract(0x3100, MACH_MSG_TYPE_MAKE_SEND, &port, &kind) == KERN_SUCCESS);
	CHECK(kind == MACH_MSG_TYPE_PORT_SEND && type_of(port) == MACH_PORT_TYPE_SEND && sends(port) == 1);
	CHECK(extract(0x3100, MACH_MSG_TYPE_MAKE_SEND_ONCE, &got, &kind) == KERN_SUCCESS);
	CHECK(kind == MACH_MSG_TYPE_PORT_SEND_ONCE && type_of(got) == MACH_PORT_TYPE_SEND_ONCE);
	CHECK(insert(0x3100, port, MACH_MSG_TYPE_COPY_SEND) == KERN_SUCCESS);
	CHECK(extract(0x3100, MACH_MSG_TYPE_COPY_SEND, &again, &kind) == KERN_SUCCESS && again == port);
	CHECK(sends(port) == 2);
	CHECK(extract(0x3100, MACH_MSG_TYPE_MOVE_SEND, &again, &kind) == KERN_SUCCESS && again == port);
	CHECK(sends(port) == 3 && type_in(child, 0x3100) == MACH_PORT_TYPE_RECEIVE);
	CHECK(extract(0x3100, MACH_MSG_TYPE_MOVE_RECEIVE, &again, &kind) == KERN_SUCCESS && again == port);
	CHECK(kind == MACH_MSG_TYPE_PORT_RECEIVE && type_of(port) == MACH_PORT_TYPE_SEND_RECEIVE);
	CHECK(type_in(child, 0x3100) == 0);
	CHECK(insert(0x3200, got, MACH_MSG_TYPE_MOVE_SEND_ONCE) == KERN_SUCCESS);
	CHECK(extract(0x3200, MACH_MSG_TYPE_MOVE_SEND_ONCE, &got, &kind) == KERN_SUCCESS);
	CHECK(kind == MACH_MSG_TYPE_PORT_SEND_ONCE && type_of(got) == MACH_PORT_TYPE_SEND_ONCE);

	/* Dead names: DEAD comes, and a move takes a reference. */
	CHECK(mach_port_allocate_name(child, MACH_PORT_RIGHT_DEAD_NAME, 0x3300) == KERN_SUCCESS);
	CHECK(extract(0x3300, MACH_MSG_TYPE_COPY_SEND, &got, &kind) == KERN_SUCCESS && got == MACH_PORT_DEAD);
	CHECK(mach_port_get_refs(child, 0x3300, MACH_PORT_RIGHT_DEAD_NAME, &count) == KERN_SUCCESS && count == 1);
	CHECK(extract(0x3300, MACH_MSG_TYPE_MOVE_SEND_ONCE, &got, &kind) == KERN_SUCCESS && got == MACH_PORT_DEAD);
	CHECK(type_in(child, 0x3300) == 0);

	CHECK(extract(0x3300, MACH_MSG_TYPE_COPY_SEND, &got, &kind) == KERN_INVALID_NAME);
	CHECK(mach_port_allocate_name(child, MACH_PORT_RIGHT_PORT_SET, 0x3400) == KERN_SUCCESS);
	CHECK(insert(0x3500, port, MACH_MSG_TYPE_COPY_SEND) == KERN_SUCCESS);
	for (mach_msg_type_name_t use = 0; use < 26; use++) {
		if (use >= 16 && use <= 21) {
			CHECK(extract(0x3400, use, &got, &kind) == KERN_INVALID_RIGHT);
			CHECK(use == 17 || use == 19 || extract(0x3500, use, &got, &kind) == KERN_INVALID_RIGHT);
		} else {
			CHECK(extract(0x3500, use, &got, &kind) == KERN_INVALID_VALUE);
		}
	}
	CHECK(mach_port_extract_right(mach_thread_self(), 0x3500, 19, &got, &kind) == KERN_INVALID_TASK);
	CHECK(type_in(child, 0x3500) == MACH_PORT_TYPE_SEND);
	return 0;
}

int main(void)
{
	self = mach_task_self();
	CHECK(task_create(self, FALSE, &child) == KERN_SUCCESS);
	RUN(inserting());
	RUN(extracting());
	return 0;
}
