/* record.h: the queue's records and keys in kv: encoding and decoding alone. The layout is told in
 * docs/formats/queue.md. A bundle is what one attempt takes: recipients of one message that share a
 * destination, a schedule and a count of attempts. */
#ifndef QUEUE_RECORD_H
#define QUEUE_RECORD_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "queue/queue.h"

enum {
    RECORD_VERSION = 3,
    BUNDLE_VERSION = 2,
    BUNDLE_BYTES_MAX = 512 * 1024, /* of recipients; below KV_VALUE_MAX */
    BUNDLE_RCPTS_MAX = 10000,
    REASON_MAX = 500, /* bytes kept of a remote's words */
    DESTINATION_MAX = 255
};

struct q_envelope {
    uint64_t message;
    uint32_t bundles;    /* that are left */
    uint32_t recipients; /* that are left */
    bool held;
    bool smtputf8, eightbit, bounce, require_tls;
    int64_t arrived_s;
    uint64_t size;
    struct slice sender, account, client_ip, ret, envid;
    struct queue_origin origin;
};

struct q_bundle {
    bool held;
    bool warned;    /* the sender knows of the delay */
    bool flushed;   /* the next attempt is made whatever the transport says */
    bool keeps_way; /* of a recipient: the destination is not looked up anew */
    int64_t due_s;
    uint32_t attempts; /* made so far */
    struct slice destination;
    uint32_t n;
    struct queue_rcpt *rcpts;
    struct slice *reasons;
};

/* A place in the schedule; places compare as their keys do. */
struct place {
    int64_t due_s;
    uint64_t message;
    uint32_t bundle;
};
extern const struct place PLACE_END; /* behind every place */
bool place_before(struct place a, struct place b);

/* Keys live in a small buffer of their own. */
struct q_key {
    char bytes[2 + DESTINATION_MAX + 1 + 20];
    size_t len;
};
static inline struct slice q_key_slice(const struct q_key *k)
{
    return slice_of(k->bytes, k->len);
}
struct q_key q_key_envelope(uint64_t message);
struct q_key q_key_bundle(uint64_t message, uint32_t bundle);
struct q_key q_key_bundles(uint64_t message); /* prefix of all bundles of the message */
struct q_key q_key_schedule(struct place p);
struct q_key q_key_destination(struct slice destination, struct place p);
struct q_key q_key_destination_prefix(struct slice destination);
extern const struct slice Q_PREFIX_ENVELOPES, Q_PREFIX_BUNDLES, Q_PREFIX_SCHEDULE;

/* INVALID when the key is not of the table. */
MUST_USE enum result q_key_place(struct slice key, struct place *ret);
MUST_USE enum result q_key_message(struct slice key, uint64_t *ret);
MUST_USE enum result q_key_bundle_number(struct slice key, uint32_t *ret);

void q_envelope_encode(const struct q_envelope *e, struct buf *out);
/* Slices point into `bytes`. CORRUPT. */
MUST_USE enum result q_envelope_decode(uint64_t message, struct slice bytes,
                                       struct q_envelope *ret);
void q_bundle_encode(const struct q_bundle *b, struct buf *out);
/* Arrays come from the arena, slices point into `bytes`. CORRUPT, FAILED (memory). */
MUST_USE enum result q_bundle_decode(struct slice bytes, struct arena *a, struct q_bundle *ret);

/* Destination and number of recipients alone, without looking further. CORRUPT. */
MUST_USE enum result q_bundle_peek(struct slice bytes, struct slice *ret_destination,
                                   uint64_t *ret_n);

/* The destination of an address: its route when there is one, else its domain in lower case without
 * a final dot; cut at DESTINATION_MAX; written to out. */
struct slice q_destination(struct slice address, struct slice route, char out[DESTINATION_MAX]);

#endif
