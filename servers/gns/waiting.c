/* Messages out, ready to leave: most do at once, some wait until other nodes have granted the
   rights in them (5.3). */
#include "rights.h"

#include <stdlib.h>

static void release_homeward(struct waiting *waiting)
{
	for (unsigned i = 0; i < waiting->homeward_count; i++) {
		struct import *import = waiting->homeward[i];

		mach_port_deallocate(mach_task_self(), import_proxy(import));
		import_unpin(import);
	}
	waiting->homeward_count = 0;
}

/* The item is complete. */
void waiting_leave(struct waiting *waiting)
{
	struct import *import = waiting->destination;
	struct association *association = import->association;
	uint64_t id = item_queue(association, waiting->item);

	association->sent[id % SENT_KEPT] = (struct sent){id, import->by_uid.low};
	counters.msg_out++;
	release_homeward(waiting);
	if (import->dead)
		import->n = import->once ? 0 : import->n; /* the message uses a send-once row up */
	else if (import->once)
		import_used(import);
	else
		imports_backlog(import);
}

static void unlink_waiting(struct waiting *waiting)
{
	struct waiting **at = &waiting->destination->association->waiting;

	while (*at != waiting)
		at = &(*at)->next;
	*at = waiting->next;
}

void waiting_go_on(struct waiting *waiting)
{
	struct import *import = waiting->destination;
	bool used = import->once && !import->dead;

	unlink_waiting(waiting);
	import_go(import, STOP_WAITING);
	waiting_leave(waiting);
	if (!used)
		import_unpin(import);
	free(waiting);
}

void waitings_drop(struct association *association)
{
	while (association->waiting != NULL) {
		struct waiting *waiting = association->waiting;

		association->waiting = waiting->next;
		grants_forget(waiting);
		release_homeward(waiting);
		import_unpin(waiting->destination);
		free(waiting->item);
		free(waiting);
	}
}
