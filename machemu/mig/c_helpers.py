# ruff: noqa: E101  (the C in here is laid out with tabs and spaces)
"""The C functions that stubs are made of.  A stub's file gets those that it uses.

They are the one place where octets of a message are read and written: descriptors, padding,
the slots of ports (mach-abi.md 1.4, 1.5 and 7.3).  An unpacker remembers the first thing
that is wrong, so that stubs ask once, at the end; until then it never reads outside the
message and gives null pointers and zeros.
"""

from __future__ import annotations

import re
from typing import Final

PREAMBLE: Final = """\
/* A type descriptor; `bits` and `number` of its elements. */
#define MIG_NUMBER(number) ((uint64_t)(number) << 32)
#define MIG_ITEM(type, bits, flags, number) \\
	(((uint64_t)(type) & 0xff) | (uint64_t)(bits) << 8 | (flags) | MIG_NUMBER(number))
#define MIG_INLINE     ((uint64_t)1 << 29)
#define MIG_LONG       ((uint64_t)1 << 30)
#define MIG_DEALLOCATE ((uint64_t)1 << 31)

#define MIG_PADDED(octets) (((vm_size_t)(octets) + 7) & ~(vm_size_t)7)
#define MIG_INLINE_MAX     2048 /* octets of an indefinite array within the message */

typedef uint64_t mig_word_t __attribute__((may_alias));
"""

HELPERS: Final[dict[str, str]] = {
    # --- packing
    "mig_packer": """\
struct mig_packer {
	char *at;          /* where the next item goes */
	boolean_t carries; /* a right or a region is among the items */
};

static inline struct mig_packer mig_packer(void *message, vm_size_t start)
{
	return (struct mig_packer){(char *)message + start, FALSE};
}
""",
    "mig_put": """\
/* Starts an item; returns the place of its data. */
static inline char *mig_put(struct mig_packer *out, uint64_t item)
{
	char *at = __builtin_assume_aligned(out->at, 8);

	*(mig_word_t *)at = item;
	return at + 8;
}
""",
    "mig_end": """\
/* Ends the item whose `octets` lie at `data`.  The padding is zero, so that it tells
   nothing of this task's memory. */
static inline void mig_end(struct mig_packer *out, char *data, vm_size_t octets)
{
	__builtin_memset(data + octets, 0, MIG_PADDED(octets) - octets);
	out->at = data + MIG_PADDED(octets);
}
""",
    "mig_pack": """\
static inline void mig_pack(struct mig_packer *out, uint64_t item, const void *from, vm_size_t octets)
{
	char *data = mig_put(out, item);

	__builtin_memmove(data, from, octets);
	mig_end(out, data, octets);
}
""",
    "mig_pack_port": """\
static inline void mig_pack_port(struct mig_packer *out, uint64_t item, mach_port_t port)
{
	char *data = mig_put(out, item);

	*(mig_word_t *)data = port;
	out->at = data + 8;
	out->carries |= MACH_MSG_TYPE_PORT_ANY(item & 0xff);
}
""",
    "mig_pack_ports": """\
static inline void mig_pack_ports(struct mig_packer *out, uint64_t item, const mach_port_t *from,
    mach_msg_type_number_t number)
{
	char *data = mig_put(out, item);

	for (mach_msg_type_number_t i = 0; i < number; i++)
		((mig_word_t *)data)[i] = from[i];
	out->at = data + 8 * (vm_size_t)number;
	out->carries |= number != 0 && MACH_MSG_TYPE_PORT_ANY(item & 0xff);
}
""",
    "mig_pack_region": """\
static inline void mig_pack_region(struct mig_packer *out, uint64_t item, vm_address_t address)
{
	char *data = mig_put(out, item);

	*(mig_word_t *)data = address;
	out->at = data + 8;
	out->carries = TRUE;
}
""",
    "mig_pack_some": """\
/* An indefinite array: inline if it fits.  What the sender gives away is gone either way. */
static inline void mig_pack_some(struct mig_packer *out, uint64_t item, vm_address_t from, vm_size_t octets,
    boolean_t dealloc)
{
	if (octets > MIG_INLINE_MAX) {
		mig_pack_region(out, item | (dealloc ? MIG_DEALLOCATE : 0), from);
		return;
	}
	mig_pack(out, item | MIG_INLINE, (const void *)from, octets);
	if (dealloc && octets != 0)
		mig_deallocate(from, octets);
}
""",
    "mig_pack_some_ports": """\
/* The same for ports, whose size depends on where they are: `item` has none. */
static inline void mig_pack_some_ports(struct mig_packer *out, uint64_t item, vm_address_t from,
    mach_msg_type_number_t number, boolean_t dealloc)
{
	if (number > MIG_INLINE_MAX / 8) {
		mig_pack_region(out, item | 32 << 8 | (dealloc ? MIG_DEALLOCATE : 0), from);
		return;
	}
	mig_pack_ports(out, item | 64 << 8 | MIG_INLINE, (const mach_port_t *)from, number);
	if (dealloc && number != 0)
		mig_deallocate(from, number * sizeof(mach_port_t));
}
""",
    "mig_pack_string": """\
/* A string that always takes `octets`; what is longer is cut. */
static inline void mig_pack_string(struct mig_packer *out, uint64_t item, const char *from, vm_size_t octets)
{
	char *data = mig_put(out, item);
	vm_size_t length = mig_strncpy(data, from, octets);

	__builtin_memset(data + length, 0, MIG_PADDED(octets) - length);
	out->at = data + MIG_PADDED(octets);
}
""",
    "mig_pack_text": """\
/* A string that takes what it needs, at most `octets` with its NUL. */
static inline void mig_pack_text(struct mig_packer *out, uint64_t item, const char *from, vm_size_t octets)
{
	char *at = out->at, *data = at + 8;
	vm_size_t length = mig_strncpy(data, from, octets) + 1;

	mig_end(out, data, length);
	*(mig_word_t *)at = item | MIG_NUMBER(length);
}
""",
    # --- unpacking
    "mig_unpacker": """\
struct mig_unpacker {
	char *at;          /* the next item */
	vm_size_t left;    /* octets of the message from there */
	boolean_t carries; /* a right or a region was among the items */
	boolean_t bad;     /* the message is not what it should be */
};

/* `least` and `most`: octets that the message may have. */
static inline struct mig_unpacker mig_unpacker(mach_msg_header_t *head, vm_size_t start, vm_size_t least,
    vm_size_t most)
{
	boolean_t bad = head->msgh_size < least || head->msgh_size > most;

	return (struct mig_unpacker){(char *)head + start, bad ? 0 : head->msgh_size - start, FALSE, bad};
}
""",
    "mig_unpacked": """\
/* Was all of the message read, and found as it should be? */
static inline boolean_t mig_unpacked(const struct mig_unpacker *in, const mach_msg_header_t *head)
{
	boolean_t complex = (head->msgh_bits & MACH_MSGH_BITS_COMPLEX) != 0;

	return !in->bad && in->left == 0 && in->carries == complex;
}
""",
    "mig_bad": """\
static inline void *mig_bad(struct mig_unpacker *in)
{
	in->left = 0;
	in->bad = TRUE;
	return NULL;
}
""",
    "mig_peek": """\
/* The next descriptor; 0, which none is, at the end. */
static inline uint64_t mig_peek(const struct mig_unpacker *in)
{
	return in->left < 8 ? 0 : *(const mig_word_t *)__builtin_assume_aligned(in->at, 8);
}
""",
    "mig_unpack": """\
/* The data of the next item, which has to be `item` and to have `octets`. */
static inline void *mig_unpack(struct mig_unpacker *in, uint64_t item, vm_size_t octets)
{
	char *data = in->at + 8;
	vm_size_t whole = 8 + MIG_PADDED(octets);

	if (mig_peek(in) != item || in->left < whole)
		return mig_bad(in);
	in->at += whole;
	in->left -= whole;
	return __builtin_assume_aligned(data, 8);
}
""",
    "mig_unpack_value": """\
static inline void mig_unpack_value(struct mig_unpacker *in, uint64_t item, void *to, vm_size_t octets)
{
	const void *from = mig_unpack(in, item, octets);

	if (from != NULL)
		__builtin_memcpy(to, from, octets);
}
""",
    "mig_unpack_type": """\
/* The disposition of the rights in the next item. */
static inline mach_msg_type_name_t mig_unpack_type(struct mig_unpacker *in)
{
	mach_msg_type_name_t type = mig_peek(in) & 0xff;

	if (!MACH_MSG_TYPE_PORT_ANY_RIGHT(type))
		mig_bad(in);
	return type;
}
""",
    "mig_unpack_port": """\
static inline mach_port_t mig_unpack_port(struct mig_unpacker *in, uint64_t item)
{
	const mig_word_t *from = mig_unpack(in, item, 8);

	if (from == NULL)
		return MACH_PORT_NULL;
	in->carries = TRUE;
	return (mach_port_t)*from;
}
""",
    "mig_unpack_ports": """\
static inline void mig_unpack_ports(struct mig_unpacker *in, uint64_t item, mach_port_t *to,
    mach_msg_type_number_t number)
{
	const mig_word_t *from = mig_unpack(in, item, 8 * (vm_size_t)number);

	if (from == NULL)
		return;
	for (mach_msg_type_number_t i = 0; i < number; i++)
		to[i] = (mach_port_t)from[i];
	in->carries |= number != 0;
}
""",
    "mig_unpack_region": """\
static inline vm_address_t mig_unpack_region(struct mig_unpacker *in, uint64_t item)
{
	const mig_word_t *from;

	from = mig_unpack(in, item | (mig_peek(in) & MIG_DEALLOCATE), 8);
	if (from == NULL)
		return 0;
	in->carries = TRUE;
	return *from;
}
""",
    "mig_count": """\
/* Elements of the next item, at most `most`, where each has `group` in the message.  All of
   its descriptor but the number is compared with `item`; a number that is no multiple of
   `group` is noticed when the item is unpacked. */
static inline mach_msg_type_number_t mig_count(struct mig_unpacker *in, uint64_t item, mach_msg_type_number_t group,
    mach_msg_type_number_t most)
{
	uint64_t found = mig_peek(in);
	mach_msg_type_number_t number = found >> 32;

	if ((uint32_t)(found & ~MIG_DEALLOCATE) == item && number / group <= most)
		return number / group;
	mig_bad(in);
	return 0;
}
""",
    "mig_empty_ports": """\
/* An array of no rights comes as it was sent, for there was nothing to translate in it.
   Its descriptor becomes what it would be with one. */
static inline void mig_empty_ports(struct mig_unpacker *in)
{
	uint64_t item = mig_peek(in);
	mach_msg_type_name_t type = item & 0xff;

	if (item >> 32 != 0 || (item & MIG_INLINE) == 0)
		return;
	if (type == MACH_MSG_TYPE_COPY_SEND || type == MACH_MSG_TYPE_MAKE_SEND)
		*(mig_word_t *)in->at = item - type + MACH_MSG_TYPE_PORT_SEND;
	else if (type == MACH_MSG_TYPE_MAKE_SEND_ONCE)
		*(mig_word_t *)in->at = item - type + MACH_MSG_TYPE_PORT_SEND_ONCE;
}
""",
    "mig_unpack_some": """\
/* An indefinite array, of `count` elements of `octets` each, `group` in the message. */
static inline void *mig_unpack_some(struct mig_unpacker *in, uint64_t item, mach_msg_type_number_t group,
    vm_size_t octets, mach_msg_type_number_t *count, boolean_t *is_inline)
{
	*is_inline = (mig_peek(in) & MIG_INLINE) != 0;
	if (!*is_inline) {
		*count = mig_count(in, item, group, UINT32_MAX / group);
		return (void *)mig_unpack_region(in, item | MIG_NUMBER(*count * group));
	}
	*count = mig_count(in, item | MIG_INLINE, group, (mach_msg_type_number_t)(MIG_INLINE_MAX / octets));
	return mig_unpack(in, item | MIG_INLINE | MIG_NUMBER(*count * group), *count * octets);
}
""",
    "mig_unpack_some_ports": """\
/* The same for ports, whose size depends on where they are; inline ones go to `buffer`. */
static inline void *mig_unpack_some_ports(struct mig_unpacker *in, uint64_t item, mach_msg_type_number_t group,
    mach_port_t *buffer, mach_msg_type_number_t *count, boolean_t *is_inline)
{
	*is_inline = (mig_peek(in) & MIG_INLINE) != 0;
	item |= *is_inline ? 64 << 8 | MIG_INLINE : 32 << 8;
	*count = mig_count(in, item, group, (*is_inline ? MIG_INLINE_MAX / 8 : UINT32_MAX) / group);
	if (!*is_inline)
		return (void *)mig_unpack_region(in, item | MIG_NUMBER(*count * group));
	mig_unpack_ports(in, item | MIG_NUMBER(*count * group), buffer, *count * group);
	return buffer;
}
""",
    "mig_unpack_string": """\
/* A string of `octets` with its NUL; one that has none loses its last character. */
static inline const char *mig_unpack_string(struct mig_unpacker *in, uint64_t item, vm_size_t octets)
{
	char *data = mig_unpack(in, item, octets);

	if (data == NULL || octets == 0)
		return "";
	data[octets - 1] = '\\0';
	return data;
}
""",
    # --- calls
    "mig_head": """\
static inline void mig_head(mach_msg_header_t *head, const struct mig_packer *out, mach_msg_bits_t bits,
    mach_port_t remote, mach_port_t local, mach_msg_id_t id)
{
	*head = (mach_msg_header_t){
	    .msgh_bits = bits | (out->carries ? MACH_MSGH_BITS_COMPLEX : 0),
	    .msgh_size = (mach_msg_size_t)(out->at - (char *)head),
	    .msgh_remote_port = remote,
	    .msgh_local_port = local,
	    .msgh_id = id,
	};
}
""",
    "mig_refuse": """\
/* The call ends with `result`; what its caller will not see goes. */
static kern_return_t mig_refuse(mach_msg_header_t *head, kern_return_t result)
{
	if (head->msgh_bits & MACH_MSGH_BITS_COMPLEX)
		mach_msg_destroy(head);
	return result;
}
""",
    "mig_rpc": """\
/* The request goes out, its reply comes into its place, at most `room` octets.  KERN_SUCCESS, or
   what the call ends with.  `own`: the reply port is the caller's. */
static kern_return_t mig_rpc(mach_msg_header_t *head, mach_msg_option_t option, mach_msg_size_t room,
    mach_msg_timeout_t timeout, boolean_t own)
{
	mach_port_t port = head->msgh_local_port;
	mach_msg_id_t id = head->msgh_id + 100;
	mach_msg_return_t result = mach_msg(head, MACH_SEND_MSG | MACH_RCV_MSG | option, head->msgh_size, room,
	    port, timeout, MACH_PORT_NULL);

	if (result != MACH_MSG_SUCCESS) {
		if (!own)
			mig_dealloc_reply_port(port);
		return result;
	}
	if (!own)
		mig_put_reply_port(port);
	if (head->msgh_id == id)
		return KERN_SUCCESS;
	if (head->msgh_id == MACH_NOTIFY_SEND_ONCE)
		return mig_refuse(head, MIG_SERVER_DIED);
	if (!own)
		mig_dealloc_reply_port(port); /* the right reply may still come to it */
	return mig_refuse(head, MIG_REPLY_MISMATCH);
}
""",
    "mig_is_reply": """\
static inline boolean_t mig_is_reply(const mig_reply_header_t *reply)
{
	return reply->Head.msgh_size >= sizeof *reply
	    && *(const mig_word_t *)&reply->RetCodeType == MIG_ITEM(MACH_MSG_TYPE_INTEGER_32, 32, MIG_INLINE, 1);
}
""",
    "mig_unpack_reply": """\
/* The out arguments; `most`: octets of the longest reply. */
static inline struct mig_unpacker mig_unpack_reply(mig_reply_header_t *reply, vm_size_t least, vm_size_t most)
{
	struct mig_unpacker in = mig_unpacker(&reply->Head, sizeof *reply, least, most);

	if (!mig_is_reply(reply))
		mig_bad(&in);
	return in;
}
""",
    "mig_bad_reply": """\
/* What the call ends with, if the out arguments are not as expected: the server may have
   failed, and sent none. */
static kern_return_t mig_bad_reply(mig_reply_header_t *reply)
{
	if (mig_is_reply(reply) && reply->Head.msgh_size == sizeof *reply && reply->RetCode != KERN_SUCCESS
	    && (reply->Head.msgh_bits & MACH_MSGH_BITS_COMPLEX) == 0)
		return reply->RetCode;
	return mig_refuse(&reply->Head, MIG_TYPE_ERROR);
}
""",
    "mig_fill": """\
/* Copies what there is room for; FALSE: that was not all. */
static inline boolean_t mig_fill(void *to, mach_msg_type_number_t room, const void *from,
    mach_msg_type_number_t count, vm_size_t octets)
{
	__builtin_memcpy(to, from, (count < room ? count : room) * octets);
	return count <= room;
}
""",
    "mig_place": """\
/* Where an indefinite array is for the caller: in his buffer `to`, else in a region that is
   his.  0: no memory for it. */
static inline vm_address_t mig_place(vm_address_t to, mach_msg_type_number_t room, const void *from,
    boolean_t is_inline, mach_msg_type_number_t count, vm_size_t octets)
{
	if (!is_inline)
		return (vm_address_t)from;
	if (count > room)
		mig_allocate(&to, count * octets);
	if (to != 0)
		__builtin_memcpy((void *)to, from, count * octets);
	return to;
}
""",
    "mig_finish": """\
/* Completes a reply. */
static inline void mig_finish(mach_msg_header_t *head, const struct mig_packer *out)
{
	head->msgh_size = (mach_msg_size_t)(out->at - (char *)head);
	if (out->carries)
		head->msgh_bits |= MACH_MSGH_BITS_COMPLEX;
}
""",
}


def helpers_of(body: str) -> str:
    """The preamble, and the helpers that `body` uses, each behind those that it uses."""
    wanted: list[str] = []
    for name, text in reversed(HELPERS.items()):
        if re.search(rf"\b{name}\b", body):
            wanted.append(text)
            body += text
    return "\n".join([PREAMBLE, *reversed(wanted)])
