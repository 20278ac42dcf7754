"""test_differential_login.py: Postrider on Dovecot's and saslauthd's files answers as they do: the same dovecot.conf and
accounts, the same POP3 and IMAP dialogues against Debian's Dovecot and against Postrider, status and response code of
each reply; and the same questions to both saslauthds. Needs root."""
import os
import re
import shutil
import socket
import struct
import subprocess
import tempfile

import pytest

from harness import Server, free_port, wait_for
from world import peers

USERS = {"bob": "secret-bob", "eve": 'p" \\x'}
CONF = """\
protocols = pop3 imap
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
passdb {
  driver = passwd-file
  args = username_format=%u FOLDER/users
}
userdb {
  driver = static
  args = uid=64914 gid=64914 home=FOLDER/mail/%u
}
"""
THEIRS_ALONE = """\
listen = 127.0.0.1
mail_location = maildir:~/Maildir
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service pop3-login {
  inet_listener pop3 {
    port = POP3
  }
}
service imap-login {
  inet_listener imap {
    port = IMAP
  }
}
"""
MESSAGE = "From: <a@b.test>\r\nTo: <bob@example.test>\r\nSubject: one\r\nMessage-ID: <1@b.test>\r\n\r\nline 1\r\n.line 2\r\n"


class Pair:
    """A Dovecot and a Postrider with one message for bob in each."""

    def __init__(self, folder):
        self.folder = folder
        os.chmod(folder, 0o755)
        os.mkdir(folder + "/etc")
        with open(folder + "/etc/sasldb2", "wb"):
            pass  # what saslauthd's own is mounted over
        self.ns = peers.Namespace(folder, ["dovecot", "sasl"])
        self.ports = {"pop3": (free_port(), free_port()), "imap": (free_port(), free_port())}
        with open(folder + "/users", "w", encoding="utf-8") as f:
            f.writelines(f"{name}:{{PLAIN}}{password}\n" for name, password in USERS.items())
        self.start_theirs()
        self.start_ours()

    def start_theirs(self):
        extra = THEIRS_ALONE.replace("POP3", str(self.ports["pop3"][0])).replace("IMAP", str(self.ports["imap"][0]))
        self.dovecot = peers.Dovecot(self.ns, self.folder + "/theirs", CONF.replace("FOLDER", self.folder) + extra)
        box = self.folder + "/mail/bob/Maildir"
        for sub in ("cur", "new", "tmp"):
            os.makedirs(f"{box}/{sub}")
        with open(box + "/new/1764000000.M1P1.mail", "w", encoding="utf-8", newline="") as f:
            f.write(MESSAGE.replace("\r\n", "\n"))
        subprocess.run(["chown", "-R", "64914:64914", self.folder + "/mail"], check=True)
        self.dovecot.start()

    def start_ours(self):
        conf = self.folder + "/dovecot.conf"
        with open(conf, "w", encoding="utf-8") as f:
            f.write(CONF.replace("FOLDER", self.folder))
        os.mkdir(self.folder + "/ours")
        self.server = Server(self.folder + "/ours", users=(), services=("pop3", "imap"), dovecot_config=conf, users_file=None)
        self.server.port.update(pop3=self.ports["pop3"][1], imap=self.ports["imap"][1])
        self.server.settings["listen"] = ", ".join(f"{name}://127.0.0.1:{port}" for name, port in self.server.port.items())
        self.server.write_conf()
        self.server.start()
        self.server.passwords.update(USERS)
        client = self.server.imap("bob")
        client.append("INBOX", None, None, MESSAGE.encode())
        client.logout()

    def close(self):
        self.server.stop()
        self.dovecot.stop()
        self.ns.close()


@pytest.fixture(scope="module")
def pair():
    folder = tempfile.mkdtemp(prefix="differential")
    try:
        made = Pair(folder)
    except peers.Unavailable as why:
        pytest.skip(str(why))
    yield made
    made.close()
    shutil.rmtree(folder, ignore_errors=True)


# ---- POP3 ----

# Lines of a dialogue; the greeting is a reply too. Commands whose reply has several lines end in "*".
LOGIN = ("USER bob", "PASS secret-bob")
POP3 = [
    ("CAPA*",), ("NONSENSE",), ("",), ("STAT",), ("LIST",), ("RETR 1",), ("NOOP",), ("QUIT",), ("USER",), ("USER ",), ("PASS x",), ("USER bob", "PASS wrong"),
    ("USER nobody", "PASS x"), ("USER bob", "PASS"), ("USER bob", "USER eve", 'PASS p" \\x'), ("USER bob", "PASS wrong", "USER bob", "PASS secret-bob"),
    ("AUTH",), ("AUTH NONSENSE",), ("AUTH PLAIN", "*"), ("AUTH PLAIN", "AGJvYgBzZWNyZXQtYm9i"), ("AUTH PLAIN AGJvYgBzZWNyZXQtYm9i",),
    ("AUTH PLAIN AGJvYgB3cm9uZw==",), ("AUTH PLAIN !!!",), ("AUTH PLAIN =",), ("AUTH LOGIN", "Ym9i", "c2VjcmV0LWJvYg=="), ("AUTH LOGIN", "Ym9i", "d3Jvbmc="),
    ("APOP bob 0123456789abcdef0123456789abcdef",), ("STLS",), ("user bob", "pass secret-bob"), ("USER  bob", "PASS secret-bob"),
    (*LOGIN, "STAT"), (*LOGIN, "LIST*"), (*LOGIN, "LIST 1"), (*LOGIN, "LIST 2"), (*LOGIN, "LIST 0"), (*LOGIN, "LIST x"), (*LOGIN, "LIST -1"),
    (*LOGIN, "RETR"), (*LOGIN, "RETR 1*"), (*LOGIN, "RETR 2"), (*LOGIN, "RETR x"), (*LOGIN, "TOP 1 1*"), (*LOGIN, "TOP 1"), (*LOGIN, "TOP 1 -1"),
    (*LOGIN, "TOP 9 1"), (*LOGIN, "UIDL*"), (*LOGIN, "UIDL 1"), (*LOGIN, "UIDL 9"), (*LOGIN, "DELE"), (*LOGIN, "DELE 9"), (*LOGIN, "DELE x"),
    (*LOGIN, "DELE 1", "DELE 1", "RETR 1", "LIST 1", "STAT", "RSET", "STAT"), (*LOGIN, "NOOP"), (*LOGIN, "NONSENSE"), (*LOGIN, "USER bob"), (*LOGIN, "CAPA*"),
    (*LOGIN, "LAST"), (*LOGIN, ""), (*LOGIN, "RETR 1 2"), (*LOGIN, "QUIT"), (*LOGIN, "DELE 1", "RSET", "QUIT"),
]
# Where we mean to differ: {dialogue: (why, number of the reply, ours)}.
POP3_MEANT = {
    ("USER",): ("RFC 1939 7: USER name", 1, "-ERR"),
    ("USER ",): ("RFC 1939 7: USER name", 1, "-ERR"),
    **{words: ("RFC 3206 4: [AUTH] is about the credentials", 1, "-ERR") for words in (("AUTH NONSENSE",), ("AUTH PLAIN !!!",), ("AUTH PLAIN =",))},
}


def as_meant(theirs, meant):
    """Their replies with ours where we mean to differ; it must be a difference."""
    if meant:
        why, at, reply = meant
        assert why and theirs[at] != reply, "no difference any more: take it out"
        theirs[at] = reply
    return theirs


class Line:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 5)
        self.file = self.socket.makefile("rb")

    def line(self):
        return self.file.readline().decode("utf-8", "replace").rstrip("\r\n")

    def send(self, text):
        self.socket.sendall(text.encode() + b"\r\n")

    def close(self):
        self.file.close()
        self.socket.close()


def pop3_status(line):
    """"+OK", "-ERR [AUTH]", "+ " of a challenge; "" at the end."""
    found = re.match(r"(\+OK|-ERR|\+)( \[[A-Z/-]+\])?", line)
    return "".join(g for g in found.groups() if g) if found else line


def play_pop3(port, dialogue):
    c = Line(port)
    said = [pop3_status(c.line())]
    for text in dialogue:
        c.send(text.rstrip("*") if len(text) > 1 else text)
        first = c.line()
        said.append(pop3_status(first))
        if len(text) > 1 and text.endswith("*") and first.startswith("+OK"):
            rest = []
            while (line := c.line()) not in (".", ""):
                rest.append(line)
            said.append(sorted(w for w in rest if not w.startswith(("IMPLEMENTATION", "LOGIN-DELAY", "EXPIRE", "STLS"))) if "CAPA" in text else len(rest) > 0)
    c.close()
    return said


@pytest.mark.parametrize("dialogue", POP3, ids=" | ".join)
def test_pop3(pair, dialogue):
    theirs, ours = (play_pop3(port, dialogue) for port in pair.ports["pop3"])
    assert ours == as_meant(theirs, POP3_MEANT.get(dialogue))


# ---- IMAP ----

IN = ("LOGIN bob secret-bob",)
SELECTED = (*IN, "SELECT INBOX")
IMAP = [
    ("CAPABILITY",), ("NOOP",), ("LOGOUT",), ("NONSENSE",), ("",), ("LOGIN",), ("LOGIN bob",), ("LOGIN bob wrong",), ("LOGIN nobody x",), ("LOGIN bob secret-bob",),
    ('LOGIN "bob" "secret-bob"',), ('LOGIN eve "p\\" \\\\x"',), ("LOGIN bob secret-bob x",), ("SELECT INBOX",), ("FETCH 1 FLAGS",), ("STARTTLS",),
    ("AUTHENTICATE",), ("AUTHENTICATE NONSENSE",), ("AUTHENTICATE PLAIN", "*"), ("AUTHENTICATE PLAIN", "AGJvYgBzZWNyZXQtYm9i"),
    ("AUTHENTICATE PLAIN", "AGJvYgB3cm9uZw=="), ("AUTHENTICATE PLAIN", "!!!"), ("ID NIL",), ('ID ("name" "x")',), ("LOGIN bob wrong", "LOGIN bob secret-bob"),
    (*IN, "LOGIN bob secret-bob"), (*IN, "CAPABILITY"), (*IN, "NOOP"), (*IN, "NONSENSE"), (*IN, "SELECT"), (*IN, "SELECT INBOX"), (*IN, "SELECT nothing"),
    (*IN, "EXAMINE INBOX"), (*IN, 'LIST "" "*"'), (*IN, "LIST"), (*IN, 'LSUB "" "*"'), (*IN, "STATUS INBOX (MESSAGES UNSEEN)"), (*IN, "STATUS nothing (MESSAGES)"),
    (*IN, "STATUS INBOX (X)"), (*IN, "STATUS INBOX"), (*IN, "CREATE box", "CREATE box", "DELETE box", "DELETE box"), (*IN, "CREATE INBOX"), (*IN, "DELETE INBOX"),
    (*IN, "RENAME nothing else"), (*IN, "CREATE a", "CREATE b", "RENAME a b", "DELETE a", "DELETE b"), (*IN, "SUBSCRIBE INBOX"), (*IN, "SUBSCRIBE nothing"),
    (*IN, "UNSUBSCRIBE nothing"), (*IN, "APPEND"), (*IN, "APPEND INBOX"), (*IN, "FETCH 1 FLAGS"), (*IN, "CLOSE"), (*IN, "EXPUNGE"), (*IN, "CHECK"), (*IN, "UNSELECT"),
    (*IN, "NAMESPACE"), (*IN, "GETQUOTAROOT INBOX"), (*IN, "ENABLE CONDSTORE"), (*IN, "ENABLE"), (*IN, "LOGOUT"), (*IN, "IDLE x"),
    (*SELECTED, "FETCH 1 FLAGS"), (*SELECTED, "FETCH 1 (FLAGS"), (*SELECTED, "FETCH 1 NONSENSE"), (*SELECTED, "FETCH 9 FLAGS"), (*SELECTED, "FETCH 0 FLAGS"),
    (*SELECTED, "FETCH x FLAGS"), (*SELECTED, "FETCH"), (*SELECTED, "FETCH 1"), (*SELECTED, "UID FETCH 1 FLAGS"), (*SELECTED, "UID FETCH 999 FLAGS"),
    (*SELECTED, "UID NONSENSE"), (*SELECTED, "FETCH 1 BODY[HEADER.FIELDS (SUBJECT)]"), (*SELECTED, "FETCH 1 BODY[99]"), (*SELECTED, "FETCH 1 BODY["),
    (*SELECTED, "STORE 1 FLAGS (\\Seen)"), (*SELECTED, "STORE 1 FLAGS (\\Nonsense)"), (*SELECTED, "STORE 1 X (\\Seen)"), (*SELECTED, "STORE 9 FLAGS (\\Seen)"),
    (*SELECTED, "STORE 1 FLAGS"), (*SELECTED, "SEARCH ALL"), (*SELECTED, "SEARCH"), (*SELECTED, "SEARCH NONSENSE"), (*SELECTED, "SEARCH CHARSET X-NONE SUBJECT x"),
    (*SELECTED, "SEARCH SINCE yesterday"), (*SELECTED, "SEARCH 9"), (*SELECTED, "COPY 1 nothing"), (*SELECTED, "COPY 9 INBOX"), (*SELECTED, "MOVE 1 nothing"),
    (*SELECTED, "SORT (DATE) UTF-8 ALL"), (*SELECTED, "SORT (X) UTF-8 ALL"), (*SELECTED, "THREAD REFERENCES UTF-8 ALL"), (*SELECTED, "CHECK"), (*SELECTED, "EXPUNGE"),
    (*SELECTED, "UNSELECT", "FETCH 1 FLAGS"), (*SELECTED, "CLOSE", "FETCH 1 FLAGS"), (*SELECTED, "SELECT nothing", "FETCH 1 FLAGS"), (*IN, "EXAMINE INBOX", "STORE 1 FLAGS (\\Seen)"),
]
RESPONSE_CODE = "RFC 9051 7.1: the code says why"
GRAMMAR = "RFC 9051 9: not a command"
IMAP_MEANT = {
    ("AUTHENTICATE NONSENSE",): ("RFC 9051 7.1: no ALERT for what users did not do", 1, "NO"),
    ("AUTHENTICATE PLAIN", "!!!"): ("RFC 9051 6.2.2: malformed base64 is BAD", 2, "BAD"),
    (*IN, "SELECT nothing"): (RESPONSE_CODE, 2, "NO [NONEXISTENT]"),
    (*SELECTED, "SELECT nothing", "FETCH 1 FLAGS"): (RESPONSE_CODE, 3, "NO [NONEXISTENT]"),
    (*IN, "STATUS nothing (MESSAGES)"): (RESPONSE_CODE, 2, "NO [NONEXISTENT]"),
    (*IN, "DELETE INBOX"): (RESPONSE_CODE, 2, "NO [CANNOT]"),
    (*IN, "SUBSCRIBE nothing"): ("RFC 9051 6.3.7: a subscription outlives its mailbox", 2, "OK"),
    (*IN, "ENABLE"): (GRAMMAR, 2, "BAD"),
    (*IN, "IDLE x"): (GRAMMAR, 2, "BAD"),
    (*SELECTED, "STORE 1 FLAGS"): (GRAMMAR, 3, "BAD"),
    (*IN, "EXAMINE INBOX", "STORE 1 FLAGS (\\Seen)"): ("RFC 9051 6.3.3: read-only", 3, "NO"),
}


def imap_status(line):
    """"NO [NONEXISTENT]" of a tagged line, "+" of a challenge."""
    line = line.replace("[MAILBOXID ", "")  # RFC 8474, which Dovecot does not offer
    found = re.match(r"(?:t\d+ |\* )?(OK|NO|BAD|BYE|PREAUTH|\+)( \[[A-Z-]+)?", line)
    return found.group(1) + (found.group(2) + "]" if found.group(2) else "") if found else line


def play_imap(port, dialogue):
    c = Line(port)
    said = [imap_status(c.line())]
    waiting, tag = False, ""
    for at, text in enumerate(dialogue):
        tag = tag if waiting else f"t{at} "
        c.send(text if waiting else tag + text)
        while not (line := c.line()).startswith((tag, "+", "* BYE", "* BAD")) and line:
            pass
        waiting = line.startswith("+")
        said.append("+" if waiting else imap_status(line))
    c.close()
    return said


@pytest.mark.parametrize("dialogue", IMAP, ids=" | ".join)
def test_imap(pair, dialogue):
    theirs, ours = (play_imap(port, dialogue) for port in pair.ports["imap"])
    assert ours == as_meant(theirs, IMAP_MEANT.get(dialogue))


def capabilities(port, *login):
    c = Line(port)
    c.line()
    for at, text in enumerate((*login, "CAPABILITY")):
        c.send(f"t{at} {text}")
        while not (line := c.line()).startswith(f"t{at} "):
            if line.startswith("* CAPABILITY "):
                found = set(line.split()[2:])
    c.close()
    return found


def test_imap_capabilities_before_login(pair):
    theirs, ours = (capabilities(port) for port in pair.ports["imap"])
    assert theirs - ours <= {"LOGIN-REFERRALS"}  # RFC 2221, which nobody has anything to refer to


# ---- saslauthd ----

SASL = [(user, password, service, "example.test") for user, password, service in (
    ("bob", "secret-bob", "smtp"), ("bob", "wrong", "smtp"), ("nobody", "x", "smtp"), ("bob", "", "smtp"), ("", "x", "smtp"), ("bob", "secret-bob", "imap"),
    ("bob", "secret-bob", ""), ("bob", "SECRET-BOB", "smtp"), ("bob", "secret-bob" * 20, "smtp"), ("eve", 'p" \\x', "smtp"))]


def ask(path, fields):
    """The answer's first word, "OK" or "NO". Debian's writes the length and the text apart: read to the end."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(15)
        s.connect(path)
        for text in fields:
            s.sendall(struct.pack(">H", len(text)) + text.encode())
        answer = b""
        while piece := s.recv(1000):
            answer += piece
    (length,) = struct.unpack(">H", answer[:2])
    assert length == len(answer) - 2
    return answer[2:4].decode()


@pytest.fixture(scope="module")
def both_saslauthds(pair):
    """Debian's with its sasldb of the same accounts; ours on the accounts of dovecot.conf."""
    theirs, ours = pair.folder + "/mux", pair.folder + "/ours-mux"
    os.mkdir(theirs)
    database = pair.folder + "/sasldb2"
    for name, password in USERS.items():
        made = pair.ns.run("saslpasswd2", "-p", "-c", "-f", database, "-u", "example.test", name, input=password)
        assert made.returncode == 0, made.stderr
    program = pair.ns.start("sh", "-c", f"mount --bind {database} /etc/sasldb2 && exec /usr/sbin/saslauthd -d -a sasldb -n 0 -m {theirs}", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                            start_new_session=True)  # it ends its whole process group
    pair.server.settings["listen"] += f", saslauthd:{ours}"
    pair.server.stop()
    pair.server.write_conf()
    pair.server.start()
    wait_for(lambda: os.path.exists(theirs + "/mux") and os.path.exists(ours), 10, "both sockets")
    yield theirs + "/mux", ours
    program.terminate()
    program.wait()


@pytest.mark.parametrize("fields", SASL, ids=lambda f: " ".join(f)[:60])
def test_saslauthd(both_saslauthds, fields):
    theirs, ours = (ask(path, fields) for path in both_saslauthds)
    assert ours == theirs
