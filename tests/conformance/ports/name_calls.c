/* mach-abi.md 5.9: what deallocate, destroy, mod_refs and get_refs do to each kind of name. */
#include "conform.h"

enum kind { RECEIVE, SEND, BOTH, ONCE, SET, DEAD, KINDS };

#define URIGHTS 5
#define COUNT   3 /* references of send rights and dead names */

static mach_port_t self, box, told;

/* A new name of that kind.  `told`: hears of a send-once right that was destroyed. */
static mach_port_t make(enum kind kind)
{
	mach_port_t name;

	switch (kind) {
	case RECEIVE:
		return new_port();
	case BOTH:
		return new_port_with(COUNT);
	case ONCE:
		return make_once(told);
	case SET:
		return allocate(MACH_PORT_RIGHT_PORT_SET);
	case DEAD:
		return new_dead_name(COUNT);
	default: /* its receive right is in a message, and dies with it */
		box = new_port();
		name = new_port_with(COUNT);
		give(box, name, MACH_MSG_TYPE_MOVE_RECEIVE);
		return name;
	}
}

static const mach_port_urefs_t has[KINDS][URIGHTS] = { /* SEND, RECEIVE, SEND_ONCE, PORT_SET, DEAD_NAME */
    [RECEIVE] = {0, 1, 0, 0, 0},
    [SEND] = {COUNT, 0, 0, 0, 0},
    [BOTH] = {COUNT, 1, 0, 0, 0},
    [ONCE] = {0, 0, 1, 0, 0},
    [SET] = {0, 0, 0, 1, 0},
    [DEAD] = {0, 0, 0, 0, COUNT},
};

static kern_return_t mod(mach_port_t name, mach_port_right_t right, mach_port_delta_t delta)
{
	return mach_port_mod_refs(self, name, right, delta);
}

/* get_refs, deltas of 0, and deltas that no right of that kind takes. */
static int looking(enum kind kind)
{
	mach_port_t name = make(kind);
	mach_port_type_t type = type_of(name);
	mach_port_urefs_t count;

	for (mach_port_right_t right = 0; right < URIGHTS; right++) {
		int here = has[kind][right] != 0;
		int counted = right == MACH_PORT_RIGHT_SEND || right == MACH_PORT_RIGHT_DEAD_NAME;

		CHECK(mach_port_get_refs(self, name, right, &count) == KERN_SUCCESS && count == has[kind][right]);
		CHECK(mod(name, right, 0) == (here ? KERN_SUCCESS : KERN_INVALID_RIGHT));
		CHECK(here || mod(name, right, -1) == KERN_INVALID_RIGHT);
		CHECK(here || mod(name, right, 1) == KERN_INVALID_RIGHT);
		if (here && counted) {
			mach_port_delta_t most = right == MACH_PORT_RIGHT_SEND ? 65534 : 65535;

			CHECK(mod(name, right, -COUNT - 1) == KERN_INVALID_VALUE);
			CHECK(mod(name, right, -0x7fffffff - 1) == KERN_INVALID_VALUE);
			CHECK(mod(name, right, most - COUNT + 1) == KERN_UREFS_OVERFLOW);
			CHECK(mod(name, right, 0x7fffffff) == KERN_UREFS_OVERFLOW);
			CHECK(mod(name, right, most - COUNT) == KERN_SUCCESS && (int)refs(name, right) == most);
			CHECK(mod(name, right, COUNT - most) == KERN_SUCCESS && refs(name, right) == COUNT);
		} else if (here) {
			CHECK(mod(name, right, 1) == KERN_INVALID_VALUE);
			CHECK(mod(name, right, -2) == KERN_INVALID_VALUE);
		}
	}
	CHECK(mach_port_get_refs(self, name, 5, &count) == KERN_INVALID_VALUE);
	CHECK(mod(name, 5, 0) == KERN_INVALID_VALUE);
	CHECK(type_of(name) == type);
	return 0;
}

/* mod_refs that takes all of one right away. */
static int taking(enum kind kind, mach_port_right_t right)
{
	mach_port_t name = make(kind);

	CHECK(mod(name, right, -(mach_port_delta_t)has[kind][right]) == KERN_SUCCESS);
	if (kind == BOTH)
		CHECK(type_of(name) == (right == MACH_PORT_RIGHT_SEND ? MACH_PORT_TYPE_RECEIVE : MACH_PORT_TYPE_DEAD_NAME));
	else
		CHECK(type_of(name) == 0);
	CHECK(fetch_id(told) == (kind == ONCE ? MACH_NOTIFY_SEND_ONCE : -1));
	return 0;
}

static int deallocating(enum kind kind)
{
	mach_port_t name = make(kind);

	if (kind == RECEIVE || kind == SET) {
		CHECK(mach_port_deallocate(self, name) == KERN_INVALID_RIGHT && type_of(name) != 0);
		return 0;
	}
	for (int left = kind == ONCE ? 0 : COUNT - 1; left >= 0; left--) {
		CHECK(mach_port_deallocate(self, name) == KERN_SUCCESS);
		CHECK(left == 0 || (kind == DEAD ? deads(name) : sends(name)) == (unsigned int)left);
	}
	CHECK(type_of(name) == (kind == BOTH ? MACH_PORT_TYPE_RECEIVE : 0));
	CHECK(fetch_id(told) == (kind == ONCE ? MACH_NOTIFY_SEND_ONCE : -1));
	return 0;
}

static int destroying(enum kind kind)
{
	mach_port_t name = make(kind), member = new_port();

	if (kind == SET)
		CHECK(mach_port_move_member(self, member, name) == KERN_SUCCESS);
	CHECK(mach_port_destroy(self, name) == KERN_SUCCESS && type_of(name) == 0);
	CHECK(status_of(member).mps_pset == MACH_PORT_NULL);
	CHECK(fetch_id(told) == (kind == ONCE ? MACH_NOTIFY_SEND_ONCE : -1));
	CHECK(mach_port_destroy(self, name) == KERN_INVALID_NAME);
	return 0;
}

int main(void)
{
	mach_port_urefs_t count;

	self = mach_task_self();
	told = new_port();
	for (enum kind kind = 0; kind < KINDS; kind++) {
		RUN(looking(kind));
		for (mach_port_right_t right = 0; right < URIGHTS; right++)
			if (has[kind][right] != 0)
				RUN(taking(kind, right));
		while (fetch_id(told) != -1)
			;
		RUN(deallocating(kind));
		RUN(destroying(kind));
	}

	/* Names that denote nothing, tasks that are none. */
	CHECK(mach_port_deallocate(self, NO_NAME) == KERN_INVALID_NAME);
	CHECK(mach_port_destroy(self, NO_NAME) == KERN_INVALID_NAME);
	CHECK(mod(NO_NAME, MACH_PORT_RIGHT_SEND, 1) == KERN_INVALID_NAME);
	CHECK(mach_port_get_refs(self, NO_NAME, MACH_PORT_RIGHT_SEND, &count) == KERN_INVALID_NAME);
	CHECK(mach_port_deallocate(self, MACH_PORT_NULL) == KERN_INVALID_NAME);
	CHECK(mach_port_deallocate(self, MACH_PORT_DEAD) == KERN_INVALID_NAME);
	CHECK(mach_port_destroy(mach_thread_self(), told) == KERN_INVALID_TASK);
	CHECK(mach_port_mod_refs(mach_thread_self(), told, MACH_PORT_RIGHT_SEND, 0) == KERN_INVALID_TASK);
	return 0;
}
