/* cursor.h: a bounded read cursor with a sticky error. Parsers and decoders take from the front;
 * what is not there fails the cursor, and every later take yields zero or an empty slice, so a
 * decoder reads all its fields and checks cursor_ok once. */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include "base/slice.h"

struct cursor {
    struct slice rest;
    bool failed;
};

static inline struct cursor cursor_of(struct slice s)
{
    return (struct cursor){s, false};
}
MUST_USE static inline bool cursor_ok(const struct cursor *c)
{
    return !c->failed;
}
/* Nothing left (whether or not it failed). */
static inline bool cursor_at_end(const struct cursor *c)
{
    return c->rest.len == 0;
}
/* Everything was read and nothing failed. */
MUST_USE static inline bool cursor_done(const struct cursor *c)
{
    return !c->failed && c->rest.len == 0;
}
void cursor_fail(struct cursor *c);

/* The next byte without taking it, or -1 at the end. */
int cursor_peek(const struct cursor *c);
struct slice cursor_take(struct cursor *c, size_t n);
uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_le16(struct cursor *c);
uint32_t cursor_le32(struct cursor *c);
uint64_t cursor_le64(struct cursor *c);
uint32_t cursor_be32(struct cursor *c);
uint64_t cursor_be64(struct cursor *c);
uint64_t cursor_varint(struct cursor *c);

/* Text: take the byte (or the text, ASCII case folded) when it is next. These don't fail the
 * cursor. */
bool cursor_accept(struct cursor *c, char want);
bool cursor_accept_nocase(struct cursor *c, const char *text);
/* The longest run of bytes for which in_class is true; may be empty. */
struct slice cursor_while(struct cursor *c, bool (*in_class)(char));
/* Decimal digits, at least one, at most max; fails the cursor otherwise. */
uint64_t cursor_number(struct cursor *c, uint64_t max);

#endif
