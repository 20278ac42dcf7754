/* json.h: writing JSON (RFC 8259): for the lists that the command line prints with --json. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"

/* Appends s as a JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD. */
void json_string(struct buf *out, struct slice s);

/* Objects and arrays, with commas where they belong. `first` of a fresh writer is true.
 *     struct json j = json_begin(out, '{'); json_key(&j, "a"); json_string(out, s); json_end(&j);
 */
struct json {
    struct buf *out;
    char close;
    bool first;
};
struct json json_begin(struct buf *out, char open);
void json_key(struct json *j, const char *key); /* in an object: then append the value */
void json_item(struct json *j);                 /* in an array: then append the value */
void json_end(struct json *j);

void json_put_string(struct json *j, const char *key, struct slice value);
void json_put_number(struct json *j, const char *key, int64_t value);

#endif
