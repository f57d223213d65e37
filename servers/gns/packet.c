/* DATA packets: their numbers, and the records in them (4.6). */
#include "peer.h"

#include <string.h>

#define ACK_OCTETS (WIRE_RECORD_SIZE + WIRE_ACK_SIZE)
#define ACK_EVERY  2 /* packets */
#define PADDED(n)  (((n) + 3u) & ~3u)

_Static_assert(ACK_OCTETS + WIRE_RECORD_SIZE + WIRE_STREAM_SIZE + WIRE_STREAM_DATA_MAX <= BODY_MAX,
    "an ACK and a full STREAM fit in a packet");

static struct bucket unknown_sent;

/* --- out ---------------------------------------------------------------------------------- */

static bool has_come(const struct channel *channel, uint64_t number)
{
	unsigned place = number % WIRE_REPLAY_WINDOW;

	return channel->window[place / 64] >> place % 64 & 1;
}

static uint8_t *put_record(uint8_t *at, uint8_t type, size_t length)
{
	at[WIRE_RECORD_TYPE] = type;
	at[WIRE_RECORD_TYPE + 1] = 0;
	wire_put16(at + WIRE_RECORD_BODY_LEN, (uint16_t)length);
	memset(at + WIRE_RECORD_SIZE + length, 0, PADDED(length) - length);
	return at + WIRE_RECORD_BODY;
}

/* Bit i: packet largest - 1 - i has come.  Before packet 64 the ring holds zeros there. */
static uint64_t ack_bitmap(const struct channel *channel)
{
	unsigned first = (unsigned)(channel->largest - 64) % WIRE_REPLAY_WINDOW, shift = first % 64;
	uint64_t rising = channel->window[first / 64] >> shift;

	if (shift != 0)
		rising |= channel->window[(first / 64 + 1) % (WIRE_REPLAY_WINDOW / 64)] << (64 - shift);
	return __builtin_bitreverse64(rising);
}

static uint8_t *put_ack(struct channel *channel, uint8_t *at)
{
	uint8_t *body = put_record(at, WIRE_REC_ACK, WIRE_ACK_SIZE);

	wire_put64(body + WIRE_ACK_LARGEST, channel->largest);
	wire_put64(body + WIRE_ACK_BITMAP, ack_bitmap(channel));
	wire_put64(body + WIRE_ACK_STREAM_ACK, channel->association->in.received);
	wire_put32(body + WIRE_ACK_CREDIT, WIRE_WINDOW_OCTETS);
	wire_put32(body + WIRE_ACK_DELAY_US, (uint32_t)((now - channel->largest_at) / 1000));
	channel->owed = 0;
	channel->ack_by = NEVER;
	return at + ACK_OCTETS;
}

static uint8_t *put_stream(struct association *association, uint8_t *at, const struct part *part)
{
	size_t length = WIRE_STREAM_SIZE + part->length;
	uint8_t *body = put_record(at, WIRE_REC_STREAM, length);

	wire_put64(body + WIRE_STREAM_OFFSET, part->offset);
	stream_out_copy(association, body + WIRE_STREAM_DATA, part);
	return body + PADDED(length);
}

static uint8_t *packet_begin(const struct channel *channel)
{
	const struct peer *peer = channel->association->peer;

	return frame_begin(peer->mac, WIRE_TYPE_DATA, peer->node, channel->theirs, channel->number);
}

static bool packet_send(struct channel *channel, uint8_t *body, const uint8_t *end)
{
	size_t length = suite->packet_seal(channel, body, (size_t)(end - body));

	channel->number++;
	if (length == 0)
		return false;
	frame_send(length);
	counters.tx_packets++;
	return true;
}

bool channel_send(struct channel *channel, const struct part *stream)
{
	uint8_t *body, *at;

	if (stream == NULL && channel->ack_by == NEVER)
		return true;
	body = at = packet_begin(channel);
	if (body == NULL)
		return false;
	if (channel->ack_by != NEVER)
		at = put_ack(channel, at);
	if (stream != NULL)
		at = put_stream(channel->association, at, stream);
	return packet_send(channel, body, at);
}

static bool send_record(struct channel *channel, uint8_t type, const uint8_t *octets, size_t length)
{
	uint8_t *body = packet_begin(channel), *record;

	if (body == NULL)
		return false;
	record = put_record(body, type, length);
	memcpy(record, octets, length);
	return packet_send(channel, body, record + PADDED(length));
}

bool channel_ping(struct channel *channel)
{
	uint8_t token[WIRE_PING_SIZE];

	wire_put64(token, now);
	return send_record(channel, WIRE_REC_PING, token, sizeof token);
}

void channel_close(struct channel *channel, uint32_t reason)
{
	uint8_t body[WIRE_CLOSE_SIZE];

	wire_put32(body, reason);
	send_record(channel, WIRE_REC_CLOSE, body, sizeof body);
}

/* --- in: packet numbers --------------------------------------------------------------------- */

/* Count a packet number.  False: this suite drops such a packet. */
static bool number_is_good(const struct channel *channel, uint64_t number)
{
	if (!channel->any || number > channel->largest)
		return true;
	if (channel->largest - number >= WIRE_REPLAY_WINDOW)
		counters.rx_old++;
	else if (has_come(channel, number))
		counters.rx_replay++;
	else {
		counters.rx_reordered++;
		return true;
	}
	return !suite->window_drops;
}

static void note_number(struct channel *channel, uint64_t number)
{
	unsigned place = number % WIRE_REPLAY_WINDOW;

	if (!channel->any || number > channel->largest) {
		uint64_t first = channel->any ? channel->largest + 1 : 0;

		if (number - first >= WIRE_REPLAY_WINDOW)
			memset(channel->window, 0, sizeof channel->window);
		else
			for (uint64_t n = first; n < number; n++) {
				unsigned skipped = n % WIRE_REPLAY_WINDOW;

				channel->window[skipped / 64] &= ~(1ULL << skipped % 64);
			}
		channel->any = true;
		channel->largest = number;
		channel->largest_at = now;
	} else if (channel->largest - number >= WIRE_REPLAY_WINDOW) {
		return;
	}
	channel->window[place / 64] |= 1ULL << place % 64;
}

/* A packet has come that wants an acknowledgement; `at_once`: something is missing. */
static void owe_ack(struct channel *channel, bool at_once)
{
	if (++channel->owed >= ACK_EVERY || at_once) {
		channel->ack_by = now;
		association_is_dirty(channel->association);
	} else if (channel->ack_by == NEVER) {
		channel->ack_by = now + WIRE_ACK_DELAY_NS;
		timer_by(channel->ack_by);
	}
}

/* --- in: records ----------------------------------------------------------------------------- */

static bool is_zero(const uint8_t *at, size_t length)
{
	while (length != 0 && *at == 0)
		at++, length--;
	return length == 0;
}

static bool take_stream(struct association *association, const uint8_t *body, size_t length)
{
	size_t data = length - WIRE_STREAM_SIZE;

	return length >= WIRE_STREAM_SIZE && data <= WIRE_STREAM_DATA_MAX
	    && stream_in_take(association, wire_get64(body + WIRE_STREAM_OFFSET), body + WIRE_STREAM_DATA,
	        (uint32_t)data);
}

static bool take_close(struct channel *channel, const uint8_t *body)
{
	struct association *association = channel->association;

	if (wire_get32(body + WIRE_CLOSE_REASON) == WIRE_REASON_REKEYED)
		channel->closing = now;
	else
		association_doom(association, DOOM_CLOSED);
	timer_by(now);
	return true;
}

static bool take_record(struct channel *channel, uint8_t type, const uint8_t *body, size_t length)
{
	struct association *association = channel->association;

	switch (type) {
	case WIRE_REC_ACK:
		return length == WIRE_ACK_SIZE && stream_out_acked(association, channel, body);
	case WIRE_REC_STREAM:
		return take_stream(association, body, length);
	case WIRE_REC_PING:
		return length == WIRE_PING_SIZE && (send_record(channel, WIRE_REC_PONG, body, length), true);
	case WIRE_REC_PONG:
		return length == WIRE_PING_SIZE;
	case WIRE_REC_CONFIRM: /* says nothing here that the handshake has not said */
		return length == WIRE_CONFIRM_SIZE && wire_get32(body + WIRE_CONFIRM_REL + 4) == 0;
	case WIRE_REC_CLOSE:
		return length == WIRE_CLOSE_SIZE && take_close(channel, body);
	default:
		return false;
	}
}

/* False: malformed.  `wants_ack`: there was more than acknowledgements. */
static bool take_records(struct channel *channel, const uint8_t *at, size_t length, bool *wants_ack)
{
	while (length != 0 && channel->association->doomed == 0) {
		size_t body, record;

		if (at[WIRE_RECORD_TYPE] == WIRE_REC_PAD)
			return is_zero(at, length);
		if (length < WIRE_RECORD_SIZE || at[WIRE_RECORD_TYPE + 1] != 0)
			return false;
		body = wire_get16(at + WIRE_RECORD_BODY_LEN);
		record = WIRE_RECORD_SIZE + PADDED(body);
		if (record > length || !is_zero(at + WIRE_RECORD_SIZE + body, PADDED(body) - body))
			return false;
		if (at[WIRE_RECORD_TYPE] != WIRE_REC_ACK)
			*wants_ack = true;
		if (!take_record(channel, at[WIRE_RECORD_TYPE], at + WIRE_RECORD_BODY, body))
			return false;
		at += record;
		length -= record;
	}
	return true;
}

static void tell_unknown(const struct peer *peer, const struct header *header)
{
	uint8_t *body;

	counters.rx_bad_chan++;
	if (!bucket_take(&unknown_sent, WIRE_CHAN_UNKNOWN_RATE, WIRE_CHAN_UNKNOWN_RATE))
		return;
	body = frame_begin(peer->mac, WIRE_TYPE_CHAN_UNKNOWN, peer->node, 0, 0);
	if (body == NULL)
		return;
	wire_put64(body + WIRE_CHAN_UNKNOWN_SEQ, header->seq);
	frame_send(WIRE_CHAN_UNKNOWN_SIZE);
}

void channel_unknown_take(struct peer *peer, const uint8_t *body, size_t length)
{
	struct association *association = peer->association;

	if (length != WIRE_CHAN_UNKNOWN_SIZE) {
		counters.rx_malformed++;
		return;
	}
	if (association == NULL || association->current == NULL || association->hinted != NEVER
	    || wire_get64(body + WIRE_CHAN_UNKNOWN_SEQ) >= association->current->number)
		return;
	/* A hint, no proof: ask, and dial if nobody answers. */
	association->hinted = now;
	timer_by(now + WIRE_HS_TRY_1_NS);
	channel_ping(association->current);
}

void channel_take(struct peer *peer, const struct header *header, const uint8_t *body, size_t length)
{
	struct link *link = table_find(&channels, 0, header->chan);
	struct channel *channel = link != NULL ? CONTAINER(link, struct channel, by_index) : NULL;
	struct association *association;
	bool wants_ack = false, gap;

	if (channel == NULL || channel->association->peer != peer) {
		tell_unknown(peer, header);
		return;
	}
	association = channel->association;
	if (channel->theirs == 0) { /* overtook the HS2 that makes the channel; it will come again */
		counters.rx_early++;
		return;
	}
	body = suite->packet_open(channel, header, body, &length);
	if (body == NULL || association->doomed != 0 || !number_is_good(channel, header->seq))
		return;
	counters.rx_packets++;
	channel->heard = true;
	association->heard = now;
	association->hinted = NEVER;
	association->suspect = false;
	gap = header->seq != (channel->any ? channel->largest + 1 : 0);
	if (!take_records(channel, body, length, &wants_ack)) {
		counters.rx_malformed++;
		association_doom(association, WIRE_REASON_PROTOCOL);
		return;
	}
	note_number(channel, header->seq);
	if (wants_ack)
		owe_ack(channel, gap || association->in.waiting != 0);
}
