#ifndef _MACH_EXCEPTION_H_
#define _MACH_EXCEPTION_H_

/* Code and subcode behind each: mach-abi.md 9.4. */
#define EXC_BAD_ACCESS      1 /* a kern_return_t; the address */
#define EXC_BAD_INSTRUCTION 2
#define EXC_ARITHMETIC      3
#define EXC_EMULATION       4
#define EXC_SOFTWARE        5
#define EXC_BREAKPOINT      6

#define EXC_RISCV64_ILLEGAL    2 /* code of EXC_BAD_INSTRUCTION; the instruction */
#define EXC_RISCV64_BREAKPOINT 3 /* code of EXC_BREAKPOINT; the pc */
#define EXC_RISCV64_STEP       1 /* likewise: a single step (RISCV64_DEBUG_STATE); the pc */
#define EXC_RISCV64_TRAP       8 /* code of EXC_BAD_INSTRUCTION; the trap number */

#endif
