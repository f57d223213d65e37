/* Who asks: with optimisation 2 (4.3) a request names the server that wants to know, and a
   port of it, so that whoever hears it need not ask for that server one day.

   The ACS knows who asked it; it tells us before it looks a name up for a registered
   server. */
#include "resolve.h"

#include <string.h>

#define ASKERS_KEPT 32 /* lookups under way at once, at most twice as many */

static struct asker {
	gns_name wanted, name;
	uint64_t uid;
} askers[ASKERS_KEPT];
static unsigned next_asker;

void asker_told(const gns_name wanted, const gns_name name, mach_port_t port)
{
	struct home *home = self.origin_to_all && import_of_proxy(port) == NULL ? home_of(port) : NULL;
	struct asker *asker = &askers[next_asker];

	if (home == NULL) {
		mach_port_deallocate(mach_task_self(), port);
		return;
	}
	if (!name_publish(name, home)) {
		home_release(home);
		return;
	}
	memcpy(asker->wanted, wanted, sizeof(gns_name));
	memcpy(asker->name, name, sizeof(gns_name));
	asker->uid = home->uid;
	next_asker = (next_asker + 1) % ASKERS_KEPT;
}

void asker_add(struct name_request *request)
{
	for (unsigned i = 0; i < ASKERS_KEPT; i++) {
		if (askers[i].uid == 0 || memcmp(askers[i].wanted, request->name, sizeof(gns_name)) != 0)
			continue;
		request->has_origin = true;
		request->origin_uid = askers[i].uid;
		memcpy(request->origin, askers[i].name, sizeof(gns_name));
		return;
	}
}
