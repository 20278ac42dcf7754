"""Mail as it leaves: smtp_generic_maps and smtp_header_checks, as Postfix does it with the same files; which password goes to whom."""
import os
import re
import socket
import sqlite3
import tempfile
import time
import pathlib
import sys

import pytest

from harness import DOMAIN, Server, free_port, wait_for
from scripted import Scripted

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tools"))
import peers  # noqa: E402

GENERIC = """# for the test
alice@example.test  alice.account@isp.test
bob  bob.account@isp.test
team@example.test  @lists.test
@inner.test  everyone@isp.test
odd@example.test  not an address list,
"""
CHECKS = """/^X-Secret:/ IGNORE
/^X-Old: (.*)/ REPLACE X-New: $1
/^Subject: (.*)/ PREPEND X-Seen: $1
/^X-Reject:/ REJECT not here
"""
BODY = """/^password: / REPLACE password: removed
/^drop me/ IGNORE
"""
MESSAGES = {
    "plain": ("alice@example.test", ["x@far.test"], "From: Alice <alice@example.test>\r\nTo: x@far.test\r\nCc: bob@example.test, \"B, C\" <c@inner.test>\r\n"),
    "detail": ("alice+list@example.test", ["y@far.test"], "From: alice+list@example.test\r\nReply-To: team@example.test\r\nTo: y@far.test\r\n"),
    "recipient": ("other@example.test", ["z@inner.test"], "From: other@example.test\r\nTo: z@inner.test\r\nSender: bob+x@example.test\r\n"),
    "null": ("", ["x@far.test"], "From: MAILER-DAEMON@example.test\r\nTo: x@far.test\r\nMail-Followup-To: alice@example.test\r\n"),
    "untouched": ("w@far.test", ["x@far.test"], "From: w@far.test\r\nTo: x@far.test\r\nMessage-Id: <alice@example.test>\r\n"),
    "checked": ("w@far.test", ["x@far.test"], "From: w@far.test\r\nTo: x@far.test\r\nX-Secret: a\r\n b\r\nX-Old: value\r\nX-Reject: no\r\n"),
}
BODY_TEXT = "Hello\r\npassword: swordfish\r\ndrop me now\r\nalice@example.test\r\n"


def message_of(name):
    sender, rcpts, header = MESSAGES[name]
    return sender, rcpts, f"{header}Subject: {name}\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\n\r\n{BODY_TEXT}"


def folded(text):
    """A message without Received, its header's white space and its optional brackets in one form."""
    header, body = text.split("\r\n\r\n", 1)
    header = re.sub(r"\r\n[ \t]+", " ", header)
    lines = [line for line in header.split("\r\n") if not re.match(r"(?i)Received:|Message-Id: <2026", line)]
    lines = [re.sub(r"(?<=[:,] )<([^<>,]+)>", r"\1", line) for line in lines]
    return lines, body.rstrip()


def seen(remote):
    """What a scripted server got, by subject: envelope, header, body."""
    out = {}
    for m in remote.messages:
        lines, body = folded(m["text"])
        subject = next(line[9:] for line in lines if line.startswith("Subject: "))
        out[subject] = (m["from"], m["to"], lines, body)
    return out


def settings_for(base, port):
    base.mkdir()
    base.chmod(0o755)
    (base / "generic").write_text(GENERIC)
    (base / "checks").write_text(CHECKS)
    (base / "body").write_text(BODY)
    return {"relayhost": f"[127.0.0.1]:{port}", "smtp_generic_maps": f"texthash:{base}/generic", "myorigin": DOMAIN, "mydestination": DOMAIN,
            "smtp_header_checks": f"regexp:{base}/checks", "smtp_body_checks": f"regexp:{base}/body", "recipient_delimiter": "+",
            "mynetworks": "127.0.0.0/8", "myhostname": "mail." + DOMAIN, "smtp_tls_security_level": "none"}


def submit(port):
    import smtplib
    for name in MESSAGES:
        sender, rcpts, message = message_of(name)
        with smtplib.SMTP("127.0.0.1", port, timeout=20, local_hostname="client.test") as client:
            client.sendmail(sender, rcpts, message)


@pytest.mark.skipif(os.geteuid() != 0, reason="Postfix runs as root")
@pytest.mark.parametrize("propagate", ["canonical, virtual", "canonical, virtual, generic"])
def test_as_postfix_does(propagate):
    with tempfile.TemporaryDirectory(prefix="outgoing-") as path:
        base = pathlib.Path(path)
        base.chmod(0o755)
        try:
            namespace = peers.Namespace(base / "ns", ["postfix"])
        except peers.Unavailable as why:
            pytest.skip(str(why))
        port = free_port()
        with Scripted(("127.0.0.1", free_port()), None) as remote:
            settings = settings_for(base / "theirs", remote.server.server_address[1])
            postfix = peers.Postfix(namespace, base / "postfix", smtp=f"127.0.0.1:{port}", inet_interfaces="127.0.0.1", local_recipient_maps="",
                                    propagate_unmatched_extensions=propagate, **settings)
            try:
                postfix.start()
                submit(port)
                wait_for(lambda: len(remote.messages) == len(MESSAGES), 30, "Postfix's mail: " + postfix.log()[-2000:])
            finally:
                postfix.stop()
                namespace.close()
            want = seen(remote)
        with Scripted(("127.0.0.1", free_port()), None) as remote:
            (base / "server").mkdir()
            settings = settings_for(base / "mine", remote.server.server_address[1])
            server = Server(base / "server", propagate_unmatched_extensions=propagate, **settings)
            server.start()
            try:
                submit(server.port["smtp"])
                wait_for(lambda: len(remote.messages) == len(MESSAGES), 30, "our mail: " + server.log()[-3000:])
                log = server.log()
            finally:
                server.stop()
            have = seen(remote)
        for name in MESSAGES:
            assert have[name] == want[name], name
        assert "problem=\"the action is not possible for mail on its way out\"" in log


STAGES = [("EHLO", "helo", "EHLO"), ("STARTTLS", "starttls", "STARTTLS"), ("MAIL", "mail", "MAIL FROM"), ("RCPT", "rcpt", "RCPT TO"),
          ("DATA", "data_init", "DATA"), ("message", "data_xfer", "message"), ("end of DATA", "data_done", "end of DATA")]


@pytest.mark.parametrize("command,setting,stage", STAGES)
def test_each_stage_has_its_time_out(make_server, command, setting, stage):
    """One of the time-outs is short, and the server silent at its stage; for `message` there is more than what buffers take."""
    with Scripted(("127.0.0.1", free_port()), None, starttls="broken" if command == "STARTTLS" else None) as remote:
        remote.silent = command
        remote.server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        server = make_server(relayhost=f"[127.0.0.1]:{remote.server.server_address[1]}", mynetworks="127.0.0.0/8", minimal_backoff_time="1s",
                             maximal_backoff_time="1s", **{f"smtp_{setting}_timeout": "1s"})
        server.send(rcpts=["x@far.test"], subject="silence", body=("0123456789" * 7 + "\r\n") * (100000 if command == "message" else 1))
        wait_for(lambda: re.search(rf'relay\.attempt .*to=x@far\.test .*"timed out with .* while waiting for: {stage}"', server.log()), 15,
                 "a time-out: " + server.log()[-2000:])


def test_a_server_silent_at_rset_is_left(make_server):
    """After a transaction that came to nothing, over the same connection: the message had no part in it and goes over another."""
    with Scripted(("127.0.0.1", free_port()), None) as remote:
        remote.silent, remote.refused = "RSET", "no@far.test"
        server = make_server(relayhost=f"[127.0.0.1]:{remote.server.server_address[1]}", mynetworks="127.0.0.0/8", smtp_rset_timeout="1s",
                             smtp_connection_cache_time_limit="10s")
        server.send(sender="", rcpts=["no@far.test"], subject="refused")
        wait_for(lambda: re.search(r"relay\.attempt .*to=no@far\.test .*status=bounced", server.log()), 30, "a refusal")
        server.send(rcpts=["x@far.test"], subject="silence")
        wait_for(lambda: remote.with_subject("silence"), 10, "the mail")
        assert "RSET" in remote.lines and len([line for line in remote.lines if line.startswith("EHLO")]) == 2


@pytest.mark.parametrize("skip", ["yes", "no"])
def test_the_answer_to_quit(make_server, skip):
    """What waits for it holds the only connection that there may be."""
    with Scripted(("127.0.0.1", free_port()), None) as remote:
        remote.silent = "QUIT"
        server = make_server(relayhost=f"[127.0.0.1]:{remote.server.server_address[1]}", mynetworks="127.0.0.0/8", smtp_skip_quit_response=skip,
                             smtp_quit_timeout="4s", smtp_connection_cache_time_limit="0", default_destination_concurrency_limit="1")
        server.send(rcpts=["x@far.test"], subject="one")
        wait_for(lambda: "QUIT" in remote.lines, 15, "the end")
        began = time.monotonic()
        server.send(rcpts=["x@far.test"], subject="two")
        wait_for(lambda: remote.with_subject("two"), 30, "the next")
        assert (time.monotonic() - began > 3) == (skip == "no")


def test_a_table_that_is_gone_defers(make_server, tmp_path):
    with Scripted(("127.0.0.1", free_port()), None) as remote:
        host = f"[127.0.0.1]:{remote.server.server_address[1]}"
        server = make_server(relayhost=host, mynetworks="127.0.0.0/8", smtp_generic_maps=f"hash:{tmp_path}/none",
                             minimal_backoff_time="1s", maximal_backoff_time="1s")
        server.send(rcpts=["x@far.test"], subject="no-table")
        wait_for(lambda: "smtp_generic_maps can't be asked now" in server.log(), 30, "a deferral")
        assert not remote.messages
        server.reload(smtp_generic_maps=None)
        wait_for(lambda: remote.with_subject("no-table"), 30, "the mail")


def test_senders_have_hosts_and_passwords_of_their_own(make_server, tmp_path):
    """sender_dependent_relayhost_maps, sender_dependent_default_transport_maps, smtp_sender_dependent_authentication."""
    with Scripted(("127.0.0.1", free_port()), None, password="pw", users=("a-login", "host-login")) as one, \
            Scripted(("127.0.0.1", free_port()), None, password="pw", users=("b-login",)) as two, \
            Scripted(("127.0.0.1", free_port()), None) as three:
        ports = [s.server.server_address[1] for s in (one, two, three)]
        passwords = tmp_path / "passwords"
        passwords.write_text(f"alice@example.test a-login:pw\n@other.test b-login:pw\n[127.0.0.1]:{ports[0]} host-login:pw\n")
        server = make_server(
            relayhost=f"[127.0.0.1]:{ports[0]}", mynetworks="127.0.0.0/8", smtp_sasl_password_maps=f"texthash:{passwords}",
            smtp_sender_dependent_authentication="yes",
            sender_dependent_relayhost_maps="inline:{ { @other.test = [127.0.0.1]:%d } { dunno@other.test = DUNNO } }" % ports[1],
            sender_dependent_default_transport_maps="inline:{ { @three.test = smtp:[127.0.0.1]:%d } }" % ports[2])
        for sender, subject in (("alice@example.test", "a"), ("carol@example.test", "c"), ("x@other.test", "o"), ("dunno@other.test", "d"),
                                ("t@three.test", "t"), ("alice+x@example.test", "ax")):
            server.send(sender=sender, rcpts=["x@far.test"], subject="from-" + subject)
        wait_for(lambda: len(one.messages) == 3 and len(two.messages) == 1 and len(three.messages) == 1, 30, "mail at each: " + server.log()[-3000:])
        logins = {s: one.with_subject("from-" + s)["login"] for s in ("a", "c", "ax")}
        assert logins == {"a": "a-login", "c": "host-login", "ax": "a-login"}
        assert two.with_subject("from-o")["login"] == "b-login" and three.with_subject("from-t")["login"] is None
        # DUNNO: the table says nothing of it; its password is looked for all the same, and is not this host's.
        wait_for(lambda: re.search(r"relay\.attempt .*from=dunno@other\.test .*5\.7\.8 wrong password", server.log()), 30, "a refusal")
        assert not re.search(r"\bpw\b", server.log())  # an id may have these letters


def test_passwords_of_a_database(make_server, tmp_path):
    """smtp_sasl_password_maps = sqlite: asked without holding anything else up; deferred while it can't be asked."""
    with Scripted(("127.0.0.1", free_port()), None, password="pw") as remote:
        host = f"[127.0.0.1]:{remote.server.server_address[1]}"
        database = sqlite3.connect(tmp_path / "words.db")
        database.executescript(f"CREATE TABLE w (host TEXT, login TEXT);\nINSERT INTO w VALUES ('{host}', 'relayuser:pw');")
        database.close()
        (tmp_path / "w.cf").write_text(f"dbpath = {tmp_path}/words.db\nquery = SELECT login FROM w WHERE host = '%s'\n")
        server = make_server(relayhost=host, mynetworks="127.0.0.0/8", smtp_sasl_password_maps=f"sqlite:{tmp_path}/w.cf",
                             minimal_backoff_time="1s")
        server.send(rcpts=["x@far.test"], subject="asked")
        assert wait_for(lambda: remote.with_subject("asked"), 30, "the mail")["login"] == "relayuser"
        (tmp_path / "words.db").rename(tmp_path / "gone")
        server.reload(smtp_sasl_password_maps=f"sqlite:{tmp_path}/w.cf")
        server.send(rcpts=["x@far.test"], subject="later")
        wait_for(lambda: re.search(r"relay\.attempt .*words\.db", server.log()) or "table.unavailable" in server.log(), 30, "a deferral")
        assert not remote.with_subject("later")
        (tmp_path / "gone").rename(tmp_path / "words.db")
        wait_for(lambda: remote.with_subject("later"), 60, "the mail, later")
        assert ":pw" not in server.log()


@pytest.mark.parametrize("setting,offered,used", [
    ({}, "PLAIN CRAM-MD5", "CRAM-MD5"),
    ({}, "PLAIN LOGIN", "PLAIN"),  # loopback counts as TLS
    ({"smtp_sasl_mechanism_filter": "!plain, static:all"}, "PLAIN CRAM-MD5", "CRAM-MD5"),
    ({"smtp_sasl_tls_security_options": "noplaintext"}, "PLAIN CRAM-MD5", "CRAM-MD5"),
    ({"smtp_sasl_mechanism_filter": "login"}, "PLAIN CRAM-MD5", None),
    ({"smtp_sasl_tls_security_options": "noplaintext, noactive"}, "PLAIN CRAM-MD5", None),
    ({"smtp_sasl_auth_enable": "no"}, "PLAIN CRAM-MD5", ""),
])
def test_mechanisms(make_server, tmp_path, setting, offered, used):
    passwords = tmp_path / "passwords"
    with Scripted(("127.0.0.1", free_port()), None, password="pw", mechanisms=offered) as remote:
        host = f"[127.0.0.1]:{remote.server.server_address[1]}"
        passwords.write_text(f"{host} relayuser:pw\n")
        server = make_server(relayhost=host, mynetworks="127.0.0.0/8", smtp_sasl_password_maps=str(passwords), **setting)
        server.send(rcpts=["x@far.test"], subject="with-password")
        if used:
            assert wait_for(lambda: remote.with_subject("with-password"), 30, "the mail")["login"] == "relayuser"
            assert any(line.startswith("AUTH " + used) for line in remote.lines)
        else:
            text = "offers no mechanism that the settings allow" if used is None else "530 5.7.0 Authentication required"
            wait_for(lambda: text in server.log(), 30, "a deferral, or a refusal")
            assert not any(line.startswith("AUTH") for line in remote.lines)
