/* mach_msg_destroy: drops what a message holds (mach-abi.md 7.6).

   The message was received, or came back from a failed send, or was never sent. */
#include <mach.h>

/* One right, by the disposition its name stands under. */
static void destroy_port(mach_port_t port, mach_msg_type_name_t type)
{
	mach_port_t self = mach_task_self(), made = MACH_PORT_NULL;
	mach_msg_type_name_t made_type;

	if (!MACH_PORT_VALID(port))
		return;
	switch (type) {
	case MACH_MSG_TYPE_MOVE_SEND:
	case MACH_MSG_TYPE_MOVE_SEND_ONCE:
		mach_port_deallocate(self, port);
		break;
	case MACH_MSG_TYPE_MOVE_RECEIVE:
		mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1);
		break;
	case MACH_MSG_TYPE_MAKE_SEND: /* made and dropped: no-senders may follow, as it should */
		if (mach_port_insert_right(self, port, port, MACH_MSG_TYPE_MAKE_SEND) == KERN_SUCCESS)
			mach_port_deallocate(self, port);
		break;
	case MACH_MSG_TYPE_MAKE_SEND_ONCE: /* the same: a send-once notification follows */
		if (mach_port_extract_right(self, port, MACH_MSG_TYPE_MAKE_SEND_ONCE, &made, &made_type) ==
		    KERN_SUCCESS)
			mach_port_deallocate(self, made);
		break;
	default: /* COPY_SEND: the name stays what it was */
		break;
	}
}

static void destroy_inline_ports(const mach_port_name_inlined_t *ports, mach_msg_type_number_t count,
    mach_msg_type_name_t type)
{
	for (mach_msg_type_number_t i = 0; i < count; i++)
		destroy_port(ports[i].name, type);
}

static void destroy_region(vm_address_t address, const mach_msg_type_t *type)
{
	vm_size_t size = ((vm_size_t)type->msgt_size * type->msgt_number + 7) / 8;

	if (size == 0) /* nothing, or a hole that a shortage left: the address is no address */
		return;
	if (MACH_MSG_TYPE_PORT_ANY(type->msgt_name))
		for (mach_msg_type_number_t i = 0; i < type->msgt_number; i++)
			destroy_port(((const mach_port_t *)address)[i], type->msgt_name);
	if (type->msgt_deallocate)
		vm_deallocate(mach_task_self(), address, size);
}

/* Drops the item at `type`; returns the next one's place. */
static const mach_msg_type_t *destroy_item(const mach_msg_type_t *type)
{
	const char *data = (const char *)(type + 1);
	vm_size_t size = ((vm_size_t)type->msgt_size * type->msgt_number + 7) / 8;

	if (!type->msgt_inline) {
		destroy_region(*(const vm_address_t *)data, type);
		size = sizeof(vm_address_t);
	} else if (MACH_MSG_TYPE_PORT_ANY(type->msgt_name)) {
		destroy_inline_ports((const mach_port_name_inlined_t *)data, type->msgt_number,
		    type->msgt_name);
	}
	return (const mach_msg_type_t *)(data + ((size + 7) & ~7UL));
}

void mach_msg_destroy(mach_msg_header_t *msg)
{
	mach_msg_bits_t bits = msg->msgh_bits;
	const mach_msg_type_t *item = (const mach_msg_type_t *)(msg + 1);
	const char *end = (const char *)msg + msg->msgh_size;

	/* The local port is the receiver's own, or that of a reply yet to come: kept. */
	destroy_port(msg->msgh_remote_port, MACH_MSGH_BITS_REMOTE(bits));
	if ((bits & MACH_MSGH_BITS_COMPLEX) == 0)
		return;
	while ((const char *)(item + 1) <= end)
		item = destroy_item(item);
}
