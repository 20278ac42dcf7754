"""What is done to a message on its way in: header_checks and body_checks, and the actions of access tables that concern the
message (PREPEND, HOLD, DISCARD, REDIRECT, BCC)."""
import os
import smtplib
import subprocess
import time

import pytest

from harness import DOMAIN, PROGRAM, Server, free_port, wait_for
from scripted import Scripted

HEADERS = r"""
/^Subject: reject/ REJECT not wanted here
/^Subject: later/ REJECT 4.7.1 not now
/^Subject: discard/ DISCARD away
/^Subject: hold/ HOLD for a look
/^Subject: redirect (\S+)/ REDIRECT $1@example.test
/^Subject: nobody/ REDIRECT nobody@example.test
/^Subject: copy/ BCC carol@example.test
/^Subject: replace (.*)/ REPLACE Subject: [was $1]
/^Subject: warn/ WARN odd
/^X-Secret:/ IGNORE
/^X-Folded: a.*\n\s+b/ PREPEND X-Seen: folded
/^Received:.*by mail\.example\.test/ PREPEND X-Own: seen
"""
BODY = "/^virus/ REJECT 5.7.0 body refused\n/^clean me/ REPLACE cleaned\n"
ACCESS = ("inline:{{prep@example.test = PREPEND X-Access: yes}, {hold@example.test = HOLD}, {drop@example.test = DISCARD}, "
          "{redir@example.test = REDIRECT bob@example.test}, {bcc@example.test = BCC bob@example.test}}")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("content")
    for name, text in (("headers", HEADERS), ("body", BODY), ("aliases", "prep: alice\nhold: alice\ndrop: alice\nredir: alice\nbcc: alice\n")):
        (folder / name).write_text(text)
    s = Server(folder, header_checks=f"pcre:{folder}/headers", body_checks=f"regexp:{folder}/body", alias_maps=str(folder / "aliases"),
               smtpd_recipient_restrictions=f"check_recipient_access {ACCESS}, reject_unauth_destination", minimal_backoff_time="1s")
    s.start()
    yield s
    s.stop()


def send(server, subject, rcpts=("alice",), extra="", body="text\r\n", service="smtp"):
    with server.smtp(service) as client:
        return client.sendmail("a@far.test", [f"{r}@{DOMAIN}" for r in rcpts],
                               f"From: a@far.test\r\nSubject: {subject}\r\n{extra}\r\n{body}")


def mail(server, user, text):
    return [m for m in server.inbox(user) if text.encode() in m]


def refusal(server, *args, **kw):
    with pytest.raises(smtplib.SMTPDataError) as refused:
        send(server, *args, **kw)
    return refused.value.smtp_code, refused.value.smtp_error.decode()


def queue(server, *words):
    done = subprocess.run([PROGRAM, "-c", server.conf, "queue", *words], capture_output=True, text=True, check=False)
    return done.stdout


def test_reject(server):
    assert refusal(server, "reject me") == (550, "5.7.1 not wanted here")
    assert refusal(server, "later") == (451, "4.7.1 not now")
    assert refusal(server, "fine", body="x\r\nvirus\r\n") == (550, "5.7.0 body refused")
    assert not mail(server, "alice", "reject me")


def test_discard(server):
    send(server, "discard this")
    wait_for(lambda: "action=DISCARD" in server.log(), 5, "the log line")
    assert not mail(server, "alice", "discard this")


def test_changes(server):
    send(server, "replace me", extra="X-Secret: s\r\nX-Folded: a\r\n  b\r\n", body="clean me\r\n.dot\r\n")
    (got,) = mail(server, "alice", "Subject: [was me]")
    assert b"X-Secret" not in got and b"\r\nX-Seen: folded\r\nX-Folded: a\r\n  b\r\n" in got
    assert got.endswith(b"\r\n\r\ncleaned\r\n.dot\r\n") and b"\r\nX-Own: seen\r\nReceived: " in got
    send(server, "warn-only")
    assert mail(server, "alice", "Subject: warn-only") and "action=WARN text=odd" in server.log()


def test_redirect_and_copy(server):
    send(server, "redirect bob", rcpts=("alice", "carol"))
    assert len(mail(server, "bob", "Subject: redirect bob")) == 1
    assert not mail(server, "alice", "redirect bob") and not mail(server, "carol", "redirect bob")
    assert refusal(server, "nobody")[0] == 451
    send(server, "copy for carol")
    assert mail(server, "alice", "copy for carol") and mail(server, "carol", "copy for carol")


def test_hold_waits_for_release(server):
    send(server, "hold it", rcpts=("alice", "bob"))
    time.sleep(0.5)
    assert not mail(server, "alice", "hold it")
    listing = queue(server, "list")
    assert "hold" in listing.lower() and "alice@example.test" in listing
    assert "held" in server.ok("trace", "--since", "1h") and "reason=header_checks: HOLD for a look  [" in server.ok("trace", "--since", "1h")
    identity = [w for line in listing.splitlines() for w in line.split() if len(w) >= 13][0].rstrip("!*")
    queue(server, "release", identity)
    wait_for(lambda: mail(server, "alice", "hold it") and mail(server, "bob", "hold it"), 10, "the released mail; " + server.log()[-1500:])
    assert mail(server, "alice", "hold it")[0].startswith(b"Return-Path: <a@far.test>\r\n")


def test_access_actions(server):
    send(server, "access-1", rcpts=("prep",))
    (got,) = mail(server, "alice", "Subject: access-1")
    assert got.startswith(b"Return-Path: <a@far.test>\r\nX-Access: yes\r\nX-Own: seen\r\nReceived: ")
    send(server, "access-2", rcpts=("drop",))
    assert not mail(server, "alice", "access-2")
    send(server, "access-3", rcpts=("redir",))
    assert mail(server, "bob", "access-3") and not mail(server, "alice", "access-3")
    send(server, "access-4", rcpts=("bcc",))
    assert mail(server, "bob", "access-4") and mail(server, "alice", "access-4")
    send(server, "access-5", rcpts=("hold",))
    time.sleep(0.3)
    assert not mail(server, "alice", "access-5")


def rewritten(server, header):
    with server.smtp("smtp") as client:
        client.sendmail("x@far.test", ["carol@" + DOMAIN], header + "Subject: rewritten\r\n\r\nalice@example.test\r\n")
    (got,) = [m for m in server.inbox("carol") if b"rewritten" in m]
    assert got.endswith(b"\r\n\r\nalice@example.test\r\n")
    return got


def test_headers_are_completed_and_masqueraded(tmp_path):
    server = Server(tmp_path, masquerade_domains="!deep.corp.test, corp.test", masquerade_exceptions="root",
                    local_header_rewrite_clients="permit_inet_interfaces", message_drop_headers="bcc, x-drop")
    server.start()
    try:
        got = rewritten(server, "From: Alice <alice@a.corp.test>\r\nTo: bob, \"C, D\" <c@x.deep.corp.test>,\r\n b@a.corp.test, root@a.corp.test\r\n"
                                "Bcc: secret@far.test\r\nX-Drop: 1\r\nX-Keep: alice@a.corp.test\r\n")
    finally:
        server.stop()
    assert b"\r\nFrom: Alice <alice@corp.test>\r\n" in got
    to = got.split(b"\r\nTo: ")[1].split(b"\r\nX-Keep")[0].replace(b"\r\n", b"")
    assert to == b'<bob@mail.example.test>, "C, D" <c@x.deep.corp.test>, <b@corp.test>, <root@a.corp.test>'
    assert b"Bcc" not in got and b"X-Drop" not in got and b"\r\nX-Keep: alice@a.corp.test\r\n" in got
    assert b"\r\nDate: " in got and b"\r\nMessage-ID: <" in got


def test_canonical_maps_rewrite_headers(tmp_path):
    server = Server(tmp_path, canonical_maps="inline:{{alice@example.test = Alice.A@pub.test}, {@old.test = @new.test}}",
                    sender_canonical_maps="inline:{{bob@example.test = robert@example.test}}", canonical_classes="header_sender, header_recipient",
                    sender_canonical_classes="header_sender", local_header_rewrite_clients="permit_inet_interfaces")
    server.start()
    try:
        got = rewritten(server, "From: alice@example.test\r\nTo: bob@example.test, user@old.test\r\nReply-To: bob@example.test\r\n")
    finally:
        server.stop()
    assert b"\r\nFrom: <Alice.A@pub.test>\r\nTo: <bob@example.test>, <user@new.test>\r\nReply-To: <robert@example.test>\r\n" in got


def test_mailbox_mail_names_its_recipient(tmp_path):
    server = Server(tmp_path, enable_original_recipient="yes")
    server.start()
    try:
        send(server, "for-one", rcpts=("alice+x",))
        send(server, "for-two", rcpts=("bob", "carol"))
        (one,), (two,) = mail(server, "alice", "for-one"), mail(server, "carol", "for-two")
        with pytest.raises(smtplib.SMTPDataError) as refused:
            send(server, "looping", rcpts=("alice",), extra=f"Delivered-To: Alice@{DOMAIN}\r\n")
    finally:
        server.stop()
    assert one.startswith(b"Return-Path: <a@far.test>\r\nX-Original-To: alice+x@example.test\r\nDelivered-To: alice+x@example.test\r\nReceived: ")
    assert two.startswith(b"Return-Path: <a@far.test>\r\nX-Original-To: carol@example.test\r\nDelivered-To: carol@example.test\r\nReceived: ")
    assert refused.value.smtp_code == 554 and refused.value.smtp_error.startswith(b"5.4.6 ")


def test_strangers_headers_are_left_alone(server):
    send(server, "stranger", extra="To: nodomain\r\nBcc: x@far.test\r\n")
    (got,) = mail(server, "alice", "Subject: stranger")
    assert b"\r\nTo: nodomain\r\nBcc: x@far.test\r\n" in got and b"Message-ID" not in got


def test_nothing_lingers_in_the_session(server):
    """An action of one transaction has no effect on the next."""
    with server.smtp("smtp") as client:
        client.ehlo()
        client.mail("a@far.test")
        client.rcpt("drop@" + DOMAIN)
        client.rset()
        client.sendmail("a@far.test", ["alice@" + DOMAIN], "Subject: after-rset\r\n\r\nx\r\n")
    assert mail(server, "alice", "after-rset")


def test_changed_table_is_taken_up(server):
    path = os.path.join(server.folder, "body")
    with open(path, "a", encoding="utf-8") as f:
        f.write("/^new rule/ REJECT new\n")
    wait_for(lambda: "file.changed" in server.log(), 10, "the change")
    wait_for(lambda: refused_now(server), 10, "the new rule")


def refused_now(server):
    try:
        send(server, "x", body="new rule\r\n")
    except smtplib.SMTPDataError:
        return True
    return False


def test_filter_of_an_access_table(tmp_path_factory):
    """The mail goes to the filter, and comes back by a listener that does not ask for it."""
    folder = tmp_path_factory.mktemp("filter")
    back = free_port()
    server = Server(folder, mynetworks="127.0.0.0/8", users=("alice", "bob", "carol", "erin"), always_bcc="erin",
                    sender_bcc_maps="inline:{ {filtered@far.test = carol@example.test} }",
                    virtual_alias_maps="inline:{ {all@example.test = alice, bob} }",
                    smtpd_sender_restrictions="check_sender_access inline:{ {filtered@far.test = FILTER smtp:[127.0.0.1]:%d} "
                    "{lost@far.test = FILTER nosuch:x} }" % back)
    server.start()
    other = Server(tmp_path_factory.mktemp("behind"), services=("imap",), users=("alice", "bob", "carol", "erin"), listen=f"smtp://127.0.0.1:{back}",
                   virtual_alias_maps="inline:{ {all@example.test = alice, bob} }")
    other.settings["listen"] += f", imap://127.0.0.1:{other.port['imap']}"
    other.write_conf()
    other.start()
    try:
        server.send(sender="filtered@far.test", rcpts=["all@example.test"], subject="through-a-filter")
        server.send(sender="plain@far.test", rcpts=["all@example.test"], subject="not-filtered")
        for name in ("alice", "bob"):
            wait_for(lambda n=name: any(b"through-a-filter" in m for m in other.inbox(n)), 20, "mail behind the filter")
            subjects = b"".join(server.inbox(name))
            assert b"not-filtered" in subjects and b"through-a-filter" not in subjects
        for name in ("carol", "erin"):
            wait_for(lambda n=name: any(b"through-a-filter" in m for m in other.inbox(n)), 20, "a copy behind the filter")
        assert not server.inbox("carol") and [b"not-filtered" in m for m in server.inbox("erin")] == [True]
        with server.smtp() as client:
            client.ehlo()
            client.mail("lost@far.test")
            assert client.rcpt("alice@example.test")[0] == 451
        assert "there is no such transport" in server.log()
    finally:
        other.stop()
        server.stop()


def test_content_filter(tmp_path_factory):
    """All mail goes round by the filter, addresses mapped, that of sendmail too; what it gives back does not; a table's FILTER counts more."""
    back = free_port()
    server = Server(tmp_path_factory.mktemp("content-filter"), mynetworks="127.0.0.0/8", content_filter=f"smtp:[127.0.0.1]:{back}",
                    virtual_alias_maps="inline:{ {all@example.test = alice, bob} }",
                    smtpd_sender_restrictions="check_sender_access inline:{ {lost@far.test = FILTER nosuch:x} }")
    server.settings["listen"] += f", smtp://127.0.0.1:{back}#filtered"
    server.settings["filtered/content_filter"] = ""
    server.settings["filtered/receive_override_options"] = "no_header_body_checks, no_address_mappings"
    server.write_conf()
    server.start()
    try:
        server.send(sender="x@far.test", rcpts=["all@example.test"], subject="round")
        for name in ("alice", "bob"):
            wait_for(lambda n=name: server.inbox(n), 20, "mail behind the filter")
            (message,) = server.inbox(name)
            assert message.count(b"\r\nReceived: ") == 2, message
        with server.smtp() as client:
            client.ehlo()
            client.mail("lost@far.test")
            assert client.rcpt("alice@example.test")[0] == 451
            assert client.docmd("RSET")[0] == 250
            client.mail("x@far.test")
            assert client.rcpt("nobody@example.test")[0] == 550
        sent = server.command("sendmail", "-i", "-f", "x@far.test", "carol@example.test", input="Subject: local\n\nx\n")
        assert sent.returncode == 0, sent
        wait_for(lambda: server.inbox("carol"), 20, "sendmail's mail behind the filter")
        assert server.inbox("carol")[0].count(b"\r\nReceived: ") == 2
        told = server.command("explain", "--client", "127.0.0.1", "--from", "x@far.test", "--to", "alice@example.test").stdout
        assert f"next hop [127.0.0.1]:{back}" in told and "content_filter" in told, told
        assert f"goes to the content filter smtp:[127.0.0.1]:{back}  [{server.conf}:" in server.ok("config", "route", "alice@example.test")
    finally:
        server.stop()


def test_what_waits_for_a_filter_goes_to_it(tmp_path_factory):
    """Before a repeated attempt the way is looked up anew, but never round a filter."""
    port, checked = free_port(), free_port()
    folder = tmp_path_factory.mktemp("filter-down")
    server = Server(folder, mynetworks="127.0.0.0/8", content_filter=f"smtp:[127.0.0.1]:{port}", relayhost="[127.0.0.1]:1",
                    header_checks="regexp:%s/headers" % folder, smtp_tls_security_level="none")
    (folder / "headers").write_text(f"/^Subject: checked/ FILTER smtp:[127.0.0.1]:{checked}\n")
    server.start()
    try:
        for subject in ("plain", "checked"):
            server.send(sender="x@far.test", rcpts=["alice@example.test", "r@far.test"], subject=subject)
        wait_for(lambda: server.ok("queue", "list").count("Connection refused") == 4, 20, "the filters to be missed")
        with Scripted(("127.0.0.1", port), None) as first, Scripted(("127.0.0.1", checked), None) as second:
            server.ok("queue", "flush", "all")
            for f in (first, second):
                wait_for(lambda f=f: sorted(r for m in f.messages for r in m["to"]) == ["alice@example.test", "r@far.test"], 20, "a filter's mail")
        assert not server.inbox("alice")
    finally:
        server.stop()


PEOPLE = ("alice", "bob", "carol", "erin")
FILTERING = r"""
/^X-Filtered: yes/ PASS
/^Subject: .*filter-lost/ FILTER nosuch:x
/^Subject: .*filter-bad/ FILTER nothing
/^Subject: .*filter-last/ FILTER nosuch:x
/^X-Then: / FILTER smtp:[127.0.0.1]:%(port)d
/^Subject: .*filter-all/ FILTER smtp:[127.0.0.1]:%(port)d
/^Subject: .*filter-both/ REDIRECT carol@example.test
"""


def test_filter_of_header_checks(tmp_path_factory):
    """All recipients go to the filter, a copy too, once; nothing passes where the filter can't be."""
    folder = tmp_path_factory.mktemp("filter-header")
    back = free_port()
    (folder / "headers").write_text(FILTERING % {"port": back})
    server = Server(folder, users=PEOPLE, header_checks=f"pcre:{folder}/headers", always_bcc="bob@example.test",
                    virtual_alias_maps="inline:{ {all@example.test = alice, carol} }")
    server.start()
    other = Server(tmp_path_factory.mktemp("behind-header"), users=PEOPLE, services=("imap",), listen=f"smtp://127.0.0.1:{back}",
                   virtual_alias_maps="inline:{ {all@example.test = alice, carol} }")
    other.settings["listen"] += f", imap://127.0.0.1:{other.port['imap']}"
    other.write_conf()
    other.start()
    try:
        send(server, "filter-all", rcpts=("all", "erin"))
        send(server, "filter-last", extra="X-Then: here\r\n")
        send(server, "filter-both", extra="X-Then: here\r\n")
        send(server, "filter-bad")
        for user, subject in (("alice", "filter-all"), ("carol", "filter-all"), ("erin", "filter-all"), ("alice", "filter-last"),
                              ("carol", "filter-both"), ("bob", "filter-all"), ("bob", "filter-both")):
            wait_for(lambda u=user, s=subject: mail(other, u, s), 20, f"{subject} for {user} behind the filter")
            assert not mail(server, user, subject), (user, subject)
        assert not mail(other, "alice", "filter-both") and mail(server, "alice", "filter-bad")
        assert len(mail(other, "bob", "filter-all")) == 1 and len(mail(server, "bob", "filter-bad")) == 1
        assert refusal(server, "filter-lost")[0] == 451
        assert "there is no such transport" in server.log() and "no transport:destination" in server.log()
    finally:
        other.stop()
        server.stop()
