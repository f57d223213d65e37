#ifndef HURD_TYPES_H
#define HURD_TYPES_H

#include <stdint.h>

typedef struct {
	int64_t seconds;
	int nanoseconds;
} timestamp_t;

typedef struct {
	unsigned kind;
	uint64_t inode;
	unsigned mode;
	uint16_t links;
	char tag[3];
	timestamp_t changed;
	int spare[5];
} io_statbuf_t;

/* What the server has for a port. */
struct node {
	unsigned port;
	int uses;
};
typedef struct node *node_t;

extern node_t begin_using(unsigned port);
extern node_t begin_using_payload(uintptr_t payload);
extern void end_using(node_t node);

#endif
