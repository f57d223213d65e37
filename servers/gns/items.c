/* Items: what the streams carry (4.7).  The small ones are handled here, with those of the
   tables; messages go on to translate_in.c. */
#include "rights.h"

#include <stdlib.h>
#include <string.h>

#define ZERO_AT 6      /* two reserved octets of the item header */
#define KINDS   (WIRE_KIND_RECV_TAKEN + 1)

/* --- out --------------------------------------------------------------------------------- */

struct chunk *item_new(uint8_t kind, uint32_t body_length)
{
	struct chunk *chunk = malloc(sizeof *chunk + WIRE_ITEM_SIZE + body_length);

	if (chunk == NULL) {
		counters.no_memory++;
		return NULL;
	}
	chunk->next = NULL;
	chunk->length = WIRE_ITEM_SIZE + body_length;
	chunk->announced = true;
	memset(chunk->octets, 0, WIRE_ITEM_SIZE);
	wire_put32(chunk->octets + WIRE_ITEM_BODY_LEN, body_length);
	chunk->octets[WIRE_ITEM_KIND] = kind;
	return chunk;
}

uint64_t item_queue(struct association *association, struct chunk *chunk)
{
	struct stream_out *out = &association->out;

	chunk = suite->item_seal(association, chunk);
	if (chunk == NULL)
		return 0;
	association_needed(association);
	wire_put64(chunk->octets + WIRE_ITEM_ID, ++out->item);
	chunk->start = out->end;
	out->end += chunk->length;
	if (out->last != NULL)
		out->last->next = chunk;
	else
		out->first = chunk;
	out->last = chunk;
	if (out->unsent == NULL)
		out->unsent = chunk;
	association_is_dirty(association);
	counters.tx_items++;
	return out->item;
}

void item_send(struct association *association, uint8_t kind, const uint8_t *body, uint32_t length)
{
	struct chunk *chunk = item_new(kind, length);

	if (chunk == NULL) {
		/* The peer would count on without it; better that it learns we are lost. */
		association_doom(association, WIRE_REASON_HALT);
		return;
	}
	memcpy(chunk->octets + WIRE_ITEM_SIZE, body, length);
	item_queue(association, chunk);
}

/* Most control items name a port in their first word, and say a number in their next. */
static void send_short(struct association *association, uint8_t kind, uint64_t first, uint32_t second)
{
	uint8_t body[WIRE_DROP_SIZE] = {0};

	wire_put64(body, first);
	wire_put32(body + 8, second);
	item_send(association, kind, body, sizeof body);
}

void send_drop(struct association *association, uint64_t uid, uint32_t references)
{
	send_short(association, WIRE_KIND_DROP, uid, references);
}

void send_once_drop(struct association *association, uint64_t uid)
{
	send_short(association, WIRE_KIND_SO_DROP, uid, 0);
}

void send_port_dead(struct association *association, uint64_t uid)
{
	send_short(association, WIRE_KIND_PORT_DEAD, uid, 0);
}

void send_port_state(struct association *association, uint64_t uid, uint32_t state)
{
	send_short(association, WIRE_KIND_PORT_STATE, uid, state);
}

void send_msg_fail(struct association *association, uint64_t item, uint32_t status)
{
	counters.msg_fail++;
	send_short(association, WIRE_KIND_MSG_FAIL, item, status);
}

/* --- in: rights given back, ports that died ------------------------------------------------- */

/* What the peer asks for is not its own: 5.1. */
static void refuse(struct association *association, uint64_t item)
{
	send_msg_fail(association, item, WIRE_ST_BAD_RIGHT);
	association_violation(association);
}

static bool take_drop(struct association *association, uint64_t item, const uint8_t *body)
{
	struct row *row = row_find(association, wire_get64(body + WIRE_DROP_UID));
	uint32_t n = wire_get32(body + WIRE_DROP_REFERENCES);

	if (row == NULL || row->home == NULL) {
		refuse(association, item);
		return true;
	}
	if (n == 0)
		row_confirm(row);
	return row_take(row, n);
}

static bool take_once_drop(struct association *association, uint64_t item, const uint8_t *body)
{
	struct row *row = row_find(association, wire_get64(body + WIRE_SO_DROP_UID));

	if (row == NULL || row->home != NULL) {
		refuse(association, item);
		return true;
	}
	row_drop_once(row);
	row_free(row);
	return true;
}

static bool take_port_dead(struct association *association, uint64_t item, const uint8_t *body)
{
	struct import *import = import_find(association, wire_get64(body + WIRE_PORT_DEAD_UID));

	(void)item;
	if (import != NULL)
		import_died(import);
	return true;
}

static bool take_port_state(struct association *association, uint64_t item, const uint8_t *body)
{
	struct import *import = import_find(association, wire_get64(body + WIRE_PORT_STATE_UID));
	uint32_t state = wire_get32(body + WIRE_PORT_STATE_STATE);

	(void)item;
	if (import != NULL && !import->once && state == WIRE_STATE_BLOCKED)
		import_stop(import, STOP_BLOCKED);
	else if (import != NULL && state == WIRE_STATE_OPEN)
		import_go(import, STOP_BLOCKED);
	return true;
}

/* A message of ours found no port.  If it was one we could have known, it is no more. */
static bool take_msg_fail(struct association *association, uint64_t item, const uint8_t *body)
{
	uint64_t failed = wire_get64(body + WIRE_MSG_FAIL_ITEM);
	uint32_t status = wire_get32(body + WIRE_MSG_FAIL_STATUS);
	const struct sent *sent = &association->sent[failed % SENT_KEPT];
	struct import *import;

	(void)item;
	counters.msg_lost++;
	if (sent->item != failed || (status != WIRE_ST_DEAD && status != WIRE_ST_BAD_RIGHT))
		return true;
	import = import_find(association, sent->uid);
	if (import != NULL)
		import_died(import);
	return true;
}

/* --- in: third parties, and what this version does not do -------------------------------------- */

static bool take_grant_for(struct association *association, uint64_t item, const uint8_t *body)
{
	(void)item;
	return grant_for_take(association, body);
}

static bool take_grant_res(struct association *association, uint64_t item, const uint8_t *body)
{
	(void)item;
	grant_res_take(association, body);
	return true;
}

static bool take_claim_port(struct association *association, uint64_t item, const uint8_t *body)
{
	(void)item;
	claim_port_take(association, body);
	return true;
}

static bool take_claim_res(struct association *association, uint64_t item, const uint8_t *body)
{
	(void)item;
	claim_res_take(association, body);
	return true;
}

/* A name is claimed in suites whose answers carry no port; here it is given with the answer. */
static bool take_grant(struct association *association, uint64_t item, const uint8_t *body)
{
	uint32_t known = WIRE_GRANT_VOUCHED | WIRE_GRANT_MEASURED;
	struct pd pd;

	(void)association, (void)item;
	return (wire_get32(body + WIRE_GRANT_FLAGS) & ~known) == 0 && pd_get(body + WIRE_GRANT_PORT, &pd);
}

/* No receive right of this node is elsewhere (5.4), so nothing of it is on its way. */
static bool take_flush(struct association *association, uint64_t item, const uint8_t *body)
{
	(void)item;
	item_send(association, WIRE_KIND_FLUSH_ACK, body, WIRE_FLUSH_SIZE);
	return true;
}

static bool take_flush_ack(struct association *association, uint64_t item, const uint8_t *body)
{
	(void)association, (void)item, (void)body;
	return true;
}

static bool take_receive_taken(struct association *association, uint64_t item, const uint8_t *body)
{
	struct pd pd;

	(void)association, (void)item;
	return pd_get(body + WIRE_RECV_TAKEN_PORT, &pd);
}

static bool take_claim(struct association *association, const uint8_t *body, uint32_t length)
{
	uint8_t grant[WIRE_GRANT_SIZE] = {0};
	unsigned name = length >= WIRE_CLAIM_SIZE ? wire_get16(body + WIRE_CLAIM_NAME_LEN) : 0;

	if (name < 1 || name > WIRE_NAME_MAX || length != WIRE_CLAIM_SIZE + name
	    || wire_get16(body + WIRE_CLAIM_NAME_LEN + 2) != 0)
		return false;
	memcpy(grant + WIRE_GRANT_REQ_ID, body + WIRE_CLAIM_REQ_ID, 8);
	wire_put32(grant + WIRE_GRANT_STATUS, WIRE_ST_NOT_ALLOWED);
	item_send(association, WIRE_KIND_GRANT, grant, sizeof grant);
	return true;
}

/* --- in: one row a kind ------------------------------------------------------------------------- */

static const struct {
	uint32_t length;           /* of the body, exactly */
	uint32_t zero, zeros;      /* a reserved field: where, how long */
	bool (*take)(struct association *association, uint64_t item, const uint8_t *body);
} kinds[KINDS] = {
	[WIRE_KIND_GRANT] = {WIRE_GRANT_SIZE, WIRE_GRANT_FLAGS + 4, 4, take_grant},
	[WIRE_KIND_GRANT_FOR] = {WIRE_GRANT_FOR_SIZE, WIRE_GRANT_FOR_RIGHT + 4, 4, take_grant_for},
	[WIRE_KIND_GRANT_RES] = {WIRE_GRANT_RES_SIZE, WIRE_GRANT_RES_STATUS + 4, 4, take_grant_res},
	[WIRE_KIND_CLAIM_PORT] = {WIRE_CLAIM_PORT_SIZE, 0, 0, take_claim_port},
	[WIRE_KIND_CLAIM_RES] = {WIRE_CLAIM_RES_SIZE, 0, 0, take_claim_res},
	[WIRE_KIND_DROP] = {WIRE_DROP_SIZE, WIRE_DROP_REFERENCES + 4, 4, take_drop},
	[WIRE_KIND_PORT_DEAD] = {WIRE_PORT_DEAD_SIZE, WIRE_PORT_DEAD_REASON + 4, 4, take_port_dead},
	[WIRE_KIND_SO_DROP] = {WIRE_SO_DROP_SIZE, WIRE_SO_DROP_UID + 8, 8, take_once_drop},
	[WIRE_KIND_PORT_STATE] = {WIRE_PORT_STATE_SIZE, WIRE_PORT_STATE_STATE + 4, 4, take_port_state},
	[WIRE_KIND_FLUSH] = {WIRE_FLUSH_SIZE, 0, 0, take_flush},
	[WIRE_KIND_FLUSH_ACK] = {WIRE_FLUSH_SIZE, 0, 0, take_flush_ack},
	[WIRE_KIND_MSG_FAIL] = {WIRE_MSG_FAIL_SIZE, WIRE_MSG_FAIL_STATUS + 4, 4, take_msg_fail},
	[WIRE_KIND_RECV_TAKEN] = {WIRE_RECV_TAKEN_SIZE, 0, 0, take_receive_taken},
};

static bool is_zero(const uint8_t *at, uint32_t length)
{
	while (length != 0 && *at == 0)
		at++, length--;
	return length == 0;
}

static bool take_kind(struct association *association, uint8_t kind, uint64_t item, const uint8_t *body,
    uint32_t length)
{
	if (kind == WIRE_KIND_MSG)
		return message_in(association, item, body, length);
	deliver_flush(); /* a message before it may need what it takes away */
	if (kind == WIRE_KIND_CLAIM)
		return take_claim(association, body, length);
	return kind < KINDS && kinds[kind].take != NULL && length == kinds[kind].length
	    && is_zero(body + kinds[kind].zero, kinds[kind].zeros) && kinds[kind].take(association, item, body);
}

bool item_take(struct association *association, const uint8_t head[WIRE_ITEM_SIZE], const uint8_t *body,
    uint32_t length)
{
	size_t plain = length;
	uint64_t id = wire_get64(head + WIRE_ITEM_ID);

	if (id != association->in.item + 1 || wire_get16(head + ZERO_AT) != 0)
		return false;
	association->in.item = id;
	counters.rx_items++;
	body = suite->item_open(association, head[WIRE_ITEM_FLAGS], body, &plain);
	return body != NULL && take_kind(association, head[WIRE_ITEM_KIND], id, body, (uint32_t)plain);
}
