/* RV64: the flavors of thread state (mach-abi.md 9.2).  Counts are in 32-bit units. */
#ifndef _MACH_MACHINE_THREAD_STATUS_H_
#define _MACH_MACHINE_THREAD_STATUS_H_

#include <stdint.h>

#define RISCV64_THREAD_STATE    1
#define RISCV64_FLOAT_STATE     2
#define RISCV64_EXCEPTION_STATE 3
#define RISCV64_DEBUG_STATE     4

struct riscv64_thread_state {
	uint64_t x[31]; /* x1 to x31: register n is x[n - 1] */
	uint64_t pc;
};

struct riscv64_float_state {
	uint64_t f[32];
	uint32_t fcsr;
	uint32_t pad;
};

struct riscv64_exception_state { /* of the last fault; cannot be set */
	uint64_t scause;
	uint64_t stval;
	uint64_t sepc;
};

struct riscv64_debug_state {
	uint32_t single_step; /* 1: EXC_BREAKPOINT, EXC_RISCV64_STEP behind each instruction */
	uint32_t pad;         /* 0 */
};

#define RISCV64_THREAD_STATE_COUNT    (sizeof(struct riscv64_thread_state) / sizeof(natural_t))
#define RISCV64_FLOAT_STATE_COUNT     (sizeof(struct riscv64_float_state) / sizeof(natural_t))
#define RISCV64_EXCEPTION_STATE_COUNT (sizeof(struct riscv64_exception_state) / sizeof(natural_t))
#define RISCV64_DEBUG_STATE_COUNT     (sizeof(struct riscv64_debug_state) / sizeof(natural_t))

#define MACHINE_THREAD_STATE       RISCV64_THREAD_STATE
#define MACHINE_THREAD_STATE_COUNT RISCV64_THREAD_STATE_COUNT

/* Indices into x of the registers one needs by name. */
#define RISCV64_RA 0
#define RISCV64_SP 1
#define RISCV64_GP 2
#define RISCV64_TP 3
#define RISCV64_A0 9
#define RISCV64_A1 10

#endif
