/* manual.c: postrider.conf(5) from the settings table, so that it can't differ from the program. */
#include "cli/cli.h"
#include "conf/table.h"

static void put_escaped(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\')
            buf_puts(out, "\\e");
        else if (*text == '-')
            buf_puts(out, "\\-");
        else
            buf_putc(out, *text);
    }
}

static const char *kind_text(enum conf_kind k)
{
    static const char *const texts[] = {
        [CONF_BOOL] = "yes or no", [CONF_NUMBER] = "number", [CONF_SECONDS] = "time",
        [CONF_TEXT] = "text",      [CONF_LIST] = "list",     [CONF_MAPS] = "tables",
    };
    return texts[k];
}

static void put_setting(struct buf *out, const struct conf_setting *s)
{
    buf_puts(out, ".TP\n.B ");
    put_escaped(out, s->name);
    buf_puts(out, " = ");
    put_escaped(out, s->fallback);
    buf_putc(out, '\n');
    put_escaped(out, s->text);
    buf_printf(out, "\n(%s", kind_text(s->kind));
    if (s->kind == CONF_NUMBER || s->kind == CONF_SECONDS) {
        buf_printf(out, ", from %lld", (long long)s->min);
        if (s->max != INT64_MAX)
            buf_printf(out, " to %lld", (long long)s->max);
    }
    buf_printf(out, "; a name of %s)\n",
               strcmp(s->origin, "postrider") == 0 ? "Postrider's own"
               : strcmp(s->origin, "postfix") == 0 ? "Postfix's"
               : strcmp(s->origin, "cyrus") == 0   ? "Cyrus SASL's"
                                                   : "Dovecot's");
}

void cli_manual(struct buf *out)
{
    buf_puts(
        out,
        ".TH POSTRIDER.CONF 5 \"\" \"Postrider\" \"File formats\"\n"
        ".SH NAME\npostrider.conf \\- configuration of the Postrider mail server\n"
        ".SH DESCRIPTION\n"
        "The file has the syntax of Postfix's main.cf: one\n.I name = value\na line; a line that "
        "begins with white space continues the one before; a line that begins with # is a "
        "comment.\n"
        ".BR $name ,\n.B ${name}\nand\n.B $(name)\nstand for the value of another parameter, "
        "$$ for the character itself. A name that is no parameter is an error, unless another "
        "value refers to it.\n.PP\n"
        "Lists are separated by commas or white space. Times are numbers with s, m, h, d or w; "
        "seconds without a unit.\n.PP\n"
        ".B postrider config check\nchecks the file;\n.B postrider config show\nprints every "
        "effective value and where it comes from.\n"
        ".SH PARAMETERS\nEach with its default.\n");
    for (size_t i = 0; i < CONF_SETTING_COUNT; i++)
        put_setting(out, &conf_table[i]);
    buf_puts(out, ".SH SEE ALSO\n.BR postrider (8)\n");
}
