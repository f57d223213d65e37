/* Frames: the common header, built in the NIC's transmit buffers and checked in its receive
   buffers (4.1).  Every octet that comes in is hostile. */
#include "peer.h"
#include "resolve.h"

#include <string.h>

#define HEADER_AT WIRE_ETHERNET_HEADER           /* in an Ethernet frame */
#define BODY_AT   (HEADER_AT + WIRE_HEADER_SIZE)
#define FLAGS_AT  5                              /* in the header; zero */

const uint8_t everybody[NIC_ADDRESS_SIZE] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static uint8_t *building; /* the frame begun */

/* --- out -------------------------------------------------------------------------------- */

uint8_t *frame_begin(const uint8_t mac[NIC_ADDRESS_SIZE], uint8_t type, uint32_t dst_node,
    uint32_t chan, uint64_t seq)
{
	uint8_t *at;

	building = nic_buffer(&nic);
	if (building == NULL) {
		counters.tx_ring_full++;
		timer_by(now + MS);
		return NULL;
	}
	memcpy(building + WIRE_ETHERNET_DESTINATION, mac, NIC_ADDRESS_SIZE);
	memcpy(building + WIRE_ETHERNET_SOURCE, nic.address, NIC_ADDRESS_SIZE);
	building[WIRE_ETHERNET_ETHERTYPE] = WIRE_ETHERTYPE >> 8;
	building[WIRE_ETHERNET_ETHERTYPE + 1] = WIRE_ETHERTYPE & 0xff;
	at = building + HEADER_AT;
	wire_put16(at + WIRE_HEADER_MAGIC, WIRE_MAGIC);
	at[WIRE_HEADER_VERSION] = WIRE_VERSION;
	at[WIRE_HEADER_SUITE] = suite->number;
	at[WIRE_HEADER_TYPE] = type;
	at[FLAGS_AT] = 0;
	wire_put32(at + WIRE_HEADER_SRC_NODE, self.node);
	wire_put32(at + WIRE_HEADER_DST_NODE, dst_node);
	wire_put32(at + WIRE_HEADER_SRC_EPOCH, self.epoch);
	wire_put32(at + WIRE_HEADER_CHAN, chan);
	wire_put64(at + WIRE_HEADER_SEQ, seq);
	return building + BODY_AT;
}

uint8_t *frame_header(void)
{
	return building + HEADER_AT;
}

void frame_send(size_t body_length)
{
	wire_put16(building + HEADER_AT + WIRE_HEADER_LENGTH, (uint16_t)(WIRE_HEADER_SIZE + body_length));
	nic_send(&nic, BODY_AT + body_length);
	building = NULL;
	counters.tx_frames++;
}

/* --- in --------------------------------------------------------------------------------- */

static bool type_is_known(uint8_t type)
{
	switch (type) {
	case WIRE_TYPE_NAME_REQ:
	case WIRE_TYPE_NAME_ANS:
	case WIRE_TYPE_NAME_ANN:
	case WIRE_TYPE_NODE_UP:
	case WIRE_TYPE_NODE_DOWN:
	case WIRE_TYPE_HS1:
	case WIRE_TYPE_HS2:
	case WIRE_TYPE_DATA:
	case WIRE_TYPE_CHAN_UNKNOWN:
		return true;
	case WIRE_TYPE_KEY_ANNOUNCE:
		return suite->number == WIRE_SUITE_PAPER;
	case WIRE_TYPE_HS3:
	case WIRE_TYPE_HS_RETRY:
		return suite->number == WIRE_SUITE_MODERN;
	default:
		return false;
	}
}

static bool may_go_to_all(uint8_t type)
{
	return type == WIRE_TYPE_NAME_ANS ? suite->number != WIRE_SUITE_MODERN : type <= WIRE_TYPE_KEY_ANNOUNCE;
}

/* Whether the channel field is set where it must be, and nowhere else. */
static bool channel_is_right(const struct header *header)
{
	bool wanted = header->type == WIRE_TYPE_HS2 || header->type == WIRE_TYPE_HS3
	    || header->type == WIRE_TYPE_DATA;

	return suite->number == WIRE_SUITE_MODERN || wanted == (header->chan != 0);
}

static void decode(struct header *header, const uint8_t *at)
{
	header->suite = at[WIRE_HEADER_SUITE];
	header->type = at[WIRE_HEADER_TYPE];
	header->length = wire_get16(at + WIRE_HEADER_LENGTH);
	header->src_node = wire_get32(at + WIRE_HEADER_SRC_NODE);
	header->dst_node = wire_get32(at + WIRE_HEADER_DST_NODE);
	header->src_epoch = wire_get32(at + WIRE_HEADER_SRC_EPOCH);
	header->chan = wire_get32(at + WIRE_HEADER_CHAN);
	header->seq = wire_get64(at + WIRE_HEADER_SEQ);
}

/* The checks of 4.1, in their order; null, or the counter of the first that fails.  `at` has
   `size` octets, padding included. */
static uint64_t *first_fault(struct header *header, const uint8_t *at, size_t size)
{
	if (size < WIRE_HEADER_SIZE)
		return &counters.rx_malformed;
	decode(header, at);
	if (header->length < WIRE_HEADER_SIZE || header->length > size || header->length > WIRE_MTU)
		return &counters.rx_malformed;
	if (wire_get16(at + WIRE_HEADER_MAGIC) != WIRE_MAGIC || at[WIRE_HEADER_VERSION] != WIRE_VERSION)
		return &counters.rx_malformed;
	if (header->suite != suite->number)
		return &counters.rx_bad_suite;
	if (!type_is_known(header->type) || at[FLAGS_AT] != 0)
		return &counters.rx_malformed;
	if (header->dst_node == WIRE_ALL_NODES && !may_go_to_all(header->type))
		return &counters.rx_malformed;
	if (header->dst_node != WIRE_ALL_NODES && header->dst_node != self.node)
		return &counters.rx_not_mine;
	if (header->src_node == 0 || header->src_node == WIRE_ALL_NODES)
		return &counters.rx_malformed;
	if (header->src_node == self.node)
		return &counters.rx_self;
	return channel_is_right(header) ? NULL : &counters.rx_malformed;
}

static void take_body(struct peer *peer, const struct header *header, const uint8_t *body, size_t length)
{
	switch (header->type) {
	case WIRE_TYPE_DATA:
		channel_take(peer, header, body, length);
		break;
	case WIRE_TYPE_CHAN_UNKNOWN:
		channel_unknown_take(peer, body, length);
		break;
	case WIRE_TYPE_HS1:
	case WIRE_TYPE_HS2:
	case WIRE_TYPE_HS3:
	case WIRE_TYPE_HS_RETRY:
		suite->handshake(peer, header, body, length);
		break;
	default:
		broadcast_take(peer, header, body, length);
	}
}

void frame_take(void *context, const uint8_t *frame, size_t length)
{
	struct header header;
	struct peer *peer;
	uint64_t *fault;

	(void)context;
	if (self.down)
		return;
	counters.rx_frames++;
	fault = length < HEADER_AT ? &counters.rx_malformed
	    : first_fault(&header, frame + HEADER_AT, length - HEADER_AT);
	if (fault != NULL) {
		++*fault;
		return;
	}
	peer = peer_heard(&header, frame + WIRE_ETHERNET_SOURCE);
	if (peer != NULL)
		take_body(peer, &header, frame + BODY_AT, (size_t)header.length - WIRE_HEADER_SIZE);
}
