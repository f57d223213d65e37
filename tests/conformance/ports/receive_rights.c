/* mach-abi.md 6.1: the status of a receive right, and what sets it; members of a set. */
#include "conform.h"

static mach_port_t self;

static int status(void)
{
	mach_port_t port = new_port(), set = allocate(MACH_PORT_RIGHT_PORT_SET), notify = new_port();
	mach_port_status_t s = status_of(port);

	CHECK(s.mps_pset == 0 && s.mps_seqno == 0 && s.mps_mscount == 0 && s.mps_qlimit == 5 && s.mps_msgcount == 0);
	CHECK(s.mps_sorights == 0 && !s.mps_srights && !s.mps_pdrequest && !s.mps_nsrequest);

	CHECK(mach_port_set_qlimit(self, port, 16) == KERN_SUCCESS);
	CHECK(mach_port_set_seqno(self, port, 0x80000001) == KERN_SUCCESS);
	CHECK(mach_port_set_mscount(self, port, 0xffffffff) == KERN_SUCCESS);
	CHECK(mach_port_move_member(self, port, set) == KERN_SUCCESS);
	CHECK(request_on(port, MACH_NOTIFY_PORT_DESTROYED, 0, notify) == KERN_SUCCESS);
	make_once(port);
	make_once(port);
	CHECK(post(port, MACH_MSG_TYPE_MAKE_SEND, 1) == MACH_MSG_SUCCESS);
	CHECK(request_on(port, MACH_NOTIFY_NO_SENDERS, 0, notify) == KERN_SUCCESS);
	s = status_of(port);
	CHECK(s.mps_pset == set && s.mps_seqno == 0x80000001 && s.mps_mscount == 0 && s.mps_qlimit == 16);
	CHECK(s.mps_msgcount == 1 && s.mps_sorights == 2 && s.mps_srights == TRUE);
	CHECK(s.mps_pdrequest == TRUE && s.mps_nsrequest == TRUE);
	CHECK(mach_port_set_qlimit(self, port, 0) == KERN_SUCCESS && status_of(port).mps_qlimit == 0);
	CHECK(mach_port_set_qlimit(self, port, 17) == KERN_INVALID_VALUE);
	CHECK(mach_port_set_qlimit(self, port, 0xffffffff) == KERN_INVALID_VALUE && status_of(port).mps_qlimit == 0);
	return 0;
}

static int wrong(void)
{
	mach_port_t port = new_port(), names[] = {make_once(port), new_dead_name(1), allocate(MACH_PORT_RIGHT_PORT_SET),
	    mach_host_self(), NO_NAME, MACH_PORT_NULL};
	mach_port_t set = allocate(MACH_PORT_RIGHT_PORT_SET);
	mach_port_status_t s;

	for (unsigned int i = 0; i < sizeof names / sizeof names[0]; i++) {
		kern_return_t error = i < 4 ? KERN_INVALID_RIGHT : KERN_INVALID_NAME;

		CHECK(mach_port_get_receive_status(self, names[i], &s) == error);
		CHECK(mach_port_set_qlimit(self, names[i], 1) == error);
		CHECK(mach_port_set_mscount(self, names[i], 1) == error);
		CHECK(mach_port_set_seqno(self, names[i], 1) == error);
		CHECK(mach_port_move_member(self, names[i], set) == error);
		CHECK(mach_port_move_member(self, names[i], MACH_PORT_NULL) == error);
	}
	CHECK(mach_port_get_receive_status(mach_thread_self(), port, &s) == KERN_INVALID_TASK);
	CHECK(mach_port_set_qlimit(mach_thread_self(), port, 1) == KERN_INVALID_TASK);
	CHECK(mach_port_set_mscount(mach_thread_self(), port, 1) == KERN_INVALID_TASK);
	CHECK(mach_port_set_seqno(mach_thread_self(), port, 1) == KERN_INVALID_TASK);
	CHECK(mach_port_move_member(mach_thread_self(), port, set) == KERN_INVALID_TASK);
	return 0;
}

/* A bit for each of `ports` that mach_port_get_set_status lists; -1: it fails, or lists more. */
static int members(mach_port_t set, const mach_port_t *ports)
{
	mach_port_t *names;
	mach_msg_type_number_t count, known = 0;
	int found = 0;

	if (mach_port_get_set_status(self, set, &names, &count) != KERN_SUCCESS)
		return -1;
	for (mach_msg_type_number_t i = 0; i < count; i++)
		for (int port = 0; port < 3; port++)
			if (names[i] == ports[port]) {
				found |= 1 << port;
				known++;
			}
	vm_deallocate(self, (vm_address_t)names, count * sizeof *names);
	return known == count ? found : -1;
}

static int sets(void)
{
	mach_port_t ports[] = {new_port(), new_port(), new_port()}, *names;
	mach_port_t set = allocate(MACH_PORT_RIGHT_PORT_SET), other = allocate(MACH_PORT_RIGHT_PORT_SET);
	mach_msg_type_number_t count;

	CHECK(members(set, ports) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(mach_port_move_member(self, ports[i], set) == KERN_SUCCESS);
	CHECK(members(set, ports) == 7);
	CHECK(mach_port_move_member(self, ports[0], set) == KERN_SUCCESS && members(set, ports) == 7);
	CHECK(mach_port_move_member(self, ports[1], other) == KERN_SUCCESS);
	CHECK(members(set, ports) == 5 && members(other, ports) == 2);
	CHECK(mach_port_move_member(self, ports[1], MACH_PORT_NULL) == KERN_SUCCESS && members(other, ports) == 0);
	CHECK(mach_port_move_member(self, ports[1], MACH_PORT_NULL) == KERN_NOT_IN_SET);
	CHECK(mach_port_move_member(self, ports[1], NO_NAME) == KERN_INVALID_NAME);
	CHECK(mach_port_move_member(self, ports[1], ports[0]) == KERN_INVALID_RIGHT);
	CHECK(mach_port_move_member(self, ports[0], ports[1]) == KERN_INVALID_RIGHT && members(set, ports) == 5);
	CHECK(mach_port_destroy(self, ports[0]) == KERN_SUCCESS && members(set, ports) == 4);

	CHECK(mach_port_get_set_status(self, ports[1], &names, &count) == KERN_INVALID_RIGHT);
	CHECK(mach_port_get_set_status(self, NO_NAME, &names, &count) == KERN_INVALID_NAME);
	CHECK(mach_port_get_set_status(mach_thread_self(), set, &names, &count) == KERN_INVALID_TASK);
	return 0;
}

int main(void)
{
	self = mach_task_self();
	RUN(status());
	RUN(wrong());
	RUN(sets());
	return 0;
}
