/* capability.c: what a session that has logged in can do, and what ENABLE turns on (RFC 5161). */
#include "proto/imap/command.h"

void imap_put_capabilities(const struct imap *im, struct buf *out)
{
    const struct imap_config *config = im->config;
    buf_puts(out, "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE NAMESPACE CHILDREN UNSELECT "
                  "UIDPLUS MOVE CONDSTORE QRESYNC ESEARCH SEARCHRES PARTIAL WITHIN UIDONLY "
                  "SPECIAL-USE CREATE-SPECIAL-USE LIST-EXTENDED LIST-STATUS STATUS=SIZE "
                  "SORT SORT=DISPLAY ESORT THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS "
                  "I18NLEVEL=1 UTF8=ACCEPT BINARY OBJECTID SAVEDATE METADATA PREVIEW INPROGRESS "
                  "REPLACE CATENATE LIST-METADATA MULTISEARCH NOTIFY CONTEXT=SEARCH CONTEXT=SORT "
                  "SEARCH=FUZZY");
    if (!im->compressed)
        buf_puts(out, " COMPRESS=DEFLATE");
    /* RFC 7889 */
    buf_puts(out, " APPENDLIMIT");
    if (config->append_max)
        buf_printf(out, "=%llu", (unsigned long long)config->append_max);
    if (config->save_max)
        buf_printf(out, " SAVELIMIT=%u", config->save_max);
    if (config->quota)
        buf_puts(out, " QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE");
}

static enum imap_step run_capability(struct imap *im, struct imap_command *cmd)
{
    buf_puts(im->out, "* CAPABILITY ");
    imap_put_capabilities(im, im->out);
    buf_puts(im->out, "\r\n");
    return imap_completed(cmd);
}

static const struct {
    const char *name;
    unsigned feature, implies;
} features[] = {{"CONDSTORE", IMAP_CONDSTORE, 0},
                {"QRESYNC", IMAP_QRESYNC, IMAP_CONDSTORE},
                {"IMAP4rev2", IMAP_REV2, 0},
                {"UTF8=ACCEPT", IMAP_UTF8, 0},
                {"UIDONLY", IMAP_UIDONLY, 0}};
enum { FEATURES = sizeof features / sizeof *features };

/* RFC 5161 3.1: names that can't be enabled are ignored. */
static void parse_enable(struct imap_parser *p, struct imap_command *cmd)
{
    unsigned *wanted = ARENA_NEW(&cmd->arena, unsigned);
    cmd->data = wanted;
    do {
        imap_parse_space(p);
        struct slice name = imap_parse_atom(p);
        for (size_t i = 0; wanted && i < FEATURES; i++)
            if (slice_is_nocase(name, features[i].name))
                *wanted |= features[i].feature;
    } while (imap_parser_ok(p) && !cursor_at_end(&p->c));
}

static enum imap_step run_enable(struct imap *im, struct imap_command *cmd)
{
    unsigned wanted = *(const unsigned *)cmd->data;
    buf_puts(im->out, "* ENABLED");
    for (size_t i = 0; i < FEATURES; i++) {
        if (!(wanted & features[i].feature))
            continue;
        buf_puts(im->out, " ");
        buf_puts(im->out, features[i].name);
        im->enabled |= (uint16_t)(features[i].feature | features[i].implies);
    }
    buf_puts(im->out, "\r\n");
    return imap_completed(cmd);
}

const struct imap_command_spec imap_cmd_capability = {
    .name = "CAPABILITY", .states = STATE_ANY, .run = run_capability};
const struct imap_command_spec imap_cmd_enable = {
    .name = "ENABLE", .states = STATE_ANY, .parse = parse_enable, .run = run_enable};
