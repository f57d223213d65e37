/* mach-abi.md 2.2, 2.5, 2.8: a task whose address space is full gets messages with holes. */
#include "conform.h"

typedef struct {
	mach_msg_header_t head;
	mach_msg_type_long_t data_type;
	char *data;
	mach_msg_type_long_t names_type;
	mach_port_t *names;
} message_t;

static char text[16] = "fifteen octets.";
static message_t out;
static inbox_t in;

static message_t *full(mach_port_t port, mach_port_t *names)
{
	out = (message_t){
	    .head = header_to(port, MACH_MSG_TYPE_MAKE_SEND, 1),
	    .data_type = {.msgtl_name = MACH_MSG_TYPE_CHAR, .msgtl_size = 8, .msgtl_number = 16, .msgtl_longform = TRUE},
	    .data = text,
	    .names_type = {.msgtl_name = MACH_MSG_TYPE_MAKE_SEND, .msgtl_size = 32, .msgtl_number = 1,
		.msgtl_longform = TRUE},
	    .names = names,
	};
	out.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
	return &out;
}

static int is_hole(const message_t *m)
{
	return m->data == NULL && m->data_type.msgtl_size == 0 && m->names == NULL && m->names_type.msgtl_size == 0;
}

int main(void)
{
	mach_port_t port = new_port(), right = new_port();
	vm_address_t first = 0;

	/* All there is, from the largest parts to the last page. */
	for (vm_size_t size = 1UL << 40; size >= PAGE_SIZE; size /= 2)
		for (vm_address_t address = 0; vm_allocate(mach_task_self(), &address, size, TRUE) == KERN_SUCCESS; address = 0)
			first = address;

	CHECK(mach_msg(&full(port, &right)->head, SEND_BY_TIME, sizeof out, 0, 0, 0, 0) == MACH_MSG_SUCCESS);
	CHECK(fetch(port, &in) == (MACH_RCV_BODY_ERROR | MACH_MSG_VM_SPACE));
	CHECK(in.head.msgh_size == sizeof out && in.head.msgh_id == 1);
	CHECK(is_hole((message_t *)&in));
	CHECK(!status_of(right).mps_srights); /* destroyed, not lost */

	CHECK(mach_port_set_qlimit(mach_task_self(), port, 0) == KERN_SUCCESS);
	CHECK(mach_msg(&full(port, &right)->head, SEND_BY_TIME, sizeof out, 0, 0, 0, 0) ==
	    (MACH_SEND_TIMED_OUT | MACH_MSG_VM_SPACE));
	CHECK(is_hole(&out) && sends(port) == 1);
	CHECK(!status_of(right).mps_srights);

	/* One page is room for one region. */
	CHECK(vm_deallocate(mach_task_self(), first, PAGE_SIZE) == KERN_SUCCESS);
	CHECK(mach_port_set_qlimit(mach_task_self(), port, 1) == KERN_SUCCESS);
	CHECK(mach_msg(&full(port, &right)->head, SEND_BY_TIME, sizeof out, 0, 0, 0, 0) == MACH_MSG_SUCCESS);
	CHECK(fetch(port, &in) == (MACH_RCV_BODY_ERROR | MACH_MSG_VM_SPACE));
	CHECK(memcmp(((message_t *)&in)->data, text, sizeof text) == 0 && ((message_t *)&in)->names == NULL);
	return 0;
}
