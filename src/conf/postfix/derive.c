/* derive.c: what Postfix works out when it starts: mynetworks by the interfaces, myorigin from a
 * file, networks from files. */
#include <errno.h>

#include "conf/postfix/interfaces.h"
#include "conf/postfix/postfix.h"
#include "conf/postfix/services.h"

struct deriving {
    struct conf_scope *scope;
    struct conf_reading *reading;
    enum result result;
};

static struct slice value_of(struct deriving *d, const char *name)
{
    struct slice value = SLICE("");
    /* What can't be expanded is told when the settings are evaluated. */
    if (conf_scope_value(d->scope, slice_cstr(name), d->reading->arena, &value, NULL) != OK)
        return SLICE("");
    return value;
}

static void assign(struct deriving *d, const char *name, struct slice value, const char *file,
                   unsigned line)
{
    struct conf_assignment a = {.name = slice_cstr(name),
                                .value = arena_dup(d->reading->arena, value),
                                .service = SLICE(""),
                                .file = file,
                                .line = line,
                                .grammar = CONF_LITERAL};
    if (d->result == OK)
        d->result = conf_assign(d->reading, &d->reading->found, a);
    d->scope->layers[CONF_LAYER_POSTFIX] = d->reading->found;
}

/* postconf(5) mynetworks: without it, mynetworks_style chooses from the interfaces' networks. */
static void derive_mynetworks(struct deriving *d)
{
    struct interfaces found = {.n = 0};
    struct error err = {""};
    struct buf text;
    struct slice style = value_of(d, "mynetworks_style");
    const struct conf_assignment *a = conf_scope_assignment(d->scope, SLICE("mynetworks_style"));
    if (conf_scope_assignment(d->scope, SLICE("mynetworks")))
        return;
    /* A fault of inet_interfaces is told with the listeners. */
    if (interfaces_named(value_of(d, "inet_interfaces"), value_of(d, "inet_protocols"), &found,
                         &err) != OK)
        return;
    buf_init(&text, CONF_VALUE_MAX);
    if (interfaces_networks(&found, style, &text) != OK)
        conf_error(d->reading->errors, a ? a->file : "Postfix's default", a ? a->line : 0,
                   "mynetworks_style: `%.*s` is not one of: class, subnet or host",
                   SLICE_ARG(style));
    else if (a)
        assign(d, "mynetworks", buf_slice(&text), a->file, a->line);
    else
        assign(d, "mynetworks", buf_slice(&text), "Postfix's default", 0);
    if (!a && slice_is_nocase(style, "subnet"))
        conf_warn(
            d->reading->errors, "Postfix's default", 0,
            "mynetworks: with compatibility_level below 2, whole subnets may relay: %.*s; set "
            "mynetworks, or compatibility_level = 3.6",
            SLICE_ARG(buf_slice(&text)));
    buf_release(&text);
}

/* Debian: myorigin may be the path of a file with the name in its first line. */
static void derive_myorigin(struct deriving *d)
{
    struct slice path = value_of(d, "myorigin"), text;
    const struct conf_assignment *a = conf_scope_assignment(d->scope, SLICE("myorigin"));
    if (!a || a->file == NULL || path.len == 0 || path.data[0] != '/')
        return;
    if (conf_read_file(path.data, d->reading->arena, &text) != OK) {
        conf_error(d->reading->errors, a->file, a->line, "myorigin: cannot read %s: %s", path.data,
                   strerror(errno));
        return;
    }
    assign(d, "myorigin", slice_trim(slice_split(&text, '\n')), path.data, 1);
}

/* ---- mynetworks with files ---- */

/* The path of a pattern file or of a table whose keys are networks; data NULL: it is none. */
static struct slice networks_file(struct slice item)
{
    static const char *const types[] = {"cidr:", "texthash:", "hash:", "btree:", "lmdb:", "cdb:"};
    if (item.len && item.data[0] == '/')
        return item;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (slice_starts(item, slice_cstr(types[i])))
            return slice_from(item, strlen(types[i]));
    return SLICE_NONE;
}

static void put_first_words(struct slice text, struct buf *out)
{
    while (text.data) {
        struct slice line = slice_trim(slice_split(&text, '\n'));
        size_t n = 0;
        while (n < line.len && line.data[n] != ' ' && line.data[n] != '\t')
            n++;
        if (n && line.data[0] != '#')
            buf_printf(out, "%.*s ", SLICE_ARG(slice_sub(line, 0, n)));
    }
}

static bool put_network_item(struct deriving *d, const struct conf_assignment *a, struct slice item,
                             struct buf *out)
{
    struct slice text, path = networks_file(item);
    const char *name = path.data ? arena_printf(d->reading->arena, "%.*s", SLICE_ARG(path)) : NULL;
    if (!path.data) {
        buf_printf(out, "%.*s ", SLICE_ARG(item));
        return false;
    }
    if (!name || conf_read_file(name, d->reading->arena, &text) != OK)
        conf_error(d->reading->errors, a->file, a->line, "mynetworks: cannot read %.*s: %s",
                   SLICE_ARG(path), strerror(errno));
    else
        put_first_words(text, out);
    return true;
}

static void derive_network_files(struct deriving *d)
{
    const struct conf_assignment *a = conf_scope_assignment(d->scope, SLICE("mynetworks"));
    struct slice value = a ? value_of(d, "mynetworks") : SLICE("");
    bool files = false;
    struct buf out;
    buf_init(&out, CONF_VALUE_MAX);
    for (size_t at = 0; at < value.len;) {
        size_t from = at;
        while (at < value.len && value.data[at] != ',' && value.data[at] != ' ' &&
               value.data[at] != '\t')
            at++;
        if (at > from && put_network_item(d, a, slice_sub(value, from, at - from), &out))
            files = true;
        at++;
    }
    if (!buf_ok(&out))
        conf_error(d->reading->errors, a->file, a->line, "mynetworks: the files are too long");
    else if (files)
        assign(d, "mynetworks", slice_trim(buf_slice(&out)), a->file, a->line);
    buf_release(&out);
}

/* ---- mailbox_command ---- */

/* Dovecot's program brings mail to the mailboxes that are ours now. */
static void derive_mailbox_command(struct deriving *d)
{
    const struct conf_assignment *a = conf_scope_assignment(d->scope, SLICE("mailbox_command"));
    if (!a || !a->file || a->value.len == 0)
        return;
    struct slice rest = a->value, program = slice_split(&rest, ' ');
    if (services_is_dovecots(program)) {
        conf_note(d->reading->errors, a->file, a->line,
                  "mailbox_command: Dovecot's program is not run; mail of local accounts goes to "
                  "their mailboxes here");
        assign(d, "mailbox_command", SLICE(""), a->file, a->line);
    } else {
        conf_warn(
            d->reading->errors, a->file, a->line,
            "mailbox_command: mail of local accounts goes to the program; POP3 and IMAP do not "
            "show what it writes into files: remove the line to have the mail in the "
            "mailboxes here");
    }
}

enum result postfix_derive(struct conf_scope *scope, struct conf_reading *r)
{
    struct deriving d = {scope, r, OK};
    derive_mynetworks(&d);
    derive_myorigin(&d);
    derive_network_files(&d);
    derive_mailbox_command(&d);
    return d.result;
}
