/* parse.h: the words of IMAP's grammar (RFC 3501 9): one function a production, over the bytes of a
 * whole command. The parser has a sticky error: what does not fit fails it with a reason, every
 * later take yields nothing, and the command checks once. Results live in the command's arena or
 * point into its bytes. */
#ifndef PROTO_IMAP_PARSE_H
#define PROTO_IMAP_PARSE_H

#include "base/arena.h"
#include "base/cursor.h"
#include "proto/imap/imap.h"

enum {
    IMAP_KEYWORDS_MAX = 64, /* in one flag list */
    IMAP_LIST_PATTERNS_MAX = 100,
    IMAP_NAME_MAX = 1000 /* bytes of a mailbox name, decoded */
};

struct imap_parser {
    struct cursor c;
    struct arena *arena;
    const char *error; /* why it failed; NULL: it did not */
    uint16_t enabled;  /* imap_feature */
    bool nul_ok;       /* in literals: they are literal8 */
    bool utf8;         /* names are UTF-8, not modified UTF-7 */
};

void imap_parser_init(struct imap_parser *p, struct slice text, struct arena *arena);
/* Fails it; the first reason stays. Returns false. */
bool imap_parser_fail(struct imap_parser *p, const char *why);
/* Nothing failed and nothing is left. */
MUST_USE bool imap_parser_done(struct imap_parser *p);
static inline bool imap_parser_ok(const struct imap_parser *p)
{
    return !p->error;
}

/* One space; fails. */
void imap_parse_space(struct imap_parser *p);
/* This byte; fails. */
void imap_parse_char(struct imap_parser *p, char c);
/* A byte or a keyword (whole atom, case does not count) when it is next; doesn't fail. */
bool imap_accept(struct imap_parser *p, char c);
bool imap_accept_word(struct imap_parser *p, const char *word);

struct slice imap_parse_tag(struct imap_parser *p);
struct slice imap_parse_atom(struct imap_parser *p);
struct slice imap_parse_string(struct imap_parser *p);
struct slice imap_parse_astring(struct imap_parser *p);
/* NIL gives data == NULL. */
struct slice imap_parse_nstring(struct imap_parser *p);
uint64_t imap_parse_number(struct imap_parser *p, uint64_t min, uint64_t max);
/* mod-sequence-value, or with min = 0 mod-sequence-valzer (RFC 7162 7). */
uint64_t imap_parse_modseq(struct imap_parser *p, uint64_t min);
/* "1:100" or "-1:-100": the first or last so many results (RFC 9394 3.1). */
struct imap_partial {
    bool wanted, from_end;
    uint32_t from, to;
};
void imap_parse_partial(struct imap_parser *p, struct imap_partial *ret);
/* The ranks, from 1, that are wanted of n; *ret_from > *ret_to: none. */
void imap_partial_ranks(const struct imap_partial *partial, uint32_t n, uint32_t *ret_from,
                        uint32_t *ret_to);
/* A mailbox name in UTF-8, INBOX in upper case. */
struct slice imap_parse_mailbox(struct imap_parser *p);
/* The same with % and *; case of INBOX is kept. */
struct slice imap_parse_list_mailbox(struct imap_parser *p);

struct imap_flag_list {
    uint8_t system;         /* imap_flag */
    struct slice *keywords; /* as the client wrote them */
    size_t n;
};
/* "(\Seen word)"; bare: also without parentheses (STORE). */
void imap_parse_flags(struct imap_parser *p, bool bare, struct imap_flag_list *ret);
/* A system flag by its name with the backslash, or 0. */
uint8_t imap_system_flag(struct slice name);

/* date (SEARCH): days since 1970-01-01. */
int64_t imap_parse_day(struct imap_parser *p);
/* date-time in quotes: seconds since 1970-01-01 UTC. */
int64_t imap_parse_date_time(struct imap_parser *p);

bool imap_is_atom_char(char c);
bool imap_is_astring_char(char c);

#endif
