"""Where mail goes: transports, next hops, address classes; two servers of ours, one of them the next hop."""
import smtplib

import pytest

from harness import DOMAIN, free_port, wait_for

NEXT = "next.test"


def deferred(server, text):
    wait_for(lambda: text in server.log(), 30, f"{text} in the log")


@pytest.fixture
def next_hop(make_server, tmp_path):
    tmp_path.chmod(0o755)
    lmtp = free_port()
    imap = free_port()
    made = make_server(services=(), users=("carol", "dave"), mydestination=NEXT, myhostname="mx." + NEXT,
                       listen=f"lmtp://127.0.0.1:{lmtp}, lmtp:{tmp_path}/lmtp, imap://127.0.0.1:{imap}")
    made.port.update(lmtp=lmtp, imap=imap)
    made.socket = f"{tmp_path}/lmtp"
    return made


@pytest.mark.parametrize("how", ["inet", "unix"])
def test_mail_goes_by_lmtp(make_server, next_hop, how):
    hop = f"inet:127.0.0.1:{next_hop.port['lmtp']}" if how == "inet" else "unix:" + next_hop.socket
    server = make_server(relay_domains=NEXT, relay_transport="lmtp:" + hop, minimal_backoff_time="1s", maximal_backoff_time="2s")
    server.send(sender="alice@" + DOMAIN, rcpts=[f"{name}@{NEXT}" for name in ("carol", "dave", "nobody")], subject="by-lmtp")
    for name in ("carol", "dave"):
        wait_for(lambda: any(b"Subject: by-lmtp" in m for m in next_hop.inbox(name)), 30, "mail for " + name)
    bounce = wait_for(lambda: next((m for m in server.inbox("alice") if b"rfc822; nobody@" in m), None), 30, "the bounce of one")
    assert b"Status: 5.1.1" in bounce and b"550 5.1.1" in bounce
    assert all(len(next_hop.inbox(name)) == 1 for name in ("carol", "dave"))
    assert "with LMTP" in next_hop.inbox("carol")[0].decode()


def test_sockets_that_nobody_named_are_not_connected_to(make_server, tmp_path):
    server = make_server(relay_domains=NEXT, transport_maps="inline:{" + f" {NEXT}=lmtp:unix:{tmp_path}/secret " + "}")
    server.send(rcpts=["x@" + NEXT], subject="to-a-socket")
    deferred(server, "transport_sockets does not permit it")


def test_transports_that_end_at_once(make_server):
    server = make_server(transport_maps="inline:{ {void.test = discard:gone} {later.test = retry:4.4.1 line is down} {odd.test = nosuch:x}"
                         " {err.test = error:5.7.1 not today} }", virtual_alias_maps="inline:{ { all@example.test = "
                         "a@void.test, b@later.test, c@odd.test, d@err.test } }", mynetworks="127.0.0.0/8")
    server.send(sender="alice@" + DOMAIN, rcpts=["all@" + DOMAIN], subject="four-ends")
    deferred(server, "line is down")
    deferred(server, "mail transport unavailable")
    bounce = wait_for(lambda: next((m for m in server.inbox("alice") if b"rfc822; d@err.test" in m), None), 30, "the bounce")
    assert b"Status: 5.7.1" in bounce and b"not today" in bounce
    wait_for(lambda: "rcpt=a@void.test outcome=sent" in server.log(), 30, "the discarded one")
    with server.smtp() as c:
        c.ehlo()
        c.mail("x@y.test")
        assert c.rcpt("d@err.test") == (550, b"5.7.1 <d@err.test>: Recipient address rejected: not today")
        assert c.rcpt("b@later.test")[0] == 450


def test_classes_and_their_replies(make_server):
    server = make_server(virtual_alias_domains="va.test", virtual_mailbox_domains="box.test", relay_domains="relay.test",
                         virtual_alias_maps="inline:{ { info@va.test = alice, bob@example.test } }",
                         virtual_mailbox_maps="inline:{ { eve@box.test = x } }", relay_recipient_maps="inline:{ { r@relay.test = x } }",
                         recipient_bcc_maps="inline:{ { bob@example.test = carol } }")
    with server.smtp() as c:
        c.ehlo()
        c.mail("x@y.test")
        for rcpt, table in (("nobody@" + DOMAIN, "local recipient"), ("x@va.test", "virtual alias"), ("x@box.test", "virtual mailbox"),
                            ("x@relay.test", "relay recipient")):
            code, text = c.rcpt(rcpt)
            assert (code, text.decode()) == (550, f"5.1.1 <{rcpt}>: Recipient address rejected: User unknown in {table} table")
        assert c.rcpt("user%foreign.test@" + DOMAIN)[0] == 554
        assert c.rcpt("user%foreign.test@relay.test")[0] == 554
        assert c.rcpt("eve@box.test")[0] == 250
        assert c.rcpt("r@relay.test")[0] == 250
    server.send(rcpts=["info@va.test", "bob@" + DOMAIN], subject="to-info")
    for name, copies in (("alice", 1), ("bob", 1), ("carol", 1)):
        wait_for(lambda: len(server.inbox(name)) == copies, 30, f"{copies} for {name}")


def test_canonical_senders(make_server):
    server = make_server(canonical_maps="inline:{ { old@example.test = alice@example.test } }", masquerade_domains="corp.test")
    server.send(sender="old@example.test", subject="one")
    server.send(sender="x@a.corp.test", subject="two")
    messages = server.inbox("alice")
    assert any(m.startswith(b"Return-Path: <alice@example.test>") and b"Subject: one" in m for m in messages)
    assert any(m.startswith(b"Return-Path: <x@corp.test>") and b"Subject: two" in m for m in messages)


def test_percent_and_bang_are_followed(make_server):
    server = make_server()
    with server.smtp() as c:
        c.ehlo()
        c.mail("x@y.test")
        assert c.rcpt("alice%example.test@mail.example.test")[0] == 250
        assert c.rcpt("mail.example.test!alice@example.test")[0] == 250
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            server.send(rcpts=["alice%elsewhere.test@example.test"])


def test_unknown_users_bounce_where_nobody_is_listed(make_server, tmp_path):
    """local_recipient_maps = nothing, as the last resort of many an old main.cf: mail is taken, and who is not there bounces."""
    (tmp_path / "main.cf").write_text("myhostname = mail.example.test\nmydestination = $myhostname, example.test\nlocal_recipient_maps =\n"
                                      "alias_maps =\ncompatibility_level = 3.6\nmynetworks = 127.0.0.0/8\n")
    (tmp_path / "master.cf").write_text("smtp inet n - y - - smtpd\nsmtp unix - - y - - smtp\nlocal unix - n n - - local\n")
    server = make_server(postfix_config=str(tmp_path), mydestination=None, myhostname=None)
    server.send(sender="alice@" + DOMAIN, rcpts=["ghost@" + DOMAIN], subject="to-nobody")
    bounce = wait_for(lambda: next((m for m in server.inbox("alice") if b"to-nobody" in m), None), 20, "the bounce")
    assert b"Status: 5.1.1" in bounce and b'unknown user: "ghost"' in bounce
