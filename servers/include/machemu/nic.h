/*
 * The Ethernet driver library: one queue pair of the node's NIC, driven from user mode.
 *
 * Registers, rings and buffers are mapped into the task that uses the library, so the
 * kernel copies no frame: a sender builds its frame in a transmit buffer, a receiver reads
 * it where the device put it.  Interrupts arrive as messages (id NIC_INTERRUPT) on a port
 * of the caller's choice.  No call blocks, but nic_open, which makes RPCs.
 */
#ifndef _MACHEMU_NIC_H_
#define _MACHEMU_NIC_H_

#include <mach/mach_types.h>
#include <stddef.h>
#include <stdint.h>

#define NIC_INTERRUPT    100  /* msgh_id of device_intr_notify */
#define NIC_FRAME_MAX    1514 /* octets of a frame, header included, FCS not */
#define NIC_HEADER       14   /* octets: destination, source, EtherType */
#define NIC_ADDRESS_SIZE 6

struct nic_counters {
	uint64_t tx_frames, rx_frames, tx_octets, rx_octets;
	uint64_t rx_no_buffer; /* frames lost for want of a receive buffer */
	uint64_t tx_bad;       /* descriptors the device refused */
	uint64_t rx_bad;       /* frames lost to a buffer that the device refused */
	uint64_t rx_fcs;       /* whole NIC: frames with a bad check sequence */
	uint64_t rx_no_steer;  /* whole NIC: frames of no queue's EtherType */
	uint64_t rx_oversize;
};

struct nic {
	volatile uint32_t *queue;      /* register page of the queue pair */
	volatile uint32_t *privileged; /* register page of the NIC */
	volatile struct nic_descriptor *tx_ring, *rx_ring;
	uint8_t *tx_buffers, *rx_buffers;
	uint64_t tx_bus, rx_bus;       /* bus addresses of the buffers */
	uint32_t tx_tail, tx_head;     /* free running; head as last read */
	uint32_t rx_tail, rx_done;
	uint8_t address[NIC_ADDRESS_SIZE];
	mach_port_t device, queue_device;
};

/*
 * Open queue pair `queue` of `name` ("eth0") and steer `ether_type` to it.
 *
 * `master`: the device master port.  `interrupts`: the name of a *send* right, which the kernel
 * copies (the caller may drop its own): a receive right under that name does not do by itself.
 * Returns KERN_SUCCESS, or what device_open, device_map, vm_map or dma_window answered;
 * KERN_FAILURE if the registers are not those of this device.
 */
extern kern_return_t nic_open(struct nic *nic, mach_port_t master, const char *name,
    unsigned queue, uint16_t ether_type, mach_port_t interrupts);

/*
 * A transmit buffer of NIC_FRAME_MAX octets to build the next frame in, or NULL while the
 * ring is full.  The same buffer comes back until nic_send is called.
 */
extern uint8_t *nic_buffer(struct nic *nic);

/* Send the first `length` octets of the buffer that nic_buffer gave. */
extern void nic_send(struct nic *nic, size_t length);

/*
 * Hand every frame received so far to `take`, and its buffer back to the device after
 * that.  Also clears the interrupt.  Returns the number of frames.
 */
extern unsigned nic_receive(struct nic *nic,
    void (*take)(void *context, const uint8_t *frame, size_t length), void *context);

extern void nic_read_counters(const struct nic *nic, struct nic_counters *counters);

#endif
