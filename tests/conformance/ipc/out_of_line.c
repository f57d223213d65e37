/* mach-abi.md 1.5: data and arrays of rights out of line. */
#include "conform.h"

typedef struct {
	mach_msg_header_t head;
	mach_msg_type_long_t type;
	void *data;
} region_t;

static mach_port_t port;

static mach_msg_return_t send_region(void *data, unsigned int name, unsigned int bits, unsigned int number, int deallocate)
{
	region_t r = {
	    .head = header_to(port, MACH_MSG_TYPE_MAKE_SEND, 1),
	    .type = {.msgtl_name = name, .msgtl_size = bits, .msgtl_number = number, .msgtl_longform = TRUE,
		.msgtl_deallocate = deallocate},
	    .data = data,
	};

	r.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
	return mach_msg(&r.head, SEND_BY_TIME, sizeof r, 0, 0, 0, 0);
}

static char *fill(vm_size_t size, char octet)
{
	vm_address_t address = 0;

	vm_allocate(mach_task_self(), &address, size, TRUE);
	memset((char *)address, octet, size);
	return (char *)address;
}

static int data(void)
{
	char *sent = fill(3 * PAGE_SIZE, 'a'), *got;
	vm_prot_t current, most;
	vm_inherit_t inherit;
	inbox_t in;
	region_t *r = (region_t *)&in;

	CHECK(send_region(sent + 100, MACH_MSG_TYPE_CHAR, 8, PAGE_SIZE + 10, FALSE) == MACH_MSG_SUCCESS);
	memset(sent, 'b', 3 * PAGE_SIZE); /* not seen: the copy was made on sending */
	CHECK(fetch(port, &in) == MACH_MSG_SUCCESS);
	CHECK((in.head.msgh_bits & MACH_MSGH_BITS_COMPLEX) != 0);
	CHECK(r->type.msgtl_name == MACH_MSG_TYPE_CHAR && r->type.msgtl_number == PAGE_SIZE + 10);
	CHECK(!r->type.msgtl_inline && r->type.msgtl_deallocate);
	got = r->data;
	CHECK(((vm_address_t)got & PAGE_MASK) == 100); /* at its offset within the page */
	for (unsigned int i = 0; i < PAGE_SIZE + 10; i++)
		CHECK(got[i] == 'a');
	CHECK(got[-1] == 0 && got[-100] == 0 && got[PAGE_SIZE + 10] == 0); /* nothing of the sender's beside */
	CHECK(region_at(got, &current, &most, &inherit));
	CHECK(current == VM_PROT_DEFAULT && most == VM_PROT_ALL && inherit == VM_INHERIT_COPY);
	got[0] = 'c'; /* one's own */
	CHECK(sent[100] == 'b');
	CHECK(vm_deallocate(mach_task_self(), (vm_address_t)got, PAGE_SIZE + 10) == KERN_SUCCESS);

	/* With deallocate, all pages of the datum go from the sender. */
	CHECK(send_region(sent + PAGE_SIZE - 4, MACH_MSG_TYPE_BYTE, 8, 8, TRUE) == MACH_MSG_SUCCESS);
	CHECK(!is_mapped(sent));
	CHECK(!is_mapped(sent + PAGE_SIZE));
	CHECK(is_mapped(sent + 2 * PAGE_SIZE));
	CHECK(fetch(port, &in) == MACH_MSG_SUCCESS);
	CHECK(memcmp(r->data, "bbbbbbbb", 8) == 0);
	CHECK(vm_deallocate(mach_task_self(), (vm_address_t)r->data, 8) == KERN_SUCCESS);

	/* It must be there, all of it. */
	CHECK(send_region(sent + 2 * PAGE_SIZE, MACH_MSG_TYPE_BYTE, 8, PAGE_SIZE + 1, TRUE) ==
	    MACH_SEND_INVALID_MEMORY);
	CHECK(is_mapped(sent + 2 * PAGE_SIZE));
	return 0;
}

static int rights(void)
{
	mach_port_t *names = (mach_port_t *)fill(2 * PAGE_SIZE, 0), *got, dead = new_dead_name(2);
	inbox_t in;
	region_t *r = (region_t *)&in;

	/* PAGE_SIZE / 4 names fill one page: the next is not the array's, and stays. */
	names[0] = new_port_with(1);
	names[1] = MACH_PORT_DEAD;
	names[2] = dead;
	CHECK(send_region(names, MACH_MSG_TYPE_COPY_SEND, 32, PAGE_SIZE / 4, TRUE) == MACH_MSG_SUCCESS);
	CHECK(!is_mapped(names));
	CHECK(is_mapped((char *)names + PAGE_SIZE));
	CHECK(fetch(port, &in) == MACH_MSG_SUCCESS);
	CHECK(r->type.msgtl_name == MACH_MSG_TYPE_PORT_SEND && r->type.msgtl_size == 32);
	CHECK(r->type.msgtl_number == PAGE_SIZE / 4 && r->type.msgtl_deallocate);
	got = r->data;
	CHECK(sends(got[0]) == 2 && got[1] == MACH_PORT_DEAD && got[2] == MACH_PORT_DEAD && got[3] == MACH_PORT_NULL);
	CHECK(deads(dead) == 2); /* COPY_SEND takes none */
	CHECK(vm_deallocate(mach_task_self(), (vm_address_t)got, PAGE_SIZE) == KERN_SUCCESS);

	/* No names: no memory, and no address. */
	CHECK(send_region((void *)64, MACH_MSG_TYPE_COPY_SEND, 32, 0, TRUE) == MACH_MSG_SUCCESS);
	CHECK(fetch(port, &in) == MACH_MSG_SUCCESS);
	CHECK(r->data == NULL && r->type.msgtl_number == 0 && r->type.msgtl_name == MACH_MSG_TYPE_PORT_SEND);
	return 0;
}

int main(void)
{
	port = new_port();
	RUN(data());
	RUN(rights());
	return 0;
}
