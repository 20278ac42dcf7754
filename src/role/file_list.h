/* file_list.h: the files of a folder in one text, for a role that can't open them: each as a line
 * "NAME LENGTH" with its bytes behind. Who calls it: the master writes, edge and relay read. */
#ifndef ROLE_FILE_LIST_H
#define ROLE_FILE_LIST_H

#include "base/buf.h"

/* Appends one; the name has no space and no line end. */
void file_list_put(struct buf *out, struct slice name, struct slice bytes);
/* Takes the next off *rest; the slices are of it. False at the end, and at what is no such text:
 * then *rest is not empty. */
bool file_list_next(struct slice *rest, struct slice *ret_name, struct slice *ret_bytes);

#endif
