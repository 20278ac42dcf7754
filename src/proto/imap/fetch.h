/* fetch.h: what the files of FETCH share: the items that were asked for (fetch_parse.c), where a
 * section's bytes are (fetch_section.c), the walk over the messages (cmd_fetch.c). Inside
 * proto/imap only. */
#ifndef PROTO_IMAP_FETCH_H
#define PROTO_IMAP_FETCH_H

#include "mime/encoding.h"
#include "mime/summary.h"
#include "proto/imap/command.h"

enum {
    FETCH_UID = 1,
    FETCH_FLAGS = 2,
    FETCH_INTERNALDATE = 4,
    FETCH_SIZE = 8,
    FETCH_ENVELOPE = 16,
    FETCH_BODY = 32,
    FETCH_BODYSTRUCTURE = 64,
    FETCH_MODSEQ = 128,
    FETCH_EMAILID = 256,
    FETCH_THREADID = 512,
    FETCH_SAVEDATE = 1024,
    FETCH_MARKED_SEEN = 2048, /* \Seen is being stored: it is told as if it were */
    FETCH_OF_SUMMARY = FETCH_ENVELOPE | FETCH_BODY | FETCH_BODYSTRUCTURE
};

enum {
    FETCH_SECTIONS_MAX = 100,
    FETCH_FIELDS_MAX = 500,            /* names in one HEADER.FIELDS */
    FETCH_HEADER_MAX = 4 * 1024 * 1024 /* of a header that is looked through for fields */
};

struct fetch_section {
    struct slice label; /* "BODY[1.HEADER]<0>" as the response names it */
    enum {
        PART_ALL,
        PART_HEADER,
        PART_TEXT,
        PART_MIME,
        PART_FIELDS,
        PART_FIELDS_NOT,
        PART_BINARY,
        PART_BINARY_SIZE,
        PART_PREVIEW
    } kind;
    uint32_t *path;
    size_t depth;
    struct slice *fields;
    size_t n_fields;
    bool partial;
    uint64_t from, len;
};

struct fetch_items {
    unsigned simple; /* FETCH_… */
    struct fetch_section *sections;
    size_t n;
    bool sets_seen;
};

/* "(CHANGEDSINCE 7 VANISHED)" (RFC 7162 3.1.4, 3.2.6) */
struct fetch_modifiers {
    uint64_t changed_since; /* only messages above it */
    bool changed, vanished;
    struct imap_partial partial; /* RFC 9394 3.2 */
};

/* ALL, FAST, FULL, an item, or a list of items. */
void fetch_parse_items(struct imap_parser *p, struct fetch_items *ret);

void fetch_parse_modifiers(struct imap_parser *p, struct fetch_modifiers *ret);

/* "* 12 FETCH (UID 7 FLAGS (\Seen)", without the end; *separator is what comes before another item
 * (0: nothing). */
void fetch_put_simple(struct imap *im, unsigned items, uint32_t seq, const struct imap_entry *e,
                      char *separator);
/* " ENVELOPE (…)" and its like. */
void fetch_put_summary(struct buf *out, unsigned items, const struct summary *s, char *separator);

/* The bytes that answer a section: a range of the message, or of `built`. */
struct fetch_source {
    bool missing; /* no such part: NIL */
    bool in_built;
    uint64_t from, len;
    /* BINARY: from and len count decoded bytes; these are where they come from. */
    bool decoded, has_nul, unknown_encoding;
    uint64_t raw_from, raw_left;
    uint64_t work; /* bytes that were read to find this out */
    struct transfer_decoder decoder;
};
/* Finds them. header_len and parts come from `s`, which may be NULL for the whole message. built is
 * filled for header fields. NOT_FOUND: the message is gone. */
MUST_USE enum result fetch_locate(struct imap *im, const struct fetch_section *section,
                                  const struct imap_entry *e, const struct summary *s,
                                  struct buf *built, struct fetch_source *ret);
/* Makes a source of encoded bytes one of decoded bytes. */
MUST_USE enum result fetch_locate_binary(struct imap *im, const struct imap_entry *e,
                                         struct slice encoding, struct fetch_source *s);
/* Appends some of it. */
MUST_USE enum result fetch_read_binary(struct imap *im, uint64_t message, struct fetch_source *s,
                                       struct buf *out);
/* The first words of the message, in UTF-8. */
MUST_USE enum result fetch_preview(struct imap *im, const struct imap_entry *e,
                                   const struct summary *s, struct buf *out);
/* Does it need the summary? */
bool fetch_needs_summary(const struct fetch_section *section);

#endif
