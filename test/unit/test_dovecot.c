/* test_dovecot.c: dovecot.conf of all ages: its grammar, and what comes out as our settings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "conf/dovecot/dovecot.h"
#include "conf/fields.h"

/* Files of the test's own: a path and its text. */
struct file {
    const char *path, *text;
};

/* What came out, as lines "name = value @file:line" and "note file:line: text". */
struct outcome {
    const struct file *files;
    struct arena arena;
    struct conf_errors errors;
    struct buf said;
    enum result result;
};

static enum result read_one(void *arg, const char *path, struct buf *out, struct error *err)
{
    const struct outcome *o = arg;
    for (const struct file *f = o->files; f->path; f++)
        if (strcmp(f->path, path) == 0) {
            buf_puts(out, f->text);
            return OK;
        }
    return error_set(err, NOT_FOUND, "%s: there is none", path);
}

/* "*" at the end of a folder stands for all of its files. */
static enum result glob_some(void *arg, const char *pattern,
                             void (*each)(void *arg, const char *path), void *each_arg)
{
    const struct outcome *o = arg;
    size_t n = strcspn(pattern, "*");
    for (const struct file *f = o->files; f->path; f++)
        if (pattern[n] ? strncmp(f->path, pattern, n) == 0 : strcmp(f->path, pattern) == 0)
            each(each_arg, f->path);
    return OK;
}

static void set(void *arg, const char *name, struct slice value, const char *file, unsigned line)
{
    struct outcome *o = arg;
    buf_printf(&o->said, "%s = %.*s @%s:%u\n", name, SLICE_ARG(value), file, line);
}

static void note(void *arg, const char *file, unsigned line, const char *text)
{
    struct outcome *o = arg;
    buf_printf(&o->said, "note %s:%u: %s\n", file, line, text);
}

static void begin(struct outcome *o, const struct file *files)
{
    const struct dovecot_source source = {read_one, glob_some, o};
    const struct dovecot_sink sink = {set, note, o};
    *o = (struct outcome){.files = files};
    arena_init(&o->arena, DOVECOT_ARENA_MAX);
    conf_errors_init(&o->errors);
    buf_init(&o->said, 1 << 20);
    o->result = dovecot_read(&source, files[0].path, &o->arena, &sink, &o->errors);
}

static void end(struct outcome *o)
{
    arena_release(&o->arena);
    conf_errors_release(&o->errors);
    buf_release(&o->said);
}

static void assert_says(const struct buf *in, const char *what)
{
    if (slice_search(buf_slice(in), slice_cstr(what)) == SIZE_MAX)
        fail_msg("expected `%s` in:\n%.*s", what, SLICE_ARG(buf_slice(in)));
}

/* The text read as a file of its own: every line of `expect` is said; no errors. */
static void gives(const char *text, const char *const *expect)
{
    struct outcome o;
    begin(&o, (const struct file[]){{"/d.conf", text}, {NULL, NULL}});
    if (o.result != OK)
        fail_msg("%.*s", SLICE_ARG(buf_slice(&o.errors.text)));
    for (; *expect; expect++)
        assert_says(&o.said, *expect);
    end(&o);
}
#define GIVES(text, ...) gives(text, (const char *const[]){__VA_ARGS__, NULL})

static void refuses(const char *text, const char *expect)
{
    struct outcome o;
    begin(&o, (const struct file[]){{"/d.conf", text}, {NULL, NULL}});
    assert_int_not_equal(o.result, OK);
    assert_says(&o.errors.text, expect);
    end(&o);
}

static void flat_file_of_the_first_dovecot(void **state)
{
    (void)state;
    GIVES("protocols = pop3 imap\n",
          "listen = pop3://:110, pop3s://:995, imap://:143, imaps://:993 @/d.conf:1\n",
          "passdb = {driver=pam, service=dovecot}", "userdb = {driver=passwd}");
    GIVES("auth_passdb = passwd-file /etc/users\nauth_userdb = passwd\nimap_listen = 127.0.0.1\n"
          "protocols = imap\nssl_cert_file = /c.pem\nssl_key_file = /k.pem\n",
          "passdb = {driver=passwd-file, path=/etc/users} @/d.conf:1",
          "listen = imap://127.0.0.1:143, imaps://:993", "ssl_cert = /c.pem @/d.conf:5",
          "ssl_key = /k.pem");
    GIVES("auth default {\n mechanisms = plain login\n passdb pam {\n  args = *\n }\n"
          " userdb passwd {\n }\n}\nprotocols = imaps\nssl_disable = yes\n",
          "auth_mechanisms = plain login @/d.conf:2", "passdb = {driver=pam, service=*}",
          "listen = imap://:143 @", "ssl = no", "note /d.conf:10: ssl_disable is of Dovecot 1");
}

static void listeners(void **state)
{
    (void)state;
    GIVES("protocols = imap\nlisten = 192.0.2.1, ::1\nservice imap-login {\n inet_listener imap {\n"
          "  port = 0\n }\n inet_listener other {\n  port = 1993\n  address = 10.0.0.1\n"
          "  ssl = yes\n }\n}\n",
          "listen = imaps://192.0.2.1:993, imaps://[::1]:993, imaps://10.0.0.1:1993 @/d.conf:1");
    GIVES("protocols = lmtp\nservice lmtp {\n unix_listener lmtp {\n  mode = 0\n }\n"
          " unix_listener /var/spool/postfix/private/dovecot-lmtp {\n  mode = 0600\n }\n"
          " inet_listener lmtp {\n  port = 24\n }\n}\n",
          "listen = lmtp:/var/spool/postfix/private/dovecot-lmtp, lmtp://:24");
    GIVES("protocols = pop3 submission\nssl = no\nlisten = *\n",
          "listen = pop3://0.0.0.0:110, submission://0.0.0.0:587", "ssl = no");
    GIVES("protocols {\n imap = yes\n pop3 = no\n}\n", "listen = imap://:143, imaps://:993 @");
    GIVES("# nothing is set: what Dovecot is built with\n", "listen = imap://:143, imaps://:993, "
                                                            "pop3://:110, pop3s://:995");
    GIVES("protocols = imap sieve\n", "note /d.conf:1: protocol sieve is not served");
    refuses(
        "protocols = imap\nservice imap-login {\n inet_listener imap {\n  haproxy = yes\n }\n}\n",
        "/d.conf:4: haproxy");
    refuses("protocols = imap\nservice imap-login {\n inet_listener imap {\n  port = x\n }\n}\n",
            "/d.conf:4: port");
}

static void plaintext_and_tls(void **state)
{
    (void)state;
    GIVES("disable_plaintext_auth = no\n", "disable_plaintext_auth = no @/d.conf:1");
    GIVES("auth_allow_cleartext = yes\n", "disable_plaintext_auth = no");
    GIVES("auth_allow_cleartext = no\n", "disable_plaintext_auth = yes");
    GIVES("ssl = required\n", "disable_plaintext_auth = yes", "ssl = required");
    GIVES("ssl_cert = </etc/c.pem\nssl_key = </etc/k.pem\n", "ssl_cert = /etc/c.pem",
          "ssl_key = /etc/k.pem");
    GIVES("ssl_server_cert_file = /etc/c.pem\n", "ssl_cert = /etc/c.pem");
    GIVES("ssl_min_protocol = TLSv1.3\n", "ssl_min_protocol = TLSv1.3");
    GIVES("auth_failure_delay = 3 secs\n", "auth_failure_delay = 3s");
    GIVES("auth_ssl_require_client_cert = yes\n", "auth_ssl_require_client_cert = yes");
    GIVES("ssl_server_request_client_cert = yes\nssl_server_ca_file = /ca.pem\n",
          "ssl_verify_client_cert = yes", "ssl_ca = /ca.pem");
    GIVES("ssl_server_prefer_ciphers = server\nssl_options = no_ticket\n",
          "ssl_prefer_server_ciphers = yes", "ssl_options = no_ticket");
    refuses("ssl_options = compression\n", "/d.conf:1: ssl_options: compression");
    refuses("ssl_server_prefer_ciphers = both\n", "neither client nor server");
    refuses("remote 10.0.0.0/8 {\n ssl = required\n}\n", "/d.conf:2: ssl for some clients alone");
    refuses("disable_plaintext_auth = perhaps\n", "neither yes nor no");
    refuses("dissable_plaintext_auth = yes\n", "did you mean `disable_plaintext_auth`?");
}

static void certificates_for_names(void **state)
{
    (void)state;
    GIVES(
        "ssl_cert = </a.pem\nssl_key = </a.key\nlocal_name b.test {\n ssl_cert = </b.pem\n"
        " ssl_key = </b.key\n}\nlocal 192.0.2.1 {\n ssl_server_cert_file = /c.pem\n"
        " ssl_server_key_file = /c.key\n local_name \"d.test e.test\" {\n  ssl_cert = </d.pem\n"
        "  ssl_key = </d.key\n }\n}\n",
        "tls_certificates = {for=login, name=b.test, cert=/b.pem, key=/b.key}, "
        "{for=login, address=192.0.2.1, cert=/c.pem, key=/c.key}, "
        "{for=login, name={d.test e.test}, address=192.0.2.1, cert=/d.pem, key=/d.key} @/d.conf:3");
    refuses("local_name b.test {\n ssl_cert = </b.pem\n}\n", "/d.conf:1: local_name b.test needs");
    refuses("local_name b.test {\n ssl = no\n}\n", "/d.conf:2: ssl within `local_name b.test`");
    refuses("local 192.0.2.1 {\n protocol imap {\n }\n}\n", "/d.conf:2: protocol within");
    refuses("local_name b.test {\n ssl_cert = MIIB\n}\n", "write the path of the PEM file");
}

static void databases(void **state)
{
    (void)state;
    GIVES(
        "passdb {\n driver = passwd-file\n deny = yes\n args = scheme=CRYPT "
        "username_format=%n /etc/deny\n}\npassdb {\n driver = sql\n args = /etc/sql.conf\n}\n"
        "passdb {\n driver = pam\n args = session=yes cache_key=%u%s %s\n}\n"
        "userdb {\n driver = prefetch\n}\nuserdb {\n driver = static\n"
        " args = uid=vmail home=/v/%d/%n allow_all_users=yes\n}\n",
        "passdb = {driver=passwd-file, deny=yes, scheme=CRYPT, username_format=%n, "
        "path=/etc/deny}, {driver=sql, config=/etc/sql.conf}, {driver=pam, service=%s} @/d.conf:1",
        "userdb = {driver=prefetch}, {driver=static, fields={uid=vmail home=/v/%d/%n "
        "allow_all_users=yes}}");
    GIVES("sql_driver = mysql\nmysql db.example {\n user = u\n password = s p\n dbname = d\n}\n"
          "passdb sql {\n query = SELECT password FROM t WHERE u = '%{user}'\n}\n",
          "passdb = {driver=sql, sql=mysql, connect={host=db.example user=u password=s p dbname=d},"
          " query={SELECT password FROM t WHERE u = '%{user}'}}");
    GIVES("passdb static {\n fields {\n  nopassword = yes\n }\n}\n",
          "passdb = {driver=static, fields={nopassword=yes}}");
    GIVES("passdb {\n driver = checkpassword\n args = /x\n}\n",
          "note /d.conf:1: passdb driver `checkpassword` is not served", "passdb =  @");
    GIVES("passdb {\n driver = passwd-file\n master = yes\n args = /m\n}\npassdb {\n driver = "
          "shadow\n}\n",
          "passdb = {driver=shadow}", "note /d.conf:3: a passdb of master users");
    refuses("passdb {\n driver = checkpassword\n deny = yes\n}\n", "a passdb that denies");
    refuses("passdb {\n driver = pam\n username_filter = *@a\n}\n", "is not served: every passdb");
    refuses("passdb {\n driver = passwd-file\n args = /etc/%d/passwd\n}\n", "with a % in its path");
    refuses("passdb {\n args = x\n}\n", "`driver` is missing");
}

/* Who may use which socket; and those that other programs ask about passwords at. */
static void sockets(void **state)
{
    (void)state;
    GIVES("protocols = lmtp\nservice lmtp {\n unix_listener /private/dovecot-lmtp {\n"
          "  mode = 0660\n  user = postfix\n  group = postfix\n }\n unix_listener lmtp {\n }\n}\n",
          "socket_access = {path=/private/dovecot-lmtp, mode=0660, user=postfix, group=postfix}, "
          "{path=/run/dovecot/lmtp, mode=0666} @/d.conf:3");
    GIVES("service auth {\n unix_listener auth-userdb {\n  mode = 0666\n }\n"
          " unix_listener /var/spool/postfix/private/auth {\n  mode = 0660\n }\n"
          " inet_listener {\n  port = 12345\n  address = ::1\n }\n user = root\n}\n",
          "listen_if_free = dovecot-auth:/var/spool/postfix/private/auth, "
          "dovecot-auth://[::1]:12345 @/d.conf:5",
          "socket_access = {path=/var/spool/postfix/private/auth, mode=0660} @/d.conf:5",
          "note /d.conf:12: user is not served");
    GIVES("auth default {\n socket listen {\n  client {\n   path = /private/auth\n"
          "   mode = 0660\n  }\n  master {\n   path = /run/dovecot/auth-master\n  }\n }\n}\n",
          "listen_if_free = dovecot-auth:/private/auth @/d.conf:3");
    refuses("service auth {\n inet_listener {\n  port = many\n }\n}\n", "is no port");
}

static void mailboxes_and_quota(void **state)
{
    (void)state;
    GIVES("namespace inbox {\n inbox = yes\n prefix = INBOX.\n separator = .\n}\n"
          "namespace inbox {\n mailbox Sent {\n  special_use = \\Sent\n  auto = create\n }\n"
          " mailbox \"Sent Messages\" {\n  special_use = \\Sent\n }\n}\n",
          "namespace = {prefix=INBOX., separator=., inbox=yes, hidden=no} @/d.conf:1",
          "mailbox = {name=Sent, auto=create, special_use=\\Sent}, {name={Sent Messages}, auto=no, "
          "special_use=\\Sent}");
    GIVES("mail_location = maildir:~/Maildir\nnamespace {\n inbox = yes\n}\n",
          "separator=., inbox=yes", "mail_location = maildir:~/Maildir", "mailbox =  @");
    GIVES("namespace x {\n type = shared\n}\n", "note /d.conf:1: a shared namespace");
    GIVES("mail_plugins = $mail_plugins quota\nplugin {\n quota = maildir:Our quota\n"
          " quota_rule = *:storage=1G\n quota_rule2 = Trash:storage=+10%%\n quota_grace = 5%%\n"
          " quota_warning = storage=95%% quota-warning 95 %u\n quota_max_mail_size = 10M\n}\n"
          "protocol imap {\n mail_plugins = $mail_plugins imap_quota\n}\n",
          "quota_rule = {*:storage=1G}, {Trash:storage=+10%%} @/d.conf:4",
          "quota_root = Our quota @/d.conf:3", "quota_grace = 5%%",
          "quota_max_mail_size = 10485760", "imap_quota = yes",
          "note /d.conf:7: quota_warning is not served: no program");
    GIVES("plugin {\n quota_rule = *:storage=1G\n}\n", "without the quota plugin");
    GIVES("mail_plugins = quota\nplugin {\n quota_rule = *:storage=1G\n}\n",
          "no effect without `quota = count:User quota`");
    refuses("mail_plugins = quota\nplugin {\n quota = count:x\n quota_rule = *:storage=lots\n}\n",
            "/d.conf:4: `lots` is no size");
    GIVES("quota user {\n storage_size = 10M\n message_count = 5\n}\nquota_full_tempfail = yes\n"
          "namespace inbox {\n mailbox Trash {\n  quota_storage_percentage = 110\n }\n"
          " mailbox Junk {\n  quota_ignore = yes\n }\n}\n",
          "quota_rule = {*:bytes=10M:messages=5}, {Trash:bytes=+10%}, {Junk:ignore}",
          "quota_full_tempfail = yes");
}

static void grammar(void **state)
{
    (void)state;
    GIVES("login_greeting = \"a \\\"b\\\" # c\"   # comment\n", "login_greeting = a \"b\" # c @");
    GIVES("auth_mechanisms = plain \\\n  login\nlogin_greeting = x#y\n",
          "auth_mechanisms = plain login @/d.conf:1", "login_greeting = x#y @/d.conf:3");
    GIVES("protocols = imap\nprotocols = $protocols pop3\n", "pop3://:110");
    GIVES("login_greeting = $1$ab$cd\n", "login_greeting = $1$ab$cd");
    refuses("protocol imap {\n", "/d.conf:1: `protocol {` is not closed");
    refuses("}\n", "a } without its {");
    refuses("service x { port = 0 }\n", "nothing may follow a {");
    refuses("just words\n", "neither `name = value` nor `name {`");
    refuses("!include missing.conf\n", "/missing.conf: there is no such file");
    refuses("a {\nb {\nc {\nd {\ne {\nf {\ng {\nh {\ni {\nj {\nk {\nl {\nm {\nn {\no {\np {\nq {\n",
            "nested more than");
}

static void includes(void **state)
{
    (void)state;
    struct outcome o;
    const struct file files[] = {
        {"/etc/d/dovecot.conf", "!include conf.d/*\n!include_try no/such/*\n"},
        {"/etc/d/conf.d/10", "login_greeting = one\n!include 20x\n"},
        {"/etc/d/conf.d/20", "login_greeting = two\n"},
        {"/etc/d/conf.d/20x", "auth_default_realm = a.test\n"},
        {NULL, NULL}};
    begin(&o, files);
    assert_int_equal(o.result, OK);
    assert_says(&o.said, "login_greeting = two @/etc/d/conf.d/20:1\n");
    assert_says(&o.said, "auth_default_realm = a.test @/etc/d/conf.d/20x:1\n");
    assert_true(slice_search(buf_slice(&o.said), SLICE("= one")) == SIZE_MAX);
    end(&o);
    begin(&o, (const struct file[]){{"/loop", "!include loop\n"}, {NULL, NULL}});
    assert_int_not_equal(o.result, OK);
    assert_says(&o.errors.text, "files include one another more than");
    end(&o);
}

static void items_of_fields(void **state)
{
    (void)state;
    struct slice item = SLICE("{driver=sql, query={SELECT a, b FROM t WHERE {x}}, deny}"), k, v;
    struct error why = {""};
    assert_true(slice_is(conf_field(item, "driver"), "sql"));
    assert_true(slice_is(conf_field(item, "query"), "SELECT a, b FROM t WHERE {x}"));
    assert_true(slice_is(conf_field(item, "deny"), "yes"));
    assert_null(conf_field(item, "missing").data);
    assert_int_equal(
        conf_fields_check(item, (const char *const[]){"driver", "query", "deny", NULL}, &why), OK);
    assert_int_equal(conf_fields_check(item, (const char *const[]){"driver", NULL}, &why), INVALID);
    assert_int_equal(conf_fields_check(SLICE("pam"), (const char *const[]){NULL}, &why), INVALID);
    struct slice none = SLICE("{}");
    assert_false(conf_field_next(&none, &k, &v));
    struct buf b;
    buf_init(&b, 100);
    assert_int_equal(conf_field_put(&b, "a", SLICE("")), OK);
    assert_int_equal(conf_field_put(&b, "b", SLICE("x y")), OK);
    assert_int_equal(conf_field_put(&b, "c", SLICE("x}")), INVALID);
    assert_int_equal(conf_field_put(&b, "c", SLICE("x\ny")), INVALID);
    assert_true(slice_is(buf_slice(&b), "a={}, b={x y}"));
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flat_file_of_the_first_dovecot),
        cmocka_unit_test(listeners),
        cmocka_unit_test(plaintext_and_tls),
        cmocka_unit_test(certificates_for_names),
        cmocka_unit_test(databases),
        cmocka_unit_test(sockets),
        cmocka_unit_test(mailboxes_and_quota),
        cmocka_unit_test(grammar),
        cmocka_unit_test(includes),
        cmocka_unit_test(items_of_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
