/* C types of soak.defs. */
#ifndef MACHEMU_SOAK_TYPES_H
#define MACHEMU_SOAK_TYPES_H

typedef char *soak_data_t;
typedef const char *const_soak_data_t;

#endif
