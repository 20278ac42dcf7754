/* encoding.h: transfer encodings, RFC 2047 words, charsets and the folding of case for
 * searches. Output goes to bounded buffers (buf's sticky failure tells when it did not fit). */
#ifndef MIME_ENCODING_H
#define MIME_ENCODING_H

#include "base/base64.h"
#include "base/buf.h"

/* ---- transfer encodings, in pieces: bytes that are no code are skipped (RFC 2045 6.8) ---- */
enum transfer { TRANSFER_IDENTITY, TRANSFER_BASE64, TRANSFER_QUOTED };
struct transfer_decoder {
    enum transfer kind;
    uint32_t bits; /* base64: what has come of a group */
    unsigned n_bits;
    char pending[80]; /* quoted-printable: what may be the beginning of "=XX" or trailing space */
    unsigned n_pending;
};
/* encoding: the Content-Transfer-Encoding; unknown ones are taken as identity. */
void transfer_decoder_init(struct transfer_decoder *d, struct slice encoding);
void transfer_decode(struct transfer_decoder *d, struct slice bytes, struct buf *out);
void transfer_decode_end(struct transfer_decoder *d, struct buf *out);
/* Quoted-printable of a text with CRLF line ends (RFC 2045 6.7), lines within 76 characters. */
void quoted_encode(struct slice text, struct buf *out);

/* ---- charsets ---- */
/* Opens what is commonly met, for good: iconv loads its tables from files, which a sandbox forbids
 * later. Call it once before the sandbox closes. */
void charset_preload(void);
struct charset_decoder {
    void *iconv;      /* NULL: UTF-8 (or unknown, taken as UTF-8) */
    char pending[16]; /* an unfinished character */
    unsigned n_pending;
};
/* "" is US-ASCII. An unknown charset gives NOT_FOUND and a decoder that takes UTF-8. The decoder
 * must be released. What is invalid becomes U+FFFD. */
enum result charset_decoder_init(struct charset_decoder *d, struct slice charset);
void charset_decode(struct charset_decoder *d, struct slice bytes, struct buf *out);
void charset_decode_end(struct charset_decoder *d, struct buf *out);
void charset_decoder_release(struct charset_decoder *d);
/* Is it one that charset_decoder_init knows? For SEARCH CHARSET. */
bool charset_known(struct slice charset);
/* All at once. */
enum result charset_to_utf8(struct slice charset, struct slice bytes, struct buf *out);
bool utf8_valid(struct slice s);

/* ---- RFC 2047 ---- */
/* Text of people (UTF-8) as a header may hold it: as it is when ASCII, otherwise words of at most
 * 75 characters, cut between characters, separated by CRLF SP. `column`: where the line stands. */
void words_encode(struct slice utf8, size_t column, struct buf *out);
/* Unfolded header text to UTF-8: white space between two words is dropped (6.2). */
void words_decode(struct slice text, struct buf *out);

/* ---- search ---- */
/* Appends the text with case folded (and compatibility forms alike), so that two that are the same
 * to a reader who does not look at case are the same bytes. What is not UTF-8 is kept as it is. */
void text_fold(struct slice utf8, struct buf *out);

#endif
