/* Delivery into ports of this node, and the receive, which go together: there is one buffer,
   and a message that is ready for its port stays in it until the server receives again, so
   that one trap does both.  No port is ever waited for: held.c. */
#include "rights.h"

#include <string.h>

#include <machemu/sender.h>

#define BUFFER_BASE  (64u << 10)                     /* octets */
#define MESSAGE_MAX  (WIRE_ITEM_BODY_MAX + (64u << 10)) /* larger ones are destroyed */

#define RECORD_ROOM  (8 + sizeof(struct sender_record)) /* aligned, behind a message */

#define IS_SEND_RESULT(mr) (((mr) & ~0x3fff) == 0x10000000)

static mach_msg_header_t *buffer;
static size_t room;
static bool discard;           /* the next message is too large for anybody */
static size_t wanted;          /* the next message needs this much; 0: as usual */

static bool pending;           /* the buffer has a message to send */
static struct home *pending_home;
static struct origin pending_origin;

/* --- the buffer ------------------------------------------------------------------------------ */

static bool resize(size_t size)
{
	vm_address_t address = 0;

	size = round_page(size);
	if (size == room)
		return true;
	if (vm_allocate(mach_task_self(), &address, size, TRUE) != KERN_SUCCESS) {
		counters.no_memory++;
		return false;
	}
	if (room != 0)
		vm_deallocate(mach_task_self(), (vm_address_t)buffer, room);
	buffer = (mach_msg_header_t *)address;
	room = size;
	return true;
}

mach_msg_header_t *buffer_for(size_t size)
{
	deliver_flush();
	size += sizeof(mach_msg_peer_t);
	return size <= room || resize(size) ? buffer : NULL;
}

/* --- sending -------------------------------------------------------------------------------------- */

/* Figure 3's last step stands for the message that is sent next. */
static void prepare_to_send(mach_msg_header_t *message, struct origin *origin)
{
	mach_msg_peer_t peer = {origin->node, origin->epoch};

	if (!origin->announced)
		machemu_step(STEP_CODE(STEP_RES, 11, 0), origin->item, origin->node);
	origin->announced = true;
	memcpy((uint8_t *)message + message->msgh_size, &peer, sizeof peer);
}

mach_msg_return_t deliver_now(mach_msg_header_t *message, struct origin *origin, bool to_once)
{
	mach_msg_option_t option = MACH_SEND_MSG | MACH_SEND_PEER | (to_once ? 0 : MACH_SEND_TIMEOUT);

	prepare_to_send(message, origin);
	return mach_msg(message, option, message->msgh_size, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL);
}

/* What became of the message in the buffer. */
static void settle(mach_msg_return_t mr)
{
	if (WITHOUT_SHORTAGES(mr) == MACH_SEND_TIMED_OUT)
		held_add(pending_home, buffer, &pending_origin);
	else if (WITHOUT_SHORTAGES(mr) == MACH_SEND_INVALID_DEST)
		message_drop(buffer); /* its port died; PORT_DEAD is on its way */
	else
		say("a message from node %u could not be sent (%x)", pending_origin.node, (unsigned)mr);
}

void deliver_flush(void)
{
	mach_msg_return_t mr;

	if (!pending)
		return;
	pending = false;
	mr = deliver_now(buffer, &pending_origin, pending_home == NULL);
	if (mr != MACH_MSG_SUCCESS)
		settle(mr);
}

void deliver(struct home *home, const struct association *from, uint64_t item, uint32_t octets)
{
	struct origin origin = {from->peer->node, from->peer->epoch, item, octets, home == NULL};

	if (home != NULL && home->held_first != NULL) { /* none may overtake another */
		message_own_rights(buffer);
		held_add(home, buffer, &origin);
		return;
	}
	pending = true;
	pending_home = home;
	pending_origin = origin;
}

/* --- receiving ---------------------------------------------------------------------------------------- */

/* Who sent a message matters to some routines that only some sites have a use for (loop.c). */
static mach_msg_option_t record_wanted(void)
{
	return self.answers_to_all || self.origin_to_all ? MACH_RCV_SENDER : 0;
}

uint64_t sender_task(const mach_msg_header_t *message)
{
	return record_wanted() ? sender_of(message)->task : 0;
}

static mach_msg_return_t receive_only(mach_msg_timeout_t timeout)
{
	mach_msg_option_t option = MACH_RCV_MSG | MACH_RCV_TIMEOUT | (discard ? 0 : MACH_RCV_LARGE) | record_wanted();

	discard = false;
	return mach_msg(buffer, option, 0, (mach_msg_size_t)room, self.set, timeout, MACH_PORT_NULL);
}

/* A send-once right never blocks, so the timeout is the receive's; else it is the send's, 0,
   and the receive only looks. */
static mach_msg_return_t send_and_receive(mach_msg_timeout_t timeout)
{
	mach_msg_option_t option = MACH_SEND_MSG | MACH_SEND_PEER | MACH_RCV_MSG | MACH_RCV_TIMEOUT | MACH_RCV_LARGE
	    | record_wanted();

	pending = false;
	if (pending_home != NULL) {
		option |= MACH_SEND_TIMEOUT;
		timeout = 0;
	}
	prepare_to_send(buffer, &pending_origin);
	return mach_msg(buffer, option, buffer->msgh_size, (mach_msg_size_t)room, self.set, timeout,
	    MACH_PORT_NULL);
}

/* The message at the head of the queue needs a larger buffer, or none would do. */
static void make_ready(mach_msg_size_t size)
{
	discard = size > MESSAGE_MAX;
	wanted = discard ? MESSAGE_MAX : size + RECORD_ROOM;
}

/* A message was received that is no more: as if its receiver had died. */
static void lost(void)
{
	struct import *import = import_of_proxy(buffer->msgh_local_port);

	if (import != NULL)
		import_message_lost(import);
}

static void nothing_received(mach_msg_return_t mr, bool discarding)
{
	switch (WITHOUT_SHORTAGES(mr)) {
	case MACH_RCV_TOO_LARGE:
		if (discarding)
			lost();
		else
			make_ready(buffer->msgh_size);
		break;
	case MACH_RCV_BODY_ERROR:
		mach_msg_destroy(buffer);
		lost();
		break;
	case MACH_RCV_HEADER_ERROR:
		lost();
		break;
	default: /* none came in time */
		break;
	}
}

mach_msg_header_t *receive(mach_msg_timeout_t timeout)
{
	bool discarding = false;
	mach_msg_return_t mr;

	if (pending) {
		mr = send_and_receive(timeout);
		if (IS_SEND_RESULT(mr)) {
			settle(mr);
			return NULL;
		}
	} else {
		/* Without memory for it, a large message is lost. */
		if (!resize(wanted > BUFFER_BASE ? wanted : BUFFER_BASE))
			discard = wanted != 0;
		wanted = 0;
		discarding = discard;
		mr = receive_only(timeout);
	}
	if (mr == MACH_MSG_SUCCESS)
		return buffer;
	nothing_received(mr, discarding);
	return NULL;
}
