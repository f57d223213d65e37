/* Messages: the header, the type descriptors, mach_msg (mach-abi.md 1 and 2). */
#ifndef _MACH_MESSAGE_H_
#define _MACH_MESSAGE_H_

#include <stddef.h>
#include <stdint.h>

#include <mach/kern_return.h>
#include <mach/port.h>

typedef unsigned int mach_msg_bits_t;
typedef unsigned int mach_msg_size_t;    /* octets */
typedef integer_t mach_msg_id_t;
typedef natural_t mach_msg_timeout_t;    /* milliseconds */
typedef int mach_msg_option_t;
typedef kern_return_t mach_msg_return_t;
typedef unsigned int mach_msg_type_name_t;
typedef unsigned int mach_msg_type_size_t;
typedef natural_t mach_msg_type_number_t;

#define MACH_MSG_TIMEOUT_NONE ((mach_msg_timeout_t)0)

/* msgh_bits */
#define MACH_MSGH_BITS_ZERO          0x00000000U
#define MACH_MSGH_BITS_REMOTE_MASK   0x000000ffU
#define MACH_MSGH_BITS_LOCAL_MASK    0x0000ff00U
#define MACH_MSGH_BITS_COMPLEX       0x80000000U /* holds rights or out-of-line data */
#define MACH_MSGH_BITS_CIRCULAR      0x40000000U
#define MACH_MSGH_BITS_COMPLEX_PORTS 0x20000000U
#define MACH_MSGH_BITS_COMPLEX_DATA  0x10000000U
#define MACH_MSGH_BITS_MIGRATED      0x08000000U
#define MACH_MSGH_BITS_UNUSED        0x07ff0000U
#define MACH_MSGH_BITS_PORTS_MASK    (MACH_MSGH_BITS_REMOTE_MASK | MACH_MSGH_BITS_LOCAL_MASK)

#define MACH_MSGH_BITS(remote, local)    ((mach_msg_bits_t)(remote) | (mach_msg_bits_t)(local) << 8)
#define MACH_MSGH_BITS_REMOTE(bits)      ((bits) & MACH_MSGH_BITS_REMOTE_MASK)
#define MACH_MSGH_BITS_LOCAL(bits)       (((bits) & MACH_MSGH_BITS_LOCAL_MASK) >> 8)
#define MACH_MSGH_BITS_PORTS(bits)       ((bits) & MACH_MSGH_BITS_PORTS_MASK)
#define MACH_MSGH_BITS_OTHER(bits)       ((bits) & ~MACH_MSGH_BITS_PORTS_MASK)
#define MACH_MSGH_BITS_REMOTE_ONLY(bits) ((bits) & ~MACH_MSGH_BITS_LOCAL_MASK)

/* 32 octets.  A port's slot has 8, of which a user program uses the low 4. */
typedef struct {
	mach_msg_bits_t msgh_bits;
	mach_msg_size_t msgh_size;
	union {
		mach_port_t msgh_remote_port;
		rpc_uintptr_t msgh_remote_port_do_not_use;
	};
	union {
		mach_port_t msgh_local_port;
		rpc_uintptr_t msgh_protected_payload;
	};
	mach_port_seqno_t msgh_seqno;
	mach_msg_id_t msgh_id;
} mach_msg_header_t;

typedef mach_msg_header_t mach_msg_user_header_t;

#define msgh_kind       msgh_seqno
#define mach_msg_kind_t mach_port_seqno_t
#define msgh_sequence   msgh_seqno
#define MACH_MSGH_KIND_NORMAL 0x00000000

#define MACH_MSG_SIZE_MAX ((mach_msg_size_t)~0U)

/* A right inside a message: its name, in 8 octets. */
typedef struct {
	union {
		mach_port_name_t name;
		uintptr_t kernel_port_do_not_use;
	};
} mach_port_name_inlined_t;

/* What follows in the body.  Short and long form have one layout here. */
typedef struct {
	unsigned int msgt_name : 8,
	    msgt_size : 16, /* bits of one element */
	    msgt_unused : 5,
	    msgt_inline : 1,
	    msgt_longform : 1,
	    msgt_deallocate : 1;
	mach_msg_type_number_t msgt_number; /* elements */
} __attribute__((aligned(8))) mach_msg_type_t;

typedef struct {
	union {
		mach_msg_type_t msgtl_header;
		struct {
			unsigned int msgtl_name : 8,
			    msgtl_size : 16,
			    msgtl_unused : 5,
			    msgtl_inline : 1,
			    msgtl_longform : 1,
			    msgtl_deallocate : 1;
			mach_msg_type_number_t msgtl_number;
		};
	};
} __attribute__((aligned(8))) mach_msg_type_long_t;

_Static_assert(sizeof(mach_msg_header_t) == 32, "message header");
_Static_assert(sizeof(mach_msg_type_t) == 8, "type descriptor");
_Static_assert(sizeof(mach_msg_type_long_t) == 8, "long type descriptor");
_Static_assert(sizeof(mach_port_name_inlined_t) == 8, "inline right");

#define MACH_MSG_TYPE_UNSTRUCTURED 0
#define MACH_MSG_TYPE_BIT          0
#define MACH_MSG_TYPE_BOOLEAN      0
#define MACH_MSG_TYPE_INTEGER_16   1
#define MACH_MSG_TYPE_INTEGER_32   2
#define MACH_MSG_TYPE_CHAR         8
#define MACH_MSG_TYPE_BYTE         9
#define MACH_MSG_TYPE_INTEGER_8    9
#define MACH_MSG_TYPE_REAL         10
#define MACH_MSG_TYPE_INTEGER_64   11
#define MACH_MSG_TYPE_STRING       12
#define MACH_MSG_TYPE_STRING_C     12

#define MACH_MSG_TYPE_PORT_NONE      0
#define MACH_MSG_TYPE_PORT_NAME      15 /* a name as a plain number: no right moves */
#define MACH_MSG_TYPE_MOVE_RECEIVE   16
#define MACH_MSG_TYPE_MOVE_SEND      17
#define MACH_MSG_TYPE_MOVE_SEND_ONCE 18
#define MACH_MSG_TYPE_COPY_SEND      19
#define MACH_MSG_TYPE_MAKE_SEND      20
#define MACH_MSG_TYPE_MAKE_SEND_ONCE 21
#define MACH_MSG_TYPE_PROTECTED_PAYLOAD 23

#define MACH_MSG_TYPE_PORT_RECEIVE   MACH_MSG_TYPE_MOVE_RECEIVE
#define MACH_MSG_TYPE_PORT_SEND      MACH_MSG_TYPE_MOVE_SEND
#define MACH_MSG_TYPE_PORT_SEND_ONCE MACH_MSG_TYPE_MOVE_SEND_ONCE
#define MACH_MSG_TYPE_POLYMORPHIC    ((mach_msg_type_name_t)-1)
#define MACH_MSG_TYPE_LAST           23

#define MACH_MSG_TYPE_PORT_ANY(x)       ((x) >= MACH_MSG_TYPE_MOVE_RECEIVE && (x) <= MACH_MSG_TYPE_MAKE_SEND_ONCE)
#define MACH_MSG_TYPE_PORT_ANY_SEND(x)  ((x) >= MACH_MSG_TYPE_MOVE_SEND && (x) <= MACH_MSG_TYPE_MAKE_SEND_ONCE)
#define MACH_MSG_TYPE_PORT_ANY_RIGHT(x) ((x) >= MACH_MSG_TYPE_MOVE_RECEIVE && (x) <= MACH_MSG_TYPE_MOVE_SEND_ONCE)

/* Options of mach_msg. */
#define MACH_MSG_OPTION_NONE 0x00000000
#define MACH_SEND_MSG        0x00000001
#define MACH_RCV_MSG         0x00000002
#define MACH_SEND_TIMEOUT    0x00000010
#define MACH_SEND_NOTIFY     0x00000020
#define MACH_SEND_INTERRUPT  0x00000040 /* libmach: do not try again */
#define MACH_SEND_CANCEL     0x00000080
#define MACH_RCV_TIMEOUT     0x00000100
#define MACH_RCV_NOTIFY      0x00000200
#define MACH_RCV_INTERRUPT   0x00000400 /* libmach: do not try again */
#define MACH_RCV_LARGE       0x00000800
#define MACH_SEND_ALWAYS     0x00010000
#define MACH_RCV_SENDER      0x00100000 /* machemu: a mach_msg_sender_t after the message */
#define MACH_SEND_PEER       0x00200000 /* machemu: a mach_msg_peer_t after the message */

/* Appended at the message's size rounded up to 8, counted in rcv_size but not in
   msgh_size (mach-abi.md 2.11). */
typedef struct {
	natural_t mss_type; /* 1 */
	natural_t mss_size; /* 32 */
	uint64_t mss_task;  /* number of the sending task, never used again; 0: the kernel */
	natural_t mss_node; /* of the peer, if the network server sent it; else 0 */
	natural_t mss_epoch;
	natural_t mss_flags;
	natural_t mss_zero;
} mach_msg_sender_t;

typedef struct {
	natural_t msp_node;
	natural_t msp_epoch;
} mach_msg_peer_t;

_Static_assert(sizeof(mach_msg_sender_t) == 32, "sender");

/* Results: 0x1000_00xx for the send, 0x1000_40xx for the receive. */
#define MACH_MSG_SUCCESS 0x00000000

#define MACH_MSG_MASK       0x00003c00 /* shortages that may be or-ed in */
#define MACH_MSG_IPC_SPACE  0x00002000
#define MACH_MSG_VM_SPACE   0x00001000
#define MACH_MSG_IPC_KERNEL 0x00000800
#define MACH_MSG_VM_KERNEL  0x00000400

#define MACH_SEND_IN_PROGRESS        0x10000001
#define MACH_SEND_INVALID_DATA       0x10000002
#define MACH_SEND_INVALID_DEST       0x10000003
#define MACH_SEND_TIMED_OUT          0x10000004
#define MACH_SEND_WILL_NOTIFY        0x10000005
#define MACH_SEND_NOTIFY_IN_PROGRESS 0x10000006
#define MACH_SEND_INTERRUPTED        0x10000007
#define MACH_SEND_MSG_TOO_SMALL      0x10000008
#define MACH_SEND_INVALID_REPLY      0x10000009
#define MACH_SEND_INVALID_RIGHT      0x1000000a
#define MACH_SEND_INVALID_NOTIFY     0x1000000b
#define MACH_SEND_INVALID_MEMORY     0x1000000c
#define MACH_SEND_NO_BUFFER          0x1000000d
#define MACH_SEND_NO_NOTIFY          0x1000000e
#define MACH_SEND_INVALID_TYPE       0x1000000f
#define MACH_SEND_INVALID_HEADER     0x10000010

#define MACH_RCV_IN_PROGRESS    0x10004001
#define MACH_RCV_INVALID_NAME   0x10004002
#define MACH_RCV_TIMED_OUT      0x10004003
#define MACH_RCV_TOO_LARGE      0x10004004
#define MACH_RCV_INTERRUPTED    0x10004005
#define MACH_RCV_PORT_CHANGED   0x10004006
#define MACH_RCV_INVALID_NOTIFY 0x10004007
#define MACH_RCV_INVALID_DATA   0x10004008
#define MACH_RCV_PORT_DIED      0x10004009
#define MACH_RCV_IN_SET         0x1000400a
#define MACH_RCV_HEADER_ERROR   0x1000400b
#define MACH_RCV_BODY_ERROR     0x1000400c

/* The trap.  `mach_msg` is the trap that tries again when `thread_abort` broke it. */
extern mach_msg_return_t mach_msg_trap(mach_msg_header_t *msg, mach_msg_option_t option,
    mach_msg_size_t send_size, mach_msg_size_t rcv_size, mach_port_name_t rcv_name,
    mach_msg_timeout_t timeout, mach_port_name_t notify);
extern mach_msg_return_t mach_msg(mach_msg_header_t *msg, mach_msg_option_t option,
    mach_msg_size_t send_size, mach_msg_size_t rcv_size, mach_port_t rcv_name,
    mach_msg_timeout_t timeout, mach_port_t notify);
extern mach_msg_return_t mach_msg_send(mach_msg_header_t *msg);
extern mach_msg_return_t mach_msg_receive(mach_msg_header_t *msg);

/* Drop every right and region that a message holds. */
extern void mach_msg_destroy(mach_msg_header_t *msg);

typedef boolean_t (*mach_msg_demux_t)(mach_msg_header_t *request, mach_msg_header_t *reply);

/* Receive requests on `rcv_name`, answer them through `demux`; returns on an error. */
extern mach_msg_return_t mach_msg_server(mach_msg_demux_t demux, mach_msg_size_t max_size,
    mach_port_t rcv_name);
extern mach_msg_return_t mach_msg_server_timeout(mach_msg_demux_t demux, mach_msg_size_t max_size,
    mach_port_t rcv_name, mach_msg_option_t option, mach_msg_timeout_t timeout);

#endif
