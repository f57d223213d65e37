/* Where a thread begins: a0 holds its record; sp and tp are set (threads.c). */

	.section .text.cthread_begin, "ax", @progbits
	.globl cthread_begin
	.type cthread_begin, @function
cthread_begin:
	.option push
	.option norelax
	la gp, __global_pointer$
	.option pop
	li ra, 0 /* nobody called: a walk of the stack ends here */
	li s0, 0
	call cthread_body
	ebreak
	.size cthread_begin, . - cthread_begin
