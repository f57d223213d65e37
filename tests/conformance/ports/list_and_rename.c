/* mach-abi.md 6.1: mach_port_names, type, rename, allocate and allocate_name. */
#include "conform.h"

static mach_port_t self;

/* The type that mach_port_names tells of `name` in `task`; 0: it is not there. */
static mach_port_type_t listed(mach_port_t task, mach_port_t name, mach_msg_type_number_t *count)
{
	mach_port_t *names;
	mach_port_type_t *types, found = 0;
	mach_msg_type_number_t more;

	if (mach_port_names(task, &names, count, &types, &more) != KERN_SUCCESS || more != *count)
		return MACH_PORT_TYPE_COMPAT;
	for (mach_msg_type_number_t i = 0; i < *count; i++)
		if (names[i] == name)
			found = types[i];
	vm_deallocate(self, (vm_address_t)names, *count * sizeof *names);
	vm_deallocate(self, (vm_address_t)types, *count * sizeof *types);
	return found;
}

static int listing(void)
{
	mach_port_t port = new_port_with(1), dead = new_dead_name(1), child, theirs;
	mach_msg_type_number_t count, before;
	mach_port_type_t type;

	CHECK(listed(self, port, &before) == MACH_PORT_TYPE_SEND_RECEIVE);
	CHECK(listed(self, dead, &count) == MACH_PORT_TYPE_DEAD_NAME && count == before);
	CHECK(request_on(port, MACH_NOTIFY_DEAD_NAME, 0, port) == KERN_SUCCESS);
	CHECK(listed(self, port, &count) == (MACH_PORT_TYPE_SEND_RECEIVE | MACH_PORT_TYPE_DNREQUEST));
	CHECK(mach_port_deallocate(self, dead) == KERN_SUCCESS);
	CHECK(listed(self, dead, &count) == 0 && count == before - 1);

	CHECK(task_create(self, FALSE, &child) == KERN_SUCCESS);
	CHECK(listed(child, port, &before) != MACH_PORT_TYPE_COMPAT);
	CHECK(mach_port_allocate(child, MACH_PORT_RIGHT_PORT_SET, &theirs) == KERN_SUCCESS);
	CHECK(listed(child, theirs, &count) == MACH_PORT_TYPE_PORT_SET && count == before + 1);

	CHECK(mach_port_type(self, NO_NAME, &type) == KERN_INVALID_NAME);
	CHECK(mach_port_type(self, MACH_PORT_NULL, &type) == KERN_INVALID_NAME);
	CHECK(mach_port_type(self, MACH_PORT_DEAD, &type) == KERN_INVALID_NAME);
	CHECK(mach_port_type(mach_thread_self(), port, &type) == KERN_INVALID_TASK);
	CHECK(mach_port_type(mach_host_self(), port, &type) == KERN_INVALID_TASK);
	/* A dead task's port is dead. */
	CHECK(task_terminate(child) == KERN_SUCCESS);
	CHECK(mach_port_type(child, theirs, &type) == MACH_SEND_INVALID_DEST);
	CHECK(listed(mach_thread_self(), 1, &count) == MACH_PORT_TYPE_COMPAT);
	return 0;
}

static int renaming(void)
{
	mach_port_t port = new_port_with(2), once = make_once(port), dead = new_dead_name(3);
	mach_port_t set = allocate(MACH_PORT_RIGHT_PORT_SET), notify = new_port();
	inbox_t in;

	CHECK(mach_port_move_member(self, port, set) == KERN_SUCCESS);
	CHECK(request_on(once, MACH_NOTIFY_DEAD_NAME, 0, notify) == KERN_SUCCESS);
	CHECK(mach_port_rename(self, port, 0x1100) == KERN_SUCCESS && type_of(port) == 0);
	CHECK(mach_port_rename(self, once, 0x1200) == KERN_SUCCESS && type_of(once) == 0);
	CHECK(mach_port_rename(self, dead, 0x1300) == KERN_SUCCESS && deads(0x1300) == 3);
	CHECK(mach_port_rename(self, set, 0x1400) == KERN_SUCCESS && type_of(0x1400) == MACH_PORT_TYPE_PORT_SET);
	CHECK(sends(0x1100) == 2 && status_of(0x1100).mps_pset == 0x1400);
	/* Everything goes on under the new names: messages, sets, requests. */
	CHECK(post(0x1100, MACH_MSG_TYPE_COPY_SEND, 4) == MACH_MSG_SUCCESS);
	CHECK(fetch(0x1400, &in) == MACH_MSG_SUCCESS && in.head.msgh_local_port == 0x1100);
	CHECK(kill_port(0x1100) == KERN_SUCCESS && deads(0x1100) == 2);
	CHECK(fetch(notify, &in) == MACH_MSG_SUCCESS && in.dead_name.not_port == 0x1200 && deads(0x1200) == 2);

	CHECK(mach_port_rename(self, NO_NAME, 0x1500) == KERN_INVALID_NAME);
	CHECK(mach_port_rename(self, 0x1100, MACH_PORT_NULL) == KERN_INVALID_VALUE);
	CHECK(mach_port_rename(self, 0x1100, MACH_PORT_DEAD) == KERN_INVALID_VALUE);
	CHECK(mach_port_rename(self, 0x1100, 0x1200) == KERN_NAME_EXISTS);
	CHECK(mach_port_rename(self, 0x1100, 0x1100) == KERN_NAME_EXISTS);
	CHECK(mach_port_rename(mach_thread_self(), 0x1100, 0x1500) == KERN_INVALID_TASK);
	CHECK(deads(0x1100) == 2 && type_of(0x1500) == 0);
	/* The old name is free. */
	CHECK(mach_port_allocate_name(self, MACH_PORT_RIGHT_RECEIVE, once) == KERN_SUCCESS);
	return 0;
}

/* The requests themselves: the calls try traps first. */
static int allocating(void)
{
	for (mach_port_right_t right = 0; right < 7; right++) {
		mach_port_t name = MACH_PORT_NULL;
		kern_return_t wanted = right == MACH_PORT_RIGHT_RECEIVE || right == MACH_PORT_RIGHT_PORT_SET ||
			right == MACH_PORT_RIGHT_DEAD_NAME ? KERN_SUCCESS : KERN_INVALID_VALUE;

		CHECK(mach_port_allocate_rpc(self, right, &name) == wanted);
		CHECK(wanted != KERN_SUCCESS || type_of(name) == MACH_PORT_TYPE(right));
		CHECK(mach_port_allocate_name_rpc(self, right, 0x2200 + right) == wanted);
		CHECK(type_of(0x2200 + right) == (wanted == KERN_SUCCESS ? MACH_PORT_TYPE(right) : 0));
	}
	CHECK(deads(0x2204) == 1);
	CHECK(mach_port_allocate_name_rpc(self, MACH_PORT_RIGHT_RECEIVE, 0x2204) == KERN_NAME_EXISTS);
	CHECK(mach_port_allocate_name_rpc(self, MACH_PORT_RIGHT_RECEIVE, MACH_PORT_NULL) == KERN_INVALID_VALUE);
	CHECK(mach_port_allocate_name_rpc(self, MACH_PORT_RIGHT_RECEIVE, MACH_PORT_DEAD) == KERN_INVALID_VALUE);
	CHECK(mach_port_allocate_name_rpc(mach_thread_self(), MACH_PORT_RIGHT_RECEIVE, 0x2300) == KERN_INVALID_TASK);
	CHECK(mach_port_deallocate_rpc(self, 0x2204) == KERN_SUCCESS);
	CHECK(mach_port_deallocate_rpc(self, 0x2204) == KERN_INVALID_NAME);
	CHECK(mach_port_deallocate_rpc(self, 0x2201) == KERN_INVALID_RIGHT);
	CHECK(mach_port_deallocate_rpc(mach_host_self(), 0x2201) == KERN_INVALID_TASK);
	return 0;
}

int main(void)
{
	self = mach_task_self();
	RUN(listing());
	RUN(renaming());
	RUN(allocating());
	return 0;
}
