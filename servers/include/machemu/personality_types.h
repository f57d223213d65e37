/*
 * C types of personality_types.defs, and how errors travel: a personality's
 * own code goes into the error word that Mach gives every RPC, system
 * err_server, with a subsystem for each personality.
 */
#ifndef MACHEMU_PERSONALITY_TYPES_H
#define MACHEMU_PERSONALITY_TYPES_H

#include <mach/error.h>
#include <machemu/server_types.h>

#define PERSONALITY_DATA 4096 /* octets of one read or write */

typedef char personality_data_t[PERSONALITY_DATA];
typedef char dos_found_t[16]; /* a name of eight and three letters */

#define UNIX_SUBSYSTEM  0x50
#define DOS_SUBSYSTEM   0x51
#define OS2_SUBSYSTEM   0x52
#define WIN32_SUBSYSTEM 0x53

#define PERSONALITY_ERROR(subsystem, code) (err_server | err_sub(subsystem) | (code))

/* The code out of such a word; `other` for any other failure of the RPC. */
static inline int personality_error_code(kern_return_t result, int subsystem, int other)
{
	if (err_get_system(result) != err_get_system(err_server)
	    || err_get_sub(result) != subsystem)
		return other;
	return err_get_code(result);
}

#endif
