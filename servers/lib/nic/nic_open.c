/*
 * Opening a queue pair: registers into our map, our rings and buffers into its windows.
 */
#include <device/device_types.h>
#include <mach.h>
#include <machemu/mapped.h>
#include <machemu/nic.h>
#include <mig/device.h>
#include <string.h>

#include "nic_layout.h"
#include "nic_registers.h"

#define UNIT_NAME_MAX 16 /* "eth0q0": octets, terminator included */

static void
write_register64(volatile uint32_t *page, unsigned offset, uint64_t value)
{
	page[offset / 4] = (uint32_t)value;
	page[offset / 4 + 1] = (uint32_t)(value >> 32);
}

/* Fill the rings and tell the device where they are. */
static void
start_rings(struct nic *nic, uint64_t rings_bus)
{
	for (unsigned i = 0; i < TX_ENTRIES; i++)
		nic->tx_ring[i].bus = nic->tx_bus + i * BUFFER_SIZE;
	for (unsigned i = 0; i < RX_ENTRIES; i++) {
		nic->rx_ring[i].bus = nic->rx_bus + i * BUFFER_SIZE;
		nic->rx_ring[i].length = BUFFER_SIZE;
	}
	write_register64(nic->queue, Q_TX_BASE, rings_bus);
	nic->queue[Q_TX_ENTRIES / 4] = TX_ENTRIES;
	write_register64(nic->queue, Q_RX_BASE, rings_bus + TX_ENTRIES * sizeof(struct nic_descriptor));
	nic->queue[Q_RX_ENTRIES / 4] = RX_ENTRIES;
	nic->tx_tail = nic->tx_head = nic->queue[Q_TX_HEAD / 4];
	nic->rx_done = nic->queue[Q_RX_HEAD / 4];
	nic->rx_tail = nic->rx_done + RX_ENTRIES;
	nic->queue[Q_RX_TAIL / 4] = nic->rx_tail;
}

static kern_return_t
open_memory(struct nic *nic)
{
	vm_offset_t rings, tx, rx;
	uint64_t rings_bus;
	kern_return_t kr = mapped_window(nic->queue_device, RING_OCTETS, &rings, &rings_bus);

	if (kr == KERN_SUCCESS)
		kr = mapped_window(nic->queue_device, TX_OCTETS, &tx, &nic->tx_bus);
	if (kr == KERN_SUCCESS)
		kr = mapped_window(nic->queue_device, RX_OCTETS, &rx, &nic->rx_bus);
	if (kr != KERN_SUCCESS)
		return kr;
	nic->tx_ring = (volatile struct nic_descriptor *)rings;
	nic->rx_ring = nic->tx_ring + TX_ENTRIES;
	nic->tx_buffers = (uint8_t *)tx;
	nic->rx_buffers = (uint8_t *)rx;
	start_rings(nic, rings_bus);
	return KERN_SUCCESS;
}

/* Frames of `ether_type` go to queue pair `queue`: the first free row of the table. */
static kern_return_t
steer(struct nic *nic, unsigned queue, uint16_t ether_type)
{
	for (unsigned row = 0; row < P_STEERING_ROWS; row++) {
		volatile uint32_t *words = nic->privileged + P_STEERING / 4 + row * 4;

		if (words[0] & 1)
			continue;
		words[1] = ether_type;
		words[2] = queue;
		words[0] = 1;
		return KERN_SUCCESS;
	}
	return KERN_RESOURCE_SHORTAGE;
}

kern_return_t
nic_open(struct nic *nic, mach_port_t master, const char *name, unsigned queue,
    uint16_t ether_type, mach_port_t interrupts)
{
	char unit[UNIT_NAME_MAX] = {0};
	size_t length = strlen(name);
	int port = (int)interrupts;
	kern_return_t kr;

	memset(nic, 0, sizeof *nic);
	if (queue > 9 || length > sizeof unit - 3)
		return KERN_INVALID_ARGUMENT;
	memcpy(unit, name, length);
	unit[length] = 'q';
	unit[length + 1] = (char)('0' + queue);

	kr = mapped_open(master, name, &nic->device, &nic->privileged);
	if (kr == KERN_SUCCESS)
		kr = mapped_open(master, unit, &nic->queue_device, &nic->queue);
	if (kr != KERN_SUCCESS)
		return kr;
	if (nic->privileged[P_ID / 4] != PRIVILEGED_ID || nic->queue[Q_ID / 4] != QUEUE_ID ||
	    nic->queue[Q_VERSION / 4] != REGISTERS_VERSION)
		return KERN_FAILURE;
	for (unsigned i = 0; i < NIC_ADDRESS_SIZE; i++)
		nic->address[i] = (uint8_t)(nic->queue[(Q_ADDRESS + i) / 4] >> i % 4 * 8);
	kr = open_memory(nic);
	if (kr == KERN_SUCCESS)
		kr = device_set_status(nic->queue_device, DEVICE_INTERRUPT_PORT, (const int *)&port, 1);
	if (kr != KERN_SUCCESS)
		return kr;
	nic->queue[Q_INTERRUPTS / 4] = CAUSE_RX;
	return steer(nic, queue, ether_type);
}
