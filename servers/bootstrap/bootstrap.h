/* bootstrap: the first server of a node.  It keeps the privileged ports and the boot
   archive, and has proc start the entries of the manifest in their order. */
#ifndef BOOTSTRAP_H
#define BOOTSTRAP_H

#include <stdbool.h>
#include <stdint.h>

#include <mach.h>
#include <machemu/text.h>

#define PATH_OCTETS 256

/* --- archive.c: the ustar archive on partition 1 ------------------------------ */

struct archive_file {
	char     path[PATH_OCTETS];
	uint64_t record; /* first record of its contents on the partition */
	uint64_t size;   /* octets */
};

extern kern_return_t archive_open(mach_port_t device_master);
extern const struct archive_file *archive_find(const char *path);
extern unsigned archive_count(void);
extern const struct archive_file *archive_at(unsigned index);
/* At most `wanted` octets from `offset`, in fresh pages at `*data`. */
extern kern_return_t archive_read(const struct archive_file *file, uint64_t offset, uint32_t wanted,
    char **data, mach_msg_type_number_t *count);

/* --- manifest.c: what to start ------------------------------------------------ */

#define ENTRY_MAIN    0x01 /* decides the end of the run */
#define ENTRY_READY   0x02 /* the next entry waits until this one is ready */
#define ENTRY_RESTART 0x04
#define ENTRY_HOST    0x08 /* may have the privileged host port */
#define ENTRY_DEVICE  0x10 /* may have the device master port */

struct entry {
	char        name[64];
	char        path[PATH_OCTETS];
	unsigned    flags;
	char       *arguments;      /* NUL-ended strings, one after another */
	uint32_t    arguments_size;
	/* once it has been started */
	int         pid;
	uint64_t    task;
	mach_port_t end_port;       /* where proc tells its end */
	bool        watched;        /* proc has been asked to */
	bool        started, ready, ended;
};

extern struct entry *entries;
extern unsigned entry_count;

/* Reads "boot.manifest"; after a line on the console, false: it is not one. */
extern bool manifest_load(void);

/* --- order.c: the order of boot ------------------------------------------------ */

extern mach_port_t host_privileged, device_master;
extern mach_port_t boot_port, proc_port, acs_port, port_set;

/* Starts entries until one must become ready first, or all are started. */
extern void order_go_on(void);
extern struct entry *entry_of_task(uint64_t task);
extern void order_ready(uint64_t task);
extern void order_restarted(int pid, uint64_t task);
/* Ask proc what could not be asked so far. */
extern void order_ask(void);
/* One line on the console, behind the server's name. */
extern void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A second line, and the end of the node. */
extern void give_up(void);

/* --- ask.c: messages to proc, which never wait ----------------------------------- */

/* False: nothing more can be asked until `ask_accepted`, as order_ask heeds. */
extern bool ask_is_possible(void);
/* proc has taken, or lost, the request that its queue had no room for. */
extern void ask_accepted(void);
/* The answers of proc_reply.defs come to `reply`. */
extern kern_return_t ask_start(const struct entry *entry, mach_port_t reply);
extern kern_return_t ask_wait(const struct entry *entry, mach_port_t reply);

#endif
