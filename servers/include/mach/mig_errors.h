/* Results that MIG's stubs give, and the head of every reply. */
#ifndef _MACH_MIG_ERRORS_H_
#define _MACH_MIG_ERRORS_H_

#include <mach/kern_return.h>
#include <mach/message.h>

#define MIG_TYPE_ERROR      -300 /* the reply is malformed */
#define MIG_REPLY_MISMATCH  -301 /* the reply has another id */
#define MIG_REMOTE_ERROR    -302
#define MIG_BAD_ID          -303 /* the server does not know the id */
#define MIG_BAD_ARGUMENTS   -304 /* the request is malformed */
#define MIG_NO_REPLY        -305 /* the server will answer later */
#define MIG_EXCEPTION       -306
#define MIG_ARRAY_TOO_LARGE -307
#define MIG_SERVER_DIED     -308
#define MIG_DESTROY_REQUEST -309 /* destroy the request, send nothing */

typedef struct {
	mach_msg_header_t Head;
	mach_msg_type_t RetCodeType;
	kern_return_t RetCode;
} mig_reply_header_t;

typedef mig_reply_header_t mig_reply_error_t;

_Static_assert(sizeof(mig_reply_header_t) == 48, "reply header");

typedef struct mig_symtab {
	char *ms_routine_name;
	int ms_routine_number;
	void (*ms_routine)(void);
} mig_symtab_t;

typedef void (*mig_routine_t)(mach_msg_header_t *request, mach_msg_header_t *reply);

#endif
