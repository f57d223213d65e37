/* The stream to a peer: items, one after another, cut into packets, and sent again until
   they are acknowledged (4.6).

       acked        next             end
         |  under way |   not sent yet |
         [chunk][chunk][chunk ......][chunk]

   A part of the stream that is under way is a flight; one that was lost waits to be sent
   again, in another packet. */
#include "rights.h"

#include <stdlib.h>
#include <string.h>

#define LATER_IS_LOST 3 /* later packets that arrived */
#define CAUTIOUS      2 /* packets after a timeout, until something arrives */

static uint32_t least(uint64_t a, uint32_t b)
{
	return a < b ? (uint32_t)a : b;
}

void stream_out_start(struct stream_out *out)
{
	memset(out, 0, sizeof *out);
	out->limit = WIRE_WINDOW_OCTETS;
	out->most = WIRE_WINDOW_PACKETS;
	out->due = NEVER;
}

void stream_out_free(struct stream_out *out)
{
	struct chunk *chunk = out->first, *next;

	for (; chunk != NULL; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	out->first = out->last = out->unsent = NULL;
}

/* --- what is lost --------------------------------------------------------------------------- */

/* Flights and lost parts together are never more than a window, so there is room. */
static void lose(struct stream_out *out, struct part part)
{
	unsigned at = out->losing++;

	while (at > 0 && out->lost[at - 1].offset > part.offset) {
		out->lost[at] = out->lost[at - 1];
		at--;
	}
	out->lost[at] = part;
}

static void lose_all(struct stream_out *out)
{
	for (unsigned i = 0; i < out->flying; i++)
		lose(out, out->flights[i].part);
	out->flying = 0;
}

void stream_out_resend(struct stream_out *out)
{
	lose_all(out);
	out->due = NEVER;
}

/* --- waiting times ------------------------------------------------------------------------------ */

static uint64_t timeout(const struct stream_out *out)
{
	uint64_t time = WIRE_RTO_START_NS;

	if (out->srtt != 0)
		time = out->srtt + 4 * out->rttvar;
	if (time < WIRE_RTO_MIN_NS)
		time = WIRE_RTO_MIN_NS;
	for (unsigned i = 0; i < out->timeouts && time < WIRE_RTO_MAX_NS; i++)
		time *= 2;
	return time < WIRE_RTO_MAX_NS ? time : WIRE_RTO_MAX_NS;
}

static void wait_for_ack(struct stream_out *out)
{
	out->due = now + timeout(out);
	timer_by(out->due);
}

/* As in RFC 6298: gains of 1/8 and 1/4. */
static void measure(struct stream_out *out, uint64_t rtt)
{
	uint64_t off = rtt > out->srtt ? rtt - out->srtt : out->srtt - rtt;

	if (out->srtt == 0) {
		out->srtt = rtt;
		out->rttvar = rtt / 2;
	} else {
		out->rttvar = (3 * out->rttvar + off) / 4;
		out->srtt = (7 * out->srtt + rtt) / 8;
	}
}

/* --- acknowledgements ----------------------------------------------------------------------------- */

static void free_acked(struct stream_out *out)
{
	while (out->first != NULL && out->first->start + out->first->length <= out->acked) {
		struct chunk *chunk = out->first;

		out->first = chunk->next;
		free(chunk);
	}
	if (out->first == NULL)
		out->last = NULL;
}

struct ack {
	uint64_t largest, bitmap, stream;
	uint64_t delay; /* ns */
};

static bool covers(const struct ack *ack, const struct flight *flight)
{
	uint64_t before = ack->largest - flight->number;

	return flight->part.offset + flight->part.length <= ack->stream
	    || (flight->number <= ack->largest
	        && (before == 0 || (before <= 64 && (ack->bitmap >> (before - 1) & 1))));
}

/* Take the flights that have landed off the list, and those that must be lost.  True: one
   has landed. */
static bool land(struct stream_out *out, const struct ack *ack)
{
	unsigned later = 0, kept = WIRE_WINDOW_PACKETS;

	/* From the latest on: each then knows how many after it have landed now. */
	for (unsigned i = out->flying; i-- > 0;) {
		struct flight *flight = &out->flights[i];

		if (covers(ack, flight)) {
			if (flight->number == ack->largest && now - flight->sent > ack->delay)
				measure(out, now - flight->sent - ack->delay);
			later++;
			continue;
		}
		flight->later += later;
		out->flights[--kept] = *flight;
	}
	out->flying = 0;
	for (; kept < WIRE_WINDOW_PACKETS; kept++) {
		if (out->flights[kept].later >= LATER_IS_LOST) {
			counters.tx_lost++;
			lose(out, out->flights[kept].part);
		} else {
			out->flights[out->flying++] = out->flights[kept];
		}
	}
	return later != 0;
}

bool stream_out_acked(struct association *association, const struct channel *channel, const uint8_t *octets)
{
	struct stream_out *out = &association->out;
	struct ack ack = {
	    .largest = wire_get64(octets + WIRE_ACK_LARGEST),
	    .bitmap = wire_get64(octets + WIRE_ACK_BITMAP),
	    .stream = wire_get64(octets + WIRE_ACK_STREAM_ACK),
	    .delay = wire_get32(octets + WIRE_ACK_DELAY_US) * 1000ULL,
	};
	bool progress = false;

	if (ack.stream > out->next)
		return false;
	if (ack.stream < out->acked) /* overtaken by a later one */
		return true;
	progress = ack.stream > out->acked;
	out->acked = ack.stream;
	out->limit = ack.stream + wire_get32(octets + WIRE_ACK_CREDIT);
	free_acked(out);
	if (channel == association->current && land(out, &ack))
		progress = true;
	if (progress) {
		out->timeouts = 0;
		out->most = WIRE_WINDOW_PACKETS;
		out->due = NEVER;
		if (out->acked < out->next)
			wait_for_ack(out);
		imports_drained(association);
	}
	if (out->acked < out->end)
		association_is_dirty(association);
	return true;
}

void stream_out_timers(struct association *association)
{
	struct stream_out *out = &association->out;

	if (out->stalled) {
		out->stalled = false;
		association_is_dirty(association);
	}
	if (out->due > now) {
		timer_by(out->due);
		return;
	}
	counters.tx_timeouts++;
	out->timeouts++;
	lose_all(out);
	/* All landed, and yet the peer does not have it: it had no room then. */
	if (out->losing == 0 && out->acked < out->next)
		lose(out, (struct part){out->acked, least(out->next - out->acked, WIRE_STREAM_DATA_MAX)});
	out->most = CAUTIOUS;
	out->due = NEVER;
	association_is_dirty(association);
}

/* --- sending -------------------------------------------------------------------------------------------- */

static struct chunk *chunk_at(const struct stream_out *out, uint64_t offset)
{
	struct chunk *chunk = out->unsent != NULL && out->unsent->start <= offset ? out->unsent : out->first;

	while (offset >= chunk->start + chunk->length)
		chunk = chunk->next;
	return chunk;
}

/* The paper's step 10 stands for the frame in which a message begins, so it is told here. */
static void announce(struct association *association, const struct chunk *chunk)
{
	uint64_t item = wire_get64(chunk->octets + WIRE_ITEM_ID);

	machemu_step(STEP_CODE(STEP_RES, 10, 0), item, association->peer->node);
}

void stream_out_copy(struct association *association, uint8_t *to, const struct part *part)
{
	struct chunk *chunk = chunk_at(&association->out, part->offset);
	uint64_t offset = part->offset;
	uint32_t left = part->length;

	while (left != 0) {
		uint32_t skip = (uint32_t)(offset - chunk->start);
		uint32_t size = least(chunk->length - skip, left);

		if (skip == 0 && !chunk->announced) {
			chunk->announced = true;
			announce(association, chunk);
		}
		memcpy(to, chunk->octets + skip, size);
		to += size;
		offset += size;
		left -= size;
		chunk = chunk->next;
	}
}

/* The next part to send, lost ones first; length 0: none may be sent now. */
static struct part next_part(struct stream_out *out)
{
	struct part part = {0, 0};

	if (out->flying >= out->most)
		return part;
	while (out->losing != 0) {
		part = out->lost[0];
		if (part.offset + part.length > out->acked)
			return part;
		out->losing--;
		memmove(out->lost, out->lost + 1, out->losing * sizeof *out->lost);
	}
	part = (struct part){out->next, 0};
	if (out->flying + out->losing >= WIRE_WINDOW_PACKETS || out->next >= out->limit)
		return part;
	part.length = least((out->end < out->limit ? out->end : out->limit) - out->next, WIRE_STREAM_DATA_MAX);
	return part;
}

/* `part` has left in packet `number`. */
static void sent(struct stream_out *out, struct part part, uint64_t number)
{
	out->flights[out->flying++] = (struct flight){part, number, now, 0};
	if (part.offset == out->next) {
		out->next += part.length;
		while (out->unsent != NULL && out->unsent->start + out->unsent->length <= out->next)
			out->unsent = out->unsent->next;
	} else {
		counters.tx_resent++;
		out->losing--;
		memmove(out->lost, out->lost + 1, out->losing * sizeof *out->lost);
	}
	if (out->due == NEVER)
		wait_for_ack(out);
}

static void send_acks(struct association *association)
{
	for (struct channel *channel = association->channels; channel != NULL; channel = channel->next)
		if (channel->ack_by <= now)
			channel_send(channel, NULL);
}

void stream_out_push(struct association *association)
{
	struct stream_out *out = &association->out;
	struct channel *channel = association->current;
	struct part part;

	while ((part = next_part(out)).length != 0) {
		if (!channel_send(channel, &part)) {
			out->stalled = true;
			return;
		}
		sent(out, part, channel->number - 1);
	}
	/* The peer has no room: ask from time to time, for its answer could be lost. */
	if (out->next < out->end && out->due == NEVER) {
		if (out->timeouts != 0)
			channel_ping(channel);
		wait_for_ack(out);
	}
	send_acks(association);
}
