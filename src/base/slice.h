/* slice.h: a borrowed run of bytes, the currency of every parser. A slice owns nothing; it is
 * valid as long as the memory that it was cut from. May hold any byte, NUL included. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/result.h"

struct slice {
    const char *data;
    size_t len;
};

/* An array of slices; who owns the array and the bytes is said where it is used. */
struct slice_list {
    struct slice *items;
    size_t n;
};

#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})
#define SLICE_NONE ((struct slice){NULL, 0})
/* For printf's "%.*s". */
#define SLICE_ARG(s) (int)((s).len < 0x7fffffff ? (s).len : 0x7fffffff), (s).data ? (s).data : ""

static inline struct slice slice_of(const void *data, size_t len)
{
    return (struct slice){data, len};
}

static inline struct slice slice_cstr(const char *s)
{
    return (struct slice){s, s ? strlen(s) : 0};
}

static inline bool slice_is(struct slice s, const char *text)
{
    size_t n = strlen(text);
    return s.len == n && (n == 0 || memcmp(s.data, text, n) == 0);
}

/* The part from `from` (clamped to the end) with at most `len` bytes. */
static inline struct slice slice_sub(struct slice s, size_t from, size_t len)
{
    if (from > s.len)
        from = s.len;
    if (len > s.len - from)
        len = s.len - from;
    return (struct slice){s.data ? s.data + from : NULL, len};
}

static inline struct slice slice_from(struct slice s, size_t from)
{
    return slice_sub(s, from, SIZE_MAX);
}

bool slice_eq(struct slice a, struct slice b);
/* ASCII case folded; bytes above 127 compare as they are. */
bool slice_eq_nocase(struct slice a, struct slice b);
bool slice_is_nocase(struct slice s, const char *text);
bool slice_starts(struct slice s, struct slice prefix);
bool slice_starts_nocase(struct slice s, struct slice prefix);
bool slice_ends_nocase(struct slice s, struct slice suffix);
bool slice_contains_nocase(struct slice s, struct slice part);
/* memcmp order, the shorter first among equals: <0, 0, >0. */
int slice_cmp(struct slice a, struct slice b);

/* Index of the first (last) `c`, or SIZE_MAX. */
size_t slice_find(struct slice s, char c);
size_t slice_rfind(struct slice s, char c);
/* Index of the first occurrence of `needle`, or SIZE_MAX. */
size_t slice_search(struct slice s, struct slice needle);

/* Without leading and trailing space, tab, CR and LF. */
struct slice slice_trim(struct slice s);
struct slice slice_trim_start(struct slice s);

/* Length of the text in braces that s begins with, both braces and those within included; 0: they
 * don't match. */
size_t slice_braced(struct slice s);

/* Cuts the part before the next `sep` off the front of *rest and returns it; the separator is
 * dropped. When there is none, returns all of *rest and leaves *rest with data == NULL. */
struct slice slice_split(struct slice *rest, char sep);

/* Takes the next word off the front of *rest, with the separators before it: any of these
 * characters. "" at the end. */
struct slice slice_word(struct slice *rest, const char *separators);

/* Decimal digits only, no sign, no spaces; INVALID when not a number, LIMIT when above max. */
MUST_USE enum result slice_parse_u64(struct slice s, uint64_t max, uint64_t *ret);

/* A copy in memory of its own with a NUL after it; the caller frees ret->data. False: no memory,
 * and *ret is as it was. */
MUST_USE bool slice_copy(struct slice from, struct slice *ret);

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}
static inline char ascii_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}
/* Space, tab, CR or LF. */
static inline bool ascii_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
static inline bool ascii_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool ascii_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static inline bool ascii_alnum(char c)
{
    return ascii_digit(c) || ascii_alpha(c);
}
/* The value of a hexadecimal digit of either case; -1: it is none. */
static inline int ascii_hex(char c)
{
    char lower = ascii_lower(c);
    return ascii_digit(c) ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

#endif
