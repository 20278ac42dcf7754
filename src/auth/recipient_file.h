/* recipient_file.h: which files may list recipients: :include: and .forward, by local(8). Who calls
 * it: agent, which reads them with their users' rights, and `config route`. */
#ifndef AUTH_RECIPIENT_FILE_H
#define AUTH_RECIPIENT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

enum { RECIPIENT_FILE_MAX = 100 * 1024 }; /* bytes */

/* What others can write, or what is somebody else's, decides nothing. forward: a .forward of the
 * user uid. NULL: it may be used; else why not. */
const char *recipient_file_fault(const struct stat *st, bool forward, unsigned uid);

/* A path of forward_path with $home and $shell, which the directory does not know; cut to size. */
void recipient_path_expand(const char *from, const char *home, const char *shell, char *to,
                           size_t size);

#endif
