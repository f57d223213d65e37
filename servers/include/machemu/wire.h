/* Made by tools/make_wire_header.py from machemu/wire/schema.py; edit that.

   Frames between generic network servers (security.md 4).  WIRE_X_Y is the offset of
   field Y in layout X, in octets; WIRE_X_SIZE the octets of X, or of what precedes its
   open end.  The inline data of a message are its body: what follows Mach's header. */
#ifndef MACHEMU_WIRE_H
#define MACHEMU_WIRE_H

#include <stdint.h>

/* Limits, flags, times */
#define WIRE_ETHERTYPE 0x88B5u
#define WIRE_ETHERNET_HEADER 14u
#define WIRE_ETHERNET_MIN 60u
#define WIRE_MTU 1500u
#define WIRE_MAGIC 0x4E47u
#define WIRE_VERSION 1u
#define WIRE_ALL_NODES 0xFFFFFFFFu
#define WIRE_FIRST_UID 256u
#define WIRE_UID_ACS_PEER 1u
#define WIRE_UID_POLICY 2u
#define WIRE_NO_OFFSET 0xFFFFFFFFu
#define WIRE_INTERFACE_PUBLIC 1u
#define WIRE_INTERFACE_DOOR 2u
#define WIRE_REPRESENTATION 1u
#define WIRE_HEADER_INLINE 32u
#define WIRE_NAME_REQ_ANNOUNCE 1u
#define WIRE_NAME_REQ_ORIGIN 2u
#define WIRE_NAME_ANS_POLICY 1u
#define WIRE_ITEM_SEALED 1u
#define WIRE_MSG_COMPLEX 1u
#define WIRE_OOL_DEALLOCATE 1u
#define WIRE_GRANT_VOUCHED 1u
#define WIRE_GRANT_MEASURED 2u
#define WIRE_NAME_MAX 64u
#define WIRE_STREAM_DATA_MAX 1400u
#define WIRE_ITEM_BODY_MAX 1048576u
#define WIRE_DESCRIPTORS_MAX 64u
#define WIRE_REGIONS_MAX 16u
#define WIRE_HOPS_MAX 8u
#define WIRE_WINDOW_PACKETS 64u
#define WIRE_WINDOW_OCTETS 65536u
#define WIRE_REPLAY_WINDOW 1024u
#define WIRE_ASSOCIATIONS 64u
#define WIRE_ASSOCIATIONS_MAX 256u
#define WIRE_EXPORTS_MAX 4096u
#define WIRE_HELD_MESSAGES_MAX 16u
#define WIRE_HELD_OCTETS_MAX 65536u
#define WIRE_GRANTS_UNCLAIMED_MAX 256u
#define WIRE_ACS_CACHE_ENTRIES 1024u
#define WIRE_HALF_OPEN_MAX 32u
#define WIRE_REGISTRATIONS_PER_TASK 4u
#define WIRE_REGISTRATIONS_PER_NODE 256u
#define WIRE_VIOLATIONS_MAX 3u
#define WIRE_REQUEST_RATE 20u
#define WIRE_REQUEST_BURST 40u
#define WIRE_CHAN_UNKNOWN_RATE 4u
#define WIRE_RTO_START_NS 200000000u
#define WIRE_RTO_MIN_NS 20000000u
#define WIRE_RTO_MAX_NS 2000000000u
#define WIRE_ACK_DELAY_NS 5000000u
#define WIRE_PING_NS 2000000000u
#define WIRE_SUSPECT_NS 5000000000ULL
#define WIRE_DOWN_NS 15000000000ULL
#define WIRE_HALF_OPEN_NS 4000000000u
#define WIRE_NODE_UP_NS 30000000000ULL
#define WIRE_NAME_TRY_1_NS 250000000u
#define WIRE_NAME_TRY_2_NS 500000000u
#define WIRE_NAME_TRY_3_NS 1000000000u
#define WIRE_NAME_NEGATIVE_NS 2000000000u
#define WIRE_HS_TRY_1_NS 250000000u
#define WIRE_HS_TRY_2_NS 500000000u
#define WIRE_HS_TRY_3_NS 1000000000u
#define WIRE_HS_TRY_4_NS 2000000000u
#define WIRE_HS_BACKOFF_MAX_NS 30000000000ULL
#define WIRE_GRANT_UNCLAIMED_NS 60000000000ULL
#define WIRE_VIOLATION_NS 10000000000ULL
#define WIRE_QUARANTINE_NS 60000000000ULL
#define WIRE_TTL_VOUCHED_S 300u
#define WIRE_TTL_UNVOUCHED_S 30u
#define WIRE_HINT_TTL_MAX_S 300u

/* What protects a site's frames; one octet of the settings and of every frame (3). */
#define WIRE_SUITE_NONE 0u
#define WIRE_SUITE_PAPER 1u
#define WIRE_SUITE_MODERN 2u

/* Octet 4 of the header (4.1). */
#define WIRE_TYPE_NAME_REQ 1u
#define WIRE_TYPE_NAME_ANS 2u
#define WIRE_TYPE_NAME_ANN 3u
#define WIRE_TYPE_NODE_UP 4u
#define WIRE_TYPE_NODE_DOWN 5u
#define WIRE_TYPE_KEY_ANNOUNCE 6u
#define WIRE_TYPE_HS1 16u
#define WIRE_TYPE_HS2 17u
#define WIRE_TYPE_HS3 18u
#define WIRE_TYPE_HS_RETRY 19u
#define WIRE_TYPE_DATA 32u
#define WIRE_TYPE_CHAN_UNKNOWN 33u

/* What a record of a DATA packet is (4.6). */
#define WIRE_REC_PAD 0u
#define WIRE_REC_ACK 1u
#define WIRE_REC_STREAM 2u
#define WIRE_REC_PING 3u
#define WIRE_REC_PONG 4u
#define WIRE_REC_CONFIRM 5u
#define WIRE_REC_CLOSE 6u

/* What an item of the stream is (4.7). */
#define WIRE_KIND_MSG 1u
#define WIRE_KIND_CLAIM 2u
#define WIRE_KIND_GRANT 3u
#define WIRE_KIND_GRANT_FOR 4u
#define WIRE_KIND_GRANT_RES 5u
#define WIRE_KIND_CLAIM_PORT 6u
#define WIRE_KIND_CLAIM_RES 7u
#define WIRE_KIND_DROP 8u
#define WIRE_KIND_PORT_DEAD 9u
#define WIRE_KIND_SO_DROP 10u
#define WIRE_KIND_PORT_STATE 11u
#define WIRE_KIND_FLUSH 12u
#define WIRE_KIND_FLUSH_ACK 13u
#define WIRE_KIND_MSG_FAIL 14u
#define WIRE_KIND_RECV_TAKEN 15u

/* Of GRANT, GRANT_RES, CLAIM_RES, MSG_FAIL and NAME_ANS (4.7). */
#define WIRE_ST_OK 0u
#define WIRE_ST_NO_SUCH_NAME 1u
#define WIRE_ST_NOT_ALLOWED 2u
#define WIRE_ST_DEAD 3u
#define WIRE_ST_BAD_RIGHT 4u
#define WIRE_ST_EXPIRED 5u
#define WIRE_ST_BUSY 6u
#define WIRE_ST_LIMIT 7u

/* Of a CLOSE record (4.6). */
#define WIRE_REASON_REKEYED 1u
#define WIRE_REASON_HALT 2u
#define WIRE_REASON_PROTOCOL 3u
#define WIRE_REASON_REVOKED 4u
#define WIRE_REASON_VIOLATIONS 5u

/* Of NODE_DOWN (4.2). */
#define WIRE_DOWN_HALT 1u
#define WIRE_DOWN_REBOOT 2u
#define WIRE_DOWN_QUARANTINE 3u

/* Of a message's destination and of GRANT_FOR (4.7, 4.8). */
#define WIRE_RIGHT_SEND 1u
#define WIRE_RIGHT_SEND_ONCE 2u

/* What a port descriptor carries (4.8). */
#define WIRE_WHAT_NOTHING 0u
#define WIRE_WHAT_SEND_MINE 1u
#define WIRE_WHAT_SEND_YOURS 2u
#define WIRE_WHAT_SEND_THIRD 3u
#define WIRE_WHAT_ONCE_MINE 4u
#define WIRE_WHAT_ONCE_YOURS 5u
#define WIRE_WHAT_ONCE_THIRD 6u
#define WIRE_WHAT_RECEIVE 7u
#define WIRE_WHAT_DEAD 8u

/* Of PORT_STATE (4.7). */
#define WIRE_STATE_OPEN 0u
#define WIRE_STATE_BLOCKED 1u

/* Ethernet and the common header (4.1): ETHERNET */
#define WIRE_ETHERNET_DESTINATION 0
#define WIRE_ETHERNET_SOURCE 6
#define WIRE_ETHERNET_ETHERTYPE 12
#define WIRE_ETHERNET_PAYLOAD 14
#define WIRE_ETHERNET_SIZE 14

/* Ethernet and the common header (4.1): HEADER */
#define WIRE_HEADER_MAGIC 0
#define WIRE_HEADER_VERSION 2
#define WIRE_HEADER_SUITE 3
#define WIRE_HEADER_TYPE 4
#define WIRE_HEADER_LENGTH 6
#define WIRE_HEADER_SRC_NODE 8
#define WIRE_HEADER_DST_NODE 12
#define WIRE_HEADER_SRC_EPOCH 16
#define WIRE_HEADER_CHAN 20
#define WIRE_HEADER_SEQ 24
#define WIRE_HEADER_SIZE 32

/* Broadcasts (4.2): BCAST */
#define WIRE_BCAST_INNER_LEN 0
#define WIRE_BCAST_CERTS_LEN 2
#define WIRE_BCAST_OCTETS 4
#define WIRE_BCAST_SIZE 4

/* Broadcasts (4.2): NAME_REQ */
#define WIRE_NAME_REQ_REQ_ID 0
#define WIRE_NAME_REQ_FLAGS 8
#define WIRE_NAME_REQ_NAME_LEN 10
#define WIRE_NAME_REQ_OCTETS 16
#define WIRE_NAME_REQ_SIZE 16

/* Broadcasts (4.2): ORIGIN */
#define WIRE_ORIGIN_UID 0
#define WIRE_ORIGIN_NAME_LEN 8
#define WIRE_ORIGIN_NAME 16
#define WIRE_ORIGIN_SIZE 16

/* Broadcasts (4.2): NAME_ANS */
#define WIRE_NAME_ANS_REQ_ID 0
#define WIRE_NAME_ANS_STATUS 8
#define WIRE_NAME_ANS_FLAGS 12
#define WIRE_NAME_ANS_NAME_LEN 14
#define WIRE_NAME_ANS_UID 16
#define WIRE_NAME_ANS_NAME 24
#define WIRE_NAME_ANS_SIZE 24

/* Broadcasts (4.2): NAME_ANN */
#define WIRE_NAME_ANN_TTL_S 0
#define WIRE_NAME_ANN_FLAGS 4
#define WIRE_NAME_ANN_NAME_LEN 6
#define WIRE_NAME_ANN_NAME 8
#define WIRE_NAME_ANN_SIZE 8

/* Broadcasts (4.2): NODE_UP */
#define WIRE_NODE_UP_GENERATION 0
#define WIRE_NODE_UP_UPTIME_NS 8
#define WIRE_NODE_UP_SIZE 16

/* Broadcasts (4.2): NODE_DOWN */
#define WIRE_NODE_DOWN_REASON 0
#define WIRE_NODE_DOWN_SIZE 8

/* Key announcement of suite paper (4.4): KEY_ANNOUNCE */
#define WIRE_KEY_ANNOUNCE_IV 0
#define WIRE_KEY_ANNOUNCE_SEALED 16
#define WIRE_KEY_ANNOUNCE_SIZE 16

/* Key announcement of suite paper (4.4): KEY */
#define WIRE_KEY_MAGIC 0
#define WIRE_KEY_NODE 4
#define WIRE_KEY_FLAGS 8
#define WIRE_KEY_E 12
#define WIRE_KEY_MODULUS 16
#define WIRE_KEY_SIZE 272

/* Handshakes (4.5): HS */
#define WIRE_HS_CHANNEL 0
#define WIRE_HS_REL 4
#define WIRE_HS_SIZE 8

/* Handshakes (4.5): HS1_MODERN */
#define WIRE_HS1_MODERN_COOKIE 0
#define WIRE_HS1_MODERN_BMAC 16
#define WIRE_HS1_MODERN_M1 32
#define WIRE_HS1_MODERN_SIZE 72

/* Handshakes (4.5): HS2_MODERN */
#define WIRE_HS2_MODERN_M2 0
#define WIRE_HS2_MODERN_SIZE 472

/* Handshakes (4.5): HS3_MODERN */
#define WIRE_HS3_MODERN_M3 0
#define WIRE_HS3_MODERN_SIZE 440

/* Handshakes (4.5): HS_RETRY */
#define WIRE_HS_RETRY_COOKIE 0
#define WIRE_HS_RETRY_SIZE 16

/* Handshakes (4.5): CHAN_UNKNOWN */
#define WIRE_CHAN_UNKNOWN_SEQ 0
#define WIRE_CHAN_UNKNOWN_SIZE 8

/* Records of a DATA packet (4.6): RECORD */
#define WIRE_RECORD_TYPE 0
#define WIRE_RECORD_BODY_LEN 2
#define WIRE_RECORD_BODY 4
#define WIRE_RECORD_SIZE 4

/* Records of a DATA packet (4.6): ACK */
#define WIRE_ACK_LARGEST 0
#define WIRE_ACK_BITMAP 8
#define WIRE_ACK_STREAM_ACK 16
#define WIRE_ACK_CREDIT 24
#define WIRE_ACK_DELAY_US 28
#define WIRE_ACK_SIZE 32

/* Records of a DATA packet (4.6): STREAM */
#define WIRE_STREAM_OFFSET 0
#define WIRE_STREAM_DATA 8
#define WIRE_STREAM_SIZE 8

/* Records of a DATA packet (4.6): PING */
#define WIRE_PING_TOKEN 0
#define WIRE_PING_SIZE 8

/* Records of a DATA packet (4.6): CONFIRM */
#define WIRE_CONFIRM_REL 0
#define WIRE_CONFIRM_TRANSCRIPT 8
#define WIRE_CONFIRM_SIZE 16

/* Records of a DATA packet (4.6): CLOSE */
#define WIRE_CLOSE_REASON 0
#define WIRE_CLOSE_SIZE 4

/* Items of the stream (4.7): ITEM */
#define WIRE_ITEM_BODY_LEN 0
#define WIRE_ITEM_KIND 4
#define WIRE_ITEM_FLAGS 5
#define WIRE_ITEM_ID 8
#define WIRE_ITEM_BODY 16
#define WIRE_ITEM_SIZE 16

/* Items of the stream (4.7): CLAIM */
#define WIRE_CLAIM_REQ_ID 0
#define WIRE_CLAIM_INTERFACE 8
#define WIRE_CLAIM_NAME_LEN 12
#define WIRE_CLAIM_NAME 16
#define WIRE_CLAIM_SIZE 16

/* Items of the stream (4.7): GRANT */
#define WIRE_GRANT_REQ_ID 0
#define WIRE_GRANT_STATUS 8
#define WIRE_GRANT_TTL_S 12
#define WIRE_GRANT_PORT 16
#define WIRE_GRANT_REG_ID 48
#define WIRE_GRANT_FLAGS 56
#define WIRE_GRANT_MEASUREMENT 64
#define WIRE_GRANT_SIZE 96

/* Items of the stream (4.7): GRANT_FOR */
#define WIRE_GRANT_FOR_GID 0
#define WIRE_GRANT_FOR_UID 8
#define WIRE_GRANT_FOR_NODE 16
#define WIRE_GRANT_FOR_EPOCH 20
#define WIRE_GRANT_FOR_RIGHT 24
#define WIRE_GRANT_FOR_SIZE 32

/* Items of the stream (4.7): GRANT_RES */
#define WIRE_GRANT_RES_GID 0
#define WIRE_GRANT_RES_STATUS 8
#define WIRE_GRANT_RES_SIZE 16

/* Items of the stream (4.7): CLAIM_PORT */
#define WIRE_CLAIM_PORT_NODE 0
#define WIRE_CLAIM_PORT_EPOCH 4
#define WIRE_CLAIM_PORT_GID 8
#define WIRE_CLAIM_PORT_UID 16
#define WIRE_CLAIM_PORT_SIZE 24

/* Items of the stream (4.7): CLAIM_RES */
#define WIRE_CLAIM_RES_NODE 0
#define WIRE_CLAIM_RES_EPOCH 4
#define WIRE_CLAIM_RES_GID 8
#define WIRE_CLAIM_RES_UID 16
#define WIRE_CLAIM_RES_STATUS 24
#define WIRE_CLAIM_RES_RIGHT 28
#define WIRE_CLAIM_RES_SIZE 32

/* Items of the stream (4.7): DROP */
#define WIRE_DROP_UID 0
#define WIRE_DROP_REFERENCES 8
#define WIRE_DROP_SIZE 16

/* Items of the stream (4.7): PORT_DEAD */
#define WIRE_PORT_DEAD_UID 0
#define WIRE_PORT_DEAD_REASON 8
#define WIRE_PORT_DEAD_SIZE 16

/* Items of the stream (4.7): SO_DROP */
#define WIRE_SO_DROP_UID 0
#define WIRE_SO_DROP_SIZE 16

/* Items of the stream (4.7): PORT_STATE */
#define WIRE_PORT_STATE_UID 0
#define WIRE_PORT_STATE_STATE 8
#define WIRE_PORT_STATE_SIZE 16

/* Items of the stream (4.7): FLUSH */
#define WIRE_FLUSH_TOKEN 0
#define WIRE_FLUSH_UID 8
#define WIRE_FLUSH_SIZE 16

/* Items of the stream (4.7): MSG_FAIL */
#define WIRE_MSG_FAIL_ITEM 0
#define WIRE_MSG_FAIL_STATUS 8
#define WIRE_MSG_FAIL_SIZE 16

/* Items of the stream (4.7): RECV_TAKEN */
#define WIRE_RECV_TAKEN_UID 0
#define WIRE_RECV_TAKEN_PORT 8
#define WIRE_RECV_TAKEN_SIZE 40

/* Mach messages (4.8): MSG */
#define WIRE_MSG_DEST_UID 0
#define WIRE_MSG_DEST_RIGHT 8
#define WIRE_MSG_HOPS 9
#define WIRE_MSG_REPRESENTATION 10
#define WIRE_MSG_FLAGS 11
#define WIRE_MSG_MSGH_ID 12
#define WIRE_MSG_INLINE_LENGTH 16
#define WIRE_MSG_NDESC 20
#define WIRE_MSG_NOOL 22
#define WIRE_MSG_REPLY 32
#define WIRE_MSG_REST 64
#define WIRE_MSG_SIZE 64

/* Mach messages (4.8): PD */
#define WIRE_PD_WHAT 0
#define WIRE_PD_REGION 1
#define WIRE_PD_COUNT 2
#define WIRE_PD_OFFSET 4
#define WIRE_PD_NODE 8
#define WIRE_PD_EPOCH 12
#define WIRE_PD_UID 16
#define WIRE_PD_GID 24
#define WIRE_PD_SIZE 32

/* Mach messages (4.8): OOL */
#define WIRE_OOL_OFFSET 0
#define WIRE_OOL_LENGTH 4
#define WIRE_OOL_FLAGS 8
#define WIRE_OOL_SIZE 16

/* Certificates (3.4): NODE_CERT */
#define WIRE_NODE_CERT_MAGIC 0
#define WIRE_NODE_CERT_NODE 4
#define WIRE_NODE_CERT_SERIAL 8
#define WIRE_NODE_CERT_GENERATION 12
#define WIRE_NODE_CERT_ROLES 16
#define WIRE_NODE_CERT_KEY 32
#define WIRE_NODE_CERT_SITE_ID 64
#define WIRE_NODE_CERT_NAME 96
#define WIRE_NODE_CERT_SIGNATURE 112
#define WIRE_NODE_CERT_SIZE 176

/* Certificates (3.4): BOOT_CERT */
#define WIRE_BOOT_CERT_MAGIC 0
#define WIRE_BOOT_CERT_NODE 4
#define WIRE_BOOT_CERT_EPOCH 8
#define WIRE_BOOT_CERT_ENGINE_FLAGS 12
#define WIRE_BOOT_CERT_STATIC_KEY 16
#define WIRE_BOOT_CERT_SIGNING_KEY 48
#define WIRE_BOOT_CERT_PLATFORM 80
#define WIRE_BOOT_CERT_GENERATION 112
#define WIRE_BOOT_CERT_SIGNATURE 128
#define WIRE_BOOT_CERT_SIZE 192

/* Labels, and their lengths */
#define WIRE_LABEL_NODE_CERT "machemu-v1 node cert\0"
#define WIRE_LABEL_NODE_CERT_LEN 21
#define WIRE_LABEL_BOOT_CERT "machemu-v1 boot cert\0"
#define WIRE_LABEL_BOOT_CERT_LEN 21
#define WIRE_LABEL_BCAST_KEY "machemu-v1 bcast key"
#define WIRE_LABEL_BCAST_KEY_LEN 20
#define WIRE_LABEL_BCAST "machemu-v1 bcast"
#define WIRE_LABEL_BCAST_LEN 16
#define WIRE_LABEL_BCAST_SIGN "machemu-v1 bcast\0"
#define WIRE_LABEL_BCAST_SIGN_LEN 17
#define WIRE_LABEL_HS1 "machemu-v1 hs1"
#define WIRE_LABEL_HS1_LEN 14
#define WIRE_LABEL_NOISE_NAME "Noise_XX_25519_ChaChaPoly_SHA256"
#define WIRE_LABEL_NOISE_NAME_LEN 32
#define WIRE_LABEL_PROLOGUE "machemu-gns-v1"
#define WIRE_LABEL_PROLOGUE_LEN 14
#define WIRE_LABEL_MEASUREMENT "machemu-v1 meas\0"
#define WIRE_LABEL_MEASUREMENT_LEN 16
#define WIRE_LABEL_MAC "machemu-v1 mac"
#define WIRE_LABEL_MAC_LEN 14
#define WIRE_LABEL_WRAP "machemu-v1 wrap"
#define WIRE_LABEL_WRAP_LEN 15
#define WIRE_LABEL_REG "machemu-v1 reg"
#define WIRE_LABEL_REG_LEN 14
#define WIRE_LABEL_SHARE_CLIENT "machemu-v1 share client"
#define WIRE_LABEL_SHARE_CLIENT_LEN 23
#define WIRE_LABEL_SHARE_SERVER "machemu-v1 share server"
#define WIRE_LABEL_SHARE_SERVER_LEN 23
#define WIRE_LABEL_CONV "machemu-v1 conv\0"
#define WIRE_LABEL_CONV_LEN 16
#define WIRE_LABEL_CONV_0 "machemu-v1 conv 0"
#define WIRE_LABEL_CONV_0_LEN 17
#define WIRE_LABEL_CONV_1 "machemu-v1 conv 1"
#define WIRE_LABEL_CONV_1_LEN 17
#define WIRE_LABEL_CONV_2 "machemu-v1 conv 2"
#define WIRE_LABEL_CONV_2_LEN 17
#define WIRE_LABEL_CONV_3 "machemu-v1 conv 3"
#define WIRE_LABEL_CONV_3_LEN 17
#define WIRE_LABEL_SEC_AB "machemu-v1 sec_ab"
#define WIRE_LABEL_SEC_AB_LEN 17
#define WIRE_LABEL_KID "machemu-v1 kid"
#define WIRE_LABEL_KID_LEN 14
#define WIRE_LABEL_POLICY "machemu-v1 policy"
#define WIRE_LABEL_POLICY_LEN 17
#define WIRE_LABEL_POLICY_SIGN "machemu-v1 policy\0"
#define WIRE_LABEL_POLICY_SIGN_LEN 18
#define WIRE_LABEL_NEXT_SITE "machemu-v1 next site\0"
#define WIRE_LABEL_NEXT_SITE_LEN 21

/* Fields lie at any address, and the wire is little-endian whatever the CPU. */
static inline uint16_t wire_get16(const void *at)
{
	const uint8_t *p = at;

	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t wire_get32(const void *at)
{
	const uint8_t *p = at;

	return wire_get16(p) | (uint32_t)wire_get16(p + 2) << 16;
}

static inline uint64_t wire_get64(const void *at)
{
	const uint8_t *p = at;

	return wire_get32(p) | (uint64_t)wire_get32(p + 4) << 32;
}

static inline void wire_put16(void *at, uint16_t value)
{
	uint8_t *p = at;

	p[0] = (uint8_t)value;
	p[1] = (uint8_t)(value >> 8);
}

static inline void wire_put32(void *at, uint32_t value)
{
	uint8_t *p = at;

	wire_put16(p, (uint16_t)value);
	wire_put16(p + 2, (uint16_t)(value >> 16));
}

static inline void wire_put64(void *at, uint64_t value)
{
	uint8_t *p = at;

	wire_put32(p, (uint32_t)value);
	wire_put32(p + 4, (uint32_t)(value >> 32));
}

#endif
