/*
 * Does what a program must not, and says so if it gets away with it.
 *
 *     hostile csr|sret|satp|illegal|read|write|jump|kernel|trap|text
 */
#include <mach.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define NOWHERE 0x10        /* the first page is never mapped */
#define KERNEL  0x80000000u /* where RAM lies on the bus */

static void read_csr(void)
{
	uintptr_t status;

	__asm__ volatile("csrr %0, mstatus" : "=r"(status));
}

static void return_from_supervisor(void)
{
	__asm__ volatile("sret");
}

static void turn_paging_off(void)
{
	__asm__ volatile("csrw satp, zero");
}

static void illegal(void)
{
	__asm__ volatile(".word 0");
}

static void read_nowhere(void)
{
	(void)*(volatile uint32_t *)NOWHERE;
}

static void write_nowhere(void)
{
	*(volatile uint32_t *)NOWHERE = 1;
}

static void jump_nowhere(void)
{
	((void (*volatile)(void))NOWHERE)();
}

static void read_memory_of_others(void)
{
	(void)*(volatile uint32_t *)(uintptr_t)KERNEL;
}

static void unknown_trap(void)
{
	register intptr_t number __asm__("a7") = -1000;
	register intptr_t result __asm__("a0") = 0;

	__asm__ volatile("ecall" : "+r"(result) : "r"(number) : "memory");
}

static void write_code(void)
{
	*(volatile uint32_t *)(uintptr_t)write_nowhere = 0;
}

static const struct {
	const char *name;
	void (*act)(void);
} acts[] = {
	{"csr", read_csr},
	{"sret", return_from_supervisor},
	{"satp", turn_paging_off},
	{"illegal", illegal},
	{"read", read_nowhere},
	{"write", write_nowhere},
	{"jump", jump_nowhere},
	{"kernel", read_memory_of_others},
	{"trap", unknown_trap},
	{"text", write_code},
};

int main(int argc, char *argv[])
{
	for (size_t i = 0; argc > 1 && i < sizeof acts / sizeof acts[0]; i++) {
		if (strcmp(argv[1], acts[i].name) != 0)
			continue;
		printf("hostile: %s\n", argv[1]);
		fflush(stdout);
		acts[i].act();
		printf("hostile: %s: still alive\n", argv[1]);
		return 1;
	}
	printf("usage: hostile");
	for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
		printf("%c%s", i == 0 ? ' ' : '|', acts[i].name);
	printf("\n");
	return 2;
}
