/* mach-abi.md 7.6: mach_msg_destroy drops what a message holds, by disposition. */
#include <mach.h>

#include "check.h"

struct message {
	mach_msg_header_t head;
	mach_msg_type_t type;
	union {
		mach_port_name_inlined_t port;
		vm_address_t region;
	} item;
};

static mach_port_t self;

static mach_port_type_t type_of(mach_port_t name)
{
	mach_port_type_t type = 0;

	return mach_port_type(self, name, &type) == KERN_SUCCESS ? type : 0;
}

static mach_port_urefs_t references(mach_port_t name)
{
	mach_port_urefs_t count = 0;

	return mach_port_get_refs(self, name, MACH_PORT_RIGHT_SEND, &count) == KERN_SUCCESS ? count : 0;
}

static mach_port_t new_port(void)
{
	mach_port_t name = MACH_PORT_NULL;

	mach_port_allocate(self, MACH_PORT_RIGHT_RECEIVE, &name);
	mach_port_insert_right(self, name, name, MACH_MSG_TYPE_MAKE_SEND);
	return name;
}

static void destroy_port(mach_port_t name, int disposition)
{
	struct message message = {
	    .head = {.msgh_bits = MACH_MSGH_BITS_COMPLEX, .msgh_size = sizeof message},
	    .type = {.msgt_name = disposition, .msgt_size = 64, .msgt_number = 1, .msgt_inline = TRUE},
	    .item.port = {name},
	};

	mach_msg_destroy(&message.head);
}

static int rights(void)
{
	mach_port_t port = new_port(), once;
	mach_msg_type_name_t kind;
	mach_port_status_t status;

	destroy_port(port, MACH_MSG_TYPE_COPY_SEND);
	CHECK(references(port) == 1);
	CHECK(mach_port_get_receive_status(self, port, &status) == KERN_SUCCESS && status.mps_mscount == 1);
	destroy_port(port, MACH_MSG_TYPE_MAKE_SEND); /* made, and dropped */
	CHECK(references(port) == 1);
	CHECK(mach_port_get_receive_status(self, port, &status) == KERN_SUCCESS && status.mps_mscount == 2);
	destroy_port(port, MACH_MSG_TYPE_MAKE_SEND_ONCE); /* made, and dropped: the port is told */
	CHECK(mach_port_get_receive_status(self, port, &status) == KERN_SUCCESS);
	CHECK(status.mps_sorights == 1 && status.mps_msgcount == 1); /* the notification's own */
	destroy_port(port, MACH_MSG_TYPE_MOVE_SEND);
	CHECK(type_of(port) == MACH_PORT_TYPE_RECEIVE);
	CHECK(mach_port_extract_right(self, port, MACH_MSG_TYPE_MAKE_SEND_ONCE, &once, &kind) == KERN_SUCCESS);
	destroy_port(once, MACH_MSG_TYPE_MOVE_SEND_ONCE);
	CHECK(type_of(once) == 0);
	destroy_port(port, MACH_MSG_TYPE_MOVE_RECEIVE);
	CHECK(type_of(port) == 0);
	destroy_port(MACH_PORT_NULL, MACH_MSG_TYPE_MOVE_SEND);
	destroy_port(MACH_PORT_DEAD, MACH_MSG_TYPE_MOVE_SEND);
	return 0;
}

/* The remote port is dropped, the local one is not. */
static int header(void)
{
	mach_port_t remote = new_port(), local = new_port();
	mach_msg_header_t head = {
	    .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND, MACH_MSG_TYPE_MOVE_SEND),
	    .msgh_size = sizeof head, .msgh_remote_port = remote, .msgh_local_port = local,
	};

	mach_msg_destroy(&head);
	CHECK(references(remote) == 0 && references(local) == 1);
	return 0;
}

static int regions(void)
{
	for (int deallocate = 0; deallocate < 2; deallocate++) {
		vm_address_t address = 0;
		mach_port_t port = new_port();

		CHECK(vm_allocate(self, &address, PAGE_SIZE, TRUE) == KERN_SUCCESS);
		((mach_port_t *)address)[0] = MACH_PORT_NULL;
		((mach_port_t *)address)[1] = port;
		struct message message = {
		    .head = {.msgh_bits = MACH_MSGH_BITS_COMPLEX, .msgh_size = sizeof message},
		    .type = {.msgt_name = MACH_MSG_TYPE_MOVE_SEND, .msgt_size = 32, .msgt_number = 2,
			.msgt_deallocate = deallocate},
		    .item.region = address,
		};
		mach_msg_destroy(&message.head);
		CHECK(references(port) == 0); /* entry by entry */
		CHECK((vm_deallocate(self, address, PAGE_SIZE) == KERN_SUCCESS));
		CHECK(vm_allocate(self, &address, PAGE_SIZE, FALSE) == KERN_SUCCESS);
		CHECK(vm_deallocate(self, address, PAGE_SIZE) == KERN_SUCCESS);
	}
	return 0;
}

int main(void)
{
	self = mach_task_self();
	RUN(rights());
	RUN(header());
	RUN(regions());
	return 0;
}
