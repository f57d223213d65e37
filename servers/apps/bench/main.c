/* bench NAME ROUNDS COUNT [PORT]: `count` operations in each of `rounds` rounds.  `port` is
   the name of a right the host has put into this task; 0: ask the ACS. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct bench benches[] = {
	{"trap", bench_trap},
	{"switch", bench_switch},
	{"touch", bench_touch},
	{"work", bench_work},
	{"client", bench_client},
	{"echo", bench_echo},
	{"region-client", bench_region_client},
	{"region-server", bench_region_server},
};

int main(int argc, char **argv)
{
	if (argc < 4) {
		printf("bench: want NAME ROUNDS COUNT [PORT]\n");
		return 2;
	}
	for (size_t i = 0; i < sizeof benches / sizeof benches[0]; i++)
		if (strcmp(argv[1], benches[i].name) == 0)
			return benches[i].run(strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0),
			    argc > 4 ? (mach_port_t)strtoul(argv[4], NULL, 0) : MACH_PORT_NULL);
	printf("bench: no measurement %s\n", argv[1]);
	return 2;
}
