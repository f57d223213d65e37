/* mach-abi.md 9.1, 9.2: threads made by hand, with and without what the libraries keep for one. */
#include <errno.h>
#include <mach.h>
#include <stdlib.h>

#include "check.h"

static _Thread_local int own = 3;
static int volatile ended, wrong;
static mach_port_t threads[2];

static void end(int which)
{
	__atomic_fetch_add(&ended, 1, __ATOMIC_RELAXED);
	for (;;)
		thread_terminate(threads[which]);
}

static void use_libraries(void)
{
	for (int i = 0; i < 30; i++) {
		vm_statistics_data_t statistics;
		void *block = malloc(100);

		if (block == NULL || vm_statistics(mach_task_self(), &statistics) != KERN_SUCCESS)
			wrong++;
		swtch();
		free(block);
	}
}

static void without_area(void)
{
	use_libraries();
	end(0);
}

static void with_area(void)
{
	if (own != 3)
		wrong++;
	own = errno = 55;
	use_libraries();
	if (own != 55 || errno != 55)
		wrong++;
	end(1);
}

int main(void)
{
	mach_port_t self = mach_task_self();
	vm_address_t base = 0, lowest;
	vm_size_t size = 20000, length;
	vm_prot_t protection, most;
	vm_inherit_t inheritance;
	boolean_t shared;
	mach_port_t object;
	vm_offset_t offset;

	own = errno = 11;
	CHECK(thread_create(self, &threads[0]) == KERN_SUCCESS && thread_create(self, &threads[1]) == KERN_SUCCESS);
	CHECK(mach_setup_thread(self, threads[0], without_area, &base, &size) == KERN_SUCCESS);
	CHECK(base != 0 && size == 5 * PAGE_SIZE + PAGE_SIZE);
	lowest = base; /* the guard */
	CHECK(vm_region(self, &lowest, &length, &protection, &most, &inheritance, &shared, &object, &offset) == KERN_SUCCESS);
	CHECK(lowest == base && length == PAGE_SIZE && protection == VM_PROT_NONE);
	CHECK(mach_setup_thread(self, threads[1], with_area, NULL, NULL) == KERN_SUCCESS);
	CHECK(mach_setup_tls(threads[1]) == KERN_SUCCESS);

	size = 1UL << 50;
	CHECK(mach_setup_thread(self, threads[1], with_area, NULL, &size) == KERN_NO_SPACE);
	CHECK(mach_setup_thread(self, MACH_PORT_DEAD, with_area, NULL, NULL) == MACH_SEND_INVALID_DEST);
	CHECK(mach_setup_tls(mach_thread_self()) == KERN_INVALID_ARGUMENT); /* nobody's own state */

	CHECK(thread_resume(threads[0]) == KERN_SUCCESS && thread_resume(threads[1]) == KERN_SUCCESS);
	use_libraries();
	while (ended < 2)
		swtch();
	CHECK(wrong == 0 && own == 11 && errno == 11);
	return 0;
}
