/* gns_stat: every table and every counter as text, one row a line (6.3). */
#include "resolve.h"

struct counters counters;

static unsigned long long wide(uint64_t value)
{
	return value;
}

static void counters_stat(struct text *out)
{
	struct nic_counters device;

	nic_read_counters(&nic, &device);
#define COUNTER_LINE(name) text_add(out, "counter " #name "=%llu\n", wide(counters.name));
	COUNTERS(COUNTER_LINE)
#undef COUNTER_LINE
	text_add(out, "counter rx_fcs=%llu\ncounter rx_no_buffer=%llu\ncounter tx_bad=%llu\n", wide(device.rx_fcs),
	    wide(device.rx_no_buffer), wide(device.tx_bad));
}

static void self_stat(struct text *out)
{
	text_add(out, "self node=%u epoch=%u instance=%u suite=%s answers_to_all=%d origin_to_all=%d now_ms=%llu\n",
	    self.node, self.epoch, self.instance, suite->name, self.answers_to_all, self.origin_to_all,
	    wide(now / MS));
}

static void peers_stat(struct text *out)
{
	for (struct link *link = NULL; (link = table_next(&peers, link)) != NULL;) {
		const struct peer *peer = CONTAINER(link, struct peer, by_node);
		const uint8_t *mac = peer->mac;

		text_add(out, "peer node=%u epoch=%u mac=%02x:%02x:%02x:%02x:%02x:%02x rel=%x our_rel=%x heard_ms=%llu\n",
		    peer->node, peer->epoch, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], peer->rel, rel_ours(peer),
		    wide(peer->heard / MS));
	}
}

static const char *state_of(const struct association *association)
{
	if (association->dial.channel != NULL && association->current == NULL)
		return "dialling";
	if (!association->begun)
		return "idle";
	return association->suspect ? "suspect" : association->current != NULL ? "up" : "cut";
}

static void association_stat(struct text *out, const struct association *association)
{
	const struct stream_out *stream = &association->out;

	text_add(out, "association node=%u state=%s exports=%u imports=%u grants=%u "
	    "queued=%llu flying=%u acked=%llu received=%llu srtt_us=%llu\n",
	    association->peer->node, state_of(association), association->row_count, association->import_count,
	    association->grants, wide(stream->end - stream->acked), stream->flying, wide(stream->acked),
	    wide(association->in.received), wide(stream->srtt / 1000));
	for (const struct channel *channel = association->channels; channel != NULL; channel = channel->next)
		text_add(out, "channel node=%u ours=%u theirs=%u initiator=%d sending=%d packets=%llu largest=%llu\n",
		    association->peer->node, (unsigned)channel->by_index.low, channel->theirs, channel->initiator,
		    channel == association->current, wide(channel->number), wide(channel->largest));
}

/* The port database: local ports and network ports, by their identifiers. */
static void rights_stat(struct text *out, const struct association *association)
{
	uint32_t node = association->peer->node;

	for (const struct row *row = association->rows; row != NULL; row = row->next)
		text_add(out, "export node=%u uid=%llx port=%x kind=%s n=%u state=%s\n", node, wide(row->by_uid.low),
		    row->home != NULL ? row->home->name : row->once, row->home != NULL ? "send" : "send-once",
		    row->n, row_is_dead(row) ? "dead" : "live");
	for (const struct import *import = association->imports; import != NULL; import = import->next)
		text_add(out, "import node=%u epoch=%u uid=%llx proxy=%x kind=%s n=%u state=%s stopped=%u\n", node,
		    association->peer->epoch, wide(import->by_uid.low), import_proxy(import),
		    import->once ? "send-once" : "send", import->n, import->claims != 0 ? "claiming" : "live",
		    import->stopped);
}

static void homes_stat(struct text *out)
{
	for (struct link *link = NULL; (link = table_next(&homes_by_uid, link)) != NULL;) {
		const struct home *home = CONTAINER(link, struct home, by_uid);

		text_add(out, "port uid=%llx name=%x peers=%u published=%d state=%s\n", wide(home->uid), home->name,
		    home->row_count, home->listed != 0, home->name == MACH_PORT_DEAD ? "dead" : "live");
	}
}

kern_return_t stat_give(char **text, mach_msg_type_number_t *count)
{
	struct text out = TEXT_EMPTY;

	self_stat(&out);
	peers_stat(&out);
	for (unsigned slot = 0; slot < WIRE_ASSOCIATIONS; slot++)
		if (associations[slot] != NULL) {
			association_stat(&out, associations[slot]);
			rights_stat(&out, associations[slot]);
		}
	homes_stat(&out);
	grants_stat(&out);
	held_stat(&out);
	resolve_stat(&out);
	answer_stat(&out);
	names_stat(&out);
	counters_stat(&out);
	return text_give(&out, text, count);
}
