/* Who may send to a peer, and who must wait: a proxy that is not in the port set fills its
   queue, and then its senders block in mach_msg as they would at the port itself (5.5). */
#include "rights.h"

#define BACKLOG_HIGH WIRE_WINDOW_OCTETS /* of the stream, not acknowledged: stop who sends */
#define BACKLOG_LOW  (BACKLOG_HIGH / 2)
#define BACKLOG_HARD (8 * BACKLOG_HIGH) /* stop everybody */

void import_stop(struct import *import, unsigned why)
{
	if (import->stopped == 0 && !import->dead)
		mach_port_move_member(mach_task_self(), import_proxy(import), MACH_PORT_NULL);
	import->stopped |= why;
}

void import_go(struct import *import, unsigned why)
{
	if ((import->stopped & why) == 0 || import->dead)
		return;
	import->stopped &= ~why;
	if (import->stopped == 0)
		mach_port_move_member(mach_task_self(), import_proxy(import), self.set);
}

void imports_backlog(struct import *import)
{
	struct association *association = import->association;
	uint64_t waiting = association->out.end - association->out.acked;

	if (waiting <= BACKLOG_HIGH)
		return;
	association->backlogged = true;
	if (!import->once)
		import_stop(import, STOP_BACKLOG);
	if (waiting <= BACKLOG_HARD)
		return;
	for (import = association->imports; import != NULL; import = import->next)
		import_stop(import, STOP_BACKLOG);
}

void imports_drained(struct association *association)
{
	if (!association->backlogged || association->out.end - association->out.acked > BACKLOG_LOW)
		return;
	association->backlogged = false;
	for (struct import *import = association->imports; import != NULL; import = import->next)
		import_go(import, STOP_BACKLOG);
}
