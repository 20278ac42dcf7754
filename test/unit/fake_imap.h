/* fake_imap.h: a world for the IMAP core without store and network: mailboxes in memory, whose
 * views are plain copies. Operations happen at once; their answers come when fake_answer is asked
 * for them, as the store's do. Used by test_imap.c and fuzz_imap.c. */
#ifndef FAKE_IMAP_H
#define FAKE_IMAP_H

#include "proto/imap/imap.h"

enum {
    FAKE_MAILBOXES = 12,
    FAKE_MESSAGES = 64,
    FAKE_TEXTS = 4,
    FAKE_GONE = 64,
    FAKE_ANNOTATIONS = 20
};

struct fake_message {
    struct imap_entry entry;
    int text; /* of fake_texts, or -1: appended */
    char *bytes;
    size_t len;
};

struct fake_mailbox {
    char name[1100];
    unsigned attrs;
    bool used;
    uint32_t uidvalidity, uidnext;
    uint64_t modseq;
    struct fake_message messages[FAKE_MESSAGES];
    uint32_t count;
    char keywords[64][80];
    uint32_t n_keywords;
    struct {
        uint32_t uid;
        uint64_t modseq;
    } gone[FAKE_GONE];
    uint32_t n_gone;       /* UIDs expunged, in their order */
    uint64_t forgotten_to; /* MODSEQ up to which they are not remembered */
};

struct fake_annotation {
    char mailbox[100], name[300], value[1000];
    size_t len;
    bool used;
};

struct fake_world {
    struct fake_annotation annotations[FAKE_ANNOTATIONS];
    struct fake_mailbox boxes[FAKE_MAILBOXES];
    struct fake_mailbox *watched;
    bool account_watched;
    uint64_t account_seen; /* what account_changed was told last */
    bool answer_due;
    enum result answer;
    enum result fail; /* the next submitted operation ends so */
    int views;        /* alive */
    int mailboxes;    /* opened */
    struct imap_append append;
    struct buf incoming;
    bool appending;
    unsigned made; /* UIDVALIDITYs given */
};

extern const struct imap_ops fake_ops;
extern const char *const fake_texts[FAKE_TEXTS];

void fake_init(struct fake_world *w); /* with INBOX and the usual mailboxes */
void fake_release(struct fake_world *w);
struct fake_mailbox *fake_find(struct fake_world *w, struct slice name);
/* A message arrives; text: of fake_texts. */
void fake_deliver(struct fake_mailbox *m, int text, uint8_t flags);
void fake_expunge(struct fake_mailbox *m, uint32_t uid);
void fake_flag(struct fake_mailbox *m, uint32_t uid, uint8_t flags);
/* Gives the session the answer that is due, if one is. */
void fake_answer(struct fake_world *w, struct imap *im);

#endif
