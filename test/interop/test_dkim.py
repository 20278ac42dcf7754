"""DKIM signatures of what our users and networks send, verified by dkimpy with the records that `dkim show` prints."""
import json
import pathlib
import subprocess

import dkim
import pytest

from harness import DOMAIN, PROGRAM, Server, wait_for

MESSAGE = "From: Alice <alice@{domain}>\r\nTo: bob@{domain}\r\nSubject: {subject}\r\n\tfolded  subject\r\n\r\n  Body \t with  spaces \r\n\r\n.dot\r\n\r\n\r\n"


def postrider(server, *words):
    return subprocess.run([PROGRAM, "-c", server.conf, "dkim", *words], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dkim")
    s = Server(folder, smtpd_recipient_limit="100")
    keys = []
    for selector, algorithm in (("r1", "rsa"), ("e1", "ed25519")):
        done = postrider(s, "new", DOMAIN, "--selector", selector, "--algorithm", algorithm, "--directory", str(folder / "keys"))
        assert done.returncode == 0, done
        keys.append(done.stdout.strip().splitlines()[-1].strip())
    s.settings["dkim_keys"] = ", ".join(keys)
    s.write_conf()
    s.start()
    yield s
    s.stop()


def records(server):
    return {f"{k['selector']}._domainkey.{k['domain']}.".encode(): k["record"].encode()
            for k in json.loads(postrider(server, "show", "--json").stdout)}


def verified(server, message):
    """The algorithms of the signatures, every one of which must be right."""
    known = records(server)
    head = message.split(b"\r\n\r\n", 1)[0]
    count = head.lower().count(b"dkim-signature:")
    checks = [dkim.DKIM(message) for _ in range(count)]
    assert all(d.verify(idx=i, dnsfunc=lambda name, timeout=5: known[name]) for i, d in enumerate(checks))
    return sorted(bytes(d.signature_fields[b"a"]) for d in checks)


def send(server, subject, service="submission", user="alice", domain=DOMAIN):
    with server.smtp(service, user) as client:
        client.sendmail(f"alice@{domain}", [f"bob@{DOMAIN}"], MESSAGE.format(domain=domain, subject=subject))
    return found(server, subject)


def found(server, subject):
    (message,) = [m for m in server.inbox("bob") if f"Subject: {subject}".encode() in m]
    return message


def test_two_signatures_of_a_user(server):
    message = send(server, "signed")
    assert verified(server, message) == [b"ed25519-sha256", b"rsa-sha256"]
    assert message.index(b"DKIM-Signature:") < message.index(b"Received:")


def test_a_changed_message_fails(server):
    message = send(server, "changed")
    for old, new in ((b"folded", b"forged"), (b"Body", b"body"), (b"Subject: changed", b"Subject: other\r\nSubject: changed")):
        assert old in message
        changed = message.replace(old, new, 1)
        assert not dkim.verify(changed, dnsfunc=lambda name, timeout=5: records(server)[name])
    assert dkim.verify(message, dnsfunc=lambda name, timeout=5: records(server)[name])


def test_strangers_are_not_signed(server):
    """Whoever claims our domain from outside shall not get our word for it."""
    assert verified(server, send(server, "stranger", service="smtp", user=None)) == []


def test_own_networks_are_signed(server):
    server.reload(mynetworks="127.0.0.0/8")
    try:
        assert len(verified(server, send(server, "network", service="smtp", user=None))) == 2
    finally:
        server.reload(mynetworks="")


def test_local_programs_are_signed(server):
    text = MESSAGE.format(domain=DOMAIN, subject="local").replace("\r\n", "\n")
    done = subprocess.run([PROGRAM, "-c", server.conf, "sendmail", "-i", "-f", f"alice@{DOMAIN}", f"bob@{DOMAIN}"], input=text,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    wait_for(lambda: [m for m in server.inbox("bob") if b"Subject: local" in m], 10, "the message")
    assert len(verified(server, found(server, "local"))) == 2


def test_foreign_domains_are_not_signed(server):
    server.reload(smtpd_sender_login_check="no")
    message = send(server, "foreign", service="submission", domain="other.test")
    assert verified(server, message) == []


def test_a_broken_key_is_told(server):
    path = pathlib.Path(server.folder, "keys") / f"{DOMAIN}.e1.pem"
    before = path.read_text()
    path.write_text("broken\n")
    try:
        wait_for(lambda: "dkim.key_left_out" in server.log(), 10, "the log line")
        assert "BEGIN" not in server.log()
        message = send(server, "half")
        assert message.count(b"DKIM-Signature:") == 1 and b"a=rsa-sha256" in message
    finally:
        path.write_text(before)
    numbers = iter(range(100))
    wait_for(lambda: len(verified(server, send(server, f"again {next(numbers)}."))) == 2, 10, "both signatures")


def test_words(server):
    shown = postrider(server, "show", DOMAIN).stdout
    assert shown.count(" IN TXT ( \"v=DKIM1; k=") == 2
    assert all(len(s) <= 255 for s in shown.split('"')[1::2])
    done = postrider(server, "new", DOMAIN, "--selector", "r1", "--directory", str(pathlib.Path(server.folder, "keys")))
    assert done.returncode == 1 and "choose another --selector" in done.stderr
    assert (pathlib.Path(server.folder, "keys") / f"{DOMAIN}.r1.pem").stat().st_mode & 0o777 == 0o600
    assert postrider(server, "new", "bad domain").returncode == 2
    assert postrider(server, "new").returncode == 2


def test_bad_settings(server, tmp_path):
    conf = tmp_path / "postrider.conf"
    conf.write_text(f"dkim_keys = {DOMAIN}:key.pem\n")
    done = subprocess.run([PROGRAM, "-c", str(conf), "config", "check"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and f"{conf}:1" in done.stderr and "DOMAIN:SELECTOR:" in done.stderr
