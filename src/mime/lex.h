/* lex.h: the lexical pieces of RFC 5322 3.2 that addresses, dates and MIME parameters share, taken
 * leniently: what is left open at the end of the text is closed there. Internal to mime/. */
#ifndef MIME_LEX_H
#define MIME_LEX_H

#include "base/buf.h"
#include "base/cursor.h"

/* Takes white space, folding and comments; true when there was any. comment (may be NULL) is set
 * to the text of the last comment, without its outer parentheses. */
bool lex_cfws(struct cursor *c, struct buf *comment);
/* The next byte is '"': appends what is between the quotes, backslashes undone, folding dropped. */
void lex_quoted(struct cursor *c, struct buf *out);
/* atext of RFC 5322 3.2.3; bytes above 127 too (RFC 6532 3.2). */
bool lex_is_atext(char c);
/* A byte that may be part of a word in a list, however sloppily written: no specials, no space. */
bool lex_is_wordish(char c);

#endif
