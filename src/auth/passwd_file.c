#include "auth/passwd_file.h"

#include "base/map.h"

#include <stdlib.h>

struct passwd_file {
    char *bytes; /* a copy of the file; the users' slices point into it */
    size_t len;
    struct passwd_user *users;
    size_t n, room;
    struct map by_name;
};

static bool name_char_ok(char c)
{
    return (unsigned char)c > ' ' && c != 0x7f && c != ':' && c != '/' && c != '\\';
}

enum result passwd_name_check(struct slice name, struct error *err)
{
    if (name.len == 0)
        return error_set(err, INVALID, "the name is empty");
    if (name.len > PASSWD_NAME_MAX)
        return error_set(err, INVALID, "the name is longer than %d bytes", PASSWD_NAME_MAX);
    if (name.data[0] == '#' || name.data[0] == '.')
        return error_set(err, INVALID, "the name begins with '%c'", name.data[0]);
    for (size_t i = 0; i < name.len; i++)
        if (!name_char_ok(name.data[i]))
            return error_set(err, INVALID,
                             "the name holds a space, a control character, ':', '/' or '\\'");
    return OK;
}

void passwd_file_free(struct passwd_file *f)
{
    if (!f)
        return;
    map_release(&f->by_name);
    free(f->users);
    if (f->bytes) {
        explicit_bzero(f->bytes, f->len);
        free(f->bytes);
    }
    free(f);
}

static void lower(struct slice s)
{
    char *p = (char *)s.data; /* our own copy */
    for (size_t i = 0; i < s.len; i++)
        p[i] = ascii_lower(p[i]);
}

static struct passwd_user split_line(struct slice line)
{
    struct passwd_user u = {.name = slice_split(&line, ':')};
    struct slice *fields[] = {&u.password, &u.uid, &u.gid, &u.gecos, &u.home, &u.shell};
    for (size_t i = 0; i < sizeof fields / sizeof *fields && line.data; i++)
        *fields[i] = slice_split(&line, ':');
    u.extra = slice_trim(line);
    return u;
}

static enum result add_user(struct passwd_file *f, const struct passwd_user *u)
{
    if (f->n == f->room) {
        size_t room = f->room ? f->room * 2 : 64;
        struct passwd_user *users = realloc(f->users, room * sizeof *users);
        if (!users)
            return FAILED;
        f->users = users;
        f->room = room;
    }
    /* The array moves as it grows: the map holds indices, from 1 since NULL is "absent". */
    enum result r = map_put(&f->by_name, u->name, (void *)(uintptr_t)(f->n + 1));
    if (r == OK)
        f->users[f->n++] = *u;
    return r;
}

/* OK also for a line that was reported and skipped. */
static enum result parse_line(struct passwd_file *f, struct slice line, unsigned number,
                              passwd_problem_fn *problem, void *arg)
{
    struct error err = {""};
    if (line.len > PASSWD_LINE_MAX) {
        problem(arg, number, "the line is too long");
        return OK;
    }
    if (slice_find(line, '\0') != SIZE_MAX) {
        problem(arg, number, "the line holds a NUL byte");
        return OK;
    }
    struct passwd_user u = split_line(line);
    u.line = number;
    if (passwd_name_check(u.name, &err) != OK) {
        problem(arg, number, err.text);
        return OK;
    }
    lower(u.name);
    enum result r = add_user(f, &u);
    if (r == EXISTS)
        problem(arg, number, "the account is in an earlier line already, which counts");
    else if (r == LIMIT)
        problem(arg, number, "too many accounts");
    return r == FAILED ? FAILED : OK;
}

static void ignore_problem(void *arg, unsigned line, const char *reason)
{
    (void)arg;
    (void)line;
    (void)reason;
}

static enum result parse_lines(struct passwd_file *f, passwd_problem_fn *problem, void *arg)
{
    struct slice rest = slice_of(f->bytes, f->len);
    for (unsigned number = 1; rest.data; number++) {
        struct slice line = slice_split(&rest, '\n');
        if (line.len && line.data[line.len - 1] == '\r')
            line.len--;
        if (slice_trim(line).len == 0 || line.data[0] == '#')
            continue;
        if (parse_line(f, line, number, problem, arg) != OK)
            return FAILED;
    }
    return OK;
}

enum result passwd_file_parse(struct slice bytes, passwd_problem_fn *problem, void *arg,
                              struct passwd_file **ret)
{
    if (bytes.len > PASSWD_FILE_MAX)
        return LIMIT;
    struct passwd_file *f = calloc(1, sizeof *f);
    if (!f)
        return FAILED;
    map_init(&f->by_name, PASSWD_USERS_MAX);
    f->bytes = malloc(bytes.len + 1);
    if (f->bytes) {
        if (bytes.len)
            memcpy(f->bytes, bytes.data, bytes.len);
        f->len = bytes.len;
        f->bytes[f->len] = '\0';
    }
    if (!f->bytes || parse_lines(f, problem ? problem : ignore_problem, arg) != OK) {
        passwd_file_free(f);
        return FAILED;
    }
    *ret = f;
    return OK;
}

const struct passwd_user *passwd_file_find(const struct passwd_file *f, struct slice name)
{
    char folded[PASSWD_NAME_MAX];
    if (name.len > sizeof folded)
        return NULL;
    for (size_t i = 0; i < name.len; i++)
        folded[i] = ascii_lower(name.data[i]);
    uintptr_t index = (uintptr_t)map_get(&f->by_name, slice_of(folded, name.len));
    return index ? &f->users[index - 1] : NULL;
}

size_t passwd_file_count(const struct passwd_file *f)
{
    return f->n;
}

const struct passwd_user *passwd_file_at(const struct passwd_file *f, size_t i)
{
    return i < f->n ? &f->users[i] : NULL;
}

void passwd_file_each(const struct passwd_file *f,
                      void (*each)(void *arg, const struct passwd_user *u), void *arg)
{
    for (size_t i = 0; i < f->n; i++)
        each(arg, &f->users[i]);
}

struct slice passwd_user_extra(const struct passwd_user *u, const char *key)
{
    struct slice rest = u->extra;
    while (rest.data) {
        struct slice field = slice_split(&rest, ' ');
        struct slice value = field;
        struct slice name = slice_split(&value, '=');
        if (slice_is(name, key))
            return value.data ? value : SLICE("y");
    }
    return SLICE_NONE;
}
