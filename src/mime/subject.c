/* subject.c: see subject.h. The rules are those of RFC 5256 2.1, applied to the folded text, whose
 * letters are in lower case. */
#include "mime/subject.h"

#include "mime/encoding.h"

enum { SUBJECT_MAX = 1000 };

/* Runs of white space are one space. */
static void collapse(struct slice text, struct buf *out)
{
    bool space = false;
    for (size_t i = 0; i < text.len; i++) {
        if (ascii_blank(text.data[i])) {
            space = buf_len(out) > 0;
            continue;
        }
        if (space)
            buf_putc(out, ' ');
        space = false;
        buf_putc(out, text.data[i]);
    }
}

/* "(fwd)" at the end, and white space. */
static bool cut_trailer(struct slice *s)
{
    bool cut = false;
    for (;;) {
        *s = slice_trim(*s);
        if (!slice_ends_nocase(*s, SLICE("(fwd)")))
            return cut;
        s->len -= 5;
        cut = true;
    }
}

/* "[…]" and the white space behind it; its length, 0: none. */
static size_t blob_length(struct slice s)
{
    if (!s.len || s.data[0] != '[')
        return 0;
    for (size_t i = 1; i < s.len; i++) {
        if (s.data[i] == '[')
            return 0;
        if (s.data[i] != ']')
            continue;
        for (i++; i < s.len && ascii_blank(s.data[i]);)
            i++;
        return i;
    }
    return 0;
}

/* "re: ", "fwd [x] :" */
static size_t reply_length(struct slice s)
{
    size_t at = slice_starts(s, SLICE("re"))    ? 2
                : slice_starts(s, SLICE("fwd")) ? 3
                : slice_starts(s, SLICE("fw"))  ? 2
                                                : 0;
    if (!at)
        return 0;
    while (at < s.len && ascii_blank(s.data[at]))
        at++;
    at += blob_length(slice_from(s, at));
    return at < s.len && s.data[at] == ':' ? at + 1 : 0;
}

/* Blobs and reply marks in front. */
static bool cut_leader(struct slice *s)
{
    bool reply = false;
    for (;;) {
        *s = slice_trim(*s);
        size_t blobs = 0, n;
        while ((n = blob_length(slice_from(*s, blobs))))
            blobs += n;
        n = reply_length(slice_from(*s, blobs));
        if (n) {
            *s = slice_from(*s, blobs + n);
            reply = true;
            continue;
        }
        /* A blob alone goes only when something is left. */
        n = blob_length(*s);
        if (n == 0 || n >= s->len)
            return reply;
        *s = slice_from(*s, n);
    }
}

/* "[fwd: …]" around all of it. */
static bool cut_wrapper(struct slice *s)
{
    if (!slice_starts(*s, SLICE("[fwd:")) || s->data[s->len - 1] != ']')
        return false;
    *s = slice_sub(*s, 5, s->len - 6);
    return true;
}

bool subject_base(struct slice subject, struct buf *out)
{
    struct buf words, folded, text;
    bool reply = false;
    buf_init(&words, 16 * SUBJECT_MAX);
    buf_init(&folded, 64 * SUBJECT_MAX);
    buf_init(&text, 64 * SUBJECT_MAX);
    words_decode(slice_sub(subject, 0, 4 * SUBJECT_MAX), &words);
    text_fold(buf_slice(&words), &folded);
    collapse(buf_slice(&folded), &text);
    struct slice s = buf_slice(&text);
    do {
        reply |= cut_trailer(&s);
        reply |= cut_leader(&s);
    } while (cut_wrapper(&s) && (reply = true));
    buf_append(out, slice_sub(s, 0, SUBJECT_MAX));
    buf_release(&words);
    buf_release(&folded);
    buf_release(&text);
    return reply;
}
