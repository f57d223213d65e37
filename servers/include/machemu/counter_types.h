/* C types of counter.defs. */
#ifndef MACHEMU_COUNTER_TYPES_H
#define MACHEMU_COUNTER_TYPES_H

#define COUNTER_DATA 2048 /* octets of an echo within the message */

typedef char counter_data_t[COUNTER_DATA];
typedef char *counter_block_t;
typedef const char *const_counter_data_t;
typedef const char *const_counter_block_t;

#endif
