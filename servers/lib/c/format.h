/* Between the halves of printf: one conversion, and a real number as text. */
#ifndef FORMAT_H
#define FORMAT_H

#include <stdbool.h>
#include <stddef.h>

struct format_spec {
	bool left, alternate, zero;
	char sign;     /* '+', ' ' or 0 */
	int width;     /* >= 0 */
	int precision; /* < 0: not given */
};

/* The longest double in full: 309 digits, the point, and 1074 more. */
#define REAL_DIGITS 1440

/* text, then `zeros` times '0' (a precision may ask for many), then tail; no sign. */
struct real_text {
	bool negative;
	size_t length;
	size_t zeros;
	size_t tail_length;
	char tail[8]; /* the exponent */
	char text[REAL_DIGITS];
};

/* Exact, rounded half to even.  `conversion` is one of f F e E g G.  False: infinite, or
   no number. */
extern bool real_to_text(struct real_text *real, const struct format_spec *spec, double value,
    char conversion);

#endif
