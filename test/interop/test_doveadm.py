"""doveadm beside Debian's Dovecot on the same dovecot.conf, the same accounts and the same mail: exit status and output of each
command. (test_dovecot has what needs no peer.)"""
import imaplib
import os
import pathlib
import re
import tempfile

import pytest

import world  # noqa: F401  (finds tools/peers.py)
import peers
from harness import Server, free_port

CONF = """\
protocols = imap
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 500
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {folder}/users
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    auto = subscribe
  }}
}}
service imap-login {{
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""


@pytest.fixture(scope="module")
def both():
    if os.geteuid() != 0:
        pytest.skip("Debian's Dovecot: needs root")
    with tempfile.TemporaryDirectory(prefix="doveadm.") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        port = free_port()
        conf = CONF.format(folder=folder / "d", port=port)
        (folder / "d").mkdir()
        (folder / "d/users").write_text("".join(f"{user}:one:64914:64914::{folder}/d/mail/{user}::\n" for user in ("nora", "otto"))
                                          + f"named:one:nobody:nogroup::{folder}/d/mail/named::\n")
        (folder / "d/users").chmod(0o644)
        try:
            ns = peers.Namespace(folder / "n", ["dovecot"])
        except peers.Unavailable as why:
            pytest.skip(f"Debian's Dovecot: {why}")
        dovecot = server = None
        try:
            dovecot = peers.Dovecot(ns, folder / "d", conf).start()
            (folder / "s").mkdir()
            server = Server(folder / "s", users=(), services=("imap",), dovecot_config=str(dovecot.path), users_file=None,
                            mail_max_userip_connections=None).start()
            fill(port)
            fill(server.port["imap"])
            yield (lambda *words: ns.run("doveadm", "-c", str(dovecot.path), *words), lambda *words: server.command("doveadm", *words),
                   (port, server.port["imap"]),
                   (lambda *words: ns.run("doveconf", "-c", str(dovecot.path), *words), lambda *words: server.command("doveconf", *words)))
        finally:
            if server:
                server.stop()
            if dovecot:
                dovecot.stop()
            ns.close()


def login(port, user="nora"):
    client = imaplib.IMAP4("127.0.0.1", port, timeout=20)
    client.login(user, "one")
    return client


def fill(port):
    client = login(port)
    for box, flags in (("INBOX", None), ("INBOX", "(\\Seen)"), ("Sent", None)):
        assert client.append(box, flags, None, b"Subject: x\r\n\r\nx\r\n")[0] == "OK"
    for box in ("Plans", "Work", "Work/2024"):
        assert client.create(box)[0] == "OK"
    client.logout()


SAME = [
    "user nobody", "user -f home nora", "user -f uid nora", "user -f uid named", "user -f gid named", "user -f nothing nora", "user *", "user n*", "user x*",
    "auth test nora one", "auth test nora bad", "auth test nobody x", "auth test -x service=imap nora one",
    "pw -s PLAIN -p x", "pw -s SHA256 -p x", "pw -s NOPE -p x", "pw -s PLAIN-MD5 -p x", "pw -t {PLAIN}x -p x", "pw -t {PLAIN}x -p y",
    "mailbox list -u nora", "mailbox list -u nora INBOX", "mailbox list -u nora S*", "mailbox list -u nora Work/*", "mailbox list -u nora nothing*",
    "mailbox list -u nobody", "mailbox list -u otto",
    "mailbox status -u nora messages INBOX", "mailbox status -u nora messages%unseen *", "mailbox status -u nora messages%recent Plans", "mailbox status -t -u nora messages *",
    "mailbox status -u nora messages Nope", "mailbox status -u nora nothing INBOX", "mailbox status -u nobody messages INBOX",
    "kick nobody", "nonsense", "mailbox", "user",
]


@pytest.mark.parametrize("words", SAME)
def test_same_answer(both, words):
    theirs, ours = (run(*[w.replace("%", " ") for w in words.split()]) for run in both[:2])
    assert (ours.returncode, sorted(ours.stdout.splitlines())) == (theirs.returncode, sorted(theirs.stdout.splitlines())), (theirs, ours)


def test_user_with_its_fields(both):
    """Theirs says where the mail lies; ours lies in the store."""
    theirs, ours = (dict(line.split("\t", 1) for line in run("user", "nora").stdout.splitlines()) for run in both[:2])
    theirs.pop("mail", None)
    assert ours == theirs


def test_doveconf(both):
    """Single settings as Dovecot's own says them, those of the file and defaults; all of the file in its form."""
    theirs, ours = both[3]
    for name in ("mail_location", "first_valid_uid", "auth_mechanisms", "disable_plaintext_auth", "quota_full_tempfail", "ssl", "protocols"):
        for words in ((name,), ("-h", name)):
            one, other = (run(*words) for run in (theirs, ours))
            assert (other.returncode, other.stdout) == (one.returncode, one.stdout), (words, one, other)
    text = ours("-n").stdout
    assert text.startswith("# ") and "\nmail_location = maildir:" in text and "\n  inet_listener imaps {\n    port = 0\n  }\n}\n" in text
    block = ours("passdb").stdout.splitlines()
    assert block[0] == "passdb {" and len(block) == 4 and set(block) <= set(theirs("passdb").stdout.splitlines())
    assert "\nlogin_greeting = Dovecot ready.\n" in ours("-a").stdout and "login_greeting" not in text
    assert ours("no_such_setting").returncode == theirs("no_such_setting").returncode == 0
    assert "note: unknown setting: no_such_setting" in ours("no_such_setting").stderr
    assert ours("-x").returncode == 64


def test_doveconf_hides_passwords_and_reads_other_files(both, tmp_path):
    (tmp_path / "more.conf").write_text("ssl_key_password = geheim\nssl_cert = </no/such.pem\nssl = no\n")
    (tmp_path / "d.conf").write_text("ssl = yes\n!include more.conf\n")
    ours = both[3][1]
    assert ours("-c", str(tmp_path / "d.conf"), "-n").stdout.splitlines()[1:] == ["ssl_key_password = # hidden", "ssl_cert = </no/such.pem", "ssl = no"]
    assert ours("-c", str(tmp_path / "none")).returncode == 78


def test_every_scheme_is_understood_by_the_other(both):
    theirs, ours = both[:2]
    schemes = set(ours("pw", "-l").stdout.split())
    # It knows yescrypt as CRYPT, whatever the C library does.
    assert schemes - {"YESCRYPT"} <= set(theirs("pw", "-l").stdout.split())
    for scheme in schemes - {"YESCRYPT"}:
        made = ours("pw", "-s", scheme, "-p", "geheim").stdout.strip()
        assert theirs("pw", "-t", made, "-p", "geheim").stdout == f"{made} (verified)\n", scheme
        made = theirs("pw", "-s", scheme, "-p", "geheim").stdout.strip()
        assert ours("pw", "-t", made, "-p", "geheim").stdout == f"{made} (verified)\n", scheme


def test_who_and_kick(both):
    clients = [login(port) for port in both[2]]
    said = [run("who") for run in both[:2]]
    shape = [[re.sub(r"\(\d+\)", "(PID)", " ".join(line.split())) for line in done.stdout.splitlines()] for done in said]
    assert shape[1] == shape[0] and len(shape[1]) == 2, said
    theirs, ours = (run("who", "-1", "nora") for run in both[:2])
    assert ours.stdout.split()[:3] == theirs.stdout.split()[:3] and ours.returncode == theirs.returncode
    theirs, ours = (run("kick", "nora") for run in both[:2])
    # Theirs writes the name before the sentence that announces it.
    assert (ours.returncode, sorted(ours.stdout.split())) == (theirs.returncode, sorted(theirs.stdout.split())), (theirs, ours)
    for client in clients:
        assert client.readline() in (b"", b"* BYE Server shutting down.\r\n", b"* BYE Disconnected by server.\r\n")
        client.shutdown()


def test_reload(both):
    for run in both[:2]:
        done = run("reload")
        assert (done.returncode, done.stdout) == (0, "")
