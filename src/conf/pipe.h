/* pipe.h: an item of pipe_transports taken apart: a transport that hands mail to a command, with
 * the attributes of pipe(8). Who calls it: the check of the setting; agent, which runs the command;
 * mailbox, which needs to know how many recipients it takes. */
#ifndef CONF_PIPE_H
#define CONF_PIPE_H

#include "base/arena.h"
#include "conf/conf.h"

enum pipe_flag {
    PIPE_BLANK_END = 1,     /* B: an empty line behind the message */
    PIPE_DELIVERED_TO = 2,  /* D: Delivered-To, and a loop is returned */
    PIPE_FROM_LINE = 4,     /* F: "From sender date" in front */
    PIPE_ORIGINAL_TO = 8,   /* O: X-Original-To */
    PIPE_RETURN_PATH = 16,  /* R: Return-Path */
    PIPE_FINAL = 32,        /* X: the command delivers for good */
    PIPE_FOLD_DOMAIN = 64,  /* h */
    PIPE_QUOTE = 128,       /* q: local parts quoted where they must be */
    PIPE_FOLD_USER = 256,   /* u */
    PIPE_DOTS = 512,        /* .: a dot before lines that begin with one */
    PIPE_QUOTE_FROM = 1024, /* >: before lines that begin with "From " */
};
enum { PIPE_WORDS_MAX = 500 };

struct pipe_transport {
    struct slice name;
    unsigned flags;           /* enum pipe_flag */
    struct slice user, group; /* group "": the user's own */
    struct slice directory;   /* "": queue_directory, or / where that is not there */
    struct slice eol;         /* decoded */
    struct slice null_sender; /* what stands for the null sender; may be "" */
    uint64_t size;            /* bytes of the largest message; 0: any */
    struct slice_list argv;   /* with their macros */
};

/* Texts are the item's or live in the arena. INVALID with the reason. */
MUST_USE enum result pipe_transport_parse(struct slice item, struct arena *a,
                                          struct pipe_transport *ret, struct error *why);
/* The one of that name. NOT_FOUND: there is none (why says so). */
MUST_USE enum result pipe_transport_find(const struct conf *c, struct slice name, struct arena *a,
                                         struct pipe_transport *ret, struct error *why);
/* Most recipients of one delivery by that transport: its own recipient limit, and 1 where the
 * message names its recipient (D, O). */
uint32_t pipe_recipient_limit(const struct conf *c, struct slice name);

#endif
