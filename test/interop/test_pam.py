"""System accounts by PAM: pam_unix on passwd and shadow files of the test's own, which lie over /etc in the server's
mount namespace. The machine's files stay as they are. Needs root."""
import imaplib
import os
import smtplib
import subprocess

import pytest

from harness import DOMAIN, Server

SERVICE = "postrider-test"
STACK = "auth required pam_unix.so\naccount required pam_unix.so\n"
ACCOUNTS = {"dora": "system-dora", "alice": "system-alice", "emil": "system-emil", "locked": None}


def shadow_line(name, password):
    hashed = "!" if password is None else subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"], input=password, capture_output=True, text=True, check=True).stdout.strip()
    expired = "1" if name == "emil" else ""  # the second of January 1970
    return f"{name}:{hashed}:19000:0:99999:7::{expired}:\n"


def make_etc(folder):
    """A layer for /etc with the accounts and the PAM service."""
    (folder / "pam.d").mkdir(parents=True)
    (folder / "pam.d" / SERVICE).write_text(STACK)
    with open("/etc/passwd", encoding="utf-8") as f:
        (folder / "passwd").write_text(f.read() + "".join(
            f"{name}:x:{64920 + i}:64920::/nonexistent:/usr/sbin/nologin\n" for i, name in enumerate(ACCOUNTS)))
    (folder / "shadow").write_text("".join(shadow_line(name, password) for name, password in ACCOUNTS.items()))
    (folder / "shadow").chmod(0o600)
    for path in (folder, folder / "pam.d", folder / "passwd"):
        path.chmod(0o755)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("PAM: needs root for a mount namespace with accounts in it")
    layer = tmp_path_factory.mktemp("etc") / "etc"
    make_etc(layer)
    mount = f"mount -t overlay overlay -o lowerdir={layer}:/etc /etc"
    private = ["unshare", "--mount", "--propagation", "private"]
    tried = subprocess.run([*private, "sh", "-c", mount], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip("PAM: no mount namespace: " + tried.stderr.strip())
    server = Server(tmp_path_factory.mktemp("server"), users=("alice", "bob"), pam_service=SERVICE)
    server.start(prefix=(*private, "sh", "-c", mount + ' && exec "$@"', "sh"))
    yield server
    server.stop()


def imap_login(server, name, password):
    client = imaplib.IMAP4("127.0.0.1", server.port["imap"], timeout=20)
    try:
        client.login(name, password)
        client.select("INBOX", readonly=True)
        return True
    except imaplib.IMAP4.error as refused:
        assert "AUTHENTICATIONFAILED" in str(refused)
        return False
    finally:
        client.shutdown()


def smtp_login(server, name, password):
    with server.smtp("submission") as client:
        try:
            return client.login(name, password)[0] == 235
        except smtplib.SMTPAuthenticationError as refused:
            assert refused.smtp_code == 535
            return False


def test_system_account_gets_mail_and_reads_it(server):
    server.send(rcpts=["dora@" + DOMAIN, "Dora+box@" + DOMAIN], subject="for-a-system-account")
    server.passwords["dora"] = ACCOUNTS["dora"]
    inbox = server.inbox("dora")
    assert len(inbox) >= 1 and all(b"for-a-system-account" in m for m in inbox)
    assert imap_login(server, "dora@" + DOMAIN, ACCOUNTS["dora"])
    client = server.pop3("dora")
    assert client.stat()[0] == len(inbox)
    client.quit()
    assert "via=pam" in server.log()


def test_system_account_sends(server):
    server.passwords["dora"] = ACCOUNTS["dora"]
    server.send(sender="dora@" + DOMAIN, rcpts=["bob@" + DOMAIN], subject="from-dora", service="submission", user="dora")
    assert any(b"from-dora" in m for m in server.inbox("bob"))
    with server.smtp("submission", "dora") as client:
        client.mail("bob@" + DOMAIN)
        assert client.rcpt("bob@" + DOMAIN)[0] == 553  # an address that is not theirs


def test_wrong_password_is_refused(server):
    for name in ("dora", "nobody-at-all"):
        for password in ("wrong", "", ACCOUNTS["alice"]):
            assert not imap_login(server, name, password)
            assert not smtp_login(server, name, password)
    assert smtp_login(server, "dora", ACCOUNTS["dora"])


def test_expired_and_locked_accounts_are_refused(server):
    assert not imap_login(server, "emil", ACCOUNTS["emil"])
    assert not smtp_login(server, "emil", ACCOUNTS["emil"])
    assert not imap_login(server, "locked", "!")


def test_users_file_wins(server):
    assert imap_login(server, "alice", server.passwords["alice"])
    assert not imap_login(server, "alice", ACCOUNTS["alice"])
    assert not smtp_login(server, "alice", ACCOUNTS["alice"])


def test_unknown_account_gets_no_mail(server):
    with server.smtp() as client:
        client.ehlo()
        client.mail("stranger@elsewhere.test")
        assert client.rcpt("nobody-at-all@" + DOMAIN)[0] == 550
        assert client.rcpt("locked@" + DOMAIN)[0] == 250  # it has no password, but it is there


def test_no_password_is_logged(server):
    log = server.log()
    assert not any(password in log for password in ACCOUNTS.values() if password)
