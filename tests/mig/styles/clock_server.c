/* The server of clock.defs. */
#include <string.h>

#include <mach.h>
#include <clock_server.h>

struct {
	unsigned clock, to;
	int now, seqno;
	float drift;
} clock_told;
static char log_octets[] = "tick tock";

_Static_assert(OF_SERVER, "simport");

kern_return_t do_clock_version(mach_port_t clock, char *version)
{
	clock_told.clock = clock;
	strcpy(version, "clock 1.3");
	return KERN_SUCCESS;
}

kern_return_t do_clock_flags(mach_port_t clock, unsigned *flags)
{
	clock_told.clock = clock;
	*flags = 0xc0000001;
	return KERN_SUCCESS;
}

kern_return_t do_clock_rates(mach_port_t clock, double *rates)
{
	clock_told.clock = clock;
	for (int i = 0; i < 5; i++)
		rates[i] = i / 4.0;
	return KERN_SUCCESS;
}

kern_return_t do_clock_drift(mach_port_t clock, float short_, double long_, double *both)
{
	clock_told.clock = clock;
	clock_told.drift = short_;
	*both += (double)short_ + long_;
	return KERN_SUCCESS;
}

kern_return_t do_clock_table(mach_port_t clock, ticks_t (*table)[3], const short *alarms, mach_msg_type_number_t count,
    short *late, mach_msg_type_number_t *late_count)
{
	clock_told.clock = clock;
	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 3; j++)
			table[i][j] += 10 * i + j;
	*late_count = 0;
	for (unsigned i = 0; i < count; i++)
		if (alarms[i] < 0)
			late[(*late_count)++] = alarms[i];
	return KERN_SUCCESS;
}

kern_return_t do_clock_log(mach_port_t clock, ticks_t seqno, pointer_t *log, mach_msg_type_number_t *count)
{
	clock_told.clock = clock;
	clock_told.seqno = seqno;
	*log = (pointer_t)log_octets;
	*count = sizeof log_octets;
	return KERN_SUCCESS;
}

kern_return_t do_clock_tick(mach_port_t clock, mach_port_t to, ticks_t now)
{
	clock_told.clock = clock, clock_told.to = to, clock_told.now = now;
	return KERN_SUCCESS;
}
