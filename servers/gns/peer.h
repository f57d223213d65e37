/* Peers: other nodes, our association with each, its channels and its two streams. */
#ifndef GNS_PEER_H
#define GNS_PEER_H

#include "gns.h"

struct home;
struct import;
struct row;
struct waiting;

/* --- nodes we have heard of (peers.c) ----------------------------------------------------- */

#define PEERS_MAX 256

struct peer {
	struct link by_node;
	uint32_t node, epoch;
	uint8_t  mac[NIC_ADDRESS_SIZE];
	uint64_t heard;            /* any frame of this epoch */
	uint64_t quarantined;      /* until then nothing is begun with it */
	uint16_t drops;            /* low half of our rel: how often we have dropped its state, and 1 */
	uint32_t rel;              /* its own, the highest heard; 0: none */
	struct bucket broadcasts;  /* taken from it */
	struct association *association;
};

extern struct table peers;

/* The sender of a frame whose header is good: learns MAC and epoch, and drops what belonged
   to an older epoch.  Null: a frame of the past, or no room. */
extern struct peer *peer_heard(const struct header *header, const uint8_t mac[NIC_ADDRESS_SIZE]);
extern struct peer *peer_find(uint32_t node);
/* The same for a node that another has told us of; null: that boot is over, or no room. */
extern struct peer *peer_told(uint32_t node, uint32_t epoch);

/* It has booted since, or will have when it is heard again: `epoch` is the next to believe. */
extern void boot_is_over(struct peer *peer, uint32_t epoch);

static inline uint32_t rel_ours(const struct peer *peer)
{
	return self.instance << 16 | peer->drops;
}

/* --- channels (channel.c) --------------------------------------------------------------------- */

#define CHANNELS_MAX 4    /* of an association; the oldest gives way */

/* One set of traffic keys, or what stands for it. */
struct channel {
	struct link by_index;      /* ours, at which the peer calls us */
	struct channel *next;      /* of the association */
	struct association *association;
	uint32_t theirs;           /* the peer's index; 0: we are dialling */
	bool     initiator;        /* we dialled */
	bool     heard;            /* a packet has come */
	uint64_t hs_id;
	uint64_t completed, closing; /* when; NEVER: not */
	uint64_t number;           /* of the next packet */
	/* What has come in. */
	bool     any;
	uint64_t largest;          /* packet number */
	uint64_t largest_at;       /* when it came */
	uint64_t window[WIRE_REPLAY_WINDOW / 64]; /* bit n of the ring: number n has come */
	unsigned owed;             /* packets to acknowledge */
	uint64_t ack_by;           /* NEVER: nothing to acknowledge */
};

extern struct table channels;
extern unsigned half_open(void);
extern struct channel *channel_new(struct association *association, uint64_t hs_id, bool initiator);
extern void channel_free(struct channel *channel);
/* Both sides know it now: send on it from here on, if it is the one to prefer. */
extern void channel_complete(struct channel *channel);
extern void channel_take(struct peer *peer, const struct header *header, const uint8_t *body, size_t length);
extern void channel_unknown_take(struct peer *peer, const uint8_t *body, size_t length);
/* A packet with what is owed and, if `stream` is not null, that part of the stream.  False:
   the NIC has no room now. */
struct part;
extern bool channel_send(struct channel *channel, const struct part *stream);
extern bool channel_ping(struct channel *channel);
extern void channel_close(struct channel *channel, uint32_t reason);
extern void channels_timers(struct association *association);

/* --- handshakes (handshake.c) -------------------------------------------------------------------- */

struct dial {
	struct channel *channel;   /* null: not dialling */
	unsigned tries;
	uint64_t next;             /* try again, or begin anew; NEVER */
	unsigned failures;         /* in a row */
};

/* Begin a handshake unless one is under way. */
extern void dial(struct association *association);
extern void dial_timers(struct association *association);
extern void dial_stop(struct association *association);
extern void plain_dial(struct association *association);
extern void plain_dial_again(struct association *association);
extern void plain_handshake(struct peer *peer, const struct header *header, const uint8_t *body,
    size_t length);

/* --- the stream out (stream_out.c) ----------------------------------------------------------------- */

/* An item of the stream, kept until the peer has it. */
struct chunk {
	struct chunk *next;
	uint64_t start;            /* offset in the stream of its first octet */
	uint32_t length;           /* octets, item header included */
	bool     announced;        /* its step has been told, or it has none */
	_Alignas(8) uint8_t octets[];
};

/* Octets of the stream, from `offset`. */
struct part {
	uint64_t offset;
	uint32_t length;
};

/* A part of the stream in a packet that is under way. */
struct flight {
	struct part part;
	uint64_t number, sent;     /* packet; when */
	unsigned later;            /* packets sent after it and acknowledged */
};

struct stream_out {
	struct chunk *first, *last;
	struct chunk *unsent;      /* holds the octet at `next`; null: all is sent */
	uint64_t acked, next, end; /* offsets: the peer has; sent; queued */
	uint64_t limit;            /* offset the peer lets us go to */
	struct flight flights[WIRE_WINDOW_PACKETS]; /* in order of their numbers */
	unsigned flying;
	struct part lost[WIRE_WINDOW_PACKETS]; /* to send again, lowest first */
	unsigned losing;
	unsigned most;             /* flights at once: few after a timeout, until something arrives */
	uint64_t srtt, rttvar;     /* 0: not measured */
	unsigned timeouts;         /* in a row */
	uint64_t due;              /* timeout of what is under way; NEVER */
	bool     stalled;          /* the NIC had no room */
	uint64_t item;             /* id of the last item queued */
};

extern void stream_out_start(struct stream_out *out);
extern void stream_out_free(struct stream_out *out);
/* Everything under way goes out again, on another channel. */
extern void stream_out_resend(struct stream_out *out);
/* An acknowledgement.  False: of what was never sent. */
extern bool stream_out_acked(struct association *association, const struct channel *channel,
    const uint8_t *ack);
/* Send what may be sent. */
extern void stream_out_push(struct association *association);
extern void stream_out_timers(struct association *association);
/* Copy a part out, and tell the steps of the messages that begin in it. */
extern void stream_out_copy(struct association *association, uint8_t *to, const struct part *part);

/* --- the stream in (stream_in.c) ---------------------------------------------------------------------- */

struct stream_in {
	uint64_t received;         /* octets without a gap */
	uint8_t *ring;             /* octets beyond a gap, by offset; null until there are some */
	uint64_t *have;            /* which of them, a bit each */
	uint32_t waiting;          /* how many */
	uint8_t  head[WIRE_ITEM_SIZE]; /* of the item coming in */
	uint32_t head_length;
	uint8_t *body;             /* of an item that came in parts */
	uint32_t body_length, body_got;
	uint64_t item;             /* id of the last item */
};

extern void stream_in_free(struct stream_in *in);
/* False: the peer does not keep to the protocol. */
extern bool stream_in_take(struct association *association, uint64_t offset, const uint8_t *data,
    uint32_t length);

/* --- items (items.c) ------------------------------------------------------------------------------------- */

/* An item to fill and queue; null: no memory.  Its body is at chunk->octets + WIRE_ITEM_SIZE. */
extern struct chunk *item_new(uint8_t kind, uint32_t body_length);
/* Its id.  The chunk is the stream's from here on. */
extern uint64_t item_queue(struct association *association, struct chunk *chunk);
extern void item_send(struct association *association, uint8_t kind, const uint8_t *body, uint32_t length);
/* An item has come in whole.  False: no item of the protocol. */
extern bool item_take(struct association *association, const uint8_t head[WIRE_ITEM_SIZE],
    const uint8_t *body, uint32_t length);

extern void send_drop(struct association *association, uint64_t uid, uint32_t references);
extern void send_once_drop(struct association *association, uint64_t uid);
extern void send_port_dead(struct association *association, uint64_t uid);
extern void send_port_state(struct association *association, uint64_t uid, uint32_t state);
extern void send_msg_fail(struct association *association, uint64_t item, uint32_t status);

/* --- associations (association.c) ------------------------------------------------------------------------- */

#define SENT_KEPT 128      /* messages whose destination is remembered, for MSG_FAIL; power of 2 */

struct sent {
	uint64_t item, uid;
};

struct association {
	struct peer *peer;
	unsigned slot;             /* in `associations` */
	bool     begun;            /* the streams have begun: a handshake is done */
	uint32_t doomed;           /* to be dropped at the end of the turn, for this reason; 0: not */
	bool     dirty;            /* has something to send */
	struct association *next_dirty;
	struct channel *current;   /* that we send on; null: none */
	struct channel *channels;
	struct dial dial;
	struct stream_out out;
	struct stream_in in;
	uint64_t heard;            /* a valid packet; or when it began */
	uint64_t needed_since;     /* somebody holds or wants something; 0: nobody, when last looked */
	uint64_t pinged, hinted;   /* when we sent PING; when CHAN_UNKNOWN made us doubt, or NEVER */
	bool     suspect;
	struct row *rows;          /* what the peer holds here */
	unsigned row_count;
	struct import *imports;    /* what we hold there */
	unsigned import_count;
	uint64_t confirm_due;      /* say then which answers to names have come; NEVER */
	bool     backlogged;       /* proxies are stopped until the stream has drained */
	struct waiting *waiting;   /* messages to it that wait for grants */
	unsigned grants;           /* unclaimed, that it has given */
	uint64_t violations[WIRE_VIOLATIONS_MAX]; /* when the last ones were */
	struct sent sent[SENT_KEPT];
};

/* By slot; null where none is. */
extern struct association *associations[WIRE_ASSOCIATIONS];

/* That with a peer, made if need be; null: no room. */
extern struct association *association_of(struct peer *peer);
/* Somebody holds or wants something of the peer. */
extern bool association_is_needed(const struct association *association);
/* Call it where the first thing is held or wanted: silence counts from then. */
extern void association_needed(struct association *association);
extern void association_is_dirty(struct association *association);
/* Drop it at the end of the turn, after a CLOSE if `reason` is one of its reasons. */
extern void association_doom(struct association *association, uint32_t reason);
#define DOOM_DOWN   0xffffffffu /* no answer: nothing is sent */
#define DOOM_CLOSED 0xfffffffeu /* the peer has closed it */
/* Drop it now: the peer's boot, or our belief in it, is over.  What name answers have given
   since the last handshake is kept if `keep_fresh`. */
extern void association_drop(struct association *association, bool keep_fresh);
/* A handshake is done. */
extern void association_up(struct association *association);
extern void association_violation(struct association *association);
extern void associations_settle(void);
extern void associations_timers(void);

#endif
