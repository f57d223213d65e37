/* proc: the process server.  It loads programs into new tasks, knows what runs in which,
   and tells how they ended. */
#ifndef PROC_H
#define PROC_H

#include <stdbool.h>
#include <stdint.h>

#include <mach.h>
#include <machemu/engine.h>
#include <machemu/process.h>
#include <machemu/server_types.h>
#include <machemu/text.h>

#define START_FROM_MANIFEST 1
#define START_RESTART       2

#define SENDER_FAR UINT64_MAX /* no task of this node */

/* Who asked: a task, or any task of another node, since the network server that passes requests
   on knows nodes only. */
struct sender {
	uint64_t task;        /* number; SENDER_FAR */
	uint32_t node, epoch; /* of another node */
};

/* Someone who waits for the end of a process. */
struct waiter {
	struct waiter *next;
	mach_port_t    reply; /* a send-once right */
};

struct process {
	struct process *next;
	int            pid;
	struct sender  starter;
	uint64_t       task_number;
	mach_port_t    task;           /* null once it has ended */
	char           name[64];
	char           path[SERVER_PATH_MAX];
	char          *arguments;      /* NUL-ended strings, one after another */
	uint32_t       arguments_size;
	int            flags;          /* START_ */
	unsigned       restarts;
	bool           measured;
	uint8_t        digest[ENGINE_SHA256_SIZE];
	bool           told_status;    /* it has said how it ends */
	int            status;
	int            how;            /* PROCESS_, once it has ended */
	struct waiter *waiters;
	unsigned       waiter_count;
};

extern mach_port_t host_privileged, device_master;
extern mach_port_t boot_port, proc_port, notify_port, port_set;
extern struct engine engine;
extern bool measuring; /* there is an engine that digests */

extern void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- table.c: the processes ---------------------------------------------------- */

extern struct process *processes;
/* With the START_ flags; null: there is no memory, or too many run. */
extern struct process *process_new(int flags);
extern struct process *process_of_pid(int pid);
extern struct process *process_of_task(uint64_t task_number);
extern struct process *process_of_port(mach_port_t task);
/* The task has ended: tell who waits, start it again if it should be. */
extern void process_ended(struct process *process);
extern void process_free(struct process *process);
/* KERN_RESOURCE_SHORTAGE: too many wait, or no memory; who started it has some places more. */
extern kern_return_t process_wait(struct process *process, mach_port_t reply, bool by_starter);

/* --- load.c: from a file to a task ---------------------------------------------- */

/* A task with the program in it, and its first thread, not yet running.  The caller gets
   both ports.  KERN_INVALID_NAME, KERN_INVALID_VALUE, KERN_RESOURCE_SHORTAGE. */
extern kern_return_t load_program(struct process *process, mach_port_t *thread);

#endif
