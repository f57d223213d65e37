/* Numbers from text, and small arithmetic. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

static int digit_value(int c)
{
	if (isdigit(c))
		return c - '0';
	return isalpha(c) ? tolower(c) - 'a' + 10 : INT_MAX;
}

/* Is there "0x" and a hexadecimal digit at `p`? */
static bool has_hex_prefix(const char *p)
{
	return p[0] == '0' && (p[1] == 'x' || p[1] == 'X') && isxdigit((unsigned char)p[2]);
}

/* The number's sign and magnitude; `overflow` if it is above ULLONG_MAX.  Without
   digits: 0, and *end is `text`. */
static unsigned long long magnitude(const char *text, const char **end, int base, bool *negative,
    bool *overflow)
{
	const char *p = text;
	unsigned long long value = 0;

	*overflow = *negative = false;
	*end = text;
	if (base < 0 || base == 1 || base > 36) {
		errno = EINVAL;
		return 0;
	}
	while (isspace((unsigned char)*p))
		p++;
	if (*p == '-' || *p == '+')
		*negative = *p++ == '-';
	if ((base == 0 || base == 16) && has_hex_prefix(p)) {
		p += 2;
		base = 16;
	} else if (base == 0) {
		base = *p == '0' ? 8 : 10;
	}
	for (int digit; (digit = digit_value((unsigned char)*p)) < base; *end = ++p)
		if (__builtin_mul_overflow(value, (unsigned long long)base, &value) ||
		    __builtin_add_overflow(value, (unsigned long long)digit, &value))
			*overflow = true;
	return value;
}

long long strtoll(const char *restrict text, char **restrict end, int base)
{
	bool negative, overflow;
	const char *stop;
	unsigned long long value = magnitude(text, &stop, base, &negative, &overflow);
	unsigned long long limit = (unsigned long long)LLONG_MAX + negative;

	if (end != NULL)
		*end = (char *)stop;
	if (overflow || value > limit) {
		errno = ERANGE;
		return negative ? LLONG_MIN : LLONG_MAX;
	}
	return (long long)(negative ? -value : value);
}

unsigned long long strtoull(const char *restrict text, char **restrict end, int base)
{
	bool negative, overflow;
	const char *stop;
	unsigned long long value = magnitude(text, &stop, base, &negative, &overflow);

	if (end != NULL)
		*end = (char *)stop;
	if (overflow) {
		errno = ERANGE;
		return ULLONG_MAX;
	}
	return negative ? -value : value;
}

_Static_assert(sizeof(long) == sizeof(long long), "long has 64 bits");

long strtol(const char *restrict text, char **restrict end, int base)
{
	return (long)strtoll(text, end, base);
}

unsigned long strtoul(const char *restrict text, char **restrict end, int base)
{
	return (unsigned long)strtoull(text, end, base);
}

int atoi(const char *text)
{
	return (int)strtol(text, NULL, 10);
}

long atol(const char *text)
{
	return strtol(text, NULL, 10);
}

long long atoll(const char *text)
{
	return strtoll(text, NULL, 10);
}

int abs(int value)
{
	return value < 0 ? -value : value;
}

long labs(long value)
{
	return value < 0 ? -value : value;
}

long long llabs(long long value)
{
	return value < 0 ? -value : value;
}

div_t div(int a, int b)
{
	return (div_t){a / b, a % b};
}

ldiv_t ldiv(long a, long b)
{
	return (ldiv_t){a / b, a % b};
}

lldiv_t lldiv(long long a, long long b)
{
	return (lldiv_t){a / b, a % b};
}

intmax_t imaxabs(intmax_t value)
{
	return value < 0 ? -value : value;
}

imaxdiv_t imaxdiv(intmax_t a, intmax_t b)
{
	return (imaxdiv_t){a / b, a % b};
}

intmax_t strtoimax(const char *restrict text, char **restrict end, int base)
{
	return strtoll(text, end, base);
}

uintmax_t strtoumax(const char *restrict text, char **restrict end, int base)
{
	return strtoull(text, end, base);
}

static unsigned rand_state = 1;

int rand_r(unsigned *seed)
{
	/* xorshift, 32 bits: zero would stay zero. */
	unsigned x = *seed != 0 ? *seed : 0x9e3779b9U;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	*seed = x;
	return (int)(x & RAND_MAX);
}

int rand(void)
{
	return rand_r(&rand_state);
}

void srand(unsigned seed)
{
	rand_state = seed;
}

long random(void)
{
	return rand();
}

void srandom(unsigned seed)
{
	srand(seed);
}
