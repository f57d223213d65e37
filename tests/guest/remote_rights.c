/* Rights that go to another node and come home (with mirror.c there): the same names, the same
   counts, as if they had never been away. */
#include <mach.h>
#include <machemu/server.h>

#include "check.h"
#include "mirror.h"

static mach_port_t mirror, reply;

static mach_port_urefs_t references(mach_port_t name, mach_port_right_t right)
{
	mach_port_urefs_t count = 999;

	mach_port_get_refs(mach_task_self(), name, right, &count);
	return count;
}

static mach_msg_return_t exchange(struct mirror_message *message, mach_port_t first, mach_msg_type_name_t how,
    mach_port_t second, mach_msg_type_name_t second_how)
{
	*message = (struct mirror_message){
	    .head = {.msgh_bits = MACH_MSGH_BITS_COMPLEX
	             | MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE),
	        .msgh_remote_port = mirror, .msgh_local_port = reply, .msgh_id = MIRROR_ID},
	    .first_type = mirror_type(how), .second_type = mirror_type(second_how),
	};
	message->first.name = first;
	message->second.name = second;
	return mach_msg(&message->head, MACH_SEND_MSG | MACH_RCV_MSG, sizeof *message, sizeof *message, reply, 0,
	    MACH_PORT_NULL);
}

/* A send right comes home as the name it went from. */
static int send_right(mach_port_t port)
{
	struct mirror_message message;

	CHECK(exchange(&message, port, MACH_MSG_TYPE_MAKE_SEND, port, MACH_MSG_TYPE_MAKE_SEND) == MACH_MSG_SUCCESS);
	CHECK(message.head.msgh_id == MIRROR_ID + 100);
	CHECK(message.first_type.msgt_name == MACH_MSG_TYPE_PORT_SEND);
	CHECK(message.first.name == port && message.second.name == port);
	CHECK(references(port, MACH_PORT_RIGHT_SEND) == 2);
	CHECK(mach_port_mod_refs(mach_task_self(), port, MACH_PORT_RIGHT_SEND, -2) == KERN_SUCCESS);
	return 0;
}

/* A send-once right comes home with a name of its own and still sends once. */
static int send_once_right(mach_port_t port)
{
	struct mirror_message message;
	mach_msg_header_t note = {0};

	CHECK(exchange(&message, port, MACH_MSG_TYPE_MAKE_SEND_ONCE, MACH_PORT_NULL, MACH_MSG_TYPE_COPY_SEND)
	    == MACH_MSG_SUCCESS);
	CHECK(message.first_type.msgt_name == MACH_MSG_TYPE_PORT_SEND_ONCE);
	CHECK(message.first.name != port);
	CHECK(references(message.first.name, MACH_PORT_RIGHT_SEND_ONCE) == 1);
	CHECK(message.second.name == MACH_PORT_NULL);
	note.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND_ONCE, 0);
	note.msgh_remote_port = message.first.name;
	note.msgh_id = 42;
	CHECK(mach_msg(&note, MACH_SEND_MSG, sizeof note, 0, 0, 0, 0) == MACH_MSG_SUCCESS);
	CHECK(mach_msg(&note, MACH_RCV_MSG, 0, sizeof note, port, 0, 0) == MACH_MSG_SUCCESS);
	CHECK(note.msgh_id == 42);
	return 0;
}

/* The right on the other's own port goes home there and comes back as the same proxy. */
static int right_of_the_other(void)
{
	struct mirror_message message;

	CHECK(exchange(&message, mirror, MACH_MSG_TYPE_COPY_SEND, mirror, MACH_MSG_TYPE_COPY_SEND)
	    == MACH_MSG_SUCCESS);
	CHECK(message.first.name == mirror && message.second.name == mirror);
	CHECK(references(mirror, MACH_PORT_RIGHT_SEND) == 3);
	CHECK(mach_port_mod_refs(mach_task_self(), mirror, MACH_PORT_RIGHT_SEND, -2) == KERN_SUCCESS);
	return 0;
}

static int dead_right(void)
{
	struct mirror_message message;
	mach_port_t dead;

	CHECK(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_DEAD_NAME, &dead) == KERN_SUCCESS);
	CHECK(exchange(&message, dead, MACH_MSG_TYPE_MOVE_SEND, MACH_PORT_DEAD, MACH_MSG_TYPE_COPY_SEND)
	    == MACH_MSG_SUCCESS);
	CHECK(message.first.name == MACH_PORT_DEAD && message.second.name == MACH_PORT_DEAD);
	return 0;
}

int main(void)
{
	mach_port_t port;

	reply = mach_reply_port();
	CHECK(server_look_up("mirror", &mirror) == KERN_SUCCESS);
	CHECK(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &port) == KERN_SUCCESS);
	RUN(send_right(port));
	RUN(send_once_right(port));
	RUN(right_of_the_other());
	RUN(dead_right());
	return 0;
}
