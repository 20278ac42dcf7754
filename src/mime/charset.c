/* charset.c: text in the charsets of mail to UTF-8, by iconv for those on a list. The list is there
 * for two reasons: a sandboxed role must have loaded iconv's tables before (charset_preload), and
 * some of iconv's rarer converters stop the process on input that a stranger can send. */
#include "mime/encoding.h"

#include <errno.h>
#include <iconv.h>
#include <unistr.h>

static const char REPLACEMENT[] = "\xEF\xBF\xBD";

/* Names as they are met, and iconv's. NULL: UTF-8 and what is part of it. */
static const struct {
    const char *name, *iconv_name;
} charsets[] = {
    {"", NULL},
    {"US-ASCII", NULL},
    {"ASCII", NULL},
    {"ANSI_X3.4-1968", NULL},
    {"UTF-8", NULL},
    {"UTF8", NULL},
    {"UNKNOWN-8BIT", NULL},
    {"ISO-8859-1", "ISO-8859-1"},
    {"ISO8859-1", "ISO-8859-1"},
    {"ISO_8859-1", "ISO-8859-1"},
    {"LATIN1", "ISO-8859-1"},
    {"ISO-8859-2", "ISO-8859-2"},
    {"LATIN2", "ISO-8859-2"},
    {"ISO-8859-3", "ISO-8859-3"},
    {"ISO-8859-4", "ISO-8859-4"},
    {"ISO-8859-5", "ISO-8859-5"},
    {"ISO-8859-6", "ISO-8859-6"},
    {"ISO-8859-7", "ISO-8859-7"},
    {"ISO-8859-8", "ISO-8859-8"},
    {"ISO-8859-8-I", "ISO-8859-8"},
    {"ISO-8859-9", "ISO-8859-9"},
    {"ISO-8859-10", "ISO-8859-10"},
    {"ISO-8859-11", "ISO-8859-11"},
    {"ISO-8859-13", "ISO-8859-13"},
    {"ISO-8859-14", "ISO-8859-14"},
    {"ISO-8859-15", "ISO-8859-15"},
    {"ISO8859-15", "ISO-8859-15"},
    {"LATIN-9", "ISO-8859-15"},
    {"ISO-8859-16", "ISO-8859-16"},
    {"WINDOWS-1250", "CP1250"},
    {"CP1250", "CP1250"},
    {"WINDOWS-1251", "CP1251"},
    {"CP1251", "CP1251"},
    {"WINDOWS-1252", "CP1252"},
    {"CP1252", "CP1252"},
    {"WINDOWS-1253", "CP1253"},
    {"WINDOWS-1254", "CP1254"},
    {"WINDOWS-1255", "CP1255"},
    {"WINDOWS-1256", "CP1256"},
    {"WINDOWS-1257", "CP1257"},
    {"WINDOWS-1258", "CP1258"},
    {"WINDOWS-874", "CP874"},
    {"TIS-620", "CP874"},
    {"KOI8-R", "KOI8-R"},
    {"KOI8-U", "KOI8-U"},
    {"MACINTOSH", "MACINTOSH"},
    {"IBM437", "IBM437"},
    {"CP437", "IBM437"},
    {"IBM850", "IBM850"},
    {"CP850", "IBM850"},
    {"IBM852", "IBM852"},
    {"IBM866", "IBM866"},
    {"CP866", "IBM866"},
    {"ISO-2022-JP", "ISO-2022-JP"},
    {"EUC-JP", "EUC-JP"},
    {"SHIFT_JIS", "CP932"},
    {"SHIFT-JIS", "CP932"},
    {"WINDOWS-31J", "CP932"},
    {"CP932", "CP932"},
    {"EUC-KR", "UHC"},
    {"KS_C_5601-1987", "UHC"},
    {"WINDOWS-949", "UHC"},
    {"GB2312", "GBK"},
    {"GBK", "GBK"},
    {"CP936", "GBK"},
    {"GB18030", "GB18030"},
    {"HZ-GB-2312", "HZ"},
    {"BIG5", "BIG5"},
    {"BIG5-HKSCS", "BIG5-HKSCS"},
    {"UTF-7", "UTF-7"},
    {"UTF-16", "UTF-16"},
    {"UTF-16LE", "UTF-16LE"},
    {"UTF-16BE", "UTF-16BE"},
};
enum { CHARSETS = sizeof charsets / sizeof *charsets };

/* Index in the list, or CHARSETS. */
static size_t find_charset(struct slice name)
{
    size_t i = 0;
    while (i < CHARSETS && !slice_is_nocase(name, charsets[i].name))
        i++;
    return i;
}

bool charset_known(struct slice charset)
{
    return find_charset(slice_trim(charset)) < CHARSETS;
}

void charset_preload(void)
{
    /* Never closed: iconv unloads what nobody has open. */
    static iconv_t kept[CHARSETS];
    for (size_t i = 0; i < CHARSETS; i++)
        if (charsets[i].iconv_name && !kept[i])
            kept[i] = iconv_open("UTF-8", charsets[i].iconv_name);
}

enum result charset_decoder_init(struct charset_decoder *d, struct slice charset)
{
    size_t i = find_charset(slice_trim(charset));
    *d = (struct charset_decoder){.iconv = NULL};
    if (i == CHARSETS)
        return NOT_FOUND;
    if (!charsets[i].iconv_name)
        return OK;
    iconv_t cd = iconv_open("UTF-8", charsets[i].iconv_name);
    if (cd == (iconv_t)-1)
        return NOT_FOUND;
    d->iconv = cd;
    return OK;
}

void charset_decoder_release(struct charset_decoder *d)
{
    if (d->iconv)
        iconv_close(d->iconv);
    d->iconv = NULL;
}

/* Appends what is valid of s and a replacement for each byte that isn't; returns how many bytes at
 * the end are the beginning of a character. */
static size_t put_utf8(struct slice s, struct buf *out)
{
    for (;;) {
        const uint8_t *bad = s.len ? u8_check((const uint8_t *)s.data, s.len) : NULL;
        size_t good = bad ? (size_t)((const char *)bad - s.data) : s.len;
        buf_append(out, slice_sub(s, 0, good));
        s = slice_from(s, good);
        ucs4_t c;
        if (s.len == 0)
            return 0;
        if (u8_mbtoucr(&c, (const uint8_t *)s.data, s.len) == -2)
            return s.len;
        buf_puts(out, REPLACEMENT);
        s = slice_from(s, 1);
    }
}

/* Converts until the input is used up or ends within a character; returns what is left. */
static size_t put_converted(iconv_t cd, struct slice s, struct buf *out)
{
    char *in = (char *)(uintptr_t)s.data;
    size_t left = s.len;
    while (left && buf_ok(out)) {
        char piece[1024];
        char *to = piece;
        size_t room = sizeof piece;
        size_t r = iconv(cd, &in, &left, &to, &room);
        int why = r == (size_t)-1 ? errno : 0;
        buf_append(out, slice_of(piece, sizeof piece - room));
        if (why == EINVAL)
            return left;
        if (why == EILSEQ) {
            buf_puts(out, REPLACEMENT);
            in++;
            left--;
        }
    }
    return 0;
}

static size_t convert(struct charset_decoder *d, struct slice s, struct buf *out)
{
    return d->iconv ? put_converted(d->iconv, s, out) : put_utf8(s, out);
}

/* The pending beginning of a character gets bytes of `bytes` until it is complete; returns how many
 * it took. */
static size_t finish_pending(struct charset_decoder *d, struct slice bytes, struct buf *out)
{
    size_t taken = 0;
    while (d->n_pending && taken < bytes.len) {
        if (d->n_pending == sizeof d->pending) {
            buf_puts(out, REPLACEMENT);
            d->n_pending = 0;
            break;
        }
        d->pending[d->n_pending++] = bytes.data[taken++];
        size_t left = convert(d, slice_of(d->pending, d->n_pending), out);
        memmove(d->pending, d->pending + d->n_pending - left, left);
        d->n_pending = (unsigned)left;
    }
    return taken;
}

void charset_decode(struct charset_decoder *d, struct slice bytes, struct buf *out)
{
    bytes = slice_from(bytes, finish_pending(d, bytes, out));
    if (bytes.len == 0)
        return;
    size_t left = convert(d, bytes, out);
    if (left > sizeof d->pending) {
        buf_puts(out, REPLACEMENT);
        left = 0;
    }
    if (left)
        memcpy(d->pending, bytes.data + bytes.len - left, left);
    d->n_pending = (unsigned)left;
}

void charset_decode_end(struct charset_decoder *d, struct buf *out)
{
    if (d->n_pending)
        buf_puts(out, REPLACEMENT);
    d->n_pending = 0;
    if (!d->iconv)
        return;
    /* Some converters hold a character back, since an accent might follow. */
    char piece[64];
    char *to = piece;
    size_t room = sizeof piece;
    iconv(d->iconv, NULL, NULL, &to, &room);
    buf_append(out, slice_of(piece, sizeof piece - room));
}

enum result charset_to_utf8(struct slice charset, struct slice bytes, struct buf *out)
{
    struct charset_decoder d;
    enum result r = charset_decoder_init(&d, charset);
    charset_decode(&d, bytes, out);
    charset_decode_end(&d, out);
    charset_decoder_release(&d);
    return r;
}

bool utf8_valid(struct slice s)
{
    return s.len == 0 || !u8_check((const uint8_t *)s.data, s.len);
}
