/* Delivery into ports of this node, without ever waiting for one (5.5).

   There is one buffer.  A message that is ready for its port stays in it until the server
   receives again, and one trap does both.  What a full queue does not take is held, in
   order, and tried again; when that grows, the peers that send are told to stop. */
#include "rights.h"

#include <stdlib.h>
#include <string.h>

#define BUFFER_BASE  (64u << 10)                     /* octets */
#define MESSAGE_MAX  (WIRE_ITEM_BODY_MAX + (64u << 10)) /* larger ones are destroyed */
#define HELD_OPEN    (WIRE_HELD_MESSAGES_MAX / 2)
/* After "blocked" comes what is under way already: a window, a backlog, and the messages
   that filled them.  A peer that sends more does not listen. */
#define HELD_HARD    (WIRE_HELD_OCTETS_MAX + 2 * WIRE_WINDOW_OCTETS + 2 * WIRE_ITEM_BODY_MAX)
#define RETRY_FIRST  MS
#define RETRY_LAST   (32 * MS)

#define SYSTEM_RESULT(mr) ((mr) & ~MACH_MSG_MASK)
#define IS_SEND_RESULT(mr) (((mr) & ~0x3fff) == 0x10000000)

/* For whom a message is sent. */
struct origin {
	uint32_t node, epoch;
	uint64_t item;
	uint32_t octets;       /* of that item */
	bool     announced;    /* its step has been told, or it has none */
};

/* A message whose rights are in our hands, ready to be sent as it is. */
struct held {
	struct held *next;
	struct origin origin;
	uint64_t aligned[];    /* the message, then the peer */
};

static mach_msg_header_t *buffer;
static size_t room;
static bool discard;           /* the next message is too large for anybody */
static size_t wanted;          /* the next message needs this much; 0: as usual */

static bool pending;           /* the buffer has a message to send */
static struct home *pending_home;
static struct origin pending_origin;

static struct home *holding;   /* ports with held messages */
static uint64_t retry_at = NEVER, retry_wait = RETRY_FIRST;

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

/* --- holding ----------------------------------------------------------------------------------- */

static mach_msg_header_t *message_of(struct held *held)
{
	return (mach_msg_header_t *)held->aligned;
}

static void put_peer(mach_msg_header_t *message, const struct origin *origin)
{
	mach_msg_peer_t peer = {origin->node, origin->epoch};

	memcpy((uint8_t *)message + message->msgh_size, &peer, sizeof peer);
}

static mach_msg_return_t send(mach_msg_header_t *message, bool may_block)
{
	mach_msg_option_t option = MACH_SEND_MSG | MACH_SEND_PEER | (may_block ? MACH_SEND_TIMEOUT : 0);

	return mach_msg(message, option, message->msgh_size, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL);
}

static struct association *association_from(const struct origin *origin)
{
	struct peer *peer = peer_find(origin->node);

	return peer != NULL && peer->epoch == origin->epoch ? peer->association : NULL;
}

/* Tell the sender to stop, once. */
static void block(struct home *home, const struct origin *origin)
{
	struct association *association = association_from(origin);
	uint64_t *word, bit;

	if (association == NULL)
		return;
	word = &home->told_blocked[association->slot / 64];
	bit = 1ULL << association->slot % 64;
	if (*word & bit)
		return;
	*word |= bit;
	send_port_state(association, home->uid, WIRE_STATE_BLOCKED);
}

static void unblock(struct home *home)
{
	for (unsigned slot = 0; slot < WIRE_ASSOCIATIONS; slot++)
		if (home->told_blocked[slot / 64] >> slot % 64 & 1)
			send_port_state(associations[slot], home->uid, WIRE_STATE_OPEN);
	memset(home->told_blocked, 0, sizeof home->told_blocked);
}

static void refuse(mach_msg_header_t *message, const struct origin *origin)
{
	struct association *association = association_from(origin);

	message_drop(message);
	if (association != NULL)
		send_msg_fail(association, origin->item, WIRE_ST_LIMIT);
}

static void append(struct home *home, struct held *held)
{
	if (home->held_last != NULL) {
		home->held_last->next = held;
	} else {
		home->held_first = held;
		home->next_held = holding;
		holding = home;
	}
	home->held_last = held;
	home->held_count++;
	home->held_octets += held->origin.octets;
	if (home->held_count >= WIRE_HELD_MESSAGES_MAX || home->held_octets >= WIRE_HELD_OCTETS_MAX)
		block(home, &held->origin);
	if (retry_at == NEVER) {
		retry_wait = RETRY_FIRST;
		retry_at = now + retry_wait;
	}
	timer_by(retry_at);
}

/* Keep a message whose rights are in our hands. */
static void hold(struct home *home, mach_msg_header_t *message, const struct origin *origin)
{
	size_t size = sizeof(struct held) + message->msgh_size + sizeof(mach_msg_peer_t);
	struct held *held = home->held_octets + origin->octets <= HELD_HARD ? malloc(size) : NULL;

	if (held == NULL) {
		refuse(message, origin);
		return;
	}
	held->next = NULL;
	held->origin = *origin;
	memcpy(held->aligned, message, message->msgh_size);
	counters.msg_held++;
	append(home, held);
}

/* --- sending -------------------------------------------------------------------------------------- */

/* Figure 3's last step stands for the message that is sent next. */
static void announce(struct origin *origin)
{
	if (!origin->announced)
		machemu_step(STEP_CODE(STEP_RES, 11, 0), origin->item, origin->node);
	origin->announced = true;
}

/* What became of the message in the buffer. */
static void settle(mach_msg_return_t mr)
{
	if (SYSTEM_RESULT(mr) == MACH_SEND_TIMED_OUT)
		hold(pending_home, buffer, &pending_origin);
	else if (SYSTEM_RESULT(mr) == MACH_SEND_INVALID_DEST)
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
	announce(&pending_origin);
	put_peer(buffer, &pending_origin);
	mr = send(buffer, pending_home != NULL);
	if (mr != MACH_MSG_SUCCESS)
		settle(mr);
}

void deliver(struct home *home, const struct association *from, uint64_t item, uint32_t octets)
{
	struct origin origin = {from->peer->node, from->peer->epoch, item, octets, home == NULL};

	if (home != NULL && home->held_first != NULL) { /* none may overtake another */
		message_own_rights(buffer);
		hold(home, buffer, &origin);
		return;
	}
	pending = true;
	pending_home = home;
	pending_origin = origin;
}

/* --- receiving ---------------------------------------------------------------------------------------- */

static mach_msg_return_t receive_only(mach_msg_timeout_t timeout)
{
	mach_msg_option_t option = MACH_RCV_MSG | MACH_RCV_TIMEOUT | (discard ? 0 : MACH_RCV_LARGE);

	discard = false;
	return mach_msg(buffer, option, 0, (mach_msg_size_t)room, self.set, timeout, MACH_PORT_NULL);
}

/* A send-once right never blocks, so the timeout is the receive's; else it is the send's, 0,
   and the receive only looks. */
static mach_msg_return_t send_and_receive(mach_msg_timeout_t timeout)
{
	mach_msg_option_t option = MACH_SEND_MSG | MACH_SEND_PEER | MACH_RCV_MSG | MACH_RCV_TIMEOUT | MACH_RCV_LARGE;

	pending = false;
	if (pending_home != NULL) {
		option |= MACH_SEND_TIMEOUT;
		timeout = 0;
	}
	announce(&pending_origin);
	put_peer(buffer, &pending_origin);
	return mach_msg(buffer, option, buffer->msgh_size, (mach_msg_size_t)room, self.set, timeout,
	    MACH_PORT_NULL);
}

/* Nothing was received; be ready for it the next time. */
static void prepare(mach_msg_return_t mr)
{
	if (mr != MACH_RCV_TOO_LARGE)
		return;
	wanted = buffer->msgh_size;
	if (wanted > MESSAGE_MAX) {
		counters.msg_refused++;
		discard = true;
		wanted = 0;
	}
}

mach_msg_header_t *receive(mach_msg_timeout_t timeout)
{
	mach_msg_return_t mr;

	if (pending) {
		mr = send_and_receive(timeout);
		if (IS_SEND_RESULT(mr)) {
			settle(mr);
			return NULL;
		}
	} else {
		if (!resize(wanted > BUFFER_BASE ? wanted : BUFFER_BASE))
			discard = wanted != 0;
		wanted = 0;
		mr = receive_only(timeout);
	}
	if (mr == MACH_MSG_SUCCESS)
		return buffer;
	if (SYSTEM_RESULT(mr) == MACH_RCV_BODY_ERROR)
		mach_msg_destroy(buffer); /* as if its receiver had died */
	prepare(mr);
	return NULL;
}

/* --- trying again ------------------------------------------------------------------------------------- */

static void pop(struct home *home)
{
	struct held *held = home->held_first;

	home->held_first = held->next;
	if (held->next == NULL)
		home->held_last = NULL;
	home->held_count--;
	home->held_octets -= held->origin.octets;
	free(held);
}

/* Send what the queue takes.  True: something has moved. */
static bool try_again(struct home *home)
{
	bool moved = false;

	while (home->held_first != NULL) {
		mach_msg_header_t *message = message_of(home->held_first);
		mach_msg_return_t mr;

		announce(&home->held_first->origin);
		put_peer(message, &home->held_first->origin);
		mr = send(message, true);
		if (SYSTEM_RESULT(mr) == MACH_SEND_TIMED_OUT)
			break;
		if (mr != MACH_MSG_SUCCESS)
			message_drop(message);
		pop(home);
		moved = true;
	}
	if (home->held_count <= HELD_OPEN && home->held_octets <= WIRE_HELD_OCTETS_MAX / 2)
		unblock(home);
	return moved;
}

void deliver_timers(void)
{
	struct home **at = &holding;
	bool moved = false;

	if (retry_at > now) {
		timer_by(retry_at);
		return;
	}
	while (*at != NULL) {
		struct home *home = *at;

		moved |= try_again(home);
		if (home->held_first != NULL) {
			at = &home->next_held;
		} else {
			*at = home->next_held;
			home_release(home);
		}
	}
	retry_wait = moved ? RETRY_FIRST : retry_wait * 2 > RETRY_LAST ? RETRY_LAST : retry_wait * 2;
	retry_at = holding != NULL ? now + retry_wait : NEVER;
	timer_by(retry_at);
}

void held_drop(struct home *home)
{
	struct home **at = &holding;

	if (home->held_first == NULL)
		return;
	while (*at != home)
		at = &(*at)->next_held;
	*at = home->next_held;
	while (home->held_first != NULL) {
		message_drop(message_of(home->held_first));
		pop(home);
	}
	memset(home->told_blocked, 0, sizeof home->told_blocked);
}

void held_forget(const struct association *association)
{
	for (struct home *home = holding; home != NULL; home = home->next_held)
		home->told_blocked[association->slot / 64] &= ~(1ULL << association->slot % 64);
}

void deliver_stat(struct text *out)
{
	for (const struct home *home = holding; home != NULL; home = home->next_held)
		text_add(out, "held uid=%llx messages=%u octets=%zu\n", (unsigned long long)home->uid,
		    home->held_count, home->held_octets);
}
