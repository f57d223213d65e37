/* Results as text. */
#ifndef _MACH_ERROR_TEXT_H_
#define _MACH_ERROR_TEXT_H_

#include <mach/error.h>

/* One line in English; the text of an unknown result tells its number. */
extern const char *mach_error_string(mach_error_t error);
/* The system the result comes from, as "(ipc/rcv)". */
extern const char *mach_error_type(mach_error_t error);
/* "what: (type) text", on stderr. */
extern void mach_error(const char *what, mach_error_t error);

#endif
