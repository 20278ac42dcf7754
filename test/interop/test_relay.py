"""Mail out and in, between Postrider and a real Postfix on another host, with a real name server between."""
import json
import re
import smtplib
import tempfile
import threading
import time

import pytest

from harness import DOMAIN, Server, wait_for
from scripted import Scripted
from world import SCRIPTED, US, World, peers


@pytest.fixture(scope="module")
def world():
    # Not below pytest's own folder: each start of a pytest takes that from the others, Postfix's user included.
    with tempfile.TemporaryDirectory(prefix="postrider-world-", ignore_cleanup_errors=True) as folder:
        try:
            made = World(folder)
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


def test_starttls_is_used_when_offered(server, world):
    send(server, ["user@remote.test"], "by-tls")
    world.wait_received("Subject: by-tls")
    message = next(m for m in world.messages() if "Subject: by-tls" in m)
    assert re.search(r"from mail\.example\.test .*\n\s*\(using TLSv1\.[23] with cipher", message), message
    assert re.search(r"relay\.attempt .*to=user@remote\.test .*tls=\"TLSv1\.[23] ", server.log())


def test_mail_comes_in(server, world):
    world.remote_sends("user@remote.test", "bob@" + DOMAIN, "Subject: from-postfix\n\nhi\n.\nafter\n")
    text = wait_mail(server, "from-postfix", "bob")
    assert "\r\n.\r\nafter" in text and "from mx.remote.test" in text
    assert "with ESMTPS" in text


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


def test_fallback_relay_for_what_is_not_found(server, world):
    """It gets what can't be found, not what is not wanted; one that can't be used itself returns nothing."""
    with Scripted((SCRIPTED, 2599), None) as fallback:
        server.reload(smtp_fallback_relay=f"[{SCRIPTED}]:2599")
        try:
            send(server, ["a@nowhere.test", "a@nullmx.test", "a@loop.test"], "to-the-fallback")
            message = wait_for(lambda: fallback.with_subject("to-the-fallback"), 30, "mail at the fallback")
            assert message["to"] == ["a@nowhere.test"]
            wait_mail(server, "Final-Recipient: rfc822; a@loop.test")
            queue_is_empty(server)
            server.reload(smtp_fallback_relay="[nowhere.test]")
            send(server, ["b@nowhere.test"], "no-fallback")
            wait_for(lambda: "no fallback relay can be used" in server.ok("queue", "list", "--json"), 30, "it is put off")
            assert "relay.fallback" in server.log()
        finally:
            server.reload(smtp_fallback_relay=None)
    wait_mail(server, "Final-Recipient: rfc822; b@nowhere.test")
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


@pytest.mark.parametrize("how", ["refused", "broken"])
def test_tls_that_fails_is_done_without_unless_required(server, world, how):
    with Scripted((SCRIPTED, 25), world.certificate, starttls=how) as remote:
        send(server, ["any@scripted.test"], f"{how}-may")
        wait_for(lambda: remote.with_subject(f"{how}-may"), 30, "the mail in clear")
        assert not remote.with_subject(f"{how}-may")["tls"]
        queue_is_empty(server)
        server.reload(smtp_tls_security_level="encrypt")
        try:
            send(server, [f"{how}@scripted.test"], f"{how}-encrypt")
            wait_for(lambda: re.search(rf"relay\.attempt .*to={how}@scripted\.test.*dsn=4\.7\.\d.*status=deferred", server.log()),
                     30, "a deferral")
            assert not remote.with_subject(f"{how}-encrypt")
            remote.starttls = "works"
            wait_for(lambda: remote.with_subject(f"{how}-encrypt"), 30, "the mail under TLS")
            assert remote.with_subject(f"{how}-encrypt")["tls"]
        finally:
            server.reload(smtp_tls_security_level=None)
        queue_is_empty(server)


def test_relayhost_gets_the_password_under_tls_only(server, world, tmp_path):
    passwords = tmp_path / "passwords"
    passwords.write_text(f"# of the test\n[{SCRIPTED}]:2526 relayuser:relay:secret\n")
    server.reload(relayhost=f"[{SCRIPTED}]:2526", smtp_sasl_password_maps=str(passwords))
    try:
        with Scripted((SCRIPTED, 2526), world.certificate, password="relay:secret") as remote:
            send(server, ["user@nowhere.test", "user@nullmx.test"], "by-relayhost")
            wait_for(lambda: "the password is not sent without TLS" in server.log(), 30, "a deferral")
            assert not any(line.startswith("AUTH") for line in remote.lines)
            remote.starttls = "refused"
            wait_for(lambda: "454 4.7.0 TLS not available" in server.log(), 30, "another deferral")
            remote.starttls = "works"
            message = wait_for(lambda: remote.with_subject("by-relayhost"), 30, "the mail")
            assert message["tls"] and message["login"] == "relayuser"
            queue_is_empty(server)
            passwords.write_text(f"{SCRIPTED} relayuser:another\n")
            server.reload()
            send(server, ["user@elsewhere.test"], "wrong-password")
            wait_for(lambda: "535 5.7.8 wrong password" in server.log() or "5.7.8 wrong" in server.log(), 30, "a refusal")
            remote.password = "another"
            wait_for(lambda: remote.with_subject("wrong-password"), 30, "the mail after the password was mended")
            queue_is_empty(server)
    finally:
        server.reload(relayhost=None, smtp_sasl_password_maps=None)
    assert "relay:secret" not in server.log()


def test_domains_behind_a_relayhost_share_a_transaction(server, world):
    """And what waits for a relayhost that is gone takes the new one, once the settings say so."""
    server.reload(relayhost=f"[{SCRIPTED}]:2527")
    try:
        send(server, [f"user{i}@domain{i}.test" for i in range(20)], "through-the-hub")
        wait_for(lambda: "Connection refused" in server.log(), 30, "a refused connection")
        with Scripted((SCRIPTED, 2528), world.certificate) as hub:
            server.reload(relayhost=f"[{SCRIPTED}]:2528")
            message = wait_for(lambda: hub.with_subject("through-the-hub"), 30, "the mail")
            queue_is_empty(server)
            assert message["rcpts"] == 20 and len(hub.messages) == 1
    finally:
        server.reload(relayhost=None)


def test_another_resolver_is_taken_without_a_restart(server, world):
    relay = server.role_pids()["relay"]
    server.reload(smtp_dns_resolver=SCRIPTED + ":5353")  # nobody answers there
    try:
        send(server, ["user@remote.test"], "no-resolver")
        wait_for(lambda: "relay.resolver_changed" in server.log(), 30, "the change")
        time.sleep(1)
        assert "no-resolver" not in world.received()
    finally:
        server.reload(smtp_dns_resolver=US + ":53")
    send(server, ["user@remote.test"], "resolver-back")
    world.wait_received("Subject: resolver-back", 60)
    server.reload(smtp_dns_resolver=None)
    server.reload(smtp_dns_resolver=US + ":53")
    send(server, ["user@remote.test"], "resolver-again")
    world.wait_received("Subject: resolver-again", 60)
    world.wait_received("Subject: no-resolver", 60)
    assert server.role_pids()["relay"] == relay
    queue_is_empty(server)


def test_recipients_of_a_destination_share_a_transaction(server, world):
    send(server, ["utf1@remote.test", "utf2@remote.test", "nobody2@remote.test", "utf3@remote.test"], "three-at-once")
    wait_for(lambda: world.received().count("Subject: three-at-once") == 3, 30, "three copies")
    assert "nrcpt=3 " in world.postfix.log()
    assert "Final-Recipient: rfc822; nobody2@remote.test" in wait_mail(server, "rfc822; nobody2@remote.test")
    queue_is_empty(server)


def test_connections_are_used_again(server, world):
    server.reload(default_destination_concurrency_limit="1")
    before = world.postfix.log()
    try:
        for i in range(6):
            send(server, ["user@remote.test"], f"reuse-{i}")
        for i in range(6):
            world.wait_received(f"Subject: reuse-{i}")
        queue_is_empty(server)
    finally:
        server.reload(default_destination_concurrency_limit=None)
    since = world.postfix.log()[len(before):]
    assert since.count(f": connect from unknown[{US}]") <= 3, since


class Sender(threading.Thread):
    """Submits foreign mail until told to stop; remembers what was acknowledged."""

    def __init__(self, server, name):
        super().__init__()
        self.server, self.prefix = server, name
        self.acknowledged, self.stopping = [], False

    def run(self):
        for i in range(1000):
            if self.stopping:
                return
            subject = f"{self.prefix}-{i}-end"
            try:
                send(self.server, ["user@remote.test", "user@onlya.test"], subject)
                self.acknowledged.append(subject)
            except (OSError, smtplib.SMTPException):
                time.sleep(0.02)


def send_until(server, name, kill):
    """What was acknowledged before and while kill() ran."""
    sender = Sender(server, name)
    sender.start()
    wait_for(lambda: len(sender.acknowledged) >= 5, 20, "some mail in the queue")
    kill()
    sender.stopping = True
    sender.join()
    return sender.acknowledged


def kill_and_wait(server, role):
    server.kill_role(role)
    time.sleep(0.2)
    server.wait_ready()


def kill_and_start(server):
    server.kill_everything()
    server.start()


@pytest.mark.crash
def test_queue_outlives_every_kill(server, world):
    """At least once: nothing that was acknowledged is lost, whoever dies while it is taken, waits or leaves."""
    world.postfix.stop()
    sent = send_until(server, "q-all", server.kill_everything)
    server.start()
    sent += send_until(server, "q-mailbox", lambda: kill_and_wait(server, "mailbox"))
    sent += send_until(server, "q-relay", lambda: kill_and_wait(server, "relay"))
    world.postfix.start()
    sent += send_until(server, "q-up-relay", lambda: kill_and_wait(server, "relay"))
    sent += send_until(server, "q-up-mailbox", lambda: kill_and_wait(server, "mailbox"))
    sent += send_until(server, "q-up-all", lambda: kill_and_start(server))
    queue_is_empty(server)

    def missing():
        arrived = world.received()
        return [s for s in sent if arrived.count(f"Subject: {s}\n") < 2]
    wait_for(lambda: not missing(), 30, f"all of {len(sent)} messages")
