"""Delivery status notifications that senders ask for (RFC 3461): success and delay, of mail that stays and of mail that leaves."""
import email
import time

import pytest

from harness import DOMAIN, Server, wait_for

NEXT = "next.test"


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A server, and another one that it relays to."""
    other = Server(tmp_path_factory.mktemp("other"), services=("smtp", "imap"), users=("dave",), mydestination=NEXT, myhostname="mx." + NEXT)
    ours = Server(tmp_path_factory.mktemp("ours"), transport_maps="inline:{ " f"{{{NEXT} = smtp:[127.0.0.1]:{other.port['smtp']}}}"
                  " {later.test = smtp:[127.0.0.1]:1} }", mail_name="Foo Mail", minimal_backoff_time="1s", maximal_backoff_time="1s", delay_warning_time="2s",
                  virtual_alias_maps=f"inline:{{ {{ both@{DOMAIN} = bob, dave@{NEXT} }} }}")
    other.settings["transport_maps"] = "inline:{ " f"{{{DOMAIN} = smtp:[127.0.0.1]:{ours.port['smtp']}}}" " }"
    other.write_conf()
    other.start()
    ours.start()
    yield ours, other
    ours.stop()
    other.stop()


def send(server, rcpt, subject, notify="SUCCESS", body="the text\r\n"):
    with server.smtp("submission", "alice") as client:
        client.ehlo()
        client.sendmail("alice@" + DOMAIN, [rcpt], f"From: alice@{DOMAIN}\r\nSubject: {subject}\r\n\r\n{body}", mail_options=["ENVID=e+3Dx"],
                        rcpt_options=[f"NOTIFY={notify}", f"ORCPT=rfc822;{rcpt}"])


def reports(server, subject):
    """(action, status, original recipient, report as text) of each report about the message."""
    found = []
    for raw in server.inbox("alice"):
        message = email.message_from_bytes(raw)
        if message.get_content_type() != "multipart/report" or f"Subject: {subject}".encode() not in raw:
            continue
        envelope, *rcpts = message.get_payload()[1].get_payload()
        assert envelope["Original-Envelope-Id"] == "e=x" and message["Return-Path"] == "<>"
        found += [(r["Action"], r["Status"], r["Original-Recipient"], raw.decode()) for r in rcpts]
    return found


def report(server, subject):
    (one,) = wait_for(lambda: reports(server, subject), 20, "the report of " + subject)
    return one


def test_delivered(pair):
    ours, _ = pair
    send(ours, "bob@" + DOMAIN, "into-a-mailbox")
    action, status, original, text = report(ours, "into-a-mailbox")
    assert (action, status, original) == ("delivered", "2.0.0", "rfc822; bob@" + DOMAIN)
    assert "Subject: Successful Mail Delivery Report" in text and "the text" not in text
    assert "\nX-Foo-Mail-Queue-ID: " in text and " (Foo Mail) with ESMTP" in text and "Postrider)" not in text


def test_the_next_server_reports(pair):
    ours, _ = pair
    send(ours, "dave@" + NEXT, "it-goes-on")
    action, _, _, text = report(ours, "it-goes-on")
    assert action == "delivered" and "mx." + NEXT in text  # and not "relayed", by us, beside it


def test_a_server_without_dsn_is_reported_about(pair):
    ours, other = pair
    other.reload(smtpd_discard_ehlo_keywords="dsn")
    time.sleep(3)  # a connection that is kept idle (2 s) knows what was offered before
    send(ours, "dave@" + NEXT, "relayed-on")
    assert report(ours, "relayed-on")[0] == "relayed"
    other.reload(smtpd_discard_ehlo_keywords=None)


def test_expanded(pair):
    ours, other = pair
    send(ours, "both@" + DOMAIN, "to-several")
    assert report(ours, "to-several")[0] == "expanded"
    wait_for(lambda: any(b"to-several" in m for m in other.inbox("dave")), 20, "dave's mail")
    assert len(reports(ours, "to-several")) == 1


def test_delay(pair):
    ours, _ = pair
    send(ours, "x@later.test", "takes-long", notify="DELAY")
    send(ours, "y@later.test", "takes-long-too", notify="FAILURE")
    action, status, _, text = report(ours, "takes-long\r\n")
    assert action == "delayed" and status.startswith("4.") and "Subject: Delayed Mail" in text
    wait_for(lambda: ours.log().count("to=x@later.test") > 5, 20, "further attempts")
    assert len(reports(ours, "takes-long\r\n")) == 1 and not reports(ours, "takes-long-too")


def test_nobody_asked(pair):
    ours, _ = pair
    send(ours, "bob@" + DOMAIN, "asked-never", notify="NEVER")
    with ours.smtp() as client:
        client.sendmail("", ["bob@" + DOMAIN], "Subject: of-nobody\r\n\r\n", rcpt_options=["NOTIFY=SUCCESS"])
    send(ours, "bob@" + DOMAIN, "asked-after")
    report(ours, "asked-after")
    assert not reports(ours, "asked-never") and not reports(ours, "of-nobody")
