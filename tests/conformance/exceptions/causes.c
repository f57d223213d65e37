/* mach-abi.md 9.4: what each cause is told as, and that its thread goes on once mended. */
#include <exc_server.h>
#include <string.h>

#include "check.h"
#include "exception_port.h"
#include "threads.h"

#define UNMAPPED 0x3000000000

static mach_port_t port;
static volatile int times, exception_told, code_told;
static volatile uint64_t subcode_told, pc_told;
static volatile uint64_t resume_at; /* 0: where it is */
static volatile int failed;
static mach_port_t expected_thread;

/* Called by exc_server, in the second thread.  Ours are the two rights. */
kern_return_t catch_exception_raise(mach_port_t exception_port, mach_port_t thread, mach_port_t task,
    integer_t exception, integer_t code, rpc_uintptr_t subcode)
{
	struct riscv64_thread_state state;

	failed |= exception_port != port || thread != expected_thread || task != mach_task_self();
	failed |= get_registers(thread, &state) != KERN_SUCCESS;
	times++, exception_told = exception, code_told = code, subcode_told = subcode, pc_told = state.pc;
	if (resume_at != 0) {
		state.pc = resume_at;
		failed |= set_registers(thread, &state) != KERN_SUCCESS;
	} else {
		vm_address_t page = trunc_page(subcode);

		failed |= vm_allocate(task, &page, PAGE_SIZE, FALSE) != KERN_SUCCESS;
	}
	mach_port_deallocate(mach_task_self(), thread);
	mach_port_deallocate(mach_task_self(), task);
	return KERN_SUCCESS;
}

static void serve(long unused)
{
	(void)unused;
	mach_msg_server(exc_server, 512, port);
}

/* Executes `text`, behind which the handler lets us go on. */
#define EXECUTE(text, number)                                                       \
	do {                                                                        \
		uint64_t at_, behind_;                                              \
		__asm__ volatile("la %0, 1f\n\tla %1, 2f\n\tsd %1, %2\n\t"          \
		                 "li t1, " #number "\n\tmv a7, t1\n"                \
		                 "1: " text "\n2:"                                  \
		    : "=&r"(at_), "=&r"(behind_), "=m"(resume_at)                   \
		    :: "t0", "t1", "a0", "a7", "memory");                           \
		at = at_;                                                           \
	} while (0)

static uint64_t at;

static boolean_t told(int exception, int code, uint64_t subcode)
{
	return !failed && exception_told == exception && code_told == code && subcode_told == subcode;
}

int main(void)
{
	expected_thread = mach_thread_self();
	port = watch_task(mach_task_self());
	CHECK(start_thread(mach_task_self(), serve, 0) != MACH_PORT_NULL);

	/* The store is tried again, now that there is a page. */
	*(volatile int *)(UNMAPPED + 8) = 5;
	CHECK(told(EXC_BAD_ACCESS, KERN_INVALID_ADDRESS, UNMAPPED + 8));
	CHECK(times == 1 && *(volatile int *)(UNMAPPED + 8) == 5);

	EXECUTE("sd zero, 0x10(zero)", 0);
	CHECK(told(EXC_BAD_ACCESS, KERN_INVALID_ADDRESS, 0x10) && pc_told == at);
	EXECUTE("la t0, main\n1: sd zero, (t0)", 0); /* code cannot be written */
	CHECK(told(EXC_BAD_ACCESS, KERN_PROTECTION_FAILURE, (uint64_t)main));
	EXECUTE("la t0, times\njr t0", 0); /* data cannot be executed */
	CHECK(told(EXC_BAD_ACCESS, KERN_PROTECTION_FAILURE, (uint64_t)&times) && pc_told == (uint64_t)&times);
	EXECUTE("addi t0, sp, 1\n1: amoadd.w zero, zero, (t0)", 0);
	CHECK(told(EXC_BAD_ACCESS, 1, subcode_told) && (subcode_told & 3) == 1);
	EXECUTE(".word 0xffffffff", 0);
	CHECK(told(EXC_BAD_INSTRUCTION, EXC_RISCV64_ILLEGAL, 0xffffffff) && pc_told == at);
	EXECUTE(".half 0", 0);
	CHECK(told(EXC_BAD_INSTRUCTION, EXC_RISCV64_ILLEGAL, 0) && pc_told == at);
	EXECUTE("csrr a0, mstatus", 0); /* privileged */
	CHECK(told(EXC_BAD_INSTRUCTION, EXC_RISCV64_ILLEGAL, 0x30002573) && pc_told == at);
	EXECUTE("ebreak", 0);
	CHECK(told(EXC_BREAKPOINT, EXC_RISCV64_BREAKPOINT, at) && pc_told == at);
	EXECUTE("ecall", -130); /* numbers outside the table; pc is behind the ecall */
	CHECK(told(EXC_BAD_INSTRUCTION, EXC_RISCV64_TRAP, (uint64_t)-130L) && pc_told == at + 4);
	EXECUTE("ecall", 1);
	CHECK(told(EXC_BAD_INSTRUCTION, EXC_RISCV64_TRAP, 1));
	CHECK(times == 11);
	return 0;
}
