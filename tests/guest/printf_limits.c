/* printf at its limits. */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static char line[2000];

#define GIVES(expected, ...)                                                               \
	CHECK(snprintf(line, sizeof line, __VA_ARGS__) == (int)strlen(expected) && \
	    strcmp(line, expected) == 0)

static int integers(void)
{
	GIVES("0 -1 2147483647 -2147483648", "%d %d %i %d", 0, -1, INT_MAX, INT_MIN);
	GIVES("4294967295 0 ffffffff FFFFFFFF 37777777777", "%u %u %x %X %o", UINT_MAX, 0, UINT_MAX, UINT_MAX, UINT_MAX);
	GIVES("9223372036854775807 -9223372036854775808", "%ld %ld", LONG_MAX, LONG_MIN);
	GIVES("18446744073709551615 ffffffffffffffff", "%lu %llx", ULONG_MAX, ULLONG_MAX);
	GIVES("1777777777777777777777", "%lo", ULONG_MAX);
	GIVES("-1 255 -1 65535", "%hhd %hhu %hd %hu", 0xff, 0x1ff, 0xffff, 0x1ffff);
	GIVES("18446744073709551615 -1 -1 -1", "%zu %zd %jd %td", SIZE_MAX, (ssize_t)-1, (intmax_t)-1, (ptrdiff_t)-1);
	GIVES("    7|7    |00007|+7| 7|   +7|+0007", "%5d|%-5d|%05d|%+d|% d|%+5d|%+05d", 7, 7, 7, 7, 7, 7, 7);
	GIVES("-0007|  -07|-07  |", "%05d|%5.2d|%-5.2d|", -7, -7, -7);
	GIVES("||    |0", "%.0d|%.0x|%4.0d|%d", 0, 0, 0, 0);
	GIVES("0x2a 0X2A 052 0 0", "%#x %#X %#o %#x %#o", 42, 42, 42, 0, 0);
	GIVES("0x0000002a|      0x2a|0x2a      |", "%#010x|%#10x|%-#10x|", 42, 42, 42);
	GIVES("00000000000000000000000000000042", "%.32d", 42);
	GIVES("  42|42  |  42", "%*d|%*d|%*.*d", 4, 42, -4, 42, 4, -1, 42);
	return 0;
}

static int texts(void)
{
	GIVES("abc|  abc|abc  |ab|   ab|", "%s|%5s|%-5s|%.2s|%5.2s|", "abc", "abc", "abc", "abc", "abc");
	GIVES("(null)", "%s", (char *)NULL);
	GIVES("ab", "%.*s", 2, "ab without an end");
	GIVES("x|  x|x  |%", "%c|%3c|%-3c|%%", 'x', 'x', 'x');
	GIVES("0x1234 0x0", "%p %p", (void *)0x1234, NULL);
	CHECK(snprintf(line, sizeof line, "a%cb", 0) == 3 && memcmp(line, "a\0b", 4) == 0);
	int so_far = -1;
	long also = -1;
	GIVES("four five", "four%n five%ln", &so_far, &also);
	CHECK(so_far == 4 && also == 9);
	errno = ENOENT;
	CHECK(snprintf(line, sizeof line, "%s", strerror(errno)) > 0 && strcmp(line, "No such file or directory") == 0);
	return 0;
}

static int reals(void)
{
	GIVES("0.000000 -0.000000 1.500000", "%f %f %f", 0.0, -0.0, 1.5);
	GIVES("0.3 0.33 2 4 -0", "%.1f %.2f %.0f %.0f %.0f", 0.3, 1.0 / 3, 2.5, 3.5, -0.4);
	GIVES("10.0 9.9 1e+01", "%.1f %.1f %.0e", 9.96, 9.94, 9.96);
	GIVES("179769313486231570814527423731704356798070567525844996598917476803157260780028538760589558"
	      "632766878171540458953514382464234321326889464182768467546703537516986049910576551282076245"
	      "490090389328944075868508455133942304583236903222948165808559332123348274797826204144723168"
	      "738177180919299881250404026184124858368",
	    "%.0f", 0x1.fffffffffffffp1023);
	return 0;
}

static int more_reals(void)
{
	GIVES("1.000000e+00 1.23e-05 -9.9E+99 0e+00", "%e %.2e %.1E %.0e", 1.0, 1.234e-5, -9.9e99, 0.0);
	GIVES("4.940656e-324 1.797693e+308 2.225074e-308", "%e %e %e", 0x1p-1074, 0x1.fffffffffffffp1023, 0x1p-1022);
	GIVES("1 0.0001 1e-05 100000 1e+06 1.5 0.3 3.14159", "%g %g %g %g %g %g %g %g", 1.0, 1e-4, 1e-5, 1e5, 1e6, 1.5,
	    0.3, 3.14159265);
	GIVES("1.00000 1. 0.30000000000000004 1E+10 1e+01", "%#g %#.0f %.17g %G %.1g", 1.0, 1.0, 0.1 + 0.2, 1e10, 9.96);
	GIVES("inf -INF nan   inf|inf  |  inf", "%f %F %g %5f|%-5f|%05f", __builtin_inf(), -__builtin_inf(),
	    __builtin_nan(""), __builtin_inf(), __builtin_inf(), __builtin_inf());
	GIVES("   1.50|1.50   |0001.50|+1.50| 1.50", "%7.2f|%-7.2f|%07.2f|%+.2f|% .2f", 1.5, 1.5, 1.5, 1.5, 1.5);
	CHECK(snprintf(line, sizeof line, "%.1500f", 0.5) == 1502 && line[2] == '5' && line[3] == '0' && line[1501] == '0');
	CHECK(snprintf(line, sizeof line, "%.1074f", 0x1p-1074) == 1076 && line[1075] == '5' && line[2] == '0');
	return 0;
}

static int sizes(void)
{
	char *made = NULL;
	const char *volatile wrong = "%y"; /* hidden, or the compiler complains */

	memset(line, '#', sizeof line);
	CHECK(snprintf(line, 4, "%s", "abcdef") == 6 && strcmp(line, "abc") == 0 && line[4] == '#');
	CHECK(snprintf(line, 1, "%d", 12345) == 5 && line[0] == '\0');
	CHECK(snprintf(NULL, 0, "%100d", 1) == 100);
	CHECK(snprintf(line, 8, "%*d", 1000000, 1) == 1000000 && strcmp(line, "       ") == 0);
	errno = 0;
	CHECK(snprintf(line, 8, "%s%*d", "xx", INT_MAX, 1) == -1 && errno == EOVERFLOW);
	errno = 0;
	CHECK(snprintf(line, 8, wrong, 1) == -1 && errno == EINVAL);
	CHECK(sprintf(line, "%s-%d", "a", 1) == 3 && strcmp(line, "a-1") == 0);
	CHECK(asprintf(&made, "%d %s", 7, "made") == 6 && strcmp(made, "7 made") == 0);
	free(made);
	return 0;
}

int main(void)
{
	RUN(integers());
	RUN(texts());
	RUN(reals());
	RUN(more_reals());
	RUN(sizes());
	return 0;
}
