/* Messages in: from a MSG item to a message for a port of this node (4.8).

   The item is another node's word.  First all of it is checked, by itself (malformed: the
   association ends) and against what the peer may do (5.1: the message fails, and the
   rights in it go back).  Only then is anything changed; what cannot be had after that, a
   port or memory for it, leaves a dead right in a message that is delivered. */
#include "rights.h"

#include <string.h>

#define NAME_INLINE 8
#define NAME_OUT    4
#define PADDED(n)   (((uint64_t)(n) + 7) & ~7ULL)

struct region {
	uint32_t offset, length; /* of its pointer word; octets */
	const uint8_t *octets;
	vm_address_t address;    /* of our copy, which goes with the message */
	bool used;               /* an item of the body has it */
};

struct incoming {
	struct association *from;
	uint64_t id;             /* of the item */
	uint32_t octets;         /* of its body */
	uint64_t uid;
	bool to_once, is_complex;
	uint32_t msgh_id;
	struct pd reply;
	unsigned pd_count, region_count;
	struct pd pds[WIRE_DESCRIPTORS_MAX]; /* by region and offset */
	struct region regions[WIRE_REGIONS_MAX];
	const uint8_t *body;     /* the message's */
	uint32_t length;
};

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

static struct region *region_of(struct incoming *in, uint32_t offset)
{
	for (unsigned i = 0; i < in->region_count; i++)
		if (in->regions[i].offset == offset)
			return &in->regions[i];
	return NULL;
}

static unsigned first_of_region(const struct incoming *in, unsigned number)
{
	unsigned first = 0;

	while (first < in->pd_count && in->pds[first].region < number)
		first++;
	return first;
}

/* How many of the port descriptors an out-of-line item has; -1: it is wrong. */
static int check_region(struct incoming *in, const struct body_item *item)
{
	struct region *region = region_of(in, item->data);
	unsigned number, first;

	if (region == NULL || region->used || region->length != item->octets
	    || !is_zero(in->body + item->data, sizeof(vm_address_t)))
		return -1;
	region->used = true;
	if (!item->is_port)
		return 0;
	number = (unsigned)(region - in->regions) + 1;
	first = first_of_region(in, number);
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
	unsigned inlines = first_of_region(in, 1), seen_inline = 0, seen = 0, regions = 0;
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

static bool read_message(struct incoming *in, const uint8_t *body, uint32_t length)
{
	if (length < WIRE_MSG_SIZE || !read_fixed(in, body) || !read_parts(in, body, length))
		return false;
	return in->is_complex ? check_body(in) : in->pd_count == 0 && in->region_count == 0;
}

/* --- checking against what the peer may do ---------------------------------------------------------- */

static bool is_node(const struct pd *pd, uint32_t node, uint32_t epoch)
{
	return pd->node == node && pd->epoch == epoch;
}

static bool may_give(const struct incoming *in, const struct pd *pd)
{
	const struct peer *peer = in->from->peer;
	const struct row *row;

	switch (pd->what) {
	case WIRE_WHAT_SEND_MINE:
	case WIRE_WHAT_ONCE_MINE:
		return is_node(pd, peer->node, peer->epoch);
	case WIRE_WHAT_SEND_YOURS:
	case WIRE_WHAT_ONCE_YOURS:
		row = row_find(in->from, pd->uid);
		if (row == NULL)
			return pd->what == WIRE_WHAT_SEND_YOURS && home_published(pd->uid) != NULL;
		return is_node(pd, self.node, self.epoch)
		    && (row->home != NULL) == (pd->what == WIRE_WHAT_SEND_YOURS);
	case WIRE_WHAT_SEND_THIRD:
	case WIRE_WHAT_ONCE_THIRD:
		return pd->node != self.node && pd->node != peer->node;
	default:
		return true;
	}
}

static bool may_give_all(const struct incoming *in)
{
	bool good = may_give(in, &in->reply);

	for (unsigned i = 0; good && i < in->pd_count; i++)
		good = may_give(in, &in->pds[i]);
	return good;
}

static bool has_receive_right(const struct incoming *in)
{
	for (unsigned i = 0; i < in->pd_count; i++)
		if (in->pds[i].what == WIRE_WHAT_RECEIVE)
			return true;
	return false;
}

/* What becomes of the message: WIRE_ST_OK, or why it fails. */
static uint32_t judge(const struct incoming *in, const struct row *row, const struct home *home)
{
	if ((row == NULL && home == NULL) || in->to_once != (home == NULL) || !may_give_all(in))
		return WIRE_ST_BAD_RIGHT;
	if (row != NULL ? row_is_dead(row) : home->name == MACH_PORT_DEAD)
		return WIRE_ST_DEAD;
	/* Receive rights would come here, and RECV_TAKEN go back (5.4). */
	if (has_receive_right(in))
		return WIRE_ST_NOT_ALLOWED;
	return in->from->import_count + in->pd_count >= WIRE_EXPORTS_MAX ? WIRE_ST_LIMIT : WIRE_ST_OK;
}

/* --- a message that fails ----------------------------------------------------------------------------- */

static void give_back(const struct incoming *in, const struct pd *pd)
{
	struct row *row;

	if (!may_give(in, pd))
		return;
	switch (pd->what) {
	case WIRE_WHAT_SEND_MINE:
		send_drop(in->from, pd->uid, 1);
		break;
	case WIRE_WHAT_ONCE_MINE:
		send_once_drop(in->from, pd->uid);
		break;
	case WIRE_WHAT_ONCE_YOURS:
		row = row_find(in->from, pd->uid);
		if (row != NULL && row->home == NULL) {
			row_drop_once(row);
			row_free(row);
		}
		break;
	default: /* not counted, or left to its time at a third node */
		break;
	}
}

static void fail(const struct incoming *in, struct row *row, uint32_t status)
{
	deliver_flush();
	send_msg_fail(in->from, in->id, status);
	give_back(in, &in->reply);
	for (unsigned i = 0; i < in->pd_count; i++)
		give_back(in, &in->pds[i]);
	if (status == WIRE_ST_BAD_RIGHT) {
		association_violation(in->from);
	} else if (in->to_once && row != NULL) {
		row_drop_once(row);
		row_free(row);
	}
}

/* --- rights -------------------------------------------------------------------------------------------- */

/* A right in our space, and how it goes into a message. */
struct right {
	mach_port_t name;
	mach_msg_type_name_t use;
};

static struct right of_import(struct import *import)
{
	if (import == NULL)
		return (struct right){MACH_PORT_DEAD, MACH_MSG_TYPE_COPY_SEND};
	if (!import->once)
		import->made++;
	return (struct right){(mach_port_t)import->by_name.low,
	    import->once ? MACH_MSG_TYPE_MAKE_SEND_ONCE : MACH_MSG_TYPE_MAKE_SEND};
}

static struct right take_theirs(const struct incoming *in, const struct pd *pd, bool once)
{
	struct import *import = import_take(in->from, pd->uid, once);

	if (import == NULL && once)
		send_once_drop(in->from, pd->uid);
	else if (import == NULL)
		send_drop(in->from, pd->uid, 1);
	return of_import(import);
}

static struct right take_ours(const struct incoming *in, const struct pd *pd)
{
	struct row *row = row_find(in->from, pd->uid);
	const struct home *home = row != NULL ? row->home : home_published(pd->uid);
	struct right right = {MACH_PORT_DEAD, MACH_MSG_TYPE_COPY_SEND};

	if (home != NULL) {
		right.name = home->name;
	} else if (row != NULL) { /* a second mention of it finds nothing */
		right = (struct right){row->once, MACH_MSG_TYPE_MOVE_SEND_ONCE};
		row->once = MACH_PORT_NULL;
		row_free(row);
	}
	return right;
}

static struct right take_right(const struct incoming *in, const struct pd *pd)
{
	switch (pd->what) {
	case WIRE_WHAT_SEND_MINE:
	case WIRE_WHAT_ONCE_MINE:
		return take_theirs(in, pd, pd->what == WIRE_WHAT_ONCE_MINE);
	case WIRE_WHAT_SEND_YOURS:
	case WIRE_WHAT_ONCE_YOURS:
		return take_ours(in, pd);
	case WIRE_WHAT_SEND_THIRD:
	case WIRE_WHAT_ONCE_THIRD:
		return of_import(claim(in->from->peer, pd->node, pd->epoch, pd->uid, pd->gid,
		    pd->what == WIRE_WHAT_ONCE_THIRD));
	default:
		return (struct right){MACH_PORT_DEAD, MACH_MSG_TYPE_COPY_SEND};
	}
}

/* Put the rights of one array into their words at `words`.  An array has one disposition for
   all; where its rights differ, each is first taken into our hands. */
static mach_msg_type_name_t put_rights(const struct incoming *in, const struct pd *pds, unsigned count,
    uint32_t start, uint8_t *words, mach_msg_type_name_t kind)
{
	struct right rights[WIRE_DESCRIPTORS_MAX];
	mach_msg_type_name_t use = 0;
	bool mixed = false;

	for (unsigned i = 0; i < count; i++) {
		rights[i] = take_right(in, &pds[i]);
		if (!MACH_PORT_VALID(rights[i].name))
			continue;
		mixed |= use != 0 && use != rights[i].use;
		use = rights[i].use;
	}
	for (unsigned i = 0; i < count; i++) {
		mach_port_t name = mixed ? right_own(rights[i].name, rights[i].use) : rights[i].name;

		memcpy(words + pds[i].offset - start, &name, sizeof name);
	}
	return mixed || use == 0 ? kind : use;
}

/* --- the message ----------------------------------------------------------------------------------------- */

/* Copies of the regions, which the kernel takes over with the message. */
static bool copy_regions(struct incoming *in)
{
	for (unsigned i = 0; i < in->region_count; i++) {
		struct region *region = &in->regions[i];

		if (region->length == 0)
			continue;
		if (vm_allocate(mach_task_self(), &region->address, region->length, TRUE) != KERN_SUCCESS) {
			counters.no_memory++;
			while (i-- > 0)
				if (in->regions[i].length != 0)
					vm_deallocate(mach_task_self(), in->regions[i].address, in->regions[i].length);
			return false;
		}
		copy_octets((uint8_t *)region->address, region->octets, region->length);
	}
	return true;
}

static unsigned names_from(const struct incoming *in, unsigned first, unsigned number, uint64_t end)
{
	unsigned count = 0;

	while (first + count < in->pd_count && in->pds[first + count].region == number
	    && in->pds[first + count].offset < end)
		count++;
	return count;
}

static void put_region(struct incoming *in, const struct body_item *item, uint8_t *body, mach_msg_type_t *type)
{
	struct region *region = region_of(in, item->data);
	unsigned number = (unsigned)(region - in->regions) + 1, first = first_of_region(in, number);

	memcpy(body + item->data, &region->address, sizeof region->address);
	type->msgt_deallocate = region->length != 0;
	if (item->is_port)
		type->msgt_name = put_rights(in, in->pds + first, names_from(in, first, number, region->length), 0,
		    (uint8_t *)region->address, item->name) & 0xff;
}

static void put_body(struct incoming *in, uint8_t *body)
{
	unsigned seen = 0, count;
	struct body_item item;

	for (uint32_t at = 0; at < in->length; at = item.next) {
		mach_msg_type_t *type = (mach_msg_type_t *)(body + at);

		body_item(in->body, in->length, at, &item);
		if (!item.is_inline) {
			put_region(in, &item, body, type);
		} else if (item.is_port) {
			count = names_from(in, seen, 0, item.data + item.octets);
			type->msgt_name = put_rights(in, in->pds + seen, count, item.data, body + item.data,
			    item.name) & 0xff;
			seen += count;
		}
	}
}

static void put_header(const struct incoming *in, mach_msg_header_t *message, struct row *row,
    const struct home *home)
{
	struct right dest = {home != NULL ? home->name : MACH_PORT_NULL, MACH_MSG_TYPE_COPY_SEND};
	struct right reply = {MACH_PORT_NULL, 0};

	if (home == NULL) {
		dest = (struct right){row->once, MACH_MSG_TYPE_MOVE_SEND_ONCE};
		row->once = MACH_PORT_NULL;
		row_free(row);
	}
	if (in->reply.what != WIRE_WHAT_NOTHING)
		reply = take_right(in, &in->reply);
	*message = (mach_msg_header_t){
	    .msgh_bits = MACH_MSGH_BITS(dest.use, reply.use) | (in->is_complex ? MACH_MSGH_BITS_COMPLEX : 0),
	    .msgh_size = (mach_msg_size_t)(sizeof *message + PADDED(in->length)),
	    .msgh_remote_port = dest.name,
	    .msgh_local_port = reply.name,
	    .msgh_id = (mach_msg_id_t)in->msgh_id,
	};
}

static bool build(struct incoming *in, struct row *row, const struct home *home)
{
	mach_msg_header_t *message = buffer_for(sizeof *message + PADDED(in->length));
	uint8_t *body = (uint8_t *)(message + 1);

	if (message == NULL || !copy_regions(in))
		return false;
	put_header(in, message, row, home);
	copy_octets(body, in->body, in->length);
	memset(body + in->length, 0, PADDED(in->length) - in->length);
	if (in->is_complex)
		put_body(in, body);
	return true;
}

bool message_in(struct association *association, uint64_t id, const uint8_t *body, uint32_t length)
{
	struct incoming in = {.from = association, .id = id, .octets = length};
	struct row *row;
	struct home *home;
	uint32_t status;

	if (!read_message(&in, body, length))
		return false;
	row = row_find(association, in.uid);
	home = row != NULL ? row->home : home_published(in.uid);
	status = judge(&in, row, home);
	if (status == WIRE_ST_OK && !build(&in, row, home))
		status = WIRE_ST_LIMIT;
	if (status != WIRE_ST_OK) {
		fail(&in, row, status);
		return true;
	}
	counters.msg_in++;
	deliver(home, association, id, length);
	return true;
}
