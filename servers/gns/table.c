/* Hash tables: buckets of chained entries, doubled as they fill.  An entry brings its own
   link, so adding never fails; without memory for more buckets the chains grow. */
#include "gns.h"

#include <stdlib.h>

static unsigned place(const struct table *table, uint64_t high, uint64_t low)
{
	uint64_t mixed = (low ^ high * 0x9e3779b97f4a7c15ULL) * 0xff51afd7ed558ccdULL;

	return (unsigned)(mixed >> 40) & (table->size - 1);
}

static struct link *const *buckets(const struct table *table)
{
	return table->more != NULL ? table->more : table->few;
}

struct link *table_find(const struct table *table, uint64_t high, uint64_t low)
{
	struct link *link;

	if (table->size == 0)
		return NULL;
	link = buckets(table)[place(table, high, low)];
	while (link != NULL && (link->low != low || link->high != high))
		link = link->next;
	return link;
}

static void put(struct table *table, struct link *link)
{
	struct link **first = table->more != NULL ? table->more : table->few;

	first += place(table, link->high, link->low);
	link->next = *first;
	*first = link;
}

static void grow(struct table *table)
{
	struct table old = *table;
	struct link **more = calloc((size_t)old.size * 2, sizeof *more);

	if (more == NULL)
		return;
	table->more = more;
	table->size = old.size * 2;
	for (unsigned i = 0; i < old.size; i++) {
		struct link *link = buckets(&old)[i], *next;

		for (; link != NULL; link = next) {
			next = link->next;
			put(table, link);
		}
	}
	free(old.more);
}

void table_add(struct table *table, struct link *link, uint64_t high, uint64_t low)
{
	link->high = high;
	link->low = low;
	if (table->size == 0)
		table->size = TABLE_FEW;
	else if (table->count >= table->size)
		grow(table);
	put(table, link);
	table->count++;
}

void table_remove(struct table *table, struct link *link)
{
	struct link **at = table->more != NULL ? table->more : table->few;

	at += place(table, link->high, link->low);
	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	table->count--;
}

struct link *table_next(const struct table *table, const struct link *link)
{
	unsigned bucket = 0;

	if (link != NULL) {
		if (link->next != NULL)
			return link->next;
		bucket = place(table, link->high, link->low) + 1;
	}
	for (; bucket < table->size; bucket++)
		if (buckets(table)[bucket] != NULL)
			return buckets(table)[bucket];
	return NULL;
}
