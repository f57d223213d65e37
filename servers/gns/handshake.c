/* Handshakes of the suites without keys: HS1 and HS2 in clear (3.5, 4.5).

   The initiator is IDLE, S1, UP; the responder is UP when it has sent HS2.  A repeated HS1
   gets the HS2 it got before, which follows from the channel it made. */
#include "resolve.h"

#define TRIES       4
#define BACKOFF_NS  (1000 * MS) /* after the first failure; then twice as long each time */

static const uint64_t waits[TRIES] = {WIRE_HS_TRY_1_NS, WIRE_HS_TRY_2_NS, WIRE_HS_TRY_3_NS, WIRE_HS_TRY_4_NS};

static void send(const struct channel *channel, uint8_t type)
{
	const struct peer *peer = channel->association->peer;
	uint8_t *body = frame_begin(peer->mac, type, peer->node, channel->theirs, channel->hs_id);

	if (body == NULL)
		return; /* as if lost */
	wire_put32(body + WIRE_HS_CHANNEL, (uint32_t)channel->by_index.low);
	wire_put32(body + WIRE_HS_REL, rel_ours(peer));
	counters.hs_sent++;
	frame_send(WIRE_HS_SIZE);
}

/* --- the initiator ------------------------------------------------------------------------ */

void plain_dial(struct association *association)
{
	machemu_step(STEP_CODE(STEP_RES, 6, 'a'), association->dial.channel->hs_id, association->peer->node);
	send(association->dial.channel, WIRE_TYPE_HS1);
}

void plain_dial_again(struct association *association)
{
	send(association->dial.channel, WIRE_TYPE_HS1);
}

static void wait(struct association *association)
{
	struct dial *dial = &association->dial;

	dial->next = now + waits[dial->tries++];
	timer_by(dial->next);
}

void dial(struct association *association)
{
	struct dial *dial = &association->dial;

	if (dial->channel != NULL || (dial->next != NEVER && dial->next > now))
		return;
	dial->channel = channel_new(association, random_number(), true);
	if (dial->channel == NULL)
		return;
	dial->tries = 0;
	suite->dial(association);
	wait(association);
}

void dial_stop(struct association *association)
{
	if (association->dial.channel != NULL)
		channel_free(association->dial.channel);
	association->dial.channel = NULL;
	association->dial.next = NEVER;
	association->dial.failures = 0;
}

static void fail(struct association *association)
{
	struct dial *dial = &association->dial;
	uint64_t pause = BACKOFF_NS;

	counters.hs_failed++;
	channel_free(dial->channel);
	dial->channel = NULL;
	for (unsigned i = 0; i < dial->failures && pause < WIRE_HS_BACKOFF_MAX_NS; i++)
		pause *= 2;
	dial->failures++;
	dial->next = now + (pause < WIRE_HS_BACKOFF_MAX_NS ? pause : WIRE_HS_BACKOFF_MAX_NS);
	timer_by(dial->next);
	resolve_down(association);
}

void dial_timers(struct association *association)
{
	struct dial *dial = &association->dial;

	if (dial->next == NEVER)
		return;
	if (dial->next > now) {
		timer_by(dial->next);
	} else if (dial->channel == NULL) {
		dial->next = NEVER;
		if (association->current == NULL && association_is_needed(association))
			association_is_dirty(association);
	} else if (dial->tries < TRIES) {
		suite->dial_again(association);
		wait(association);
	} else {
		fail(association);
	}
}

/* --- both ------------------------------------------------------------------------------------ */

/* What the peer says of its side of the association (3.5).  False: it is of the past. */
static bool take_rel(struct association *association, uint32_t rel)
{
	struct peer *peer = association->peer;

	if (rel < peer->rel) {
		counters.hs_stale_rel++;
		return false;
	}
	if (rel > peer->rel && association->begun)
		association_drop(association, true);
	peer->rel = rel;
	return true;
}

static void complete(struct channel *channel, uint32_t theirs)
{
	channel->theirs = theirs;
	channel_complete(channel);
	association_up(channel->association);
}

static struct channel *channel_of(const struct association *association, uint64_t hs_id, bool initiator)
{
	struct channel *channel = association->channels;

	while (channel != NULL && (channel->hs_id != hs_id || channel->initiator != initiator))
		channel = channel->next;
	return channel;
}

static void take_hs1(struct peer *peer, uint64_t hs_id, uint32_t theirs, uint32_t rel)
{
	struct association *association;
	struct channel *channel;

	if (peer->association != NULL && (channel = channel_of(peer->association, hs_id, false)) != NULL) {
		send(channel, WIRE_TYPE_HS2);
		return;
	}
	association = rel >= peer->rel && half_open() < WIRE_HALF_OPEN_MAX ? association_of(peer) : NULL;
	if (association == NULL) {
		if (rel < peer->rel)
			counters.hs_stale_rel++;
		else
			counters.hs_full++;
		return;
	}
	take_rel(association, rel);
	channel = channel_new(association, hs_id, false);
	if (channel == NULL)
		return;
	complete(channel, theirs);
	send(channel, WIRE_TYPE_HS2);
}

static void take_hs2(struct peer *peer, const struct header *header, uint32_t theirs, uint32_t rel)
{
	struct association *association = peer->association;
	struct channel *channel = association != NULL ? association->dial.channel : NULL;

	if (channel == NULL || channel->hs_id != header->seq || channel->by_index.low != header->chan) {
		counters.hs_unexpected++;
		return;
	}
	if (association->doomed != 0 || !take_rel(association, rel))
		return;
	association->dial.channel = NULL;
	association->dial.next = NEVER;
	association->dial.failures = 0;
	complete(channel, theirs);
}

void plain_handshake(struct peer *peer, const struct header *header, const uint8_t *body, size_t length)
{
	uint32_t theirs, rel;

	if (length != WIRE_HS_SIZE || wire_get32(body + WIRE_HS_CHANNEL) == 0) {
		counters.rx_malformed++;
		return;
	}
	theirs = wire_get32(body + WIRE_HS_CHANNEL);
	rel = wire_get32(body + WIRE_HS_REL);
	if (header->type == WIRE_TYPE_HS1)
		take_hs1(peer, header->seq, theirs, rel);
	else
		take_hs2(peer, header, theirs, rel);
}
