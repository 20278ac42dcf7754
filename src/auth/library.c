#include "auth/library.h"

#include <dlfcn.h>
#include <string.h>

enum result library_load(const char *const *files, const char *package,
                         const struct library_symbol *symbols, size_t n, void *ret_api,
                         struct error *err)
{
    void *library = NULL;
    for (size_t i = 0; !library && files[i]; i++)
        library = dlopen(files[i], RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return error_set(err, FAILED, "the library %s can't be loaded: install the package %s",
                         files[0], package);
    for (size_t i = 0; i < n; i++) {
        void *function = dlsym(library, symbols[i].name);
        if (!function)
            return error_set(err, FAILED, "the library %s has no %s: install a newer %s", files[0],
                             symbols[i].name, package);
        memcpy((char *)ret_api + symbols[i].offset, &function, sizeof function);
    }
    return OK;
}
