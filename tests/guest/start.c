/* What start-up owes a program: arguments, environment, data, protections, the stack. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <mach.h>

#include "check.h"

static int initialised = 42;
static int zero[3000];
static int constructed;
static int handled;
static const char constant[] = "constant";

extern char _etext[], _edata[], _end[], __global_pointer$[];

__attribute__((constructor)) static void construct(void)
{
	constructed = 1;
}

static void at_exit(void)
{
	handled++;
	printf("handler %d\n", handled);
}

static vm_prot_t protection(const void *place)
{
	vm_address_t address = (vm_address_t)place;
	vm_size_t size;
	vm_prot_t prot = 0, max;
	vm_inherit_t inherit;
	boolean_t shared;
	memory_object_name_t object;
	vm_offset_t offset;

	if (vm_region(mach_task_self(), &address, &size, &prot, &max, &inherit, &shared, &object, &offset) !=
	    KERN_SUCCESS)
		return -1;
	if (object != MACH_PORT_NULL)
		mach_port_deallocate(mach_task_self(), object);
	return address <= (vm_address_t)place ? prot : -1;
}

int main(int argc, char **argv, char **envp)
{
	uintptr_t gp, sp;

	CHECK(argc >= 1);
	CHECK(argv[0] != NULL && argv[0][0] != '\0');
	CHECK(argv[argc] == NULL);
	CHECK(envp == environ && envp == argv + argc + 1);
	CHECK(getenv("NO_SUCH_VARIABLE") == NULL);
	CHECK(initialised == 42);
	for (size_t i = 0; i < sizeof zero / sizeof zero[0]; i++)
		CHECK(zero[i] == 0);
	CHECK(constructed == 1);

	__asm__("mv %0, gp" : "=r"(gp));
	__asm__("mv %0, sp" : "=r"(sp));
	CHECK(gp == (uintptr_t)__global_pointer$);
	CHECK(sp % 16 == 0);
	CHECK((uintptr_t)argv > sp);

	CHECK(mach_task_self() != MACH_PORT_NULL);
	CHECK(protection((const void *)(uintptr_t)main) == (VM_PROT_READ | VM_PROT_EXECUTE));
	CHECK(protection(constant) == (VM_PROT_READ | VM_PROT_EXECUTE));
	CHECK(protection(&initialised) == (VM_PROT_READ | VM_PROT_WRITE));
	CHECK(protection(zero) == (VM_PROT_READ | VM_PROT_WRITE));
	CHECK(protection(&argc) == (VM_PROT_READ | VM_PROT_WRITE));
	CHECK((uintptr_t)_etext <= (uintptr_t)&initialised && (uintptr_t)&initialised < (uintptr_t)_edata);
	CHECK((uintptr_t)_edata <= (uintptr_t)zero && (uintptr_t)(zero + 3000) <= (uintptr_t)_end);
	CHECK(strcmp(constant, "constant") == 0);

	CHECK(atexit(at_exit) == 0);
	CHECK(atexit(at_exit) == 0);
	printf("no newline at the end");
	return 0;
}
