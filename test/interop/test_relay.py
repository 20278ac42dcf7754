"""Mail out and in, between Postrider and a real Postfix on another host, with a real name server between."""
import json

import pytest

from harness import DOMAIN, Server, wait_for
from world import US, World, peers


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    try:
        made = World(tmp_path_factory.mktemp("world"))
    except peers.Unavailable as why:
        pytest.skip(f"Postfix in a namespace: {why}")
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(world, tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"), address=US, smtp_dns_resolver=US + ":53",
                    services=("submission", "imap", "smtp"), minimal_backoff_time="1s", maximal_backoff_time="2s",
                    disable_plaintext_auth="no")
    server.port["smtp"] = 25
    server.settings["listen"] = ", ".join(f"{name}://{US}:{port}" for name, port in server.port.items())
    server.write_conf()
    server.start()
    yield server
    server.stop()


def send(server, rcpts, subject, sender="alice@" + DOMAIN, body="hello\r\n"):
    server.send(sender=sender, rcpts=rcpts, subject=subject, body=body, service="submission", user="alice")


def wait_mail(server, text, user="alice"):
    def look():
        return next((m.decode("utf-8", "replace") for m in server.inbox(user) if text in m.decode("utf-8", "replace")), None)
    return wait_for(look, 30, f"mail with {text}; log: {server.log()[-2000:]}")


def queue_is_empty(server):
    return wait_for(lambda: json.loads(server.ok("queue", "list", "--json")) == [], 30, "an empty queue")


def test_mail_leaves_by_mx(server, world):
    send(server, ["user@remote.test", "user@onlya.test"], "leaves-by-mx")
    world.wait_received("Subject: leaves-by-mx")
    wait_for(lambda: world.received().count("Subject: leaves-by-mx") == 2, 30, "both destinations")
    assert "Return-Path: <alice@example.test>" in world.received()
    queue_is_empty(server)


def test_starttls_is_used_when_offered_and_mail_comes_in(server, world):
    world.remote_sends("user@remote.test", "bob@" + DOMAIN, "Subject: from-postfix\n\nhi\n.\nafter\n")
    text = wait_mail(server, "from-postfix", "bob")
    assert "\r\n.\r\nafter" in text and "from mx.remote.test" in text


def test_greylisting_delays(server, world):
    send(server, ["grey1@remote.test"], "greylisted-mail")
    wait_for(lambda: "greylisted, come back" in server.log(), 30, "the first refusal")
    world.wait_received("Subject: greylisted-mail")
    queue_is_empty(server)


def test_unknown_user_bounces_to_the_sender(server, world):
    send(server, ["nobody@remote.test"], "to-nobody")
    text = wait_mail(server, "nobody@remote.test")
    assert "Content-Type: multipart/report" in text and "Action: failed" in text and "Status: 5.1.1" in text
    assert "Diagnostic-Code: smtp; 550" in text and text.startswith("Return-Path: <>")
    assert "Subject: to-nobody" in text
    queue_is_empty(server)


def test_bounce_from_the_remote_comes_home(server, world):
    send(server, ["bouncer@remote.test"], "will-bounce")
    text = wait_mail(server, "this address bounces")
    assert "MAILER-DAEMON" in text and "mx.remote.test" in text


def test_null_mx_and_missing_domain_bounce_at_once(server, world):
    send(server, ["a@nullmx.test", "a@nowhere.test"], "no-such-place")
    assert "5.1.10" in wait_mail(server, "Final-Recipient: rfc822; a@nullmx.test")
    wait_mail(server, "Final-Recipient: rfc822; a@nowhere.test")
    queue_is_empty(server)


def test_mx_that_names_ourselves_is_a_loop(server, world):
    send(server, ["a@loop.test"], "loops")
    assert "5.4.6" in wait_mail(server, "Final-Recipient: rfc822; a@loop.test")


def test_downtime_of_the_remote_is_waited_out(server, world):
    world.postfix.stop()
    send(server, ["user@remote.test"], "through-downtime")
    wait_for(lambda: "(" in server.ok("queue", "list"), 30, "a deferral with its reason")
    server.stop()  # the queue survives a restart of ours, too
    server.start()
    world.postfix.start()
    world.wait_received("Subject: through-downtime", 60)
    assert world.received().count("Subject: through-downtime") == 1
    queue_is_empty(server)


def test_large_and_eight_bit_mail(server, world):
    body = ("ä" * 35 + "\r\n").encode().decode() * 20000
    with server.smtp("submission", "alice") as c:
        c.sendmail("alice@" + DOMAIN, ["big@remote.test"], f"Subject: big-one\r\n\r\n{body}.\r\n..\r\nend-of-big\r\n".encode(),
                   mail_options=["BODY=8BITMIME"])
    world.wait_received("end-of-big", 60)
    assert "\n.\n..\nend-of-big" in world.received() and world.received().count("ä" * 35) == 20000


def test_smtputf8_travels(server, world):
    with server.smtp("submission", "alice") as c:
        c.sendmail("alice@" + DOMAIN, ["utfü@remote.test"], "Subject: grüße-utf8\r\n\r\nx\r\n".encode(),
                   mail_options=["SMTPUTF8", "BODY=8BITMIME"])
    world.wait_received("grüße-utf8")


def test_foreign_mail_from_the_remote_is_not_relayed(server, world):
    world.remote_sends("user@remote.test", "user@[192.0.2.1]", "Subject: literal\n\nx\n")
    with server.smtp() as c:
        c.ehlo()
        c.mail("user@remote.test")
        assert c.rcpt("user@onlya.test")[0] == 554
