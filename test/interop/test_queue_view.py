"""The queue as an administrator looks at it: filters of `queue list`, and `queue summary`."""
import json

import pytest

from harness import DOMAIN, Server, wait_for


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("view"), transport_maps="inline:{ {one.test = smtp:[127.0.0.1]:1} {two.test = smtp:[127.0.0.1]:1} "
                  "{sub.two.test = smtp:[127.0.0.1]:1} }", minimal_backoff_time="1h", mynetworks="127.0.0.0/8",
                  virtual_alias_maps=f"inline:{{ {{ refused@{DOMAIN} = x@later.test }} }}").start()
    for sender, rcpts in (("a@s.test", ["x@one.test"]), ("b@s.test", ["x@two.test", "y@two.test"]), ("a@t.test", ["z@one.test", "Z@sub.two.test"])):
        made.send(sender=sender, rcpts=rcpts, subject=sender)
    wait_for(lambda: len(shown(made)) == 3 and all(r["reason"] for m in shown(made) for r in m["recipients"]), 20, "attempts")
    yield made
    made.stop()


def shown(server, *words):
    return json.loads(server.ok("queue", "list", *words, "--json"))


def senders(server, *words):
    return sorted(m["sender"] for m in shown(server, *words))


def test_filters(server):
    assert senders(server, "--sender", "A@S.test") == ["a@s.test"]
    assert senders(server, "--sender", "@s.test") == ["a@s.test", "b@s.test"]
    assert senders(server, "--recipient", "y@two.test") == ["b@s.test"]
    assert senders(server, "--recipient", "@one.test") == ["a@s.test", "a@t.test"]
    assert senders(server, "--recipient", "@one.test", "--sender", "@t.test") == ["a@t.test"]
    assert senders(server, "--destination", "smtp:[127.0.0.1]:1") == ["a@s.test", "a@t.test", "b@s.test"]
    assert senders(server, "--destination", "nowhere.test") == []
    assert len(shown(server, "--reason", "CONNECT")) + len(shown(server, "--reason", "refused")) > 0
    assert senders(server, "--reason", "no such words") == []
    assert senders(server, "--older", "1h") == []
    wait_for(lambda: len(senders(server, "--older", "0s")) == 3, 5, "all are older than the second that they came in")
    assert server.ok("queue", "list", "--older", "1h") == "No such message\n"


def test_limit(server):
    assert senders(server, "--limit", "1") == ["a@s.test"]  # the oldest
    assert senders(server, "--limit", "0") == senders(server) == ["a@s.test", "a@t.test", "b@s.test"]
    assert server.ok("queue", "list", "--limit", "1").splitlines()[-1] == "and 2 more: --limit 0 lists all"
    for word in ("--recipient", "--destination"):
        what = {"--recipient": "@one.test", "--destination": "smtp:[127.0.0.1]:1"}[word]
        more = {"--recipient": 1, "--destination": 2}[word]
        assert server.ok("queue", "list", word, what, "--limit", "1").splitlines()[-1] == f"and {more} more: --limit 0 lists all"
    assert "more" not in server.ok("queue", "list", "--limit", "3")
    assert server.command("queue", "list", "--limit", "some").returncode == 1


def test_words(server):
    assert server.command("queue", "list", "--sender").returncode == 2
    done = server.command("queue", "list", "--colour", "red")
    assert done.returncode == 1 and "usage: queue list" in done.stderr


def test_summary(server):
    rows = json.loads(server.ok("queue", "summary", "--json"))
    assert sum(r["recipients"] for r in rows) == 5 and all(r["ages"][0] == r["recipients"] for r in rows)
    assert [r["recipients"] for r in rows] == sorted((r["recipients"] for r in rows), reverse=True)
    lines = server.ok("queue", "summary").splitlines()
    assert lines[0].split()[-1] == "1280+" and lines[1].split()[:3] == ["TOTAL", "5", "5"]
    assert len(lines) == 2 + len(rows)
