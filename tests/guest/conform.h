/* What conformance programs of IPC share: ports, short messages, second threads. */
#ifndef CONFORM_H
#define CONFORM_H

#include <string.h>

#include <mach.h>
#include <mach/notify.h>

#include "check.h"

#define NO_NAME ((mach_port_t)0x777700) /* denotes nothing in any space */

#define RECEIVE_BY_TIME (MACH_RCV_MSG | MACH_RCV_TIMEOUT)
#define SEND_BY_TIME    (MACH_SEND_MSG | MACH_SEND_TIMEOUT)

/* What can arrive: any notification, or a message with a few items. */
typedef union {
	mach_msg_header_t head;
	mach_dead_name_notification_t dead_name;
	mach_port_deleted_notification_t deleted;
	mach_msg_accepted_notification_t accepted;
	mach_port_destroyed_notification_t destroyed;
	mach_no_senders_notification_t no_senders;
	char octets[512];
} inbox_t;

/* A message with one right. */
typedef struct {
	mach_msg_header_t head;
	mach_msg_type_t type;
	mach_port_name_inlined_t right;
} parcel_t;

/* -- names ------------------------------------------------------------------------------- */

static inline mach_port_t allocate(mach_port_right_t right)
{
	mach_port_t name = MACH_PORT_NULL;

	mach_port_allocate(mach_task_self(), right, &name);
	return name;
}

static inline mach_port_t new_port(void)
{
	return allocate(MACH_PORT_RIGHT_RECEIVE);
}

/* A receive right and `sends` references of a send right under its name. */
static inline mach_port_t new_port_with(int sends)
{
	mach_port_t name = new_port();

	while (sends-- > 0)
		mach_port_insert_right(mach_task_self(), name, name, MACH_MSG_TYPE_MAKE_SEND);
	return name;
}

/* A send-once right on the port of `receiver`, under a name of its own. */
static inline mach_port_t make_once(mach_port_t receiver)
{
	mach_port_t name = MACH_PORT_NULL;
	mach_msg_type_name_t kind;

	mach_port_extract_right(mach_task_self(), receiver, MACH_MSG_TYPE_MAKE_SEND_ONCE, &name, &kind);
	return name;
}

/* `mach_port_mod_refs` of the receive right. */
static inline kern_return_t kill_port(mach_port_t name)
{
	return mach_port_mod_refs(mach_task_self(), name, MACH_PORT_RIGHT_RECEIVE, -1);
}

/* A dead name with `urefs` references. */
static inline mach_port_t new_dead_name(int urefs)
{
	mach_port_t name = new_port_with(urefs);

	kill_port(name);
	return name;
}

static inline mach_port_urefs_t refs(mach_port_t name, mach_port_right_t right)
{
	mach_port_urefs_t count = 0xffffff;

	mach_port_get_refs(mach_task_self(), name, right, &count);
	return count;
}

static inline mach_port_urefs_t sends(mach_port_t name)
{
	return refs(name, MACH_PORT_RIGHT_SEND);
}

static inline mach_port_urefs_t deads(mach_port_t name)
{
	return refs(name, MACH_PORT_RIGHT_DEAD_NAME);
}

/* The type word in the space of `task`; 0: the name denotes nothing. */
static inline mach_port_type_t type_in(mach_port_t task, mach_port_t name)
{
	mach_port_type_t type = 0;

	return mach_port_type(task, name, &type) == KERN_SUCCESS ? type : 0;
}

static inline mach_port_type_t type_of(mach_port_t name)
{
	return type_in(mach_task_self(), name);
}

static inline mach_port_status_t status_of(mach_port_t name)
{
	mach_port_status_t status;

	memset(&status, 0xff, sizeof status);
	mach_port_get_receive_status(mach_task_self(), name, &status);
	return status;
}

/* Register for a notification to `notify`, which must be a receive right. */
static inline kern_return_t request_on(mach_port_t name, mach_msg_id_t id, mach_port_mscount_t sync,
    mach_port_t notify)
{
	mach_port_t previous = MACH_PORT_NULL;

	return mach_port_request_notification(mach_task_self(), name, id, sync, notify,
	    MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous);
}

/* -- messages ---------------------------------------------------------------------------- */

static inline mach_msg_header_t header_to(mach_port_t to, mach_msg_type_name_t how, mach_msg_id_t id)
{
	return (mach_msg_header_t){
	    .msgh_bits = MACH_MSGH_BITS(how, 0), .msgh_remote_port = to, .msgh_id = id};
}

/* Send a header; never waits. */
static inline mach_msg_return_t post(mach_port_t to, mach_msg_type_name_t how, mach_msg_id_t id)
{
	mach_msg_header_t head = header_to(to, how, id);

	return mach_msg(&head, SEND_BY_TIME, sizeof head, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL);
}

static inline parcel_t parcel(mach_port_t to, mach_msg_type_name_t how, mach_port_t right,
    mach_msg_type_name_t use)
{
	return (parcel_t){
	    .head = {.msgh_bits = MACH_MSGH_BITS(how, 0) | MACH_MSGH_BITS_COMPLEX, .msgh_remote_port = to},
	    .type = {.msgt_name = use, .msgt_size = 64, .msgt_number = 1, .msgt_inline = TRUE},
	    .right = {.name = right},
	};
}

/* Send one right to a receive right of ours; never waits. */
static inline mach_msg_return_t give(mach_port_t to, mach_port_t right, mach_msg_type_name_t use)
{
	parcel_t p = parcel(to, MACH_MSG_TYPE_MAKE_SEND, right, use);

	return mach_msg(&p.head, SEND_BY_TIME, sizeof p, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL);
}

/* Receive what is there. */
static inline mach_msg_return_t fetch(mach_port_t from, inbox_t *inbox)
{
	memset(inbox, 0, sizeof *inbox);
	return mach_msg(&inbox->head, RECEIVE_BY_TIME, 0, sizeof *inbox, from, 0, MACH_PORT_NULL);
}

/* The id of the message that is there, or -1. */
static inline mach_msg_id_t fetch_id(mach_port_t from)
{
	inbox_t inbox;

	return fetch(from, &inbox) == MACH_MSG_SUCCESS ? inbox.head.msgh_id : -1;
}

/* The right that the message there carries, under its new name; NO_NAME: there is none.
   `kind`: what arrived, or NULL. */
static inline mach_port_t fetch_right(mach_port_t from, mach_msg_type_name_t *kind)
{
	inbox_t inbox;
	parcel_t *p = (parcel_t *)&inbox;

	if (fetch(from, &inbox) != MACH_MSG_SUCCESS || inbox.head.msgh_size != sizeof *p)
		return NO_NAME;
	if (kind != NULL)
		*kind = p->type.msgt_name;
	return p->right.name;
}

/* -- memory ------------------------------------------------------------------------------ */

/* The protections and inheritance of the memory at `at`; FALSE: there is none. */
static inline boolean_t region_at(const void *at, vm_prot_t *current, vm_prot_t *most, vm_inherit_t *inherit)
{
	vm_address_t address = (vm_address_t)at;
	vm_size_t size;
	boolean_t shared;
	mach_port_t object;
	vm_offset_t offset;
	kern_return_t kr = vm_region(mach_task_self(), &address, &size, current, most, inherit, &shared, &object, &offset);

	return kr == KERN_SUCCESS && address <= (vm_address_t)at;
}

static inline boolean_t is_mapped(const void *at)
{
	vm_prot_t current, most;
	vm_inherit_t inherit;

	return region_at(at, &current, &most, &inherit);
}

/* -- second threads ---------------------------------------------------------------------- */

typedef struct worker {
	int (*run)(struct worker *);
	mach_port_t port; /* for `run` */
	mach_msg_timeout_t timeout;
	mach_msg_option_t option;
	mach_msg_return_t result; /* of `run` */
	volatile int done;
	mach_port_t thread;
	inbox_t inbox;
	char stack[8192] __attribute__((aligned(16)));
} worker_t;

static inline void worker_main(worker_t *worker)
{
	worker->result = worker->run(worker);
	worker->done = 1;
	for (;;)
		thread_suspend(worker->thread);
}

/* Let the others run, for a while. */
static inline void settle(void)
{
	thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 20);
}

static inline kern_return_t start_worker(worker_t *worker, int (*run)(worker_t *), mach_port_t port)
{
	struct riscv64_thread_state state;
	kern_return_t kr;

	memset(&state, 0, sizeof state);
	worker->run = run;
	worker->port = port;
	worker->done = 0;
	state.x[RISCV64_SP] = (uint64_t)(worker->stack + sizeof worker->stack);
	__asm__("mv %0, gp" : "=r"(state.x[RISCV64_GP]));
	state.x[RISCV64_A0] = (uint64_t)worker;
	state.pc = (uint64_t)worker_main;
	kr = thread_create(mach_task_self(), &worker->thread);
	if (kr == KERN_SUCCESS)
		kr = thread_set_state(worker->thread, RISCV64_THREAD_STATE, (thread_state_t)&state,
		    RISCV64_THREAD_STATE_COUNT);
	if (kr == KERN_SUCCESS)
		kr = thread_resume(worker->thread);
	settle();
	return kr;
}

/* Bodies of workers. */
static inline int receive_one(worker_t *worker)
{
	return mach_msg_trap(&worker->inbox.head, MACH_RCV_MSG | worker->option, 0, sizeof worker->inbox,
	    worker->port, worker->timeout, MACH_PORT_NULL);
}

/* Sends `inbox`, a header whose fields are set, or by default a message made from a
   receive right. */
static inline int send_one(worker_t *worker)
{
	mach_msg_header_t *head = &worker->inbox.head;

	if (head->msgh_bits == 0)
		*head = header_to(worker->port, MACH_MSG_TYPE_MAKE_SEND, head->msgh_id);
	return mach_msg_trap(head, MACH_SEND_MSG | worker->option, sizeof *head, 0, MACH_PORT_NULL,
	    worker->timeout, MACH_PORT_NULL);
}

#endif
