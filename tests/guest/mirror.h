/* A message with two rights, and what its answer has in the same places. */
#ifndef MIRROR_H
#define MIRROR_H

#include <mach.h>

#define MIRROR_ID 7000

struct mirror_message {
	mach_msg_header_t head;
	mach_msg_type_t first_type;
	mach_port_name_inlined_t first;
	mach_msg_type_t second_type;
	mach_port_name_inlined_t second;
};

static inline mach_msg_type_t mirror_type(mach_msg_type_name_t name)
{
	return (mach_msg_type_t){.msgt_name = name, .msgt_size = 64, .msgt_number = 1, .msgt_inline = TRUE};
}

#endif
