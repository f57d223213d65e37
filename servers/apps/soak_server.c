/*
 * The receiving end of the soak test: each message once, in order, unchanged.
 */
#include <mach.h>
#include <machemu/server.h>
#include <machemu/soak.h>
#include <machemu/text.h>
#include <mig/soak_server.h>
#include <mig/soak_token.h>

#include <stdbool.h>

#define REQUEST_OCTETS 8192 /* inline data ends at 2048, the rest is out of line */

typedef struct stream {
	int64_t  received, faults, first_fault;
	uint64_t digest;
} stream_t;

static const stream_t start = {.first_fault = -1, .digest = SOAK_DIGEST_START};
static stream_t stream;
static unsigned streams, tokens, lost_tokens;

/* Room for one message's contents, in whole words. */
static char expected[SOAK_MOST];

static bool is_right(int64_t number, const char *data, size_t size)
{
	if (number != stream.received || size == 0 || size > SOAK_MOST)
		return false;
	soak_fill((uint64_t)number, expected, size);
	return memcmp(expected, data, size) == 0;
}

kern_return_t serve_soak_put(mach_port_t port, int64_t number, const char *data,
    mach_msg_type_number_t size)
{
	(void)port;
	if (!is_right(number, data, size)) {
		if (stream.faults++ == 0)
			stream.first_fault = number;
	}
	stream.digest = soak_digest(stream.digest, (uint64_t)number, data, size);
	stream.received++;
	return KERN_SUCCESS;
}

kern_return_t serve_soak_put_right(mach_port_t port, int64_t number, const char *data,
    mach_msg_type_number_t size, mach_port_t token)
{
	kern_return_t result;

	serve_soak_put(port, number, data, size);
	result = soak_token(token, number);
	if (result == KERN_SUCCESS)
		tokens++;
	else
		lost_tokens++;
	if (result == MACH_SEND_TIMED_OUT) /* its copy of the right came back */
		mach_port_deallocate(mach_task_self(), token);
	mach_port_deallocate(mach_task_self(), token);
	return KERN_SUCCESS;
}

kern_return_t serve_soak_finish(mach_port_t port, int64_t *received, int64_t *faults,
    int64_t *first_fault, int64_t *digest)
{
	(void)port;
	*received = stream.received;
	*faults = stream.faults;
	*first_fault = stream.first_fault;
	*digest = (int64_t)stream.digest;
	stream = start;
	streams++;
	return KERN_SUCCESS;
}

kern_return_t serve_soak_stat(mach_port_t port, char **text, mach_msg_type_number_t *size)
{
	struct text out = TEXT_EMPTY;

	(void)port;
	text_add(&out, "service streams=%u tokens=%u lost=%u\n", streams, tokens, lost_tokens);
	text_add(&out, "stream received=%lld faults=%lld\n", (long long)stream.received,
	    (long long)stream.faults);
	return text_give(&out, text, size);
}

int main(void)
{
	stream = start;
	mach_msg_server(soak_server, REQUEST_OCTETS, server_check_in("soak"));
	return 1;
}
