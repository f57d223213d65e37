#ifndef _MACH_VM_WIRE_H_
#define _MACH_VM_WIRE_H_

typedef unsigned vm_wire_t;

#define VM_WIRE_NONE    ((vm_wire_t)0)
#define VM_WIRE_CURRENT ((vm_wire_t)1)
#define VM_WIRE_FUTURE  ((vm_wire_t)2)
#define VM_WIRE_ALL     (VM_WIRE_CURRENT | VM_WIRE_FUTURE)

#endif
