/* The guest's side of `machemu bench`: one program, one measurement an argument.

   Each round is bracketed by two trace points, at which the host looks at its clock. */
#ifndef _BENCH_H_
#define _BENCH_H_

#include <stdint.h>

#include <mach/mach_types.h>
#include <mach/message.h>
#include <mach/vm_param.h>
#include <mach_init.h>
#include <mach/mach_traps.h>
#include <mach/thread_switch.h>

#define BENCH_BEGIN 0x62656e0001 /* codes of trace_point, no protocol's steps */
#define BENCH_END   0x62656e0002

struct bench {
	const char *name;
	int (*run)(uint64_t rounds, uint64_t count, mach_port_t port);
};

extern int bench_trap(uint64_t rounds, uint64_t count, mach_port_t port);
extern int bench_switch(uint64_t rounds, uint64_t count, mach_port_t port);
extern int bench_touch(uint64_t rounds, uint64_t count, mach_port_t port);
extern int bench_work(uint64_t rounds, uint64_t count, mach_port_t port);
extern int bench_client(uint64_t rounds, uint64_t count, mach_port_t port);
extern int bench_echo(uint64_t rounds, uint64_t count, mach_port_t port);
extern int bench_region_client(uint64_t rounds, uint64_t count, mach_port_t port);
extern int bench_region_server(uint64_t rounds, uint64_t count, mach_port_t port);

static inline void bench_begin(void)
{
	trace_point(BENCH_BEGIN, 0, 0, 0);
}

#define BENCH_REST_MS 20 /* longer than the host lets a node run at a time */

/* `result` keeps the compiler from leaving out what is measured.  The rest lets the host
   measure something else before the next round begins. */
static inline void bench_end(uint64_t result)
{
	trace_point(BENCH_END, result, 0, 0);
	thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, BENCH_REST_MS);
}

#endif
