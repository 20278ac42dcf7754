/* search.h: what the files of SEARCH share: the tree of keys (search_parse.c) and its evaluation
 * for one message (search_match.c). Inside proto/imap only. */
#ifndef PROTO_IMAP_SEARCH_H
#define PROTO_IMAP_SEARCH_H

#include "mime/search.h"
#include "proto/imap/command.h"

enum {
    SEARCH_DEPTH_MAX = 50,
    SEARCH_KEYS_MAX = 5000,
    SEARCH_MESSAGE_MAX = 256 * 1024 * 1024, /* of a message that is looked through */
    SEARCH_HEADER_MAX = 4 * 1024 * 1024,
    SEARCH_WORDS_MAX = 8 /* of a fuzzy text that count, the first ones */
};

enum search_kind {
    SEARCH_ALL,
    SEARCH_NONE, /* RECENT: no message is \Recent to us */
    SEARCH_FLAG,
    SEARCH_KEYWORD,
    SEARCH_SET,
    SEARCH_LARGER,
    SEARCH_SMALLER,
    SEARCH_MODSEQ,
    SEARCH_OLDER,
    SEARCH_YOUNGER,
    SEARCH_EMAILID,
    SEARCH_BEFORE,
    SEARCH_ON,
    SEARCH_SINCE,
    SEARCH_SAVEDBEFORE,
    SEARCH_SAVEDON,
    SEARCH_SAVEDSINCE,
    SEARCH_SENTBEFORE,
    SEARCH_SENTON,
    SEARCH_SENTSINCE,
    SEARCH_HEADER,
    SEARCH_BODY,
    SEARCH_TEXT,
    SEARCH_AND,
    SEARCH_OR,
    SEARCH_NOT
};

/* What has to be read for it; the cheaper keys of a conjunction come first. */
enum search_cost { COST_ENTRY, COST_SUMMARY, COST_HEADER, COST_MESSAGE };

struct search_key {
    enum search_kind kind;
    enum search_cost cost;
    struct search_key *next;  /* the next of a conjunction or of OR's two */
    struct search_key *child; /* of AND, OR, NOT: the first */
    uint8_t flag;
    struct slice name;    /* of the keyword or header field */
    uint64_t keyword_bit; /* resolved against the view; 0: it knows none of that name */
    bool uids;            /* the set's numbers */
    struct imap_seqset set;
    uint64_t size;
    int64_t day; /* or a moment */
    struct search_text text;
    bool fuzzy;                /* RFC 6203: words of the text are enough */
    struct search_text *words; /* n_words, or none when it is but one */
    size_t n_words;
    struct search_key *next_text; /* all that hold a text, for their release */
};

struct search_program {
    struct search_key *root;
    struct search_key *texts;
    bool bad_charset;
    bool modseq;   /* it names MODSEQ: the answer does too */
    bool seqs;     /* it names sequence numbers */
    bool sets;     /* or UIDs */
    bool fleeting; /* sequence numbers or "$" */
    bool charset;  /* it names a charset */
    bool fuzzy;    /* it has FUZZY: what matches has a score */
};

/* "[CHARSET x] key key …". Release the texts, also after a failure. */
void search_parse(struct imap_parser *p, struct search_program *ret);
/* "key key …", in that charset. */
void search_parse_in(struct imap_parser *p, struct slice charset, struct search_program *ret);
void search_release(struct search_program *s);
/* Binds it to the session: sets, keywords, the time of day. */
void search_bind(struct search_program *s, const struct imap *im, struct arena *a);

/* ---- RETURN (search_return.c) ---- */

enum {
    RETURN_MIN = 1,
    RETURN_MAX = 2,
    RETURN_ALL = 4,
    RETURN_COUNT = 8,
    RETURN_SAVE = 16,
    RETURN_PARTIAL = 32
};
struct search_returns {
    bool asked;           /* RETURN was there */
    bool extended;        /* the answer is ESEARCH */
    bool update, context; /* RFC 5267: of SEARCH and SORT */
    bool relevancy;       /* RFC 6203: the scores of what ALL or PARTIAL tell */
    unsigned items;
    struct imap_partial partial;
};
/* "RETURN (MIN ALL) ", when it is there. Where `update` and `context` are not served, fail with
 * search_no_contexts. */
void search_parse_returns(struct imap_parser *p, struct search_returns *ret);
void search_no_contexts(struct imap_parser *p, const struct search_returns *r);
/* May it run in this session? False: told why not. */
MUST_USE bool search_admit(struct imap *im, struct imap_command *cmd,
                           const struct search_program *program,
                           const struct search_returns *returns);
/* The answer up to where the numbers found begin. */
struct search_numbers {
    uint32_t n, min, max;
};
/* Where ESEARCH has found them (RFC 7377 2.1). */
struct search_place {
    struct slice mailbox;
    uint32_t uidvalidity;
};
/* place: NULL, or of ESEARCH. */
void search_put_head(struct imap *im, const struct imap_command *cmd,
                     const struct search_returns *returns, const struct search_place *place,
                     const struct search_numbers *n);
/* What follows the numbers (`some`: there were any), up to where the scores begin. */
void search_put_end(struct imap *im, const struct search_returns *returns, bool some);

/* What has been read of the message that is looked at. */
struct search_message {
    const struct imap_entry *entry;
    uint32_t seq;
    bool have_summary, have_header, have_bytes, unreadable;
    struct buf summary_bytes, header, bytes;
    struct summary summary;
    uint64_t work;             /* bytes read so far, over all messages */
    unsigned scores, n_scores; /* of what has matched of it: their sum, how many */
};
void search_message_init(struct search_message *m);
void search_message_release(struct search_message *m);
void search_message_next(struct search_message *m, uint32_t seq, const struct imap_entry *e);
bool search_match(struct imap *im, const struct search_key *key, struct search_message *m);

/* ---- the walk over the mailbox (search_scan.c) ---- */

struct search_scan {
    struct search_program program;
    struct search_message message;
    uint8_t *found;  /* a bit for each sequence number */
    uint8_t *scores; /* of a fuzzy search: for each, 1 to 100 (NULL: no memory, or not fuzzy) */
    uint32_t count;  /* of the view */
    uint32_t at;     /* the last one looked at */
    uint32_t n, first, last;
    uint64_t modseq; /* the highest of those found */
    uint64_t work;   /* since the client was told of progress */
};
static inline bool search_is_found(const struct search_scan *s, uint32_t seq)
{
    return s->found[seq / 8] >> (seq % 8) & 1;
}
/* False: told why not. */
MUST_USE bool search_scan_begin(struct imap *im, struct imap_command *cmd, struct search_scan *s,
                                const struct search_returns *returns);
/* True: all were looked at; false: let others have the thread. */
MUST_USE bool search_scan_step(struct imap *im, const struct imap_command *cmd,
                               struct search_scan *s);
/* RETURN (SAVE …): items are what was asked for, first and last those that MIN and MAX tell.
 * False: it can't be saved; nothing may be told then but NO (search_not_saved). */
MUST_USE bool search_scan_save(struct imap *im, const struct search_scan *s, unsigned items,
                               uint32_t first, uint32_t last);
enum imap_step search_not_saved(struct imap_command *cmd);
/* Behind the numbers: the highest MODSEQ of what was told (RFC 7162 3.1.5, 3.1.10), line end. */
void search_put_tail(struct imap *im, const struct search_scan *s,
                     const struct search_returns *returns, uint32_t first, uint32_t last);
/* After the program was parsed: RELEVANCY is of fuzzy searches alone (RFC 6203 4). */
void search_check_relevancy(struct imap_parser *p, const struct search_program *program,
                            bool wanted);
static inline unsigned search_score(const struct search_scan *s, uint32_t seq)
{
    return s->scores ? s->scores[seq] : 100;
}
void search_scan_release(struct search_scan *s);

/* ---- a search that is told (cmd_search.c) ---- */

struct search {
    struct search_scan scan;
    struct search_returns returns;
    const struct search_place *place; /* NULL, or of ESEARCH */
    struct slice text;                /* the program's, for UPDATE */
    enum { SEARCH_NEW, SEARCH_RUNNING, SEARCH_TELL } stage;
    uint32_t at;       /* the last one told */
    uint32_t score_at; /* the last one whose score is told */
    bool told_some, told_score;
    bool ended; /* what stands between numbers and scores is told */
};
/* STEP_DONE: with a reply. */
enum imap_step search_step(struct imap *im, struct imap_command *cmd, struct search *s);

#endif
