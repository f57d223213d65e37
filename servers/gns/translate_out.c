/* Messages out: from what the kernel delivered on a proxy to a MSG item (4.8).

   Names of this task become global identifiers, memory becomes octets.  The item holds no
   name and no address: their words are zero, and a port descriptor (PD) says what each is.
   First everything is measured and refused that must be; then rights are moved into tables,
   and nothing can fail any more but single rights, which then arrive dead. */
#include "rights.h"

#include <stdlib.h>
#include <string.h>

#define NAME_INLINE 8 /* octets of a name's slot */
#define NAME_OUT    4
#define PADDED(n)   (((uint64_t)(n) + 7) & ~7ULL)

/* What a message needs. */
struct measure {
	unsigned ports, regions;
	uint64_t region_octets; /* each padded */
};

/* Where the parts of the item are written next. */
struct writer {
	struct association *to;
	struct waiting *waiting;
	bool     kept;          /* it is not its caller's any more */
	uint8_t *body;          /* of the item */
	uint8_t *pd, *entry;    /* next port descriptor, next region's entry */
	uint8_t *inline_data;
	uint8_t *region;        /* next region's octets */
	uint8_t  region_number;
};

/* --- measuring ----------------------------------------------------------------------------- */

static mach_port_t name_at(const uint8_t *at)
{
	mach_port_t name;

	memcpy(&name, at, sizeof name);
	return name;
}

static const uint8_t *address_at(const uint8_t *at)
{
	const uint8_t *address;

	memcpy(&address, at, sizeof address);
	return address;
}

/* False: over a limit, or it holds a receive right, which do not travel yet (5.4). */
static bool measure_item(const uint8_t *body, const struct body_item *item, struct measure *measure)
{
	const uint8_t *names = item->is_inline ? body + item->data : address_at(body + item->data);
	size_t step = item->is_inline ? NAME_INLINE : NAME_OUT;

	if (!item->is_inline) {
		measure->regions++;
		measure->region_octets += PADDED(item->octets);
		if (measure->regions > WIRE_REGIONS_MAX || measure->region_octets > WIRE_ITEM_BODY_MAX)
			return false;
	}
	if (!item->is_port)
		return true;
	for (uint32_t i = 0; i < item->number; i++) {
		if (name_at(names + i * step) == MACH_PORT_NULL)
			continue;
		if (item->name == MACH_MSG_TYPE_PORT_RECEIVE || ++measure->ports > WIRE_DESCRIPTORS_MAX)
			return false;
	}
	return true;
}

static uint64_t octets_of(const mach_msg_header_t *message, const struct measure *measure)
{
	return WIRE_MSG_SIZE + measure->ports * (uint64_t)WIRE_PD_SIZE
	    + measure->regions * (uint64_t)WIRE_OOL_SIZE + PADDED(message->msgh_size - sizeof *message)
	    + measure->region_octets;
}

static bool measure_message(const mach_msg_header_t *message, struct measure *measure)
{
	const uint8_t *body = (const uint8_t *)(message + 1);
	uint32_t length = message->msgh_size - (uint32_t)sizeof *message;
	struct body_item item;

	*measure = (struct measure){0};
	if (message->msgh_bits & MACH_MSGH_BITS_COMPLEX)
		for (uint32_t at = 0; at < length; at = item.next)
			if (!body_item(body, length, at, &item) || !measure_item(body, &item, measure))
				return false;
	return octets_of(message, measure) <= WIRE_ITEM_BODY_MAX;
}

/* --- rights ------------------------------------------------------------------------------------ */

static void describe_ours(struct pd *pd, uint8_t what, uint64_t uid)
{
	pd->what = what;
	pd->node = self.node;
	pd->epoch = self.epoch;
	pd->uid = uid;
}

static void describe_import(struct pd *pd, uint8_t what, const struct import *import)
{
	pd->what = what;
	pd->node = import->association->peer->node;
	pd->epoch = import->association->peer->epoch;
	pd->uid = import->by_uid.low;
}

/* A send right to a port of this node. */
static void give_home(struct writer *writer, struct pd *pd, mach_port_t name)
{
	struct home *home = home_of(name);

	if (home == NULL) {
		mach_port_deallocate(mach_task_self(), name);
	} else if (row_give(writer->to, home) == NULL) {
		home_release(home);
	} else {
		describe_ours(pd, WIRE_WHAT_SEND_MINE, home->uid);
	}
}

/* A send-once right: a port of this node, as far as anybody can tell.  If it is one of our
   own proxies, the message will come here and go on from here. */
static void give_once(struct writer *writer, struct pd *pd, mach_port_t name)
{
	struct row *row = row_give_once(writer->to, 0, name);

	if (row == NULL)
		mach_port_deallocate(mach_task_self(), name);
	else
		describe_ours(pd, WIRE_WHAT_ONCE_MINE, row->by_uid.low);
}

/* The message cannot leave at once: keep what is known of it. */
static bool keep(struct writer *writer)
{
	struct waiting *kept;

	if (writer->kept)
		return true;
	kept = malloc(sizeof *kept);
	if (kept == NULL)
		return false;
	*kept = *writer->waiting;
	writer->waiting = kept;
	writer->kept = true;
	return true;
}

/* A send right to a proxy: it goes home, or to a third node. */
static void give_proxy(struct writer *writer, struct pd *pd, struct import *import)
{
	struct waiting *waiting = writer->waiting;
	uint32_t place = (uint32_t)(writer->pd - waiting->item->octets);
	uint64_t gid;

	if (import->association == writer->to) {
		describe_import(pd, WIRE_WHAT_SEND_YOURS, import);
		/* The right is given up when the item is queued: no DROP may overtake it. */
		import_pin(import);
		waiting->homeward[waiting->homeward_count++] = import;
		return;
	}
	gid = keep(writer) ? grant_want(writer->waiting, import, place) : 0;
	if (gid != 0) {
		describe_import(pd, WIRE_WHAT_SEND_THIRD, import);
		pd->gid = gid;
	}
	mach_port_deallocate(mach_task_self(), import_proxy(import));
}

/* Move a right out of our space, and describe it.  What cannot travel arrives dead. */
static void give_right(struct writer *writer, struct pd *pd, mach_port_t name, mach_msg_type_name_t kind)
{
	struct import *import;

	*pd = (struct pd){.what = WIRE_WHAT_DEAD, .count = 1, .region = pd->region, .offset = pd->offset};
	if (name == MACH_PORT_DEAD)
		return;
	if (kind == MACH_MSG_TYPE_PORT_SEND_ONCE)
		give_once(writer, pd, name);
	else if ((import = import_of_proxy(name)) != NULL)
		give_proxy(writer, pd, import);
	else
		give_home(writer, pd, name);
}

/* Rights in an array of names at `names`, whose copies in the item lie at `to`. */
static void write_rights(struct writer *writer, const struct body_item *item, const uint8_t *names, uint8_t *to,
    struct pd *pd)
{
	uint32_t step = item->is_inline ? NAME_INLINE : NAME_OUT, first = pd->offset;

	for (uint32_t i = 0; i < item->number; i++) {
		mach_port_t name = name_at(names + i * step);

		if (name == MACH_PORT_NULL)
			continue;
		pd->offset = first + i * step;
		give_right(writer, pd, name, item->name);
		pd_put(writer->pd, pd);
		writer->pd += WIRE_PD_SIZE;
	}
	memset(to, 0, (size_t)item->number * step);
}

/* --- memory ---------------------------------------------------------------------------------------- */

static void write_region(struct writer *writer, const uint8_t *body, const struct body_item *item)
{
	const uint8_t *from = address_at(body + item->data);
	uint32_t octets = (uint32_t)item->octets;
	struct pd pd = {.region = ++writer->region_number};

	wire_put32(writer->entry + WIRE_OOL_OFFSET, item->data);
	wire_put32(writer->entry + WIRE_OOL_LENGTH, octets);
	wire_put32(writer->entry + WIRE_OOL_FLAGS, WIRE_OOL_DEALLOCATE);
	wire_put32(writer->entry + WIRE_OOL_FLAGS + 4, 0);
	writer->entry += WIRE_OOL_SIZE;
	memset(writer->inline_data + item->data, 0, sizeof from);
	if (item->is_port)
		write_rights(writer, item, from, writer->region, &pd);
	else
		memcpy(writer->region, from, octets);
	memset(writer->region + octets, 0, PADDED(octets) - octets);
	writer->region += PADDED(octets);
	if (octets != 0)
		vm_deallocate(mach_task_self(), (vm_address_t)from, octets);
}

static void write_body(struct writer *writer, const mach_msg_header_t *message)
{
	const uint8_t *body = (const uint8_t *)(message + 1);
	uint32_t length = message->msgh_size - (uint32_t)sizeof *message;
	struct body_item item;

	memcpy(writer->inline_data, body, length);
	memset(writer->inline_data + length, 0, PADDED(length) - length);
	if ((message->msgh_bits & MACH_MSGH_BITS_COMPLEX) == 0)
		return;
	for (uint32_t at = 0; at < length; at = item.next) {
		struct pd pd;

		body_item(body, length, at, &item);
		pd = (struct pd){.offset = item.data};
		if (!item.is_inline)
			write_region(writer, body, &item);
		else if (item.is_port)
			write_rights(writer, &item, body + item.data, writer->inline_data + item.data, &pd);
	}
}

/* --- the whole ----------------------------------------------------------------------------------------- */

static void write_fixed(struct writer *writer, const struct import *import, const mach_msg_header_t *message,
    const struct measure *measure)
{
	uint8_t *body = writer->body;

	memset(body, 0, WIRE_MSG_SIZE);
	wire_put64(body + WIRE_MSG_DEST_UID, import->by_uid.low);
	body[WIRE_MSG_DEST_RIGHT] = import->once ? WIRE_RIGHT_SEND_ONCE : WIRE_RIGHT_SEND;
	body[WIRE_MSG_REPRESENTATION] = WIRE_REPRESENTATION;
	body[WIRE_MSG_FLAGS] = message->msgh_bits & MACH_MSGH_BITS_COMPLEX ? WIRE_MSG_COMPLEX : 0;
	wire_put32(body + WIRE_MSG_MSGH_ID, (uint32_t)message->msgh_id);
	wire_put32(body + WIRE_MSG_INLINE_LENGTH, message->msgh_size - (uint32_t)sizeof *message);
	wire_put16(body + WIRE_MSG_NDESC, (uint16_t)measure->ports);
	wire_put16(body + WIRE_MSG_NOOL, (uint16_t)measure->regions);
}

static void write_reply(struct writer *writer, const mach_msg_header_t *message)
{
	struct pd pd = {.offset = WIRE_NO_OFFSET};
	uint8_t *next = writer->pd;

	if (message->msgh_remote_port == MACH_PORT_NULL)
		return;
	writer->pd = writer->body + WIRE_MSG_REPLY;
	give_right(writer, &pd, message->msgh_remote_port, MACH_MSGH_BITS_REMOTE(message->msgh_bits));
	pd_put(writer->pd, &pd);
	writer->pd = next;
}

/* False: the message waits for grants. */
static bool write_message(struct waiting *waiting, const mach_msg_header_t *message,
    const struct measure *measure)
{
	struct association *association = waiting->destination->association;
	struct writer writer = {
	    .to = association,
	    .waiting = waiting,
	    .body = waiting->item->octets + WIRE_ITEM_SIZE,
	};

	writer.pd = writer.body + WIRE_MSG_REST;
	writer.entry = writer.pd + measure->ports * WIRE_PD_SIZE;
	writer.inline_data = writer.entry + measure->regions * WIRE_OOL_SIZE;
	writer.region = writer.inline_data + PADDED(message->msgh_size - sizeof *message);
	write_fixed(&writer, waiting->destination, message, measure);
	write_reply(&writer, message);
	write_body(&writer, message);
	if (!writer.kept)
		return true;
	writer.waiting->next = association->waiting;
	association->waiting = writer.waiting;
	import_pin(waiting->destination);
	if (!waiting->destination->once)
		import_stop(waiting->destination, STOP_WAITING);
	return false;
}

/* --- from the proxy ----------------------------------------------------------------------------------------- */

void message_out(struct import *import, mach_msg_header_t *message)
{
	struct association *association = import->association;
	struct waiting waiting = {.destination = import};
	struct measure measure;

	/* Figure 3 follows a request; its reply takes the same way without numbers. */
	if (!import->once)
		machemu_step(STEP_CODE(STEP_RES, 9, 0), import_proxy(import), association->peer->node);
	if (association->doomed != 0 || !measure_message(message, &measure)
	    || association->row_count + measure.ports >= WIRE_EXPORTS_MAX
	    || (waiting.item = item_new(WIRE_KIND_MSG, (uint32_t)octets_of(message, &measure))) == NULL) {
		mach_msg_destroy(message);
		import_message_lost(import);
		return;
	}
	waiting.item->announced = import->once;
	if (write_message(&waiting, message, &measure))
		waiting_leave(&waiting);
}
