/*
 * The NIC's registers, by offset in a 4 KiB page.  Registers of 8 octets are read and
 * written as two words, low first; writing the high one commits.
 */
#ifndef NIC_REGISTERS_H
#define NIC_REGISTERS_H

#include <stdint.h>

/* Page of a queue pair. */
#define Q_ID             0x000
#define Q_VERSION        0x004
#define Q_STATUS         0x00c
#define Q_TX_BASE        0x010 /* 8 */
#define Q_TX_ENTRIES     0x018
#define Q_TX_HEAD        0x01c /* the device has sent up to here */
#define Q_TX_TAIL        0x020 /* the driver has filled up to here: doorbell */
#define Q_INTERRUPTS     0x028 /* enabled */
#define Q_CAUSES         0x02c /* write ones to clear */
#define Q_RX_BASE        0x030 /* 8 */
#define Q_RX_ENTRIES     0x038
#define Q_RX_HEAD        0x03c /* the device has filled up to here */
#define Q_RX_TAIL        0x040 /* the driver has posted up to here: doorbell */
#define Q_ADDRESS        0x048 /* 8 */
#define Q_TX_FRAMES      0x060 /* 8, as the rest */
#define Q_RX_FRAMES      0x068
#define Q_TX_OCTETS      0x070
#define Q_RX_OCTETS      0x078
#define Q_RX_NO_BUFFER   0x080
#define Q_TX_BAD         0x088
#define Q_RX_BAD         0x090

/* Privileged page. */
#define P_ID             0x000
#define P_STEERING       0x100 /* rows of 16: valid, EtherType, queue, zero */
#define P_STEERING_ROWS  32
#define P_RX_FCS         0x300 /* 8, as the rest */
#define P_RX_NO_STEER    0x308
#define P_RX_OVERSIZE    0x310

#define QUEUE_ID         0x3143494e /* "NIC1" */
#define PRIVILEGED_ID    0x5043494e /* "NICP" */
#define REGISTERS_VERSION 1

#define FLAG_ERROR       0x40000000 /* of a descriptor */

#define CAUSE_RX         0x1
#define CAUSE_TX         0x2
#define CAUSE_ERROR      0x4

struct nic_descriptor {
	uint64_t bus;    /* address of the buffer */
	uint32_t length; /* octets: of the frame; posted for receiving: of the buffer */
	uint32_t flags;  /* written by the device */
};

_Static_assert(sizeof(struct nic_descriptor) == 16, "descriptor");

#endif
