/* mach-abi.md 6.9: a thread that ends itself and leaves nothing: no names, no stack. */
#include <mach/gnumach.h>

#include "check.h"
#include "exception_port.h"
#include "threads.h"

static volatile mach_port_t name, reply;
static volatile vm_address_t stack;

static void end(long unused)
{
	struct riscv64_thread_state *top = 0;

	(void)unused;
	__asm__("mv %0, sp" : "=r"(top));
	stack = trunc_page((vm_address_t)top) - STACK_OCTETS + PAGE_SIZE;
	name = mach_thread_self(); /* one reference more than the creator's */
	reply = mach_reply_port();
	thread_terminate_release(name, mach_task_self(), name, reply, stack, STACK_OCTETS);
}

/* Has the space such a name at all? */
static boolean_t known(mach_port_t some)
{
	mach_port_type_t type;

	return mach_port_type(mach_task_self(), some, &type) == KERN_SUCCESS;
}

int main(void)
{
	mach_port_t task = mach_task_self(), thread = start_thread(task, end, 0);
	mach_port_urefs_t references;
	vm_address_t data;
	mach_msg_type_number_t size;

	CHECK(thread != MACH_PORT_NULL);
	sleep_ms(20);
	CHECK(name == thread && has_ended(thread) && !known(reply));
	CHECK(mach_port_get_refs(task, thread, MACH_PORT_RIGHT_DEAD_NAME, &references) == KERN_SUCCESS);
	CHECK(references == 1); /* the creator's */
	CHECK(vm_read(task, stack, PAGE_SIZE, (pointer_t *)&data, &size) == KERN_INVALID_ADDRESS);
	CHECK(vm_read(task, stack + STACK_OCTETS - PAGE_SIZE, PAGE_SIZE, (pointer_t *)&data, &size) ==
	    KERN_INVALID_ADDRESS);

	/* No task: nothing is done, and nobody is told. */
	thread = new_thread(task, end, 0);
	CHECK(thread_terminate_release(thread, thread, MACH_PORT_NULL, MACH_PORT_NULL, 0, 0) == MACH_MSG_SUCCESS);
	CHECK(!has_ended(thread));
	/* Names and memory that are not there keep no thread alive. */
	CHECK(thread_terminate_release(thread, task, 0x777700, 0x777700, 0x3000000000, PAGE_SIZE) == MACH_MSG_SUCCESS);
	CHECK(has_ended(thread));
	return 0;
}
