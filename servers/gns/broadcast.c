/* Broadcasts: who has a name, who comes and who goes (4.2). */
#include "resolve.h"

#include <string.h>

#define INNER_MAX 256 /* octets; the longest is a NAME_REQ with an origin */
#define UP_FIRST  (1000 * MS)
#define UP_SECOND (3000 * MS)

static uint64_t sequence, started, next_up = NEVER;

void name_pad(gns_name padded, const uint8_t *name, size_t length)
{
	memcpy(padded, name, length);
	memset(padded + length, 0, sizeof(gns_name) - length);
}

/* --- out ------------------------------------------------------------------------------------ */

static bool broadcast(const struct peer *to, uint8_t type, const uint8_t *inner, size_t length)
{
	uint8_t *body = frame_begin(to != NULL ? to->mac : everybody, type, to != NULL ? to->node : WIRE_ALL_NODES,
	    0, ++sequence);

	if (body == NULL)
		return false;
	wire_put16(body + WIRE_BCAST_INNER_LEN, (uint16_t)length);
	wire_put16(body + WIRE_BCAST_CERTS_LEN, 0);
	memcpy(body + WIRE_BCAST_OCTETS, inner, length);
	length = suite->broadcast_seal(body, WIRE_BCAST_SIZE + length);
	if (length != 0)
		frame_send(length);
	return length != 0;
}

/* Put a name; the place behind it. */
static uint8_t *put_name(uint8_t *at, const gns_name name)
{
	size_t length = strnlen(name, sizeof(gns_name));

	memcpy(at, name, length);
	return at + length;
}

bool broadcast_name_request(const struct name_request *request)
{
	uint8_t inner[INNER_MAX] = {0}, *at;

	wire_put64(inner + WIRE_NAME_REQ_REQ_ID, request->id);
	wire_put16(inner + WIRE_NAME_REQ_FLAGS, request->has_origin ? WIRE_NAME_REQ_ORIGIN : 0);
	wire_put16(inner + WIRE_NAME_REQ_NAME_LEN, (uint16_t)strnlen(request->name, sizeof(gns_name)));
	at = put_name(inner + WIRE_NAME_REQ_OCTETS, request->name);
	if (request->has_origin) {
		at += -(at - inner) & 7;
		wire_put64(at + WIRE_ORIGIN_UID, request->origin_uid);
		wire_put16(at + WIRE_ORIGIN_NAME_LEN, (uint16_t)strnlen(request->origin, sizeof(gns_name)));
		at = put_name(at + WIRE_ORIGIN_NAME, request->origin);
	}
	return broadcast(NULL, WIRE_TYPE_NAME_REQ, inner, (size_t)(at - inner));
}

bool broadcast_name_answer(const struct peer *to, const struct name_answer *answer)
{
	uint8_t inner[INNER_MAX] = {0}, *at;

	wire_put64(inner + WIRE_NAME_ANS_REQ_ID, answer->id);
	wire_put32(inner + WIRE_NAME_ANS_STATUS, answer->status);
	wire_put16(inner + WIRE_NAME_ANS_NAME_LEN, (uint16_t)strnlen(answer->name, sizeof(gns_name)));
	wire_put64(inner + WIRE_NAME_ANS_UID, answer->uid);
	at = put_name(inner + WIRE_NAME_ANS_NAME, answer->name);
	return broadcast(answer->to_all ? NULL : to, WIRE_TYPE_NAME_ANS, inner, (size_t)(at - inner));
}

bool broadcast_withdrawal(const gns_name name)
{
	uint8_t inner[INNER_MAX] = {0}, *at;

	wire_put16(inner + WIRE_NAME_ANN_NAME_LEN, (uint16_t)strnlen(name, sizeof(gns_name)));
	at = put_name(inner + WIRE_NAME_ANN_NAME, name);
	return broadcast(NULL, WIRE_TYPE_NAME_ANN, inner, (size_t)(at - inner));
}

void broadcast_node_down(uint32_t reason)
{
	uint8_t inner[WIRE_NODE_DOWN_SIZE] = {0};

	wire_put32(inner + WIRE_NODE_DOWN_REASON, reason);
	broadcast(NULL, WIRE_TYPE_NODE_DOWN, inner, sizeof inner);
}

static void send_node_up(void)
{
	uint8_t inner[WIRE_NODE_UP_SIZE] = {0};

	wire_put64(inner + WIRE_NODE_UP_UPTIME_NS, now);
	broadcast(NULL, WIRE_TYPE_NODE_UP, inner, sizeof inner);
}

void broadcast_start(void)
{
	started = next_up = now;
	timer_by(now);
}

/* At once, after 1 s and 3 s, then every 30 s. */
void broadcast_timers(void)
{
	if (next_up <= now) {
		send_node_up();
		if (next_up < started + UP_FIRST)
			next_up = started + UP_FIRST;
		else if (next_up < started + UP_SECOND)
			next_up = started + UP_SECOND;
		else
			next_up = now + WIRE_NODE_UP_NS;
	}
	timer_by(next_up);
}

/* --- in --------------------------------------------------------------------------------------- */

/* A name of exactly `length` octets at the end of what is left. */
static bool take_name(gns_name name, const uint8_t *at, size_t left, size_t length)
{
	if (length < 1 || length > WIRE_NAME_MAX || length != left)
		return false;
	name_pad(name, at, length);
	return true;
}

static bool take_origin(struct name_request *request, const uint8_t *at, size_t left)
{
	if (left < WIRE_ORIGIN_SIZE || wire_get32(at + WIRE_ORIGIN_NAME_LEN + 2) != 0
	    || wire_get16(at + WIRE_ORIGIN_NAME_LEN + 6) != 0)
		return false;
	request->origin_uid = wire_get64(at + WIRE_ORIGIN_UID);
	return take_name(request->origin, at + WIRE_ORIGIN_NAME, left - WIRE_ORIGIN_NAME,
	    wire_get16(at + WIRE_ORIGIN_NAME_LEN));
}

static bool take_request(struct peer *peer, const uint8_t *inner, size_t length)
{
	struct name_request request = {0};
	uint16_t flags, name;
	size_t end;

	if (length < WIRE_NAME_REQ_SIZE || wire_get32(inner + WIRE_NAME_REQ_NAME_LEN + 2) != 0)
		return false;
	flags = wire_get16(inner + WIRE_NAME_REQ_FLAGS);
	name = wire_get16(inner + WIRE_NAME_REQ_NAME_LEN);
	end = WIRE_NAME_REQ_OCTETS + name;
	if (flags & ~(WIRE_NAME_REQ_ANNOUNCE | WIRE_NAME_REQ_ORIGIN) || end > length
	    || !take_name(request.name, inner + WIRE_NAME_REQ_OCTETS, name, name))
		return false;
	request.id = wire_get64(inner + WIRE_NAME_REQ_REQ_ID);
	request.has_origin = flags & WIRE_NAME_REQ_ORIGIN;
	if (request.has_origin) {
		for (; end % 8 != 0; end++)
			if (end >= length || inner[end] != 0)
				return false;
		if (!take_origin(&request, inner + end, length - end))
			return false;
	} else if (end != length) {
		return false;
	}
	answer_request(peer, &request);
	return true;
}

static bool take_answer(struct peer *peer, const uint8_t *inner, size_t length, bool to_all)
{
	struct name_answer answer = {.to_all = to_all};

	if (length < WIRE_NAME_ANS_SIZE || wire_get16(inner + WIRE_NAME_ANS_FLAGS) & ~WIRE_NAME_ANS_POLICY
	    || !take_name(answer.name, inner + WIRE_NAME_ANS_NAME, length - WIRE_NAME_ANS_NAME,
	        wire_get16(inner + WIRE_NAME_ANS_NAME_LEN)))
		return false;
	answer.id = wire_get64(inner + WIRE_NAME_ANS_REQ_ID);
	answer.status = wire_get32(inner + WIRE_NAME_ANS_STATUS);
	answer.uid = wire_get64(inner + WIRE_NAME_ANS_UID);
	resolve_answer(peer, &answer);
	return true;
}

/* Without keys an announcement is of use only to withdraw: it carries no port. */
static bool take_announcement(struct peer *peer, const uint8_t *inner, size_t length)
{
	gns_name name;

	if (length < WIRE_NAME_ANN_SIZE || wire_get16(inner + WIRE_NAME_ANN_FLAGS) != 0
	    || !take_name(name, inner + WIRE_NAME_ANN_NAME, length - WIRE_NAME_ANN_NAME,
	        wire_get16(inner + WIRE_NAME_ANN_NAME_LEN)))
		return false;
	if (wire_get32(inner + WIRE_NAME_ANN_TTL_S) == 0)
		name_withdrawn(peer, name);
	return true;
}

static bool take_inner(struct peer *peer, const struct header *header, const uint8_t *inner, size_t length)
{
	switch (header->type) {
	case WIRE_TYPE_NAME_REQ:
		return take_request(peer, inner, length);
	case WIRE_TYPE_NAME_ANS:
		return take_answer(peer, inner, length, header->dst_node == WIRE_ALL_NODES);
	case WIRE_TYPE_NAME_ANN:
		return take_announcement(peer, inner, length);
	case WIRE_TYPE_NODE_UP: /* its header has told all there is to know */
		return length == WIRE_NODE_UP_SIZE && wire_get32(inner + WIRE_NODE_UP_GENERATION + 4) == 0;
	default:
		if (length != WIRE_NODE_DOWN_SIZE || wire_get32(inner + WIRE_NODE_DOWN_REASON + 4) != 0)
			return false;
		boot_is_over(peer, peer->epoch + 1);
		return true;
	}
}

void broadcast_take(struct peer *peer, const struct header *header, const uint8_t *body, size_t length)
{
	body = suite->broadcast_open(peer, header, body, &length);
	if (body == NULL)
		return;
	if (length < WIRE_BCAST_SIZE || wire_get16(body + WIRE_BCAST_CERTS_LEN) != 0
	    || wire_get16(body + WIRE_BCAST_INNER_LEN) != length - WIRE_BCAST_SIZE) {
		counters.rx_malformed++;
		return;
	}
	if (!bucket_take(&peer->broadcasts, WIRE_REQUEST_RATE, WIRE_REQUEST_BURST)) {
		counters.rx_limited++;
		return;
	}
	if (!take_inner(peer, header, body + WIRE_BCAST_OCTETS, length - WIRE_BCAST_SIZE))
		counters.rx_malformed++;
}
