/* Names that everybody is told of (4.3), which only suites without keys do: with optimisation 1
   the answer to a request goes to all, with optimisation 2 a request says who asks.  A GNS
   stores what it hears, asked or not, and the home of such a port lets anybody use it. */
#include "resolve.h"

#include <stdlib.h>
#include <string.h>

#define HEARD_MAX     1024 /* the oldest gives way */
#define PUBLISHED_MAX 1024 /* of this node; further ones are answered to those who ask */

struct published {
	struct published *next;
	gns_name name;
	struct home *home;
};

static struct heard_name *heard;
static unsigned heard_count;
static struct published *published;
static unsigned published_count;

/* --- names of others ---------------------------------------------------------------------- */

static struct heard_name *find(const gns_name name)
{
	struct heard_name *known = heard;

	while (known != NULL && memcmp(known->name, name, sizeof(gns_name)) != 0)
		known = known->next;
	return known;
}

const struct heard_name *name_known(const gns_name name)
{
	return find(name);
}

static void remove_heard(struct heard_name **at)
{
	struct heard_name *known = *at;

	*at = known->next;
	heard_count--;
	free(known);
}

static void forget_oldest(void)
{
	struct heard_name **at = &heard;

	while ((*at)->next != NULL)
		at = &(*at)->next;
	remove_heard(at);
}

void name_heard(const struct peer *peer, const gns_name name, uint64_t uid)
{
	struct heard_name *known = find(name);

	if (known == NULL) {
		if (heard_count >= HEARD_MAX)
			forget_oldest();
		known = malloc(sizeof *known);
		if (known == NULL)
			return;
		memcpy(known->name, name, sizeof(gns_name));
		known->next = heard;
		heard = known;
		heard_count++;
	}
	known->node = peer->node;
	known->epoch = peer->epoch;
	known->uid = uid;
}

void names_forget(uint32_t node, uint64_t uid)
{
	struct heard_name **at = &heard;

	while (*at != NULL)
		if ((*at)->node == node && (uid == 0 || (*at)->uid == uid))
			remove_heard(at);
		else
			at = &(*at)->next;
}

void name_withdrawn(const struct peer *peer, const gns_name name)
{
	const struct heard_name *known = name_known(name);
	struct import *import;

	if (known == NULL || known->node != peer->node)
		return;
	import = peer->association != NULL ? import_find(peer->association, known->uid) : NULL;
	names_forget(peer->node, known->uid);
	/* Of a counted one the stream will tell, in order. */
	if (import != NULL && import->n == 0 && import->claims == 0)
		import_died(import);
}

/* --- names of ours -------------------------------------------------------------------------- */

bool name_publish(const gns_name name, struct home *home)
{
	struct published *row = published;

	while (row != NULL && (row->home != home || memcmp(row->name, name, sizeof(gns_name)) != 0))
		row = row->next;
	if (row != NULL)
		return true;
	row = published_count < PUBLISHED_MAX ? malloc(sizeof *row) : NULL;
	if (row == NULL)
		return false;
	memcpy(row->name, name, sizeof(gns_name));
	row->home = home;
	row->next = published;
	published = row;
	published_count++;
	home->published = true;
	return true;
}

/* The port's row stays, dead, so that a late sender learns that it is. */
void names_home_died(const struct home *home)
{
	for (const struct published *row = published; row != NULL; row = row->next)
		if (row->home == home)
			broadcast_withdrawal(row->name);
}

void names_stat(struct text *out)
{
	for (const struct heard_name *known = heard; known != NULL; known = known->next)
		text_add(out, "name name=%.64s node=%u epoch=%u uid=%llx\n", known->name, known->node, known->epoch,
		    (unsigned long long)known->uid);
	for (const struct published *row = published; row != NULL; row = row->next)
		text_add(out, "published name=%.64s uid=%llx state=%s\n", row->name,
		    (unsigned long long)row->home->uid, row->home->name == MACH_PORT_DEAD ? "dead" : "live");
}
