/* Names that everybody is told of (4.3), which only suites without keys do: with optimisation 1
   the answer to a request goes to all, with optimisation 2 a request says who asks.  A GNS
   stores what it hears, asked or not, and the home of such a port lets anybody use it. */
#include "resolve.h"

#include <stdlib.h>
#include <string.h>

#define HEARD_MAX     1024 /* the oldest gives way */
#define PUBLISHED_MAX 1024 /* of this node; further ones are answered to those who ask */

/* Newest first.  A withdrawn one stays, dead, so that a late sender learns that it is. */
struct published {
	struct published *next;
	gns_name name;
	struct home *home;
	bool withdrawn;
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

static struct published *published_as(const gns_name name, const struct home *home)
{
	struct published *row = published;

	while (row != NULL && (row->home != home || memcmp(row->name, name, sizeof(gns_name)) != 0))
		row = row->next;
	return row;
}

static void tell_withdrawn(struct published *row)
{
	row->withdrawn = true;
	row->home->listed--;
	broadcast_withdrawal(row->name);
}

/* The name has come to another port. */
static void withdraw_others(const gns_name name, const struct home *home)
{
	for (struct published *row = published; row != NULL; row = row->next)
		if (!row->withdrawn && row->home != home && memcmp(row->name, name, sizeof(gns_name)) == 0) {
			tell_withdrawn(row);
			home_release(row->home);
		}
}

/* The withdrawn row that was published first goes: its late senders have had their time. */
static bool make_room(void)
{
	struct published **oldest = NULL, *row;

	for (struct published **at = &published; *at != NULL; at = &(*at)->next)
		if ((*at)->withdrawn)
			oldest = at;
	if (oldest == NULL)
		return false;
	row = *oldest;
	*oldest = row->next;
	published_count--;
	row->home->published--;
	home_release(row->home);
	free(row);
	return true;
}

static struct published *publish_first(const gns_name name, struct home *home)
{
	struct published *row = published_count < PUBLISHED_MAX || make_room() ? calloc(1, sizeof *row) : NULL;

	if (row == NULL)
		return NULL;
	memcpy(row->name, name, sizeof(gns_name));
	row->home = home;
	row->withdrawn = true;
	row->next = published;
	published = row;
	published_count++;
	home->published++;
	return row;
}

bool name_publish(const gns_name name, struct home *home)
{
	struct published *row = published_as(name, home);

	withdraw_others(name, home);
	if (row == NULL)
		row = publish_first(name, home);
	if (row == NULL)
		return false;
	home->listed += row->withdrawn;
	row->withdrawn = false;
	return true;
}

void name_unregistered(const gns_name name, mach_port_t port)
{
	struct link *link = table_find(&homes_by_name, 0, port);
	struct home *home = link != NULL ? CONTAINER(link, struct home, by_name) : NULL;
	struct published *row = home != NULL ? published_as(name, home) : NULL;

	if (row == NULL || row->withdrawn)
		return;
	tell_withdrawn(row);
	home_release(home);
}

void names_home_died(const struct home *home)
{
	for (struct published *row = published; row != NULL; row = row->next)
		if (row->home == home && !row->withdrawn)
			tell_withdrawn(row);
}

void names_stat(struct text *out)
{
	for (const struct heard_name *known = heard; known != NULL; known = known->next) {
		text_add(out, "name name=");
		text_add_field(out, known->name, sizeof(gns_name));
		text_add(out, " node=%u epoch=%u uid=%llx\n", known->node, known->epoch, (unsigned long long)known->uid);
	}
	for (const struct published *row = published; row != NULL; row = row->next) {
		text_add(out, "published name=");
		text_add_field(out, row->name, sizeof(gns_name));
		text_add(out, " uid=%llx state=%s\n", (unsigned long long)row->home->uid,
		    row->withdrawn ? "dead" : "live");
	}
}
