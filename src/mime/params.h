/* params.h: Content-Type, Content-Disposition and their parameters (RFC 2045 5.1, RFC 2183, RFC
 * 2231), read leniently. Internal to mime/. */
#ifndef MIME_PARAMS_H
#define MIME_PARAMS_H

#include "base/buf.h"
#include "base/cursor.h"

enum { PARAMS_MAX = 100, PARAMS_BYTES_MAX = 16 * 1024, TOKEN_MAX = 127 };

/* The Content-* fields of one MIME header (the first of each), and MIME's other names. data ==
 * NULL: not there. */
struct mime_fields {
    struct slice type, encoding, id, description, md5, disposition, language, location;
};
void mime_fields_collect(struct slice header, struct mime_fields *ret);

struct content_type {
    struct slice type, subtype; /* as written */
    struct slice params;        /* the rest, beginning with ";" or empty */
};
/* INVALID: not of the form type/subtype, or too long to be one. */
MUST_USE enum result content_type_parse(struct slice body, struct content_type *ret);
/* A token at the front ("attachment", "base64"), the rest for parameters. */
struct slice mime_token(struct slice body, struct slice *ret_rest);

/* The next "; name=value": false at the end. value is set, without its quotes. */
bool param_next(struct cursor *c, struct slice *ret_name, struct buf *value);
/* A parameter's whole value, put together and percent-decoded where RFC 2231 split or encoded it
 * (in the charset that it was written in). NOT_FOUND. */
MUST_USE enum result param_find(struct slice params, const char *name, struct buf *out);

#endif
