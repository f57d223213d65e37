/*
 * The sending end of the soak test.
 *
 *     soak_client [COUNT [MOST [EVERY]]]
 *
 * sends COUNT numbered messages (1000) of 1 to MOST octets (65536), every
 * EVERY-th (10; 0: none) with a right of a port of its own, then compares the
 * server's account with its own, and waits for what comes back on the rights.
 */
#include <mach.h>
#include <mach_error.h>
#include <machemu/server.h>
#include <machemu/soak.h>
#include <mig/soak.h>
#include <mig/soak_token_server.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define TOKEN_OCTETS  256
#define TOKEN_WAIT_MS 60000

static char data[SOAK_MOST];
static mach_port_t tokens; /* a port set */
static int64_t token_sum;

static kern_return_t make_token_port(mach_port_t *port)
{
	kern_return_t result;

	result = mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, port);
	return result != KERN_SUCCESS ? result : mach_port_move_member(mach_task_self(), *port, tokens);
}

static kern_return_t put(mach_port_t server, int64_t number, size_t size, bool with_right)
{
	mach_port_t port;
	kern_return_t result;

	if (!with_right)
		return soak_put(server, number, data, (mach_msg_type_number_t)size);
	result = make_token_port(&port);
	if (result != KERN_SUCCESS)
		return result;
	return soak_put_right(server, number, data, (mach_msg_type_number_t)size, port);
}

kern_return_t take_soak_token(mach_port_t port, int64_t number)
{
	token_sum += number;
	return mach_port_mod_refs(mach_task_self(), port, MACH_PORT_RIGHT_RECEIVE, -1);
}

/* One token from any of our ports, which ends with it. */
static bool receive_token(void)
{
	union {
		mach_msg_header_t head;
		char              octets[TOKEN_OCTETS];
	} request, reply;

	return mach_msg(&request.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof request, tokens,
	           TOKEN_WAIT_MS, MACH_PORT_NULL) == MACH_MSG_SUCCESS
	    && soak_token_server(&request.head, &reply.head);
}

static bool tokens_are_right(int64_t count, int64_t sum)
{
	for (int64_t i = 0; i < count; i++)
		if (!receive_token())
			return false;
	return token_sum == sum;
}

static int run(mach_port_t server, int64_t count, size_t most, int64_t every)
{
	uint64_t digest = SOAK_DIGEST_START;
	int64_t received, faults, first_fault, their_digest, rights = 0, sum = 0;
	kern_return_t result;

	for (int64_t number = 0; number < count; number++) {
		bool with_right = every > 0 && number % every == every - 1;
		size_t size = soak_size((uint64_t)number, most);

		soak_fill((uint64_t)number, data, size);
		digest = soak_digest(digest, (uint64_t)number, data, size);
		result = put(server, number, size, with_right);
		if (result != KERN_SUCCESS) {
			printf("soak: message %lld: %s\n", (long long)number, mach_error_string(result));
			return 1;
		}
		rights += with_right;
		sum += with_right ? number : 0;
	}
	result = soak_finish(server, &received, &faults, &first_fault, &their_digest);
	if (result != KERN_SUCCESS) {
		printf("soak: no account: %s\n", mach_error_string(result));
		return 1;
	}
	printf("soak: %lld messages sent, %lld received, %lld faults, first %lld\n", (long long)count,
	    (long long)received, (long long)faults, (long long)first_fault);
	printf("soak: digest %016llx, theirs %016llx\n", (unsigned long long)digest,
	    (unsigned long long)their_digest);
	if (!tokens_are_right(rights, sum)) {
		printf("soak: rights: not all tokens came back\n");
		return 1;
	}
	printf("soak: %lld rights passed, all answered\n", (long long)rights);
	return received == count && faults == 0 && (uint64_t)their_digest == digest ? 0 : 1;
}

int main(int argc, char *argv[])
{
	long long count = argc > 1 ? atoll(argv[1]) : 1000;
	long long most = argc > 2 ? atoll(argv[2]) : SOAK_MOST;
	long long every = argc > 3 ? atoll(argv[3]) : 10;
	mach_port_t server;
	kern_return_t result;

	if (count < 1 || most < 1 || most > SOAK_MOST || every < 0) {
		printf("usage: soak_client [COUNT [MOST, at most %d [EVERY]]]\n", SOAK_MOST);
		return 2;
	}
	result = server_look_up("soak", &server);
	if (result == KERN_SUCCESS)
		result = mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_PORT_SET, &tokens);
	if (result != KERN_SUCCESS) {
		printf("soak: %s\n", mach_error_string(result));
		return 1;
	}
	return run(server, count, (size_t)most, every);
}
