/* fuzz_tables.c: account files, alias files and the addresses that are looked up in them. Input: an
 * address, a byte 1, the account file, a byte 1, the alias file. */
#include "auth/directory.h"
#include "auth/password.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *arg, struct slice file, unsigned line, const char *reason)
{
    (void)arg;
    (void)file;
    (void)line;
    if (!reason[0])
        abort();
}

static const struct conf *settings(void)
{
    static const struct conf *c;
    struct conf_errors errors;
    conf_errors_init(&errors);
    if (!c && conf_parse(SLICE("myhostname = h.test\nmydestination = h.test, [192.0.2.1]\n"), "f",
                         &c, &errors) != OK)
        abort();
    conf_errors_release(&errors);
    return c;
}

static void resolve(const struct directory *d, struct slice address)
{
    struct arena a;
    struct resolved r;
    arena_init(&a, 4 * 1024 * 1024);
    directory_resolve(d, address, NULL, &a, &r);
    if (r.n > DIRECTORY_TARGETS_MAX || (r.kind == RESOLVE_LOCAL && r.n == 0) ||
        (r.kind == RESOLVE_FOREIGN && r.n != 1))
        abort();
    for (size_t i = 0; i < r.n; i++)
        if (r.targets[i].local && !passwd_file_find(directory_users(d), r.targets[i].account))
            abort();
    arena_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct directory *d = NULL;
    struct slice rest = slice_of(data, size);
    struct slice address = slice_split(&rest, 1);
    struct directory_file users = {SLICE("u"), slice_split(&rest, 1), 0};
    struct directory_file aliases = {SLICE("a"), rest, 0};
    struct directory_source s = {
        .conf = settings(), .users = users, .aliases = &aliases, .n_aliases = 1};
    if (directory_new(&s, ignore, NULL, &d) != OK)
        return 0;
    resolve(d, address);
    (void)directory_login(d, address);
    (void)!password_check_form(address, NULL);
    directory_unref(d);
    return 0;
}
