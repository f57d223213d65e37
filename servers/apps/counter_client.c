/*
 * A client of the server "counter", wherever that one runs: it resolves a name
 * and sends messages, and holds no network code.
 */
#include <mach.h>
#include <mach_error.h>
#include <machemu/server.h>
#include <mig/counter.h>
#include <mig/counter_notice_server.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDITIONS      10
#define NOTICE_OCTETS  256
#define NOTICE_WAIT_MS 10000

static int faults;
static int64_t noticed;

static void expect(bool right, const char *what)
{
	if (!right) {
		printf("counter_client: wrong: %s\n", what);
		faults++;
	}
}

/* Octets that differ from place to place and from size to size. */
static void fill(char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 7 + size);
}

static void add(mach_port_t counter)
{
	int64_t first = 0, value = 0;

	expect(counter_add(counter, 0, &first) == KERN_SUCCESS, "counter_add");
	for (int i = 1; i <= ADDITIONS; i++)
		expect(counter_add(counter, i, &value) == KERN_SUCCESS, "counter_add");
	printf("counter: %d additions made %lld\n", ADDITIONS, (long long)(value - first));
	expect(value - first == ADDITIONS * (ADDITIONS + 1) / 2, "the sum");
}

static void echo(mach_port_t counter, mach_msg_type_number_t size)
{
	static char sent[COUNTER_DATA], came[COUNTER_DATA];
	mach_msg_type_number_t count = COUNTER_DATA;

	fill(sent, size);
	expect(counter_echo(counter, sent, size, came, &count) == KERN_SUCCESS && count == size
	    && memcmp(sent, came, size) == 0, "an echo");
	printf("counter: echo of %u octets\n", size);
}

static void echo_out_of_line(mach_port_t counter, mach_msg_type_number_t size)
{
	char *sent = malloc(size), *came = NULL;
	mach_msg_type_number_t count = 0;

	if (sent == NULL) {
		expect(false, "memory");
		return;
	}
	fill(sent, size);
	expect(counter_echo_ool(counter, sent, size, &came, &count) == KERN_SUCCESS && count == size
	    && memcmp(sent, came, size) == 0, "an echo out of line");
	printf("counter: echo of %u octets out of line\n", count);
	if (came != NULL)
		vm_deallocate(mach_task_self(), (vm_address_t)came, count);
	free(sent);
}

kern_return_t take_counter_notice(mach_port_t port, int64_t value)
{
	(void)port;
	noticed = value;
	return KERN_SUCCESS;
}

/* Receives one notice on `port`; false: none came in time. */
static bool receive_notice(mach_port_t port)
{
	union {
		mach_msg_header_t head;
		char              octets[NOTICE_OCTETS];
	} request, reply;

	return mach_msg(&request.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof request, port,
	           NOTICE_WAIT_MS, MACH_PORT_NULL) == MACH_MSG_SUCCESS
	    && counter_notice_server(&request.head, &reply.head);
}

/* A counter of our own, which tells its sum on a port of ours. */
static void pass_rights(mach_port_t counter)
{
	mach_port_t own = MACH_PORT_NULL, notice = MACH_PORT_NULL;
	int64_t value = 0;

	expect(counter_new(counter, &own) == KERN_SUCCESS && own != MACH_PORT_NULL, "counter_new");
	expect(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &notice) == KERN_SUCCESS,
	    "a port");
	expect(counter_keep(own, notice) == KERN_SUCCESS, "counter_keep");
	expect(counter_add(own, 41, &value) == KERN_SUCCESS && value == 41, "a new counter");
	expect(receive_notice(notice) && noticed == 41, "a notice");
	expect(counter_add(own, 1, &value) == KERN_SUCCESS && value == 42, "a new counter's sum");
	expect(receive_notice(notice) && noticed == 42, "a second notice");
	printf("counter: notice of %lld on a right that was passed\n", (long long)noticed);
	mach_port_deallocate(mach_task_self(), own);
	mach_port_mod_refs(mach_task_self(), notice, MACH_PORT_RIGHT_RECEIVE, -1);
}

int main(int argc, char *argv[])
{
	const char *name = argc > 1 ? argv[1] : "counter";
	mach_port_t counter;
	kern_return_t result = server_look_up(name, &counter);

	if (result != KERN_SUCCESS) {
		printf("counter_client: %s: %s\n", name, mach_error_string(result));
		return 1;
	}
	add(counter);
	echo(counter, 1);
	echo(counter, 100);
	echo(counter, COUNTER_DATA);
	echo_out_of_line(counter, 1);
	echo_out_of_line(counter, 5000);
	echo_out_of_line(counter, 65536);
	pass_rights(counter);
	mach_port_deallocate(mach_task_self(), counter);
	printf("counter: %s\n", faults == 0 ? "all well" : "something was wrong");
	return faults == 0 ? 0 : 1;
}
