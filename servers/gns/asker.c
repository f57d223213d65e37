/* Who asks: with optimisation 2 (4.3) a request names the server that wants to know, and a
   port of it, so that whoever hears it need not ask for that server one day.

   The ACS knows who asked it, and tells us before it looks a name up for a registered server.
   Both messages go from one sender to one port, so they come in this order, and the asker of
   the next pair comes behind both. */
#include "resolve.h"

#include <string.h>

/* Whom the next lookup of `wanted` is for; uid 0: nobody. */
static struct {
	gns_name wanted, name;
	uint64_t uid;
} told;

void asker_told(const gns_name wanted, const gns_name name, mach_port_t port)
{
	struct home *home = self.origin_to_all && import_of_proxy(port) == NULL ? home_of(port) : NULL;

	if (home == NULL) {
		mach_port_deallocate(mach_task_self(), port);
		return;
	}
	if (!name_publish(name, home)) {
		home_release(home);
		return;
	}
	memcpy(told.wanted, wanted, sizeof(gns_name));
	memcpy(told.name, name, sizeof(gns_name));
	told.uid = home->uid;
}

void asker_take(struct name_request *request)
{
	if (told.uid == 0 || memcmp(told.wanted, request->name, sizeof(gns_name)) != 0)
		return;
	request->has_origin = true;
	request->origin_uid = told.uid;
	memcpy(request->origin, told.name, sizeof(gns_name));
	told.uid = 0;
}

bool asker_is_there(const struct name_request *request)
{
	const struct home *home = home_published(request->origin_uid);

	return home != NULL && home_is_public(home);
}
