/* mach-abi.md 3.1: a trap changes a0 and no other register. */
#include <mach.h>

#include "check.h"

/* Every register but zero, sp, a0 and a7 holds its number times 0x1111 across the trap. */
#define EACH(DO)                                                                         \
	DO(ra, 0x1111) DO(gp, 0x3333) DO(tp, 0x4444) DO(t0, 0x5555) DO(t1, 0x6666)       \
	DO(t2, 0x7777) DO(s0, 0x8888) DO(s1, 0x9999) DO(s2, 0x12222) DO(s3, 0x13333)     \
	DO(s4, 0x14444) DO(s5, 0x15555) DO(s6, 0x16666) DO(s7, 0x17777) DO(s8, 0x18888)  \
	DO(s9, 0x19999) DO(s10, 0x1aaaa) DO(s11, 0x1bbbb) DO(t3, 0x1cccc) DO(t4, 0x1dddd) \
	DO(t5, 0x1eeee) DO(t6, 0x1ffff)
/* The arguments: of a receive in vain, or of nothing. */
#define ARGUMENTS(DO) DO(a1, 0x102) DO(a2, 0) DO(a3, 64) DO(a4, 0) DO(a5, 0) DO(a6, 0)
#define SAVED(DO)                                                                            \
	DO(ra, 0) DO(gp, 8) DO(tp, 16) DO(s0, 24) DO(s1, 32) DO(s2, 40) DO(s3, 48) DO(s4, 56) \
	DO(s5, 64) DO(s6, 72) DO(s7, 80) DO(s8, 88) DO(s9, 96) DO(s10, 104) DO(s11, 112)

#define SET(reg, value)  "li " #reg ", " #value "\n"
#define TEST(reg, value) "li a0, " #value "\nbne a0, " #reg ", 1f\n"
#define STORE(reg, at)   "sd " #reg ", " #at "(sp)\n"
#define LOAD(reg, at)    "ld " #reg ", " #at "(sp)\n"

/* 1: all registers were as before trap `number` with first argument `a0`. */
extern long keeps(long a0, long number);
extern long result_of_trap;
long result_of_trap;

__asm__(".text\n"
	"keeps:\n"
	"addi sp, sp, -144\n"
	SAVED(STORE)
	"sd a1, 120(sp)\n"
	"mv a7, a1\n"
	"sd sp, 136(sp)\n"
	ARGUMENTS(SET)
	EACH(SET)
	"ecall\n"
	"sd a0, 128(sp)\n"
	EACH(TEST)
	ARGUMENTS(TEST)
	"ld a0, 120(sp)\n"
	"bne a0, a7, 1f\n"
	"ld a0, 136(sp)\n"
	"bne a0, sp, 1f\n"
	"li a1, 1\n"
	"j 2f\n"
	"1: li a1, 0\n"
	"2:\n"
	SAVED(LOAD)
	"ld a0, 128(sp)\n"
	"la t0, result_of_trap\n"
	"sd a0, 0(t0)\n"
	"mv a0, a1\n"
	"addi sp, sp, 144\n"
	"ret\n");

int main(void)
{
	char buffer[64] __attribute__((aligned(8)));

	CHECK(keeps(0, -10) == 1 && result_of_trap == 0);
	CHECK(keeps(0, -1) == 1 && result_of_trap == KERN_INVALID_ARGUMENT);
	CHECK(keeps(0, -26) == 1 && MACH_PORT_VALID((mach_port_t)result_of_trap));
	CHECK(keeps(0, -60) == 1);
	CHECK(keeps((long)buffer, -25) == 1 && result_of_trap == (long)(int)MACH_RCV_INVALID_NAME);
	CHECK(keeps(7, -100) == 1 && result_of_trap == KERN_SUCCESS);
	CHECK(keeps(0, -59) == 1);
	return 0;
}
