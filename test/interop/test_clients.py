"""Real clients against the running server: swaks, curl, msmtp, fetchmail, mutt, mbsync. Python's own are everywhere
else. A program that is not installed skips its tests by name."""
import os
import shutil
import subprocess
import uuid

import pytest

from harness import DOMAIN, wait_for

ALICE, BOB = "alice@" + DOMAIN, "bob@" + DOMAIN


def need(program):
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")


def run(home, *command, **options):
    """Runs a client with a home of its own; returns it when it ended with 0."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", "TERM": "dumb"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture
def token():
    return "tok-" + uuid.uuid4().hex[:12]


def message(token, sender=ALICE):
    return f"From: <{sender}>\nTo: <{BOB}>\nSubject: {token}\n\nbody of {token}\n.leading dot\n..two\n"


def arrived(server, token, user="bob"):
    def look():
        return [m for m in server.inbox(user) if token.encode() in m]
    found = wait_for(look, 15, "arrival of " + token)
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("options", [
    ["--auth", "PLAIN"], ["--auth", "LOGIN"], ["--auth", "PLAIN", "--tls"], ["--auth", "LOGIN", "--pipeline"],
    ["--auth", "PLAIN", "--tls-on-connect", "submissions"],
], ids=lambda o: "-".join(o).replace("--", ""))
def test_swaks_submits(server, tmp_path, token, options):
    need("swaks")
    service = "submissions" if options[-1] == "submissions" else "submission"
    run(tmp_path, "swaks", "--server", "127.0.0.1", "--port", str(server.port[service]), "--from", ALICE, "--to", BOB,
        "--auth-user", "alice", "--auth-password", server.passwords["alice"], "--header", "Subject: " + token,
        *[o for o in options if o != "submissions"])
    arrived(server, token)


def test_swaks_is_refused(server, tmp_path):
    need("swaks")
    base = ["swaks", "--server", "127.0.0.1", "--from", ALICE, "--hide-all"]
    wrong = subprocess.run([*base, "--port", str(server.port["submission"]), "--to", BOB, "--auth", "PLAIN", "--auth-user",
                            "alice", "--auth-password", "no"], capture_output=True, check=False)
    assert wrong.returncode == 28
    relay = subprocess.run([*base, "--port", str(server.port["smtp"]), "--to", "x@remote.test", "--quit-after", "RCPT"],
                           capture_output=True, check=False)
    assert relay.returncode == 24


@pytest.mark.parametrize("url,options", [
    ("smtp://{submission}", ["--login-options", "AUTH=PLAIN"]), ("smtp://{submission}", ["--login-options", "AUTH=LOGIN"]),
    ("smtp://{submission}", ["--ssl-reqd", "-k"]), ("smtps://{submissions}", ["-k"]),
], ids=["plain", "login", "starttls", "smtps"])
def test_curl_submits(server, tmp_path, token, url, options):
    need("curl")
    (tmp_path / "m").write_text(message(token))
    where = url.format(**{k: f"127.0.0.1:{v}" for k, v in server.port.items()})
    run(tmp_path, "curl", "-sS", "--crlf", "--url", where, "--mail-from", ALICE, "--mail-rcpt", BOB, "-T",
        str(tmp_path / "m"), "-u", "alice:" + server.passwords["alice"], *options)
    assert b"\r\n.leading dot\r\n..two\r\n" in arrived(server, token)


def test_curl_reads_imap_and_pop3(server, tmp_path, token):
    need("curl")
    server.send(rcpts=[BOB], subject=token, body="body of " + token + "\r\n")
    login = ["-u", "bob:" + server.passwords["bob"]]
    for url, extra in ((f"imap://127.0.0.1:{server.port['imap']}", []), (f"imaps://127.0.0.1:{server.port['imaps']}", ["-k"]),
                       (f"imap://127.0.0.1:{server.port['imap']}", ["-k", "--ssl-reqd"])):
        assert "INBOX" in run(tmp_path, "curl", "-sS", *extra, *login, url + "/").stdout
        number = run(tmp_path, "curl", "-sS", *extra, *login, f"{url}/INBOX?SUBJECT%20{token}").stdout.split()[-1]
        assert "body of " + token in run(tmp_path, "curl", "-sS", *extra, *login, f"{url}/INBOX;MAILINDEX={number}").stdout
    for url, extra in ((f"pop3://127.0.0.1:{server.port['pop3']}", []), (f"pop3s://127.0.0.1:{server.port['pop3s']}", ["-k"])):
        count = len(run(tmp_path, "curl", "-sS", *extra, *login, url + "/").stdout.split("\n")) - 1
        assert "body of " + token in run(tmp_path, "curl", "-sS", *extra, *login, f"{url}/{count}").stdout


@pytest.mark.parametrize("auth,tls", [("plain", "off"), ("login", "off"), ("plain", "on")])
def test_msmtp_submits(server, tmp_path, token, auth, tls):
    need("msmtp")
    run(tmp_path, "msmtp", "--host=127.0.0.1", f"--port={server.port['submission']}", "--from=" + ALICE, "--auth=" + auth,
        "--tls=" + tls, "--tls-certcheck=off", "--user=alice", "--passwordeval=echo " + server.passwords["alice"], "--", BOB,
        input=message(token))
    arrived(server, token)


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_fetchmail_fetches(server, tmp_path, token, protocol):
    need("fetchmail")
    server.send(rcpts=[BOB], subject=token, body="body of " + token + "\r\n")
    rc = tmp_path / "rc"
    rc.write_text(f"poll 127.0.0.1 service {server.port[protocol]} proto {protocol} auth password user \"bob\" pass "
                  f"\"{server.passwords['bob']}\" sslproto \"\" fetchall nokeep mda \"cat >> {tmp_path}/got\"\n")
    rc.chmod(0o600)
    run(tmp_path, "fetchmail", "--nosyslog", "--pidfile", str(tmp_path / "pid"), "-i", str(tmp_path / "ids"), "-f", str(rc))
    assert "body of " + token in (tmp_path / "got").read_text()
    assert all(token.encode() not in m for m in server.inbox("bob"))


def test_mbsync_synchronises_both_ways(server, tmp_path, token):
    need("mbsync")
    server.send(rcpts=[BOB], subject=token, body="body of " + token + "\r\n")
    (tmp_path / "mail").mkdir()
    (tmp_path / "rc").write_text(
        f"IMAPAccount a\nHost 127.0.0.1\nPort {server.port['imap']}\nUser bob\nPass {server.passwords['bob']}\nSSLType None\n"
        f"AuthMechs LOGIN\n\nIMAPStore far\nAccount a\n\nMaildirStore near\nPath {tmp_path}/mail/\nInbox {tmp_path}/mail/INBOX\n"
        "SubFolders Verbatim\n\nChannel c\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\nExpunge Both\nSyncState *\n")
    sync = ("mbsync", "-q", "-c", str(tmp_path / "rc"), "c")
    run(tmp_path, *sync)
    inbox = tmp_path / "mail" / "INBOX"
    pulled = next(f for sub in ("new", "cur") for f in (inbox / sub).iterdir() if token in f.read_text())
    pulled.rename(inbox / "cur" / (pulled.name.split(":2,")[0] + ":2,FS"))
    (inbox / "new" / "1.pushed.x").write_text(message(token + "-pushed"))
    run(tmp_path, *sync)
    client = server.imap("bob")
    client.select("INBOX")
    assert len(client.search(None, "FLAGGED", "SUBJECT", f'"{token}"')[1][0].split()) == 1
    pushed = client.search(None, "SUBJECT", f'"{token}-pushed"')[1][0].split()
    assert len(pushed) == 1
    client.store(pushed[0], "+FLAGS", r"(\Deleted)")
    client.expunge()
    client.logout()
    run(tmp_path, *sync)
    assert not any(token + "-pushed" in f.read_text() for sub in ("new", "cur") for f in (inbox / sub).iterdir())


def test_mutt_sends(server, tmp_path, token):
    need("mutt")
    (tmp_path / "Mail").mkdir()
    run(tmp_path, "mutt", "-n", "-F", "/dev/null", "-e", f"set from='{ALICE}'", "-e",
        "set use_envelope_from=yes ssl_starttls=no ssl_force_tls=no copy=no", "-e",
        f"set smtp_url='smtp://alice:{server.passwords['alice']}@127.0.0.1:{server.port['submission']}/'", "-e",
        "set smtp_authenticators='plain'", "-s", token, BOB, input="body of " + token + "\n")
    arrived(server, token)


def test_mutt_reads(server, tmp_path, token):
    need("mutt")
    server.send(rcpts=[BOB], subject=token, body="body of " + token + "\r\n")
    (tmp_path / "Mail").mkdir()
    box = tmp_path / "box"
    (tmp_path / "rc").write_text(
        f"set folder='imap://127.0.0.1:{server.port['imap']}/' imap_user='bob' imap_pass='{server.passwords['bob']}'\n"
        "set ssl_starttls=no ssl_force_tls=no confirmappend=no confirmcreate=no mbox_type=mbox move=no copy=no delete=yes "
        "quit=yes wait_key=no\n"
        f"push \"<search>~s {token}<enter><copy-message><kill-line>{box}<enter><quit>\"\n")
    run(tmp_path, "script", "-qec", f"mutt -n -F {tmp_path}/rc -f imap://127.0.0.1:{server.port['imap']}/INBOX", "/dev/null",
        stdin=subprocess.DEVNULL)
    assert "body of " + token in box.read_text()
