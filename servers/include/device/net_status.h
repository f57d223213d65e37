/* Network devices: status, packet filters, received packets (mach-abi.md 11.2, 11.4). */
#ifndef _DEVICE_NET_STATUS_H_
#define _DEVICE_NET_STATUS_H_

#include <device/device_types.h>
#include <mach/message.h>

struct net_status {
	int min_packet_size;
	int max_packet_size;
	int header_format;
	int header_size;
	int address_size;
	int flags;
	int mapped_size;
};
#define NET_STATUS_COUNT (sizeof(struct net_status) / sizeof(int))
#define NET_STATUS       (dev_flavor_t)(('n' << 16) + 1)
#define NET_ADDRESS      (dev_flavor_t)(('n' << 16) + 2)
#define NET_DSTADDR      (dev_flavor_t)(('n' << 16) + 3)
#define NET_FLAGS        (dev_flavor_t)(('n' << 16) + 4)

#define HDR_ETHERNET     1
#define HDR_EXP_ETHERNET 2
#define HDR_PRO_NET      4
#define HDR_CHAOS        5
#define HDR_802          6

#define NET_MAX_FILTER 128 /* 16-bit words */

typedef unsigned short filter_t;
typedef filter_t *filter_array_t;

#define NETF_IN  0x1
#define NETF_OUT 0x2
#define NETF_BPF (1 << 10)

#define NETF_NBPA 10 /* bits of an argument */
#define NETF_NBPO 6  /* bits of an operator */
#define NETF_ARG(word) ((word) & 0x3ff)
#define NETF_OP(word)  ((word) >> NETF_NBPA & 0x3f)

#define NETF_OPERATOR(op) ((op) << NETF_NBPA)
#define NETF_NOP   NETF_OPERATOR(0)
#define NETF_EQ    NETF_OPERATOR(1)
#define NETF_LT    NETF_OPERATOR(2)
#define NETF_LE    NETF_OPERATOR(3)
#define NETF_GT    NETF_OPERATOR(4)
#define NETF_GE    NETF_OPERATOR(5)
#define NETF_AND   NETF_OPERATOR(6)
#define NETF_OR    NETF_OPERATOR(7)
#define NETF_XOR   NETF_OPERATOR(8)
#define NETF_COR   NETF_OPERATOR(9)
#define NETF_CAND  NETF_OPERATOR(10)
#define NETF_CNOR  NETF_OPERATOR(11)
#define NETF_CNAND NETF_OPERATOR(12)
#define NETF_NEQ   NETF_OPERATOR(13)
#define NETF_LSH   NETF_OPERATOR(14)
#define NETF_RSH   NETF_OPERATOR(15)
#define NETF_ADD   NETF_OPERATOR(16)
#define NETF_SUB   NETF_OPERATOR(17)

#define NETF_NOPUSH     0
#define NETF_PUSHLIT    1
#define NETF_PUSHZERO   2
#define NETF_PUSHIND    14
#define NETF_PUSHHDRIND 15
#define NETF_PUSHWORD   16
#define NETF_PUSHHDR    960
#define NETF_PUSHSTK    992

#define NET_HI_PRI  100
#define NET_PRI_MAX 255

#define NET_RCV_MAX     4095
#define NET_HDW_HDR_MAX 64
#define NET_RCV_MSG_ID  2999

struct packet_header { /* network order */
	unsigned short length;
	unsigned short type;
};

struct net_rcv_msg {
	mach_msg_header_t msg_hdr;
	mach_msg_type_t header_type;
	char header[NET_HDW_HDR_MAX];
	mach_msg_type_t packet_type;
	char packet[NET_RCV_MAX]; /* a packet_header, then what follows the hardware header */
	boolean_t sent;           /* never on the wire */
};
typedef struct net_rcv_msg *net_rcv_msg_t;
#define net_rcv_msg_packet_count packet_type.msgt_number

#endif
