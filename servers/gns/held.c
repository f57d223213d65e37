/* Messages that a full queue has not taken (5.5).  They are held, in order, and tried again;
   when that grows, the peers that send are told to stop. */
#include "rights.h"

#include <stdlib.h>
#include <string.h>

#define HELD_OPEN   (WIRE_HELD_MESSAGES_MAX / 2)
/* After "blocked" comes what is under way already: a window, a backlog, and the messages
   that filled them.  A peer that sends more does not listen. */
#define HELD_HARD   (WIRE_HELD_OCTETS_MAX + 2 * WIRE_WINDOW_OCTETS + 2 * WIRE_ITEM_BODY_MAX)
#define HELD_TOTAL  (2 * HELD_HARD)
#define RETRY_FIRST MS
#define RETRY_LAST  (32 * MS)

/* A message whose rights are in our hands, ready to be sent as it is. */
struct held {
	struct held *next;
	struct origin origin;
	uint64_t aligned[];    /* the message, then the peer */
};

static struct home *holding;   /* ports with held messages */
static size_t held_total;      /* octets, of all */
static uint64_t retry_at = NEVER, retry_wait = RETRY_FIRST;

static mach_msg_header_t *message_of(struct held *held)
{
	return (mach_msg_header_t *)held->aligned;
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
	held_total += held->origin.octets;
	if (home->held_count >= WIRE_HELD_MESSAGES_MAX || home->held_octets >= WIRE_HELD_OCTETS_MAX)
		block(home, &held->origin);
	if (retry_at == NEVER) {
		retry_wait = RETRY_FIRST;
		retry_at = now + retry_wait;
	}
	timer_by(retry_at);
}

/* Keep a message whose rights are in our hands. */
void held_add(struct home *home, mach_msg_header_t *message, const struct origin *origin)
{
	size_t size = sizeof(struct held) + message->msgh_size + sizeof(mach_msg_peer_t);
	struct held *held = NULL;

	if (home->held_octets + origin->octets <= HELD_HARD && held_total + origin->octets <= HELD_TOTAL)
		held = malloc(size);
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

/* --- trying again ------------------------------------------------------------------------------------- */

static void pop(struct home *home)
{
	struct held *held = home->held_first;

	home->held_first = held->next;
	if (held->next == NULL)
		home->held_last = NULL;
	home->held_count--;
	home->held_octets -= held->origin.octets;
	held_total -= held->origin.octets;
	free(held);
}

/* Send what the queue takes.  True: something has moved. */
static bool try_again(struct home *home)
{
	bool moved = false;

	while (home->held_first != NULL) {
		mach_msg_header_t *message = message_of(home->held_first);
		mach_msg_return_t mr;

		mr = deliver_now(message, &home->held_first->origin, false);
		if (WITHOUT_SHORTAGES(mr) == MACH_SEND_TIMED_OUT)
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

void held_timers(void)
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

void held_stat(struct text *out)
{
	for (const struct home *home = holding; home != NULL; home = home->next_held)
		text_add(out, "held uid=%llx messages=%u octets=%zu\n", (unsigned long long)home->uid,
		    home->held_count, home->held_octets);
}
