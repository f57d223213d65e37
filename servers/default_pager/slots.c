/*
 * Slots of the paging space.  All room is taken at the start: a pager that needs memory to
 * page out may not get it.
 */
#include "slots.h"

#include <stdlib.h>

typedef struct slot {
	const object_t *object; /* NULL: free */
	uint64_t page;
	uint32_t in_bucket;  /* next of the same bucket, or of the free ones */
	uint32_t in_object;  /* next of the same object */
} slot_t;

static slot_t *slots;
static uint32_t *buckets;
static uint32_t total, free_count, free_first, mask;

kern_return_t slots_make(uint32_t count)
{
	uint32_t size = 1;

	while (size < count)
		size *= 2;
	slots = calloc(count, sizeof *slots);
	buckets = malloc(size * sizeof *buckets);
	if (slots == NULL || buckets == NULL)
		return KERN_RESOURCE_SHORTAGE;
	for (uint32_t bucket = 0; bucket < size; bucket++)
		buckets[bucket] = NO_SLOT;
	for (uint32_t slot = 0; slot < count; slot++)
		slots[slot].in_bucket = slot + 1 < count ? slot + 1 : NO_SLOT;
	total = free_count = count;
	free_first = count > 0 ? 0 : NO_SLOT;
	mask = size - 1;
	return KERN_SUCCESS;
}

static uint32_t *bucket_of(const object_t *object, uint64_t page)
{
	uint64_t key = (page + (uint64_t)(uintptr_t)object * 31) * 0x9e3779b97f4a7c15u;

	return &buckets[(uint32_t)(key >> 32) & mask];
}

uint32_t slot_find(const object_t *object, uint64_t page)
{
	uint32_t slot = *bucket_of(object, page);

	while (slot != NO_SLOT && (slots[slot].object != object || slots[slot].page != page))
		slot = slots[slot].in_bucket;
	return slot;
}

uint32_t slot_get(object_t *object, uint64_t page)
{
	uint32_t slot = slot_find(object, page), *bucket = bucket_of(object, page);

	if (slot != NO_SLOT || free_first == NO_SLOT)
		return slot;
	slot = free_first;
	free_first = slots[slot].in_bucket;
	free_count--;
	slots[slot] = (slot_t){object, page, *bucket, object->slots};
	*bucket = object->slots = slot;
	return slot;
}

static void leave_bucket(uint32_t slot)
{
	uint32_t *place = bucket_of(slots[slot].object, slots[slot].page);

	while (*place != slot)
		place = &slots[*place].in_bucket;
	*place = slots[slot].in_bucket;
}

void slots_drop(object_t *object)
{
	while (object->slots != NO_SLOT) {
		uint32_t slot = object->slots;

		object->slots = slots[slot].in_object;
		leave_bucket(slot);
		slots[slot] = (slot_t){NULL, 0, free_first, NO_SLOT};
		free_first = slot;
		free_count++;
	}
}

uint32_t slots_total(void)
{
	return total;
}

uint32_t slots_free(void)
{
	return free_count;
}
