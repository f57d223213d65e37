/* Associations: the relation of two boots.  It has two streams and the tables of rights, and
   outlives channels.  What ends one is only noted while its items are being read; the end
   comes when the turn is over. */
#include "resolve.h"

#include <stdlib.h>
#include <string.h>

struct association *associations[WIRE_ASSOCIATIONS];
static struct association *dirty;

static void start_streams(struct association *association)
{
	stream_out_free(&association->out);
	stream_in_free(&association->in);
	stream_out_start(&association->out);
	memset(&association->in, 0, sizeof association->in);
	memset(association->sent, 0, sizeof association->sent);
	association->begun = false;
	association->backlogged = false;
	association->doomed = 0;
	association->heard = now;
	association->needed_since = 0;
	association->pinged = 0;
	association->hinted = NEVER;
	association->suspect = false;
}

/* Packets on channels of the past must not reach the new streams. */
static void free_channels(struct association *association, const struct channel *but)
{
	struct channel *channel = association->channels, *next;

	for (; channel != NULL; channel = next) {
		next = channel->next;
		if (channel != but)
			channel_free(channel);
	}
}

static bool is_idle(const struct association *association)
{
	return !association_is_needed(association) && association->dial.channel == NULL
	    && association->doomed == 0;
}

/* A free slot, if need be that of an association nobody needs. */
static int free_slot(void)
{
	for (unsigned slot = 0; slot < WIRE_ASSOCIATIONS; slot++)
		if (associations[slot] == NULL)
			return (int)slot;
	for (unsigned slot = 0; slot < WIRE_ASSOCIATIONS; slot++)
		if (is_idle(associations[slot])) {
			association_drop(associations[slot], false);
			return (int)slot;
		}
	return -1;
}

struct association *association_of(struct peer *peer)
{
	struct association *association = peer->association;
	int slot;

	if (association != NULL)
		return association->doomed == 0 ? association : NULL;
	if (peer->quarantined > now)
		return NULL;
	slot = free_slot();
	association = slot >= 0 ? calloc(1, sizeof *association) : NULL;
	if (association == NULL) {
		counters.no_memory++;
		return NULL;
	}
	association->peer = peer;
	association->slot = (unsigned)slot;
	association->dial.next = association->confirm_due = NEVER;
	start_streams(association);
	associations[slot] = peer->association = association;
	return association;
}

bool association_is_needed(const struct association *association)
{
	return association->rows != NULL || association->imports != NULL || association->out.first != NULL
	    || association->waiting != NULL || association->grants != 0;
}

void association_needed(struct association *association)
{
	if (association->needed_since != 0)
		return;
	association->needed_since = now;
	timer_by(now + WIRE_PING_NS);
}

void association_is_dirty(struct association *association)
{
	if (association->dirty)
		return;
	association->dirty = true;
	association->next_dirty = dirty;
	dirty = association;
}

/* --- the end ------------------------------------------------------------------------------ */

void association_doom(struct association *association, uint32_t reason)
{
	if (association->doomed != 0)
		return;
	association->doomed = reason;
	association_is_dirty(association);
}

static void not_dirty(const struct association *association)
{
	struct association **at = &dirty;

	while (*at != NULL && *at != association)
		at = &(*at)->next_dirty;
	if (*at != NULL)
		*at = association->next_dirty;
}

static void free_association(struct association *association)
{
	not_dirty(association);
	stream_out_free(&association->out);
	stream_in_free(&association->in);
	associations[association->slot] = NULL;
	association->peer->association = NULL;
	free(association);
}

void association_drop(struct association *association, bool keep_fresh)
{
	deliver_flush(); /* it may carry rights that are about to go */
	waitings_drop(association);
	grants_drop(association);
	imports_drop(association, keep_fresh);
	rows_drop(association, keep_fresh);
	held_forget(association);
	if (keep_fresh) {
		counters.assoc_reset++;
		free_channels(association, association->dial.channel);
		start_streams(association);
		return;
	}
	/* The next handshake says by a higher rel that what was is no more. */
	if (association->begun && association->peer->drops != UINT16_MAX)
		association->peer->drops++;
	dial_stop(association);
	resolve_down(association);
	free_channels(association, NULL);
	free_association(association);
}

static void end(struct association *association)
{
	struct peer *peer = association->peer;

	if (association->doomed == DOOM_DOWN)
		counters.assoc_down++;
	else
		counters.assoc_closed++;
	if (association->doomed < DOOM_CLOSED && association->current != NULL)
		channel_close(association->current, association->doomed);
	if (association->doomed == WIRE_REASON_VIOLATIONS)
		peer->quarantined = now + WIRE_QUARANTINE_NS;
	names_forget(peer->node, 0);
	association_drop(association, false);
}

void association_violation(struct association *association)
{
	uint64_t *times = association->violations;

	counters.cap_violation++;
	memmove(times + 1, times, (WIRE_VIOLATIONS_MAX - 1) * sizeof *times);
	times[0] = now;
	if (times[WIRE_VIOLATIONS_MAX - 1] != 0 && now - times[WIRE_VIOLATIONS_MAX - 1] <= WIRE_VIOLATION_NS)
		association_doom(association, WIRE_REASON_VIOLATIONS);
}

/* --- from turn to turn ----------------------------------------------------------------------- */

void association_up(struct association *association)
{
	association->begun = true;
	association->heard = now;
	association->hinted = NEVER;
	if (association->out.first != NULL)
		association_is_dirty(association);
	counters.hs_up++;
	resolve_up(association);
}

void associations_settle(void)
{
	while (dirty != NULL) {
		struct association *association = dirty;

		dirty = association->next_dirty;
		association->dirty = false;
		if (association->doomed != 0)
			end(association);
		else if (association->begun && association->current != NULL)
			stream_out_push(association);
		else if (association->out.first != NULL)
			dial(association);
	}
}

static void keep_alive(struct association *association)
{
	uint64_t silent_since = association->heard;

	if (!association_is_needed(association)) {
		association->needed_since = 0;
		return;
	}
	/* While nobody needed it, nobody asked whether the peer was there. */
	if (association->needed_since > silent_since)
		silent_since = association->needed_since;
	if (now - silent_since >= WIRE_DOWN_NS) {
		association_doom(association, DOOM_DOWN);
		return;
	}
	association->suspect = now - silent_since >= WIRE_SUSPECT_NS;
	timer_by(silent_since + WIRE_DOWN_NS);
	if (association->current == NULL)
		return;
	if (association->pinged > silent_since)
		silent_since = association->pinged;
	if (now - silent_since >= WIRE_PING_NS) {
		channel_ping(association->current);
		association->pinged = silent_since = now;
	}
	timer_by(silent_since + WIRE_PING_NS);
}

/* The peer may have lost the channel (CHAN_UNKNOWN): if PING finds nobody, dial. */
static void follow_hint(struct association *association)
{
	if (association->hinted == NEVER)
		return;
	if (now - association->hinted >= WIRE_HS_TRY_1_NS) {
		association->hinted = NEVER;
		dial(association);
	} else {
		timer_by(association->hinted + WIRE_HS_TRY_1_NS);
	}
}

void associations_timers(void)
{
	for (unsigned slot = 0; slot < WIRE_ASSOCIATIONS; slot++) {
		struct association *association = associations[slot];

		if (association == NULL || association->doomed != 0)
			continue;
		dial_timers(association);
		channels_timers(association);
		stream_out_timers(association);
		imports_timers(association);
		follow_hint(association);
		keep_alive(association);
	}
}
