/* date.c: dates of RFC 5322 and IMAP, without the C library's calendar, whose zones and limits
 * depend on the machine. */
#include "mime/date.h"
#include "mime/lex.h"

#include <time.h>

static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char DAYS[] = "SunMonTueWedThuFriSat";

struct clock_time {
    int64_t year;
    unsigned month, day, hour, minute, second; /* month from 1 */
};

/* Days since 1970-01-01 of the proleptic Gregorian calendar: years are counted from March, so that
 * the leap day is the last of a year. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_of(int64_t days, struct clock_time *t)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    t->day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
    t->month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
    t->year = yoe + era * 400 + (t->month <= 2);
}

static unsigned days_in_month(int64_t year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* second 60: a leap second is taken as the next minute's first. */
static bool plausible(const struct clock_time *t)
{
    return t->year >= 1900 && t->year <= 9999 && t->month >= 1 && t->month <= 12 && t->day >= 1 &&
           t->day <= days_in_month(t->year, t->month) && t->hour <= 23 && t->minute <= 59 &&
           t->second <= 60;
}

static int64_t seconds_of(const struct clock_time *t, int zone)
{
    return days_of(t->year, t->month, t->day) * 86400 + (int64_t)t->hour * 3600 +
           (int64_t)t->minute * 60 + t->second - (int64_t)zone * 60;
}

/* The moment as a clock in that zone shows it; returns the day of the week, Sunday 0. */
static unsigned clock_of(int64_t seconds, int zone, struct clock_time *t)
{
    int64_t local = seconds + (int64_t)zone * 60;
    int64_t days = local / 86400 - (local % 86400 < 0);
    unsigned rest = (unsigned)(local - days * 86400);
    date_of(days, t);
    t->hour = rest / 3600;
    t->minute = rest / 60 % 60;
    t->second = rest % 60;
    return (unsigned)(((days + 4) % 7 + 7) % 7);
}

int64_t date_day(int64_t seconds, int zone)
{
    int64_t local = seconds + (int64_t)zone * 60;
    return local / 86400 - (local % 86400 < 0);
}

int date_local_zone(int64_t seconds)
{
    struct tm tm;
    time_t t = (time_t)seconds;
    return localtime_r(&t, &tm) ? (int)(tm.tm_gmtoff / 60) : 0;
}

/* Out of what four digits hold, the nearest moment that they do. */
static int64_t printable(int64_t seconds)
{
    int64_t first = days_of(1, 1, 2) * 86400, last = days_of(9999, 12, 30) * 86400;
    return seconds < first ? first : seconds > last ? last : seconds;
}

static void put_zone(int zone, struct buf *out)
{
    unsigned minutes = (unsigned)(zone < 0 ? -zone : zone);
    if (minutes > 99 * 60 + 59)
        minutes = 0;
    buf_printf(out, "%c%02u%02u", zone < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

void date_format(int64_t seconds, int zone, struct buf *out)
{
    struct clock_time t;
    unsigned day = clock_of(printable(seconds), zone, &t);
    buf_printf(out, "%.3s, %u %.3s %04d %02u:%02u:%02u ", DAYS + day * 3, t.day,
               MONTHS + (t.month - 1) * 3, (int)t.year, t.hour, t.minute, t.second);
    put_zone(zone, out);
}

void date_format_internal(int64_t seconds, int zone, struct buf *out)
{
    struct clock_time t;
    clock_of(printable(seconds), zone, &t);
    buf_printf(out, "%02u-%.3s-%04d %02u:%02u:%02u ", t.day, MONTHS + (t.month - 1) * 3,
               (int)t.year, t.hour, t.minute, t.second);
    put_zone(zone, out);
}

void date_format_iso(int64_t seconds, struct buf *out)
{
    struct clock_time t;
    clock_of(printable(seconds), 0, &t);
    buf_printf(out, "%04d-%02u-%02uT%02u:%02u:%02uZ", (int)t.year, t.month, t.day, t.hour, t.minute,
               t.second);
}

/* ---- reading ---- */

static unsigned month_of(struct slice word)
{
    if (word.len >= 3)
        for (unsigned m = 1; m <= 12; m++)
            if (slice_eq_nocase(slice_sub(word, 0, 3), slice_of(MONTHS + (m - 1) * 3, 3)))
                return m;
    return 0;
}

static bool is_letter(char c)
{
    return ascii_alpha(c);
}

/* RFC 5322 4.3: two digits below 50 are 20xx, three digits count from 1900. */
static void take_year(struct cursor *c, struct clock_time *t)
{
    size_t before = c->rest.len;
    t->year = (int64_t)cursor_number(c, 9999);
    size_t digits = before - c->rest.len;
    if (digits == 2)
        t->year += t->year < 50 ? 2000 : 1900;
    else if (digits == 3)
        t->year += 1900;
}

static void take_time(struct cursor *c, struct clock_time *t)
{
    t->hour = (unsigned)cursor_number(c, 23);
    lex_cfws(c, NULL);
    if (!cursor_accept(c, ':') && !cursor_accept(c, '.'))
        cursor_fail(c);
    lex_cfws(c, NULL);
    t->minute = (unsigned)cursor_number(c, 59);
    lex_cfws(c, NULL);
    if (cursor_accept(c, ':') || cursor_accept(c, '.')) {
        lex_cfws(c, NULL);
        t->second = (unsigned)cursor_number(c, 60);
    }
}

/* "hhmm" as a number to minutes; a zone beyond a day's length is nonsense and taken as UTC. */
static int zone_minutes(unsigned hhmm, bool west)
{
    unsigned minutes = hhmm / 100 * 60 + hhmm % 100;
    if (hhmm % 100 > 59 || minutes > 24 * 60)
        return 0;
    return west ? -(int)minutes : (int)minutes;
}

/* RFC 5322 4.3: names; those unknown and the military letters are taken as -0000. */
static int named_zone(struct slice name)
{
    static const struct {
        const char *name;
        int hours;
    } zones[] = {{"EST", -5}, {"EDT", -4}, {"CST", -6}, {"CDT", -5}, {"MST", -7},
                 {"MDT", -6}, {"PST", -8}, {"PDT", -7}, {"CET", 1},  {"CEST", 2},
                 {"BST", 1},  {"EET", 2},  {"EEST", 3}, {"JST", 9},  {"KST", 9}};
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
        if (slice_is_nocase(name, zones[i].name))
            return zones[i].hours * 60;
    return 0;
}

static int take_zone(struct cursor *c)
{
    lex_cfws(c, NULL);
    struct slice name = cursor_while(c, is_letter);
    bool universal = slice_is_nocase(name, "GMT") || slice_is_nocase(name, "UTC");
    /* "GMT+0200" is written too. */
    if (name.len && !universal)
        return named_zone(name);
    bool west = cursor_peek(c) == '-';
    if (!cursor_accept(c, '+') && !cursor_accept(c, '-'))
        return 0;
    unsigned hours = 0, digits = 0;
    while (digits < 4 && cursor_peek(c) >= '0' && cursor_peek(c) <= '9') {
        hours = hours * 10 + (unsigned)(cursor_u8(c) - '0');
        digits++;
        if (digits == 2)
            cursor_accept(c, ':');
    }
    return digits == 4 ? zone_minutes(hours, west) : 0;
}

/* "21 Nov 1997", also "21-Nov-97" and C's "Nov 21 09:55:06 1997", whose year comes last. */
static bool take_date(struct cursor *c, struct clock_time *t)
{
    struct slice word = cursor_while(c, is_letter);
    if (word.len) {
        t->month = month_of(word);
        lex_cfws(c, NULL);
        t->day = (unsigned)cursor_number(c, 31);
        return false;
    }
    t->day = (unsigned)cursor_number(c, 31);
    lex_cfws(c, NULL);
    cursor_accept(c, '-');
    lex_cfws(c, NULL);
    t->month = month_of(cursor_while(c, is_letter));
    lex_cfws(c, NULL);
    cursor_accept(c, '.');
    cursor_accept(c, '-');
    lex_cfws(c, NULL);
    take_year(c, t);
    return true;
}

static void skip_week_day(struct cursor *c)
{
    struct cursor at = *c;
    struct slice word = cursor_while(&at, is_letter);
    if (word.len == 0 || month_of(word))
        return;
    lex_cfws(&at, NULL);
    cursor_accept(&at, ',');
    cursor_accept(&at, '.');
    lex_cfws(&at, NULL);
    *c = at;
}

enum result date_parse(struct slice text, int64_t *ret_seconds, int *ret_zone)
{
    struct cursor c = cursor_of(slice_sub(text, 0, 1000));
    struct clock_time t = {0};
    lex_cfws(&c, NULL);
    skip_week_day(&c);
    bool has_year = take_date(&c, &t);
    lex_cfws(&c, NULL);
    take_time(&c, &t);
    lex_cfws(&c, NULL);
    if (!has_year)
        take_year(&c, &t);
    int zone = take_zone(&c);
    if (!cursor_ok(&c) || !plausible(&t))
        return INVALID;
    *ret_seconds = seconds_of(&t, zone);
    if (ret_zone)
        *ret_zone = zone;
    return OK;
}

/* Exactly n digits. */
static unsigned take_digits(struct cursor *c, unsigned n)
{
    unsigned value = 0;
    while (n--) {
        char d = (char)cursor_u8(c);
        if (!ascii_digit(d))
            cursor_fail(c);
        value = value * 10 + (unsigned)(d - '0');
    }
    return value;
}

static void need(struct cursor *c, char want)
{
    if (!cursor_accept(c, want))
        cursor_fail(c);
}

/* "-Jul-1996" */
static void take_imap_month_year(struct cursor *c, struct clock_time *t)
{
    need(c, '-');
    t->month = month_of(cursor_take(c, 3));
    need(c, '-');
    t->year = take_digits(c, 4);
}

/* RFC 3501 9: date-time. */
enum result date_parse_internal(struct slice text, int64_t *ret_seconds, int *ret_zone)
{
    struct cursor c = cursor_of(text);
    struct clock_time t = {0};
    t.day = cursor_accept(&c, ' ') ? take_digits(&c, 1) : take_digits(&c, 2);
    take_imap_month_year(&c, &t);
    need(&c, ' ');
    t.hour = take_digits(&c, 2);
    need(&c, ':');
    t.minute = take_digits(&c, 2);
    need(&c, ':');
    t.second = take_digits(&c, 2);
    need(&c, ' ');
    bool west = cursor_peek(&c) == '-';
    if (!west)
        need(&c, '+');
    else
        cursor_u8(&c);
    int zone = zone_minutes(take_digits(&c, 4), west);
    if (!cursor_done(&c) || !plausible(&t))
        return INVALID;
    *ret_seconds = seconds_of(&t, zone);
    if (ret_zone)
        *ret_zone = zone;
    return OK;
}

/* RFC 3501 9: date-text = date-day "-" date-month "-" date-year. */
enum result date_parse_day(struct slice text, int64_t *ret_day)
{
    struct cursor c = cursor_of(text);
    struct clock_time t = {0};
    t.day = (unsigned)cursor_number(&c, 31);
    take_imap_month_year(&c, &t);
    if (!cursor_done(&c) || !plausible(&t))
        return INVALID;
    *ret_day = days_of(t.year, t.month, t.day);
    return OK;
}
