/* A pager in a second thread of the program: it answers requests as `plan` says and keeps a
   log of what the kernel told it, which the program reads. */
#ifndef PAGER_THREAD_H
#define PAGER_THREAD_H

#include <mach.h>
#include <mach/memory_object.h>
#include <mach/mig_errors.h>
#include <mach/thread_status.h>
#include <mach/vm_param.h>
#include <mig/memory_object_server.h>
#include <string.h>

#define PAGES 8
#define LOG_MAX 64
#define STACK_OCTETS 0x8000

enum told { INIT = 2200, TERMINATE, REQUEST = 2203, UNLOCK, LOCK_COMPLETED = 2206, SUPPLY_COMPLETED, RETURN,
	CHANGE_COMPLETED };

struct news {
	int what;
	vm_offset_t offset, length; /* of a change: may_cache, strategy */
	int code;                   /* access; result; dirty + 2 * kernel_copy */
	vm_offset_t value;          /* the first word returned; the offset of an error */
};

enum answer { SUPPLY, SUPPLY_LOCKED, SUPPLY_PRECIOUS, UNAVAILABLE, ERROR, SILENCE };

static mach_port_t object, control, replies, pager_set;
static volatile enum answer plan[PAGES];
static struct news news[LOG_MAX];
static volatile unsigned told;

static inline kern_return_t note(int what, vm_offset_t offset, vm_offset_t length, int code, vm_offset_t value)
{
	news[told % LOG_MAX] = (struct news){what, offset, length, code, value};
	told++;
	return KERN_SUCCESS;
}

/* The next thing told, or nothing for a second. */
static inline struct news *hear(void)
{
	static unsigned heard;

	for (unsigned ms = 0; heard == told && ms < 1000; ms += 10)
		thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 10);
	if (heard == told) {
		news[heard % LOG_MAX] = (struct news){0, 0, 0, 0, 0};
		return &news[heard % LOG_MAX];
	}
	return &news[heard++ % LOG_MAX];
}

static inline int heard(int what, vm_offset_t offset, vm_offset_t length, int code)
{
	struct news *it = hear();

	return it->what == what && it->offset == offset && it->length == length && it->code == code;
}

/* A page whose every octet is `octet`, for the kernel to take. */
static inline vm_offset_t page_of(int octet)
{
	vm_address_t page = 0;

	vm_allocate(mach_task_self(), &page, PAGE_SIZE, TRUE);
	memset((void *)page, octet, PAGE_SIZE);
	return page;
}

kern_return_t serve_memory_object_init(mach_port_t port, mach_port_t its_control, mach_port_t name,
    vm_size_t page_size)
{
	(void)port;
	(void)name;
	control = its_control;
	return note(INIT, 0, page_size, 0, 0);
}

kern_return_t serve_memory_object_terminate(mach_port_t port, mach_port_t its_control, mach_port_t name)
{
	(void)port;
	mach_port_destroy(mach_task_self(), its_control);
	mach_port_destroy(mach_task_self(), name);
	return note(TERMINATE, 0, 0, 0, 0);
}

kern_return_t serve_memory_object_data_request(mach_port_t port, mach_port_t its_control, vm_offset_t offset,
    vm_size_t length, vm_prot_t access)
{
	enum answer answer = plan[offset / PAGE_SIZE];

	(void)port;
	note(REQUEST, offset, length, access, 0);
	if (answer == UNAVAILABLE)
		return memory_object_data_unavailable(its_control, offset, length);
	if (answer == ERROR)
		return memory_object_data_error(its_control, offset, length, KERN_FAILURE);
	if (answer == SILENCE)
		return KERN_SUCCESS;
	return memory_object_data_supply(its_control, offset, page_of((int)(offset / PAGE_SIZE) + 1), PAGE_SIZE, TRUE,
	    answer == SUPPLY_LOCKED ? VM_PROT_WRITE : VM_PROT_NONE, answer == SUPPLY_PRECIOUS, MACH_PORT_NULL);
}

kern_return_t serve_memory_object_data_unlock(mach_port_t port, mach_port_t its_control, vm_offset_t offset,
    vm_size_t length, vm_prot_t access)
{
	(void)port;
	note(UNLOCK, offset, length, access, 0);
	return memory_object_lock_request(its_control, offset, length, MEMORY_OBJECT_RETURN_NONE, FALSE, VM_PROT_NONE,
	    MACH_PORT_NULL);
}

kern_return_t serve_memory_object_data_return(mach_port_t port, mach_port_t its_control, vm_offset_t offset,
    vm_offset_t data, mach_msg_type_number_t count, boolean_t dirty, boolean_t kernel_copy)
{
	vm_offset_t value = *(vm_offset_t *)data;

	(void)port;
	(void)its_control;
	vm_deallocate(mach_task_self(), data, count);
	return note(RETURN, offset, count, (dirty ? 1 : 0) + (kernel_copy ? 2 : 0), value);
}

kern_return_t serve_memory_object_lock_completed(mach_port_t port, mach_port_t its_control, vm_offset_t offset,
    vm_size_t length)
{
	(void)port;
	(void)its_control;
	return note(LOCK_COMPLETED, offset, length, 0, 0);
}

kern_return_t serve_memory_object_supply_completed(mach_port_t port, mach_port_t its_control, vm_offset_t offset,
    vm_size_t length, kern_return_t result, vm_offset_t error_offset)
{
	(void)port;
	(void)its_control;
	return note(SUPPLY_COMPLETED, offset, length, result, error_offset);
}

kern_return_t serve_memory_object_change_completed(mach_port_t port, boolean_t may_cache,
    memory_object_copy_strategy_t strategy)
{
	(void)port;
	return note(CHANGE_COMPLETED, (vm_offset_t)may_cache, (vm_offset_t)strategy, 0, 0);
}

static void pager_thread(void)
{
	mach_msg_server(memory_object_server, 512, pager_set);
	for (;;)
		thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 1000);
}

/* Make `object` and `replies` and let the pager serve both. */
static kern_return_t start_pager(void)
{
	struct riscv64_thread_state state = {0};
	mach_port_t task = mach_task_self(), thread;
	vm_address_t stack = 0;

	if (mach_port_allocate(task, MACH_PORT_RIGHT_RECEIVE, &object) != KERN_SUCCESS
	    || mach_port_insert_right(task, object, object, MACH_MSG_TYPE_MAKE_SEND) != KERN_SUCCESS
	    || mach_port_allocate(task, MACH_PORT_RIGHT_RECEIVE, &replies) != KERN_SUCCESS
	    || mach_port_allocate(task, MACH_PORT_RIGHT_PORT_SET, &pager_set) != KERN_SUCCESS
	    || mach_port_move_member(task, object, pager_set) != KERN_SUCCESS
	    || mach_port_move_member(task, replies, pager_set) != KERN_SUCCESS
	    || vm_allocate(task, &stack, STACK_OCTETS, TRUE) != KERN_SUCCESS
	    || thread_create(task, &thread) != KERN_SUCCESS)
		return KERN_FAILURE;
	__asm__("mv %0, gp" : "=r"(state.x[RISCV64_GP]));
	state.x[RISCV64_SP] = stack + STACK_OCTETS - 16;
	state.pc = (uint64_t)pager_thread;
	if (thread_set_state(thread, RISCV64_THREAD_STATE, (thread_state_t)&state, RISCV64_THREAD_STATE_COUNT)
	    != KERN_SUCCESS)
		return KERN_FAILURE;
	return thread_resume(thread);
}

static inline kern_return_t map_object(vm_address_t *base, boolean_t copy)
{
	*base = 0;
	return vm_map(mach_task_self(), base, PAGES * PAGE_SIZE, 0, TRUE, object, 0, copy, VM_PROT_DEFAULT,
	    VM_PROT_ALL, VM_INHERIT_COPY);
}

static inline volatile unsigned char *octet_of(vm_address_t base, unsigned page)
{
	return (volatile unsigned char *)(base + page * PAGE_SIZE);
}

#endif
