/* mach-abi.md 1.5: how a body is laid out, and what is refused. */
#include "conform.h"

#define WORDS 12

struct words {
	mach_msg_header_t head;
	uint64_t body[WORDS];
};

static mach_port_t port;

#define DESCRIPTOR(name, bits, flags, number) \
	((uint64_t)(number) << 32 | (uint64_t)(flags) << 24 | (uint64_t)(bits) << 8 | (name))
#define INLINE     0x20
#define LONG_FORM  0x40
#define DEALLOCATE 0x80

static struct words message;

/* Send a complex message with `count` words of body. */
static mach_msg_return_t send_words(int count)
{
	message.head = header_to(port, MACH_MSG_TYPE_MAKE_SEND, 1);
	message.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
	return mach_msg(&message.head, SEND_BY_TIME, 32 + 8 * count, 0, 0, 0, 0);
}

static mach_msg_return_t send_one_descriptor(uint64_t descriptor, uint64_t word)
{
	message.body[0] = descriptor;
	message.body[1] = word;
	return send_words(2);
}

static int sizes(void)
{
	mach_msg_header_t head = header_to(port, MACH_MSG_TYPE_MAKE_SEND, 1);

	CHECK(mach_msg(&head, SEND_BY_TIME, 0, 0, 0, 0, 0) == MACH_SEND_MSG_TOO_SMALL);
	CHECK(mach_msg(&head, SEND_BY_TIME, 24, 0, 0, 0, 0) == MACH_SEND_MSG_TOO_SMALL);
	for (int odd = 33; odd < 40; odd++)
		CHECK(mach_msg(&message.head, SEND_BY_TIME, odd, 0, 0, 0, 0) == MACH_SEND_MSG_TOO_SMALL);
	CHECK(mach_msg(&head, SEND_BY_TIME, 0xfffffff8, 0, 0, 0, 0) == MACH_SEND_NO_BUFFER);
	return 0;
}

static int refused(void)
{
	uint64_t name = new_port();

	/* Items that run past the end. */
	CHECK(send_one_descriptor(DESCRIPTOR(MACH_MSG_TYPE_INTEGER_64, 64, INLINE, 2), 0) == MACH_SEND_INVALID_DATA);
	CHECK(send_one_descriptor(DESCRIPTOR(MACH_MSG_TYPE_BYTE, 8, INLINE, 9), 0) == MACH_SEND_INVALID_DATA);
	CHECK(send_one_descriptor(DESCRIPTOR(MACH_MSG_TYPE_BYTE, 8, INLINE, 0xffffffff), 0) == MACH_SEND_INVALID_DATA);
	message.body[0] = DESCRIPTOR(MACH_MSG_TYPE_BYTE, 8, LONG_FORM, 1);
	CHECK(send_words(1) == MACH_SEND_INVALID_DATA);
	/* Bits that must be zero. */
	CHECK(send_one_descriptor(DESCRIPTOR(MACH_MSG_TYPE_BYTE, 8, INLINE | 1, 1), 0) == MACH_SEND_INVALID_TYPE);
	CHECK(send_one_descriptor(DESCRIPTOR(MACH_MSG_TYPE_BYTE, 8, INLINE | 0x10, 1), 0) == MACH_SEND_INVALID_TYPE);
	CHECK(send_one_descriptor(DESCRIPTOR(MACH_MSG_TYPE_BYTE, 8, INLINE | DEALLOCATE, 1), 0) ==
	    MACH_SEND_INVALID_TYPE);
	/* A right inline has a slot of 64 bits. */
	CHECK(send_one_descriptor(DESCRIPTOR(MACH_MSG_TYPE_MAKE_SEND, 32, INLINE, 1), name) == MACH_SEND_INVALID_DATA);
	/* Names in an array have 32. */
	CHECK(send_one_descriptor(DESCRIPTOR(MACH_MSG_TYPE_MAKE_SEND, 64, LONG_FORM, 1), (uint64_t)&name) ==
	    MACH_SEND_INVALID_TYPE);
	/* Memory that is not there. */
	CHECK(send_one_descriptor(DESCRIPTOR(MACH_MSG_TYPE_BYTE, 8, LONG_FORM, 8), 64) == MACH_SEND_INVALID_MEMORY);
	CHECK(send_one_descriptor(DESCRIPTOR(MACH_MSG_TYPE_MAKE_SEND, 32, LONG_FORM, 1), 64) ==
	    MACH_SEND_INVALID_MEMORY);
	CHECK(fetch_id(port) == -1);
	CHECK(sends(name) == 0 && status_of(name).mps_mscount == 0);
	return 0;
}

static int accepted(void)
{
	inbox_t in;
	struct words *got = (struct words *)&in;
	mach_port_t right = new_port();

	/* Items of many kinds: each begins at a multiple of 8, and the high half of a slot is not
	   looked at; PORT_NAME is a number. */
	message.body[0] = DESCRIPTOR(MACH_MSG_TYPE_BYTE, 8, INLINE, 3);
	message.body[1] = 0x332211;
	message.body[2] = DESCRIPTOR(MACH_MSG_TYPE_PORT_NAME, 32, INLINE, 1);
	message.body[3] = NO_NAME;
	message.body[4] = DESCRIPTOR(MACH_MSG_TYPE_MAKE_SEND, 64, INLINE, 2);
	message.body[5] = 0x5555555500000000 | right;
	message.body[6] = MACH_PORT_DEAD;
	message.body[7] = DESCRIPTOR(MACH_MSG_TYPE_CHAR, 8, LONG_FORM | DEALLOCATE, 0);
	message.body[8] = 64; /* of nothing: no address is looked at */
	message.body[9] = DESCRIPTOR(MACH_MSG_TYPE_INTEGER_32, 32, INLINE, 0);
	CHECK(send_words(10) == MACH_MSG_SUCCESS);
	CHECK(fetch(port, &in) == MACH_MSG_SUCCESS);
	CHECK(in.head.msgh_size == 32 + 80);
	CHECK(got->body[0] == message.body[0] && (got->body[1] & 0xffffff) == 0x332211);
	CHECK(got->body[2] == message.body[2] && (got->body[3] & 0xffffffff) == NO_NAME);
	CHECK(got->body[4] == DESCRIPTOR(MACH_MSG_TYPE_PORT_SEND, 64, INLINE, 2));
	CHECK(got->body[5] == right && got->body[6] == 0xffffffff);
	CHECK(got->body[7] == message.body[7] && got->body[8] == 0);
	CHECK(got->body[9] == message.body[9]);
	CHECK(sends(right) == 1);

	/* A simple message's body is any octets. */
	memset(message.body, 0xff, sizeof message.body);
	message.head = header_to(port, MACH_MSG_TYPE_MAKE_SEND, 1);
	CHECK(mach_msg(&message.head, SEND_BY_TIME, sizeof message, 0, 0, 0, 0) == MACH_MSG_SUCCESS);
	CHECK(fetch(port, &in) == MACH_MSG_SUCCESS);
	CHECK(memcmp(got->body, message.body, sizeof message.body) == 0);
	return 0;
}

int main(void)
{
	port = new_port();
	RUN(sizes());
	RUN(refused());
	RUN(accepted());
	return 0;
}
