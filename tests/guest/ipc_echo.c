/* A task that talks to itself: names, rights, simple and complex messages. */
#include <string.h>

#include <mach.h>

#include "check.h"

struct note {
	mach_msg_header_t head;
	mach_msg_type_t type;
	char text[40];
};

struct note_received {
	struct note note;
	mach_msg_sender_t sender;
};

struct parcel {
	mach_msg_header_t head;
	mach_msg_type_t right_type;
	mach_port_name_inlined_t right;
	mach_msg_type_long_t data_type;
	char *data;
};

static mach_port_urefs_t references(mach_port_t name, mach_port_right_t right)
{
	mach_port_urefs_t count = 999;

	mach_port_get_refs(mach_task_self(), name, right, &count);
	return count;
}

static void fill_note(struct note *note, mach_port_t to, mach_msg_type_name_t how, const char *text)
{
	*note = (struct note){
	    .head = {.msgh_bits = MACH_MSGH_BITS(how, 0), .msgh_remote_port = to, .msgh_id = 1234},
	    .type = {.msgt_name = MACH_MSG_TYPE_CHAR, .msgt_size = 8, .msgt_number = 40, .msgt_inline = TRUE},
	};
	strcpy(note->text, text);
}

static int simple(mach_port_t port)
{
	struct note out, in;

	/* The receive right makes a send right as it goes. */
	fill_note(&out, port, MACH_MSG_TYPE_MAKE_SEND, "first");
	CHECK(mach_msg(&out.head, MACH_SEND_MSG, sizeof out, 0, 0, 0, 0) == MACH_MSG_SUCCESS);
	fill_note(&out, port, MACH_MSG_TYPE_MAKE_SEND_ONCE, "second");
	CHECK(mach_msg(&out.head, MACH_SEND_MSG, sizeof out, 0, 0, 0, 0) == MACH_MSG_SUCCESS);

	CHECK(mach_msg(&in.head, MACH_RCV_MSG, 0, sizeof in, port, 0, 0) == MACH_MSG_SUCCESS);
	CHECK(strcmp(in.text, "first") == 0);
	CHECK(in.head.msgh_size == sizeof in);
	CHECK(in.head.msgh_bits == MACH_MSGH_BITS(0, MACH_MSG_TYPE_PORT_SEND));
	CHECK(in.head.msgh_remote_port == MACH_PORT_NULL);
	CHECK(in.head.msgh_local_port == port);
	CHECK(in.head.msgh_seqno == 0);
	CHECK(in.head.msgh_id == 1234);

	CHECK(mach_msg(&in.head, MACH_RCV_MSG, 0, sizeof in, port, 0, 0) == MACH_MSG_SUCCESS);
	CHECK(strcmp(in.text, "second") == 0);
	CHECK(MACH_MSGH_BITS_LOCAL(in.head.msgh_bits) == MACH_MSG_TYPE_PORT_SEND_ONCE);
	CHECK(in.head.msgh_seqno == 1);
	CHECK(mach_msg(&in.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof in, port, 0, 0) == MACH_RCV_TIMED_OUT);
	return 0;
}

static int sender(mach_port_t port)
{
	struct note out;
	struct note_received in;

	fill_note(&out, port, MACH_MSG_TYPE_MAKE_SEND, "who?");
	CHECK(mach_msg(&out.head, MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_SENDER, sizeof out, sizeof out, port, 0, 0) ==
	    MACH_RCV_TOO_LARGE); /* the 32 octets count */
	fill_note(&in.note, port, MACH_MSG_TYPE_MAKE_SEND, "who?");
	CHECK(mach_msg(&in.note.head, MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_SENDER, sizeof in.note, sizeof in, port, 0,
		  0) == MACH_MSG_SUCCESS);
	CHECK(in.note.head.msgh_size == sizeof in.note);
	CHECK(in.sender.mss_type == 1 && in.sender.mss_size == sizeof in.sender);
	CHECK(in.sender.mss_task != 0);
	CHECK(in.sender.mss_node == 0 && in.sender.mss_epoch == 0 && in.sender.mss_zero == 0);
	return 0;
}

/* A right and a page of data to oneself: the right comes back under its name, the data as
   a copy somewhere else. */
static int complex(mach_port_t port)
{
	mach_port_t self = mach_task_self(), carried;
	vm_address_t page = 0;
	struct parcel p;

	CHECK(mach_port_allocate(self, MACH_PORT_RIGHT_RECEIVE, &carried) == KERN_SUCCESS);
	CHECK(vm_allocate(self, &page, PAGE_SIZE, TRUE) == KERN_SUCCESS);
	memset((char *)page, 'x', PAGE_SIZE);
	p = (struct parcel){
	    .head = {.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE) |
		    MACH_MSGH_BITS_COMPLEX,
		.msgh_remote_port = port, .msgh_local_port = port, .msgh_id = 7},
	    .right_type = {.msgt_name = MACH_MSG_TYPE_MAKE_SEND, .msgt_size = 64, .msgt_number = 1, .msgt_inline = TRUE},
	    .right = {.name = carried},
	    .data_type = {.msgtl_name = MACH_MSG_TYPE_BYTE, .msgtl_size = 8, .msgtl_number = 1000, .msgtl_longform = TRUE},
	    .data = (char *)page + 8,
	};
	CHECK(mach_msg(&p.head, MACH_SEND_MSG, sizeof p, 0, 0, 0, 0) == MACH_MSG_SUCCESS);
	memset((char *)page, 'y', PAGE_SIZE); /* too late to be seen */
	CHECK(mach_msg(&p.head, MACH_RCV_MSG, 0, sizeof p, port, 0, 0) == MACH_MSG_SUCCESS);
	CHECK((p.head.msgh_bits & MACH_MSGH_BITS_COMPLEX) != 0);
	CHECK(MACH_MSGH_BITS_REMOTE(p.head.msgh_bits) == MACH_MSG_TYPE_PORT_SEND_ONCE);
	CHECK(p.right_type.msgt_name == MACH_MSG_TYPE_PORT_SEND);
	CHECK(p.right.name == carried); /* receive and send right share one name */
	CHECK(references(carried, MACH_PORT_RIGHT_SEND) == 1);
	CHECK(!p.data_type.msgtl_inline && p.data_type.msgtl_deallocate && p.data_type.msgtl_number == 1000);
	CHECK((vm_address_t)p.data != page + 8 && ((vm_address_t)p.data & PAGE_MASK) == 8);
	for (int i = 0; i < 1000; i++)
		CHECK(p.data[i] == 'x');

	CHECK(vm_deallocate(self, (vm_address_t)p.data, 1000) == KERN_SUCCESS);
	CHECK(vm_deallocate(self, page, PAGE_SIZE) == KERN_SUCCESS);
	CHECK(mach_port_deallocate(self, p.head.msgh_remote_port) == KERN_SUCCESS);
	/* The send-once right went unused, and its holder is told. */
	CHECK(mach_msg(&p.head, MACH_RCV_MSG, 0, sizeof p, port, 0, 0) == MACH_MSG_SUCCESS);
	CHECK(p.head.msgh_id == 71 && p.head.msgh_size == sizeof p.head);
	CHECK(mach_port_deallocate(self, carried) == KERN_SUCCESS);
	CHECK(mach_port_mod_refs(self, carried, MACH_PORT_RIGHT_RECEIVE, -1) == KERN_SUCCESS);
	return 0;
}

static int refusals(mach_port_t port)
{
	struct note note;

	fill_note(&note, 0x7ffffff, MACH_MSG_TYPE_COPY_SEND, "");
	CHECK(mach_msg(&note.head, MACH_SEND_MSG, sizeof note, 0, 0, 0, 0) == MACH_SEND_INVALID_DEST);
	fill_note(&note, port, MACH_MSG_TYPE_COPY_SEND, "");
	CHECK(mach_msg(&note.head, MACH_SEND_MSG, sizeof note, 0, 0, 0, 0) == MACH_SEND_INVALID_DEST);
	fill_note(&note, port, MACH_MSG_TYPE_MAKE_SEND, "");
	CHECK(mach_msg(&note.head, MACH_SEND_MSG, 28, 0, 0, 0, 0) == MACH_SEND_MSG_TOO_SMALL);
	CHECK(mach_msg(&note.head, MACH_SEND_MSG, sizeof note - 4, 0, 0, 0, 0) == MACH_SEND_MSG_TOO_SMALL);
	CHECK(mach_msg((mach_msg_header_t *)64, MACH_SEND_MSG, 64, 0, 0, 0, 0) == MACH_SEND_INVALID_DATA);
	CHECK(mach_msg(&note.head, MACH_RCV_MSG, 0, sizeof note, 0x7ffffff, 0, 0) == MACH_RCV_INVALID_NAME);
	CHECK(mach_msg(&note.head, MACH_MSG_OPTION_NONE, 0, 0, 0, 0, 0) == MACH_MSG_SUCCESS);
	return 0;
}

/* The queue takes what its limit allows, and then the sender's time runs out. */
static int limit(mach_port_t port)
{
	struct note note;
	int sent = 0;

	for (mach_msg_return_t mr; sent < 100; sent++) {
		fill_note(&note, port, MACH_MSG_TYPE_MAKE_SEND, "many");
		mr = mach_msg(&note.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT, sizeof note, 0, 0, 0, 0);
		if (mr != MACH_MSG_SUCCESS) {
			CHECK(mr == MACH_SEND_TIMED_OUT);
			break;
		}
	}
	CHECK(sent == (int)MACH_PORT_QLIMIT_DEFAULT);
	/* The message came back with a right in it: as mach_msg_destroy drops. */
	CHECK(MACH_MSGH_BITS_REMOTE(note.head.msgh_bits) == MACH_MSG_TYPE_MOVE_SEND);
	CHECK(references(port, MACH_PORT_RIGHT_SEND) == 1);
	mach_msg_destroy(&note.head);
	CHECK(references(port, MACH_PORT_RIGHT_SEND) == 0);
	return 0;
}

int main(void)
{
	mach_port_t port;

	CHECK(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &port) == KERN_SUCCESS);
	CHECK(MACH_PORT_VALID(port));
	RUN(simple(port));
	RUN(sender(port));
	RUN(complex(port));
	RUN(refusals(port));
	RUN(limit(port));
	CHECK(mach_port_destroy(mach_task_self(), port) == KERN_SUCCESS);
	CHECK(mach_port_destroy(mach_task_self(), port) == KERN_INVALID_NAME);
	return 0;
}
