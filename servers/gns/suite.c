/* Suites: what protects frames (3).  `none` protects nothing; the others are further rows. */
#include "peer.h"

static size_t same_size(uint8_t *body, size_t length)
{
	(void)body;
	return length;
}

static const uint8_t *broadcast_as_is(const struct peer *peer, const struct header *header,
    const uint8_t *body, size_t *length)
{
	(void)peer, (void)header, (void)length;
	return body;
}

static size_t packet_as_is(struct channel *channel, uint8_t *body, size_t length)
{
	(void)channel, (void)body;
	return length;
}

static const uint8_t *packet_opened_as_is(struct channel *channel, const struct header *header,
    const uint8_t *body, size_t *length)
{
	(void)channel, (void)header, (void)length;
	return body;
}

static struct chunk *item_as_is(struct association *association, struct chunk *chunk)
{
	(void)association;
	return chunk;
}

static const uint8_t *item_opened_as_is(struct association *association, uint8_t flags, const uint8_t *body,
    size_t *length)
{
	(void)association, (void)length;
	return flags == 0 ? body : NULL;
}

static const struct suite suites[] = {
	{
	    .name = "none",
	    .number = WIRE_SUITE_NONE,
	    .broadcast_seal = same_size,
	    .broadcast_open = broadcast_as_is,
	    .dial = plain_dial,
	    .dial_again = plain_dial_again,
	    .handshake = plain_handshake,
	    .packet_seal = packet_as_is,
	    .packet_open = packet_opened_as_is,
	    .window_drops = false,
	    .item_seal = item_as_is,
	    .item_open = item_opened_as_is,
	},
};

const struct suite *suite = &suites[0];

const struct suite *suite_of(unsigned number)
{
	for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
		if (suites[i].number == number)
			return &suites[i];
	return NULL;
}
