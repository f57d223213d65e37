/* Nodes: their MAC, their epoch, and the counters that tell incarnations of an association
   apart (3.5).  In the suites without keys all of it is what frames claim. */
#include "resolve.h"

#include <stdlib.h>
#include <string.h>

struct table peers;

struct peer *peer_find(uint32_t node)
{
	struct link *link = table_find(&peers, 0, node);

	return link != NULL ? CONTAINER(link, struct peer, by_node) : NULL;
}

/* Make room by forgetting the node that we share nothing with and have not heard longest. */
static bool forget_one(void)
{
	struct peer *oldest = NULL;

	for (struct link *link = NULL; (link = table_next(&peers, link)) != NULL;) {
		struct peer *peer = CONTAINER(link, struct peer, by_node);

		if (peer->association == NULL && peer->quarantined <= now
		    && (oldest == NULL || peer->heard < oldest->heard))
			oldest = peer;
	}
	if (oldest == NULL)
		return false;
	table_remove(&peers, &oldest->by_node);
	free(oldest);
	return true;
}

static struct peer *peer_new(uint32_t node, uint32_t epoch)
{
	struct peer *peer = NULL;

	if (peers.count < PEERS_MAX || forget_one())
		peer = calloc(1, sizeof *peer);
	if (peer == NULL) {
		counters.no_memory++;
		return NULL;
	}
	peer->node = node;
	peer->epoch = epoch;
	peer->drops = 1;
	/* Until it is heard, frames to it go to all: only the one meant takes them. */
	memcpy(peer->mac, everybody, sizeof peer->mac);
	table_add(&peers, &peer->by_node, 0, node);
	return peer;
}

void boot_is_over(struct peer *peer, uint32_t epoch)
{
	if (peer->association != NULL)
		association_drop(peer->association, false);
	names_forget(peer->node, 0);
	peer->epoch = epoch;
	peer->drops = 1;
	peer->rel = 0;
}

struct peer *peer_heard(const struct header *header, const uint8_t mac[NIC_ADDRESS_SIZE])
{
	struct peer *peer = peer_find(header->src_node);

	if (peer == NULL)
		peer = peer_new(header->src_node, header->src_epoch);
	else if (header->src_epoch > peer->epoch)
		boot_is_over(peer, header->src_epoch);
	if (peer == NULL)
		return NULL;
	if (header->src_epoch < peer->epoch) {
		if (header->type == WIRE_TYPE_HS1 || header->type == WIRE_TYPE_HS2)
			counters.hs_stale_epoch++;
		else
			counters.rx_stale_epoch++;
		return NULL;
	}
	memcpy(peer->mac, mac, sizeof peer->mac);
	peer->heard = now;
	return peer;
}

struct peer *peer_told(uint32_t node, uint32_t epoch)
{
	struct peer *peer = peer_find(node);

	if (node == 0 || node == WIRE_ALL_NODES || node == self.node)
		return NULL;
	if (peer == NULL)
		return peer_new(node, epoch);
	/* Without keys one claim is as good as another; with them, hearsay moves no floor. */
	if (epoch > peer->epoch && suite->number != WIRE_SUITE_MODERN)
		boot_is_over(peer, epoch);
	return peer->epoch == epoch ? peer : NULL;
}
