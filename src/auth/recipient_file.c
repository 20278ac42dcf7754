#include "auth/recipient_file.h"

#include <stdio.h>
#include <string.h>

const char *recipient_file_fault(const struct stat *st, bool forward, unsigned uid)
{
    if (!S_ISREG(st->st_mode))
        return "is not a regular file";
    if (st->st_mode & S_IWOTH)
        return "is world writable";
    if (forward && st->st_uid != 0 && st->st_uid != uid)
        return "belongs to another user";
    if (st->st_size > RECIPIENT_FILE_MAX)
        return "is too large";
    return NULL;
}

void recipient_path_expand(const char *from, const char *home, const char *shell, char *to,
                           size_t size)
{
    size_t n = 0;
    while (*from && n + 1 < size) {
        const char *value = strncmp(from, "$home", 5) == 0    ? home
                            : strncmp(from, "$shell", 6) == 0 ? shell
                                                              : NULL;
        if (value) {
            n += (size_t)snprintf(to + n, size - n, "%s", value);
            n = n >= size ? size - 1 : n;
            from += value == home ? 5 : 6;
        } else {
            to[n++] = *from++;
        }
    }
    to[n] = '\0';
}
