/* summary_format.h: the encoding of summaries, docs/formats/summary.md. Internal to mime/. */
#ifndef MIME_SUMMARY_FORMAT_H
#define MIME_SUMMARY_FORMAT_H

#include "mime/summary.h"

#include "base/cursor.h"

enum { SUMMARY_VERSION = 1, SUMMARY_WORD_MAX = 127 };

enum part_kind { PART_LEAF, PART_MULTIPART, PART_MESSAGE, PART_KINDS };

/* One record of the part table, in document order. Offsets count from the message's beginning. */
struct part_record {
    enum part_kind kind;
    unsigned depth;
    uint64_t header_from, header_len, body_from, body_len;
    struct slice type, subtype, charset, encoding;
};

/* Everything that is in front of the part table, too. */
struct summary_head {
    uint64_t size, header_len;
    bool has_date;
    int64_t date;
    int date_zone;
    struct slice envelope, body, bodystructure;
};

void part_record_write(const struct part_record *r, struct buf *out);
/* Fails the cursor when the record can't be of a message of that size. */
void part_record_read(struct cursor *c, uint64_t message_size, struct part_record *ret);

/* Writes all; parts: the records with their number in front. */
void summary_head_write(const struct summary_head *h, struct slice parts, struct buf *out);

#endif
