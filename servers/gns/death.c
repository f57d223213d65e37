/* Ports of this node that die while others hold rights to them (5.2). */
#include "resolve.h"

static void died(mach_port_t name)
{
	struct link *link = table_find(&homes_by_name, 0, name);
	struct home *home;

	if (link != NULL) {
		home = CONTAINER(link, struct home, by_name);
		names_home_died(home);
		home_died(home);
		return;
	}
	link = table_find(&once_by_name, 0, name);
	if (link != NULL)
		row_once_died(CONTAINER(link, struct row, by_name));
	else /* given up since; the notification's own reference is left */
		mach_port_deallocate(mach_task_self(), name);
}

void notification(mach_msg_header_t *message)
{
	if (message->msgh_id == MACH_NOTIFY_DEAD_NAME && message->msgh_size == sizeof(mach_dead_name_notification_t))
		died(((mach_dead_name_notification_t *)message)->not_port);
	else /* port-deleted: we gave up a name we had asked about */
		mach_msg_destroy(message);
}
