/* mach_msg_server: a server's loop around its demux function (mach-abi.md 7.6). */
#include <mach.h>
#include <mach/mig_errors.h>

/* What to do with a request and its reply, after the demux.  TRUE: send the reply. */
static boolean_t settle(mach_msg_header_t *request, mig_reply_header_t *reply)
{
	if ((reply->Head.msgh_bits & MACH_MSGH_BITS_COMPLEX) == 0) {
		switch (reply->RetCode) {
		case KERN_SUCCESS:
			break;
		case MIG_NO_REPLY: /* the server keeps what the request holds */
			return FALSE;
		case MIG_DESTROY_REQUEST:
			mach_msg_destroy(request);
			return FALSE;
		default: /* the reply right goes out with the reply */
			request->msgh_remote_port = MACH_PORT_NULL;
			mach_msg_destroy(request);
		}
	}
	if (reply->Head.msgh_remote_port != MACH_PORT_NULL)
		return TRUE;
	if ((reply->Head.msgh_bits & MACH_MSGH_BITS_COMPLEX) != 0)
		mach_msg_destroy(&reply->Head);
	return FALSE;
}

struct loop {
	mach_msg_demux_t demux;
	mach_msg_size_t max_size;
	mach_port_t rcv_name;
	mach_msg_option_t option; /* of the receives */
	mach_msg_timeout_t timeout;
	mach_msg_header_t *request, *reply;
};

static mach_msg_return_t receive(struct loop *loop)
{
	return mach_msg(loop->request, MACH_RCV_MSG | loop->option, 0, loop->max_size, loop->rcv_name,
	    loop->timeout, MACH_PORT_NULL);
}

/* One trap replies and waits for the next request, which comes into the reply's buffer. */
static mach_msg_return_t reply_and_receive(struct loop *loop)
{
	mach_msg_header_t *sent = loop->reply;
	mach_msg_return_t mr = mach_msg(sent, MACH_SEND_MSG | MACH_RCV_MSG | loop->option, sent->msgh_size,
	    loop->max_size, loop->rcv_name, loop->timeout, MACH_PORT_NULL);

	if (mr == MACH_SEND_INVALID_DEST) { /* the client has gone; nothing was received */
		mach_msg_destroy(sent);
		return receive(loop);
	}
	loop->reply = loop->request;
	loop->request = sent;
	return mr;
}

/* No client is waited for: what its queue has no room for is dropped. */
static mach_msg_return_t reply_then_receive(struct loop *loop)
{
	mach_msg_return_t mr = mach_msg(loop->reply, MACH_SEND_MSG | MACH_SEND_TIMEOUT,
	    loop->reply->msgh_size, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL);

	if (mr == MACH_SEND_INVALID_DEST || mr == MACH_SEND_TIMED_OUT)
		mach_msg_destroy(loop->reply);
	else if (mr != MACH_MSG_SUCCESS)
		return mr;
	return receive(loop);
}

/* A request that did not come, or not whole, is its sender's loss: the loop goes on.  FALSE: it
   is the loop that cannot receive. */
static boolean_t is_lost(mach_msg_return_t mr, mach_msg_header_t *request)
{
	switch (mr & ~MACH_MSG_MASK) { /* without the bits for what was short */
	case MACH_RCV_TOO_LARGE:
	case MACH_RCV_HEADER_ERROR: /* the kernel has destroyed it */
		return TRUE;
	case MACH_RCV_BODY_ERROR: /* with more memory or rights than there is room for here */
		mach_msg_destroy(request);
		return TRUE;
	default:
		return FALSE;
	}
}

static mach_msg_return_t serve(struct loop *loop)
{
	mach_msg_return_t mr = receive(loop);

	for (;;) {
		if (is_lost(mr, loop->request)) {
			mr = receive(loop);
			continue;
		}
		if (mr != MACH_MSG_SUCCESS)
			return mr;
		loop->demux(loop->request, loop->reply);
		if (!settle(loop->request, (mig_reply_header_t *)loop->reply))
			mr = receive(loop);
		else if (MACH_MSGH_BITS_REMOTE(loop->reply->msgh_bits) == MACH_MSG_TYPE_MOVE_SEND_ONCE)
			mr = reply_and_receive(loop); /* a send-once right never blocks */
		else
			mr = reply_then_receive(loop);
	}
}

mach_msg_return_t mach_msg_server_timeout(mach_msg_demux_t demux, mach_msg_size_t max_size,
    mach_port_t rcv_name, mach_msg_option_t option, mach_msg_timeout_t timeout)
{
	vm_size_t each = round_page(max_size);
	vm_address_t buffers = 0;
	struct loop loop = {demux, max_size, rcv_name, option, timeout, NULL, NULL};
	mach_msg_return_t mr;
	kern_return_t kr = vm_allocate(mach_task_self(), &buffers, 2 * each, TRUE);

	if (kr != KERN_SUCCESS)
		return kr;
	loop.request = (mach_msg_header_t *)buffers;
	loop.reply = (mach_msg_header_t *)(buffers + each);
	mr = serve(&loop);
	vm_deallocate(mach_task_self(), buffers, 2 * each);
	return mr;
}

mach_msg_return_t mach_msg_server(mach_msg_demux_t demux, mach_msg_size_t max_size, mach_port_t rcv_name)
{
	return mach_msg_server_timeout(demux, max_size, rcv_name, MACH_MSG_OPTION_NONE, MACH_MSG_TIMEOUT_NONE);
}
