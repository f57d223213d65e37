/* A MSG item that has come in, taken apart (4.8). */
#ifndef GNS_INCOMING_H
#define GNS_INCOMING_H

#include "rights.h"

struct region {
	uint32_t offset, length; /* of its pointer word; octets */
	const uint8_t *octets;
	vm_address_t address;    /* of our copy, which goes with the message */
	bool used;               /* an item of the body has it */
};

struct incoming {
	struct association *from;
	uint64_t id;             /* of the item */
	uint32_t octets;         /* of its body */
	uint64_t uid;
	bool to_once, is_complex;
	uint32_t msgh_id;
	struct pd reply;
	unsigned pd_count, region_count;
	struct pd pds[WIRE_DESCRIPTORS_MAX]; /* by region and offset */
	struct region regions[WIRE_REGIONS_MAX];
	const uint8_t *body;     /* the message's */
	uint32_t length;
};

/* Take an item's body apart and check all that it says of itself.  False: malformed. */
extern bool incoming_read(struct incoming *in, const uint8_t *body, uint32_t length);
/* The region whose pointer word lies at `offset` of the body; null. */
extern struct region *incoming_region(struct incoming *in, uint32_t offset);
/* Index of the first port descriptor of that region or a later one; 0: the inline data. */
extern unsigned incoming_first_of(const struct incoming *in, unsigned region);

#endif
