#include "base/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { LONGEST_LINE = 8 * 1024, LONGEST_VALUE = 1024, USUAL_LINE = 480 };

static const char *role_name = "postrider";
static _Atomic enum log_level level_limit = LOG_INFO;
static uint64_t process; /* in ids; as of log_set_role */
static void (*line_sink)(void *, struct slice);
static void *sink_arg;

void log_set_role(const char *role)
{
    role_name = role;
    process = (uint64_t)getpid();
}

void log_set_level(enum log_level most_verbose)
{
    level_limit = most_verbose;
}

void log_set_sink(void (*sink)(void *arg, struct slice line), void *arg)
{
    line_sink = sink;
    sink_arg = arg;
}

static bool is_plain(char c)
{
    return ascii_alnum(c) || (c && strchr("-_.,:;/@<>[]+*=()!#$%&'?^`{|}~", c));
}

static void put_quoted(struct buf *out, struct slice s)
{
    buf_putc(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            buf_printf(out, "\\x%02x", c);
        else
            buf_putc(out, (char)c);
    }
    buf_putc(out, '"');
}

static void put_text(struct buf *out, struct slice s)
{
    s = slice_sub(s, 0, LONGEST_VALUE);
    bool plain = s.len > 0;
    for (size_t i = 0; i < s.len && plain; i++)
        plain = is_plain(s.data[i]);
    if (plain)
        buf_append(out, s);
    else
        put_quoted(out, s);
}

void log_format_field(struct buf *out, struct log_field f)
{
    if (!f.key) {
        if (f.text.len && f.text.data[0] != ' ')
            buf_putc(out, ' ');
        buf_append(out, f.text);
        return;
    }
    buf_putc(out, ' ');
    buf_puts(out, f.key);
    buf_putc(out, '=');
    if (f.kind == LOG_TEXT)
        put_text(out, f.text);
    else if (f.kind == LOG_NUMBER)
        buf_put_u64(out, f.number);
    else
        buf_printf(out, "%lld", (long long)f.number);
}

/* "2026-11-24T08:00:00.000000Z". The part before the dot is made once a second and thread. */
static void put_time(struct buf *out)
{
    static _Thread_local time_t second_made;
    static _Thread_local char text[40];
    int64_t us = clock_realtime_us();
    time_t second = (time_t)(us / 1000000);
    if (second != second_made) {
        struct tm tm;
        gmtime_r(&second, &tm);
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &tm);
        second_made = second;
    }
    char fraction[] = "000000Z";
    for (int i = 5, rest = (int)(us % 1000000); rest; rest /= 10)
        fraction[i--] = (char)('0' + rest % 10);
    buf_puts(out, text);
    buf_puts(out, fraction);
}

static void put_word(struct buf *out, const char *word)
{
    buf_putc(out, ' ');
    buf_puts(out, word);
}

void log_event(enum log_level level, const char *event, const struct log_field *fields, size_t n)
{
    static const char *const level_names[] = {"error", "warning", "info", "debug"};
    if (level > level_limit)
        return;
    struct buf line;
    size_t room;
    buf_init(&line, LONGEST_LINE);
    (void)buf_reserve(&line, USUAL_LINE, &room);
    put_time(&line);
    put_word(&line, role_name);
    put_word(&line, level_names[level]);
    put_word(&line, event);
    for (size_t i = 0; i < n; i++)
        log_format_field(&line, fields[i]);
    buf_puts(&line, buf_ok(&line) ? "\n" : "");
    if (!buf_ok(&line)) {
        /* Too long: what fitted, marked. */
        line.failed = false;
        buf_truncate(&line, LONGEST_LINE - 8);
        buf_puts(&line, " cut=1\n");
    }
    struct slice text = buf_slice(&line);
    if (line_sink)
        line_sink(sink_arg, text);
    else if (write(STDERR_FILENO, text.data, text.len) < 0)
        (void)0; /* nowhere left to say it */
    buf_release(&line);
}

static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

struct log_id log_id(uint64_t id)
{
    struct log_id out;
    for (int i = 12; i >= 0; i--) {
        out.text[i] = digits[id & 31];
        id >>= 5;
    }
    out.text[13] = 0;
    return out;
}

enum result log_id_parse(struct slice s, uint64_t *ret)
{
    uint64_t id = 0;
    if (s.len != 13)
        return INVALID;
    for (size_t i = 0; i < s.len; i++) {
        const char *at = s.data[i] ? strchr(digits, ascii_lower(s.data[i])) : NULL;
        if (!at || (i == 0 && at - digits > 15))
            return INVALID;
        id = id << 5 | (uint64_t)(at - digits);
    }
    *ret = id;
    return OK;
}

enum { ID_TIME_SHIFT = 12 };

int64_t log_id_time_us(uint64_t id)
{
    return (int64_t)(id >> ID_TIME_SHIFT);
}

int64_t log_id_time(uint64_t id)
{
    return log_id_time_us(id) / 1000000;
}

uint64_t log_id_at(int64_t seconds)
{
    return seconds > 0 ? (uint64_t)seconds * 1000000 << ID_TIME_SHIFT : 0;
}

uint64_t log_id_new(void)
{
    static _Atomic uint64_t last;
    uint64_t id = (uint64_t)clock_realtime_us() << ID_TIME_SHIFT | (process & 0xfff);
    uint64_t before = last;
    do {
        if (id <= before)
            id = before + 4096;
    } while (!atomic_compare_exchange_weak(&last, &before, id));
    return id;
}
