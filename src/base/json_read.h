/* json_read.h: reading JSON (RFC 8259) in place: a value of an object by its key, the items of an
 * array. No tree is built; nesting is bounded. For tokens (auth/jwt.h). */
#ifndef BASE_JSON_READ_H
#define BASE_JSON_READ_H

#include "base/buf.h"
#include "base/cursor.h"

enum { JSON_DEPTH_MAX = 16 };

enum json_kind {
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
    JSON_OBJECT,
    JSON_ARRAY
};

/* raw: a string's text between its quotes, with its escapes; else the value's whole text. */
struct json_value {
    enum json_kind kind;
    struct slice raw;
};

/* The text as one value, all of it checked. INVALID. */
MUST_USE enum result json_parse(struct slice text, struct json_value *ret);
/* Of an object that json_parse has checked. NOT_FOUND; INVALID: the key is there twice, or this is
 * no object. Keys are compared as they stand, without undoing escapes. */
MUST_USE enum result json_find(const struct json_value *object, const char *key,
                               struct json_value *ret);
/* The array's items in turn: *at starts with 0. False at the end, or when it is no array. */
bool json_next(const struct json_value *array, size_t *at, struct json_value *ret);
/* Appends a string's text with its escapes undone. INVALID: a lone surrogate or NUL. */
MUST_USE enum result json_text(const struct json_value *string, struct buf *out);
/* Is it that string (which needs no escapes)? */
bool json_is(const struct json_value *v, struct slice text);
/* A number's whole part, not negative. INVALID: another value, or too large. */
MUST_USE enum result json_number(const struct json_value *v, int64_t *ret);

#endif
