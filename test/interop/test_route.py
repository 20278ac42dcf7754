"""config route: each step of an address's way with the place that decided it, and what the server then does."""
import json
import os
import pwd

import pytest

from harness import DOMAIN, Server, wait_for


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("route")
    files = {
        "virtual": "# comment\ninfo@va.test alice, list@example.test\n@catch.test bob\n",
        "canonical": "old@example.test alice@example.test\n",
        "aliases": "list: bob, carol,\n  someone@far.test\nowner-list: alice\ncmd: \"|/bin/cat -n\"\nbox: /var/tmp/box\nmembers: :include:%s/members\n" % folder,
        "members": "alice\nbob@example.test\n",
        "transport": "far.test lmtp:inet:127.0.0.1:2003\npipe.test maildrop:\n",
        "relocated": "gone@example.test new@far.test\n",
        "senders": "@special.test [hub.special.test]:587\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    server = Server(folder, alias_maps=f"hash:{folder}/aliases", virtual_alias_maps=f"hash:{folder}/virtual", canonical_maps=f"hash:{folder}/canonical",
                    transport_maps=f"hash:{folder}/transport", relocated_maps=f"hash:{folder}/relocated", relayhost="[relay.isp.test]:25",
                    sender_dependent_relayhost_maps=f"hash:{folder}/senders", virtual_alias_domains="va.test, catch.test", relay_domains="hub.test",
                    transport_services="smtp=smtp relay=smtp lmtp=lmtp local=local virtual=virtual error=error maildrop=pipe",
                    pipe_transports="{name=maildrop, user=mail, argv={/usr/bin/maildrop -d $${recipient}}}", mynetworks="127.0.0.0/8", always_bcc="carol")
    server.folder_of_maps = folder
    server.start()
    yield server
    server.stop()


def ask(site, address, *more):
    done = site.command("config", "route", address, "--json", *more)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout), done.returncode


def steps(said):
    return [(s["rule"], s["where"].rsplit("/", 1)[-1], s["to"]) for s in said["steps"]]


def targets(said):
    return sorted((t["kind"], t.get("account") or t.get("address") or t.get("text"), t.get("transport", ""), t.get("nexthop", ""))
                  for t in said["targets"] if not t.get("copy"))


def test_a_mailbox(site):
    said, status = ask(site, "alice+box@EXAMPLE.test")
    assert status == 0 and said["outcome"] == "leads"
    assert targets(said) == [("mailbox", "alice", "", "")] and said["targets"][0]["detail"] == "box"
    names = [s[0] for s in steps(said)]
    assert names[:2] == ["completed", "class"] and "users_file" in names and "always_bcc" in names
    assert any(where == "users:1" for _, where, _ in steps(said))


def test_virtual_aliases_and_lists(site):
    said, _ = ask(site, "info@va.test")
    assert ("virtual_alias_maps", "virtual:2", "alice, list@example.test") in steps(said)
    assert ("alias_maps", "aliases:1", "carol") in steps(said) and ("transport_maps", "transport:1", "lmtp:inet:127.0.0.1:2003") in steps(said)
    assert targets(said) == [("mail", "someone@far.test", "lmtp", "inet:127.0.0.1:2003"), ("mailbox", "alice", "", ""), ("mailbox", "bob", "", ""),
                             ("mailbox", "carol", "", "")]
    assert {t.get("sender") for t in said["targets"] if t.get("account") in ("bob",)} == {"owner-list@example.test"}


def test_canonical_include_command_and_file(site):
    said, _ = ask(site, "old@example.test")
    assert ("canonical_maps", "canonical:1", "alice@example.test") in steps(said) and targets(said)[0][1] == "alice"
    said, _ = ask(site, "members@example.test")
    assert [s for s in steps(said) if s[0] == ":include:"] == [(":include:", "members", "alice"), (":include:", "members", "bob@example.test")]
    assert targets(ask(site, "cmd")[0]) == [("command", "/bin/cat -n", "", "")]
    assert targets(ask(site, "box")[0]) == [("file", "/var/tmp/box", "", "")]


def test_elsewhere(site):
    assert targets(ask(site, "x@foreign.test")[0]) == [("mail", "x@foreign.test", "smtp", "[relay.isp.test]:25")]
    assert any(s[0] == "relayhost" and s[1].startswith("postrider.conf:") for s in steps(ask(site, "x@foreign.test")[0]))
    said, _ = ask(site, "x@foreign.test", "--sender", "me@special.test")
    assert targets(said) == [("mail", "x@foreign.test", "smtp", "[hub.special.test]:587")]
    assert ("sender_dependent_relayhost_maps", "senders:1", "smtp:[hub.special.test]:587") in steps(said)
    assert targets(ask(site, "x@pipe.test")[0]) == [("mail", "x@pipe.test", "maildrop", "pipe.test")]
    assert targets(ask(site, "x@hub.test")[0]) == [("mail", "x@hub.test", "relay", "[relay.isp.test]:25")]


def test_refusals(site):
    said, status = ask(site, "nobody@example.test")
    assert status == 1 and said["outcome"] == "refused: 550 5.1.1 User unknown in local recipient table" and not said["targets"]
    said, status = ask(site, "gone@example.test")
    assert status == 1 and "User has moved to new@far.test" in said["outcome"]
    assert ask(site, "nobody@va.test")[1] == 1
    for address in ("nobody@example.test", "alice@example.test", "nobody@va.test", "x@catch.test"):
        with site.smtp() as c:
            c.ehlo()
            c.mail("a@b.test")
            assert (c.rcpt(address)[0] == 250) == (ask(site, address)[1] == 0), address


def test_words(site):
    for words in ((), ("a", "b"), ("--sender",), ("--nonsense", "a")):
        assert site.command("config", "route", *words).returncode == 2
    text = site.ok("config", "route", "info@va.test")
    assert "virtual_alias_maps" in text and f"[{site.folder_of_maps}/virtual:2]" in text and "  mailbox alice\n" in text


@pytest.mark.skipif(os.geteuid() != 0, reason="another user's .forward")
def test_forward_of_a_system_account(site, tmp_path):
    name = "root"
    (tmp_path / "forward").write_text("alice, bob\n")
    site.reload(forward_path=f"{tmp_path}/forward", pam_service="postrider-none")
    try:
        said, status = ask(site, name)
        assert pwd.getpwnam(name) and status == 0, said
        assert [s for s in steps(said) if s[0] == "forward_path"] == [("forward_path", "forward", "alice"), ("forward_path", "forward", "bob")]
        assert [t[1] for t in targets(said)] == ["alice", "bob"]
    finally:
        site.reload(forward_path=None, pam_service=None)


def test_transports_of_single_users(tmp_path):
    """mailbox_transport_maps and fallback_transport_maps, before the settings without maps; no server is needed."""
    server = Server(tmp_path, mailbox_transport_maps="inline:{ bob=lmtp:inet:127.0.0.1:2003 }", local_recipient_maps="",
                    fallback_transport_maps="inline:{ old=smtp:[old.test] }", fallback_transport="lmtp:inet:127.0.0.1:2004")
    for address, kind, hop in (("alice", "mailbox", ""), ("bob+x", "lmtp", "inet:127.0.0.1:2003"), ("old+y", "smtp", "[old.test]"),
                               ("nobody", "lmtp", "inet:127.0.0.1:2004")):
        said, status = ask(server, f"{address}@{DOMAIN}")
        assert status == 0 and [(t.get("transport", t["kind"]), t.get("nexthop", "")) for t in said["targets"]] == [(kind, hop)], said


def test_a_transport_that_is_not_there_puts_off(tmp_path):
    server = Server(tmp_path, transport_maps="inline:{ {bad.test = nosuch:}, {here.test = cleanup:} }", transport_services="smtp=smtp cleanup=cleanup")
    for domain, transport in (("bad.test", "nosuch"), ("here.test", "cleanup")):
        said, status = ask(server, "who@" + domain)
        assert status == 1 and said["outcome"] == "put off: mail transport unavailable" and said["targets"][0]["problem"] == said["outcome"]
        done = server.command("config", "route", "who@" + domain)
        assert done.returncode == 1 and f"by {transport}, next hop {domain}: put off: mail transport unavailable\n" in done.stdout
    assert ask(server, "who@far.test")[1] == 0


def test_targets_without_a_domain_are_told_where_they_lead_away(tmp_path):
    (tmp_path / "virtual").write_text("info@va.test alice, x@far.test\n@all.test @other.test\n")
    (tmp_path / "aliases").write_text("# comment\nsales: bob,\n  \\\\carol, |/bin/cat, x@far.test\n")
    server = Server(tmp_path, virtual_alias_maps=f"hash:{tmp_path}/virtual", alias_maps=f"hash:{tmp_path}/aliases", mydestination=DOMAIN)
    said = server.ok("config", "check")
    told = [line for line in said.splitlines() if "mydestination" in line]
    assert [line.split(": ")[1:4] for line in told] == [[f"{tmp_path}/virtual:1", "virtual_alias_maps", told[0].split(": ")[3]],
                                                        [f"{tmp_path}/aliases:2", "alias_maps", told[1].split(": ")[3]]]
    assert "info@va.test leads to alice, which means alice@mail.example.test" in told[0] and "sales leads to bob" in told[1]
    server.settings["myorigin"] = DOMAIN
    server.write_conf()
    assert "mydestination" not in server.ok("config", "check")
