#include "cli/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cli/table_reader.h"
#include "conf/fields.h"

enum { FILES_MAX = 200, ARENA_MAX = 256 << 20 };

struct opening {
    struct arena arena;
    struct table_set *set;
    struct directory_file aliases[FILES_MAX], databases[FILES_MAX];
    size_t n_aliases, n_databases;
    directory_problem_fn *problem;
    void *arg;
};

static void report(void *arg, struct slice file, unsigned line, const char *reason)
{
    (void)arg;
    fprintf(stderr, "postrider: warning: %.*s", SLICE_ARG(file));
    if (line)
        fprintf(stderr, ":%u", line);
    fprintf(stderr, ": %s\n", reason);
}

static struct directory_file read_file(struct opening *o, struct slice path)
{
    struct buf bytes;
    struct stat st = {.st_uid = 0};
    struct error err = {""};
    struct directory_file f = {.path = arena_dup(&o->arena, path), .bytes = SLICE("")};
    const char *name = arena_printf(&o->arena, "%.*s", SLICE_ARG(path));
    buf_init(&bytes, TABLE_FILE_MAX);
    if (cli_table_reader.read(NULL, path, &bytes, &err) != OK)
        o->problem(o->arg, path, 0, err.text);
    else
        f.bytes = arena_dup(&o->arena, buf_slice(&bytes));
    if (name && stat(name, &st) == 0)
        f.owner = st.st_uid;
    buf_release(&bytes);
    return f;
}

static void add_alias_file(void *arg, struct slice path)
{
    struct opening *o = arg;
    if (o->n_aliases < FILES_MAX)
        o->aliases[o->n_aliases++] = read_file(o, path);
}

static void add_databases(struct opening *o, struct slice_list items)
{
    for (size_t i = 0; i < items.n; i++) {
        struct slice path = conf_field(items.items[i], "path");
        if (path.len && o->n_databases < FILES_MAX)
            o->databases[o->n_databases++] = read_file(o, path);
    }
}

static void open_table(void *arg, const char *setting, struct slice spec)
{
    struct table_set *set = arg;
    struct error err = {""};
    if (!conf_table_is_outgoing(setting) &&
        table_set_add(set, spec, &cli_table_reader, report, NULL, &err) != OK)
        report(NULL, spec, 0, err.text);
}

static const struct table *find_table(void *arg, struct slice spec)
{
    return table_set_find(arg, spec);
}

static void release_tables(void *arg)
{
    table_set_unref(arg);
}

static enum result fill(struct opening *o, const struct conf *c, const struct directory **ret,
                        struct error *err)
{
    struct directory_source s = {.conf = c,
                                 .aliases = o->aliases,
                                 .databases = o->databases,
                                 .tables = {find_table, o->set},
                                 .release = release_tables,
                                 .release_arg = o->set};
    for (size_t i = 0; i < c->alias_maps.n; i++)
        if (table_files(c->alias_maps.items[i], add_alias_file, o, err) != OK)
            o->problem(o->arg, c->alias_maps.items[i], 0, err->text);
    add_databases(o, c->passdb);
    add_databases(o, c->userdb);
    if (c->users_file.len)
        s.users = read_file(o, c->users_file);
    s.n_aliases = o->n_aliases;
    s.n_databases = o->n_databases;
    return arena_failed(&o->arena) ? FAILED : directory_new(&s, o->problem, o->arg, ret);
}

enum result cli_directory_of(const struct conf *c, struct table_set *set,
                             directory_problem_fn *problem, void *arg, const struct directory **ret,
                             struct error *err)
{
    struct opening *o = calloc(1, sizeof *o);
    enum result r = FAILED;
    if (o) {
        o->set = table_set_ref(set);
        o->problem = problem;
        o->arg = arg;
        arena_init(&o->arena, ARENA_MAX);
        r = fill(o, c, ret, err);
        if (r != OK)
            release_tables(o->set);
        arena_release(&o->arena);
    }
    free(o);
    return r == OK ? OK : error_set(err, FAILED, "no memory");
}

enum result cli_directory_open(const struct conf *c, const struct directory **ret,
                               struct error *err)
{
    struct table_set *set = NULL;
    if (table_set_new(&set) != OK)
        return error_set(err, FAILED, "no memory");
    conf_tables(c, open_table, set);
    enum result r = cli_directory_of(c, set, report, NULL, ret, err);
    table_set_unref(set);
    return r;
}
