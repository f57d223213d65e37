/* Exports: ports of this node that others hold rights to (5.1, 5.2).

   A port has one uid for all peers and a row for each; a send-once right has a uid and a row
   of its own.  A right is a row, not the knowledge of a number.  Counts are exact because a
   reference is counted here before the item that carries it is queued. */
#include "rights.h"

#include <stdlib.h>

#define REFERENCES_MAX 1024           /* of our own send right; then we give some back */
#define ONCE_UNWATCHED (1000 * MS)    /* a reply seldom takes longer */

uint64_t uid_next;
struct table homes_by_name, homes_by_uid, rows_by_uid, once_by_name;
static struct row *once_first, **once_last = &once_first; /* not watched yet, oldest first */

/* --- ports ---------------------------------------------------------------------------------- */

static void watch(mach_port_t name)
{
	mach_port_t previous = MACH_PORT_NULL;

	/* sync 1: a name that is dead already is told of at once. */
	if (mach_port_request_notification(mach_task_self(), name, MACH_NOTIFY_DEAD_NAME, 1, self.notify,
	    MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous) == KERN_SUCCESS && previous != MACH_PORT_NULL)
		mach_port_deallocate(mach_task_self(), previous);
}

/* Give back all but one reference: more than 65534 would no longer be counted. */
static void trim(struct home *home)
{
	if (mach_port_mod_refs(mach_task_self(), home->name, MACH_PORT_RIGHT_SEND,
	    1 - (int)home->references) == KERN_SUCCESS)
		home->references = 1;
}

static struct home *home_new(mach_port_t name)
{
	struct home *home = calloc(1, sizeof *home);

	if (home == NULL) {
		counters.no_memory++;
		return NULL;
	}
	home->name = name;
	home->references = 1;
	home->uid = uid_next++;
	table_add(&homes_by_name, &home->by_name, 0, name);
	table_add(&homes_by_uid, &home->by_uid, 0, home->uid);
	watch(name);
	return home;
}

struct home *home_of(mach_port_t name)
{
	struct link *link = table_find(&homes_by_name, 0, name);
	struct home *home;

	if (link == NULL)
		return home_new(name);
	home = CONTAINER(link, struct home, by_name);
	if (++home->references >= REFERENCES_MAX)
		trim(home);
	return home;
}

struct home *home_published(uint64_t uid)
{
	struct link *link = table_find(&homes_by_uid, 0, uid);
	struct home *home = link != NULL ? CONTAINER(link, struct home, by_uid) : NULL;

	return home != NULL && home->published ? home : NULL;
}

void home_release(struct home *home)
{
	if (home->rows != NULL || home->grants != NULL || home->published || home->held_first != NULL
	    || home->dying)
		return;
	if (home->name != MACH_PORT_DEAD) {
		table_remove(&homes_by_name, &home->by_name);
		mach_port_mod_refs(mach_task_self(), home->name, MACH_PORT_RIGHT_SEND, -(int)home->references);
	}
	table_remove(&homes_by_uid, &home->by_uid);
	free(home);
}

/* Rows stay, dead, until their peers have given their references back. */
void home_died(struct home *home)
{
	table_remove(&homes_by_name, &home->by_name);
	/* Ours, and the one that came with the notification. */
	mach_port_mod_refs(mach_task_self(), home->name, MACH_PORT_RIGHT_DEAD_NAME, -(int)home->references - 1);
	home->name = MACH_PORT_DEAD;
	home->references = 0;
	home->dying = true;
	held_drop(home);
	grants_home_died(home);
	for (struct row *row = home->rows; row != NULL; row = row->next_of_home)
		send_port_dead(row->association, home->uid);
	home->dying = false;
	home_release(home);
}

/* --- rows ------------------------------------------------------------------------------------- */

struct row *row_find(const struct association *association, uint64_t uid)
{
	struct link *link = table_find(&rows_by_uid, association->peer->node, uid);

	return link != NULL ? CONTAINER(link, struct row, by_uid) : NULL;
}

static struct row *row_new(struct association *association, uint64_t uid)
{
	struct row *row = association->row_count < WIRE_EXPORTS_MAX ? calloc(1, sizeof *row) : NULL;

	if (row == NULL)
		return NULL;
	association_needed(association);
	row->association = association;
	row->since = now;
	row->at = &association->rows;
	row->next = association->rows;
	if (row->next != NULL)
		row->next->at = &row->next;
	association->rows = row;
	association->row_count++;
	table_add(&rows_by_uid, &row->by_uid, association->peer->node, uid);
	return row;
}

struct row *row_give(struct association *association, struct home *home)
{
	struct row *row = row_find(association, home->uid);

	if (row == NULL) {
		row = row_new(association, home->uid);
		if (row == NULL)
			return NULL;
		row->home = home;
		row->at_home = &home->rows;
		row->next_of_home = home->rows;
		if (row->next_of_home != NULL)
			row->next_of_home->at_home = &row->next_of_home;
		home->rows = row;
		home->row_count++;
	}
	row->n++;
	return row;
}

struct row *row_give_once(struct association *association, uint64_t uid, mach_port_t once)
{
	struct row *row = row_new(association, uid != 0 ? uid : uid_next);

	if (row == NULL)
		return NULL;
	if (uid == 0)
		uid_next++;
	row->once = once;
	row->n = 1;
	row->at_once = once_last;
	*once_last = row;
	once_last = &row->next_once;
	timer_by(now + ONCE_UNWATCHED);
	return row;
}

bool row_is_dead(const struct row *row)
{
	return (row->home != NULL ? row->home->name : row->once) == MACH_PORT_DEAD;
}

static void leave_once(struct row *row)
{
	if (row->at_once == NULL)
		return;
	*row->at_once = row->next_once;
	if (row->next_once != NULL)
		row->next_once->at_once = row->at_once;
	else
		once_last = row->at_once;
	row->at_once = NULL;
}

void row_free(struct row *row)
{
	struct home *home = row->home;

	leave_once(row);
	if (row->watched)
		table_remove(&once_by_name, &row->by_name);
	table_remove(&rows_by_uid, &row->by_uid);
	*row->at = row->next;
	if (row->next != NULL)
		row->next->at = row->at;
	row->association->row_count--;
	if (home != NULL) {
		*row->at_home = row->next_of_home;
		if (row->next_of_home != NULL)
			row->next_of_home->at_home = row->at_home;
		home->row_count--;
		home_release(home);
	}
	free(row);
}

void row_drop_once(struct row *row)
{
	if (row->once != MACH_PORT_DEAD && row->once != MACH_PORT_NULL)
		mach_port_deallocate(mach_task_self(), row->once);
	row->once = MACH_PORT_NULL;
}

void row_once_died(struct row *row)
{
	row->watched = false;
	table_remove(&once_by_name, &row->by_name);
	/* What is left of the right, and what came with the notification. */
	mach_port_mod_refs(mach_task_self(), row->once, MACH_PORT_RIGHT_DEAD_NAME, -2);
	row->once = MACH_PORT_DEAD;
	send_port_dead(row->association, row->by_uid.low);
}

bool row_take(struct row *row, uint32_t n)
{
	if (n > row->n)
		return false;
	row->n -= n;
	if (row->fresh > row->n)
		row->fresh = row->n;
	if (row->n == 0)
		row_free(row);
	return true;
}

/* --- all rows of an association ----------------------------------------------------------------- */

void rows_drop(struct association *association, bool keep_fresh)
{
	struct row *row = association->rows, *next;

	for (; row != NULL; row = next) {
		next = row->next;
		if (keep_fresh && row->fresh != 0) {
			row->n = row->fresh;
			continue;
		}
		row_drop_once(row);
		row_free(row);
	}
}

void rows_confirm(struct association *association)
{
	for (struct row *row = association->rows; row != NULL; row = row->next)
		row->fresh = 0;
}

/* A dead-name request for each reply right would cost a call to the kernel for each message.
   Most are used soon; only those that are not get one, so that their peer learns within a
   second or so that whoever waits for the reply has died. */
void rows_timers(void)
{
	while (once_first != NULL && once_first->since + ONCE_UNWATCHED <= now) {
		struct row *row = once_first;

		leave_once(row);
		row->watched = true;
		table_add(&once_by_name, &row->by_name, 0, row->once);
		watch(row->once);
	}
	if (once_first != NULL)
		timer_by(once_first->since + ONCE_UNWATCHED);
}
