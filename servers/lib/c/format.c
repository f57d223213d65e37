/* printf's language: every form of output is made of format_text.

   Conversions d i u o x X c s p n % and f F e E g G; flags - + space # 0; width
   and precision as numbers or *; sizes hh h l ll q j z t.  %m is strerror(errno), as in
   the GNU library. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "format.h"

struct output {
	format_put_t put;
	void *cookie;
	size_t length;
};

static void emit(struct output *out, const char *piece, size_t size)
{
	if (size != 0)
		out->put(out->cookie, piece, size);
	out->length += size;
}

static void repeat(struct output *out, char c, size_t count)
{
	char block[32];

	if (count > INT_MAX - out->length) { /* EOVERFLOW, sooner or later: nobody waits for it */
		out->length += count;
		return;
	}
	memset(block, c, sizeof block);
	for (; count > sizeof block; count -= sizeof block)
		emit(out, block, sizeof block);
	emit(out, block, count);
}

/* --- one conversion's flags, width, precision and size -------------------- */

enum size { SIZE_INT, SIZE_CHAR, SIZE_SHORT, SIZE_LONG };

static int number(const char **format, va_list *arguments)
{
	int value = 0;

	if (**format == '*') {
		++*format;
		return va_arg(*arguments, int);
	}
	for (; **format >= '0' && **format <= '9'; ++*format)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, **format - '0', &value))
			value = INT_MAX;
	return value;
}

static void read_flags(const char **format, struct format_spec *spec)
{
	for (;; ++*format) {
		switch (**format) {
		case '-': spec->left = true; break;
		case '+': spec->sign = '+'; break;
		case ' ': spec->sign = spec->sign != 0 ? spec->sign : ' '; break;
		case '#': spec->alternate = true; break;
		case '0': spec->zero = true; break;
		default: return;
		}
	}
}

static enum size read_size(const char **format)
{
	enum size size = SIZE_INT;

	for (;; ++*format) {
		switch (**format) {
		case 'h': size = size == SIZE_SHORT ? SIZE_CHAR : SIZE_SHORT; break;
		case 'l': case 'q': case 'j': case 'z': case 't': size = SIZE_LONG; break;
		default: return size;
		}
	}
}

static enum size read_spec(const char **format, struct format_spec *spec, va_list *arguments)
{
	*spec = (struct format_spec){.precision = -1};
	read_flags(format, spec);
	spec->width = number(format, arguments);
	if (spec->width < 0) {
		spec->left = true;
		spec->width = spec->width == INT_MIN ? INT_MAX : -spec->width;
	}
	if (**format == '.') {
		++*format;
		spec->precision = number(format, arguments);
	}
	return read_size(format);
}

/* --- integers ------------------------------------------------------------ */

_Static_assert(sizeof(long) == 8 && sizeof(long long) == 8 && sizeof(size_t) == 8, "one size for all");

static intmax_t signed_argument(enum size size, va_list *arguments)
{
	switch (size) {
	case SIZE_LONG: return va_arg(*arguments, long);
	case SIZE_CHAR: return (signed char)va_arg(*arguments, int);
	case SIZE_SHORT: return (short)va_arg(*arguments, int);
	default: return va_arg(*arguments, int);
	}
}

static uintmax_t unsigned_argument(enum size size, va_list *arguments)
{
	switch (size) {
	case SIZE_LONG: return va_arg(*arguments, unsigned long);
	case SIZE_CHAR: return (unsigned char)va_arg(*arguments, unsigned);
	case SIZE_SHORT: return (unsigned short)va_arg(*arguments, unsigned);
	default: return va_arg(*arguments, unsigned);
	}
}

/* Padding, sign or prefix, zeros, digits: in the order the flags ask for. */
static void emit_number(struct output *out, const struct format_spec *spec, const char *prefix,
    size_t zeros, const char *digits, size_t count)
{
	size_t length = strlen(prefix) + zeros + count;
	size_t padding = length < (size_t)spec->width ? (size_t)spec->width - length : 0;

	if (spec->zero && !spec->left) {
		zeros += padding;
		padding = 0;
	}
	if (!spec->left)
		repeat(out, ' ', padding);
	emit(out, prefix, strlen(prefix));
	repeat(out, '0', zeros);
	emit(out, digits, count);
	if (spec->left)
		repeat(out, ' ', padding);
}

static void format_integer(struct output *out, struct format_spec *spec, uintmax_t value, unsigned base,
    const char *prefix, bool upper)
{
	const char *figures = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char digits[24]; /* 64 bits in octal */
	char *first = digits + sizeof digits;
	size_t count, zeros = 0;

	while (value != 0) {
		*--first = figures[value % base];
		value /= base;
	}
	count = (size_t)(digits + sizeof digits - first);
	if (spec->precision >= 0) {
		spec->zero = false; /* a precision overrides the flag */
		if ((size_t)spec->precision > count)
			zeros = (size_t)spec->precision - count;
	} else if (count == 0) {
		zeros = 1;
	}
	if (base == 8 && spec->alternate && zeros == 0)
		zeros = 1;
	emit_number(out, spec, prefix, zeros, first, count);
}

static const char *sign_prefix(bool negative, char sign)
{
	return negative ? "-" : sign == '+' ? "+" : sign == ' ' ? " " : "";
}

static void format_signed(struct output *out, struct format_spec *spec, intmax_t value)
{
	uintmax_t size = value < 0 ? -(uintmax_t)value : (uintmax_t)value;

	format_integer(out, spec, size, 10, sign_prefix(value < 0, spec->sign), false);
}

static void format_hex(struct output *out, struct format_spec *spec, uintmax_t value, bool upper)
{
	const char *prefix = !spec->alternate || value == 0 ? "" : upper ? "0X" : "0x";

	format_integer(out, spec, value, 16, prefix, upper);
}

/* --- text and floating point ---------------------------------------------- */

static void format_string(struct output *out, const struct format_spec *spec, const char *text)
{
	size_t length, padding;

	if (text == NULL)
		text = "(null)";
	length = spec->precision >= 0 ? strnlen(text, (size_t)spec->precision) : strlen(text);
	padding = length < (size_t)spec->width ? (size_t)spec->width - length : 0;
	if (!spec->left)
		repeat(out, ' ', padding);
	emit(out, text, length);
	if (spec->left)
		repeat(out, ' ', padding);
}

static void format_character(struct output *out, struct format_spec *spec, char c)
{
	size_t padding = spec->width > 1 ? (size_t)spec->width - 1 : 0;

	if (!spec->left)
		repeat(out, ' ', padding);
	emit(out, &c, 1); /* NUL too */
	if (spec->left)
		repeat(out, ' ', padding);
}

static void format_real(struct output *out, struct format_spec *spec, double value, char conversion)
{
	struct real_text real;
	bool finite = real_to_text(&real, spec, value, conversion);
	size_t length, padding;

	if (!finite)
		spec->zero = false;
	length = strlen(sign_prefix(real.negative, spec->sign)) + real.length + real.zeros +
	    real.tail_length;
	padding = length < (size_t)spec->width ? (size_t)spec->width - length : 0;
	if (!spec->left && !spec->zero)
		repeat(out, ' ', padding);
	emit(out, sign_prefix(real.negative, spec->sign), strlen(sign_prefix(real.negative, spec->sign)));
	if (!spec->left && spec->zero)
		repeat(out, '0', padding);
	emit(out, real.text, real.length);
	repeat(out, '0', real.zeros);
	emit(out, real.tail, real.tail_length);
	if (spec->left)
		repeat(out, ' ', padding);
}

/* %n: how much there is so far. */
static void store_length(const struct output *out, enum size size, void *to)
{
	switch (size) {
	case SIZE_LONG: *(long *)to = (long)out->length; break;
	case SIZE_CHAR: *(signed char *)to = (signed char)out->length; break;
	case SIZE_SHORT: *(short *)to = (short)out->length; break;
	default: *(int *)to = (int)out->length; break;
	}
}

/* --- all of it ----------------------------------------------------------- */

/* One conversion, `format` behind its '%'.  False: not one of ours. */
static bool convert(struct output *out, const char **format, va_list *arguments)
{
	struct format_spec spec;
	enum size size = read_spec(format, &spec, arguments);
	char conversion = *(*format)++;

	switch (conversion) {
	case 'd': case 'i':
		format_signed(out, &spec, signed_argument(size, arguments));
		return true;
	case 'u':
		format_integer(out, &spec, unsigned_argument(size, arguments), 10, "", false);
		return true;
	case 'o':
		format_integer(out, &spec, unsigned_argument(size, arguments), 8, "", false);
		return true;
	case 'x': case 'X':
		format_hex(out, &spec, unsigned_argument(size, arguments), conversion == 'X');
		return true;
	case 'p':
		format_integer(out, &spec, (uintptr_t)va_arg(*arguments, void *), 16, "0x", false);
		return true;
	case 'c':
		format_character(out, &spec, (char)va_arg(*arguments, int));
		return true;
	case 's':
		format_string(out, &spec, va_arg(*arguments, const char *));
		return true;
	case 'm':
		format_string(out, &spec, strerror(errno));
		return true;
	case 'n':
		store_length(out, size, va_arg(*arguments, void *));
		return true;
	case 'f': case 'F': case 'e': case 'E': case 'g': case 'G':
		format_real(out, &spec, va_arg(*arguments, double), conversion);
		return true;
	case '%':
		emit(out, "%", 1);
		return true;
	default:
		return false;
	}
}

int format_text(format_put_t put, void *cookie, const char *format, va_list arguments)
{
	struct output out = {put, cookie, 0};
	va_list copy; /* its address can be passed on; that of a parameter cannot, everywhere */
	bool good = true;

	va_copy(copy, arguments);
	while (good && *format != '\0') {
		const char *percent = strchrnul(format, '%');

		emit(&out, format, (size_t)(percent - format));
		format = percent;
		if (*format == '%') {
			format++;
			good = convert(&out, &format, &copy);
		}
	}
	va_end(copy);
	if (!good) {
		errno = EINVAL;
		return -1;
	}
	if (out.length > INT_MAX) {
		errno = EOVERFLOW;
		return -1;
	}
	return (int)out.length;
}
