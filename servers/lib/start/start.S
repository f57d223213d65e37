/* Where a program begins: sp points at argc (mach-abi.md 10.3). */

	.section .text.start, "ax", @progbits
	.globl _start
	.type _start, @function
_start:
	.option push
	.option norelax
	la gp, __global_pointer$
	.option pop
	la tp, __first_tp
	mv a0, sp
	andi sp, sp, -16
	li ra, 0 /* nobody called: a walk of the stack ends here */
	li s0, 0
	call start_c
	ebreak
	.size _start, . - _start
