/* Page size and the bounds of a task's address space (Sv39: the lower half). */
#ifndef _MACH_MACHINE_VM_PARAM_H_
#define _MACH_MACHINE_VM_PARAM_H_

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096UL
#define PAGE_MASK  (PAGE_SIZE - 1)

#define VM_MIN_ADDRESS 0UL
#define VM_MAX_ADDRESS 0x4000000000UL

#define trunc_page(x) ((vm_offset_t)(x) & ~PAGE_MASK)
#define round_page(x) (((vm_offset_t)(x) + PAGE_MASK) & ~PAGE_MASK)
#define atop(x)       ((vm_size_t)(x) >> PAGE_SHIFT)
#define ptoa(x)       ((vm_size_t)(x) << PAGE_SHIFT)
#define page_aligned(x) (((vm_offset_t)(x) & PAGE_MASK) == 0)

#endif
