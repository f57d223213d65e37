/* The stream from a peer: octets in any order become items in theirs (4.6, 4.7).

   Octets in order go straight into the item they belong to; an item that lies whole in one
   packet is not copied at all.  Octets beyond a gap wait in a ring as large as the credit,
   with a bit for each that has come, so whatever a sender does, memory is bounded: one
   ring and one item.  Octets that came first are not replaced by later ones. */
#include "peer.h"

#include <stdlib.h>
#include <string.h>

#define RING  WIRE_WINDOW_OCTETS
#define BITS  64
#define WORDS (RING / BITS)

void stream_in_free(struct stream_in *in)
{
	free(in->ring);
	free(in->have);
	free(in->body);
	in->ring = NULL;
	in->have = NULL;
	in->body = NULL;
}

/* --- items --------------------------------------------------------------------------------- */

static uint32_t body_length(const uint8_t head[WIRE_ITEM_SIZE])
{
	return wire_get32(head + WIRE_ITEM_BODY_LEN);
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* The header is in `in->head`: get ready for the body.  False: no item, or no memory. */
static bool begin_body(struct stream_in *in)
{
	in->body_length = body_length(in->head);
	in->body_got = 0;
	if (in->body_length > WIRE_ITEM_BODY_MAX)
		return false;
	in->body = malloc(in->body_length);
	if (in->body == NULL && in->body_length != 0)
		counters.no_memory++;
	return in->body != NULL || in->body_length == 0;
}

static bool end_body(struct association *association)
{
	struct stream_in *in = &association->in;
	uint8_t *body = in->body;
	bool good;

	in->body = NULL;
	in->head_length = 0;
	good = item_take(association, in->head, body, in->body_length);
	free(body);
	return good;
}

/* Add octets to the item that comes in parts; how many were taken, 0: no good. */
static uint32_t feed_part(struct association *association, const uint8_t *octets, uint32_t length)
{
	struct stream_in *in = &association->in;
	uint32_t taken = least(WIRE_ITEM_SIZE - in->head_length, length), more;

	memcpy(in->head + in->head_length, octets, taken);
	in->head_length += taken;
	if (taken != 0 && in->head_length == WIRE_ITEM_SIZE && !begin_body(in))
		return 0;
	if (in->head_length < WIRE_ITEM_SIZE)
		return taken;
	more = least(in->body_length - in->body_got, length - taken);
	if (more != 0)
		memcpy(in->body + in->body_got, octets + taken, more);
	in->body_got += more;
	if (in->body_got == in->body_length && !end_body(association))
		return 0;
	return taken + more;
}

/* Octets of the stream, in order.  False: no items of the protocol. */
static bool feed(struct association *association, const uint8_t *octets, uint32_t length)
{
	struct stream_in *in = &association->in;

	in->received += length;
	while (length != 0 && association->doomed == 0) {
		uint32_t taken;

		if (in->head_length == 0 && length >= WIRE_ITEM_SIZE
		    && body_length(octets) <= length - WIRE_ITEM_SIZE) {
			taken = WIRE_ITEM_SIZE + body_length(octets);
			if (!item_take(association, octets, octets + WIRE_ITEM_SIZE, body_length(octets)))
				return false;
		} else {
			taken = feed_part(association, octets, length);
			if (taken == 0)
				return false;
		}
		octets += taken;
		length -= taken;
	}
	return true;
}

/* --- octets beyond a gap ------------------------------------------------------------------------ */

static bool has(const struct stream_in *in, uint64_t offset)
{
	uint32_t place = offset % RING;

	return in->have[place / BITS] >> place % BITS & 1;
}

static bool open_ring(struct stream_in *in)
{
	if (in->ring != NULL)
		return true;
	in->ring = malloc(RING);
	in->have = calloc(WORDS, sizeof *in->have);
	if (in->ring != NULL && in->have != NULL)
		return true;
	free(in->ring);
	free(in->have);
	in->ring = NULL;
	in->have = NULL;
	counters.no_memory++;
	return false;
}

/* How many octets from `offset` on, at most `length`, are all there or all missing. */
static uint32_t run(const struct stream_in *in, uint64_t offset, uint32_t length, bool there)
{
	uint32_t count = 0;

	while (count < length) {
		uint32_t place = (offset + count) % RING;

		if (place % BITS == 0 && length - count >= BITS
		    && in->have[place / BITS] == (there ? UINT64_MAX : 0))
			count += BITS;
		else if (has(in, offset + count) == there)
			count++;
		else
			break;
	}
	return count;
}

static void mark(struct stream_in *in, uint64_t offset, uint32_t length, bool there)
{
	while (length != 0) {
		uint32_t place = offset % RING, bit = place % BITS, count = least(BITS - bit, length);
		uint64_t bits = (count == BITS ? UINT64_MAX : (1ULL << count) - 1) << bit;

		if (there)
			in->have[place / BITS] |= bits;
		else
			in->have[place / BITS] &= ~bits;
		offset += count;
		length -= count;
	}
}

static void put_in_ring(struct stream_in *in, uint64_t offset, const uint8_t *data, uint32_t length)
{
	while (length != 0) {
		uint32_t old = run(in, offset, length, true);
		uint32_t missing = run(in, offset + old, length - old, false);
		uint32_t place = (offset + old) % RING, first = least(missing, RING - place);

		memcpy(in->ring + place, data + old, first);
		memcpy(in->ring, data + old + first, missing - first);
		mark(in, offset + old, missing, true);
		in->waiting += missing;
		offset += old + missing;
		data += old + missing;
		length -= old + missing;
	}
}

/* What has no gap in front of it any more. */
static bool drain_ring(struct association *association)
{
	struct stream_in *in = &association->in;

	while (in->waiting != 0 && association->doomed == 0) {
		uint32_t place = in->received % RING;
		uint32_t length = run(in, in->received, least(in->waiting, RING - place), true);

		if (length == 0)
			break;
		mark(in, in->received, length, false);
		in->waiting -= length;
		if (!feed(association, in->ring + place, length))
			return false;
	}
	return true;
}

bool stream_in_take(struct association *association, uint64_t offset, const uint8_t *data, uint32_t length)
{
	struct stream_in *in = &association->in;
	uint64_t end = offset + length;

	if (end < offset || end > in->received + WIRE_WINDOW_OCTETS)
		return false;
	if (end <= in->received)
		return true;
	if (offset < in->received) {
		data += in->received - offset;
		length = (uint32_t)(end - in->received);
		offset = in->received;
	}
	if (offset == in->received && in->waiting == 0)
		return feed(association, data, length);
	if (!open_ring(in)) /* the sender has it still, and will find out */
		return true;
	put_in_ring(in, offset, data, length);
	return drain_ring(association);
}
