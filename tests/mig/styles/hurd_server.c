/* Servers of file.defs and file_reply.defs. */
#include <string.h>

#include <mach.h>
#include <mach/mig_errors.h>
#include <file_server.h>
#include <file_reply.h>
#include <file_reply_server.h>

struct {
	unsigned port, reply, reply_type, count, ports, integers;
	int copies;
	int late; /* answer later */
	kern_return_t code;
	char text[64];
} hurd_told;

static struct node nodes[4];

node_t begin_using(unsigned port)
{
	struct node *node = &nodes[port % 4];

	node->port = port;
	node->uses++;
	return node;
}

node_t begin_using_payload(uintptr_t payload)
{
	return begin_using((unsigned)payload + 0x10000);
}

void end_using(node_t node)
{
	node->uses--;
}

extern int hurd_uses(void);

int hurd_uses(void)
{
	int uses = 0;

	for (int i = 0; i < 4; i++)
		uses += nodes[i].uses;
	return uses;
}

static void note(node_t node, mach_port_t reply, mach_msg_type_name_t type)
{
	hurd_told.port = node->port;
	hurd_told.reply = reply;
	hurd_told.reply_type = type;
}

kern_return_t S_dir_lookup(node_t start, mach_port_t reply, mach_msg_type_name_t reply_type, const char *name, int flags,
    unsigned mode, int *retry, char *retry_name, mach_port_t *result, mach_msg_type_name_t *type)
{
	note(start, reply, reply_type);
	*retry = flags + (int)mode;
	strcpy(retry_name, name);
	strcat(retry_name, "/");
	*result = 0x700;
	*type = flags ? MACH_MSG_TYPE_MAKE_SEND : MACH_MSG_TYPE_MOVE_SEND;
	return KERN_SUCCESS;
}

kern_return_t S_io_write(node_t object, mach_port_t reply, mach_msg_type_name_t reply_type, const char *data,
    mach_msg_type_number_t count, boolean_t copy, int64_t offset, vm_size_t *amount)
{
	note(object, reply, reply_type);
	hurd_told.copies = copy;
	*amount = count + (vm_size_t)offset + (count ? (unsigned char)data[0] : 0);
	if (!copy && count)
		vm_deallocate(mach_task_self(), (vm_address_t)data, count);
	return KERN_SUCCESS;
}

kern_return_t S_io_read(node_t object, mach_port_t reply, mach_msg_type_name_t reply_type, char **data,
    mach_msg_type_number_t *count, boolean_t *dealloc, int64_t offset, vm_size_t amount)
{
	note(object, reply, reply_type);
	if (hurd_told.late)
		return MIG_NO_REPLY;
	if (amount > *count) {
		vm_address_t region;

		if (vm_allocate(mach_task_self(), &region, amount, TRUE) != KERN_SUCCESS)
			return KERN_RESOURCE_SHORTAGE;
		*data = (char *)region;
		*dealloc = TRUE;
	}
	memset(*data, (int)offset, amount);
	*count = (mach_msg_type_number_t)amount;
	return KERN_SUCCESS;
}

kern_return_t S_io_stat(node_t object, mach_port_t reply, mach_msg_type_name_t reply_type, io_statbuf_t *stat)
{
	note(object, reply, reply_type);
	*stat = (io_statbuf_t){.kind = 1, .inode = 0x123456789a, .mode = 0644, .links = 3, .tag = "ab",
	    .changed = {.seconds = -1, .nanoseconds = 5}, .spare = {1, 2, 3, 4, 5}};
	return KERN_SUCCESS;
}

kern_return_t S_file_exec(node_t file, mach_port_t reply, mach_msg_type_name_t reply_type, const char *argv,
    mach_msg_type_number_t argv_count, boolean_t argv_copy, const mach_port_t *ports, mach_msg_type_number_t port_count,
    const int *integers, mach_msg_type_number_t integer_count, boolean_t integer_copy)
{
	note(file, reply, reply_type);
	hurd_told.copies = argv_copy + 2 * integer_copy;
	hurd_told.count = argv_count;
	hurd_told.ports = hurd_told.integers = 0;
	for (unsigned i = 0; i < port_count; i++)
		hurd_told.ports += ports[i];
	for (unsigned i = 0; i < integer_count; i++)
		hurd_told.integers += (unsigned)integers[i];
	memcpy(hurd_told.text, argv, argv_count < 63 ? argv_count : 63);
	return KERN_SUCCESS;
}

kern_return_t S_file_forget(node_t file, int number)
{
	hurd_told.port = file->port;
	hurd_told.count = (unsigned)number;
	return KERN_FAILURE; /* nobody hears of it */
}

/* The client's side of a late answer. */
kern_return_t io_read_reply(mach_port_t port, kern_return_t code, const char *data, mach_msg_type_number_t count)
{
	hurd_told.port = port;
	hurd_told.code = code;
	hurd_told.count = count;
	memcpy(hurd_told.text, data, count < 63 ? count : 63);
	return KERN_SUCCESS;
}
