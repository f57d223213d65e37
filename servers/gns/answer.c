/* Answering for names: another node asks, our ACS knows (figure 2, steps 4 to 6).

   The ACS is asked each time, for it alone knows who is registered now.  A request that
   comes again gets the answer it got, and one reference for both; whoever asked takes one. */
#include "resolve.h"

#include <string.h>

#include <mig/acs_reply_server.h>

#define QUERIES_MAX   32
#define ANSWERED_KEPT 64
#define ANSWERED_NS   (60000 * MS)
#define ACS_QUERY     0x4011 /* acs_request.defs */

struct query {
	mach_port_t port;      /* where the ACS answers; null: never used */
	bool        busy;
	uint32_t    node, epoch;
	uint64_t    id;
	gns_name    name;
};

struct answered {
	uint32_t node, epoch;
	uint64_t when;         /* 0: free */
	struct name_answer answer;
};

/* acs_query_request of acs_request.defs, to the octet.  MIG's stub would wait while the ACS
   has no room, and it may itself be waiting for us; given a timeout, it would lose rights. */
struct query_message {
	mach_msg_header_t head;
	mach_msg_type_t   type;
	char              name[WIRE_NAME_MAX];
};

static struct query queries[QUERIES_MAX];
static struct answered answered[ANSWERED_KEPT];
static unsigned next_answered;

/* --- steps 4 and 5 -------------------------------------------------------------------------- */

static struct query *free_query(void)
{
	for (unsigned i = 0; i < QUERIES_MAX; i++) {
		struct query *query = &queries[i];

		if (query->busy)
			continue;
		if (query->port == MACH_PORT_NULL) {
			if (mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &query->port) != KERN_SUCCESS)
				return NULL;
			mach_port_move_member(mach_task_self(), query->port, self.set);
		}
		return query;
	}
	return NULL;
}

static bool send_query(const struct query *query)
{
	struct query_message message = {
	    .head = {
	        .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE),
	        .msgh_size = sizeof message,
	        .msgh_remote_port = self.acs,
	        .msgh_local_port = query->port,
	        .msgh_id = ACS_QUERY,
	    },
	    .type = {
	        .msgt_name = MACH_MSG_TYPE_CHAR,
	        .msgt_size = 8,
	        .msgt_inline = TRUE,
	        .msgt_number = sizeof message.name,
	    },
	};
	mach_msg_return_t mr;

	memcpy(message.name, query->name, sizeof message.name);
	machemu_step(STEP_CODE(STEP_RES, 4, 0), query->id, query->node);
	mr = mach_msg(&message.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT, sizeof message, 0, MACH_PORT_NULL, 0,
	    MACH_PORT_NULL);
	if (mr == MACH_SEND_TIMED_OUT) /* the rights came back; the end of the reply's is an answer, too */
		message_drop(&message.head);
	return mr == MACH_MSG_SUCCESS || mr == MACH_SEND_TIMED_OUT;
}

static bool is_same(const struct query *query, const struct peer *peer, uint64_t id)
{
	return query->busy && query->node == peer->node && query->epoch == peer->epoch && query->id == id;
}

/* What everybody was told may have been withdrawn since. */
static bool is_still_true(const struct name_answer *answer)
{
	const struct home *home = home_published(answer->uid);

	return !answer->to_all || (home != NULL && home_is_public(home));
}

static bool repeat_answer(const struct peer *peer, uint64_t id)
{
	for (unsigned i = 0; i < ANSWERED_KEPT; i++) {
		struct answered *known = &answered[i];

		if (known->when == 0 || known->node != peer->node || known->epoch != peer->epoch
		    || known->answer.id != id || now - known->when > ANSWERED_NS || !is_still_true(&known->answer))
			continue;
		broadcast_name_answer(peer, &known->answer);
		return true;
	}
	return false;
}

void answer_request(struct peer *peer, const struct name_request *request)
{
	struct query *query;

	if (request->has_origin && !name_is_of(request->origin, peer->node))
		counters.name_denied++;
	else if (request->has_origin)
		name_heard(peer, request->origin, request->origin_uid);
	if (!name_is_of(request->name, self.node) || repeat_answer(peer, request->id))
		return;
	for (unsigned i = 0; i < QUERIES_MAX; i++)
		if (is_same(&queries[i], peer, request->id))
			return;
	query = free_query();
	if (query == NULL) /* it will be asked again */
		return;
	query->node = peer->node;
	query->epoch = peer->epoch;
	query->id = request->id;
	memcpy(query->name, request->name, sizeof query->name);
	query->busy = send_query(query);
}

/* --- step 6 ------------------------------------------------------------------------------------ */

/* Let the peer, or everybody, use the port.  False: no room. */
static bool give(struct peer *peer, struct home *home, struct name_answer *answer)
{
	struct association *association;
	struct row *row;

	answer->to_all = self.answers_to_all && name_publish(answer->name, home);
	if (answer->to_all)
		return true;
	association = association_of(peer);
	row = association != NULL ? row_give(association, home) : NULL;
	if (row != NULL)
		row_answered(row);
	return row != NULL;
}

static void answer(const struct query *query, mach_port_t port)
{
	struct peer *peer = peer_find(query->node);
	struct home *home = home_of(port);
	struct name_answer given = {.id = query->id};

	if (home == NULL) {
		mach_port_deallocate(mach_task_self(), port);
		return;
	}
	memcpy(given.name, query->name, sizeof given.name);
	given.uid = home->uid;
	if (peer == NULL || peer->epoch != query->epoch || !give(peer, home, &given)) {
		home_release(home);
		return;
	}
	answered[next_answered] = (struct answered){peer->node, peer->epoch, now, given};
	next_answered = (next_answered + 1) % ANSWERED_KEPT;
	machemu_step(STEP_CODE(STEP_RES, 6, 0), home->name, peer->node);
	broadcast_name_answer(peer, &given);
	counters.name_answered++;
}

static struct query *query_of(mach_port_t port)
{
	for (unsigned i = 0; i < QUERIES_MAX; i++)
		if (queries[i].port == port)
			return &queries[i];
	return NULL;
}

/* Step 5 (acs_reply.defs). */
kern_return_t take_acs_query_reply(mach_port_t reply, kern_return_t result, int flags, mach_port_t port,
    mach_msg_type_name_t kind)
{
	struct query *query = query_of(reply);

	(void)flags, (void)kind;
	if (query == NULL || !query->busy)
		return KERN_INVALID_ARGUMENT;
	query->busy = false;
	if (result == KERN_SUCCESS && MACH_PORT_VALID(port) && import_of_proxy(port) == NULL)
		answer(query, port);
	else if (MACH_PORT_VALID(port))
		mach_port_deallocate(mach_task_self(), port);
	return KERN_SUCCESS;
}

/* We never ask to resolve. */
kern_return_t take_acs_resolve_reply(mach_port_t reply, kern_return_t result, int flags, int ttl, mach_port_t port,
    mach_msg_type_name_t kind)
{
	(void)reply, (void)result, (void)flags, (void)ttl, (void)port, (void)kind;
	return KERN_INVALID_ARGUMENT;
}

bool answer_message(mach_msg_header_t *message)
{
	struct query *query = query_of(message->msgh_local_port);
	mig_reply_header_t nobody;

	if (query == NULL || query->port == MACH_PORT_NULL)
		return false;
	/* A notification says that the ACS is no more, or was too busy to be asked.  Whatever has
	   come, it is all that will. */
	if (!acs_reply_server(message, &nobody.Head) || nobody.RetCode != KERN_SUCCESS)
		mach_msg_destroy(message);
	query->busy = false;
	return true;
}

void answer_stat(struct text *out)
{
	for (unsigned i = 0; i < QUERIES_MAX; i++)
		if (queries[i].busy) {
			text_add(out, "query name=");
			text_add_field(out, queries[i].name, sizeof(gns_name));
			text_add(out, " node=%u\n", queries[i].node);
		}
}
