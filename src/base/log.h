/* log.h: log events. One event is one line of key=value pairs on stderr, written with one write.
 * Libraries (everything below role/) don't log: they return errors; the owner logs once, with the
 * context that it has. Values are quoted where they hold anything but plain characters, so that no
 * peer can forge a line. Passwords and message text never go in.
 *
 *     LOG(LOG_INFO, "smtp.rcpt.refused", LOG_CTX(conn->ids), LOG_S("rcpt", address),
 *         LOG_C("rule", "reject_unauth_destination"), LOG_U("code", 554));
 *
 * A message id is the base32 number that its Received header, the log and the queue show alike. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/buf.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

struct log_field {
    const char *key; /* NULL: `text` is a run of finished key=value pairs (LOG_CTX) */
    struct slice text;
    uint64_t number;
    enum { LOG_TEXT, LOG_NUMBER, LOG_SIGNED } kind;
};

#define LOG_S(key, slice) ((struct log_field){key, slice, 0, LOG_TEXT})
#define LOG_C(key, cstring) ((struct log_field){key, slice_cstr(cstring), 0, LOG_TEXT})
#define LOG_U(key, n) ((struct log_field){key, SLICE_NONE, (uint64_t)(n), LOG_NUMBER})
#define LOG_I(key, n) ((struct log_field){key, SLICE_NONE, (uint64_t)(int64_t)(n), LOG_SIGNED})
#define LOG_CTX(slice) ((struct log_field){NULL, slice, 0, LOG_TEXT})

#define LOG(level, event, ...)                                                                     \
    log_event(level, event, (const struct log_field[]){__VA_ARGS__},                               \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

void log_event(enum log_level level, const char *event, const struct log_field *fields, size_t n);

/* Appends " key=value" as a log line would hold it: for building a context once per connection. */
void log_format_field(struct buf *out, struct log_field f);

/* The role's name that stands in every line; a string with static storage. */
void log_set_role(const char *role);
/* Events above this level are dropped; default LOG_INFO. */
void log_set_level(enum log_level most_verbose);
/* Tests: take the lines (with newline) instead of stderr; NULL gives stderr back. */
void log_set_sink(void (*sink)(void *arg, struct slice line), void *arg);

/* Ids of connections and messages in the log: a 64-bit number in 13 base32 digits
 * (0-9, a-z without i l o u). log_id_parse takes that form back. */
struct log_id {
    char text[14];
};
struct log_id log_id(uint64_t id);
MUST_USE enum result log_id_parse(struct slice s, uint64_t *ret);
/* A fresh id: microseconds since 1970 in the upper bits, so ids sort by time; unique per machine
 * as long as fewer than 4096 processes draw more than one a microsecond. */
uint64_t log_id_new(void);
/* Ids tell when they were made: seconds, microseconds since 1970 UTC. And the least id of a second.
 */
int64_t log_id_time(uint64_t id);
int64_t log_id_time_us(uint64_t id);
uint64_t log_id_at(int64_t seconds);

#endif
