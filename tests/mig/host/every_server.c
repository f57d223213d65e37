/* The server of every.defs: `y` is `x` again.  In quiet mode nothing out of line is looked
   at, for what a forged message calls an address is none. */
#include <string.h>

#include <mach.h>
#include <every_server.h>

int quiet;
unsigned long calls;

#define VALUE(name, type)                                                        \
	kern_return_t serve_echo_##name(mach_port_t port, type x, type *y)       \
	{                                                                        \
		(void)port;                                                      \
		calls++;                                                         \
		*y = x;                                                          \
		return KERN_SUCCESS;                                             \
	}
#define FIXED(name, type, number)                                                \
	kern_return_t serve_echo_##name(mach_port_t port, const type *x, type *y) \
	{                                                                        \
		(void)port;                                                      \
		calls++;                                                         \
		memcpy(y, x, sizeof(type) * number);                             \
		return KERN_SUCCESS;                                             \
	}
#define SOME(name, type, most)                                                   \
	kern_return_t serve_echo_##name(mach_port_t port, const type *x, mach_msg_type_number_t count, \
	    type *y, mach_msg_type_number_t *room)                               \
	{                                                                        \
		(void)port;                                                      \
		calls++;                                                         \
		if (*room != most || count > most)                               \
			return KERN_FAILURE;                                     \
		memcpy(y, x, count * sizeof(type));                              \
		*room = count;                                                   \
		return KERN_SUCCESS;                                             \
	}
/* What is short goes into the room given, what is long is told by its address. */
#define ANY(name, type, most)                                                    \
	kern_return_t serve_echo_##name(mach_port_t port, const type *x, mach_msg_type_number_t count, \
	    type **y, mach_msg_type_number_t *room)                              \
	{                                                                        \
		(void)port;                                                      \
		calls++;                                                         \
		if (*room != most)                                               \
			return KERN_FAILURE;                                     \
		*room = quiet ? 0 : count;                                       \
		if (quiet)                                                       \
			return KERN_SUCCESS;                                     \
		if (count <= most)                                               \
			memcpy(*y, x, count * sizeof(type));                     \
		else                                                             \
			*y = (type *)x;                                          \
		return KERN_SUCCESS;                                             \
	}
#define REGION(name, type)                                                       \
	kern_return_t serve_echo_##name(mach_port_t port, type *x, mach_msg_type_number_t count, type **y, \
	    mach_msg_type_number_t *number)                                      \
	{                                                                        \
		(void)port;                                                      \
		calls++;                                                         \
		*y = x;                                                          \
		*number = count;                                                 \
		return KERN_SUCCESS;                                             \
	}
#define STRING(name, octets)                                                     \
	kern_return_t serve_echo_##name(mach_port_t port, const char *x, char *y) \
	{                                                                        \
		(void)port;                                                      \
		calls++;                                                         \
		if (strlen(x) >= octets)                                         \
			return KERN_FAILURE;                                     \
		strcpy(y, x);                                                    \
		return KERN_SUCCESS;                                             \
	}

kern_return_t serve_echo_nothing(mach_port_t port)
{
	(void)port;
	calls++;
	return KERN_SUCCESS;
}

VALUE(int, int)
VALUE(long, int64_t)
VALUE(short, short)
VALUE(char, char)
VALUE(boolean, boolean_t)
VALUE(unsigned, uint64_t)
VALUE(name, mach_port_t)
VALUE(flags, flags_t)
VALUE(time, time_value64_t)
VALUE(pair, pair_t)
VALUE(octets, octets_t)
VALUE(nested, nested_t)
VALUE(triple, triple_t)
FIXED(blob, char, 40)

kern_return_t serve_echo_three_values(mach_port_t port, short a, int64_t x, char b, char *c, int64_t *y, short *d)
{
	(void)port;
	calls++;
	*c = b;
	*y = x;
	*d = a;
	return KERN_SUCCESS;
}

FIXED(five_ints, int, 5)
FIXED(three_chars, char, 3)
FIXED(many_chars, char, 4100)
SOME(some_ints, int, 10)
SOME(some_pairs, pair_t, 7)
SOME(some_shorts, short, 9)
ANY(any_chars, char, 2048)
ANY(any_stamps, int64_t, 256)
ANY(any_pairs, pair_t, 170)

kern_return_t serve_echo_some_triples(mach_port_t port, char (*x)[3], mach_msg_type_number_t count, char (*y)[3],
    mach_msg_type_number_t *room)
{
	(void)port;
	calls++;
	if (*room != 4 || count > 4)
		return KERN_FAILURE;
	memcpy(y, x, count * sizeof *x);
	*room = count;
	return KERN_SUCCESS;
}

REGION(region, char)
REGION(int_region, int)
REGION(pair_region, pair_t)
REGION(short_region, int)
VALUE(four_ints, int *)
VALUE(far_nested, nested_t *)

kern_return_t serve_echo_pointer(mach_port_t port, vm_offset_t x, mach_msg_type_number_t count, vm_offset_t *y,
    mach_msg_type_number_t *number)
{
	(void)port;
	calls++;
	*y = x;
	*number = count;
	return KERN_SUCCESS;
}

STRING(line, 32)
STRING(text, 64)
STRING(old_line, 80)

VALUE(port, mach_port_t)
VALUE(moved, mach_port_t)
VALUE(made, mach_port_t)
VALUE(once, mach_port_t)
VALUE(receive, mach_port_t)
FIXED(three_ports, mach_port_t, 3)
SOME(some_ports, mach_port_t, 6)
ANY(any_ports, mach_port_t, 256)
REGION(port_region, mach_port_t)

kern_return_t serve_echo_poly(mach_port_t port, mach_port_t x, mach_msg_type_name_t type, mach_port_t *y,
    mach_msg_type_name_t *told)
{
	(void)port;
	calls++;
	if (!MACH_MSG_TYPE_PORT_ANY_RIGHT(type))
		return KERN_FAILURE;
	*y = x;
	*told = type;
	return KERN_SUCCESS;
}

kern_return_t serve_echo_told_port(mach_port_t port, mach_port_t x, mach_port_t *y, mach_msg_type_name_t *told)
{
	(void)port;
	calls++;
	*y = x;
	*told = MACH_MSG_TYPE_MOVE_SEND;
	return KERN_SUCCESS;
}

kern_return_t serve_echo_once_told(mach_port_t port, mach_port_t x, mach_msg_type_name_t type, mach_port_t *y)
{
	(void)port;
	calls++;
	*y = x;
	return MACH_MSG_TYPE_PORT_ANY_RIGHT(type) ? KERN_SUCCESS : KERN_FAILURE;
}

kern_return_t serve_echo_some_polys(mach_port_t port, const mach_port_t *x, mach_msg_type_name_t type,
    mach_msg_type_number_t count, mach_port_t *y, mach_msg_type_name_t *told, mach_msg_type_number_t *room)
{
	(void)port;
	calls++;
	if (*room != 5 || count > 5 || !MACH_MSG_TYPE_PORT_ANY_RIGHT(type))
		return KERN_FAILURE;
	memcpy(y, x, count * sizeof *x);
	*room = count;
	*told = type;
	return KERN_SUCCESS;
}

kern_return_t serve_echo_poly_region(mach_port_t port, mach_port_t *x, mach_msg_type_name_t type,
    mach_msg_type_number_t count, mach_port_t **y, mach_msg_type_name_t *told, mach_msg_type_number_t *number)
{
	(void)port;
	calls++;
	if (!MACH_MSG_TYPE_PORT_ANY_RIGHT(type))
		return KERN_FAILURE;
	*y = x;
	*number = count;
	*told = type;
	return KERN_SUCCESS;
}

VALUE(small, uint8_t)
VALUE(half, uint16_t)
FIXED(three_pairs, pair_t, 3)
VALUE(two_pairs, two_pairs_t)
ANY(any_bigs, big_t, 0)
VALUE(far_port, mach_port_t *)
VALUE(far_line, char *)
REGION(short_port_region, mach_port_t)

/* Of arrays, which C passes by pointers to arrays. */
typedef short row_t[4];
typedef char name_t[16];
typedef char octets40_t[40];
typedef int square_t[2][2];
typedef char half_t[4];
typedef char three_t[3];
typedef mach_port_t port_pair_t[2];

#define ROWS(name, type, number)                                                 \
	kern_return_t serve_echo_##name(mach_port_t port, type *x, type *y)      \
	{                                                                        \
		(void)port;                                                      \
		calls++;                                                         \
		memcpy(y, x, sizeof(type) * number);                             \
		return KERN_SUCCESS;                                             \
	}
#define SOME_ROWS(name, type, most)                                              \
	kern_return_t serve_echo_##name(mach_port_t port, type *x, mach_msg_type_number_t count, \
	    type *y, mach_msg_type_number_t *room)                               \
	{                                                                        \
		(void)port;                                                      \
		calls++;                                                         \
		if (*room != most || count > most)                               \
			return KERN_FAILURE;                                     \
		memcpy(y, x, count * sizeof(type));                              \
		*room = count;                                                   \
		return KERN_SUCCESS;                                             \
	}

ROWS(grid, row_t, 3)
ROWS(names, name_t, 2)
SOME_ROWS(some_blobs, octets40_t, 3)
SOME_ROWS(some_grids, square_t, 3)
SOME_ROWS(some_halves, half_t, 5)
VALUE(far_grid, row_t *)
REGION(far_triples, three_t)

kern_return_t serve_echo_any_port_pairs(mach_port_t port, port_pair_t *x, mach_msg_type_number_t count,
    port_pair_t **y, mach_msg_type_number_t *room)
{
	(void)port;
	calls++;
	if (*room != 128)
		return KERN_FAILURE;
	*room = quiet ? 0 : count;
	if (!quiet)
		*y = x;
	return KERN_SUCCESS;
}

kern_return_t serve_echo_any_polys(mach_port_t port, const mach_port_t *x, mach_msg_type_name_t type,
    mach_msg_type_number_t count, mach_port_t **y, mach_msg_type_name_t *told, mach_msg_type_number_t *room)
{
	(void)port;
	calls++;
	if (*room != 256 || !MACH_MSG_TYPE_PORT_ANY_RIGHT(type))
		return KERN_FAILURE;
	*told = type;
	*room = quiet ? 0 : count;
	if (!quiet)
		*y = (mach_port_t *)x;
	return KERN_SUCCESS;
}

kern_return_t serve_echo_mixture(mach_port_t port, const int *a, mach_msg_type_number_t a_count, short b,
    const char *c, mach_port_t d, const char *e, mach_msg_type_number_t e_count, char (*f)[3],
    mach_msg_type_number_t f_count, int64_t g, int *h, mach_msg_type_number_t *h_count, short *i, char *j,
    mach_port_t *k, char **l, mach_msg_type_number_t *l_count, char (*m)[3], mach_msg_type_number_t *m_count,
    int64_t *n)
{
	*i = b;
	*k = d;
	*n = g;
	if (serve_echo_some_ints(port, a, a_count, h, h_count) != KERN_SUCCESS
	    || serve_echo_text(port, c, j) != KERN_SUCCESS
	    || serve_echo_any_chars(port, e, e_count, l, l_count) != KERN_SUCCESS)
		return KERN_FAILURE;
	return serve_echo_some_triples(port, f, f_count, m, m_count);
}
