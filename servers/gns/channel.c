/* Channels: what a handshake makes, and which of several is sent on (3.5). */
#include "peer.h"

#include <stdlib.h>

#define LINGER (10000 * MS) /* of a channel that another has replaced */

struct table channels;
static uint32_t last_index;

unsigned half_open(void)
{
	unsigned count = 0;

	for (struct link *link = NULL; (link = table_next(&channels, link)) != NULL;) {
		const struct channel *channel = CONTAINER(link, struct channel, by_index);

		count += !channel->initiator && !channel->heard;
	}
	return count;
}

struct channel *channel_new(struct association *association, uint64_t hs_id, bool initiator)
{
	struct channel *channel = calloc(1, sizeof *channel);

	if (channel == NULL) {
		counters.no_memory++;
		return NULL;
	}
	/* Indexes are not used again soon, so packets of the past find nobody. */
	do
		last_index++;
	while (last_index == 0 || table_find(&channels, 0, last_index) != NULL);
	channel->association = association;
	channel->hs_id = hs_id;
	channel->initiator = initiator;
	channel->closing = channel->ack_by = NEVER;
	channel->next = association->channels;
	association->channels = channel;
	table_add(&channels, &channel->by_index, 0, last_index);
	return channel;
}

/* The one to send on when another has gone: the last that was completed. */
static struct channel *best_of(const struct association *association)
{
	struct channel *best = NULL;

	for (struct channel *channel = association->channels; channel != NULL; channel = channel->next)
		if (channel->theirs != 0 && (best == NULL || channel->completed > best->completed))
			best = channel;
	return best;
}

void channel_free(struct channel *channel)
{
	struct association *association = channel->association;
	struct channel **at = &association->channels;

	while (*at != channel)
		at = &(*at)->next;
	*at = channel->next;
	table_remove(&channels, &channel->by_index);
	if (association->dial.channel == channel)
		association->dial.channel = NULL;
	if (association->current == channel) {
		association->current = best_of(association);
		stream_out_resend(&association->out);
		association_is_dirty(association);
	}
	free(channel);
}

/* Each side sends on the channel completed last.  When both dial at once, that would be
   another on either side, and after ten seconds none; so the one dialled by the lower
   node counts as the later one. */
static bool is_preferred(const struct channel *channel, const struct channel *other)
{
	bool by_us = self.node < channel->association->peer->node;

	return channel->initiator == other->initiator || now - other->completed > LINGER
	    || channel->initiator == by_us;
}

static void make_room(struct association *association, const struct channel *but)
{
	struct channel *oldest = NULL;
	unsigned count = 0;

	for (struct channel *channel = association->channels; channel != NULL; channel = channel->next) {
		count++;
		if (channel != but && channel->theirs != 0
		    && (oldest == NULL || channel->completed < oldest->completed))
			oldest = channel;
	}
	if (count > CHANNELS_MAX && oldest != NULL)
		channel_free(oldest);
}

void channel_complete(struct channel *channel)
{
	struct association *association = channel->association;
	struct channel *current = association->current;

	channel->completed = now;
	if (current != NULL && !is_preferred(channel, current)) {
		channel->closing = now + LINGER;
	} else {
		if (current != NULL)
			current->closing = now + LINGER;
		association->current = channel;
		stream_out_resend(&association->out);
	}
	make_room(association, channel);
	timer_by(now + WIRE_HALF_OPEN_NS);
}

void channels_timers(struct association *association)
{
	struct channel *channel = association->channels, *next;

	for (; channel != NULL; channel = next) {
		uint64_t end = channel->closing;

		next = channel->next;
		if (!channel->initiator && !channel->heard && channel->completed + WIRE_HALF_OPEN_NS < end)
			end = channel->completed + WIRE_HALF_OPEN_NS;
		if (end <= now) {
			channel_free(channel);
			continue;
		}
		timer_by(end);
		if (channel->ack_by > now)
			timer_by(channel->ack_by);
		else
			association_is_dirty(association);
	}
}
