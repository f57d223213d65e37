/*
 * Between the files of libpersonality.
 */
#ifndef PERSONALITY_INTERNAL_H
#define PERSONALITY_INTERNAL_H

#include <machemu/personality.h>

/* What clients may make the server keep.  No program alone can take all of it. */
#define SESSIONS_OF_PROGRAM 4
#define SESSIONS_MAX        128
#define CHILDREN_OF_SESSION 64
#define CHILDREN_MAX        512
#define WAITERS_OF_SESSION  32
#define WAITERS_MAX         256
#define READERS_OF_SESSION  8
#define READERS_MAX         64

/* The port set the server receives from.  A port added to it is a new one, of
   which the library alone holds the receive right. */
kern_return_t port_in_set(mach_port_t *port);
void port_destroy(mach_port_t port);

/* proc, by its own port: the process that receives from `port`, and its task's
   number; a new one; and a request to tell the end of one on `port`, which comes
   as proc_wait_reply. */
kern_return_t process_of(mach_port_t port, int *pid, uint64_t *task);
kern_return_t process_start(const char *path, const char *arguments, size_t size, int *pid);
kern_return_t process_watch(int pid, mach_port_t port);
kern_return_t process_kill(int pid);

/* A late port that died unused, its send-once right gone: true if it was one. */
bool console_lost(mach_port_t port);
bool child_lost(mach_port_t port);

/* What happens to a session's children and readers when it ends. */
void children_abandon(session_t *session);
void console_abandon(session_t *session);

/* Files that a parent leaves for a child until it opens its session. */
bool legacy_take(int pid, file_table_t *files);

unsigned console_readers(void);

extern session_t *sessions;

#endif
