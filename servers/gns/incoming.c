/* Reading a MSG item (4.8).  It is another node's word: every length must fit, every word that
   will hold a name or an address must be zero, every port descriptor must have its word and
   every region its item.  Nothing is changed here. */
#include "incoming.h"

#include <string.h>

#define NAME_INLINE 8
#define NAME_OUT    4
#define PADDED(n)   (((uint64_t)(n) + 7) & ~7ULL)

/* --- reading --------------------------------------------------------------------------------- */

static bool is_zero(const uint8_t *at, size_t length)
{
	while (length != 0 && *at == 0)
		at++, length--;
	return length == 0;
}

/* The next `length` octets, padded to 8 with zeros; null: they are not there. */
static const uint8_t *take(const uint8_t **at, uint64_t *left, uint64_t length)
{
	const uint8_t *octets = *at;

	if (PADDED(length) > *left || !is_zero(octets + length, (size_t)(PADDED(length) - length)))
		return NULL;
	*at += PADDED(length);
	*left -= PADDED(length);
	return octets;
}

static bool comes_before(const struct pd *a, const struct pd *b)
{
	return a->region != b->region ? a->region < b->region : a->offset < b->offset;
}

/* In order of their places, whatever order they were written in. */
static bool read_pd(struct incoming *in, const uint8_t *at)
{
	struct pd pd;
	unsigned place = in->pd_count;

	if (!pd_get(at, &pd) || pd.what == WIRE_WHAT_NOTHING || pd.region > in->region_count)
		return false;
	for (; place > 0 && comes_before(&pd, &in->pds[place - 1]); place--)
		in->pds[place] = in->pds[place - 1];
	in->pds[place] = pd;
	in->pd_count++;
	return true;
}

static bool read_entry(struct region *region, const uint8_t *at)
{
	*region = (struct region){.offset = wire_get32(at + WIRE_OOL_OFFSET),
	    .length = wire_get32(at + WIRE_OOL_LENGTH)};
	return wire_get32(at + WIRE_OOL_FLAGS) <= WIRE_OOL_DEALLOCATE && wire_get32(at + WIRE_OOL_FLAGS + 4) == 0;
}

static bool read_fixed(struct incoming *in, const uint8_t *body)
{
	in->uid = wire_get64(body + WIRE_MSG_DEST_UID);
	in->to_once = body[WIRE_MSG_DEST_RIGHT] == WIRE_RIGHT_SEND_ONCE;
	in->is_complex = body[WIRE_MSG_FLAGS] == WIRE_MSG_COMPLEX;
	in->msgh_id = wire_get32(body + WIRE_MSG_MSGH_ID);
	in->length = wire_get32(body + WIRE_MSG_INLINE_LENGTH);
	in->region_count = wire_get16(body + WIRE_MSG_NOOL);
	return (in->to_once || body[WIRE_MSG_DEST_RIGHT] == WIRE_RIGHT_SEND)
	    && body[WIRE_MSG_HOPS] <= WIRE_HOPS_MAX
	    && body[WIRE_MSG_REPRESENTATION] == WIRE_REPRESENTATION && body[WIRE_MSG_FLAGS] <= WIRE_MSG_COMPLEX
	    && in->region_count <= WIRE_REGIONS_MAX && wire_get64(body + WIRE_MSG_NOOL + 2) == 0
	    && pd_get(body + WIRE_MSG_REPLY, &in->reply) && in->reply.what != WIRE_WHAT_RECEIVE;
}

static bool read_parts(struct incoming *in, const uint8_t *body, uint32_t length)
{
	unsigned pds = wire_get16(body + WIRE_MSG_NDESC);
	const uint8_t *at = body + WIRE_MSG_REST, *part;
	uint64_t left = length - WIRE_MSG_SIZE;

	if (pds > WIRE_DESCRIPTORS_MAX || left < pds * (uint64_t)WIRE_PD_SIZE)
		return false;
	while (in->pd_count < pds) {
		part = take(&at, &left, WIRE_PD_SIZE);
		if (!read_pd(in, part))
			return false;
	}
	for (unsigned i = 0; i < in->region_count; i++) {
		part = take(&at, &left, WIRE_OOL_SIZE);
		if (part == NULL || !read_entry(&in->regions[i], part))
			return false;
	}
	in->body = take(&at, &left, in->length);
	if (in->body == NULL)
		return false;
	for (unsigned i = 0; i < in->region_count; i++) {
		in->regions[i].octets = take(&at, &left, in->regions[i].length);
		if (in->regions[i].octets == NULL)
			return false;
	}
	return left == 0;
}

/* --- checking by itself ------------------------------------------------------------------------- */

/* May a right of this kind be in an array whose descriptor says `name`? */
static bool suits(uint8_t what, mach_msg_type_name_t name)
{
	switch (what) {
	case WIRE_WHAT_SEND_MINE:
	case WIRE_WHAT_SEND_YOURS:
	case WIRE_WHAT_SEND_THIRD:
		return name == MACH_MSG_TYPE_PORT_SEND;
	case WIRE_WHAT_ONCE_MINE:
	case WIRE_WHAT_ONCE_YOURS:
	case WIRE_WHAT_ONCE_THIRD:
		return name == MACH_MSG_TYPE_PORT_SEND_ONCE;
	case WIRE_WHAT_RECEIVE:
		return name == MACH_MSG_TYPE_PORT_RECEIVE;
	default:
		return what == WIRE_WHAT_DEAD;
	}
}

/* The descriptors of one array: `pds` on, all that lie before its end.  How many; -1: one is
   wrong. */
static int check_names(const struct pd *pds, unsigned count, uint32_t start, uint64_t octets, uint32_t step,
    mach_msg_type_name_t name)
{
	unsigned n = 0;

	for (; n < count && pds[n].region == pds[0].region && pds[n].offset < start + octets; n++)
		if (pds[n].offset < start || (pds[n].offset - start) % step != 0 || !suits(pds[n].what, name)
		    || (n > 0 && pds[n].offset == pds[n - 1].offset))
			return -1;
	return (int)n;
}

struct region *incoming_region(struct incoming *in, uint32_t offset)
{
	for (unsigned i = 0; i < in->region_count; i++)
		if (in->regions[i].offset == offset)
			return &in->regions[i];
	return NULL;
}

unsigned incoming_first_of(const struct incoming *in, unsigned region)
{
	unsigned first = 0;

	while (first < in->pd_count && in->pds[first].region < region)
		first++;
	return first;
}

/* How many of the port descriptors an out-of-line item has; -1: it is wrong. */
static int check_region(struct incoming *in, const struct body_item *item)
{
	struct region *region = incoming_region(in, item->data);
	unsigned number, first;

	if (region == NULL || region->used || region->length != item->octets
	    || !is_zero(in->body + item->data, sizeof(vm_address_t)))
		return -1;
	region->used = true;
	if (!item->is_port)
		return 0;
	number = (unsigned)(region - in->regions) + 1;
	first = incoming_first_of(in, number);
	if (!is_zero(region->octets, region->length))
		return -1;
	if (first == in->pd_count || in->pds[first].region != number)
		return 0;
	return check_names(in->pds + first, in->pd_count - first, 0, item->octets, NAME_OUT, item->name);
}

/* Walk the body: every word that will hold a name or an address is zero now, every port
   descriptor has its word, every region its item. */
static bool check_body(struct incoming *in)
{
	unsigned inlines = incoming_first_of(in, 1), seen_inline = 0, seen = 0, regions = 0;
	struct body_item item;
	int found;

	for (uint32_t at = 0; at < in->length; at = item.next) {
		if (!body_item(in->body, in->length, at, &item))
			return false;
		found = 0;
		if (!item.is_inline) {
			found = check_region(in, &item);
			regions++;
			seen += (unsigned)found;
		} else if (item.is_port) {
			found = check_names(in->pds + seen_inline, inlines - seen_inline, item.data, item.octets,
			    NAME_INLINE, item.name);
			seen_inline += (unsigned)found;
			if (!is_zero(in->body + item.data, (size_t)item.octets))
				return false;
		}
		if (found < 0)
			return false;
	}
	return seen + seen_inline == in->pd_count && regions == in->region_count;
}

bool incoming_read(struct incoming *in, const uint8_t *body, uint32_t length)
{
	if (length < WIRE_MSG_SIZE || !read_fixed(in, body) || !read_parts(in, body, length))
		return false;
	return in->is_complex ? check_body(in) : in->pd_count == 0 && in->region_count == 0;
}
