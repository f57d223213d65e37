/* mach-abi.md 7.6: mach_msg_server does with each request what its reply's RetCode says. */
#include <cthreads.h>
#include <mach.h>
#include <mach/mig_errors.h>
#include <mach/mig_support.h>
#include <mach/notify.h>
#include <stddef.h>

#include "check.h"

#define SIZE 256

struct request {
	mach_msg_header_t head;
	mach_msg_type_t type;
	mach_port_name_inlined_t port; /* a send right the server gets */
	mach_msg_type_t body_type;
	kern_return_t answer; /* what the demux is to return */
	int body[19];
};

static mach_port_t service, carried;
static int volatile served;

static boolean_t demux(mach_msg_header_t *request, mach_msg_header_t *reply)
{
	const struct request *in = (const struct request *)request;

	served++;
	mig_reply_setup(request, reply);
	((mig_reply_header_t *)reply)->RetCode = in->answer;
	return TRUE;
}

static any_t serve(any_t argument)
{
	return (any_t)(long)mach_msg_server(demux, SIZE, service);
}

static int references(void)
{
	mach_port_urefs_t count = 0;

	return mach_port_get_refs(mach_task_self(), carried, MACH_PORT_RIGHT_SEND, &count) == KERN_SUCCESS ? (int)count : 0;
}

/* Sends a request that holds a right; the result of the receive, 0 ms after it for none. */
static mach_msg_return_t call(kern_return_t answer, mach_msg_size_t size, struct request *message, int reply_to)
{
	*message = (struct request){
	    .head = {.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, reply_to) | MACH_MSGH_BITS_COMPLEX,
		.msgh_size = size, .msgh_remote_port = service, .msgh_local_port = mig_get_reply_port(), .msgh_id = 500},
	    .type = {.msgt_name = MACH_MSG_TYPE_COPY_SEND, .msgt_size = 64, .msgt_number = 1, .msgt_inline = TRUE},
	    .port = {carried},
	    .body_type = {.msgt_name = MACH_MSG_TYPE_INTEGER_32, .msgt_size = 32,
		.msgt_number = (size - offsetof(struct request, answer)) / 4, .msgt_inline = TRUE},
	    .answer = answer,
	};
	mach_port_t reply_port = message->head.msgh_local_port;
	mach_msg_return_t mr = mach_msg(&message->head, MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_TIMEOUT, size,
	    sizeof *message, reply_port, 50, MACH_PORT_NULL);
	mig_put_reply_port(reply_port);
	return mr;
}

int main(void)
{
	struct request message;
	mig_reply_header_t *reply = (mig_reply_header_t *)&message;
	mach_port_t self = mach_task_self();
	cthread_t server;

	CHECK(mach_port_allocate(self, MACH_PORT_RIGHT_RECEIVE, &service) == KERN_SUCCESS);
	CHECK(mach_port_allocate(self, MACH_PORT_RIGHT_RECEIVE, &carried) == KERN_SUCCESS);
	CHECK(mach_port_insert_right(self, carried, carried, MACH_MSG_TYPE_MAKE_SEND) == KERN_SUCCESS);
	server = cthread_fork(serve, NULL);

	/* Success: the reply goes out, and what came in is the server's. */
	CHECK(call(KERN_SUCCESS, sizeof message, &message, MACH_MSG_TYPE_MAKE_SEND_ONCE) == MACH_MSG_SUCCESS);
	CHECK(reply->RetCode == KERN_SUCCESS && reply->Head.msgh_id == 600 && reply->Head.msgh_size == 48);
	CHECK(references() == 2);
	/* An error: the request is destroyed, the error goes out. */
	CHECK(call(KERN_NO_ACCESS, sizeof message, &message, MACH_MSG_TYPE_MAKE_SEND_ONCE) == MACH_MSG_SUCCESS);
	CHECK(reply->RetCode == KERN_NO_ACCESS && references() == 2);
	/* No reply: nothing is sent, nothing destroyed: the reply right lies there, unused. */
	CHECK(call(MIG_NO_REPLY, sizeof message, &message, MACH_MSG_TYPE_MAKE_SEND_ONCE) == MACH_RCV_TIMED_OUT);
	CHECK(references() == 3);
	/* Destroyed without a reply: the reply right too, which its owner is told. */
	CHECK(call(MIG_DESTROY_REQUEST, sizeof message, &message, MACH_MSG_TYPE_MAKE_SEND_ONCE) == MACH_MSG_SUCCESS);
	CHECK(message.head.msgh_id == MACH_NOTIFY_SEND_ONCE && references() == 3);
	/* A reply right that is none: the reply goes nowhere, and the loop goes on. */
	served = 0;
	message.head.msgh_local_port = MACH_PORT_NULL;
	CHECK(call(KERN_SUCCESS, sizeof message, &message, MACH_MSG_TYPE_MAKE_SEND) == MACH_MSG_SUCCESS);
	CHECK(reply->RetCode == KERN_SUCCESS && served == 1);
	/* A request too large is dropped by the kernel, and its client told; the loop goes on. */
	struct { struct request first; char more[SIZE]; } large = {0};
	CHECK(call(KERN_SUCCESS, sizeof large, &large.first, MACH_MSG_TYPE_MAKE_SEND_ONCE) == MACH_MSG_SUCCESS);
	CHECK(large.first.head.msgh_id == MACH_NOTIFY_SEND_ONCE && served == 1);
	CHECK(call(KERN_SUCCESS, sizeof message, &message, MACH_MSG_TYPE_MAKE_SEND_ONCE) == MACH_MSG_SUCCESS);

	/* The port's death ends the loop. */
	CHECK(mach_port_mod_refs(self, service, MACH_PORT_RIGHT_RECEIVE, -1) == KERN_SUCCESS);
	CHECK(cthread_join(server) == (any_t)MACH_RCV_PORT_DIED);
	return 0;
}
