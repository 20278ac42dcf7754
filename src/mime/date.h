/* date.h: dates of RFC 5322 and of IMAP. Seconds are those since 1970-01-01 00:00 UTC; a zone is
 * its offset from UTC in minutes, east positive. Years 1900 to 9999. */
#ifndef MIME_DATE_H
#define MIME_DATE_H

#include "base/buf.h"

/* RFC 5322 3.3 with the obsolete forms of 4.3 (two-digit years, named zones, comments); lenient in
 * white space, week day and missing seconds or zone. ret_zone may be NULL. INVALID. */
MUST_USE enum result date_parse(struct slice text, int64_t *ret_seconds, int *ret_zone);
/* Appends "Fri, 21 Nov 1997 09:55:06 -0600". */
void date_format(int64_t seconds, int zone, struct buf *out);
/* The machine's zone at that moment. */
int date_local_zone(int64_t seconds);

/* RFC 3501 date-time without its quotes: "17-Jul-1996 02:44:25 -0700", first digit of the day may
 * be a space. Strict. */
MUST_USE enum result date_parse_internal(struct slice text, int64_t *ret_seconds, int *ret_zone);
/* Appends it without quotes. */
void date_format_internal(int64_t seconds, int zone, struct buf *out);
/* RFC 3501 date (SEARCH), without quotes: "1-Feb-1994" or "01-Feb-1994". Days since 1970-01-01. */
MUST_USE enum result date_parse_day(struct slice text, int64_t *ret_day);
/* The day (since 1970-01-01) of a moment as its zone sees it: what SEARCH compares. */
int64_t date_day(int64_t seconds, int zone);
/* Appends "2026-11-24T05:43:36Z" (RFC 3339), for people and logs. */
void date_format_iso(int64_t seconds, struct buf *out);

#endif
