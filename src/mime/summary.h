/* summary.h: what a message is made of, computed once on arrival and kept with it.
 *
 * edge (and mailbox for APPEND) builds it from the bytes; it travels with the message and is
 * stored. mailbox answers FETCH ENVELOPE, BODY, BODYSTRUCTURE, BODY[section] and header searches
 * from it. It comes from another role, so reading it checks every offset against the message's
 * size. Format: docs/formats/summary.md. */
#ifndef MIME_SUMMARY_H
#define MIME_SUMMARY_H

#include "base/buf.h"

enum { SUMMARY_PARTS_MAX = 1000, SUMMARY_DEPTH_MAX = 100, SUMMARY_BYTES_MAX = 64 * 1024 };

/* Appends the summary of the message (CRLF line ends; anything, however broken, has one). Beyond
 * the limits, inner structure is told as one application/octet-stream part, and a too long ENVELOPE
 * field is cut. LIMIT only when out is too small for SUMMARY_BYTES_MAX. */
MUST_USE enum result summary_build(struct slice message, struct buf *out);

/* A checked reading of a summary; slices point into it. */
struct summary {
    struct slice envelope;      /* "(…)" as FETCH ENVELOPE sends it (RFC 3501 7.4.2) */
    struct slice bodystructure; /* "(…)" extensible */
    struct slice body;          /* "(…)" without extension data */
    struct slice parts;         /* encoded part table */
    uint64_t header_len;        /* bytes of the top header with its empty line */
    int64_t date;  /* Date field, seconds since 1970 UTC; INT64_MIN: none or unreadable */
    int date_zone; /* its zone in minutes, for searches by the sender's day (date_day) */
    uint64_t size; /* of the message */
};
/* Cheap enough for every FETCH: offsets, counts and lengths are checked. CORRUPT. */
MUST_USE enum result summary_read(struct slice bytes, uint64_t message_size, struct summary *ret);
/* Once, when it comes from another role: is what will be sent to clients well-formed as well? */
MUST_USE enum result summary_verify(struct slice bytes, uint64_t message_size);
/* The summary of the same message with `added` bytes of whole header lines put in front
 * (Return-Path), appended to out. */
MUST_USE enum result summary_prepend(struct slice bytes, uint64_t message_size, uint64_t added,
                                     struct buf *out);

/* A part by its section numbers (RFC 3501 6.4.5): {1,2} is "1.2"; n = 0: the message itself, as if
 * it were an enclosed one: inner_* is set, header_* its header, body_* its text.
 * NOT_FOUND when there is none. */
struct summary_part {
    uint64_t header_from,
        header_len;               /* MIME header of the part (BODY[1.2.MIME]) with its empty line */
    uint64_t body_from, body_len; /* BODY[1.2] */
    bool is_message;              /* message/rfc822: its own header and text follow */
    uint64_t inner_header_from, inner_header_len, inner_text_from, inner_text_len;
    bool is_multipart;
    struct slice type, subtype; /* upper case */
    struct slice charset;       /* or "" */
    struct slice encoding;      /* Content-Transfer-Encoding, upper case: "7BIT", "BASE64" … */
};
MUST_USE enum result summary_part(const struct summary *s, const uint32_t *section, size_t n,
                                  struct summary_part *ret);
/* All leaf parts in order, for searching bodies: i from 0; NOT_FOUND behind the last. */
MUST_USE enum result summary_leaf(const struct summary *s, size_t i, struct summary_part *ret);

#endif
