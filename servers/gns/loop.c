/* The loop: the one place where the server waits. */
#include "resolve.h"

#include <mach/machemu.h>
#include <mach/mig_errors.h>
#include <machemu/machemu_types.h>
#include <mig/gns_server.h>

#define REPLY_MAX 512 /* octets; long texts go out of line */

static uint64_t speaker; /* task number of who sent the request at hand; 0: unknown */

/* --- gns.defs ------------------------------------------------------------------------------ */

kern_return_t serve_gns_lookup(mach_port_t gns, mach_port_t reply, const char *name, int *flags, int *ttl,
    mach_port_t *port)
{
	(void)gns, (void)flags, (void)ttl, (void)port;
	resolve(name, reply);
	return MIG_NO_REPLY;
}

kern_return_t serve_gns_node_down(mach_port_t gns, mach_port_t host, int reason)
{
	(void)gns;
	/* The privileged host port has one name here: who shows it may say so. */
	if (host != self.host)
		return KERN_NO_ACCESS;
	mach_port_deallocate(mach_task_self(), host);
	go_down((uint32_t)reason);
	return KERN_SUCCESS;
}

/* Is the request at hand the ACS's?  Nobody else's word counts for who is registered. */
static bool acs_speaks(void)
{
	uint64_t task = 0;
	int kind = 0;

	return speaker != 0 && port_owner(self.host, self.acs, &task, &kind) == KERN_SUCCESS
	    && kind == PORT_OWNER_TASK && task == speaker;
}

kern_return_t serve_gns_asker(mach_port_t gns, const char *wanted, const char *name, mach_port_t port)
{
	(void)gns;
	if (!MACH_PORT_VALID(port) || !acs_speaks())
		return KERN_NO_ACCESS;
	asker_told(wanted, name, port);
	return KERN_SUCCESS;
}

kern_return_t serve_gns_unregistered(mach_port_t gns, const char *name, mach_port_t port)
{
	(void)gns;
	if (!MACH_PORT_VALID(port) || !acs_speaks())
		return KERN_NO_ACCESS;
	name_unregistered(name, port);
	mach_port_deallocate(mach_task_self(), port);
	return KERN_SUCCESS;
}

kern_return_t serve_gns_stat(mach_port_t gns, char **text, mach_msg_type_number_t *count)
{
	(void)gns;
	return stat_give(text, count);
}

void go_down(uint32_t reason)
{
	broadcast_node_down(reason);
	for (unsigned slot = 0; slot < WIRE_ASSOCIATIONS; slot++)
		if (associations[slot] != NULL)
			association_doom(associations[slot], WIRE_REASON_HALT);
	self.down = true;
}

static void send_reply(mig_reply_header_t *reply)
{
	mach_msg_option_t option = MACH_SEND_MSG | MACH_SEND_TIMEOUT; /* nobody is waited for */

	if (mach_msg(&reply->Head, option, reply->Head.msgh_size, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL)
	    != MACH_MSG_SUCCESS)
		mach_msg_destroy(&reply->Head);
}

static void serve(mach_msg_header_t *request)
{
	union {
		mig_reply_header_t head;
		uint64_t           octets[REPLY_MAX / 8];
	} reply;

	speaker = sender_task(request);
	gns_server(request, &reply.head.Head);
	if ((reply.head.Head.msgh_bits & MACH_MSGH_BITS_COMPLEX) == 0 && reply.head.RetCode != KERN_SUCCESS) {
		if (reply.head.RetCode == MIG_NO_REPLY)
			return;
		request->msgh_remote_port = MACH_PORT_NULL; /* it goes out with the reply */
		mach_msg_destroy(request);
	}
	if (reply.head.Head.msgh_remote_port != MACH_PORT_NULL)
		send_reply(&reply.head);
}

/* --- one turn ---------------------------------------------------------------------------------- */

static void dispatch(mach_msg_header_t *message)
{
	mach_port_t port = message->msgh_local_port;
	struct import *import;

	if (port == self.interrupts)
		nic_receive(&nic, frame_take, NULL);
	else if ((import = import_of_proxy(port)) != NULL)
		import_message(import, message);
	else if (port == self.notify)
		notification(message);
	else if (port == self.service)
		serve(message);
	else if (!answer_message(message))
		mach_msg_destroy(message);
}

static mach_msg_timeout_t until_next(void)
{
	uint64_t left = timer_next > now ? timer_next - now : 0;

	if (left > 1000000 * MS) /* as good as for ever */
		left = 1000000 * MS;
	return (mach_msg_timeout_t)((left + MS - 1) / MS);
}

void turn(void)
{
	mach_msg_header_t *message = receive(until_next());

	now = clock_read();
	if (now >= timer_next)
		timers_run();
	if (message != NULL)
		dispatch(message);
	associations_settle();
}
