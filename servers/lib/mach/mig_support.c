/* What MIG's stubs call. */
#include <mach.h>
#include <mach/mig_errors.h>
#include <mach/mig_support.h>
#include <machemu/thread_area.h>
#include <string.h>

void mig_init(void *first)
{
	struct thread_area *area = thread_area();

	(void)first;
	area->reply_port = area->wake_port = MACH_PORT_NULL; /* they were another task's */
}

/* A call made during another (a constructor of out-of-line data, say) finds none here and
   makes its own; so does one of two threads that share an area. */
mach_port_t mig_get_reply_port(void)
{
	mach_port_t port = __atomic_exchange_n(&thread_area()->reply_port, MACH_PORT_NULL, __ATOMIC_RELAXED);

	return port != MACH_PORT_NULL ? port : mach_reply_port();
}

/* Ending a port is a call too.  Where every call fails, its own reply port is left as it
   is: ending that would fail the same way, without end. */
static void end_port(mach_port_t port)
{
	struct thread_area *area = thread_area();

	if (area->ending_port)
		return;
	area->ending_port = TRUE;
	mach_port_mod_refs(mach_task_self(), port, MACH_PORT_RIGHT_RECEIVE, -1);
	area->ending_port = FALSE;
}

void mig_put_reply_port(mach_port_t port)
{
	struct thread_area *area = thread_area();
	mach_port_t none = MACH_PORT_NULL;

	if (!__atomic_compare_exchange_n(&area->reply_port, &none, port, FALSE, __ATOMIC_RELAXED,
		__ATOMIC_RELAXED) &&
	    none != port)
		end_port(port);
}

void mig_dealloc_reply_port(mach_port_t port)
{
	mach_port_t kept = port;

	/* A server that gives up a port it never took: it is not to be used again. */
	__atomic_compare_exchange_n(&thread_area()->reply_port, &kept, MACH_PORT_NULL, FALSE, __ATOMIC_RELAXED,
	    __ATOMIC_RELAXED);
	if (MACH_PORT_VALID(port))
		end_port(port);
}

void mig_allocate(vm_address_t *address, vm_size_t size)
{
	if (vm_allocate(mach_task_self(), address, size, TRUE) != KERN_SUCCESS)
		*address = 0;
}

void mig_deallocate(vm_address_t address, vm_size_t size)
{
	vm_deallocate(mach_task_self(), address, size);
}

void mig_reply_setup(const mach_msg_header_t *request, mach_msg_header_t *reply)
{
	mig_reply_header_t *out = (mig_reply_header_t *)reply;

	memset(out, 0, sizeof *out); /* padding too: what was in the buffer is nobody's business */
	out->Head = (mach_msg_header_t){
	    .msgh_bits = MACH_MSGH_BITS(MACH_MSGH_BITS_REMOTE(request->msgh_bits), 0),
	    .msgh_size = sizeof *out,
	    .msgh_remote_port = request->msgh_remote_port,
	    .msgh_id = request->msgh_id + 100,
	};
	out->RetCodeType = (mach_msg_type_t){
	    .msgt_name = MACH_MSG_TYPE_INTEGER_32,
	    .msgt_size = 32,
	    .msgt_number = 1,
	    .msgt_inline = TRUE,
	};
	out->RetCode = MIG_BAD_ID;
}

vm_size_t mig_strncpy(char *to, const char *from, vm_size_t size)
{
	vm_size_t length = 0;

	if (size == 0)
		return 0;
	for (; length < size - 1 && from[length] != '\0'; length++)
		to[length] = from[length];
	to[length] = '\0';
	return length;
}
