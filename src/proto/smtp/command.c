/* command.c: the table of commands and the rules of their order. */
#include "proto/smtp/command.h"

/* clang-format off */
static const struct smtp_command commands[] = {
    {"MAIL", "MAIL FROM:<address>", NEEDS_HELO | NEEDS_AUTH | NO_MAIL | NOT_NESTED, cmd_mail},
    {"RCPT", "RCPT TO:<address>", NEEDS_MAIL, cmd_rcpt},
    {"DATA", "DATA", NEEDS_RCPT | NO_ARGUMENT | COMES_LAST, cmd_data},
    {"BDAT", "BDAT count [LAST]", IN_CHUNKS | CHECKS_ITSELF, cmd_bdat},
    {"EHLO", "EHLO hostname", BEFORE_TLS | NOT_LMTP | COMES_LAST, cmd_ehlo},
    {"HELO", "HELO hostname", NOT_LMTP | COMES_LAST, cmd_helo},
    {"LHLO", "LHLO hostname", BEFORE_TLS | LMTP_ONLY | COMES_LAST, cmd_ehlo},
    {"RSET", "RSET", IN_CHUNKS | NO_ARGUMENT | JUNK, cmd_rset},
    {"QUIT", "QUIT", BEFORE_TLS | IN_CHUNKS, cmd_quit},
    {"AUTH", "AUTH mechanism", NO_MAIL | NOT_LMTP | COMES_LAST, cmd_auth},
    {"STARTTLS", "STARTTLS", BEFORE_TLS | NO_MAIL | NO_ARGUMENT | COMES_LAST, cmd_starttls},
    {"NOOP", "NOOP", BEFORE_TLS | IN_CHUNKS | JUNK | COMES_LAST, cmd_noop},
    {"VRFY", "VRFY address", NEEDS_AUTH | JUNK | COMES_LAST, cmd_vrfy},
    {"EXPN", "EXPN list", JUNK | COMES_LAST, cmd_expn},
    {"ETRN", "ETRN domain", NEEDS_HELO | NEEDS_AUTH | NO_MAIL | JUNK | NOT_LMTP | COMES_LAST | BARE_CODES, cmd_etrn},
    {"HELP", "HELP", IN_CHUNKS | JUNK, cmd_help},
    /* Not SMTP's: a web browser or a script that was talked into sending here. */
    {"CONNECT", "", BEFORE_TLS, cmd_foreign},
    {"GET", "", BEFORE_TLS, cmd_foreign},
    {"POST", "", BEFORE_TLS, cmd_foreign},
};
/* clang-format on */

static const struct smtp_command *find(struct slice verb)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (slice_is_nocase(verb, commands[i].verb))
            return &commands[i];
    return NULL;
}

const char *smtp_broken_rule(const struct smtp_session *s, unsigned rules)
{
    /* RFC 3207 4: only what leads to TLS comes before it. */
    if (s->config->require_tls && !s->tls && !(rules & BEFORE_TLS))
        return "530 5.7.0 Must issue a STARTTLS command first";
    if (rules & NEEDS_HELO && !s->helo && (s->config->helo_required || smtp_is_lmtp(s)))
        return smtp_is_lmtp(s) ? "503 5.5.1 Error: send LHLO first"
                               : "503 5.5.1 Error: send HELO/EHLO first";
    /* RFC 6409 4.3 */
    if (rules & NEEDS_AUTH && s->config->service == SMTP_SERVICE_SUBMISSION && !s->authenticated)
        return "530 5.7.0 Authentication required";
    if (rules & NO_MAIL && s->tx)
        return rules & NOT_NESTED ? "503 5.5.1 Error: nested MAIL command"
                                  : "503 5.5.1 Error: MAIL transaction in progress";
    if (rules & NEEDS_MAIL && !s->tx)
        return "503 5.5.1 Error: need MAIL command";
    /* RFC 3030 2: a message begun with BDAT goes on with BDAT. */
    if (s->tx && s->tx->chunked && !(rules & IN_CHUNKS))
        return "503 5.5.1 Error: need BDAT or RSET command";
    if (rules & NEEDS_RCPT && (!s->tx || s->tx->n_rcpts == 0))
        return s->tx ? "554 5.5.1 Error: no valid recipients"
                     : "503 5.5.1 Error: need RCPT command";
    return NULL;
}

/* Not a command of this service at all? */
static bool unknown_here(const struct smtp_session *s, unsigned rules)
{
    return rules & (smtp_is_lmtp(s) ? NOT_LMTP : LMTP_ONLY);
}

static bool has_word(struct slice_list words, struct slice verb)
{
    for (size_t i = 0; i < words.n; i++)
        if (slice_eq_nocase(words.items[i], verb))
            return true;
    return false;
}

/* Served without a look at the table of commands. */
static bool run_configured(struct smtp_session *s, struct slice verb)
{
    const struct smtp_config *c = s->config;
    if (s->denied && !slice_is_nocase(verb, "QUIT")) {
        smtp_reply(s, "%s", smtp_denied(s));
    } else if (has_word(c->forbidden_commands, verb)) {
        cmd_foreign(s, SLICE_NONE);
    } else if (has_word(c->noop_commands, verb)) {
        s->junk++;
        smtp_reply(s, "250 2.0.0 Ok");
    } else {
        return false;
    }
    return true;
}

static void run_known(struct smtp_session *s, const struct smtp_command *c, struct slice args)
{
    unsigned rules = c->rules;
    if (rules & JUNK)
        s->junk++;
    const char *broken = rules & CHECKS_ITSELF ? NULL : smtp_broken_rule(s, rules);
    if (broken && rules & BARE_CODES)
        smtp_reply(s, "%.3s%s", broken, broken + sizeof "503 5.5.1" - 1);
    else if (broken)
        smtp_reply(s, "%s", broken);
    else if (rules & NO_ARGUMENT && args.len > 0)
        smtp_reply(s, "501 5.5.4 Syntax: %s", c->syntax);
    else
        c->run(s, args);
}

/* RFC 2920 3.1: who sends ahead where that is not allowed does not wait for our words. */
static void note_pipelining(struct smtp_session *s, const struct smtp_command *c)
{
    bool group_ends = (c && c->rules & COMES_LAST) || !s->esmtp;
    s->pipelined |= group_ends && s->input->len > 0;
}

/* "Subject:": somebody's message or a web browser's request, taken for commands. */
static bool is_field_name(struct slice word)
{
    size_t colon = slice_find(word, ':');
    for (size_t i = 0; i < colon && i < word.len; i++)
        if (word.data[i] <= ' ' || word.data[i] > '~')
            return false;
    return colon > 0 && colon != SIZE_MAX;
}

void smtp_run_command(struct smtp_session *s, struct slice line)
{
    size_t blank = slice_find(line, ' ');
    struct slice verb = slice_sub(line, 0, blank);
    struct slice args = slice_trim(slice_from(line, verb.len));
    if (verb.len == 0) {
        smtp_reply(s, "500 5.5.2 Error: bad syntax");
        return;
    }
    const struct smtp_command *c = find(verb);
    note_pipelining(s, c);
    if (run_configured(s, verb))
        return;
    if (!c && is_field_name(verb))
        cmd_foreign(s, SLICE_NONE);
    else if (!c || unknown_here(s, c->rules))
        smtp_reply(s, "500 5.5.2 Error: command not recognized");
    else
        run_known(s, c, args);
}
