/* doveadm_print.c: doveadm's formatters: the same rows as flow, tab, table, pager or json. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/faces/doveadm.h"

enum { TABLE_MAX = 64 << 20 };

void doveadm_table_begin(struct doveadm_table *t, enum doveadm_format format,
                         const struct doveadm_column *columns, size_t n)
{
    *t = (struct doveadm_table){.format = format, .n = n};
    memcpy(t->columns, columns, n * sizeof *columns);
    buf_init(&t->cells, TABLE_MAX);
}

/* Cells are kept with a NUL behind each. */
void doveadm_table_put(struct doveadm_table *t, struct slice cell)
{
    buf_append(&t->cells, cell);
    buf_putc(&t->cells, '\0');
    t->count++;
}

void doveadm_table_number(struct doveadm_table *t, uint64_t n)
{
    doveadm_table_printf(t, "%llu", (unsigned long long)n);
}

void doveadm_table_printf(struct doveadm_table *t, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    buf_vprintf(&t->cells, format, ap);
    va_end(ap);
    buf_putc(&t->cells, '\0');
    t->count++;
}

static struct slice next_cell(struct slice *rest)
{
    return slice_split(rest, '\0');
}

/* Tabs and line ends within a value, as Dovecot's "tabescaped". */
static void put_escaped(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        const char *with = s.data[i] == '\t' ? "\001t" : s.data[i] == '\n' ? "\001n" : NULL;
        if (with)
            fputs(with, stdout);
        else
            putchar(s.data[i]);
    }
}

static void print_tab(const struct doveadm_table *t, struct slice cells)
{
    for (size_t i = 0; i < t->n; i++)
        printf("%s%s", i ? "\t" : "", t->columns[i].name);
    for (size_t i = 0; i < t->count; i++) {
        putchar(i % t->n ? '\t' : '\n');
        put_escaped(next_cell(&cells));
    }
    putchar('\n');
}

static void print_flow(const struct doveadm_table *t, struct slice cells)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct doveadm_column *c = &t->columns[i % t->n];
        struct slice cell = next_cell(&cells);
        printf("%s%s%s%.*s", i % t->n ? " " : "", c->bare ? "" : c->name, c->bare ? "" : "=",
               SLICE_ARG(cell));
        if (i % t->n == t->n - 1)
            putchar('\n');
    }
}

static void print_pager(const struct doveadm_table *t, struct slice cells)
{
    for (size_t i = 0; i < t->count; i++) {
        struct slice cell = next_cell(&cells);
        printf("%s: %.*s\n", t->columns[i % t->n].name, SLICE_ARG(cell));
        if (i % t->n == t->n - 1)
            fputs("\f\n", stdout);
    }
}

static void print_json(const struct doveadm_table *t, struct slice cells)
{
    struct buf out;
    buf_init(&out, TABLE_MAX);
    struct json list = json_begin(&out, '[');
    for (size_t row = 0; t->n && row < t->count / t->n; row++) {
        json_item(&list);
        struct json o = json_begin(&out, '{');
        for (size_t i = 0; i < t->n; i++)
            json_put_string(&o, t->columns[i].name, next_cell(&cells));
        json_end(&o);
    }
    json_end(&list);
    printf("%.*s\n", SLICE_ARG(buf_slice(&out)));
    buf_release(&out);
}

static void find_widths(const struct doveadm_table *t, struct slice cells, int *widths)
{
    for (size_t i = 0; i < t->n; i++)
        widths[i] = (int)strlen(t->columns[i].name);
    for (size_t i = 0; i < t->count; i++) {
        struct slice cell = next_cell(&cells);
        if (cell.len < 1000 && (int)cell.len > widths[i % t->n])
            widths[i % t->n] = (int)cell.len;
    }
}

static void put_padded(const struct doveadm_table *t, size_t i, struct slice cell,
                       const int *widths)
{
    bool last = i == t->n - 1;
    if (t->columns[i].number)
        printf("%*.*s", widths[i], SLICE_ARG(cell));
    else
        printf("%-*.*s", last ? 0 : widths[i], SLICE_ARG(cell));
    putchar(last ? '\n' : ' ');
}

static void print_table(const struct doveadm_table *t, struct slice cells)
{
    int widths[DOVEADM_COLUMNS_MAX];
    find_widths(t, cells, widths);
    for (size_t i = 0; i < t->n; i++)
        put_padded(t, i, slice_cstr(t->columns[i].name), widths);
    for (size_t i = 0; i < t->count; i++)
        put_padded(t, i % t->n, next_cell(&cells), widths);
}

void doveadm_table_end(struct doveadm_table *t)
{
    static void (*const print[])(const struct doveadm_table *t, struct slice cells) = {
        [DOVEADM_FLOW] = print_flow,   [DOVEADM_TAB] = print_tab,   [DOVEADM_TABLE] = print_table,
        [DOVEADM_PAGER] = print_pager, [DOVEADM_JSON] = print_json,
    };
    if (!buf_ok(&t->cells))
        fputs("doveadm: Error: the answer is too long\n", stderr);
    else if (t->n)
        print[t->format](t, buf_slice(&t->cells));
    buf_release(&t->cells);
}
