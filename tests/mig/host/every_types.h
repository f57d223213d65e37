/* C types of every.defs and special.defs. */
#ifndef EVERY_TYPES_H
#define EVERY_TYPES_H

#include <stdint.h>

typedef struct {
	int first;
	short second;
	char third[3];
} pair_t;

typedef struct {
	char first;
	char second[4];
} octets_t;

typedef struct {
	pair_t pair;
	int64_t stamps[2];
	octets_t octets;
} nested_t;

typedef struct {
	int numbers[3];
} triple_t;

typedef struct {
	pair_t pairs[2];
} two_pairs_t;

typedef struct {
	int numbers[600];
} big_t;

typedef int flags_t;

/* What a server of special.defs has for a port. */
struct object {
	unsigned port, uses;
};
typedef struct object *object_t;

extern object_t object_of(unsigned port);
extern object_t object_of_payload(uintptr_t payload);
extern unsigned port_of(object_t object);
extern void object_release(object_t object);
extern double to_celsius(int kelvin);
extern int to_kelvin(double celsius);

#endif
