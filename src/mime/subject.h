/* subject.h: the base subject of a message (RFC 5256 2.1), by which SORT and THREAD take messages
 * together. */
#ifndef MIME_SUBJECT_H
#define MIME_SUBJECT_H

#include "base/buf.h"

/* subject: the field's body, with its encoded words. Appends it in UTF-8, folded (text_fold),
 * without "Re:", "[list]", "(fwd)" and the like. Returns whether it was a reply or forward. */
bool subject_base(struct slice subject, struct buf *out);

#endif
