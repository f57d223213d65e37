/* The server of special.defs.  What it was told is kept for the tests to read. */
#include <string.h>

#include <mach.h>
#include <mach/mig_errors.h>
#include <mach/mig_support.h>
#include <special_server.h>

kern_return_t special_result; /* what every function returns */
struct {
	mach_port_t port, reply;
	mach_msg_type_name_t port_type, reply_type;
	mach_port_seqno_t number;
	int x;
	kern_return_t code;
	char text[64];
	mach_msg_type_number_t count;
	boolean_t dealloc, inside, calls;
} told;

static struct object objects[8];

kern_return_t do_change_values(mach_port_t port, int *number, pair_t *pair, mach_port_t *right)
{
	told.port = port;
	*number += 1;
	pair->second = (short)(pair->second + 1);
	pair->third[2] = '!';
	*right += 1;
	return special_result;
}

kern_return_t do_change_strings(mach_port_t port, char *line, char *text)
{
	told.port = port;
	line[strlen(line) - 1] = '\0';
	strcpy(text + strlen(text), "++");
	return special_result;
}

kern_return_t do_change_arrays(mach_port_t port, int *five, int *some, mach_msg_type_number_t *some_count,
    mach_port_t *ports, mach_msg_type_number_t *port_count)
{
	told.port = port;
	for (int i = 0; i < 5; i++)
		five[i] *= 2;
	for (unsigned i = 0; i < *some_count; i++)
		some[i] = -some[i];
	for (unsigned i = 0; i < *port_count; i++)
		ports[i] += 0x100;
	*some_count -= 1;
	*port_count -= 1;
	return special_result;
}

kern_return_t do_change_any(mach_port_t port, char **any, mach_msg_type_number_t *count)
{
	told.port = port;
	(*any)++;
	*count -= 1;
	return special_result;
}

kern_return_t do_change_region(mach_port_t port, char **region, mach_msg_type_number_t *count)
{
	told.port = port;
	*region += 2;
	*count -= 2;
	return special_result;
}

kern_return_t do_change_poly(mach_port_t port, mach_port_t *right, mach_msg_type_name_t *type)
{
	told.port = port;
	told.port_type = *type;
	*right += 1;
	*type = MACH_MSG_TYPE_MAKE_SEND_ONCE;
	return special_result;
}

kern_return_t do_count_up(mach_port_t port, int first, int *numbers, mach_msg_type_number_t *count, int *last)
{
	told.port = port;
	told.count = *count;
	for (unsigned i = 0; i < *count; i++)
		numbers[i] = first++;
	*last = first - 1;
	return special_result;
}

kern_return_t do_count_freely(mach_port_t port, int number, int *numbers, mach_msg_type_number_t *count,
    mach_port_t *right)
{
	told.port = port;
	told.count = *count;
	for (int i = 0; i < number && i < 10; i++)
		numbers[i] = i;
	*count = (mach_msg_type_number_t)number;
	*right = 0x777;
	return special_result;
}

kern_return_t do_give_ports(mach_port_t port, int number, mach_port_t *rights, mach_msg_type_number_t *count)
{
	told.port = port;
	for (int i = 0; i < number; i++)
		rights[i] = 0x700 + (mach_port_t)i;
	*count = (mach_msg_type_number_t)number;
	return special_result;
}

kern_return_t do_give_any(mach_port_t port, int number, char **any, mach_msg_type_number_t *count)
{
	told.port = port;
	told.count = *count;
	memset(*any, 'y', (size_t)number);
	*count = (mach_msg_type_number_t)number;
	return special_result;
}

kern_return_t do_give_region(mach_port_t port, char *x, mach_msg_type_number_t count, char **y,
    mach_msg_type_number_t *y_count, boolean_t *dealloc)
{
	told.port = port;
	*y = x;
	*y_count = count;
	*dealloc = told.dealloc;
	return special_result;
}

kern_return_t do_give_chars(mach_port_t port, const char *x, mach_msg_type_number_t count, char **y,
    mach_msg_type_number_t *y_count, boolean_t *dealloc)
{
	told.port = port;
	*y = (char *)x;
	*y_count = count;
	*dealloc = told.dealloc;
	return special_result;
}

/* In the reply's own room, if it fits. */
kern_return_t do_keep_chars(mach_port_t port, const char *x, mach_msg_type_number_t count, char **y,
    mach_msg_type_number_t *y_count)
{
	told.port = port;
	if (count <= *y_count)
		memcpy(*y, x, count);
	else
		*y = (char *)x;
	*y_count = count;
	return special_result;
}

static boolean_t is_inside(const void *data)
{
	extern char host_came[]; /* struct message */

	return (const char *)data > host_came && (const char *)data < host_came + 65536;
}

kern_return_t do_look_at(mach_port_t port, const char *x, mach_msg_type_number_t count, boolean_t *inside)
{
	told.port = port;
	told.count = count;
	*inside = is_inside(x);
	return special_result;
}

kern_return_t do_copy_of(mach_port_t port, const char *x, mach_msg_type_number_t count, boolean_t copy,
    boolean_t *inside)
{
	told.port = port;
	told.count = count;
	told.inside = copy;
	*inside = is_inside(x);
	return special_result;
}

kern_return_t do_ports(mach_port_t to, mach_msg_type_name_t to_type, mach_port_t reply,
    mach_msg_type_name_t reply_type, mach_port_seqno_t number, int x, int *y)
{
	told.port = to, told.port_type = to_type;
	told.reply = reply, told.reply_type = reply_type;
	told.number = number;
	*y = -x;
	return special_result;
}

kern_return_t do_late(mach_port_t port, mach_port_t reply, int x, int *y)
{
	told.port = port, told.reply = reply;
	*y = x + 1;
	return special_result;
}

kern_return_t do_own_port(mach_port_t port, int x)
{
	told.port = port, told.x = x;
	return special_result;
}

kern_return_t do_patient(mach_port_t port, int x)
{
	return do_own_port(port, x);
}

kern_return_t do_hasty(mach_port_t port, int x)
{
	return do_own_port(port, x);
}

kern_return_t do_oneway(mach_port_t port, int x)
{
	return do_own_port(port, x);
}

kern_return_t do_oneway_with_reply(mach_port_t port, mach_port_t reply, int x)
{
	told.reply = reply;
	return do_own_port(port, x);
}

kern_return_t do_answer(mach_port_t port, kern_return_t code, int number, mach_port_t right, const char *text,
    const int *some, mach_msg_type_number_t count)
{
	told.calls++;
	told.port = port, told.code = code, told.x = number, told.reply = right, told.count = count;
	strcpy(told.text, text);
	told.inside = some == NULL;
	return special_result;
}

object_t object_of(unsigned port)
{
	struct object *object = &objects[port % 8];

	object->port = port;
	object->uses++;
	return object;
}

object_t object_of_payload(uintptr_t payload)
{
	return object_of((unsigned)payload);
}

unsigned port_of(object_t object)
{
	object->uses++;
	return object->port + 0x1000;
}

void object_release(object_t object)
{
	object->uses--;
}

extern unsigned object_uses(unsigned which);

unsigned object_uses(unsigned which)
{
	return objects[which].uses;
}

kern_return_t do_translate(object_t port, object_t other, object_t *made)
{
	told.port = port->port;
	told.reply = other->port;
	*made = other;
	return special_result;
}

double to_celsius(int kelvin)
{
	return kelvin - 273;
}

int to_kelvin(double celsius)
{
	return (int)celsius + 273;
}

kern_return_t do_warm(mach_port_t port, double degrees, double *warmer)
{
	told.port = port;
	told.x = (int)degrees;
	*warmer = degrees + 0.5;
	return special_result;
}

kern_return_t do_untouched(mach_port_t port, int *five, int *number, char *line, mach_port_t *right)
{
	told.port = port;
	(void)five, (void)number, (void)line, (void)right;
	return special_result;
}
