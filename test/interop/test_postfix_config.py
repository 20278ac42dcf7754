"""The configuration of Postfix: Debian's own postconf as the oracle for defaults, values and services; the tutorial's
files; a server on an unchanged /etc/postfix."""
import json
import os
import pathlib
import re
import smtplib
import subprocess
import sys

import pytest

from harness import PROGRAM, Server, free_port

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import peers  # noqa: E402

MASTER_CF = """\
smtp      inet  n       -       y       -       -       smtpd
submission inet n       -       y       -       -       smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
submissions     inet  n -       y       -       -       smtpd
  -o { smtpd_banner = $myhostname two words }
  -o smtpd_tls_wrappermode=yes
pickup    unix  n       -       y       60      1       pickup
cleanup   unix  n       -       y       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
relay     unix  -       -       y       -       -       smtp
        -o smtp_helo_timeout=5
smtp      unix  -       -       y       -       -       smtp
maildrop  unix  -       n       n       -       -       pipe
  flags=DRXhu user=vmail argv=/usr/bin/maildrop -d ${recipient}
"""
CONFIGURATIONS = {
    "debian": """\
smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)
biff = no
append_dot_mydomain = no
readme_directory = no
compatibility_level = 3.6
smtpd_tls_security_level=may
smtp_tls_security_level=may
smtp_tls_session_cache_database = btree:${data_directory}/smtp_scache
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
myhostname = mx.example.org
alias_maps = hash:/etc/aliases
alias_database = hash:/etc/aliases
mydestination = $myhostname, example.org, localhost.example.org, , localhost
relayhost =
mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128
mailbox_size_limit = 0
recipient_delimiter = +
inet_interfaces = all
inet_protocols = all
""",
    "isp": """\
compatibility_level = 2
myhostname = mail.isp.example
mydomain = isp.example
myorigin = $mydomain
smtpd_recipient_restrictions =
    # who may
    permit_mynetworks,
    permit_sasl_authenticated,

    reject_unauth_destination,
    reject_rbl_client zen.example.net
smtpd_restriction_classes = strict, lax
strict = reject_unknown_sender_domain, ${extra?{$extra,}} reject
lax = permit
extra = reject_non_fqdn_sender
message_size_limit = ${big?{52428800}:{20480000}}
maximal_queue_lifetime = 3
bounce_queue_lifetime = 12h
smtpd_client_connection_count_limit = 10
message_size_limit = 30000000
""",
    "old": """\
myhostname = old.example.net
mynetworks_style = host
inet_protocols = ipv4
smtpd_use_tls = yes
smtpd_tls_cert_file = /etc/ssl/$myhostname.pem
smtpd_recipient_restrictions = permit_mynetworks permit_sasl_authenticated permit_auth_destination reject
smtpd_helo_required = yes
local_part = $(mydomain) ${mydomain} $mydomain
smtpd_banner = $local_part ${undefined_one:none} ${{$smtpd_use_tls} == {yes} ? {tls} : {clear}}
""",
}
TUTORIAL = """\
mydestination = $myhostname, localhost.$mydomain, $mydomain
smtpd_sasl_auth_enable = yes
smtpd_delay_reject = yes
smtpd_recipient_restrictions = permit_mynetworks permit_sasl_authenticated permit_auth_destination reject
smtpd_client_restrictions = permit_mynetworks, permit_sasl_authenticated
broken_sasl_auth_clients = yes
smtpd_sasl_security_options = noanonymous
"""


def write(folder, main_cf, master_cf=MASTER_CF):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.cf").write_text(main_cf)
    (folder / "master.cf").write_text(master_cf)
    return folder


def postrider(*words):
    return subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, check=False, timeout=60)


def show(*words):
    done = postrider(*words)
    assert done.returncode == 0, done.stderr
    return {row["name"]: row for row in json.loads(done.stdout)}


@pytest.fixture(scope="module")
def oracle():
    """Debian's postconf, run from the folder that it was unpacked into."""
    try:
        root = peers.unpacked("postfix") / "root"
    except peers.Unavailable as why:
        pytest.skip(str(why))
    libraries = f"{root}/usr/lib/postfix:{root}/usr/lib/x86_64-linux-gnu:{root}/lib/x86_64-linux-gnu"

    def run(*words):
        done = subprocess.run([str(root / "usr/sbin/postconf"), *map(str, words)], capture_output=True, text=True,
                              check=False, env={**os.environ, "LD_LIBRARY_PATH": libraries}, timeout=60)
        if done.returncode and "error while loading" in done.stderr:
            pytest.skip(done.stderr.strip())
        return done
    return run


# ---- the oracle ----

# What differs with the build or the moment.
MOVING = {"alias_maps", "process_id", "process_name", "config_directory"}
TRANSPORTS = re.compile(r"^(bsmtp|error|ifmail|lmtp|local|maildrop|mailman|relay|retry|scalemail-backend|smtp|uucp|virtual)_")


def test_defaults_are_postfixs(tmp_path, oracle):
    folder = write(tmp_path / "postfix", "")
    theirs = dict(line.split(" =", 1) for line in oracle("-c", folder, "-d").stdout.splitlines())
    ours = dict(line.split(" =", 1) for line in postrider("postconf", "-c", folder, "-d").stdout.splitlines())
    missing = [name for name in theirs if name not in ours and not TRANSPORTS.match(name)]
    assert not missing
    differ = {name: (ours[name], value) for name, value in theirs.items()
              if name in ours and name not in MOVING and ours[name] != value}
    assert not differ
    assert len(theirs) > 800


def test_defaults_of_a_transport_are_found(tmp_path, oracle):
    folder = write(tmp_path / "postfix", "")
    names = ["maildrop_destination_recipient_limit", "maildrop_time_limit", "relay_destination_concurrency_limit"]
    assert postrider("postconf", "-c", folder, *names).stdout == oracle("-c", folder, *names).stdout


@pytest.mark.parametrize("name", CONFIGURATIONS)
@pytest.mark.parametrize("options", (["-n"], ["-nx"], ["-h", "mynetworks", "myhostname", "mydestination"], ["-M"],
                                     ["-M", "submission/inet"], ["-x", "smtpd_banner", "strict", "lax", "mynetworks"]))
def test_postconf_prints_what_postfixs_does(tmp_path, oracle, name, options):
    folder = write(tmp_path / "postfix", CONFIGURATIONS[name])
    theirs, ours = oracle("-c", folder, *options), postrider("postconf", "-c", folder, *options)
    assert ours.stdout == theirs.stdout
    assert ours.returncode == theirs.returncode


EDITS = (["-e", "biff = yes"], ["biff=no", "new_one_here = $myhostname x", "relayhost ="], ["-e", "message_size_limit = 5"], ["-#", "biff"],
         ["-#", "smtpd_recipient_restrictions", "mydomain"], ["-X", "smtpd_recipient_restrictions", "inet_protocols"])


@pytest.mark.parametrize("name", CONFIGURATIONS)
@pytest.mark.parametrize("words", EDITS)
def test_postconf_edits_as_postfixs_does(tmp_path, oracle, name, words):
    theirs, ours = (write(tmp_path / which, CONFIGURATIONS[name]) for which in ("theirs", "ours"))
    (ours / "main.cf").chmod(0o640)
    done = oracle("-c", theirs, *words), postrider("postconf", "-c", ours, *words)
    assert done[0].returncode == done[1].returncode == 0, done
    text = [folder.joinpath("main.cf").read_text().splitlines() for folder in (theirs, ours)]
    # Of a parameter that is set twice Postfix writes the new line twice; new ones come in any order.
    assert sorted(set(text[1])) == sorted(set(text[0]))
    assert (ours / "main.cf").stat().st_mode & 0o777 == 0o640 and [f.name for f in sorted(ours.iterdir())] == ["main.cf", "master.cf"]


SERVICE_EDITS = (
    ["-M", "new/inet=new inet n - n - - smtpd"], ["-M", "new/inet=new inet n - n - - smtpd -v -o a=b -o { c = d e } -x flags=X argv=/bin/x {a b}"],
    ["-Me", "submission/inet = submission inet n - n - - smtpd"], ["-MX", "submission/inet"], ["-M#", "relay/unix", "maildrop/unix"],
    ["-M", "new/unix=new unix - n n - - pipe flags=DRhu user=vmail argv=/usr/bin/deliver -f ${sender} -a one -b two -c three -d ${recipient}"],
    ["-MX", "no/inet"], ["-MX", "submission"], ["-M", "new/inet=new inet n"], ["-M", "a=b"], ["-MX", "a/b=c"], ["-M", "-X"],
    ["-P", "submission/inet/syslog_name=foo"], ["-P", "*/inet/foo=bar", "relay/unix/smtp_helo_timeout = 7"], ["-P", "maildrop/unix/foo=bar"],
    ["-P", "relay/unix/foo=a b"], ["-P", "no/inet/foo=bar"], ["-PX", "submission/inet/syslog_name", "smtp/inet/nothing"], ["-P#", "smtp/inet/x"],
    ["-P", "submission/inet/smtpd_recipient_restrictions="], ["-PX", "submission/inet"],
    ["-F", "smtp/inet/chroot=y"], ["-F", "*/*/chroot = n", "smtp/inet/process_limit=7"], ["-F", "relay/unix/command=lmtp -v -o a=b"],
    ["-F", "relay/unix/wakeup=1 2"], ["-FX", "smtp/inet/chroot"], ["-F", "smtp/inet/nothing=1"], ["-F", "smtp/inet=1"],
)


@pytest.mark.parametrize("words", SERVICE_EDITS)
def test_postconf_edits_services_as_postfixs_does(tmp_path, oracle, words):
    theirs, ours = (write(tmp_path / which, CONFIGURATIONS["debian"]) for which in ("theirs", "ours"))
    (ours / "master.cf").chmod(0o640)
    done = oracle("-c", theirs, *words), postrider("postconf", "-c", ours, *words)
    assert done[0].returncode == done[1].returncode and bool(done[0].returncode) == ("fatal" in done[1].stderr), done
    assert (ours / "master.cf").read_text() == (theirs / "master.cf").read_text()
    assert (ours / "master.cf").stat().st_mode & 0o777 == 0o640 and [f.name for f in sorted(ours.iterdir())] == ["main.cf", "master.cf"]
    assert ("no service in master.cf fits" in done[1].stderr) == any(w.startswith("no/") for w in words)


def test_postconf_keeps_the_comments_of_a_service(tmp_path):
    text = ("# first\nsmtp inet n - n - - smtpd\n  -o a=b\n# between\n  -o c={x}\n\n# behind\nbroken line\n  # more\nrelay unix - - n - - smtp")
    folder = write(tmp_path / "postfix", "", text)

    def edited(*words):
        done = postrider("postconf", "-c", folder, *words)
        assert done.returncode == 0, done.stderr
        return (folder / "master.cf").read_text()

    rest = "# between\n\n# behind\nbroken line\n  # more\nrelay unix - - n - - smtp\n"
    assert edited("-P", "smtp/inet/a=d") == "# first\nsmtp       inet  n       -       n       -       -       smtpd\n    -o a=d\n    -o c={x}\n" + rest
    assert edited("-M#", "broken/line") == edited("-MX", "no/thing") and "\n#broken line\n" in (folder / "master.cf").read_text()
    assert postrider("postconf", "-c", tmp_path / "nowhere", "-MX", "smtp/inet").returncode == 1
    assert postrider("postconf", "-c", folder, "-F", "relay/unix/private=").returncode == 1  # Postfix leaves a hole


def test_postconf_edits_nothing_else(tmp_path):
    folder = write(tmp_path / "postfix", CONFIGURATIONS["debian"])
    for words in (["-e", "biff"], ["-#", "biff=yes"], ["-e", "two words = x"], ["-e", "biff = a\nb = c"]):
        assert postrider("postconf", "-c", folder, *words).returncode == 1
    assert (folder / "main.cf").read_text() == CONFIGURATIONS["debian"]
    assert postrider("postconf", "-c", tmp_path / "nowhere", "-e", "biff = yes").returncode == 1


@pytest.mark.parametrize("options", (["-P"], ["-P", "submission/inet"], ["-P", "*/*/smtpd_banner"], ["-hP", "relay/unix/smtp_helo_timeout"], ["-a"], ["-A"], ["-l"],
                                     ["-F"], ["-F", "smtp"], ["-F", "*/unix/chroot", "smtp/inet/command"], ["-Fh", "relay/unix"], ["-Mf"], ["-Mf", "maildrop"],
                                     ["-M", "nothing", "submission"], ["-P", "nothing/inet/x"]))
def test_postconf_of_services(tmp_path, oracle, options):
    folder = write(tmp_path / "postfix", CONFIGURATIONS["debian"])
    assert postrider("postconf", "-c", folder, *options).stdout == oracle("-c", folder, *options).stdout


def test_postconf_lists_types(oracle):
    ours = set(postrider("postconf", "-m").stdout.split())
    assert {"hash", "cidr", "inline", "static", "texthash", "pcre", "regexp", "unionmap"} <= ours
    assert set(oracle("-m").stdout.split()) - ours <= {"internal", "nis", "randmap", "memcache", "socketmap", "tcp", "proxy", "sdbm"}


# ---- layers ----

# A class that one service has for itself, and values with every character that means something.
PER_SERVICE = """\
myhostname = mx.per.example
smtpd_restriction_classes = strict, lax
strict = reject_non_fqdn_sender, reject
lax = permit
smtpd_recipient_restrictions = permit_mynetworks, check_sender_access inline:{{a@x.test = strict}, {b@x.test = lax}}, reject
smtpd_banner = $myhostname a{b} $$5 #6 "x" \\y
forward_path = $home/.forward
luser_relay = $user@other.example
"""
PER_SERVICE_MASTER = MASTER_CF.replace("  -o smtpd_sasl_auth_enable=yes\n", "  -o smtpd_sasl_auth_enable=yes\n  -o strict=permit_sasl_authenticated,reject\n"
                                       "  -o { smtpd_restriction_classes = strict, lax, third }\n  -o third=defer\n")
DOVECOT_CONF = """\
protocols = pop3 imap lmtp
mail_plugins = quota
passdb {
  driver = sql
  args = /etc/dovecot/sql.conf
}
userdb {
  driver = static
  args = uid=vmail home=/srv/%d/%n allow_all_users=yes
}
service lmtp {
  unix_listener /var/spool/postfix/private/dovecot-lmtp {
    mode = 0600
    user = postfix
  }
}
namespace inbox {
  inbox = yes
  separator = .
  prefix = INBOX.
  mailbox "Deleted Items" {
    auto = subscribe
    special_use = \\Trash
  }
}
plugin {
  quota = count:User quota
  quota_rule = *:storage=1G
  quota_rule2 = Deleted Items:storage=+10%%
}
"""
WHOLE = {
    **{name: (text, MASTER_CF, None) for name, text in CONFIGURATIONS.items()},
    "tutorial": (TUTORIAL + "myhostname = master.planetnet.net\n", MASTER_CF, "protocols = pop3 imap\n"),
    "services": (PER_SERVICE, PER_SERVICE_MASTER, DOVECOT_CONF),
}


@pytest.mark.parametrize("name", WHOLE)
def test_import_is_equivalent(tmp_path, name):
    main_cf, master_cf, dovecot_conf = WHOLE[name]
    folder = write(tmp_path / "postfix", main_cf, master_cf)
    (tmp_path / "smtpd.conf").write_text("pwcheck_method: saslauthd\nmech_list: plain login\n")
    (tmp_path / "dovecot.conf").write_text(dovecot_conf or "")
    files = ["--postfix", folder] + (["--dovecot", tmp_path / "dovecot.conf", "--sasl", tmp_path / "smtpd.conf"] if dovecot_conf else [])
    before = show("config", "show", "--json", *files)
    printed = postrider("config", "import", *files)
    assert printed.returncode == 0, printed.stderr
    (tmp_path / "own.conf").write_text(printed.stdout)
    after = show("-c", tmp_path / "own.conf", "config", "show", "--json")
    names = {key for key in before.keys() | after.keys() if not key.split("/")[-1].endswith("_config")}
    # What one service has as all have it may be told or not.
    values = [{key: rows[key]["value"] if key in rows else rows[key.split("/")[-1]]["value"] for key in names} for rows in (before, after)]
    assert {key: (values[0][key], values[1][key]) for key in names if values[0][key] != values[1][key]} == {}
    assert f"# {folder}/main.cf:" in printed.stdout
    again = postrider("-c", tmp_path / "own.conf", "config", "import")
    classes = [[line for line in text.splitlines() if re.match(r"(\S+/)?(strict|lax|third) = ", line)] for text in (printed.stdout, again.stdout)]
    assert classes[0] == classes[1]
    if name == "services":
        assert "submission/strict = permit_sasl_authenticated,reject" in classes[0] and "submission/third = defer" in classes[0]


@pytest.mark.parametrize("command,kept,said", [
    ("/usr/lib/dovecot/dovecot-lda -f \"$SENDER\" -a \"$RECIPIENT\"", "", "Dovecot's program is not run"),
    ("/usr/libexec/dovecot/deliver", "", "Dovecot's program is not run"),
    ("procmail -a \"$EXTENSION\"", "procmail -a \"$EXTENSION\"", "POP3 and IMAP do not show"), ("", "", None)])
def test_mailbox_command_of_main_cf(tmp_path, command, kept, said):
    folder = write(tmp_path / "postfix", f"compatibility_level = 3.6\nmailbox_command = {command}\n")
    rows = show("config", "show", "--json", "--postfix", folder)
    assert rows["mailbox_command"] == {"name": "mailbox_command", "value": kept, "source": f"{folder}/main.cf:2"}
    told = postrider("config", "check", "-v", "--postfix", folder)
    text = told.stdout + told.stderr
    assert f"{folder}/main.cf:2: mailbox_command: " in text and said in text if said else "mailbox_command:" not in text


MASTER_DOVECOT = """smtp inet n - y - - smtpd
local unix - n n - - local
dovecot unix - n n - - pipe
  flags=DRhu user=vmail:vmail argv={program} -f ${{sender}} -d ${{recipient}}
"""


@pytest.mark.parametrize("program,kind,said", [
    ("/usr/lib/dovecot/dovecot-lda", "mailbox", "Dovecot's program is not run"),
    ("/usr/lib/dovecot/deliver", "mailbox", "Dovecot's program is not run"),
    ("/usr/bin/spamc -u debian-spamd -e /usr/lib/dovecot/deliver", "pipe", "must not leave the mail to Dovecot's program"),
    ("/usr/bin/maildrop", "pipe", None)])
def test_dovecot_as_a_pipe(tmp_path, program, kind, said):
    """What many how-tos have: the transport leads to the mailboxes here, in either class of domain."""
    folder = write(tmp_path / "postfix", "compatibility_level = 3.6\nmydestination = host.test\nmyhostname = host.test\n"
                   "virtual_mailbox_domains = box.test\nvirtual_transport = dovecot\nmailbox_transport = dovecot:\n"
                   "dovecot_destination_recipient_limit = 1\nalias_maps =\n", MASTER_DOVECOT.format(program=program))
    rows = show("config", "show", "--json", "--postfix", folder)
    assert f"dovecot={kind}" in rows["transport_services"]["value"].replace(",", " ").split()
    assert ("name=dovecot" in rows["pipe_transports"]["value"]) == (kind == "pipe")
    told = postrider("config", "check", "-v", "--postfix", folder)
    text = told.stdout + told.stderr
    assert f"{folder}/master.cf:3: dovecot: " in text and said in text if said else "Dovecot's" not in text
    users = tmp_path / "users"
    users.write_text("alice:{PLAIN}x\ncarol@box.test:{PLAIN}x\n")
    (tmp_path / "own.conf").write_text(f"users_file = {users}\nlocal_recipient_maps =\n")
    for address, account in (("alice@host.test", "alice"), ("carol@box.test", "carol@box.test")):
        way = postrider("-c", tmp_path / "own.conf", "config", "route", "--postfix", folder, address)
        assert (f"mailbox {account}" in way.stdout) == (kind == "mailbox") and (" by dovecot" in way.stdout) == (kind == "pipe"), way


DOVECOT_LMTP = """protocols = imap lmtp
service lmtp {
  unix_listener %s {
    mode = 0600
  }
}
"""


@pytest.mark.parametrize("listener,nexthop,here", [
    ("/var/spool/postfix/private/dovecot-lmtp", "private/dovecot-lmtp", True), ("/run/dovecot/mail", "/var/run/dovecot/mail", True),
    ("lmtp", "/run/dovecot/lmtp", True), (None, "/var/run/dovecot/lmtp", True), (None, "private/other-lmtp", False)])
def test_lmtp_to_the_old_dovecot(tmp_path, listener, nexthop, here):
    """What went to Dovecot by LMTP goes to the mailboxes, which its configuration made ours."""
    folder = write(tmp_path / "postfix", "compatibility_level = 3.6\nmydestination = host.test\nmyhostname = host.test\n"
                   f"virtual_mailbox_domains = box.test\nvirtual_transport = lmtp:unix:{nexthop}\n"
                   f"mailbox_transport = lmtp:unix:{nexthop}\nalias_maps =\n",
                   "smtp inet n - y - - smtpd\nlocal unix - n n - - local\nlmtp unix - - y - - lmtp\n")
    (tmp_path / "users").write_text("alice:{PLAIN}x\ncarol@box.test:{PLAIN}x\n")
    (tmp_path / "own.conf").write_text(f"users_file = {tmp_path}/users\nlocal_recipient_maps =\n")
    (tmp_path / "dovecot.conf").write_text(DOVECOT_LMTP % listener if listener else "protocols = imap lmtp\n")
    for address, account in (("alice@host.test", "alice"), ("carol@box.test", "carol@box.test")):
        way = postrider("-c", tmp_path / "own.conf", "--postfix", folder, "--dovecot", tmp_path / "dovecot.conf", "config", "route", address)
        assert way.returncode == 0 and (f"  mailbox {account}\n" in way.stdout) == here, way


def test_every_value_has_its_place(tmp_path):
    folder = write(tmp_path / "postfix", CONFIGURATIONS["isp"])
    (tmp_path / "own.conf").write_text("hopcount_limit = 7\n")
    rows = show("-c", tmp_path / "own.conf", "config", "show", "--json", "--postfix", folder)
    assert rows["hopcount_limit"]["source"] == f"{tmp_path}/own.conf:1"
    assert rows["message_size_limit"] == {"name": "message_size_limit", "value": "30000000",
                                          "source": f"{folder}/main.cf:20"}  # the last one
    assert rows["maximal_queue_lifetime"]["value"] == "3d"  # Postfix: days
    assert rows["smtpd_banner"] == {"name": "smtpd_banner", "value": "mail.isp.example ESMTP Postfix",
                                    "source": "Postfix's default"}
    assert rows["submission/smtpd_tls_security_level"]["source"] == f"{folder}/master.cf:4"
    assert "imap" not in rows["listen"]["value"]  # nobody asked for it


def test_sasl_config_is_read(tmp_path):
    (tmp_path / "smtpd.conf").write_text("pwcheck_method: saslauthd\nmech_list: plain login\n")
    rows = show("config", "show", "--json", "--sasl", tmp_path / "smtpd.conf")
    assert rows["mech_list"] == {"name": "mech_list", "value": "plain login", "source": f"{tmp_path}/smtpd.conf:2"}
    assert rows["pwcheck_method"]["value"] == "saslauthd"


def test_sasl_config_is_found_as_postfix_finds_it(tmp_path):
    (tmp_path / "smtpd.conf").write_text("pwcheck_method: auxprop\nmech_list: plain\n")
    folder = write(tmp_path / "postfix", TUTORIAL + f"cyrus_sasl_config_path = /nonexistent:{tmp_path}\n")
    rows = show("config", "show", "--json", "--postfix", folder)
    assert rows["mech_list"]["source"] == f"{tmp_path}/smtpd.conf:2"
    assert "auxprop looks passwords up" in postrider("config", "check", "--postfix", folder).stdout


def test_broken_lines_of_the_tutorial_get_a_proposal(tmp_path):
    broken = TUTORIAL.replace("permit_sasl_authenticated permit_auth", "permit_sasl_authenticated\npermit_auth")
    folder = write(tmp_path / "postfix", broken.replace("recipient_restrictions", "recipient_restrictiOns"))
    done = postrider("config", "check", "--postfix", folder)
    assert done.returncode == 1
    assert f"{folder}/main.cf:5: `permit_auth_destination reject` is no assignment: begin the line with a space when " \
           "it continues `smtpd_recipient_restrictiOns` of line 4" in done.stderr
    folder = write(tmp_path / "second", TUTORIAL.replace("recipient_restrictions", "recipient_restrictiOns"))
    done = postrider("config", "check", "--postfix", folder)
    assert done.returncode == 1
    assert f"{folder}/main.cf:4: unknown parameter `smtpd_recipient_restrictiOns`, which Postfix ignores too: " \
           "did you mean `smtpd_recipient_restrictions`?" in done.stderr


def test_what_would_weaken_security_is_an_error(tmp_path):
    folder = write(tmp_path / "postfix", CONFIGURATIONS["debian"] + "smtpd_proxy_filter = 127.0.0.1:10025\n")
    done = postrider("config", "check", "--postfix", folder)
    assert done.returncode == 1
    assert "smtpd_proxy_filter is not served: mail would not pass the filter" in done.stderr
    users = "".join(f"{role}_user = 65534\n" for role in ("auth", "edge", "mailbox", "relay"))
    (tmp_path / "own.conf").write_text("smtpd_proxy_filter =\n" + users)  # knowingly
    done = postrider("-c", tmp_path / "own.conf", "config", "check", "--postfix", folder)
    assert done.returncode == 0, done.stderr


# ---- a server ----

def test_serves_on_postfixs_files(tmp_path):
    smtp, submission = free_port(), free_port()
    fields = "inet n - n - - smtpd"
    folder = write(tmp_path / "postfix", TUTORIAL + "compatibility_level = 2\nmyhostname = mx.tutorial.test\n"
                   "inet_interfaces = 127.0.0.1\nalias_maps =\n",
                   f"{smtp} {fields}\n{submission} {fields}\n -o smtpd_banner=other -o smtpd_sasl_auth_enable=no\n")
    (tmp_path / "own").mkdir()
    server = Server(tmp_path / "own", services=(), listen=None, myhostname=None, mydestination=None,
                    postfix_config=folder)
    server.port = {"smtp": smtp, "submission": submission}
    server.start()
    try:
        with smtplib.SMTP("127.0.0.1", smtp, timeout=20) as client:
            code, text = client.ehlo("client.test")
            assert code == 250
            lines = text.decode().splitlines()
            assert lines[0] == "mx.tutorial.test"
            assert "AUTH PLAIN LOGIN" in lines and "AUTH=PLAIN LOGIN" in lines
            assert "SIZE 10240000" in lines and "VRFY" in lines
            client.login("alice", server.passwords["alice"])
            client.sendmail("a@elsewhere.test", ["alice@tutorial.test"], "Subject: x\r\n\r\nx\r\n")
        with smtplib.SMTP(timeout=20) as client:
            code, text = client.connect("127.0.0.1", submission)
            assert (code, text) == (220, b"other")
            client.ehlo("client.test")
            assert not client.has_extn("auth")
    finally:
        server.stop()
