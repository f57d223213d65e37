/* scanf's language: sscanf.

   Conversions d i u o x X p c s [ n %; * and a width; sizes hh h l ll j z t.  A number too
   large for its type is the nearest there is, as strtol has it. */
#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 80 /* characters of a number that are looked at */

struct input {
	const char *start, *at;
	int stored;
	bool ended; /* a conversion found no more input */
};

struct scan_spec {
	bool skip;
	size_t width; /* 0: not given */
	int size;     /* octets of an integer */
};

static void skip_space(struct input *in)
{
	while (isspace((unsigned char)*in->at))
		in->at++;
}

static void store_integer(void *to, int size, uintmax_t value)
{
	memcpy(to, &value, (size_t)size); /* the low end is in front */
}

static int read_size(const char **format)
{
	int size = sizeof(int);

	for (;; ++*format) {
		switch (**format) {
		case 'h': size = size == sizeof(short) ? sizeof(char) : sizeof(short); break;
		case 'l': case 'q': case 'j': case 'z': case 't': size = sizeof(long); break;
		default: return size;
		}
	}
}

static struct scan_spec read_spec(const char **format)
{
	struct scan_spec spec = {0};

	if (**format == '*') {
		spec.skip = true;
		++*format;
	}
	while (isdigit((unsigned char)**format))
		spec.width = spec.width * 10 + (size_t)(*(*format)++ - '0');
	spec.size = read_size(format);
	return spec;
}

static bool scan_integer(struct input *in, const struct scan_spec *spec, int base, bool is_signed, void *to)
{
	char digits[NUMBER_MAX + 1], *end;
	size_t width = spec->width != 0 && spec->width < NUMBER_MAX ? spec->width : NUMBER_MAX;
	size_t length = strnlen(in->at, width);
	uintmax_t value;

	memcpy(digits, in->at, length);
	digits[length] = '\0';
	value = is_signed ? (uintmax_t)strtoll(digits, &end, base) : strtoull(digits, &end, base);
	if (end == digits)
		return false;
	in->at += end - digits;
	if (!spec->skip)
		store_integer(to, spec->size, value);
	return true;
}

/* `length` characters, with or without a NUL behind them. */
static bool take(struct input *in, const struct scan_spec *spec, size_t length, char *to, bool terminate)
{
	if (!spec->skip) {
		memcpy(to, in->at, length);
		if (terminate)
			to[length] = '\0';
	}
	in->at += length;
	return true;
}

static bool scan_characters(struct input *in, const struct scan_spec *spec, char *to)
{
	size_t wanted = spec->width != 0 ? spec->width : 1;

	return strnlen(in->at, wanted) == wanted && take(in, spec, wanted, to, false);
}

static bool scan_word(struct input *in, const struct scan_spec *spec, char *to)
{
	size_t length = 0, most = spec->width != 0 ? spec->width : SIZE_MAX;

	while (length < most && in->at[length] != '\0' && !isspace((unsigned char)in->at[length]))
		length++;
	return length != 0 && take(in, spec, length, to, true);
}

/* The set behind '[': true for each character in it.  Returns the place behind ']', null: none. */
static const char *read_set(const char *format, bool in_set[UCHAR_MAX + 1])
{
	bool inverted = *format == '^';
	const char *from;

	format += inverted;
	memset(in_set, inverted, UCHAR_MAX + 1);
	for (from = format; *format != '\0' && (*format != ']' || format == from); format++) {
		unsigned char low = (unsigned char)*format, high = low;

		if (format[1] == '-' && format[2] != ']' && format[2] != '\0') {
			high = (unsigned char)format[2];
			format += 2;
		}
		for (unsigned c = low; c <= high; c++)
			in_set[c] = !inverted;
	}
	in_set[0] = false; /* the end of the input */
	return *format == ']' ? format + 1 : NULL;
}

static bool scan_set(struct input *in, const struct scan_spec *spec, const bool in_set[UCHAR_MAX + 1], char *to)
{
	size_t length = 0, most = spec->width != 0 ? spec->width : SIZE_MAX;

	while (length < most && in_set[(unsigned char)in->at[length]])
		length++;
	return length != 0 && take(in, spec, length, to, true);
}

static bool is_number(char conversion)
{
	return conversion != '\0' && strchr("diuoxXp", conversion) != NULL;
}

static bool scan_number(struct input *in, struct scan_spec *spec, char conversion, void *to)
{
	switch (conversion) {
	case 'd': return scan_integer(in, spec, 10, true, to);
	case 'i': return scan_integer(in, spec, 0, true, to);
	case 'u': return scan_integer(in, spec, 10, false, to);
	case 'o': return scan_integer(in, spec, 8, false, to);
	case 'p': spec->size = sizeof(void *); /* fall through */
	default: return scan_integer(in, spec, 16, false, to);
	}
}

/* One conversion, `format` behind its '%'.  False: no match, and so the end. */
static bool convert(struct input *in, const char **format, va_list *arguments)
{
	struct scan_spec spec = read_spec(format);
	char conversion = *(*format)++;
	bool in_set[UCHAR_MAX + 1], good;
	void *to;

	if (conversion == '[' && (*format = read_set(*format, in_set)) == NULL)
		return false;
	if (conversion != 'c' && conversion != '[' && conversion != 'n')
		skip_space(in);
	if (conversion == '%') {
		good = *in->at == '%';
		in->at += good;
		return good;
	}
	if (conversion != 'n' && *in->at == '\0') {
		in->ended = true;
		return false;
	}
	to = spec.skip ? NULL : va_arg(*arguments, void *);
	if (conversion == 'n') {
		if (!spec.skip)
			store_integer(to, spec.size, (uintmax_t)(in->at - in->start));
		return true;
	}
	if (is_number(conversion))
		good = scan_number(in, &spec, conversion, to);
	else if (conversion == 'c')
		good = scan_characters(in, &spec, to);
	else if (conversion == 's')
		good = scan_word(in, &spec, to);
	else
		good = conversion == '[' && scan_set(in, &spec, in_set, to);
	in->stored += good && !spec.skip;
	return good;
}

int vsscanf(const char *restrict text, const char *restrict format, va_list arguments)
{
	struct input in = {.start = text, .at = text};
	const char *next = format;
	va_list copy;
	bool good = true;

	va_copy(copy, arguments);
	while (good && *next != '\0') {
		char c = *next++;

		if (isspace((unsigned char)c))
			skip_space(&in);
		else if (c == '%')
			good = convert(&in, &next, &copy);
		else if ((good = *in.at == c))
			in.at++;
		else
			in.ended = *in.at == '\0';
	}
	va_end(copy);
	return in.stored == 0 && in.ended ? EOF : in.stored;
}

int sscanf(const char *restrict text, const char *restrict format, ...)
{
	va_list arguments;
	int stored;

	va_start(arguments, format);
	stored = vsscanf(text, format, arguments);
	va_end(arguments);
	return stored;
}
