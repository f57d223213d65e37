/* mach-abi.md 1.1, 1.2, 1.3, 1.4, 1.7: sizes, offsets and bits of what messages are made of. */
#include <stddef.h>

#include <mach/mig_errors.h>

#include "conform.h"

#define SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)
#define AT(type, member, offset) _Static_assert(offsetof(type, member) == (offset), #type "." #member)

SIZE(natural_t, 4);
SIZE(integer_t, 4);
SIZE(long_natural_t, 8);
SIZE(long_integer_t, 8);
SIZE(mach_port_t, 4);
SIZE(mach_port_name_t, 4);
SIZE(mach_port_name_inlined_t, 8);
SIZE(vm_offset_t, 8);
SIZE(vm_address_t, 8);
SIZE(vm_size_t, 8);
SIZE(rpc_uintptr_t, 8);
SIZE(kern_return_t, 4);
SIZE(boolean_t, 4);
SIZE(vm_prot_t, 4);
SIZE(vm_inherit_t, 4);
SIZE(mach_msg_bits_t, 4);
SIZE(mach_msg_size_t, 4);
SIZE(mach_msg_id_t, 4);
SIZE(mach_msg_timeout_t, 4);
SIZE(mach_msg_option_t, 4);
SIZE(mach_msg_return_t, 4);
SIZE(mach_msg_type_number_t, 4);
SIZE(mach_msg_type_name_t, 4);
SIZE(mach_port_seqno_t, 4);
SIZE(mach_port_mscount_t, 4);
SIZE(mach_port_msgcount_t, 4);
SIZE(mach_port_urefs_t, 4);
SIZE(mach_port_rights_t, 4);
SIZE(mach_port_type_t, 4);
SIZE(mach_port_right_t, 4);
SIZE(time_value_t, 16);
AT(time_value_t, microseconds, 8);
SIZE(time_value64_t, 16);
AT(time_value64_t, nanoseconds, 8);
_Static_assert((mach_port_delta_t)-1 < 0, "mach_port_delta_t is signed");
_Static_assert((kern_return_t)-1 < 0, "kern_return_t is signed");
_Static_assert((mach_port_t)-1 > 0, "mach_port_t is unsigned");

SIZE(mach_msg_header_t, 32);
_Static_assert(_Alignof(mach_msg_header_t) == 8, "header");
AT(mach_msg_header_t, msgh_bits, 0);
AT(mach_msg_header_t, msgh_size, 4);
AT(mach_msg_header_t, msgh_remote_port, 8);
AT(mach_msg_header_t, msgh_local_port, 16);
AT(mach_msg_header_t, msgh_protected_payload, 16);
AT(mach_msg_header_t, msgh_seqno, 24);
AT(mach_msg_header_t, msgh_id, 28);
_Static_assert(MACH_PORT_NULL == 0 && MACH_PORT_DEAD == 0xffffffff, "names that denote nothing");
_Static_assert(MACH_MSGH_BITS(19, 21) == 0x1513, "bits");

SIZE(mig_reply_header_t, 48);
AT(mig_reply_header_t, RetCodeType, 32);
AT(mig_reply_header_t, RetCode, 40);
SIZE(mach_port_deleted_notification_t, 48);
SIZE(mach_msg_accepted_notification_t, 48);
SIZE(mach_port_destroyed_notification_t, 48);
SIZE(mach_no_senders_notification_t, 48);
SIZE(mach_dead_name_notification_t, 48);
SIZE(mach_send_once_notification_t, 32);
AT(mach_dead_name_notification_t, not_type, 32);
AT(mach_dead_name_notification_t, not_port, 40);
SIZE(mach_port_status_t, 36);
AT(mach_port_status_t, mps_nsrequest, 32);

static uint64_t word(mach_msg_type_t type)
{
	uint64_t value;

	memcpy(&value, &type, sizeof value);
	return value;
}

static uint64_t long_word(mach_msg_type_long_t type)
{
	uint64_t value;

	memcpy(&value, &type, sizeof value);
	return value;
}

static uint64_t inline_one(unsigned int name, unsigned int bits)
{
	return word((mach_msg_type_t){.msgt_name = name, .msgt_size = bits, .msgt_number = 1, .msgt_inline = TRUE});
}

int main(void)
{
	CHECK(inline_one(MACH_MSG_TYPE_INTEGER_32, 32) == 0x0000000120002002);
	CHECK(inline_one(MACH_MSG_TYPE_BOOLEAN, 32) == 0x0000000120002000);
	CHECK(inline_one(MACH_MSG_TYPE_INTEGER_64, 64) == 0x000000012000400b);
	CHECK(inline_one(MACH_MSG_TYPE_PORT_NAME, 32) == 0x000000012000200f);
	CHECK(inline_one(MACH_MSG_TYPE_MOVE_RECEIVE, 64) == 0x0000000120004010);
	CHECK(inline_one(MACH_MSG_TYPE_MOVE_SEND, 64) == 0x0000000120004011);
	CHECK(inline_one(MACH_MSG_TYPE_MOVE_SEND_ONCE, 64) == 0x0000000120004012);
	CHECK(inline_one(MACH_MSG_TYPE_COPY_SEND, 64) == 0x0000000120004013);
	CHECK(inline_one(MACH_MSG_TYPE_MAKE_SEND, 64) == 0x0000000120004014);
	CHECK(inline_one(MACH_MSG_TYPE_MAKE_SEND_ONCE, 64) == 0x0000000120004015);
	CHECK(long_word((mach_msg_type_long_t){.msgtl_name = MACH_MSG_TYPE_BYTE, .msgtl_size = 8, .msgtl_number = 0x1234,
		  .msgtl_longform = TRUE, .msgtl_deallocate = TRUE}) == 0x00001234c0000809);
	CHECK(long_word((mach_msg_type_long_t){.msgtl_name = MACH_MSG_TYPE_COPY_SEND, .msgtl_size = 32, .msgtl_number = 7,
		  .msgtl_longform = TRUE}) == 0x0000000740002013);
	CHECK(word((mach_msg_type_t){.msgt_unused = 1}) == 1 << 24);
	return 0;
}
