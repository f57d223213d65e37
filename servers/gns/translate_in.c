/* Messages in: from a MSG item to a message for a port of this node (4.8).

   An item that is malformed ends the association; one that asks for what the peer may not do
   (5.1) fails, and the rights in it go back.  Only when all is checked is anything changed;
   what cannot be had after that, a port for a right, leaves a dead right in a message that
   is delivered. */
#include "incoming.h"

#include <string.h>

#define PADDED(n) (((uint64_t)(n) + 7) & ~7ULL)

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
	if (row != NULL ? row_is_dead(row) : !home_is_public(home))
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
	return (struct right){import_proxy(import),
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
		right.name = row != NULL || home_is_public(home) ? home->name : MACH_PORT_DEAD;
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
		memcpy((uint8_t *)region->address, region->octets, region->length);
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
	struct region *region = incoming_region(in, item->data);
	unsigned number = (unsigned)(region - in->regions) + 1, first = incoming_first_of(in, number);

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
	memcpy(body, in->body, in->length);
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

	if (!incoming_read(&in, body, length))
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
