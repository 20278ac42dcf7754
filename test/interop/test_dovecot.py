"""Dovecot's configuration as it is: Debian's default files with PAM, the flat file of the first Dovecot, passdbs in turn;
greetings and answers as Dovecot's. System accounts are of the test's own, in the server's mount namespace. Needs root."""
import imaplib
import os
import pathlib
import poplib
import re
import shutil
import sqlite3
import subprocess
import sys

import pytest

from harness import Server
from test_pam import ACCOUNTS, make_etc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tools"))
import peers  # noqa: E402

PAM = "auth required pam_unix.so\naccount required pam_unix.so\n"


def debian_files(folder):
    """Debian's own dovecot.conf and conf.d, as its package brings them."""
    try:
        source = peers.unpacked("dovecot") / "root" / "usr" / "share" / "dovecot"
    except peers.Unavailable as why:
        pytest.skip(str(why))
    shutil.copytree(source / "conf.d", folder / "conf.d")
    shutil.copy(source / "dovecot.conf", folder)
    path = folder / "conf.d" / "10-ssl.conf"  # its certificate is made when the package is installed
    path.write_text("".join(line for line in path.read_text().splitlines(True)
                            if not line.startswith(("ssl_cert", "ssl_key"))))
    return folder / "dovecot.conf"


class Dovecot:
    """Servers on a dovecot.conf, with system accounts and a PAM service `dovecot`."""

    def __init__(self, factory):
        self.factory = factory
        self.servers = []
        if os.geteuid() != 0:
            pytest.skip("PAM: needs root for a mount namespace with accounts in it")
        self.layer = factory.mktemp("etc") / "etc"
        make_etc(self.layer)
        (self.layer / "pam.d" / "dovecot").write_text(PAM)

    def start(self, conf, users=(), **settings):
        mount = f"mount -t overlay overlay -o lowerdir={self.layer}:/etc /etc"
        private = ["unshare", "--mount", "--propagation", "private"]
        tried = subprocess.run([*private, "sh", "-c", mount], capture_output=True, text=True, check=False)
        if tried.returncode:
            pytest.skip("no mount namespace: " + tried.stderr.strip())
        folder = self.factory.mktemp("server")
        given = {"dovecot_config": str(conf), "users_file": None, "mail_max_userip_connections": None, **settings}
        server = Server(folder, users=users, **given)
        self.servers.append(server)
        return server.start(prefix=(*private, "sh", "-c", mount + ' && exec "$@"', "sh"))


@pytest.fixture(scope="module")
def dovecot(tmp_path_factory):
    made = Dovecot(tmp_path_factory)
    yield made
    for server in made.servers:
        server.stop()


def pop3(server, name, password):
    client = poplib.POP3("127.0.0.1", server.port["pop3"], timeout=20)
    try:
        client.user(name)
        return client.pass_(password)
    except poplib.error_proto as refused:
        return refused.args[0]
    finally:
        client.close()


def imap(server, name, password):
    client = imaplib.IMAP4("127.0.0.1", server.port["imap"], timeout=20)
    try:
        return client.login(name, password)[1][0]
    except imaplib.IMAP4.error as refused:
        return refused.args[0]
    finally:
        client.shutdown()


def write(tmp_path, text):
    path = tmp_path / "dovecot.conf"
    path.write_text(text)
    return path


def test_debians_default_files_with_pam(dovecot, tmp_path):
    server = dovecot.start(debian_files(tmp_path))
    client = poplib.POP3("127.0.0.1", server.port["pop3"], timeout=20)
    assert client.getwelcome() == b"+OK Dovecot ready."
    assert client.user("dora") == b"+OK"
    assert client.pass_(ACCOUNTS["dora"]) == b"+OK Logged in."
    client.quit()
    assert b"Logged in" in imap(server, "dora", ACCOUNTS["dora"])
    assert b"[AUTH] Authentication failed." in pop3(server, "dora", "wrong")
    assert b"AUTHENTICATIONFAILED" in imap(server, "nobody-at-all", "wrong")
    shown = server.ok("config", "show")
    assert "10-auth.conf" in [line for line in shown.splitlines() if line.startswith("auth_mechanisms")][0]
    server.send(rcpts=["dora@example.test"], subject="for-dora")
    server.passwords["dora"] = ACCOUNTS["dora"]
    assert any(b"for-dora" in m for m in server.inbox("dora"))
    # first_valid_uid: root and the system's own accounts don't log in, whatever PAM says
    with server.smtp() as smtp:
        smtp.ehlo()
        smtp.mail("stranger@elsewhere.test")
        assert smtp.rcpt("nobody-at-all@example.test")[0] == 550


def test_flat_file_of_the_first_dovecot(dovecot, tmp_path):
    server = dovecot.start(write(tmp_path, "protocols = pop3 imap\n"))
    assert pop3(server, "dora", ACCOUNTS["dora"]) == b"+OK Logged in."


def test_passdbs_in_turn(dovecot, tmp_path):
    (tmp_path / "denied").write_text("alice:\n")
    (tmp_path / "users").write_text(
        "greta@example.test:{PLAIN}one\nhans:secret:::::: nopassword=y allow_nets=192.0.2.0/24\n"
        "dora:{PLAIN}other\nina:plain\n")
    server = dovecot.start(write(tmp_path, f"""
protocols = imap pop3
login_greeting = Hello there.
auth_username_format = %Lu
passdb {{
  driver = passwd-file
  deny = yes
  args = {tmp_path}/denied
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {tmp_path}/users
}}
passdb {{
  driver = shadow
}}
userdb {{
  driver = passwd-file
  args = {tmp_path}/users
}}
userdb {{
  driver = passwd
}}
"""))
    assert b"Logged in" in imap(server, "GRETA@example.test", "one")
    assert b"Logged in" in imap(server, "ina", "plain")
    assert b"FAILED" in imap(server, "hans", "any")  # allow_nets
    assert b"FAILED" in imap(server, "alice", ACCOUNTS["alice"])  # denied
    assert b"Logged in" in imap(server, "dora", "other")
    assert b"Logged in" in imap(server, "dora", ACCOUNTS["dora"])  # the next passdb has her too
    assert b"FAILED" in imap(server, "dora", "neither")
    assert b"FAILED" in imap(server, "emil", ACCOUNTS["emil"])  # expired
    client = poplib.POP3("127.0.0.1", server.port["pop3"], timeout=20)
    assert client.getwelcome() == b"+OK Hello there."
    client.close()
    with server.smtp() as smtp:
        smtp.ehlo()
        smtp.mail("stranger@elsewhere.test")
        assert smtp.rcpt("greta@example.test")[0] == 250
        assert smtp.rcpt("hans@example.test")[0] == 250
        assert smtp.rcpt("dora@example.test")[0] == 250
        assert smtp.rcpt("nobody-at-all@example.test")[0] == 550


def test_static_passdb_and_userdb(dovecot, tmp_path):
    server = dovecot.start(write(tmp_path, """
protocols = imap pop3
passdb {
  driver = static
  args = password=common
}
userdb {
  driver = static
  args = uid=vmail gid=vmail home=/v/%u allow_all_users=yes
}
"""))
    assert b"Logged in" in imap(server, "whoever", "common")
    assert b"FAILED" in imap(server, "whoever", "other")
    with server.smtp() as smtp:
        smtp.ehlo()
        smtp.mail("stranger@elsewhere.test")
        assert smtp.rcpt("anybody@example.test")[0] == 250


def test_a_static_userdb_asks_the_passdb_who_there_is(dovecot, tmp_path):
    (tmp_path / "passwd").write_text("paul:{PLAIN}secret::::::\n")
    server = dovecot.start(write(tmp_path, f"""
protocols = imap pop3
passdb {{
  driver = passwd-file
  args = {tmp_path}/passwd
}}
userdb {{
  driver = static
  args = uid=1000 gid=1001 home=/h/%u
}}
"""))
    assert b"Logged in" in imap(server, "paul", "secret")
    with server.smtp() as smtp:
        smtp.ehlo()
        smtp.mail("stranger@elsewhere.test")
        assert smtp.rcpt("paul@example.test")[0] == 250 and smtp.rcpt("pauline@example.test")[0] == 550
    assert doveadm(server, "user", "paul")[:2] == (0, "field\tvalue\nuid\t1000\ngid\t1001\nhome\t/h/paul\n")
    assert doveadm(server, "user", "pauline")[0] == 67


def test_sql_passdb_and_userdb(dovecot, tmp_path):
    database = tmp_path / "mail.db"
    with sqlite3.connect(database) as db:
        db.execute("CREATE TABLE users (username TEXT, domain TEXT, password TEXT, allow_nets TEXT)")
        db.executemany("INSERT INTO users VALUES (?, ?, ?, ?)", [
            ("frida", "example.test", "{PLAIN}one", None), ("o'brien", "example.test", "{PLAIN}two", None),
            ("far", "example.test", "{PLAIN}three", "192.0.2.0/24")])
    (tmp_path / "sql.conf").write_text(f"""
driver = sqlite
connect = {database}
default_pass_scheme = PLAIN
password_query = \\
  SELECT username, domain, password, allow_nets FROM users \\
  WHERE username = '%n' AND domain = '%d'
user_query = SELECT username FROM users WHERE username = '%n' AND domain = '%d'
""")
    server = dovecot.start(write(tmp_path, f"""
protocols = imap pop3
passdb {{
  driver = sql
  args = {tmp_path}/sql.conf
}}
userdb {{
  driver = prefetch
}}
userdb {{
  driver = sql
  args = {tmp_path}/sql.conf
}}
"""))
    assert b"Logged in" in imap(server, "frida@example.test", "one")
    assert b"Logged in" in imap(server, "o'brien@example.test", "two")
    assert b"FAILED" in imap(server, "frida@example.test", "two")
    assert b"FAILED" in imap(server, "frida", "one")
    assert b"FAILED" in imap(server, "x'OR'1'='1@example.test", "one")
    assert b"FAILED" in imap(server, "far@example.test", "three")
    with server.smtp() as smtp:
        smtp.ehlo()
        smtp.mail("stranger@elsewhere.test")
        assert smtp.rcpt("frida@example.test")[0] == 250
        assert smtp.rcpt("nobody@example.test")[0] == 550
    server.passwords["frida@example.test"] = "one"
    server.send(rcpts=["frida+box@example.test"], subject="for-frida")
    assert any(b"for-frida" in m for m in server.inbox("frida@example.test"))
    database.rename(tmp_path / "gone.db")
    assert b"UNAVAILABLE" in imap(server, "other@example.test", "one")


def test_limits_of_a_sql_passdb_come_and_go(dovecot, tmp_path):
    database = tmp_path / "mail.db"

    def limit(rule):
        with sqlite3.connect(database) as db:
            db.execute("CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, password TEXT, rule TEXT)")
            db.execute("REPLACE INTO users VALUES ('frida', '{PLAIN}one', ?)", (rule,))

    def root(server):
        client = imaplib.IMAP4("127.0.0.1", server.port["imap"], timeout=20)
        client.login("frida", "one")
        told = client.getquotaroot("INBOX")[1][1]
        client.logout()
        return told

    limit("*:storage=700")
    (tmp_path / "sql.conf").write_text(f"""
driver = sqlite
connect = {database}
password_query = SELECT name AS user, password, rule AS userdb_quota_rule FROM users WHERE name = '%u'
""")
    server = dovecot.start(write(tmp_path, f"""
protocols = imap
mail_plugins = quota
protocol imap {{
  mail_plugins = $mail_plugins imap_quota
}}
plugin {{
  quota = count:User quota
  quota_rule = *:storage=900
}}
passdb {{
  driver = sql
  args = {tmp_path}/sql.conf
}}
"""))
    assert b"(STORAGE 0 700)" in root(server)[0]
    limit(400 * "x" + ":storage=+1")
    assert b"(STORAGE 0 900)" in root(server)[0]
    limit("*:storage=800")
    assert b"(STORAGE 0 800)" in root(server)[0]
    limit(None)
    assert b"(STORAGE 0 900)" in root(server)[0]
    limit(2000 * "x" + ":storage=+1")  # more than can be handed on
    assert b"UNAVAILABLE" in imap(server, "frida", "one")


USERS = """
protocols = imap pop3
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
}}
userdb {{
  driver = passwd-file
  args = {folder}/users
}}
"""


def with_users(tmp_path, text=""):
    (tmp_path / "users").write_text("nora:one\n")
    return write(tmp_path, USERS.format(folder=tmp_path) + text)


def listed(client, pattern="*"):
    return [re.sub(r'"([^"]+)"$', r'\1', line.decode()) for line in client.list('""', pattern)[1] if line]


def test_namespace_with_prefix_and_separator(dovecot, tmp_path):
    server = dovecot.start(with_users(tmp_path, """
namespace inbox {
  inbox = yes
  prefix = INBOX.
  separator = .
  mailbox Sent {
    auto = subscribe
    special_use = \\Sent
  }
  mailbox Spam {
    auto = create
    special_use = \\Junk
  }
  mailbox Drafts {
    special_use = \\Drafts
  }
}
namespace plain {
  prefix =
  separator = .
  hidden = yes
  list = no
}
"""))
    client = imaplib.IMAP4("127.0.0.1", server.port["imap"], timeout=20)
    client.login("nora", "one")
    assert client.namespace()[1] == [b'(("INBOX." ".")) NIL NIL']
    assert listed(client, '""') == ['(\\Noselect) "." ""']
    names = listed(client)
    assert '(\\HasChildren) "." INBOX' in names
    assert '(\\HasNoChildren \\Sent) "." INBOX.Sent' in names
    assert '(\\HasNoChildren \\Junk) "." INBOX.Spam' in names
    assert len(names) == 3
    assert client.create("INBOX.Drafts")[0] == "OK"
    assert client.create("INBOX.Work.2024/25")[0] == "OK"
    assert '(\\HasNoChildren \\Drafts) "." INBOX.Drafts' in listed(client)
    assert '(\\HasNoChildren) "." INBOX.Work.2024/25' in listed(client, "INBOX.Work.%")
    assert [n.split()[-1] for n in listed(client, "INBOX.%")] == [
        "INBOX.Drafts", "INBOX.Sent", "INBOX.Spam", "INBOX.Work"]
    assert client.append("INBOX.Work.2024/25", None, None, b"Subject: x\r\n\r\nx\r\n")[0] == "OK"
    assert client.select("INBOX.Work.2024/25")[1] == [b"1"]
    assert client.select("Sent")[0] == "OK"  # the hidden namespace without a prefix
    assert client.rename("INBOX.Work", "INBOX.Old")[0] == "OK"
    assert client.status("INBOX.Old.2024/25", "(MESSAGES)")[1] == [b'"INBOX.Old.2024/25" (MESSAGES 1)']
    subscribed = [line.decode().split()[-1].strip('"') for line in client.lsub()[1]]
    assert "INBOX.Sent" in subscribed and "INBOX.Spam" not in subscribed
    assert client.delete("INBOX.Sent")[0] == "OK"
    client.logout()
    client = imaplib.IMAP4("127.0.0.1", server.port["imap"], timeout=20)
    client.login("nora", "one")
    assert any(name.endswith("INBOX.Sent") for name in listed(client))  # auto makes it again
    client.logout()


def test_only_inbox_without_mailbox_blocks(dovecot, tmp_path):
    server = dovecot.start(with_users(tmp_path))
    client = imaplib.IMAP4("127.0.0.1", server.port["imap"], timeout=20)
    client.login("nora", "one")
    assert listed(client) == ['(\\HasNoChildren) "/" INBOX']
    client.logout()


def doveadm(server, *words):
    done = server.command("doveadm", *words)
    return done.returncode, done.stdout, done.stderr


def test_doveadm_says_what_dovecots_says(dovecot, tmp_path):
    server = dovecot.start(with_users(tmp_path, "namespace inbox {\n  inbox = yes\n  mailbox Sent {\n    auto = subscribe\n  }\n}\n"))
    assert doveadm(server, "auth", "test", "nora", "one")[:2] == (0, "passdb: nora auth succeeded\nextra fields:\n  user=nora\n")
    assert doveadm(server, "auth", "test", "nora", "bad")[:2] == (77, "passdb: nora auth failed\nextra fields:\n  user=nora\n")
    assert doveadm(server, "auth", "test", "nobody", "x")[0] == 77
    status, said, _ = doveadm(server, "auth", "login", "nora", "one")
    assert status == 0 and "userdb extra fields:\n  nora\n" in said and said.endswith("auth_mech=PLAIN\n")
    assert doveadm(server, "user", "nora")[:2] == (0, "field\tvalue\n")
    assert doveadm(server, "user", "nobody")[:2] == (67, "field\tvalue\n\nuserdb lookup: user nobody doesn't exist\n")
    assert doveadm(server, "user", "*")[:2] == (0, "nora\n")
    assert doveadm(server, "pw", "-s", "PLAIN", "-p", "x")[:2] == (0, "{PLAIN}x\n")
    assert doveadm(server, "pw", "-s", "SHA256", "-p", "x")[1] == "{SHA256}LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=\n"
    assert doveadm(server, "pw", "-s", "NOPE", "-p", "x") == (75, "", "Fatal: Unknown scheme: NOPE\n")
    for scheme in doveadm(server, "pw", "-l")[1].split():
        made = doveadm(server, "pw", "-s", scheme, "-p", "geheim")[1].strip()
        assert made.startswith("{" + scheme + "}"), scheme
        assert doveadm(server, "pw", "-t", made, "-p", "geheim")[:2] == (0, made + " (verified)\n")
        assert doveadm(server, "pw", "-t", made, "-p", "falsch")[0] == 75
    assert doveadm(server, "mailbox", "list", "-u", "nora")[:2] == (0, "INBOX\nSent\n")
    server.send(rcpts=["nora@example.test"])
    assert doveadm(server, "mailbox", "status", "-u", "nora", "messages unseen", "*")[:2] == (0, "INBOX messages=1 unseen=1\nSent messages=0 unseen=0\n")
    assert doveadm(server, "mailbox", "list", "-u", "nobody")[0] == 67
    assert doveadm(server, "mailbox", "list", "-A")[:2] == (0, "nora INBOX\nnora Sent\n")
    assert doveadm(server, "-f", "json", "mailbox", "status", "-u", "nora", "messages", "INBOX")[1] == '[{"mailbox":"INBOX","messages":"1"}]\n'
    assert doveadm(server, "-f", "tab", "mailbox", "status", "-u", "n*", "messages", "INBOX")[1] == "Username\tmailbox\tmessages\nnora\tINBOX\t1\n"
    assert doveadm(server, "-f", "pager", "mailbox", "status", "-u", "nora", "messages", "INBOX")[1] == "mailbox: INBOX\nmessages: 1\n\f\n"
    assert doveadm(server, "mailbox", "create", "-s", "-u", "nora", "Work", "Work/Old")[0] == 0
    assert doveadm(server, "mailbox", "list", "-s", "-u", "nora")[1] == "INBOX\nSent\nWork\nWork/Old\n"
    assert doveadm(server, "mailbox", "create", "-u", "nora", "Work")[::2] == (
        68, "doveadm(nora): Error: Can't create mailbox Work: Mailbox already exists\n")
    assert doveadm(server, "mailbox", "rename", "-u", "nora", "Work/Old", "Older")[0] == 0
    assert doveadm(server, "mailbox", "unsubscribe", "-u", "nora", "Older")[0] == 0
    assert doveadm(server, "mailbox", "delete", "-u", "nora", "Work", "Older")[0] == 0
    assert doveadm(server, "mailbox", "list", "-u", "nora")[1] == "INBOX\nSent\n"
    assert doveadm(server, "mailbox", "status", "-u", "nora", "messages", "Nope")[0] == 68
    client = imaplib.IMAP4("127.0.0.1", server.port["imap"], timeout=20)
    client.login("nora", "one")
    assert doveadm(server, "who")[1].splitlines()[0].startswith("username # proto (pids)")
    assert re.match(r"nora +1 imap +\(\d+\) +\(127\.0\.0\.1\)$", doveadm(server, "who")[1].splitlines()[1])
    assert len(doveadm(server, "who", "other")[1].splitlines()) == 1
    assert doveadm(server, "kick", "other")[:2] == (68, "no users kicked\n")
    assert doveadm(server, "kick", "nora")[0] == 0
    assert client.readline() == b""  # the connection has ended
    client.shutdown()
    assert doveadm(server, "reload")[0] == 0
    assert doveadm(server, "backup")[0] == 64
