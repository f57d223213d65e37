/* The allocator.

   Regions come from vm_allocate, at least REGION_SIZE octets each, and are cut into
   blocks, each behind a header of 16 octets:

       region | header block | header block | ... | end header |

   A header holds its own block's size and the size of the block in front, so that a
   freed block joins free neighbours at once: two free blocks never touch.  Free blocks
   hang in bins by size; a request takes the first that fits from its own bin or the next
   that is not empty.  A region that is wholly free goes back to the kernel, except one of
   the usual size, which is kept for what comes next.

   Sizes count the header and are multiples of 16; a size's low bit says the block is
   live.  A header that cannot be right means the program wrote where it must not, and
   ends it: going on would only hide the place.

   One lock guards all of it. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mach.h>
#include <machemu/lock.h>

#define ALIGNMENT   16
#define BLOCK_MIN   32            /* header, and the links of a free block */
#define REGION_SIZE (64UL << 10)  /* octets */
#define SIZE_LIMIT  (1UL << 40)   /* above all address space there is */
#define LIVE        1UL

struct header {
	size_t front; /* size of the block in front; 0: the first of its region */
	size_t size;  /* with LIVE; exactly LIVE: the end of the region */
	struct header *next, *previous; /* in its bin; only of a free block */
};

#define HEADER_SIZE offsetof(struct header, next)

struct region {
	struct region *next, *previous;
	size_t size; /* octets mapped */
	size_t pad;
};

_Static_assert(sizeof(struct region) % ALIGNMENT == 0, "blocks are aligned");

/* Bins 2 to 31 hold one size each, 32 to 496 octets; the others, a quarter of a power of
   two each, so the first of the next bin always fits. */
#define EXACT_BINS 32
#define BINS       (EXACT_BINS + 4 * 32)

static struct lock lock;
static struct header *bins[BINS];
static uint64_t filled[(BINS + 63) / 64]; /* bit n: bin n is not empty */
static struct region *regions;
static struct region *spare; /* one of the usual size, wholly free, if any */

static struct header *after(const struct header *h, size_t offset)
{
	return (struct header *)((char *)h + offset);
}

static size_t size_of(const struct header *h)
{
	return h->size & ~LIVE;
}

static bool is_live(const struct header *h)
{
	return (h->size & LIVE) != 0;
}

static void *block_of(struct header *h)
{
	return after(h, HEADER_SIZE);
}

/* With the lock, which it gives back: the program's end may want memory. */
static _Noreturn void corrupt(const char *what, const void *block)
{
	char line[96];

	lock_release(&lock);
	snprintf(line, sizeof line, "malloc: %s at %p\n", what, block);
	mach_print(line);
	abort();
}

/* --- bins ------------------------------------------------------------------ */

static unsigned bin_of(size_t size)
{
	unsigned power, bin;

	if (size < EXACT_BINS * ALIGNMENT)
		return (unsigned)(size / ALIGNMENT);
	power = 63U - (unsigned)__builtin_clzl(size); /* at least 9 */
	bin = EXACT_BINS + 4 * (power - 9) + (unsigned)(size >> (power - 2) & 3);
	return bin < BINS ? bin : BINS - 1;
}

static void put_in_bin(struct header *h)
{
	unsigned bin = bin_of(h->size);

	h->previous = NULL;
	h->next = bins[bin];
	if (h->next != NULL)
		h->next->previous = h;
	bins[bin] = h;
	filled[bin / 64] |= 1UL << bin % 64;
}

static void take_from_bin(struct header *h)
{
	unsigned bin = bin_of(h->size);

	if (h->next != NULL)
		h->next->previous = h->previous;
	if (h->previous != NULL)
		h->previous->next = h->next;
	else
		bins[bin] = h->next;
	if (bins[bin] == NULL)
		filled[bin / 64] &= ~(1UL << bin % 64);
}

/* The first bin from `bin` on that is not empty, or BINS. */
static unsigned next_filled(unsigned bin)
{
	for (unsigned word = bin / 64; word < sizeof filled / sizeof filled[0]; word++) {
		uint64_t bits = filled[word];

		if (word == bin / 64)
			bits &= ~0UL << bin % 64;
		if (bits != 0)
			return word * 64 + (unsigned)__builtin_ctzl(bits);
	}
	return BINS;
}

static struct header *find_free(size_t size)
{
	unsigned bin = bin_of(size);

	for (struct header *h = bins[bin]; h != NULL; h = h->next)
		if (h->size >= size)
			return h;
	bin = next_filled(bin + 1);
	return bin < BINS ? bins[bin] : NULL;
}

/* --- regions ---------------------------------------------------------------- */

static struct header *first_of(struct region *r)
{
	return (struct header *)(r + 1);
}

/* A new region with one free block, in its bin, of at least `size` octets. */
static struct header *new_region(size_t size)
{
	size_t wanted = round_page(sizeof(struct region) + size + HEADER_SIZE);
	vm_address_t address = 0;
	struct region *r;
	struct header *h;

	if (wanted < REGION_SIZE)
		wanted = REGION_SIZE;
	if (vm_allocate(mach_task_self(), &address, wanted, TRUE) != KERN_SUCCESS)
		return NULL;
	r = (struct region *)address;
	*r = (struct region){.next = regions, .size = wanted};
	if (regions != NULL)
		regions->previous = r;
	regions = r;
	h = first_of(r);
	h->front = 0;
	h->size = wanted - sizeof *r - HEADER_SIZE;
	after(h, h->size)->front = h->size;
	after(h, h->size)->size = LIVE;
	put_in_bin(h);
	return h;
}

static void drop_region(struct region *r)
{
	if (r->next != NULL)
		r->next->previous = r->previous;
	if (r->previous != NULL)
		r->previous->next = r->next;
	else
		regions = r->next;
	vm_deallocate(mach_task_self(), (vm_address_t)r, r->size);
}

/* `h` is free, in its bin, and all there is in its region. */
static void region_is_free(struct header *h)
{
	struct region *r = (struct region *)h - 1;

	if (r->size == REGION_SIZE && spare == NULL) {
		spare = r;
		return;
	}
	take_from_bin(h);
	drop_region(r);
}

/* --- blocks ------------------------------------------------------------------ */

/* Makes a free block of `h`, which is in no bin, and joins it with free neighbours. */
static void make_free(struct header *h)
{
	struct header *behind;
	size_t size = size_of(h);

	h->size = size; /* even if it ends up inside another block: a second free is seen */
	behind = after(h, size);
	if (!is_live(behind)) {
		take_from_bin(behind);
		size += behind->size;
	}
	if (h->front != 0) {
		struct header *front = (struct header *)((char *)h - h->front);

		if (!is_live(front)) {
			take_from_bin(front);
			size += front->size;
			h = front;
		}
	}
	h->size = size;
	behind = after(h, size);
	behind->front = size;
	put_in_bin(h);
	if (h->front == 0 && behind->size == LIVE)
		region_is_free(h);
}

/* Cuts the live block `h` to `size`; what is left over becomes free. */
static void trim(struct header *h, size_t size)
{
	size_t rest = size_of(h) - size;
	struct header *left;

	if (rest < BLOCK_MIN)
		return;
	left = after(h, size);
	left->front = size;
	left->size = rest | LIVE;
	after(left, rest)->front = rest;
	h->size = size | LIVE;
	make_free(left);
}

/* Octets of a block for `size` of the caller's; 0: too many. */
static size_t block_size(size_t size)
{
	if (size > SIZE_LIMIT)
		return 0;
	size = (size + HEADER_SIZE + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	return size < BLOCK_MIN ? BLOCK_MIN : size;
}

static struct header *allocate(size_t size)
{
	struct header *h = find_free(size);

	if (h == NULL && (h = new_region(size)) == NULL)
		return NULL;
	if (spare != NULL && h == first_of(spare))
		spare = NULL;
	take_from_bin(h);
	h->size |= LIVE;
	trim(h, size);
	return h;
}

static struct header *live_header(void *block)
{
	struct header *h = (struct header *)((char *)block - HEADER_SIZE);

	if (((uintptr_t)block & (ALIGNMENT - 1)) != 0)
		corrupt("no block of ours", block);
	if (!is_live(h))
		corrupt("block freed twice", block);
	if (size_of(h) < BLOCK_MIN || size_of(h) % ALIGNMENT != 0 || size_of(h) > SIZE_LIMIT + PAGE_SIZE ||
	    after(h, size_of(h))->front != size_of(h))
		corrupt("header overwritten", block);
	return h;
}

/* --- what programs call -------------------------------------------------------- */

static void *no_memory(void)
{
	errno = ENOMEM;
	return NULL;
}

void *malloc(size_t size)
{
	size_t wanted = block_size(size);
	struct header *h;

	if (wanted == 0)
		return no_memory();
	lock_take(&lock);
	h = allocate(wanted);
	lock_release(&lock);
	return h != NULL ? block_of(h) : no_memory();
}

void free(void *block)
{
	if (block == NULL)
		return;
	lock_take(&lock);
	make_free(live_header(block));
	lock_release(&lock);
}

void *calloc(size_t count, size_t size)
{
	void *block;

	if (__builtin_mul_overflow(count, size, &size))
		return no_memory();
	block = malloc(size);
	if (block != NULL)
		memset(block, 0, size);
	return block;
}

size_t malloc_usable_size(const void *block)
{
	size_t size;

	if (block == NULL)
		return 0;
	lock_take(&lock); /* the header behind may be at work */
	size = size_of(live_header((void *)block)) - HEADER_SIZE;
	lock_release(&lock);
	return size;
}

/* Grows the live block `h` over a free neighbour behind it; false: not enough there. */
static bool grow(struct header *h, size_t wanted)
{
	struct header *behind = after(h, size_of(h));

	if (is_live(behind) || size_of(h) + behind->size < wanted)
		return false;
	take_from_bin(behind);
	h->size += behind->size;
	after(h, size_of(h))->front = size_of(h);
	return true;
}

/* Makes the block `wanted` octets where it is; false: it has to move, and holds *kept of
   the caller's octets. */
static bool resize_in_place(void *block, size_t wanted, size_t *kept)
{
	struct header *h;
	bool fits;

	lock_take(&lock);
	h = live_header(block);
	*kept = size_of(h) - HEADER_SIZE;
	fits = size_of(h) >= wanted || grow(h, wanted);
	if (fits)
		trim(h, wanted);
	lock_release(&lock);
	return fits;
}

void *realloc(void *block, size_t size)
{
	size_t wanted = block_size(size), kept;
	void *moved;

	if (block == NULL)
		return malloc(size);
	if (wanted == 0)
		return no_memory();
	if (resize_in_place(block, wanted, &kept))
		return block;
	moved = malloc(size);
	if (moved != NULL) {
		memcpy(moved, block, kept);
		free(block);
	}
	return moved;
}

void *reallocarray(void *block, size_t count, size_t size)
{
	if (__builtin_mul_overflow(count, size, &size))
		return no_memory();
	return realloc(block, size);
}

/* A live block of `wanted` octets whose inside is aligned, or null. */
static struct header *allocate_aligned(size_t alignment, size_t wanted)
{
	struct header *h = allocate(wanted + alignment + BLOCK_MIN), *aligned;
	size_t offset;

	if (h == NULL)
		return NULL;
	/* What is in front of the aligned place must be able to stand as a free block. */
	offset = -(uintptr_t)block_of(h) & (alignment - 1);
	if (offset != 0) {
		if (offset < BLOCK_MIN)
			offset += alignment;
		aligned = after(h, offset);
		aligned->front = offset;
		aligned->size = (size_of(h) - offset) | LIVE;
		after(aligned, size_of(aligned))->front = size_of(aligned);
		h->size = offset | LIVE;
		make_free(h);
		h = aligned;
	}
	trim(h, wanted);
	return h;
}

void *aligned_alloc(size_t alignment, size_t size)
{
	size_t wanted = block_size(size);
	struct header *h;

	if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
		errno = EINVAL;
		return NULL;
	}
	if (alignment <= ALIGNMENT)
		return malloc(size);
	if (wanted == 0 || alignment > SIZE_LIMIT)
		return no_memory();
	lock_take(&lock);
	h = allocate_aligned(alignment, wanted);
	lock_release(&lock);
	return h != NULL ? block_of(h) : no_memory();
}

void *memalign(size_t alignment, size_t size)
{
	return aligned_alloc(alignment, size);
}

void *valloc(size_t size)
{
	return aligned_alloc(PAGE_SIZE, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
	void *made;

	if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0)
		return EINVAL;
	made = aligned_alloc(alignment, size);
	if (made == NULL)
		return ENOMEM;
	*block = made;
	return 0;
}

/* --- checking -------------------------------------------------------------------- */

enum fault { SOUND, BAD_SIZE, BAD_FRONT, FREE_NEIGHBOURS, NOT_IN_BIN, BAD_END, BAD_BIN };

static bool is_in_bin(const struct header *wanted)
{
	for (const struct header *h = bins[bin_of(wanted->size)]; h != NULL; h = h->next)
		if (h == wanted)
			return true;
	return false;
}

static enum fault check_region(struct region *r, struct malloc_totals *totals, size_t *free_blocks)
{
	const struct header *h = first_of(r), *end = after((struct header *)r, r->size - HEADER_SIZE);
	size_t front = 0;
	bool front_free = false;

	for (; h < end; h = after(h, size_of(h))) {
		if (size_of(h) < BLOCK_MIN || size_of(h) % ALIGNMENT != 0)
			return BAD_SIZE;
		if (h->front != front)
			return BAD_FRONT;
		if (front_free && !is_live(h))
			return FREE_NEIGHBOURS;
		if (!is_live(h) && !is_in_bin(h))
			return NOT_IN_BIN;
		*free_blocks += !is_live(h);
		totals->blocks += is_live(h);
		totals->used += is_live(h) ? size_of(h) : 0;
		front = size_of(h);
		front_free = !is_live(h);
	}
	return h == end && h->size == LIVE && h->front == front ? SOUND : BAD_END;
}

static enum fault check_all(struct malloc_totals *totals)
{
	size_t free_blocks = 0, in_bins = 0;

	*totals = (struct malloc_totals){0};
	for (struct region *r = regions; r != NULL; r = r->next) {
		enum fault fault = check_region(r, totals, &free_blocks);

		if (fault != SOUND)
			return fault;
		totals->regions++;
		totals->mapped += r->size;
	}
	for (unsigned bin = 0; bin < BINS; bin++) {
		for (struct header *h = bins[bin]; h != NULL; h = h->next, in_bins++)
			if (is_live(h) || bin_of(h->size) != bin)
				return BAD_BIN;
		if ((bins[bin] != NULL) != (filled[bin / 64] >> bin % 64 & 1))
			return BAD_BIN;
	}
	return in_bins == free_blocks ? SOUND : BAD_BIN;
}

int malloc_check(struct malloc_totals *totals)
{
	struct malloc_totals own;
	enum fault fault;

	lock_take(&lock);
	fault = check_all(totals != NULL ? totals : &own);
	lock_release(&lock);
	return (int)fault;
}
