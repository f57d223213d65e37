/* Exports: ports of this node that others hold rights to (5.1, 5.2).

   A port has one uid for all peers and a row for each; a send-once right has a uid and a row
   of its own.  A right is a row, not the knowledge of a number.  Counts are exact because a
   reference is counted here before the item that carries it is queued.

   The answer to a name is no item: it may get lost, or be given to one who is no more.  What
   it gave is fresh until its taker says in the stream that it has it, which is a DROP of no
   references, and is taken back when nobody has said so in time. */
#include "rights.h"

#include <stdlib.h>

#define REFERENCES_MAX 1024           /* of our own send right; then we give some back */
#define ONCE_UNWATCHED (1000 * MS)    /* a reply seldom takes longer */

/* Rows that something will be done about when they are old enough, oldest first. */
struct line {
	struct row *first, **last;
};

uint64_t uid_next;
struct table homes_by_name, homes_by_uid, rows_by_uid, once_by_name;
static struct line unwatched = {NULL, &unwatched.first}; /* send-once rows */
static struct line fresh = {NULL, &fresh.first};         /* rows with fresh references */

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

	return home != NULL && home->published != 0 ? home : NULL;
}

void home_release(struct home *home)
{
	if (home->rows != NULL || home->grants != NULL || home->listed != 0 || home->held_first != NULL
	    || home->dying)
		return;
	if (home->name != MACH_PORT_DEAD) {
		table_remove(&homes_by_name, &home->by_name);
		mach_port_mod_refs(mach_task_self(), home->name, MACH_PORT_RIGHT_SEND, -(int)home->references);
		home->name = MACH_PORT_DEAD;
	}
	if (home->published != 0) /* its uid stays known, so that a late sender is no intruder */
		return;
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

static void join(struct line *line, struct row *row)
{
	row->line = line;
	row->since = now;
	row->next_in_line = NULL;
	row->at_in_line = line->last;
	*line->last = row;
	line->last = &row->next_in_line;
}

static void leave(struct row *row)
{
	if (row->line == NULL)
		return;
	*row->at_in_line = row->next_in_line;
	if (row->next_in_line != NULL)
		row->next_in_line->at_in_line = row->at_in_line;
	else
		row->line->last = row->at_in_line;
	row->line = NULL;
}

static struct row *row_new(struct association *association, uint64_t uid)
{
	struct row *row = association->row_count < WIRE_EXPORTS_MAX ? calloc(1, sizeof *row) : NULL;

	if (row == NULL)
		return NULL;
	association_needed(association);
	row->association = association;
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
	join(&unwatched, row);
	timer_by(now + ONCE_UNWATCHED);
	return row;
}

bool row_is_dead(const struct row *row)
{
	return (row->home != NULL ? row->home->name : row->once) == MACH_PORT_DEAD;
}

void row_free(struct row *row)
{
	struct home *home = row->home;

	leave(row);
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

void row_answered(struct row *row)
{
	row->fresh++;
	leave(row);
	join(&fresh, row);
	timer_by(now + WIRE_GRANT_UNCLAIMED_NS);
}

void row_confirm(struct row *row)
{
	if (row->fresh != 0)
		row->fresh--;
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

/* A dead-name request for each reply right would cost a call to the kernel for each message.
   Most are used soon; only those that are not get one, so that their peer learns within a
   second or so that whoever waits for the reply has died. */
static void watch_once(struct row *row)
{
	row->watched = true;
	table_add(&once_by_name, &row->by_name, 0, row->once);
	watch(row->once);
}

static void take_back_fresh(struct row *row)
{
	row_take(row, row->fresh);
}

/* Deal with the rows of a line that have been in it for `wait`. */
static void serve(struct line *line, uint64_t wait, void (*deal)(struct row *row))
{
	while (line->first != NULL && line->first->since + wait <= now) {
		struct row *row = line->first;

		leave(row);
		deal(row);
	}
	if (line->first != NULL)
		timer_by(line->first->since + wait);
}

void rows_timers(void)
{
	serve(&unwatched, ONCE_UNWATCHED, watch_once);
	serve(&fresh, WIRE_GRANT_UNCLAIMED_NS, take_back_fresh);
}
