#include "role/authorities.h"

#include "base/log.h"
#include "role/file_list.h"

enum result authorities_add_folder(struct tls_context *c, struct slice folder, struct slice text,
                                   struct error *err)
{
    struct slice name, pem;
    unsigned total = 0;
    while (file_list_next(&text, &name, &pem)) {
        struct error why = {""};
        unsigned n = 0;
        if (tls_add_authorities(c, pem, &n, &why) == OK)
            total += n;
        else
            LOG(LOG_ERROR, "tls.authorities", LOG_S("folder", folder), LOG_S("file", name),
                LOG_C("why", why.text),
                LOG_C("then", "it makes nobody an authority, the other files count: mend or remove "
                              "it"));
    }
    return total ? OK : error_set(err, INVALID, "there is no certificate of an authority in it");
}
