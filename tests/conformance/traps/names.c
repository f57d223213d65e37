/* mach-abi.md 3.2: the shortcut traps on names, -72 to -75. */
#include "conform.h"

/* Everything that is no task of this node. */
static int not_tasks(mach_port_t *names)
{
	int count = 0;

	names[count++] = MACH_PORT_NULL;
	names[count++] = MACH_PORT_DEAD;
	names[count++] = NO_NAME;
	names[count++] = new_port_with(1);
	names[count++] = new_dead_name(1);
	names[count++] = mach_thread_self();
	names[count++] = mach_host_self();
	names[count++] = allocate(MACH_PORT_RIGHT_PORT_SET);
	return count;
}

static int elsewhere(void)
{
	mach_port_t names[8], port = new_port(), name = 0x1234;

	/* Nothing is done, so that libmach may send the request instead. */
	for (int count = not_tasks(names), i = 0; i < count; i++) {
		CHECK(syscall_mach_port_allocate(names[i], MACH_PORT_RIGHT_RECEIVE, &name) == MACH_SEND_INTERRUPTED);
		CHECK(name == 0x1234);
		CHECK(syscall_mach_port_deallocate(names[i], port) == MACH_SEND_INTERRUPTED);
		CHECK(syscall_mach_port_insert_right(names[i], port, port, MACH_MSG_TYPE_MAKE_SEND) ==
		    MACH_SEND_INTERRUPTED);
		CHECK(syscall_mach_port_allocate_name(names[i], MACH_PORT_RIGHT_RECEIVE, 0x5600) ==
		    MACH_SEND_INTERRUPTED);
	}
	CHECK(type_of(0x5600) == 0 && status_of(port).mps_mscount == 0);
	/* libmach's calls then tell what is wrong. */
	CHECK(mach_port_allocate(mach_thread_self(), MACH_PORT_RIGHT_RECEIVE, &name) == KERN_INVALID_TASK);
	CHECK(mach_port_allocate(MACH_PORT_NULL, MACH_PORT_RIGHT_RECEIVE, &name) == MACH_SEND_INVALID_DEST);
	CHECK(mach_port_deallocate(names[4], port) == MACH_SEND_INVALID_DEST);
	return 0;
}

static int here(mach_port_t self, mach_port_t child)
{
	mach_port_t name = 0, port = new_port(), once;

	for (mach_port_right_t right = 0; right < 7; right++) {
		kern_return_t wanted = right == MACH_PORT_RIGHT_RECEIVE || right == MACH_PORT_RIGHT_PORT_SET ||
			right == MACH_PORT_RIGHT_DEAD_NAME ? KERN_SUCCESS : KERN_INVALID_VALUE;

		CHECK(syscall_mach_port_allocate(child, right, &name) == wanted);
		CHECK(wanted != KERN_SUCCESS || type_in(child, name) == MACH_PORT_TYPE(right));
		CHECK(syscall_mach_port_allocate_name(child, right, 0x4400 + right) == wanted);
		CHECK(wanted != KERN_SUCCESS || type_in(child, 0x4400 + right) == MACH_PORT_TYPE(right));
	}
	/* A place that cannot be written: nothing is made. */
	mach_port_t *names, *types;
	mach_msg_type_number_t count, more;
	CHECK(mach_port_names(child, &names, &count, &types, &more) == KERN_SUCCESS);
	CHECK(syscall_mach_port_allocate(child, MACH_PORT_RIGHT_RECEIVE, (mach_port_t *)64) == KERN_INVALID_ADDRESS);
	CHECK(syscall_mach_port_allocate(child, MACH_PORT_RIGHT_RECEIVE, NULL) == KERN_INVALID_ADDRESS);
	CHECK(mach_port_names(child, &names, &more, &types, &more) == KERN_SUCCESS && more == count);

	CHECK(syscall_mach_port_allocate_name(self, MACH_PORT_RIGHT_RECEIVE, port) == KERN_NAME_EXISTS);
	CHECK(syscall_mach_port_allocate_name(self, MACH_PORT_RIGHT_RECEIVE, MACH_PORT_NULL) == KERN_INVALID_VALUE);
	CHECK(syscall_mach_port_allocate_name(self, MACH_PORT_RIGHT_RECEIVE, MACH_PORT_DEAD) == KERN_INVALID_VALUE);

	/* -74: the right is ours, the name the other's. */
	CHECK(syscall_mach_port_insert_right(child, 0x7700, port, MACH_MSG_TYPE_MAKE_SEND) == KERN_SUCCESS);
	CHECK(type_in(child, 0x7700) == MACH_PORT_TYPE_SEND && type_of(0x7700) == 0);
	CHECK(syscall_mach_port_insert_right(child, 0x7700, port, MACH_MSG_TYPE_MAKE_SEND) == KERN_SUCCESS);
	CHECK(syscall_mach_port_insert_right(child, 0x7800, port, MACH_MSG_TYPE_MAKE_SEND) == KERN_RIGHT_EXISTS);
	once = make_once(port);
	CHECK(syscall_mach_port_insert_right(child, 0x7700, port, MACH_MSG_TYPE_MAKE_SEND_ONCE) == KERN_NAME_EXISTS);
	CHECK(fetch_id(port) == MACH_NOTIFY_SEND_ONCE); /* what could not be given was destroyed */
	CHECK(syscall_mach_port_insert_right(child, 0, once, MACH_MSG_TYPE_MOVE_SEND_ONCE) == KERN_INVALID_VALUE);
	CHECK(syscall_mach_port_insert_right(child, 0x7900, port, 15) == KERN_INVALID_VALUE);
	CHECK(syscall_mach_port_insert_right(child, 0x7900, port, 22) == KERN_INVALID_VALUE);
	CHECK(syscall_mach_port_insert_right(child, 0x7900, MACH_PORT_NULL, 19) == KERN_INVALID_CAPABILITY);
	CHECK(syscall_mach_port_insert_right(child, 0x7900, MACH_PORT_DEAD, 19) == KERN_INVALID_CAPABILITY);
	CHECK(syscall_mach_port_insert_right(child, 0x7900, new_dead_name(1), 19) == KERN_INVALID_CAPABILITY);
	CHECK(syscall_mach_port_insert_right(child, 0x7900, NO_NAME, 19) == KERN_INVALID_NAME);
	CHECK(syscall_mach_port_insert_right(child, 0x7900, port, 19) == KERN_INVALID_RIGHT);
	CHECK(type_in(child, 0x7900) == 0);

	/* -73. */
	CHECK(syscall_mach_port_deallocate(child, 0x7700) == KERN_SUCCESS);
	CHECK(syscall_mach_port_deallocate(child, 0x7700) == KERN_SUCCESS);
	CHECK(syscall_mach_port_deallocate(child, 0x7700) == KERN_INVALID_NAME);
	CHECK(syscall_mach_port_deallocate(child, 0x4401) == KERN_INVALID_RIGHT);
	CHECK(syscall_mach_port_deallocate(child, 0x4403) == KERN_INVALID_RIGHT);
	CHECK(syscall_mach_port_deallocate(child, 0x4404) == KERN_SUCCESS);
	return 0;
}

int main(void)
{
	mach_port_t child;

	CHECK(task_create(mach_task_self(), FALSE, &child) == KERN_SUCCESS);
	RUN(elsewhere());
	RUN(here(mach_task_self(), child));
	return 0;
}
