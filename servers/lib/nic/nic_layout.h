/*
 * Memory of a queue pair in the driver's task: one page of rings, then the buffers.
 */
#ifndef NIC_LAYOUT_H
#define NIC_LAYOUT_H

#define TX_ENTRIES   128  /* powers of two, at most 256 */
#define RX_ENTRIES   128
#define BUFFER_SIZE  2048 /* octets; two to a page, so none crosses one */

#define RING_OCTETS  4096 /* TX_ENTRIES descriptors, then RX_ENTRIES */
#define TX_OCTETS    (TX_ENTRIES * BUFFER_SIZE)
#define RX_OCTETS    (RX_ENTRIES * BUFFER_SIZE)

_Static_assert((TX_ENTRIES + RX_ENTRIES) * 16 <= RING_OCTETS, "rings");

#endif
