/* What the network server stands on, for a run on the host: traps go to the kernel in
   Python, frames to and from a segment in Python, memory comes from an arena. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mach.h>
#include <mach/machemu.h>
#include <mach/mach_traps.h>
#include <machemu/nic.h>

#include "../../../servers/gns/resolve.h"

/* --- what Python gives ------------------------------------------------------------------ */

struct host_calls {
	int32_t (*trap)(int64_t number, const uint64_t *arguments);
	uint64_t (*time)(void);
	size_t (*next_frame)(const uint8_t **frame); /* octets; 0: there is none */
	void (*transmit)(const uint8_t *frame, size_t length);
};

static struct host_calls calls;

static int32_t trap(int64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f,
    uint64_t g)
{
	uint64_t arguments[] = {a, b, c, d, e, f, g};

	return calls.trap(number, arguments);
}

uint64_t clock_read(void)
{
	return calls.time();
}

void say(const char *format, ...)
{
	(void)format;
	calls.trap(0, NULL); /* a fault of the server's: the test must not go on */
}

/* --- traps ---------------------------------------------------------------------------------- */

mach_port_t mach_task_self_;
vm_size_t vm_page_size = 4096;

/* Nobody else can run while this library does, so no receive waits. */
mach_msg_return_t mach_msg_trap(mach_msg_header_t *msg, mach_msg_option_t option, mach_msg_size_t send_size,
    mach_msg_size_t rcv_size, mach_port_name_t rcv_name, mach_msg_timeout_t timeout, mach_port_name_t notify)
{
	if (option & MACH_RCV_MSG) {
		option |= MACH_RCV_TIMEOUT;
		timeout = 0;
	}
	return trap(-25, (uintptr_t)msg, (unsigned)option, send_size, rcv_size, rcv_name, timeout, notify);
}

mach_port_name_t mach_reply_port(void)
{
	return (mach_port_name_t)trap(-26, 0, 0, 0, 0, 0, 0, 0);
}

kern_return_t trace_point(uint64_t code, uint64_t w1, uint64_t w2, uint64_t w3)
{
	return trap(-100, code, w1, w2, w3, 0, 0, 0);
}

int machemu_step(uint64_t code, uint64_t id, uint64_t peer_node)
{
	return trace_point(code, id, peer_node, 0);
}

kern_return_t mach_port_allocate(ipc_space_t task, mach_port_right_t right, mach_port_name_t *name)
{
	return trap(-72, task, right, (uintptr_t)name, 0, 0, 0, 0);
}

kern_return_t mach_port_deallocate(ipc_space_t task, mach_port_name_t name)
{
	return trap(-73, task, name, 0, 0, 0, 0, 0);
}

kern_return_t mach_port_insert_right(ipc_space_t task, mach_port_name_t name, mach_port_t right,
    mach_msg_type_name_t right_type)
{
	return trap(-74, task, name, right, right_type, 0, 0, 0);
}

/* --- memory: an arena of pages ------------------------------------------------------------------ */

#define PAGES 16384

static char arena[PAGES][4096] __attribute__((aligned(4096)));
static unsigned char taken[PAGES];
long host_pages_taken;

static int is_free(size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++)
		if (taken[i])
			return 0;
	return 1;
}

kern_return_t vm_allocate(vm_task_t task, vm_address_t *address, vm_size_t size, boolean_t anywhere)
{
	size_t count = (size + 4095) / 4096;

	(void)task, (void)anywhere;
	for (size_t first = 0; first + count <= PAGES; first++)
		if (is_free(first, count)) {
			memset(taken + first, 1, count);
			memset(arena[first], 0, count * 4096);
			host_pages_taken += (long)count;
			*address = (vm_address_t)arena[first];
			return KERN_SUCCESS;
		}
	return KERN_NO_SPACE;
}

kern_return_t vm_deallocate(vm_task_t task, vm_address_t address, vm_size_t size)
{
	size_t offset = address % 4096, count = (offset + size + 4095) / 4096;
	size_t first = (address - offset - (vm_address_t)arena) / 4096;

	(void)task;
	if (first + count > PAGES)
		return KERN_INVALID_ADDRESS;
	for (size_t i = first; i < first + count; i++) {
		host_pages_taken -= taken[i];
		taken[i] = 0;
		memset(arena[i], 0xdd, 4096); /* a use after this shows */
	}
	return KERN_SUCCESS;
}

/* --- the network adapter --------------------------------------------------------------------------- */

static uint8_t tx_buffer[NIC_FRAME_MAX];
int host_ring_full;

uint8_t *nic_buffer(struct nic *device)
{
	(void)device;
	return host_ring_full ? NULL : tx_buffer;
}

void nic_send(struct nic *device, size_t length)
{
	(void)device;
	calls.transmit(tx_buffer, length);
	memset(tx_buffer, 0xaa, sizeof tx_buffer); /* what is not written shows */
}

unsigned nic_receive(struct nic *device, void (*take)(void *, const uint8_t *, size_t), void *context)
{
	const uint8_t *frame;
	unsigned count = 0;
	size_t length;

	(void)device;
	while ((length = calls.next_frame(&frame)) != 0) {
		take(context, frame, length);
		count++;
	}
	return count;
}

void nic_read_counters(const struct nic *device, struct nic_counters *into)
{
	(void)device;
	memset(into, 0, sizeof *into);
}

/* --- the end of a program --------------------------------------------------------------------------- */

void mach_print(const char *text)
{
	(void)text;
	calls.trap(0, NULL);
}

ssize_t console_read(void *cookie, char *octets, size_t size);
ssize_t console_write(void *cookie, char *octets, size_t size);

ssize_t console_read(void *cookie, char *octets, size_t size)
{
	(void)cookie, (void)octets, (void)size;
	return 0;
}

ssize_t console_write(void *cookie, char *octets, size_t size)
{
	(void)cookie, (void)octets;
	return (ssize_t)size;
}

void _Exit(int status)
{
	(void)status;
	calls.trap(0, NULL);
	__builtin_trap();
}

/* --- start-up, in place of main.c ----------------------------------------------------------------------- */

struct self self;
struct nic nic;

extern void host_start(const struct host_calls *given, mach_port_t task, mach_port_t acs, mach_port_t host,
    uint32_t node, uint32_t epoch, uint32_t instance, uint32_t flags, const uint8_t *mac);
extern mach_port_t host_port(int which);
extern uint64_t host_next(void);
extern size_t host_stat(char *to, size_t room);
extern uint64_t host_counter(const char *name);
extern int host_memory_is_sound(size_t *blocks);

static mach_port_t new_port(void)
{
	mach_port_t name;

	mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &name);
	mach_port_move_member(mach_task_self(), name, self.set);
	return name;
}

void host_start(const struct host_calls *given, mach_port_t task, mach_port_t acs, mach_port_t host,
    uint32_t node, uint32_t epoch, uint32_t instance, uint32_t flags, const uint8_t *mac)
{
	calls = *given;
	mach_task_self_ = task;
	now = clock_read();
	mach_port_allocate(task, MACH_PORT_RIGHT_PORT_SET, &self.set);
	self.acs = acs;
	self.host = host;
	self.node = node;
	self.epoch = epoch;
	self.instance = instance;
	self.answers_to_all = flags & BOOT_OPTIMISATION_1;
	self.origin_to_all = flags & BOOT_OPTIMISATION_2;
	self.notify = new_port();
	self.interrupts = new_port();
	self.service = new_port();
	memcpy(nic.address, mac, sizeof nic.address);
	uid_next = (uint64_t)instance << 48 | WIRE_FIRST_UID;
	random_seed((uint64_t)node << 32 ^ epoch);
	random_seed(now ^ (uint64_t)instance << 48);
	broadcast_start();
}

mach_port_t host_port(int which)
{
	const mach_port_t ports[] = {self.set, self.notify, self.interrupts, self.service};

	return ports[which];
}

uint64_t host_next(void)
{
	return timer_next;
}

size_t host_stat(char *to, size_t room)
{
	char *text = NULL;
	mach_msg_type_number_t count = 0;

	if (stat_give(&text, &count) != KERN_SUCCESS || count > room)
		return 0;
	memcpy(to, text, count);
	vm_deallocate(mach_task_self(), (vm_address_t)text, count);
	return count;
}

uint64_t host_counter(const char *name)
{
#define COUNTER_OF(field)                \
	if (strcmp(name, #field) == 0)   \
		return counters.field;
	COUNTERS(COUNTER_OF)
#undef COUNTER_OF
	return UINT64_MAX;
}

int host_memory_is_sound(size_t *blocks)
{
	struct malloc_totals totals;
	int fault = malloc_check(&totals);

	*blocks = totals.blocks;
	return fault == 0;
}
