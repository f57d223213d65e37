/* Who sent a message: the 32 octets that MACH_RCV_SENDER adds (mach-abi.md 2.11). */
#ifndef _MACHEMU_SENDER_H_
#define _MACHEMU_SENDER_H_

#include <stdint.h>

#include <mach/message.h>

#ifndef MACH_RCV_SENDER
#define MACH_RCV_SENDER 0x00100000
#endif

#define SENDER_IS_PEER 1 /* the network server sent it for a task of another node */

struct sender_record {
	uint32_t type;  /* 1 */
	uint32_t size;  /* 32 */
	uint64_t task;  /* number, never reused in a boot; 0: the kernel */
	uint32_t node;  /* of the peer, if the network server sent it */
	uint32_t epoch;
	uint32_t flags; /* SENDER_IS_PEER */
	uint32_t zero;
};

/* The record behind a message received with MACH_RCV_SENDER. */
static inline const struct sender_record *sender_of(const mach_msg_header_t *message)
{
	return (const struct sender_record *)((const char *)message + ((message->msgh_size + 7) & ~7u));
}

#endif
