/* The sizes of Mach's basic types on RV64 (mach-abi.md 1.1): natural numbers stay
   32 bits wide, addresses and sizes have 64. */
#ifndef _MACH_MACHINE_VM_TYPES_H_
#define _MACH_MACHINE_VM_TYPES_H_

#include <stdint.h>

typedef unsigned int natural_t;
typedef int integer_t;
typedef unsigned long long_natural_t;
typedef long long_integer_t;

typedef uintptr_t vm_offset_t;
typedef vm_offset_t *vm_offset_array_t;
typedef uintptr_t vm_address_t;
typedef uintptr_t vm_size_t;
typedef vm_size_t *vm_size_array_t;

/* The same on the wire, for kernel and user are of one size here. */
typedef uintptr_t rpc_uintptr_t;
typedef vm_address_t rpc_vm_address_t;
typedef vm_offset_t rpc_vm_offset_t;
typedef vm_offset_array_t rpc_vm_offset_array_t;
typedef vm_size_t rpc_vm_size_t;
typedef vm_size_array_t rpc_vm_size_array_t;
typedef long_natural_t rpc_long_natural_t;
typedef long_integer_t rpc_long_integer_t;
typedef uint64_t phys_addr_t;
typedef uint64_t rpc_phys_addr_t;
typedef rpc_phys_addr_t *rpc_phys_addr_array_t;

#endif
