"""Lookup tables that ask a server, and where they are used. sqlite is compared with Postfix's own postmap; the servers of
the simple protocols (tcp, socketmap, memcache) are played here, as their manual pages say."""
import contextlib
import os
import pathlib
import re
import shutil
import smtplib
import socket
import socketserver
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import databases  # noqa: E402
import peers  # noqa: E402
from harness import DOMAIN, PROGRAM, Server, free_port, wait_for  # noqa: E402
from scripted import Scripted  # noqa: E402
from test_tables import DYNAMICMAPS, answers, ours, theirs  # noqa: E402,F401

KEYS = ["joe@example.com", "JOE@Example.com", "o'brien@example.com", "two@example.com", "nobody@example.com", "joe",
        "@example.com", "example.com", "a\\'; DROP TABLE alias; --@example.com", "null@example.com", "x@sub.example.com",
        "plain", "%s@example.com", "user@"]
ROWS = [("joe@example.com", "joe@store.example"), ("o'brien@example.com", "brien"), ("two@example.com", "one@a.example"),
        ("two@example.com", "two@b.example"), ("null@example.com", None), ("null@example.com", ""), ("plain", "word"),
        ("x@sub.example.com", "deep"), ("example.com", "a domain"), ("%s@example.com", "percent")]
FILES = {
    "plain": "query = SELECT goto FROM alias WHERE address = '%s'",
    "user": "query = SELECT goto FROM alias WHERE address = '%u@%d'",
    "labels": "query = SELECT goto FROM alias WHERE address LIKE '%u@%%' AND '%2' = 'example'",
    "format": "query = SELECT goto FROM alias WHERE address = '%s'\nresult_format = <%u|%d|%S|%1>",
    "domain": "query = SELECT goto FROM alias WHERE address = '%s'\ndomain = example.com, other.example",
    "limit": "query = SELECT goto FROM alias WHERE address = '%s'\nexpansion_limit = 1",
    "old": "table = alias\nselect_field = goto\nwhere_field = address\nadditional_conditions = AND goto <> 'brien'",
}


def make_database(path):
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE alias (address TEXT, goto TEXT)")
        db.executemany("INSERT INTO alias VALUES (?, ?)", ROWS)
    path.chmod(0o644)


@pytest.mark.parametrize("name", FILES)
def test_sqlite_as_postfix(theirs, tmp_path, name):  # noqa: F811
    make_database(tmp_path / "mail.db")
    tmp_path.chmod(0o755)
    (tmp_path / "t.cf").write_text(f"# a comment\ndbpath = {tmp_path}/mail.db\n{FILES[name]}\n")
    keys = [k for k in KEYS if name != "limit" or k != "two@example.com"]
    assert answers(ours, f"sqlite:{tmp_path}/t.cf", keys) == answers(theirs, f"sqlite:{tmp_path}/t.cf", keys)
    if name == "limit":
        assert ours("-q", "two@example.com", f"sqlite:{tmp_path}/t.cf").returncode == 1


def test_files_with_faults(tmp_path):
    for text, said in [("dbpath = /x\nquery = SELECT 1\nhost = b\n", "t.cf:3: sqlite tables have no parameter `host`"),
                       ("dbpath = /x\n", "`query` is missing"), ("query = SELECT 1\n", "`dbpath` is missing"),
                       ("dbpath = /x\nquery = SELECT %x\n", "query: `%x` is none of"),
                       ("dbpath = /x\nquery = SELECT 1\nexpansion_limit = many\n", "t.cf:3: expansion_limit = many is no number")]:
        (tmp_path / "t.cf").write_text(text)
        done = ours("-q", "key", f"sqlite:{tmp_path}/t.cf")
        assert done.returncode == 1 and said in done.stderr, done.stderr
    assert "write a path that begins with /" in ours("-q", "key", "pgsql:not/there").stderr


def test_parameters_in_main_cf(theirs, tmp_path):  # noqa: F811
    """The old style, as Postfix's own postmap reads it: names of other tables begin alike, $names are replaced."""
    make_database(tmp_path / "mail.db")
    tmp_path.chmod(0o755)
    main = tmp_path / "main.cf"
    (tmp_path / "dynamicmaps.cf").write_text(DYNAMICMAPS)
    main.write_text(f"compatibility_level = 3.6\nmeta_directory = {tmp_path}\nshlib_directory = /usr/lib/postfix\ncolumn = goto\nold_dbpath = {tmp_path}/mail.db\nold_query = SELECT $column FROM alias\n"
                    "  WHERE address = '%s'\nold_result_format = <%u|%d>\nold_more_dbpath = /nowhere\nold_more_query = SELECT 1\n"
                    "bad_dbpath = /x\nbad_query = SELECT 1\nbad_expansion_limit = many\n")
    asked = ["-c", str(tmp_path)]
    for key in KEYS:
        mine, his = ours(*asked, "-q", key, "sqlite:old"), theirs(*asked, "-q", key, "sqlite:old")
        assert (mine.returncode, mine.stdout) == (his.returncode, his.stdout), (key, mine, his)
    assert ours(*asked, "-q", "two@example.com", "sqlite:old").stdout.startswith("<")
    assert "main.cf:13: expansion_limit = many is no number" in ours(*asked, "-q", "x", "sqlite:bad").stderr
    assert "main.cf: `query` is missing" in ours(*asked, "-q", "x", "sqlite:none").stderr


def test_a_server_with_parameters_in_main_cf(tmp_path):
    make_database(tmp_path / "mail.db")
    with sqlite3.connect(tmp_path / "mail.db") as db:
        db.execute("INSERT INTO alias VALUES ('new@example.test', 'alice@example.test')")
    tmp_path.chmod(0o755)
    folder = tmp_path / "postfix"
    folder.mkdir()
    (folder / "main.cf").write_text(f"compatibility_level = 3.6\nlocal_recipient_maps =\nvirtual_alias_maps = sqlite:old\nold_dbpath = {tmp_path}/mail.db\n"
                                    "old_query = SELECT goto FROM alias WHERE address = '%s'\nold_password = hidden-in-main\n")
    (folder / "master.cf").write_text("local unix - n n - - local\n")
    (tmp_path / "server").mkdir()
    server = Server(tmp_path / "server", postfix_config=str(folder), virtual_alias_domains="", mydestination="example.test")
    server.start()
    try:
        server.send(rcpts=["new@example.test"], subject="by-main-cf")
        wait_for(lambda: any(b"by-main-cf" in m for m in server.inbox("alice")), 5, "the mail; " + server.log()[-3000:])
        shown = subprocess.run([PROGRAM, "-c", server.conf, "config", "show"], capture_output=True, text=True, check=False)
        checked = subprocess.run([PROGRAM, "-c", server.conf, "config", "check"], capture_output=True, text=True, check=False)
        said = shown.stdout + shown.stderr + checked.stdout + checked.stderr + server.log()
        assert shown.returncode == 0 and "hidden-in-main" not in said
        assert "old_dbpath" not in checked.stdout + checked.stderr
    finally:
        server.stop()


class Played(socketserver.ThreadingTCPServer):
    """A server that answers each connection by a function of the file of its socket."""
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, talk):
        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                talk(self.rfile, self.wfile)
        super().__init__(("127.0.0.1", 0), Handler)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *args):
        self.shutdown()
        self.server_close()


def tcp_talk(rfile, wfile):
    key = urllib.parse.unquote(rfile.readline().decode()[4:].rstrip("\n"))
    replies = {"joe@example.com": "200 joe%20at%20home", "late": "400 not%20now", "bad": "whatever", "percent": "200 %zz"}
    wfile.write((replies.get(key, "500 none") + "\n").encode())


def socketmap_talk(rfile, wfile):
    size = b""
    while not size.endswith(b":"):
        size += rfile.read(1)
    name, key = rfile.read(int(size[:-1])).decode().split(" ", 1)
    assert rfile.read(1) == b","
    replies = {"joe@example.com": f"OK {name} value", "late": "TEMP not now", "slow": "TIMEOUT", "no": "PERM never", "bad": "MAYBE"}
    text = replies.get(key, "NOTFOUND ")
    wfile.write(f"{len(text)}:{text},".encode())


def memcache_talk(rfile, wfile):
    values = {"joe@example.com": "joe value", "m-key": "prefixed"}
    key = rfile.readline().decode().split()[1]
    if key == "bad":
        wfile.write(b"SERVER_ERROR out of memory\r\n")
        return
    value = values.get(key)
    wfile.write((f"VALUE {key} 0 {len(value)}\r\n{value}\r\n" if value else "").encode() + b"END\r\n")


def ask(spec, key):
    done = ours("-q", key, spec)
    return done.returncode, done.stdout.strip() or ("error" if "query error" in done.stderr else "")


def test_simple_protocols(tmp_path):
    with Played(tcp_talk) as tcp:
        spec = f"tcp:127.0.0.1:{tcp.port}"
        assert ask(spec, "joe@example.com") == (0, "joe at home")
        assert ask(spec, "nobody") == (1, "")
        assert [ask(spec, k) for k in ("late", "bad", "percent")] == [(1, "error")] * 3
    with Played(socketmap_talk) as server:
        spec = f"socketmap:inet:localhost:{server.port}:users"
        assert ask(spec, "joe@example.com") == (0, "users value")
        assert ask(spec, "nobody") == (1, "")
        assert [ask(spec, k) for k in ("late", "slow", "no", "bad")] == [(1, "error")] * 4
    with Played(memcache_talk) as server:
        (tmp_path / "m.cf").write_text(f"memcache = inet:127.0.0.1:{server.port}\n")
        spec = f"memcache:{tmp_path}/m.cf"
        assert ask(spec, "joe@example.com") == (0, "joe value")
        assert ask(spec, "nobody") == (1, "") and ask(spec, "two words") == (1, "")
        assert ask(spec, "bad") == (1, "error")
        (tmp_path / "m.cf").write_text(f"memcache = inet:127.0.0.1:{server.port}\nkey_format = m-%s\n")
        assert ask(spec, "key") == (0, "prefixed")
    assert ask("tcp:127.0.0.1:1", "joe") == (1, "error")


def rcpt(server, address, sender="stranger@elsewhere.test"):
    with server.smtp() as smtp:
        smtp.ehlo()
        smtp.mail(sender)
        return smtp.rcpt(address)


def test_in_use(tmp_path):
    """Restrictions, aliases and mailboxes by tables of servers; a server that does not answer puts off its own questions
    alone."""
    silent = socket.create_server(("127.0.0.1", 0), backlog=50)
    make_database(tmp_path / "mail.db")
    tmp_path.chmod(0o755)
    with sqlite3.connect(tmp_path / "mail.db") as db:
        db.executemany("INSERT INTO alias VALUES (?, ?)", [
            (f"list@{DOMAIN}", f"alice@{DOMAIN}, bob@{DOMAIN}"), ("bad@elsewhere.test", "REJECT by the database")])
    (tmp_path / "t.cf").write_text(f"dbpath = {tmp_path}/mail.db\nquery = SELECT goto FROM alias WHERE address = '%s'\n")
    (tmp_path / "server").mkdir()
    server = Server(tmp_path / "server",
                    virtual_alias_maps=f"proxy:sqlite:{tmp_path}/t.cf",
                    smtpd_recipient_restrictions=f"check_sender_access sqlite:{tmp_path}/t.cf, check_recipient_access pipemap:"
                    f"{{inline:{{slow@{DOMAIN}=1}}, tcp:127.0.0.1:{silent.getsockname()[1]}}}, reject_unauth_destination").start()
    try:
        server.send(rcpts=[f"list@{DOMAIN}"], subject="to-the-list")
        for name in ("alice", "bob"):
            assert any(b"to-the-list" in m for m in server.inbox(name)), name
        code, text = rcpt(server, f"alice@{DOMAIN}", sender="bad@elsewhere.test")
        assert code == 554 and b"by the database" in text
        assert rcpt(server, f"nobody@{DOMAIN}")[0] == 550
        slow = []
        waiting = [threading.Thread(target=lambda: slow.append(rcpt(server, f"slow@{DOMAIN}"))) for _ in range(7)]
        for thread in waiting:
            thread.start()
        time.sleep(0.5)
        begin = time.monotonic()
        assert rcpt(server, f"alice@{DOMAIN}")[0] == 250
        assert time.monotonic() - begin < 5 and not slow
        # More than there are helper threads: logins go on.
        more = [threading.Thread(target=lambda: slow.append(rcpt(server, f"slow@{DOMAIN}"))) for _ in range(20)]
        for thread in more:
            thread.start()
        time.sleep(0.5)
        server.imap("carol").logout()  # whose password is in no cache yet
        assert time.monotonic() - begin < 7 and not slow
        for thread in waiting + more:
            thread.join(40)
        assert [code for code, _ in slow] == [451] * 27, slow
        (tmp_path / "mail.db").rename(tmp_path / "gone")
        code, text = rcpt(server, f"alice@{DOMAIN}")
        assert code == 451 and text.startswith(b"4.3.5") and text.endswith(b"Server configuration error")
        server.reload(smtpd_recipient_restrictions="reject_unauth_destination")
        code, text = rcpt(server, f"alice@{DOMAIN}")
        assert code == 451 and b"4.3.0" in text
        assert "table.unavailable" in server.log()
    finally:
        server.stop()
        silent.close()


def test_stopped_while_a_table_is_asked(tmp_path):
    """The server ends when the question has its answer, and begins none of those that wait."""
    asked = threading.Event()

    def late(rfile, wfile):
        rfile.readline()
        asked.set()
        time.sleep(1)
        wfile.write(b"500 none\n")

    def give_up():
        with contextlib.suppress(OSError, smtplib.SMTPException):
            rcpt(server, f"alice@{DOMAIN}")

    with Played(late) as slow:
        server = Server(tmp_path, smtpd_recipient_restrictions="reject_unauth_destination, check_recipient_access "
                        f"tcp:127.0.0.1:{slow.port}").start()
        clients = [threading.Thread(target=give_up) for _ in range(20)]
        for client in clients:
            client.start()
        assert asked.wait(10)
        server.stop()
        for client in clients:
            client.join(20)
        assert "role.stuck" not in server.log()


CHECKED = {"Subject: refuse": "REJECT 5.7.1 by the server", "Subject: later": "REJECT 4.7.1 not now", "X-Drop: 1": "IGNORE",
           "Subject: elsewhere": f"REDIRECT bob@{DOMAIN}", "Subject: copied": f"BCC carol@{DOMAIN}", "Subject: filtered": "FILTER lost:x",
           "bad line": "REPLACE good line", "X-Long: " + "x" * 20000: "REJECT 5.7.1 too long"}


def checks_talk(rfile, wfile):
    size = b""
    while not size.endswith(b":"):
        size += rfile.read(1)
    _, key = rfile.read(int(size[:-1])).decode().split(" ", 1)
    rfile.read(1)
    text = "TEMP not now" if "X-Down" in key else f"OK {CHECKED[key]}" if key in CHECKED else "NOTFOUND "
    wfile.write(f"{len(text)}:{text},".encode())


@pytest.mark.parametrize("of_listener", ["", "smtp/"])
def test_checks_of_messages(tmp_path, of_listener):
    """header_checks and body_checks of a server: each action; nothing passes a server that does not answer."""
    def send(subject, extra="", body="text\r\n"):
        with server.smtp() as client:
            try:
                client.sendmail("a@far.test", [f"alice@{DOMAIN}"], f"From: a@far.test\r\nSubject: {subject}\r\n{extra}\r\n{body}")
            except smtplib.SMTPDataError as refused:
                return refused.smtp_code, refused.smtp_error.decode()
        return 250, ""

    def got(user, subject):
        return [m for m in server.inbox(user) if f"Subject: {subject}\r\n".encode() in m]

    with Played(checks_talk) as checks:
        table = f"socketmap:inet:127.0.0.1:{checks.port}:c"
        server = Server(tmp_path, body_checks=table, **{of_listener + "header_checks": f"regexp:{{{{/^X-First:/ IGNORE}}}}, proxy:{table}"}).start()
        try:
            assert send("plain", "X-Drop: 1\r\nX-First: 1\r\nX-Keep: 1\r\n", "bad line\r\nlast\r\n")[0] == 250
            (message,) = got("alice", "plain")
            assert message.endswith(b"\r\nX-Keep: 1\r\n\r\ngood line\r\nlast\r\n") and b"X-Drop" not in message and b"X-First" not in message
            assert send("refuse") == (550, "5.7.1 by the server")
            assert send("later") == (451, "4.7.1 not now")
            assert send("long", "X-Long: " + "x" * 20000 + "\r\n") == (550, "5.7.1 too long")
            assert send("elsewhere")[0] == 250 and got("bob", "elsewhere") and not got("alice", "elsewhere")
            assert send("copied")[0] == 250 and got("carol", "copied") and got("alice", "copied")
            assert send("filtered")[0] == 451 and "there is no such transport" in server.log()
            assert send("down", "X-Down: 1\r\n") == (451, "4.3.0 Error: message checks are not available now")
            assert not got("alice", "down")
            # Many at once, more than auth's helpers.
            answers = []
            clients = [threading.Thread(target=lambda i=i: answers.append(send(f"many-{i}"))) for i in range(20)]
            for client in clients:
                client.start()
            for client in clients:
                client.join(60)
            assert answers == [(250, "")] * 20, answers
            # A client that leaves while its lines are looked up.
            with server.smtp() as client:
                client.ehlo()
                client.mail("a@far.test")
                client.rcpt(f"alice@{DOMAIN}")
                client.docmd("DATA")
                client.sock.sendall(b"Subject: gone\r\n" + b"X: 1\r\n" * 500 + b"\r\n.\r\n")
                client.close()
            checks.shutdown()
            checks.server_close()
            assert send("nobody there") == (451, "4.3.0 Error: message checks are not available now")
            assert not got("alice", "nobody there")
        finally:
            server.stop()
        assert "role.restarted" not in server.log()


def test_checks_on_the_way_out(tmp_path):
    """smtp_header_checks and smtp_body_checks of a server; one that does not answer defers."""
    with Played(checks_talk) as checks, Scripted(("127.0.0.1", free_port()), None) as remote:
        table = f"socketmap:inet:127.0.0.1:{checks.port}:c"
        server = Server(tmp_path, relayhost=f"[127.0.0.1]:{remote.server.server_address[1]}", mynetworks="127.0.0.0/8",
                        smtp_header_checks=table, smtp_body_checks=table, smtp_tls_security_level="none").start()
        try:
            for subject, extra in (("out", "X-Drop: 1\r\n"), ("stays", "X-Down: 1\r\n")):
                with server.smtp() as client:
                    client.sendmail("a@far.test", ["x@far.test"], f"Subject: {subject}\r\n{extra}X-Keep: 1\r\n\r\nbad line\r\n")
            wait_for(lambda: remote.messages and "status=deferred" in server.log(), 15, "the mail; " + server.log()[-2000:])
            (message,) = remote.messages
            assert "X-Keep: 1\r\n\r\ngood line\r\n" in message["text"] and "X-Drop" not in message["text"]
        finally:
            server.stop()
        assert "can't be asked now" in server.log() and "4.3.0" in server.log()


# ---- real servers ----

@pytest.fixture(scope="module")
def start():
    """Starts a server of that class, once for all tests."""
    running = {}
    # pytest's own folders are root's alone; these servers run as nobody.
    base = pathlib.Path(tempfile.mkdtemp(prefix="databases-"))
    base.chmod(0o755)

    def get(kind):
        if kind not in running:
            try:
                running[kind] = kind(base / kind.__name__, ROWS)
            except peers.Unavailable as why:
                running[kind] = why
        if isinstance(running[kind], peers.Unavailable):
            pytest.skip(str(running[kind]))
        return running[kind]
    yield get
    for server in running.values():
        if not isinstance(server, peers.Unavailable):
            server.stop()
    shutil.rmtree(base)


SQL = {name: text for name, text in FILES.items() if name != "labels"}


@pytest.mark.parametrize("name", SQL)
@pytest.mark.parametrize("kind", [databases.PostgreSQL, databases.MariaDB])
def test_sql_as_postfix(theirs, start, tmp_path, kind, name):  # noqa: F811
    server = start(kind)
    kind_name = {databases.PostgreSQL: "pgsql", databases.MariaDB: "mysql"}[kind]
    tmp_path.chmod(0o755)
    (tmp_path / "t.cf").write_text(server.cf() + SQL[name] + "\n")
    keys = [k for k in KEYS if name != "limit" or k != "two@example.com"]
    spec = f"{kind_name}:{tmp_path}/t.cf"
    mine, other = answers(ours, spec, keys), answers(theirs, spec, keys)
    assert mine == other and mine[1]


LDAP_FILES = {
    "plain": "query_filter = (mail=%s)\nresult_attribute = description",
    "format": "query_filter = (mail=%u@%d)\nresult_attribute = description, sn\nresult_format = <%s>",
    "members": "query_filter = (cn=%s)\nresult_attribute = description\nspecial_result_attribute = member",
    "leaf": "query_filter = (cn=%s)\nleaf_result_attribute = description\nresult_attribute =\nspecial_result_attribute = member",
    "base": "query_filter = (objectClass=*)\nsearch_base = cn=%s,dc=example,dc=test\nscope = base\nresult_attribute = mail",
}


@pytest.mark.parametrize("name", LDAP_FILES)
def test_ldap_as_postfix(theirs, start, tmp_path, name):  # noqa: F811
    server = start(databases.OpenLDAP)
    tmp_path.chmod(0o755)
    lines = server.cf().splitlines()
    if name == "base":
        lines = [line for line in lines if not line.startswith("search_base")]
    (tmp_path / "t.cf").write_text("\n".join(lines) + "\n" + LDAP_FILES[name] + "\n")
    keys = KEYS + ["team", "entry0", "entry1", "(x)*", "*", "a,b=c", "frida"]
    spec = f"ldap:{tmp_path}/t.cf"
    mine, other = answers(ours, spec, keys), answers(theirs, spec, keys)
    assert mine == other and mine[1]


def test_memcached(start, tmp_path):
    server = start(databases.Memcached)
    (tmp_path / "t.cf").write_text(server.cf())
    spec = f"memcache:{tmp_path}/t.cf"
    assert ask(spec, "joe@example.com") == (0, "joe@store.example")
    assert ask(spec, "nobody@example.com") == (1, "")


@pytest.mark.parametrize("kind,name,more", [
    (databases.PostgreSQL, "pgsql", FILES["plain"]), (databases.MariaDB, "mysql", FILES["plain"]),
    (databases.OpenLDAP, "ldap", "query_filter = (mail=%s)\nresult_attribute = description"), (databases.Memcached, "memcache", "")])
def test_asked_by_agent(start, tmp_path, kind, name, more):
    """agent's child reads the file, which is root's alone, and asks without root's rights."""
    cf = tmp_path / "t.cf"
    cf.write_text(start(kind).cf() + more + "\n")
    cf.chmod(0o600)
    (tmp_path / "server").mkdir()
    server = Server(tmp_path / "server", smtpd_recipient_restrictions="check_sender_access pipemap:"
                    f"{{{name}:{cf}, static:REJECT}}, reject_unauth_destination").start()
    try:
        code, _ = rcpt(server, f"alice@{DOMAIN}", sender="joe@example.com")
        assert code == 554, server.log()[-3000:]
        assert rcpt(server, f"alice@{DOMAIN}", sender="no-such@elsewhere.test")[0] == 250
        assert "table.unavailable" not in server.log()
    finally:
        server.stop()


@pytest.mark.parametrize("kind,driver,connect", [
    (databases.PostgreSQL, "pgsql", "host=127.0.0.1 port={port} user=reader password=pg-word dbname=postgres"),
    (databases.MariaDB, "mysql", "host=127.0.0.1 port={port} user=reader password=my-word dbname=mail")])
def test_accounts_in_sql(start, tmp_path, kind, driver, connect):
    server = start(kind)
    (tmp_path / "sql.conf").write_text(
        f"driver = {driver}\nconnect = {connect.format(port=server.port)}\n"
        "password_query = SELECT name AS user, word AS password FROM users WHERE name = '%u'\n"
        "user_query = SELECT name AS user FROM users WHERE name = '%u'\n")
    item = f"{{driver=sql, config={tmp_path}/sql.conf}}"
    check_accounts(tmp_path, item)


def test_accounts_in_ldap(start, tmp_path):
    server = start(databases.OpenLDAP)
    (tmp_path / "ldap.conf").write_text(
        f"uris = ldap://127.0.0.1:{server.port}\ndn = cn=root,dc=example,dc=test\ndnpass = ldap-word\nauth_bind = yes\n"
        "base = dc=example,dc=test\npass_filter = (mail=%u)\nuser_filter = (mail=%u)\npass_attrs = mail=user\n")
    check_accounts(tmp_path, f"{{driver=ldap, config={tmp_path}/ldap.conf}}")


def check_accounts(tmp_path, item):
    import imaplib
    server = Server(tmp_path, passdb=item, userdb=item).start()
    try:
        for word, right in (("one", True), ("two", False)):
            client = imaplib.IMAP4("127.0.0.1", server.port["imap"], timeout=20)
            try:
                client.login("frida@example.test", word)
                assert right
            except imaplib.IMAP4.error:
                assert not right, server.log()[-3000:]
            client.shutdown()
    finally:
        server.stop()


@pytest.mark.parametrize("kind", [databases.PostgreSQL, databases.OpenLDAP])
def test_hanging_server(start, tmp_path, kind):
    """The question fails in time and says nothing of the password."""
    server = start(kind)
    name = {databases.PostgreSQL: "pgsql", databases.OpenLDAP: "ldap"}[kind]
    (tmp_path / "t.cf").write_text(server.cf() + ("query_filter = (mail=%s)\ntimeout = 2\n" if name == "ldap" else FILES["plain"] + "\n"))
    server.pause()
    try:
        begin = time.monotonic()
        done = ours("-q", "joe@example.com", f"{name}:{tmp_path}/t.cf")
        assert done.returncode == 1 and "query error" in done.stderr and "-word" not in done.stderr
        assert time.monotonic() - begin < 15
    finally:
        server.go_on()


def test_fault_at_start(tmp_path):
    (tmp_path / "t.cf").write_text("hosts = localhost\npasword = secret-word\n")
    server = Server(tmp_path, virtual_alias_maps=f"pgsql:{tmp_path}/t.cf")
    with pytest.raises(AssertionError) as why:
        server.start()
    assert f"{tmp_path}/t.cf:2: pgsql tables have no parameter `pasword`" in str(why.value)
    assert "secret-word" not in str(why.value)


def test_libraries_are_loaded_by_need(tmp_path):
    """No role of a server has a database's library in its memory."""
    program = os.environ.get("POSTRIDER", "build/postrider")
    needed = subprocess.run(["readelf", "-d", program], capture_output=True, text=True, check=True).stdout
    assert not re.search(r"NEEDED.*lib(pq|mariadb|sqlite3|ldap)", needed)
