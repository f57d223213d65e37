/* mach_msg: the trap, and what to do when thread_abort broke it (mach-abi.md 2.9). */
#include <mach/message.h>

#define LIBMACH_OPTIONS (MACH_SEND_INTERRUPT | MACH_RCV_INTERRUPT)

mach_msg_return_t mach_msg(mach_msg_header_t *msg, mach_msg_option_t option, mach_msg_size_t send_size,
    mach_msg_size_t rcv_size, mach_port_t rcv_name, mach_msg_timeout_t timeout, mach_port_t notify)
{
	mach_msg_option_t again = option & ~LIBMACH_OPTIONS;
	mach_msg_return_t mr = mach_msg_trap(msg, again, send_size, rcv_size, rcv_name, timeout, notify);

	if ((option & MACH_SEND_INTERRUPT) == 0)
		while (mr == MACH_SEND_INTERRUPTED)
			mr = mach_msg_trap(msg, again, send_size, rcv_size, rcv_name, timeout, notify);
	if ((option & MACH_RCV_INTERRUPT) == 0)
		while (mr == MACH_RCV_INTERRUPTED) /* the send half is done */
			mr = mach_msg_trap(msg, again & ~MACH_SEND_MSG, 0, rcv_size, rcv_name, timeout, notify);
	return mr;
}

mach_msg_return_t mach_msg_send(mach_msg_header_t *msg)
{
	return mach_msg(msg, MACH_SEND_MSG, msg->msgh_size, 0, MACH_PORT_NULL, MACH_MSG_TIMEOUT_NONE,
	    MACH_PORT_NULL);
}

/* Received on msgh_local_port, into msgh_size octets. */
mach_msg_return_t mach_msg_receive(mach_msg_header_t *msg)
{
	return mach_msg(msg, MACH_RCV_MSG, 0, msg->msgh_size, msg->msgh_local_port, MACH_MSG_TIMEOUT_NONE,
	    MACH_PORT_NULL);
}
