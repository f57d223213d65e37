/*
 * Sending and receiving.  Heads and tails run freely; their remainder by the ring's size
 * is the index.  Buffer i always belongs to descriptor i.
 */
#include <machemu/nic.h>

#include "nic_layout.h"
#include "nic_registers.h"

static uint32_t
read_register(const volatile uint32_t *page, unsigned offset)
{
	return page[offset / 4];
}

static uint64_t
read_register64(const volatile uint32_t *page, unsigned offset)
{
	uint32_t low = page[offset / 4];

	return (uint64_t)page[offset / 4 + 1] << 32 | low;
}

uint8_t *
nic_buffer(struct nic *nic)
{
	if (nic->tx_tail - nic->tx_head == TX_ENTRIES) {
		nic->tx_head = read_register(nic->queue, Q_TX_HEAD);
		if (nic->tx_tail - nic->tx_head == TX_ENTRIES)
			return NULL;
	}
	return nic->tx_buffers + nic->tx_tail % TX_ENTRIES * BUFFER_SIZE;
}

void
nic_send(struct nic *nic, size_t length)
{
	volatile struct nic_descriptor *slot = &nic->tx_ring[nic->tx_tail % TX_ENTRIES];

	slot->length = (uint32_t)length;
	slot->flags = 0;
	nic->tx_tail++;
	__sync_synchronize(); /* the frame and its descriptor before the doorbell */
	nic->queue[Q_TX_TAIL / 4] = nic->tx_tail;
}

unsigned
nic_receive(struct nic *nic, void (*take)(void *, const uint8_t *, size_t), void *context)
{
	unsigned taken = 0;

	/* Cleared first: a frame that comes while we look raises the interrupt again. */
	nic->queue[Q_CAUSES / 4] = CAUSE_RX | CAUSE_TX | CAUSE_ERROR;
	for (;;) {
		uint32_t head = read_register(nic->queue, Q_RX_HEAD);

		if (head == nic->rx_done)
			return taken;
		__sync_synchronize();
		while (nic->rx_done != head) {
			unsigned place = nic->rx_done % RX_ENTRIES;
			volatile struct nic_descriptor *slot = &nic->rx_ring[place];
			uint32_t length = slot->length;

			if (!(slot->flags & FLAG_ERROR) && length <= BUFFER_SIZE)
				take(context, nic->rx_buffers + place * BUFFER_SIZE, length);
			slot->length = BUFFER_SIZE;
			slot->flags = 0;
			nic->rx_done++;
			taken++;
		}
		nic->rx_tail = nic->rx_done + RX_ENTRIES;
		__sync_synchronize();
		nic->queue[Q_RX_TAIL / 4] = nic->rx_tail;
	}
}

void
nic_read_counters(const struct nic *nic, struct nic_counters *counters)
{
	counters->tx_frames = read_register64(nic->queue, Q_TX_FRAMES);
	counters->rx_frames = read_register64(nic->queue, Q_RX_FRAMES);
	counters->tx_octets = read_register64(nic->queue, Q_TX_OCTETS);
	counters->rx_octets = read_register64(nic->queue, Q_RX_OCTETS);
	counters->rx_no_buffer = read_register64(nic->queue, Q_RX_NO_BUFFER);
	counters->tx_bad = read_register64(nic->queue, Q_TX_BAD);
	counters->rx_bad = read_register64(nic->queue, Q_RX_BAD);
	counters->rx_fcs = read_register64(nic->privileged, P_RX_FCS);
	counters->rx_no_steer = read_register64(nic->privileged, P_RX_NO_STEER);
	counters->rx_oversize = read_register64(nic->privileged, P_RX_OVERSIZE);
}
