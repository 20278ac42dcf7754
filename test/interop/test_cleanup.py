"""Settings that master.cf gives a cleanup service: they hold for the mail of the listeners, and of pickup, that name it; and what
receive_override_options leaves out. The
same files for Postfix and for us; all mail goes on to a server that remembers it."""
import os
import pathlib
import re
import smtplib
import subprocess
import sys
import tempfile

import pytest

from harness import DOMAIN, PROGRAM, Server, free_port, wait_for
from scripted import Scripted
from test_outgoing import folded

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tools"))
import peers  # noqa: E402

TABLES = {"main": "/^X-Main:/ IGNORE\n/^X-Old: (.*)/ REPLACE X-New: $1\n", "body": "/^secret/ IGNORE\n",
          "private": "/^(Received|User-Agent):/ IGNORE\n/^Subject: bcc/ BCC second@far.test\n",
          "aliases": "info@v.test three@far.test\n"}
SERVICES = """\
127.0.0.1:{plain} inet n - n - - smtpd
127.0.0.1:{submission} inet n - n - - smtpd
  -o cleanup_service_name=subcleanup
127.0.0.1:{back} inet n - n - - smtpd
  -o cleanup_service_name=subcleanup -o receive_override_options=no_header_body_checks
127.0.0.1:{raw} inet n - n - - smtpd
  -o receive_override_options=no_address_mappings,no_unknown_recipient_checks
127.0.0.1:{mistaken} inet n - n - - smtpd -o header_checks=regexp:{base}/private
subcleanup unix n - n - 0 cleanup
  -o {{ header_checks = regexp:{base}/private }} -o body_checks= -o always_bcc=copy@far.test
  -o virtual_alias_maps=texthash:{base}/aliases -o canonical_maps= -o masquerade_domains=b.test -o recipient_bcc_maps=
"""
HEADER = ("Received: from desktop (desktop [10.1.2.3]) by client.test; Tue, 24 Nov 2026 10:00:00 +0000\r\nUser-Agent: Mailer 1\r\nX-Main: 1\r\n"
          f"X-Old: 2\r\nFrom: alice@{DOMAIN}\r\nTo: x@far.test\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <m@{DOMAIN}>\r\n")
BODY = "\r\nsecret\r\nHello\r\n"
WAYS = ("plain", "submission", "back", "mistaken")
# What maps addresses, and headers that it may change.
MAPPING = {"virtual_alias_domains": "v.test", "virtual_alias_maps": "inline:{ { info@v.test = one@far.test, two@far.test } }",
           "canonical_maps": "inline:{ { old@far.test = new@far.test } }", "masquerade_domains": "a.test",
           "recipient_bcc_maps": "inline:{ { r@far.test = spy@far.test } }"}
MAPPED = "From: old@far.test\r\nTo: u@host.a.test, u@host.b.test\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <n@far.test>\r\n"
MAPS = ("plain", "submission", "raw")


def write(folder, base, port, remote):
    """main.cf's settings, and master.cf's lines."""
    base.mkdir()
    base.chmod(0o755)
    for name, text in TABLES.items():
        (base / name).write_text(text)
    (folder / "master.cf").write_text(peers.MASTER_CF.format(smtp=f"127.0.0.1:{free_port()}").replace(
        "1 pickup\n", "1 pickup -o cleanup_service_name=subcleanup -o content_filter=\n") + SERVICES.format(base=base, **port))


def settings_for(base, remote):
    return {"relayhost": f"[127.0.0.1]:{remote.server.server_address[1]}", "myorigin": DOMAIN, "mydestination": DOMAIN, "mynetworks": "127.0.0.0/8",
            "myhostname": "mail." + DOMAIN, "smtp_tls_security_level": "none", "inet_interfaces": "127.0.0.1", "local_recipient_maps": "",
            "header_checks": f"regexp:{base}/main", "body_checks": f"regexp:{base}/body", **MAPPING}


def submit(port, sendmail):
    """The recipients that were refused, by listener."""
    refused = {}
    for way in MAPS:
        with smtplib.SMTP("127.0.0.1", port[way], timeout=20, local_hostname="client.test") as client:
            said = client.sendmail("old@far.test", ["info@v.test", "gone@v.test", "r@far.test"], f"{MAPPED}Subject: map {way}\r\n{BODY}")
            refused[way] = {rcpt: code for rcpt, (code, _) in said.items()}
    for way in WAYS:
        for subject in (way, f"bcc {way}"):
            with smtplib.SMTP("127.0.0.1", port[way], timeout=20, local_hostname="client.test") as client:
                client.sendmail(f"alice@{DOMAIN}", ["x@far.test"], f"{HEADER}Subject: {subject}\r\n{BODY}")
    done = sendmail("-i", "-f", f"alice@{DOMAIN}", "x@far.test", text=f"{HEADER}Subject: pickup\r\n{BODY}".replace("\r\n", "\n"))
    assert done.returncode == 0, done.stderr
    return refused


def seen(remote):
    """By subject: the recipients of all deliveries, the header, the body, the sender. What is returned stands under ""."""
    out = {}
    for m in remote.messages:
        if not m["from"]:
            out[""] = (0, m["to"], sorted(re.findall(r"Final-Recipient: .*; ?(\S+)(?s:.*?)Status: (\S+)", m["text"])))
            continue
        lines, body = folded(m["text"])
        subject = next(line[9:] for line in lines if line.startswith("Subject: "))
        n = sum(line.startswith("Received:") for line in m["text"].split("\r\n\r\n")[0].split("\r\n"))
        before = out.get(subject, (n, [], lines, body, m["from"]))
        assert before[2:] == (lines, body, m["from"]), subject
        out[subject] = (n, sorted(before[1] + m["to"]), lines, body, m["from"])
    return out


def complete(remote):
    got = seen(remote)
    # always_bcc of subcleanup for six of the nine, and a copy by its header_checks for one; what is mapped, and a report
    return len(got) == 13 and sum(len(g[1]) for subject, g in got.items() if subject) >= 15 + 8


@pytest.mark.skipif(os.geteuid() != 0, reason="Postfix runs as root")
def test_as_postfix_does():
    with tempfile.TemporaryDirectory(prefix="cleanup-") as path:
        base = pathlib.Path(path)
        base.chmod(0o755)
        port = {way: free_port() for way in WAYS + MAPS[2:]}
        try:
            namespace = peers.Namespace(base / "ns", ["postfix"])
        except peers.Unavailable as why:
            pytest.skip(str(why))
        with Scripted(("127.0.0.1", free_port()), None) as remote:
            postfix = peers.Postfix(namespace, base / "postfix", **settings_for(base / "theirs", remote))
            write(postfix.conf, base / "theirs", port, remote)
            try:
                postfix.start()
                refused = submit(port, lambda *words, text: namespace.run("sendmail", "-C", str(postfix.conf), *words, input=text))
                wait_for(lambda: complete(remote), 30, "Postfix's mail: " + postfix.log()[-2000:])
            finally:
                postfix.stop()
                namespace.close()
            want = seen(remote)
        with Scripted(("127.0.0.1", free_port()), None) as remote:
            folder = base / "etc"
            for sub in (folder, base / "server"):
                sub.mkdir()
            settings = settings_for(base / "mine", remote)
            (folder / "main.cf").write_text("compatibility_level = 3.6\nalias_maps =\n" + "".join(f"{k} = {v}\n" for k, v in settings.items()))
            write(folder, base / "mine", port, remote)
            server = Server(base / "server", services=(), listen=None, myhostname=None, mydestination=None, postfix_config=folder)
            server.port = {"smtp": port["plain"]}
            checked = server.command("config", "check")
            server.start()
            try:
                assert refused == submit(port, lambda *words, text: subprocess.run(
                    [PROGRAM, "-c", server.conf, "sendmail", *words], input=text, capture_output=True, text=True, check=False))
                explained = [server.command("explain", "--client", "127.0.0.1", "--from", "x@far.test", "--to", "info@v.test", "--service",
                                            f"127.0.0.1:{port[way]}").stdout for way in MAPS]
                wait_for(lambda: complete(remote), 30, "our mail: " + server.log()[-3000:])
            finally:
                server.stop()
            have = seen(remote)
    assert checked.returncode == 0 and "header_checks does nothing here, in Postfix neither" in checked.stdout + checked.stderr
    for subject, theirs in want.items():
        assert have[subject] == theirs, subject
    for way in ("submission", "pickup"):
        assert have[way][0] == 0 and "User-Agent: Mailer 1" not in have[way][2] and "X-Main: 1" in have[way][2]
        assert "secret" in have[way][3] and "copy@far.test" in have[way][1]
    for way in ("plain", "mistaken"):
        assert have[way][0] == 2 and "User-Agent: Mailer 1" in have[way][2] and "X-New: 2" in have[way][2]
        assert "secret" not in have[way][3] and have[way][1] == ["x@far.test"]
    assert "User-Agent: Mailer 1" in have["back"][2] and "X-Old: 2" in have["back"][2] and "secret" in have["back"][3]
    assert refused == {"plain": {"gone@v.test": 550}, "submission": {"gone@v.test": 550}, "raw": {}}
    assert [have["map " + way][1] for way in MAPS] == [["one@far.test", "r@far.test", "spy@far.test", "two@far.test"],
                                                       ["copy@far.test", "r@far.test", "three@far.test"], ["r@far.test"]]
    assert [have["map " + way][4] for way in MAPS] == ["new@far.test", "old@far.test", "old@far.test"]
    assert ["host.a.test" in "".join(have["map " + way][2]) for way in MAPS] == [False, True, True]
    assert have[""][1:] == (["new@far.test"], [("gone@v.test", "5.1.1"), ("info@v.test", "5.1.1")])  # a report is mapped as all mail
    assert "one@far.test" in explained[0] and "three@far.test" in explained[1] and "unknown in virtual alias table" in explained[2], explained
