"""`postrider explain`: what the running server would say of a recipient, step by step, against what it then says to a real client."""
import json
import smtplib
import socketserver
import threading

import pytest

from harness import DOMAIN, Server


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explain")
    (folder / "access").write_text("# who may not\n198.51.100.7 REJECT not you\n198.51.100 OK\n")
    (folder / "senders").write_text("spam@bad.test 554 5.7.1 no spam here\nhold@good.test HOLD look at it\n")
    (folder / "aliases").write_text("list: bob, someone@far.test\n")
    server = Server(folder, alias_maps=f"hash:{folder}/aliases", transport_maps="inline:{ {far.test = smtp:[hub.far.test]:587}, {bad.test = nosuch:} }",
                    smtpd_client_restrictions=f"check_client_access hash:{folder}/access",
                    smtpd_sender_restrictions=f"check_sender_access hash:{folder}/senders",
                    smtpd_recipient_restrictions="reject_non_fqdn_recipient, permit_sasl_authenticated, permit_mynetworks, reject_unauth_destination",
                    mynetworks="10.1.0.0/16, 127.0.0.0/8", smtpd_peername_lookup="no", smtpd_sender_login_check="yes")
    server.start()
    yield server
    server.stop()


def explain(server, *words, client="192.0.2.1", sender="x@good.test", rcpt="bob@" + DOMAIN):
    done = server.command("explain", "--client", client, "--from", sender, "--to", rcpt, "--json", *words)
    assert done.returncode in (0, 1) and not done.stderr, done.stderr
    said = json.loads(done.stdout)
    assert (said["outcome"] == "permitted") == (done.returncode == 0) == (said["code"] == 250)
    return said


def steps(said, kind):
    return [(s["name"], s["key"], s["result"]) for s in said["steps"] if s["kind"] == kind]


def line_of(server, setting):
    with open(server.conf, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            if line.startswith(setting + " "):
                return f"postrider.conf:{number}"
    raise AssertionError(setting)


def short(where):
    return where.rsplit("/", 1)[-1]


def test_a_mailbox(site):
    said = explain(site)
    assert [t["account"] for t in said["targets"]] == ["bob"] and said["stage"] == "rcpt"
    lists = [s for s in said["steps"] if s["kind"] == "list"]
    assert [s["name"] for s in lists] == ["smtpd_client_restrictions", "smtpd_sender_restrictions", "smtpd_relay_restrictions",
                                          "smtpd_recipient_restrictions"]
    assert short(lists[0]["where"]) == line_of(site, "smtpd_client_restrictions")
    words = [(s["name"], s["result"], short(s["where"])) for s in said["steps"] if s["kind"] == "restriction"]
    assert ("permit_mynetworks", "goes on", line_of(site, "smtpd_recipient_restrictions")) in words
    keys = [key for name, key, _ in steps(said, "table") if name.endswith("access")]
    assert keys == ["unknown", "192.0.2.1", "192.0.2", "192.0", "192"]
    assert any(w["rule"] == "users_file" for w in said["ways"])


def test_an_alias(site):
    said = explain(site, rcpt="list@" + DOMAIN)
    assert sorted((t["kind"], t.get("account") or t["address"], t.get("transport", ""), t.get("nexthop", "")) for t in said["targets"]) == [
        ("mail", "someone@far.test", "smtp", "[hub.far.test]:587"), ("mailbox", "bob", "", "")]
    assert said["rule"] == "alias_maps" and short(said["where"]) == "aliases:1"


def test_refused_relay(site):
    said = explain(site, rcpt="x@far.test")
    assert (said["code"], said["rule"]) == (554, "reject_unauth_destination") and not said["targets"]
    assert said["text"] == "<x@far.test>: Relay access denied" and steps(said, "restriction")[-1][2] == "refuses"
    assert explain(site, client="10.1.2.3", rcpt="x@far.test")["rule"] == "permit_mynetworks"


def test_access_tables(site):
    said = explain(site, client="198.51.100.7")
    assert (said["code"], said["rule"], short(said["where"])) == (554, "check_client_access", "access:2")
    assert said["text"].endswith("Client host rejected: not you")
    assert steps(said, "table")[-1][1:] == ("198.51.100.7", "REJECT not you")
    assert len([s for s in said["steps"] if s["kind"] == "list"]) == 1  # what is behind it has no say
    said = explain(site, sender="spam@bad.test")
    assert (said["code"], said["enhanced"], short(said["where"])) == (554, "5.7.1", "senders:1")
    assert explain(site, sender="hold@good.test")["actions"] == ["hold look at it"]


def test_a_login(site):
    alice = "alice@" + DOMAIN
    said = explain(site, "--service", "submission", sender=alice, rcpt="x@far.test")
    assert (said["code"], said["rule"]) == (530, "reject_unauthenticated_submission")
    said = explain(site, "--service", "submission", "--user", "alice", sender=alice, rcpt="x@far.test")
    assert (said["code"], said["rule"]) == (250, "permit_sasl_authenticated")
    said = explain(site, "--service", "submission", "--user", "alice", sender="bob@" + DOMAIN, rcpt="x@far.test")
    assert (said["code"], said["rule"]) == (553, "reject_sender_login_mismatch")


def test_an_unknown_user(site):
    said = explain(site, rcpt="nobody@" + DOMAIN)
    assert said["code"] == 550 and said["enhanced"] == "5.1.1"


@pytest.mark.parametrize("rcpt", ["bob@" + DOMAIN, "nobody@" + DOMAIN, "x@far.test", "list", "postmaster", "bob@local.nowhere.test"])
def test_it_says_what_the_client_hears(site, rcpt):
    said = explain(site, "--helo", "client.test", client="127.0.0.1", rcpt=rcpt)
    with smtplib.SMTP(site.address, site.port["smtp"], "client.test", timeout=20) as client:
        client.ehlo("client.test")
        client.mail("x@good.test")
        code, text = client.rcpt(rcpt)
    assert (said["code"], f"{said['enhanced']} {said['text']}") == (code, text.decode())
    assert site.ok("queue", "list", "--json").strip() in ("[]", "")


def test_as_a_story(site):
    done = site.command("explain", "--client", "198.51.100.7", "--from", "", "--to", "bob@" + DOMAIN)
    assert done.returncode == 1 and done.stderr == ""
    assert "check_client_access" in done.stdout and "access:2" in done.stdout and "reply: 554 5.7.1" in done.stdout
    text = site.ok("explain", "--client", "192.0.2.1", "--from", "", "--to", "list@" + DOMAIN)
    assert "permitted at rcpt by alias_maps" in text and "mailbox bob" in text and "next hop [hub.far.test]:587" in text


def test_a_transport_that_is_not_there(site):
    words = ("explain", "--client", "10.1.0.1", "--from", "", "--to", "x@bad.test")
    done = site.command(*words)
    assert done.returncode == 1 and "permitted at rcpt" in done.stdout and "by nosuch, next hop bad.test: put off: mail transport unavailable" in done.stdout
    assert json.loads(site.command(*words, "--json").stdout)["targets"][0]["problem"] == "put off: mail transport unavailable"


def test_wrong_words(site):
    for words in ((), ("--client", "192.0.2.1"), ("--client", "192.0.2.1", "--from", "a@b.test", "--to"), ("--what",)):
        assert site.command("explain", *words).returncode == 2
    done = site.command("explain", "--client", "x", "--from", "a@b.test", "--to", "b@c.test")
    assert done.returncode == 1 and "IP address" in done.stderr
    done = site.command("explain", "--client", "192.0.2.1", "--from", "a@b.test", "--to", "b@c.test", "--service", "none")
    assert done.returncode == 1 and "there is no listener none: --service takes one of smtp, submission" in done.stderr
    # Nor is there one only because SMTP knows such a protocol; a protocol stands for its first listener.
    done = site.command("explain", "--client", "192.0.2.1", "--from", "a@b.test", "--to", "b@c.test", "--service", "smtps")
    assert done.returncode == 1 and "there is no listener smtps" in done.stderr


def test_before_the_recipient(tmp_path):
    server = Server(tmp_path, smtpd_delay_reject="no", smtpd_client_restrictions="permit_mynetworks, reject", mynetworks="127.0.0.0/8",
                    smtpd_helo_restrictions="reject_invalid_helo_hostname", smtpd_peername_lookup="no").start()
    try:
        said = explain(server)
        assert (said["stage"], said["rule"], said["code"]) == ("connect", "reject", 554)
        said = explain(server, "--helo", "not_valid!", client="127.0.0.1")
        assert (said["stage"], said["rule"], said["code"]) == ("helo", "reject_invalid_helo_hostname", 501)
        assert {s["stage"] for s in explain(server, "--helo", "ok.test", client="127.0.0.1")["steps"]} == {"connect", "helo", "rcpt"}
    finally:
        server.stop()


ZONE = {("1.2.0.192.in-addr.arpa.", "PTR"): "mail.good.test.", ("mail.good.test.", "A"): "192.0.2.1", ("2.2.0.192.in-addr.arpa.", "PTR"): "forged.test.",
        ("forged.test.", "A"): "192.0.2.99", ("1.2.0.192.bl.test.", "A"): "127.0.0.2", ("1.2.0.192.bl.test.", "TXT"): '"seen at it"'}


@pytest.fixture
def resolver():
    message, rrset, rcode, flags, rdatatype = (pytest.importorskip("dns." + name) for name in ("message", "rrset", "rcode", "flags", "rdatatype"))

    class Answer(socketserver.BaseRequestHandler):
        def handle(self):
            asked = message.from_wire(self.request[0])
            said = message.make_response(asked, recursion_available=True)
            (question,) = asked.question
            name, kind = question.name.to_text().lower(), rdatatype.to_text(question.rdtype)
            if (name, kind) in ZONE:
                said.answer.append(rrset.from_text(question.name, 60, "IN", kind, ZONE[name, kind]))
            elif not any(name == known for known, _ in ZONE):
                said.set_rcode(rcode.NXDOMAIN)
            said.flags |= flags.AA
            self.request[1].sendto(said.to_wire(), self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield "127.0.0.1:%d" % server.server_address[1]
        server.shutdown()


def test_what_dns_says(tmp_path, resolver):
    server = Server(tmp_path, smtp_dns_resolver=resolver, smtpd_client_restrictions="reject_unknown_client_hostname, reject_rbl_client bl.test").start()
    try:
        said = explain(server)
        assert steps(said, "dns") == [("PTR", "192.0.2.1", "mail.good.test"), ("A", "mail.good.test", "confirmed: it has the address"),
                                      ("A", "1.2.0.192.bl.test", "127.0.0.2"), ("TXT", "1.2.0.192.bl.test", "seen at it")]
        assert said["rule"] == "reject_rbl_client" and "seen at it" in said["text"]
        said = explain(server, client="192.0.2.2")
        assert said["rule"] == "reject_unknown_client_hostname" and steps(said, "dns")[1] == ("A", "forged.test", "it has not the address")
        said = explain(server, "--name", "given.test", client="192.0.2.2")
        assert said["code"] == 250 and steps(said, "dns") == [("A", "2.2.0.192.bl.test", "no such name")]
    finally:
        server.stop()
