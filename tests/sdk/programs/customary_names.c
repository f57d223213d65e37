/* Types, fields and constants that programs of Mach take for granted. */
#include <mach.h>
#include <mach/exception.h>
#include <mach/mig_errors.h>
#include <mach/notify.h>
#include <mach/vm_param.h>
#include <mach_error.h>
#include <device/device.h>
#include <device/tty_status.h>
#include <servers/netname.h>
#include <stdio.h>

static const mach_msg_type_t integer = {MACH_MSG_TYPE_INTEGER_32, 32, 0, TRUE, FALSE, FALSE, 1};
static const mach_msg_type_long_t region = {
	.msgtl_name = MACH_MSG_TYPE_BYTE, .msgtl_size = 8, .msgtl_number = 5};

static const int of_messages[] = {
	MACH_MSGH_BITS_ZERO, MACH_MSG_TYPE_PORT_NONE, MACH_MSG_TYPE_PORT_NAME, MACH_MSG_TYPE_LAST, MACH_MSG_TIMEOUT_NONE,
	MACH_MSG_OPTION_NONE, MACH_MSG_IPC_SPACE, MACH_MSG_VM_SPACE, MACH_MSG_IPC_KERNEL, MACH_MSG_VM_KERNEL,
	MACH_RCV_LARGE, MACH_RCV_NOTIFY, MACH_SEND_NOTIFY, MACH_SEND_CANCEL, MACH_SEND_ALWAYS};
static const int of_ports[] = {
	MACH_PORT_QLIMIT_DEFAULT, MACH_PORT_QLIMIT_MAX, MACH_PORT_RIGHT_DEAD_NAME, MACH_PORT_RIGHT_NUMBER,
	(int)MACH_PORT_TYPE_ALL_RIGHTS, MACH_NOTIFY_FIRST, MACH_NOTIFY_LAST};
static const int of_tasks[] = {
	VM_PROT_DEFAULT, VM_PROT_ALL, VM_INHERIT_DEFAULT, SWITCH_OPTION_NONE, SWITCH_OPTION_WAIT, SWITCH_OPTION_DEPRESS,
	THREAD_BASIC_INFO_COUNT, TASK_BASIC_INFO_COUNT, HOST_BASIC_INFO_COUNT, TASK_KERNEL_PORT, TASK_BOOTSTRAP_PORT,
	THREAD_KERNEL_PORT, THREAD_EXCEPTION_PORT, EXC_BREAKPOINT, POLICY_TIMESHARE, TH_STATE_RUNNING,
	MEMORY_OBJECT_COPY_DELAY, MEMORY_OBJECT_RETURN_DIRTY, err_kern, err_mach_ipc};

/* A server's loop of the old kind, which does by hand what mach_msg_server does. */
static void serve(mach_port_t port, boolean_t (*demux)(mach_msg_header_t *, mach_msg_header_t *))
{
	union {
		mach_msg_header_t head;
		mig_reply_error_t error;
		char octets[1024];
	} request, reply;

	while (mach_msg(&request.head, MACH_RCV_MSG, 0, sizeof request, port, MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL)
	    == MACH_MSG_SUCCESS) {
		if (!demux(&request.head, &reply.head))
			reply.error.RetCode = MIG_BAD_ID;
		if (reply.error.RetCode == MIG_NO_REPLY)
			continue;
		if (reply.error.RetCode != KERN_SUCCESS && MACH_MSGH_BITS_OTHER(request.head.msgh_bits) != 0)
			mach_msg_destroy(&request.head);
		mach_msg(&reply.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT, reply.head.msgh_size, 0, MACH_PORT_NULL, 0,
		    MACH_PORT_NULL);
	}
}

static boolean_t nothing(mach_msg_header_t *request, mach_msg_header_t *reply)
{
	mig_reply_setup(request, reply);
	return FALSE;
}

int main(void)
{
	thread_basic_info_data_t thread;
	mach_msg_type_number_t count = THREAD_BASIC_INFO_COUNT;
	vm_statistics_data_t memory;
	mach_port_status_t status;
	struct tty_status tty;
	time_value_t time;
	vm_offset_t end = round_page(trunc_page((vm_offset_t)&count) + 1);
	int sum = (int)(sizeof tty + sizeof status + count + end);

	for (unsigned i = 0; i < sizeof of_ports / sizeof *of_ports; i++)
		sum += of_messages[i] + of_ports[i] + of_tasks[i];
	if (vm_statistics(mach_task_self(), &memory) == KERN_SUCCESS
	    && host_get_time(mach_host_self(), &time) == KERN_SUCCESS)
		printf("%d pages free, %ld\n", memory.free_count, (long)time.seconds);
	printf("%s, %s, %d\n", mach_error_string(KERN_NO_SPACE), mach_error_type(MACH_SEND_INVALID_DEST), sum);
	printf("%u %u %zu\n", (unsigned)integer.msgt_size, (unsigned)region.msgtl_number, sizeof thread);
	serve(mach_reply_port(), nothing);
	return err_get_code(MACH_RCV_TIMED_OUT);
}
