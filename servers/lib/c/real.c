/* Real numbers as text, exactly.

   A double is m * 2^e.  It is written as a row of decimal digits: the integer part by
   multiplying a big number, kept in words of nine digits, by two e times, the fraction
   by dividing likewise; both in steps of up to 29 bits.  Rounding then works on true
   digits, half to even. */
#include <stdint.h>
#include <string.h>

#include "format.h"

#define BILLION   1000000000U
#define WORD_DIGITS 9
#define STEP      29 /* bits: BILLION << 29 fits in 64 with room for a carry */

#define INTEGER_WORDS  36  /* 309 digits */
#define FRACTION_WORDS 122 /* 1074 digits and room */

/* words[0] is the most significant; words[INTEGER_WORDS] the first of the fraction. */
struct decimal {
	uint32_t words[INTEGER_WORDS + FRACTION_WORDS];
	int last; /* index of the last word that may be nonzero */
};

static void multiply(struct decimal *d, int bits)
{
	uint64_t carry = 0;

	for (int i = d->last; i >= 0; i--) {
		uint64_t word = ((uint64_t)d->words[i] << bits) + carry;

		d->words[i] = (uint32_t)(word % BILLION);
		carry = word / BILLION;
	}
}

static void divide(struct decimal *d, int bits)
{
	uint64_t rest = 0;
	uint32_t mask = (1U << bits) - 1;

	for (int i = 0; i <= d->last; i++) {
		uint64_t word = rest * BILLION + d->words[i];

		d->words[i] = (uint32_t)(word >> bits);
		rest = word & mask;
	}
	/* What remains is rest / 2^bits of a word's unit: it ends, after at most `bits`
	   further digits. */
	while (rest != 0) {
		uint64_t word = rest * BILLION;

		d->words[++d->last] = (uint32_t)(word >> bits);
		rest = word & mask;
	}
}

static void set_decimal(struct decimal *d, uint64_t mantissa, int exponent)
{
	memset(d, 0, sizeof *d);
	d->last = INTEGER_WORDS - 1;
	d->words[INTEGER_WORDS - 1] = (uint32_t)(mantissa % BILLION);
	d->words[INTEGER_WORDS - 2] = (uint32_t)(mantissa / BILLION);
	for (int left = exponent; left > 0; left -= STEP)
		multiply(d, left < STEP ? left : STEP);
	for (int left = -exponent; left > 0; left -= STEP)
		divide(d, left < STEP ? left : STEP);
}

/* --- the row of digits ----------------------------------------------------- */

struct digits {
	char digit[REAL_DIGITS + WORD_DIGITS]; /* 0 to 9; the first is 0, for a carry */
	int count;
	int point; /* digits before the point */
};

static void set_digits(struct digits *row, const struct decimal *d)
{
	row->count = 1;
	row->digit[0] = 0;
	for (int i = 0; i <= d->last; i++) {
		uint32_t word = d->words[i];

		for (int j = WORD_DIGITS - 1; j >= 0; j--) {
			row->digit[row->count + j] = (char)(word % 10);
			word /= 10;
		}
		row->count += WORD_DIGITS;
	}
	row->point = 1 + INTEGER_WORDS * WORD_DIGITS;
}

/* Index of the first nonzero digit, or that before the point if all are 0. */
static int first_digit(const struct digits *row)
{
	for (int i = 0; i < row->count; i++)
		if (row->digit[i] != 0)
			return i;
	return row->point - 1;
}

static bool round_up(const struct digits *row, int keep)
{
	if (row->digit[keep] != 5)
		return row->digit[keep] > 5;
	for (int i = keep + 1; i < row->count; i++)
		if (row->digit[i] != 0)
			return true;
	return keep > 0 && row->digit[keep - 1] % 2 != 0;
}

/* Keeps the first `keep` digits. */
static void round_digits(struct digits *row, int keep)
{
	if (keep >= row->count)
		return;
	if (keep >= 0 && round_up(row, keep))
		for (int i = keep - 1; i >= 0 && ++row->digit[i] == 10; i--)
			row->digit[i] = 0;
	for (int i = keep < 0 ? 0 : keep; i < row->count; i++)
		row->digit[i] = 0;
}

/* --- the forms -------------------------------------------------------------- */

static void append(struct real_text *real, char c)
{
	real->text[real->length++] = c;
}

/* Digits `from` to `to`; those behind the row are counted in `zeros`. */
static void append_digits(struct real_text *real, const struct digits *row, int from, int to)
{
	for (int i = from; i < to; i++) {
		if (i >= row->count) {
			real->zeros += (size_t)(to - i);
			return;
		}
		append(real, (char)('0' + row->digit[i]));
	}
}

static void fixed(struct real_text *real, const struct digits *row, int precision, bool point)
{
	int first = first_digit(row);

	append_digits(real, row, first < row->point ? first : row->point - 1, row->point);
	if (precision > 0 || point)
		append(real, '.');
	append_digits(real, row, row->point, row->point + precision);
}

static void scientific(struct real_text *real, const struct digits *row, int precision, bool point,
    char letter)
{
	int first = first_digit(row);
	int exponent = row->point - 1 - first;
	unsigned size = (unsigned)(exponent < 0 ? -exponent : exponent);

	append_digits(real, row, first, first + 1);
	if (precision > 0 || point)
		append(real, '.');
	append_digits(real, row, first + 1, first + 1 + precision);
	real->tail[real->tail_length++] = letter;
	real->tail[real->tail_length++] = exponent < 0 ? '-' : '+';
	if (size >= 100)
		real->tail[real->tail_length++] = (char)('0' + size / 100);
	real->tail[real->tail_length++] = (char)('0' + size / 10 % 10);
	real->tail[real->tail_length++] = (char)('0' + size % 10);
}

/* How many digits from `first` on are left when zeros at the end are taken off. */
static int significant(const struct digits *row, int first, int count)
{
	while (count > 0 && (first + count > row->count || row->digit[first + count - 1] == 0))
		count--;
	return count;
}

static void general(struct real_text *real, struct digits *row, const struct format_spec *spec, char letter)
{
	int wanted = spec->precision < 0 ? 6 : spec->precision == 0 ? 1 : spec->precision;
	int first, exponent;

	round_digits(row, first_digit(row) + wanted);
	first = first_digit(row); /* a carry may have moved it */
	exponent = row->point - 1 - first;
	if (!spec->alternate)
		wanted = significant(row, first, wanted);
	if (exponent < -4 || exponent >= (spec->precision < 0 ? 6 : spec->precision == 0 ? 1 : spec->precision))
		scientific(real, row, wanted > 0 ? wanted - 1 : 0, spec->alternate, letter);
	else
		fixed(real, row, wanted > exponent + 1 ? wanted - exponent - 1 : 0, spec->alternate);
}

static bool special(struct real_text *real, bool nan, bool upper)
{
	const char *name = nan ? "nan" : "inf";

	for (; *name != '\0'; name++)
		append(real, upper ? (char)(*name - 'a' + 'A') : *name);
	return false;
}

bool real_to_text(struct real_text *real, const struct format_spec *spec, double value, char conversion)
{
	int precision = spec->precision < 0 ? 6 : spec->precision;
	struct decimal decimal;
	struct digits row;
	uint64_t bits, mantissa;
	int exponent;

	memcpy(&bits, &value, sizeof bits);
	mantissa = bits & ((1ULL << 52) - 1);
	exponent = (int)(bits >> 52 & 0x7ff);
	real->negative = bits >> 63 != 0;
	real->length = real->zeros = real->tail_length = 0;
	if (exponent == 0x7ff)
		return special(real, mantissa != 0, conversion < 'a');
	if (exponent != 0)
		mantissa |= 1ULL << 52;
	else
		exponent = 1;
	set_decimal(&decimal, mantissa, exponent - 1075);
	set_digits(&row, &decimal);
	switch (conversion) {
	case 'f': case 'F':
		if (precision < row.count)
			round_digits(&row, row.point + precision);
		fixed(real, &row, precision, spec->alternate);
		break;
	case 'e': case 'E':
		if (precision < row.count)
			round_digits(&row, first_digit(&row) + 1 + precision);
		scientific(real, &row, precision, spec->alternate, conversion);
		break;
	default:
		general(real, &row, spec, conversion == 'G' ? 'E' : 'e');
	}
	return true;
}
