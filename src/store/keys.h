/* keys.h: the keys and records of the store as bytes: docs/formats/store.md in code. Every key
 * begins with a lower-case letter that names its kind; numbers in keys are big-endian, so they
 * sort; every record begins with its version. */
#ifndef STORE_KEYS_H
#define STORE_KEYS_H

#include "base/buf.h"
#include "store/store.h"

enum { STORE_FORMAT = 1 };

/* A short key. */
struct key {
    size_t len;
    char bytes[32];
};
static inline struct slice key_slice(const struct key *k)
{
    return slice_of(k->bytes, k->len);
}

struct key key_format(void);
struct key key_account_prefix(uint64_t account);             /* c account */
struct key key_head(uint64_t account, uint64_t mailbox);     /* c account h mailbox */
struct key key_keywords(uint64_t account, uint64_t mailbox); /* c account k mailbox */
struct key key_entries(uint64_t mailbox);                    /* e mailbox: the prefix */
struct key key_entry(uint64_t mailbox, uint32_t uid);        /* e mailbox uid */
struct key key_message(uint64_t message);                    /* m message */
struct key key_references(uint64_t message);                 /* r message: the prefix */
struct key key_reference(uint64_t message, uint64_t mailbox, uint32_t uid); /* … m mailbox uid */
struct key key_maybe_dead(uint64_t message);                                /* d message */
struct key key_tombstones(uint64_t mailbox);                             /* x mailbox: the prefix */
struct key key_tombstone(uint64_t mailbox, uint64_t modseq);             /* x mailbox modseq */
struct key key_dead_mailbox(uint64_t mailbox);                           /* z mailbox */
struct key key_uidls(uint64_t mailbox);                                  /* u mailbox: the prefix */
struct key key_uidl(uint64_t mailbox, uint32_t uid);                     /* u mailbox uid */
struct key key_origins(uint64_t mailbox);                                /* i mailbox: the prefix */
void key_origin(struct buf *out, uint64_t mailbox, struct slice origin); /* i mailbox origin */
struct key key_annotations(uint64_t object);                             /* o object: the prefix */
void key_account(struct buf *out, struct slice name);                    /* a name */
void key_folder(struct buf *out, uint64_t account, struct slice name);   /* c account n name */
void key_holder(struct buf *out, uint64_t message, struct slice holder); /* r message h holder */

/* What a mailbox counts; its head record. */
struct head {
    uint32_t uidvalidity, uidnext;
    uint64_t modseq; /* the highest */
    uint32_t count, unseen;
    uint64_t bytes;
    uint32_t tombstones;      /* expunged UIDs that are remembered */
    uint64_t tombstone_floor; /* expunges up to this MODSEQ are forgotten */
    int64_t tombstone_oldest; /* time of the oldest one remembered, seconds */
};
void head_encode(const struct head *h, struct buf *out);
MUST_USE enum result head_decode(struct slice value, struct head *ret);

/* The uid is in the key. */
void entry_encode(const struct entry *e, struct buf *out);
MUST_USE enum result entry_decode(struct slice value, uint32_t uid, struct entry *ret);

struct account_record {
    bool deleted;
    uint64_t id;
    uint32_t last_uidvalidity;
};
void account_record_encode(const struct account_record *r, struct buf *out);
MUST_USE enum result account_record_decode(struct slice value, struct account_record *ret);

struct folder_record {
    unsigned attrs;
    uint64_t mailbox; /* 0: none */
};
void folder_record_encode(const struct folder_record *r, struct buf *out);
MUST_USE enum result folder_record_decode(struct slice value, struct folder_record *ret);

/* A stored message: every blob but the last has blob_size bytes. Slices point into the value. */
struct message_record {
    uint64_t size, blob_size;
    size_t n_blobs;
    struct slice blobs; /* le64 each */
    struct slice summary;
};
void message_record_encode(uint64_t size, uint64_t blob_size, const uint64_t *blobs, size_t n,
                           struct slice summary, struct buf *out);
MUST_USE enum result message_record_decode(struct slice value, struct message_record *ret);
uint64_t message_record_blob(const struct message_record *r, size_t i);

#endif
