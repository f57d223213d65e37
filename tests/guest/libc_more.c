/* What POSIX and BSD add to strings and memory; scanning; dates. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/param.h>
#include <time.h>

#include "check.h"

static int strings(void)
{
	char text[16];

	CHECK(strxfrm(text, "abc", sizeof text) == 3 && strcmp(text, "abc") == 0);
	CHECK(memccpy(text, "one;two", ';', 7) == text + 4 && memccpy(text, "abc", ';', 3) == NULL);
	memset(text, 'x', sizeof text);
	CHECK(stpncpy(text, "ab", 4) == text + 2 && memcmp(text, "ab\0\0x", 5) == 0);
	CHECK(stpncpy(text, "abcdef", 4) == text + 4 && memcmp(text, "abcdx", 5) == 0);
	CHECK(strcmp(strcasestr("Hay NEEDLE", "needle"), "NEEDLE") == 0 && strcasestr("hay", "needle") == NULL);
	CHECK(strcasestr("", "") != NULL);
	CHECK(strnstr("a needle", "need", 6) != NULL && strnstr("a needle", "need", 5) == NULL);
	CHECK(strerror_r(ENOMEM, text, sizeof text) == 0 && strcmp(text, "Out of memory") == 0);
	CHECK(strerror_r(ENOENT, text, 8) == ERANGE && strcmp(text, "No such") == 0);
	explicit_bzero(text, sizeof text);
	CHECK(text[0] == 0 && text[15] == 0);
	CHECK(strcmp(index("a=b=c", '='), "=b=c") == 0 && strcmp(rindex("a=b=c", '='), "=c") == 0);
	return 0;
}

static int memory(void)
{
	void *block = NULL;

	CHECK(posix_memalign(&block, 4, 8) == EINVAL && posix_memalign(&block, 24, 8) == EINVAL);
	CHECK(posix_memalign(&block, 256, 100) == 0 && (uintptr_t)block % 256 == 0);
	free(block);
	CHECK(posix_memalign(&block, 4096, SIZE_MAX / 2) == ENOMEM);
	block = valloc(10);
	CHECK(block != NULL && (uintptr_t)block % 4096 == 0);
	free(block);
	CHECK(imaxabs(-5) == 5 && imaxdiv(-7, 2).rem == -1 && strtoumax("ff", NULL, 16) == 255);
	CHECK(strtoimax("-12", NULL, 10) == -12);
	CHECK(MIN(2, 3) == 2 && MAX(2, 3) == 3 && howmany(9, 4) == 3 && roundup(9, 4) == 12 && powerof2(64));
	srandom(5);
	long first = random();
	srandom(5);
	CHECK(random() == first && first >= 0 && first <= RAND_MAX);
	return 0;
}

static int scanned_numbers(void)
{
	int a = 0, b = 0, c = 0, end = 0;
	unsigned char octet = 0;
	short small = 0;
	long large = 0;
	void *place = NULL;

	CHECK(sscanf("12 -34 0x1f", "%d %d %i", &a, &b, &c) == 3 && a == 12 && b == -34 && c == 31);
	CHECK(sscanf("  7,8", "%d,%d%n", &a, &b, &end) == 2 && a == 7 && b == 8 && end == 5);
	CHECK(sscanf("1234567", "%3d%2d", &a, &b) == 2 && a == 123 && b == 45);
	CHECK(sscanf("ff 17 300", "%x %o %hhu", (unsigned *)&a, (unsigned *)&b, &octet) == 3 && a == 255 && b == 15);
	CHECK(octet == 44);
	CHECK(sscanf("-5 9223372036854775807", "%hd %ld", &small, &large) == 2 && small == -5 && large == LONG_MAX);
	CHECK(sscanf("0x1234", "%p", &place) == 1 && place == (void *)0x1234);
	CHECK(sscanf("1 2 3", "%*d %d", &a) == 1 && a == 2);
	CHECK(sscanf("12 x", "%d %d", &a, &b) == 1 && sscanf("x", "%d", &a) == 0);
	CHECK(sscanf("", "%d", &a) == EOF && sscanf("  ", "%d", &a) == EOF && sscanf("5", "x%d", &a) == 0);
	CHECK(sscanf("50%", "%d%%%n", &a, &end) == 1 && a == 50 && end == 3);
	return 0;
}

static int scanned_texts(void)
{
	char word[16], rest[16], c[3] = "..";

	CHECK(sscanf("  one two", "%s %15[^\n]", word, rest) == 2);
	CHECK(strcmp(word, "one") == 0 && strcmp(rest, "two") == 0);
	CHECK(sscanf("abcdef", "%3s%c", word, c) == 2 && strcmp(word, "abc") == 0 && c[0] == 'd');
	CHECK(sscanf(" x", "%c", c) == 1 && c[0] == ' ');
	CHECK(sscanf("ab", "%2c", c) == 1 && memcmp(c, "ab", 2) == 0 && sscanf("a", "%2c", c) == 0);
	CHECK(sscanf("key=[v]", "%[a-z]=%[]v[]", word, rest) == 2);
	CHECK(strcmp(word, "key") == 0 && strcmp(rest, "[v]") == 0);
	CHECK(sscanf("123", "%[a-z]", word) == 0);
	CHECK(sscanf("a-b", "%[a-]", word) == 1 && strcmp(word, "a-") == 0);
	return 0;
}

static int dates(void)
{
	time_t second = 951782399; /* 28 February 2000 */
	struct tm date;
	char text[64];

	CHECK(gmtime_r(&second, &date) == &date && date.tm_year == 100 && date.tm_mon == 1 && date.tm_mday == 28);
	CHECK(date.tm_hour == 23 && date.tm_min == 59 && date.tm_sec == 59 && date.tm_wday == 1 && date.tm_yday == 58);
	date.tm_sec++;
	CHECK(timegm(&date) == second + 1 && date.tm_mday == 29 && date.tm_hour == 0);
	CHECK(strcmp(asctime(&date), "Tue Feb 29 00:00:00 2000\n") == 0);
	second = 0;
	CHECK(strcmp(ctime_r(&second, text), "Thu Jan  1 00:00:00 1970\n") == 0);
	CHECK(strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S%z %a %j %I%p %%", gmtime(&second)) == 39);
	CHECK(strcmp(text, "1970-01-01T00:00:00+0000 Thu 001 12AM %") == 0);
	CHECK(strftime(text, 4, "%Y", &date) == 0 && strftime(text, 5, "%Y", &date) == 4);
	second = LONG_MAX;
	errno = 0;
	CHECK(gmtime_r(&second, &date) == NULL && errno == EOVERFLOW);
	return 0;
}

int main(void)
{
	RUN(strings());
	RUN(memory());
	RUN(scanned_numbers());
	RUN(scanned_texts());
	RUN(dates());
	return 0;
}
