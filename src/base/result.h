/* result.h: what a function that can fail returns.
 *
 * Three kinds of failure are never mixed: a bug stops the role (assert), a peer's fault becomes a
 * protocol reply, and a fault of the environment becomes a temporary failure and a log line.  A
 * result names which of the latter two it is, and why. Out-parameters (ret_...) are untouched
 * unless the result is OK. */
#ifndef BASE_RESULT_H
#define BASE_RESULT_H

#define MUST_USE __attribute__((warn_unused_result))

enum result {
    OK = 0,
    NOT_FOUND, /* the thing asked for is not there */
    EXISTS,    /* the thing to be made is there already */
    INVALID,   /* input does not have the form that it must have */
    LIMIT,     /* input is larger, longer or deeper than we take */
    DENIED,    /* policy or rights forbid it */
    CONFLICT,  /* a precondition no longer holds: look again and retry */
    BUSY,      /* not now: too much is under way */
    FULL,      /* the disk is (nearly) full */
    CORRUPT,   /* stored data does not match its checksum or form */
    CLOSED,    /* the other side has gone */
    FAILED,    /* the environment failed: errno or the error text says how */
};

/* A short lower-case word for a result ("not-found"), for logs; never NULL. */
const char *result_name(enum result r);

/* The cause of a failure in words for the log: paths, limits, errno texts. Never shown to a peer.
 * A function that takes a `struct error *` accepts NULL. */
struct error {
    char text[240];
};

/* Sets the text (cut at its size) and returns r, so that a failure is one line:
 *     return error_set(err, FAILED, "open %s: %s", path, strerror(errno)); */
enum result error_set(struct error *err, enum result r, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
