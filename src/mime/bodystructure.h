/* bodystructure.h: FETCH BODY and BODYSTRUCTURE from a message's structure. Internal to mime/. */
#ifndef MIME_BODYSTRUCTURE_H
#define MIME_BODYSTRUCTURE_H

#include "mime/structure.h"

#include "base/buf.h"

struct wire_limits {
    size_t field_max;  /* of an enclosed message's ENVELOPE field */
    size_t string_max; /* of any other string */
};

/* RFC 3501 7.4.2. extensible: BODYSTRUCTURE with its extension data. */
void bodystructure_write(const struct structure *s, bool extensible, const struct wire_limits *l,
                         struct buf *out);

/* What the header of a part says, with the defaults of RFC 2045 5.2 and 6.1, for the part table:
 * upper case is the writer's task. Slices point into the message, or are literals. */
struct part_type {
    struct slice type, subtype, params, encoding;
};
void part_type_read(const struct structure *s, const struct node *n, struct part_type *ret);

#endif
