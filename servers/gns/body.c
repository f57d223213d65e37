/* The body of a Mach message: descriptors and data, one after another (mach-abi.md 1.4, 1.5).

   It is walked on the way out, where the kernel has made it, and on the way in, where any
   node may have; so nothing is believed here that the kernel would not believe. */
#include "rights.h"

#include <string.h>

#define PORT_INLINE 64 /* bits of a name inline, and in an out-of-line array */
#define PORT_OUT    32

bool body_item(const uint8_t *body, uint32_t length, uint32_t at, struct body_item *item)
{
	mach_msg_type_t type;
	uint64_t end;

	if (length - at < sizeof type)
		return false;
	memcpy(&type, body + at, sizeof type);
	*item = (struct body_item){
	    .at = at,
	    .data = at + (uint32_t)sizeof type,
	    .name = type.msgt_name,
	    .is_port = MACH_MSG_TYPE_PORT_ANY(type.msgt_name),
	    .is_inline = type.msgt_inline,
	    .number = type.msgt_number,
	    .octets = ((uint64_t)type.msgt_size * type.msgt_number + 7) / 8,
	};
	if (type.msgt_unused != 0 || (type.msgt_inline && type.msgt_deallocate))
		return false;
	if (item->is_port && (!MACH_MSG_TYPE_PORT_ANY_RIGHT(item->name)
	    || type.msgt_size != (item->is_inline ? PORT_INLINE : PORT_OUT)))
		return false;
	end = item->data + (item->is_inline ? (item->octets + 7) & ~7ULL : sizeof(vm_address_t));
	item->next = (uint32_t)end;
	return end <= length;
}

/* --- port descriptors ---------------------------------------------------------------------------- */

void pd_put(uint8_t *at, const struct pd *pd)
{
	at[WIRE_PD_WHAT] = pd->what;
	at[WIRE_PD_REGION] = pd->region;
	wire_put16(at + WIRE_PD_COUNT, pd->count);
	wire_put32(at + WIRE_PD_OFFSET, pd->offset);
	wire_put32(at + WIRE_PD_NODE, pd->node);
	wire_put32(at + WIRE_PD_EPOCH, pd->epoch);
	wire_put64(at + WIRE_PD_UID, pd->uid);
	wire_put64(at + WIRE_PD_GID, pd->gid);
}

bool pd_get(const uint8_t *at, struct pd *pd)
{
	*pd = (struct pd){
	    .what = at[WIRE_PD_WHAT],
	    .region = at[WIRE_PD_REGION],
	    .count = wire_get16(at + WIRE_PD_COUNT),
	    .offset = wire_get32(at + WIRE_PD_OFFSET),
	    .node = wire_get32(at + WIRE_PD_NODE),
	    .epoch = wire_get32(at + WIRE_PD_EPOCH),
	    .uid = wire_get64(at + WIRE_PD_UID),
	    .gid = wire_get64(at + WIRE_PD_GID),
	};
	if (pd->what == WIRE_WHAT_NOTHING)
		return pd->node == 0 && pd->epoch == 0 && pd->uid == 0 && pd->gid == 0;
	return pd->what <= WIRE_WHAT_DEAD && pd->count == 1
	    && (pd->gid == 0 || pd->what == WIRE_WHAT_SEND_THIRD || pd->what == WIRE_WHAT_ONCE_THIRD);
}

/* --- dispositions ------------------------------------------------------------------------------ */

mach_port_t right_own(mach_port_t name, mach_msg_type_name_t use)
{
	mach_port_t self_task = mach_task_self(), once;
	mach_msg_type_name_t kind;

	if (!MACH_PORT_VALID(name))
		return name;
	switch (use) {
	case MACH_MSG_TYPE_MAKE_SEND:
		return mach_port_insert_right(self_task, name, name, use) == KERN_SUCCESS ? name : MACH_PORT_DEAD;
	case MACH_MSG_TYPE_MAKE_SEND_ONCE:
		return mach_port_extract_right(self_task, name, use, &once, &kind) == KERN_SUCCESS ? once
		    : MACH_PORT_DEAD;
	case MACH_MSG_TYPE_COPY_SEND:
		return mach_port_mod_refs(self_task, name, MACH_PORT_RIGHT_SEND, 1) == KERN_SUCCESS ? name
		    : MACH_PORT_DEAD;
	default:
		return name;
	}
}

static mach_msg_type_name_t owned(mach_msg_type_name_t use)
{
	switch (use) {
	case MACH_MSG_TYPE_MAKE_SEND:
	case MACH_MSG_TYPE_COPY_SEND:
		return MACH_MSG_TYPE_MOVE_SEND;
	case MACH_MSG_TYPE_MAKE_SEND_ONCE:
		return MACH_MSG_TYPE_MOVE_SEND_ONCE;
	default:
		return use;
	}
}

static void own_item(mach_msg_type_t *type)
{
	uint8_t *data = (uint8_t *)(type + 1);

	if (!MACH_MSG_TYPE_PORT_ANY(type->msgt_name))
		return;
	if (type->msgt_inline) {
		mach_port_name_inlined_t *names = (mach_port_name_inlined_t *)data;

		for (mach_msg_type_number_t i = 0; i < type->msgt_number; i++)
			names[i].name = right_own(names[i].name, type->msgt_name);
	} else {
		mach_port_t *names = *(mach_port_t **)data;

		for (mach_msg_type_number_t i = 0; i < type->msgt_number; i++)
			names[i] = right_own(names[i], type->msgt_name);
	}
	type->msgt_name = owned(type->msgt_name) & 0xff;
}

static uint32_t size_of_item(const mach_msg_type_t *type)
{
	uint64_t octets = ((uint64_t)type->msgt_size * type->msgt_number + 7) / 8;

	return (uint32_t)(sizeof *type + (type->msgt_inline ? (octets + 7) & ~7ULL : sizeof(vm_address_t)));
}

void message_own_rights(mach_msg_header_t *message)
{
	mach_msg_bits_t bits = message->msgh_bits;
	mach_msg_type_name_t remote = MACH_MSGH_BITS_REMOTE(bits), local = MACH_MSGH_BITS_LOCAL(bits);
	uint8_t *at = (uint8_t *)(message + 1), *end = (uint8_t *)message + message->msgh_size;

	message->msgh_remote_port = right_own(message->msgh_remote_port, remote);
	message->msgh_local_port = right_own(message->msgh_local_port, local);
	message->msgh_bits = (bits & ~MACH_MSGH_BITS_PORTS_MASK) | MACH_MSGH_BITS(owned(remote), owned(local));
	if ((bits & MACH_MSGH_BITS_COMPLEX) == 0)
		return;
	while (at < end) {
		own_item((mach_msg_type_t *)at);
		at += size_of_item((mach_msg_type_t *)at);
	}
}

void message_drop(mach_msg_header_t *message)
{
	mach_msg_header_t reply = {
	    .msgh_bits = MACH_MSGH_BITS_LOCAL(message->msgh_bits),
	    .msgh_size = sizeof reply,
	    .msgh_remote_port = message->msgh_local_port,
	};

	mach_msg_destroy(message);
	mach_msg_destroy(&reply); /* which the library takes for a port of the receiver's */
}
