/* What every server of machemu uses. */
#ifndef _MACHEMU_SERVER_H_
#define _MACHEMU_SERVER_H_

#include <stdint.h>

#include <mach/mach_types.h>
#include <mach/message.h>
#include <machemu/text.h>

#define SERVER_NAME_SIZE 64 /* octets of a name, padded with NULs */

/* Make a port, register it with the ACS as public and door port of `name`, and tell
   bootstrap that this task is ready (if the manifest says it should).  Returns the
   receive right; exits with status 1, after a line on stderr, if anything fails. */
extern mach_port_t server_check_in(const char *name);

/* The same for a port of the caller's, and without telling bootstrap. */
extern kern_return_t server_register(const char *name, mach_port_t port);

/* Tell bootstrap that the next entry of the manifest may start. */
extern void server_ready(void);

/* A send right to the server of that name, wherever it is.  KERN_SUCCESS, SERVER_NO_NAME,
   SERVER_NOT_ALLOWED, SERVER_BUSY, or the result of the call. */
extern kern_return_t server_look_up(const char *name, mach_port_t *port);

/* Statuses of ACS and GNS (security.md 4.7), as results of the system err_server. */
#define SERVER_RESULT(status) (0x2 << 26 | (status))
#define SERVER_NO_NAME     SERVER_RESULT(1)
#define SERVER_NOT_ALLOWED SERVER_RESULT(2)
#define SERVER_DEAD        SERVER_RESULT(3)
#define SERVER_BAD_RIGHT   SERVER_RESULT(4)
#define SERVER_EXPIRED     SERVER_RESULT(5)
#define SERVER_BUSY        SERVER_RESULT(6)
#define SERVER_LIMIT       SERVER_RESULT(7)

/* A name as the interfaces carry it; what is longer is cut. */
extern void server_name(char padded[SERVER_NAME_SIZE], const char *name);

/* --- protocol steps in the trace -------------------------------------------- */

enum step_protocol { STEP_RES = 1, STEP_ENC = 2, STEP_REG = 3, STEP_AUTHL = 4, STEP_AUTHR = 5 };

/* The step "res.6a" is STEP_CODE(STEP_RES, 6, 'a'), "res.6" is STEP_CODE(STEP_RES, 6, 0). */
#define STEP_CODE(protocol, number, letter) \
	((uint64_t)(protocol) << 16 | (uint64_t)(number) << 8 | (uint64_t)(letter))

/* Announce a step: its code, the port name or item id it is about, and the peer's node
   (0: none).  No effect but the trace's. */
extern int machemu_step(uint64_t code, uint64_t id, uint64_t peer_node);

#endif
