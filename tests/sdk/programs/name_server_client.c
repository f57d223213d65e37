/* A client in the style of CMU's user programs: old headers, the library's names for ports. */
#include <mach.h>
#include <mach/message.h>
#include <mach/mach_interface.h>
#include <mach/mig_errors.h>
#include <mach_error.h>
#include <servers/netname.h>
#include <stdio.h>
#include <string.h>

#define MAX_DATA 128

typedef struct {
	mach_msg_header_t head;
	mach_msg_type_t type;
	char data[MAX_DATA];
} note_t;

static const mach_msg_type_t note_type = {
	.msgt_name = MACH_MSG_TYPE_CHAR,
	.msgt_size = 8,
	.msgt_number = MAX_DATA,
	.msgt_inline = TRUE,
	.msgt_longform = FALSE,
	.msgt_deallocate = FALSE,
};

static kern_return_t send_note(mach_port_t to, const char *text)
{
	note_t note;

	memset(&note, 0, sizeof note);
	note.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	note.head.msgh_size = sizeof note;
	note.head.msgh_remote_port = to;
	note.head.msgh_local_port = mig_get_reply_port();
	note.head.msgh_id = 4711;
	note.type = note_type;
	strncpy(note.data, text, MAX_DATA - 1);
	return mach_msg(&note.head, MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_TIMEOUT, sizeof note, sizeof note,
	    note.head.msgh_local_port, 100, MACH_PORT_NULL);
}

int main(int argc, char **argv)
{
	netname_name_t name = "notes";
	mach_port_t server = MACH_PORT_NULL;
	vm_address_t page = 0;
	kern_return_t kr;

	if (argc > 1)
		strncpy(name, argv[1], sizeof name - 1);
	kr = netname_look_up(name_server_port, "", name, &server);
	if (kr != NETNAME_SUCCESS) {
		mach_error("netname_look_up", kr);
		return 1;
	}
	kr = vm_allocate(mach_task_self(), &page, vm_page_size, TRUE);
	if (kr == KERN_SUCCESS)
		kr = vm_protect(mach_task_self(), page, vm_page_size, FALSE, VM_PROT_READ);
	if (kr == KERN_SUCCESS)
		kr = vm_deallocate(mach_task_self(), page, vm_page_size);
	if (kr != KERN_SUCCESS)
		printf("%s: %s\n", argv[0], mach_error_string(kr));
	kr = send_note(server, "hello");
	if (kr == MIG_SERVER_DIED || kr == MACH_RCV_TIMED_OUT)
		return 2;
	return mach_port_deallocate(mach_task_self(), server) == KERN_SUCCESS ? 0 : 3;
}
