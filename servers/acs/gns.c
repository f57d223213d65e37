/* What the ACS sends to the GNS.  It never waits for room in the GNS's queue, since the GNS may
   be waiting for room in ours: these are the messages of gns.defs, to the octet, but MIG's
   stubs would wait, and given a timeout would lose rights. */
#include "acs.h"

#include <string.h>

#include <machemu/machemu_types.h>

#define GNS_LOOKUP       0x4301 /* gns.defs */
#define GNS_ASKER        0x4303
#define GNS_UNREGISTERED 0x4304

struct name_item {
	mach_msg_type_t type;
	server_name_t   name;
};

struct port_item {
	mach_msg_type_t          type;
	mach_port_name_inlined_t port;
};

static void put_name(struct name_item *item, const server_name_t name)
{
	item->type = (mach_msg_type_t){
	    .msgt_name = MACH_MSG_TYPE_CHAR, .msgt_size = 8, .msgt_inline = TRUE, .msgt_number = sizeof(server_name_t),
	};
	memcpy(item->name, name, sizeof(server_name_t));
}

static void put_port(struct port_item *item, mach_port_t port)
{
	item->type = (mach_msg_type_t){
	    .msgt_name = MACH_MSG_TYPE_COPY_SEND, .msgt_size = 64, .msgt_inline = TRUE, .msgt_number = 1,
	};
	item->port.name = port;
}

/* Sent or not, no right is lost or left over. */
static mach_msg_return_t send(mach_msg_header_t *message, mach_msg_size_t size)
{
	mach_msg_return_t result = mach_msg(message, MACH_SEND_MSG | MACH_SEND_TIMEOUT, size, 0, MACH_PORT_NULL, 0,
	    MACH_PORT_NULL);

	if (result == MACH_SEND_TIMED_OUT) { /* it has come back, with the rights it took */
		mach_msg_destroy(message);
		if (message->msgh_local_port != MACH_PORT_NULL)
			mach_port_deallocate(mach_task_self(), message->msgh_local_port);
	}
	return result;
}

static mach_msg_header_t to_gns(mach_msg_id_t id, bool complex)
{
	const struct name *gns = name_of_gns();

	return (mach_msg_header_t){
	    .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0) | (complex ? MACH_MSGH_BITS_COMPLEX : 0),
	    .msgh_remote_port = gns != NULL ? gns->public_port : MACH_PORT_NULL,
	    .msgh_id = id,
	};
}

/* Before a lookup for one of our servers, with optimisation 2: who it is for.  False: there is
   no room, and so none for the lookup.  A server whose port has just died is not named. */
static bool tell_asker(const server_name_t wanted)
{
	const struct name *asker = site_flags & BOOT_OPTIMISATION_2 ? name_of_task(sender) : NULL;
	struct {
		mach_msg_header_t head;
		struct name_item  wanted, name;
		struct port_item  port;
	} message = {.head = to_gns(GNS_ASKER, true)};

	if (asker == NULL)
		return true;
	put_name(&message.wanted, wanted);
	put_name(&message.name, asker->name);
	put_port(&message.port, asker->public_port);
	return send(&message.head, sizeof message) != MACH_SEND_TIMED_OUT;
}

bool gns_look_up(const server_name_t wanted, mach_port_t answer_port)
{
	struct {
		mach_msg_header_t head;
		struct name_item  wanted;
	} message = {.head = to_gns(GNS_LOOKUP, false)};

	message.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	message.head.msgh_local_port = answer_port;
	put_name(&message.wanted, wanted);
	return tell_asker(wanted) && send(&message.head, sizeof message) == MACH_MSG_SUCCESS;
}

bool gns_tell_unregistered(const struct name *name)
{
	struct {
		mach_msg_header_t head;
		struct name_item  name;
		struct port_item  port;
	} message = {.head = to_gns(GNS_UNREGISTERED, true)};

	put_name(&message.name, name->name);
	put_port(&message.port, name->public_port);
	return send(&message.head, sizeof message) != MACH_SEND_TIMED_OUT; /* a dead port needs no telling */
}
