/* Made by tools/make_traps.py from machemu/kernel/traps: change those, not this.

   Trap number, negative, in a7; arguments in a0 to a6; the result in a0; all other
   registers are preserved (mach-abi.md 3.1). */

	.section .text.mach_msg_trap, "ax", @progbits
	.globl mach_msg_trap
	.type mach_msg_trap, @function
mach_msg_trap:
	li a7, -25
	ecall
	ret
	.size mach_msg_trap, . - mach_msg_trap

	.section .text.mach_reply_port, "ax", @progbits
	.globl mach_reply_port
	.type mach_reply_port, @function
mach_reply_port:
	li a7, -26
	ecall
	ret
	.size mach_reply_port, . - mach_reply_port

	.section .text.mach_thread_self, "ax", @progbits
	.globl mach_thread_self
	.type mach_thread_self, @function
mach_thread_self:
	li a7, -27
	ecall
	ret
	.size mach_thread_self, . - mach_thread_self

	.section .text.mach_task_self, "ax", @progbits
	.globl mach_task_self
	.type mach_task_self, @function
mach_task_self:
	li a7, -28
	ecall
	ret
	.size mach_task_self, . - mach_task_self

	.section .text.mach_host_self, "ax", @progbits
	.globl mach_host_self
	.type mach_host_self, @function
mach_host_self:
	li a7, -29
	ecall
	ret
	.size mach_host_self, . - mach_host_self

	.section .text.mach_print, "ax", @progbits
	.globl mach_print
	.type mach_print, @function
mach_print:
	li a7, -30
	ecall
	ret
	.size mach_print, . - mach_print

	.section .text.swtch_pri, "ax", @progbits
	.globl swtch_pri
	.type swtch_pri, @function
swtch_pri:
	li a7, -59
	ecall
	ret
	.size swtch_pri, . - swtch_pri

	.section .text.swtch, "ax", @progbits
	.globl swtch
	.type swtch, @function
swtch:
	li a7, -60
	ecall
	ret
	.size swtch, . - swtch

	.section .text.thread_switch, "ax", @progbits
	.globl thread_switch
	.type thread_switch, @function
thread_switch:
	li a7, -61
	ecall
	ret
	.size thread_switch, . - thread_switch

	.section .text.syscall_vm_map, "ax", @progbits
	.globl syscall_vm_map
	.type syscall_vm_map, @function
syscall_vm_map:
	mv t0, a7
	li a7, -64
	ecall
	ret
	.size syscall_vm_map, . - syscall_vm_map

	.section .text.syscall_vm_allocate, "ax", @progbits
	.globl syscall_vm_allocate
	.type syscall_vm_allocate, @function
syscall_vm_allocate:
	li a7, -65
	ecall
	ret
	.size syscall_vm_allocate, . - syscall_vm_allocate

	.section .text.syscall_vm_deallocate, "ax", @progbits
	.globl syscall_vm_deallocate
	.type syscall_vm_deallocate, @function
syscall_vm_deallocate:
	li a7, -66
	ecall
	ret
	.size syscall_vm_deallocate, . - syscall_vm_deallocate

	.section .text.syscall_task_create, "ax", @progbits
	.globl syscall_task_create
	.type syscall_task_create, @function
syscall_task_create:
	li a7, -68
	ecall
	ret
	.size syscall_task_create, . - syscall_task_create

	.section .text.syscall_task_terminate, "ax", @progbits
	.globl syscall_task_terminate
	.type syscall_task_terminate, @function
syscall_task_terminate:
	li a7, -69
	ecall
	ret
	.size syscall_task_terminate, . - syscall_task_terminate

	.section .text.syscall_task_suspend, "ax", @progbits
	.globl syscall_task_suspend
	.type syscall_task_suspend, @function
syscall_task_suspend:
	li a7, -70
	ecall
	ret
	.size syscall_task_suspend, . - syscall_task_suspend

	.section .text.syscall_task_set_special_port, "ax", @progbits
	.globl syscall_task_set_special_port
	.type syscall_task_set_special_port, @function
syscall_task_set_special_port:
	li a7, -71
	ecall
	ret
	.size syscall_task_set_special_port, . - syscall_task_set_special_port

	.section .text.syscall_mach_port_allocate, "ax", @progbits
	.globl syscall_mach_port_allocate
	.type syscall_mach_port_allocate, @function
syscall_mach_port_allocate:
	li a7, -72
	ecall
	ret
	.size syscall_mach_port_allocate, . - syscall_mach_port_allocate

	.section .text.syscall_mach_port_deallocate, "ax", @progbits
	.globl syscall_mach_port_deallocate
	.type syscall_mach_port_deallocate, @function
syscall_mach_port_deallocate:
	li a7, -73
	ecall
	ret
	.size syscall_mach_port_deallocate, . - syscall_mach_port_deallocate

	.section .text.syscall_mach_port_insert_right, "ax", @progbits
	.globl syscall_mach_port_insert_right
	.type syscall_mach_port_insert_right, @function
syscall_mach_port_insert_right:
	li a7, -74
	ecall
	ret
	.size syscall_mach_port_insert_right, . - syscall_mach_port_insert_right

	.section .text.syscall_mach_port_allocate_name, "ax", @progbits
	.globl syscall_mach_port_allocate_name
	.type syscall_mach_port_allocate_name, @function
syscall_mach_port_allocate_name:
	li a7, -75
	ecall
	ret
	.size syscall_mach_port_allocate_name, . - syscall_mach_port_allocate_name

	.section .text.syscall_thread_depress_abort, "ax", @progbits
	.globl syscall_thread_depress_abort
	.type syscall_thread_depress_abort, @function
syscall_thread_depress_abort:
	li a7, -76
	ecall
	ret
	.size syscall_thread_depress_abort, . - syscall_thread_depress_abort

	.section .text.trace_point, "ax", @progbits
	.globl trace_point
	.type trace_point, @function
trace_point:
	li a7, -100
	ecall
	ret
	.size trace_point, . - trace_point

