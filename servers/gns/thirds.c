/* Rights that pass between two nodes neither of which is their home (5.3).

   a, which holds a right of home c, sends it to b:  a asks c (GRANT_FOR), and only when c has
   agreed (GRANT_RES) does the message leave; b then claims at c what a left there for it
   (CLAIM_PORT, CLAIM_RES).  So c knows who holds its ports, and a cannot give what it has
   not.  This file has the three parts: what c keeps, what a waits for, what b claims. */
#include "rights.h"

#include <stdlib.h>
#include <string.h>

/* What a granter has left here for another node. */
struct grant {
	struct link by_gid;           /* high: node and epoch of the granter */
	struct association *granter;
	struct grant *next_of_home, **at_home;
	struct grant *next, **at;     /* all, oldest first */
	uint32_t node, epoch;         /* for whom */
	uint64_t uid;
	struct home *home;            /* null: a send-once right */
	mach_port_t once;
	uint64_t expires;
};

/* What we have asked a home for. */
struct wanted {
	struct link by_gid;
	struct association *home;
	struct waiting *waiting;      /* null: the message is gone */
	uint32_t offset;              /* of the PD in its item */
};

static struct table grants, wanteds;
static struct grant *first, **last = &first;
static uint64_t gid_next;

/* --- at home -------------------------------------------------------------------------------- */

static uint64_t granter_key(uint32_t node, uint32_t epoch)
{
	return (uint64_t)node << 32 | epoch;
}

static struct grant *grant_find(uint32_t node, uint32_t epoch, uint64_t gid)
{
	struct link *link = table_find(&grants, granter_key(node, epoch), gid);

	return link != NULL ? CONTAINER(link, struct grant, by_gid) : NULL;
}

static void grant_link(struct grant *grant)
{
	struct home *home = grant->home;

	grant->at = last;
	*last = grant;
	last = &grant->next;
	if (home == NULL)
		return;
	grant->at_home = &home->grants;
	grant->next_of_home = home->grants;
	if (home->grants != NULL)
		home->grants->at_home = &grant->next_of_home;
	home->grants = grant;
}

/* The right itself, if it is a send-once one, is the caller's. */
static void grant_free(struct grant *grant)
{
	struct home *home = grant->home;

	table_remove(&grants, &grant->by_gid);
	grant->granter->grants--;
	*grant->at = grant->next;
	if (grant->next != NULL)
		grant->next->at = grant->at;
	else
		last = grant->at;
	if (home != NULL) {
		*grant->at_home = grant->next_of_home;
		if (grant->next_of_home != NULL)
			grant->next_of_home->at_home = grant->at_home;
		home_release(home);
	}
	free(grant);
}

static void grant_drop(struct grant *grant)
{
	if (grant->home == NULL)
		mach_port_deallocate(mach_task_self(), grant->once);
	grant_free(grant);
}

/* Leave a right of the granter's for another node; the status to tell it. */
static uint32_t grant_new(struct association *granter, const uint8_t *body, bool once)
{
	uint64_t uid = wire_get64(body + WIRE_GRANT_FOR_UID), gid = wire_get64(body + WIRE_GRANT_FOR_GID);
	const struct peer *peer = granter->peer;
	struct row *row = row_find(granter, uid);
	struct home *home = row != NULL ? row->home : home_published(uid);
	struct grant *grant;

	if ((row == NULL && home == NULL) || once != (home == NULL)
	    || grant_find(peer->node, peer->epoch, gid) != NULL)
		return WIRE_ST_BAD_RIGHT;
	if (row != NULL ? row_is_dead(row) : !home_is_public(home))
		return WIRE_ST_DEAD;
	grant = granter->grants < WIRE_GRANTS_UNCLAIMED_MAX ? calloc(1, sizeof *grant) : NULL;
	if (grant == NULL)
		return WIRE_ST_LIMIT;
	*grant = (struct grant){
	    .granter = granter,
	    .node = wire_get32(body + WIRE_GRANT_FOR_NODE),
	    .epoch = wire_get32(body + WIRE_GRANT_FOR_EPOCH),
	    .uid = uid,
	    .home = home,
	    .expires = now + WIRE_GRANT_UNCLAIMED_NS,
	};
	if (once) { /* the granter has it no more */
		grant->once = row->once;
		row->once = MACH_PORT_NULL;
		row_free(row);
	}
	granter->grants++;
	table_add(&grants, &grant->by_gid, granter_key(peer->node, peer->epoch), gid);
	grant_link(grant);
	timer_by(grant->expires);
	return WIRE_ST_OK;
}

bool grant_for_take(struct association *association, const uint8_t *body)
{
	uint32_t right = wire_get32(body + WIRE_GRANT_FOR_RIGHT), status;
	uint8_t answer[WIRE_GRANT_RES_SIZE] = {0};

	if (right != WIRE_RIGHT_SEND && right != WIRE_RIGHT_SEND_ONCE)
		return false;
	status = grant_new(association, body, right == WIRE_RIGHT_SEND_ONCE);
	memcpy(answer + WIRE_GRANT_RES_GID, body + WIRE_GRANT_FOR_GID, 8);
	wire_put32(answer + WIRE_GRANT_RES_STATUS, status);
	item_send(association, WIRE_KIND_GRANT_RES, answer, sizeof answer);
	if (status == WIRE_ST_BAD_RIGHT)
		association_violation(association);
	return true;
}

/* Give the claimer what was left for it; the status to tell it. */
static uint32_t redeem(struct association *claimer, const uint8_t *body, uint32_t *right)
{
	const struct peer *peer = claimer->peer;
	struct grant *grant = grant_find(wire_get32(body + WIRE_CLAIM_PORT_NODE),
	    wire_get32(body + WIRE_CLAIM_PORT_EPOCH), wire_get64(body + WIRE_CLAIM_PORT_GID));
	struct row *row;

	*right = 0;
	if (grant == NULL || grant->node != peer->node || grant->epoch != peer->epoch
	    || grant->uid != wire_get64(body + WIRE_CLAIM_PORT_UID))
		return WIRE_ST_DEAD;
	row = grant->home != NULL ? row_give(claimer, grant->home)
	    : row_give_once(claimer, grant->uid, grant->once);
	if (row == NULL) {
		grant_drop(grant);
		return WIRE_ST_LIMIT;
	}
	*right = grant->home != NULL ? WIRE_RIGHT_SEND : WIRE_RIGHT_SEND_ONCE;
	grant_free(grant);
	return WIRE_ST_OK;
}

void claim_port_take(struct association *association, const uint8_t *body)
{
	uint8_t answer[WIRE_CLAIM_RES_SIZE];
	uint32_t right, status = redeem(association, body, &right);

	memcpy(answer, body, WIRE_CLAIM_PORT_SIZE); /* it begins as the claim does */
	wire_put32(answer + WIRE_CLAIM_RES_STATUS, status);
	wire_put32(answer + WIRE_CLAIM_RES_RIGHT, right);
	item_send(association, WIRE_KIND_CLAIM_RES, answer, sizeof answer);
}

void grants_home_died(struct home *home)
{
	while (home->grants != NULL)
		grant_free(home->grants);
}

void grants_timers(void)
{
	while (first != NULL && first->expires <= now)
		grant_drop(first);
	if (first != NULL)
		timer_by(first->expires);
}

/* --- at the granter ---------------------------------------------------------------------------- */

uint64_t grant_want(struct waiting *waiting, struct import *import, uint32_t offset)
{
	const struct peer *to = waiting->destination->association->peer;
	struct wanted *wanted = import->association->doomed == 0 ? malloc(sizeof *wanted) : NULL;
	uint8_t body[WIRE_GRANT_FOR_SIZE] = {0};
	uint64_t gid;

	if (wanted == NULL)
		return 0;
	gid = (uint64_t)self.instance << 48 | ++gid_next;
	*wanted = (struct wanted){.home = import->association, .waiting = waiting, .offset = offset};
	table_add(&wanteds, &wanted->by_gid, 0, gid);
	waiting->wanted++;
	wire_put64(body + WIRE_GRANT_FOR_GID, gid);
	wire_put64(body + WIRE_GRANT_FOR_UID, import->by_uid.low);
	wire_put32(body + WIRE_GRANT_FOR_NODE, to->node);
	wire_put32(body + WIRE_GRANT_FOR_EPOCH, to->epoch);
	wire_put32(body + WIRE_GRANT_FOR_RIGHT, WIRE_RIGHT_SEND);
	item_send(import->association, WIRE_KIND_GRANT_FOR, body, sizeof body);
	return gid;
}

static void settle(struct wanted *wanted, bool granted)
{
	struct waiting *waiting = wanted->waiting;

	table_remove(&wanteds, &wanted->by_gid);
	if (waiting != NULL && !granted) {
		uint8_t *at = waiting->item->octets + wanted->offset;
		struct pd pd, dead = {.what = WIRE_WHAT_DEAD, .count = 1};

		pd_get(at, &pd);
		dead.region = pd.region;
		dead.offset = pd.offset;
		pd_put(at, &dead);
	}
	free(wanted);
	if (waiting != NULL && --waiting->wanted == 0)
		waiting_go_on(waiting);
}

void grant_res_take(struct association *association, const uint8_t *body)
{
	struct link *link = table_find(&wanteds, 0, wire_get64(body + WIRE_GRANT_RES_GID));
	struct wanted *wanted = link != NULL ? CONTAINER(link, struct wanted, by_gid) : NULL;

	if (wanted != NULL && wanted->home == association)
		settle(wanted, wire_get32(body + WIRE_GRANT_RES_STATUS) == WIRE_ST_OK);
}

void grants_forget(const struct waiting *waiting)
{
	for (struct link *link = NULL; (link = table_next(&wanteds, link)) != NULL;) {
		struct wanted *wanted = CONTAINER(link, struct wanted, by_gid);

		if (wanted->waiting == waiting)
			wanted->waiting = NULL;
	}
}

static struct wanted *wanted_of(const struct association *home)
{
	for (struct link *link = NULL; (link = table_next(&wanteds, link)) != NULL;) {
		struct wanted *wanted = CONTAINER(link, struct wanted, by_gid);

		if (wanted->home == home)
			return wanted;
	}
	return NULL;
}

void grants_drop(struct association *association)
{
	struct grant *grant = first, *next;
	struct wanted *wanted;

	for (; grant != NULL && association->grants != 0; grant = next) {
		next = grant->next;
		if (grant->granter == association)
			grant_drop(grant);
	}
	while ((wanted = wanted_of(association)) != NULL)
		settle(wanted, false);
}

/* --- at the claimer -------------------------------------------------------------------------------- */

struct import *claim(const struct peer *granter, uint32_t node, uint32_t epoch, uint64_t uid, uint64_t gid,
    bool once)
{
	struct peer *peer = peer_told(node, epoch);
	struct association *association = peer != NULL ? association_of(peer) : NULL;
	struct import *import = association != NULL ? import_claim(association, uid, once) : NULL;
	uint8_t body[WIRE_CLAIM_PORT_SIZE];

	if (import == NULL)
		return NULL;
	wire_put32(body + WIRE_CLAIM_PORT_NODE, granter->node);
	wire_put32(body + WIRE_CLAIM_PORT_EPOCH, granter->epoch);
	wire_put64(body + WIRE_CLAIM_PORT_GID, gid);
	wire_put64(body + WIRE_CLAIM_PORT_UID, uid);
	item_send(association, WIRE_KIND_CLAIM_PORT, body, sizeof body);
	return import;
}

void claim_res_take(struct association *association, const uint8_t *body)
{
	uint64_t uid = wire_get64(body + WIRE_CLAIM_RES_UID);
	bool granted = wire_get32(body + WIRE_CLAIM_RES_STATUS) == WIRE_ST_OK;
	bool once = wire_get32(body + WIRE_CLAIM_RES_RIGHT) == WIRE_RIGHT_SEND_ONCE;
	struct import *import = import_find(association, uid);

	if (import != NULL && import->claims != 0) {
		import_claimed(import, granted && import->once == once);
	} else if (granted && once) {
		send_once_drop(association, uid);
	} else if (granted) {
		send_drop(association, uid, 1);
	}
}

void grants_stat(struct text *out)
{
	for (const struct grant *grant = first; grant != NULL; grant = grant->next)
		text_add(out, "grant granter=%u node=%u epoch=%u uid=%llx kind=%s\n", grant->granter->peer->node,
		    grant->node, grant->epoch, (unsigned long long)grant->uid,
		    grant->home != NULL ? "send" : "send-once");
}
