/* What of UNIX a server without UNIX has. */
#ifndef _UNISTD_H_
#define _UNISTD_H_

#include <stddef.h>
#include <sys/types.h>

extern unsigned sleep(unsigned seconds);  /* 0 */
extern int usleep(unsigned microseconds); /* to the next tick of 10 ms; 0 */
extern _Noreturn void _exit(int status);

#endif
