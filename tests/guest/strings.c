/* Memory, strings, characters, numbers, sorting. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "check.h"

#define SIZE 96

static unsigned char buffer[3 * SIZE], model[3 * SIZE];

static void fill_both(void)
{
	for (int i = 0; i < 3 * SIZE; i++)
		buffer[i] = model[i] = (unsigned char)(i * 7 + 1);
}

/* Every alignment and length, against the simplest way of doing it. */
static int copying(void)
{
	for (int to = 0; to < 20; to++)
		for (int from = 0; from < 20; from++)
			for (int size = 0; size < SIZE - 20; size += from % 3 + 1) {
				fill_both();
				CHECK(memcpy(buffer + to, buffer + SIZE + from, (size_t)size) == buffer + to);
				for (int i = 0; i < size; i++)
					model[to + i] = model[SIZE + from + i];
				for (int i = 0; i < 3 * SIZE; i++)
					CHECK(buffer[i] == model[i]);
			}
	return 0;
}

static int moving(void)
{
	unsigned char copy[SIZE];

	for (int to = 0; to < 40; to++)
		for (int from = 0; from < 40; from++)
			for (int size = 0; size < SIZE - 40; size += 5) {
				fill_both();
				memmove(buffer + to, buffer + from, (size_t)size);
				for (int i = 0; i < size; i++)
					copy[i] = model[from + i];
				for (int i = 0; i < size; i++)
					model[to + i] = copy[i];
				CHECK(memcmp(buffer, model, sizeof buffer) == 0);
			}
	return 0;
}

static int filling(void)
{
	for (int at = 0; at < 17; at++)
		for (int size = 0; size < SIZE; size++) {
			fill_both();
			memset(buffer + at, 0x1ab, (size_t)size);
			for (int i = 0; i < size; i++)
				model[at + i] = 0xab;
			for (int i = 0; i < 3 * SIZE; i++)
				CHECK(buffer[i] == model[i]);
		}
	CHECK(memcmp("abc", "abd", 3) < 0 && memcmp("ab\xff", "ab\x01", 3) > 0 && memcmp("x", "y", 0) == 0);
	CHECK(memchr("abc", 'c', 3) != NULL && memchr("abc", 'c', 2) == NULL);
	CHECK(memcmp(memmem("hayneedle", 9, "need", 4), "needle", 6) == 0 && memmem("abc", 3, "d", 1) == NULL);
	return 0;
}

static int strings(void)
{
	char text[16];

	CHECK(strlen("") == 0 && strlen("abc") == 3 && strnlen("abc", 2) == 2);
	CHECK(strcmp(strcpy(text, "abc"), "abc") == 0 && strcmp(strcat(text, "def"), "abcdef") == 0);
	CHECK(strcmp(strncat(text, "ghij", 2), "abcdefgh") == 0);
	memset(text, 'x', sizeof text);
	strncpy(text, "ab", 4);
	CHECK(memcmp(text, "ab\0\0x", 5) == 0);
	strncpy(text, "abcdef", 4);
	CHECK(memcmp(text, "abcdx", 4) == 0 && text[4] == 'x');
	CHECK(strlcpy(text, "abcdefgh", 5) == 8 && strcmp(text, "abcd") == 0);
	CHECK(strlcat(text, "xyz", 7) == 7 && strcmp(text, "abcdxy") == 0);
	CHECK(stpcpy(text, "abc") == text + 3);
	CHECK(strcmp("a", "b") < 0 && strcmp("\xff", "a") > 0 && strcmp("ab", "a") > 0 && strcmp("", "") == 0);
	CHECK(strncmp("abc", "abd", 2) == 0 && strncmp("abc", "abd", 3) < 0 && strncmp("a", "a", 9) == 0);
	CHECK(strcasecmp("HeLLo", "hEllO") == 0 && strncasecmp("ABc", "abD", 2) == 0 && strcasecmp("a", "B") < 0);
	return 0;
}

static int searching(void)
{
	const char *text = "a=b;c=d";
	char list[] = ";;one;two;;three;", fields[] = "a,,b";
	char *rest = fields;

	CHECK(strchr(text, '=') == text + 1 && strrchr(text, '=') == text + 5 && strchr(text, 'x') == NULL);
	CHECK(strchr(text, '\0') == text + 7 && strrchr(text, '\0') == text + 7);
	CHECK(strstr(text, "c=") == text + 4 && strstr(text, "") == text && strstr(text, "cd") == NULL);
	CHECK(strspn(text, "ab=") == 3 && strcspn(text, ";") == 3 && strpbrk(text, ";x") == text + 3);
	CHECK(strcmp(strtok(list, ";"), "one") == 0 && strcmp(strtok(NULL, ";"), "two") == 0);
	CHECK(strcmp(strtok(NULL, ";"), "three") == 0 && strtok(NULL, ";") == NULL && strtok(NULL, ";") == NULL);
	CHECK(strcmp(strsep(&rest, ","), "a") == 0 && strcmp(strsep(&rest, ","), "") == 0);
	CHECK(strcmp(strsep(&rest, ","), "b") == 0 && strsep(&rest, ",") == NULL);
	return 0;
}

static int characters(void)
{
	int counts[8] = {0};

	for (int c = -1; c < 256; c++) {
		counts[0] += isalnum(c) != 0;
		counts[1] += isspace(c) != 0;
		counts[2] += isxdigit(c) != 0;
		counts[3] += ispunct(c) != 0;
		counts[4] += iscntrl(c) != 0;
		counts[5] += isprint(c) != 0;
		counts[6] += tolower(c) != c;
		counts[7] += toupper(c) != c;
	}
	CHECK(counts[0] == 62 && counts[1] == 6 && counts[2] == 22 && counts[3] == 32);
	CHECK(counts[4] == 33 && counts[5] == 95 && counts[6] == 26 && counts[7] == 26);
	return 0;
}

static int numbers(void)
{
	char *end;
	const char *text;

	CHECK(atoi(" \t-42x") == -42 && atol("+7") == 7 && atoi("") == 0 && atoi("-") == 0);
	CHECK(strtol("0x1fg", &end, 0) == 31 && *end == 'g');
	CHECK(strtol("0x", &end, 16) == 0 && *end == 'x');
	CHECK(strtol("017", NULL, 0) == 15 && strtol("zz", NULL, 36) == 35 * 37 && strtol("19", &end, 8) == 1);
	text = "none";
	CHECK(strtol(text, &end, 10) == 0 && end == text);
	errno = 0;
	CHECK(strtol("9223372036854775807", NULL, 10) == LONG_MAX && errno == 0);
	CHECK(strtol("-9223372036854775808", NULL, 10) == LONG_MIN && errno == 0);
	CHECK(strtol("9223372036854775808", &end, 10) == LONG_MAX && errno == ERANGE && *end == '\0');
	errno = 0;
	CHECK(strtol("-99999999999999999999", NULL, 10) == LONG_MIN && errno == ERANGE);
	errno = 0;
	CHECK(strtoul("18446744073709551615", NULL, 10) == ULONG_MAX && errno == 0);
	CHECK(strtoul("18446744073709551616", NULL, 10) == ULONG_MAX && errno == ERANGE);
	CHECK(strtoul("-1", NULL, 10) == ULONG_MAX);
	errno = 0;
	CHECK(strtol("1", NULL, 1) == 0 && errno == EINVAL);
	CHECK(div(-7, 2).quot == -3 && div(-7, 2).rem == -1 && labs(-5L) == 5 && ffs(8) == 4 && ffs(0) == 0);
	return 0;
}

static int ascending(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

static int sorting(void)
{
	int values[101], key;
	unsigned seed = 5;

	for (int count = 0; count <= 101; count++) {
		long sum = 0;

		for (int i = 0; i < count; i++)
			sum += values[i] = rand_r(&seed) % 50;
		qsort(values, (size_t)count, sizeof values[0], ascending);
		for (int i = 0; i < count; i++)
			sum -= values[i];
		CHECK(sum == 0);
		for (int i = 1; i < count; i++)
			CHECK(values[i - 1] <= values[i]);
	}
	for (int i = 0; i < 101; i++)
		values[i] = 2 * i;
	for (key = -1; key < 203; key++) {
		int *found = bsearch(&key, values, 101, sizeof values[0], ascending);

		CHECK(key % 2 == 0 && key <= 200 ? found != NULL && *found == key : found == NULL);
	}
	return 0;
}

int main(void)
{
	RUN(copying());
	RUN(moving());
	RUN(filling());
	RUN(strings());
	RUN(searching());
	RUN(characters());
	RUN(numbers());
	RUN(sorting());
	return 0;
}
