"""`postrider trace`: each station of a message's journey, from the connection to the mailbox or the remote's words."""
import json

import pytest

from harness import DOMAIN, Server, wait_for


def trace(server, *words):
    return json.loads(server.ok("trace", *words, "--json"))


def events(server, *words):
    return [e for m in trace(server, *words) for e in m["events"]]


def names(server, *words):
    return [e["event"] for e in events(server, *words)]


def send(server, subject, rcpts, sender="alice@" + DOMAIN, service="submission", user="alice"):
    """Sends; the message's id, as the log has it."""
    with server.smtp(service, user) as client:
        client.sendmail(sender, list(rcpts), f"From: <{sender}>\r\nTo: x@y\r\nMessage-ID: <{subject}@client.test>\r\nSubject: {subject}\r\n\r\nx\r\n")
    return trace(server, f"<{subject}@client.test>")[0]["id"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = Server(tmp_path_factory.mktemp("trace"), virtual_alias_maps="inline:{ { all@example.test = a@void.test, b@later.test, "
                     "c@err.test } { later@example.test = b@later.test } }", minimal_backoff_time="1s", transport_maps="inline:{ {void.test = discard:gone} "
                         "{later.test = retry:4.4.1 line is down} {err.test = error:5.7.1 not today} }").start()
    yield started
    started.stop()


def test_into_a_mailbox(server):
    ident = send(server, "own", ["bob@" + DOMAIN])
    accepted, stored = events(server, ident)
    assert accepted["event"] == "accepted" and stored["event"] == "stored"
    assert accepted["client"] == "127.0.0.1" and accepted["helo"] == "client.test" and accepted["service"] == "submission"
    assert accepted["login"] == "alice" and accepted["from"] == "alice@" + DOMAIN and accepted["message_id"] == "<own@client.test>"
    (rcpt,) = accepted["recipients"]
    assert rcpt["to"] == "bob@" + DOMAIN and rcpt["rule"] and rcpt["targets"] == ["local bob"]
    assert (stored["account"], stored["mailbox"], stored["uid"]) == ("bob", "INBOX", "1")
    text = server.ok("trace", ident)
    assert text.startswith(ident + "\n") and "to=bob@" + DOMAIN in text and "mailbox=INBOX uid=1" in text and "target=mailbox bob" in text


def test_later_moves_and_deletion(server):
    ident = send(server, "moves", ["carol@" + DOMAIN])
    with server.imap("carol") as client:
        client.select("INBOX")
        (number,) = client.search(None, "SUBJECT", "moves")[1][0].split()
        client.copy(number, "Archive")
        client._simple_command("MOVE", number.decode(), "Trash")  # pylint: disable=protected-access
        client.select("Trash")
        client.store("1", "+FLAGS", "\\Deleted")
        client.expunge()
    told = [(e["event"], e["mailbox"]) for e in events(server, ident)[1:]]
    assert told == [("stored", "INBOX"), ("stored", "Archive"), ("moved", "Trash"), ("expunged", "Trash")]


def test_several_recipients_have_copies(server):
    ident = send(server, "both", ["bob@" + DOMAIN, "carol@" + DOMAIN])
    told = names(server, ident)
    assert told.count("accepted") == 1 and told.count("stored") == 2 and told.count("copied") == told.count("copy")
    (accepted,) = [e for e in events(server, ident) if e["event"] == "accepted"]
    assert [r["to"] for r in accepted["recipients"]] == ["bob@" + DOMAIN, "carol@" + DOMAIN]
    assert [r["rule"].rsplit(":", 1)[1] for r in accepted["recipients"]] == ["2", "3"]  # lines of users_file


def test_outward(server):
    ident = send(server, "out", ["all@" + DOMAIN])
    wait_for(lambda: {"sent", "deferred", "bounced", "notice"} <= set(names(server, ident)), 20, "all outcomes")
    by_name = {e["event"]: e for e in events(server, ident)}
    assert [r["to"] for r in by_name["sent"]["recipients"]] == ["a@void.test"]
    assert by_name["deferred"]["status"] == "4.4.1" and "line is down" in by_name["deferred"]["reply"] and by_name["deferred"]["next"]
    assert by_name["bounced"]["status"] == "5.7.1" and "not today" in by_name["bounced"]["reply"]
    bounce = by_name["notice"]["copy"]
    accepted, stored = events(server, bounce)
    assert accepted["about"] == ident and accepted["service"] == "bounce" and stored["account"] == "alice"
    told = [t["id"] for t in trace(server, "--since", "1h")]
    assert {ident, bounce} <= set(told) and len(told) == len(set(told)), told


def test_the_administrators_hand(server):
    ident = send(server, "held", ["later@" + DOMAIN])
    wait_for(lambda: "deferred" in names(server, ident), 20, "an attempt")
    for verb, event in (("hold", "held"), ("release", "released"), ("delete", "removed")):
        wait_for(lambda v=verb: server.command("queue", v, ident).returncode == 0, 20, verb)
        assert event in names(server, ident)


def test_questions(server):
    send(server, "question", ["carol@" + DOMAIN], sender="stranger@far.test", service="smtp", user=None)
    found = trace(server, "--from", "stranger@far.test")
    assert len(found) == 1 and found[0]["events"][0]["message_id"] == "<question@client.test>"
    assert trace(server, "--from", "@far.test", "--to", "carol@" + DOMAIN, "--since", "1h") == found
    assert trace(server, "question@client.test") == found
    assert len(trace(server, "--since", "1h", "--limit", "2")) >= 2
    done = server.command("trace", "--from", "nobody@nowhere.test")
    assert done.returncode == 1 and "no such message" in done.stderr
    assert server.command("trace", "--since", "yesterday-ish").returncode == 1
    assert server.command("trace").returncode == 2


def test_no_secret_and_no_text(server):
    text = server.ok("trace", "--since", "1h")
    assert "secret-alice" not in text and "Subject" not in text


def test_a_kill_leaves_the_journey(server):
    ident = send(server, "killed", ["bob@" + DOMAIN])
    before = events(server, ident)
    server.kill_everything()
    server.start()
    assert events(server, ident) == before


def test_switched_off(server):
    server.reload(trace_lifetime="0")
    with server.smtp("smtp") as client:
        client.sendmail("a@b.test", ["bob@" + DOMAIN], "Message-ID: <off@client.test>\r\n\r\nx\r\n")
    assert server.command("trace", "off@client.test").returncode == 1
    server.reload(trace_lifetime="30d")
    assert "accepted" in server.ok("trace", "<question@client.test>")
