"""DANE (RFC 7672) against signed zones: what TLSA records say of a server's certificate, what bogus and unsigned zones
come to. The good host is a real Postfix, the others are scripted."""
import os
import pathlib
import re
import tempfile

import pytest

from harness import DOMAIN, Server, free_port, wait_for
from scripted import Scripted
from signed_world import SignedWorld, peers, tlsa
from test_tls_outgoing import Authority

POSTFIX, BY_CA, MISMATCH, PLAIN, OTHER_CA = ("127.0.0." + n for n in "34567")
WRONG = "TLSA 3 1 1 " + "00" * 32


def zones(port, certificate, authority):
    at = f"_{port}._tcp"
    return {
        "test": ("signed", f"""
good MX 10 mx.good
mx.good A {POSTFIX}
{at}.mx.good {tlsa(3, 1, 1, certificate)}
full MX 10 mx.full
mx.full A {POSTFIX}
{at}.mx.full {tlsa(3, 0, 0, certificate)}
{at}.mx.full TLSA 0 0 1 {"11" * 32}
sha512 MX 10 mx.sha512
mx.sha512 A {POSTFIX}
{at}.mx.sha512 {tlsa(3, 1, 2, certificate)}
alias MX 10 mx.alias
mx.alias CNAME mx.good
faralias MX 10 mx.faralias
mx.faralias CNAME alias-end.unsigned
{at}.mx.faralias {tlsa(3, 1, 1, certificate)}
wrongalias MX 10 mx.wrongalias
mx.wrongalias CNAME alias-end.unsigned
{at}.mx.wrongalias {WRONG}
bare MX 10 mx.bare
mx.bare CNAME alias-end.unsigned
implicit A {POSTFIX}
{at}.implicit {tlsa(3, 1, 1, certificate)}
ta MX 10 mx.ta
mx.ta A {BY_CA}
{at}.mx.ta {tlsa(2, 0, 1, authority)}
tadomain MX 10 mx.tadomain
mx.tadomain A {BY_CA}
{at}.mx.tadomain {tlsa(2, 1, 1, authority)}
taname MX 10 mx.taname
mx.taname A {BY_CA}
{at}.mx.taname {tlsa(2, 0, 1, authority)}
mismatch MX 10 mx.mismatch
mx.mismatch A {MISMATCH}
{at}.mx.mismatch {WRONG}
second MX 10 mx.mismatch
second MX 20 mx.good
unusable MX 10 mx.unusable
mx.unusable A {MISMATCH}
{at}.mx.unusable TLSA 1 0 1 {"22" * 32}
unusableplain MX 10 mx.unusableplain
mx.unusableplain A {PLAIN}
{at}.mx.unusableplain TLSA 3 1 9 00
notls MX 10 mx.notls
mx.notls A {PLAIN}
{at}.mx.notls {WRONG}
none MX 10 mx.none
mx.none A {PLAIN}
half MX 10 mx.half
lost MX 10 mx.lost
mx.lost A {MISMATCH}
"""),
        "unsigned.test": ("unsigned", f"""
@ MX 10 mx
mx A {MISMATCH}
{at}.mx {WRONG}
togood MX 10 mx.good.test.
alias-end A {POSTFIX}
{at}.alias-end {WRONG}
alias MX 10 alias2
alias2 CNAME alias-end
{at}.alias2 {WRONG}
tobad MX 10 mx.mismatch.test.
"""),
        "bogus.test": ("bogus", f"@ MX 10 mx\nmx A {PLAIN}\n"),
        "mx.half.test": ("bogus", f"@ A {PLAIN}\n{at} {WRONG}\n"),
        "_tcp.mx.lost.test": ("bogus", f"_{port} {WRONG}\n"),
    }


class Host:
    """What the tests have: zones, a Postfix, scripted servers, a server of ours."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        folder.chmod(0o755)
        authority = Authority(folder / "ca")
        own = Authority(folder / "own", "mx.good.test")
        self.certificate = str(own.crt)
        (folder / "own.pem").write_text(own.key.read_text() + own.crt.read_text())
        self.world = SignedWorld(folder / "dns", zones(self.port, self.certificate, str(authority.crt)))
        chain = pathlib.Path(authority.sign("mx.ta.test", "DNS:mx.ta.test", "DNS:tadomain.test"))
        chain.write_text(chain.read_text() + authority.crt.read_text())
        self.ns = peers.Namespace(folder / "ns", ["postfix"])
        self.postfix = peers.Postfix(self.ns, folder / "postfix", smtp=f"{POSTFIX}:{self.port}", inet_interfaces="127.0.0.1", mynetworks="127.0.0.0/8",
                                     myhostname="mx.good.test", mydestination="", virtual_mailbox_base=str(folder / "postfix" / "mail"),
                                     virtual_mailbox_domains="regexp:{{/./ OK}}", virtual_mailbox_maps="regexp:{{/./ box/}}",
                                     virtual_uid_maps="static:64914", virtual_gid_maps="static:64914", smtpd_tls_security_level="may",
                                     smtpd_tls_chain_files=folder / "own.pem", smtpd_tls_received_header="yes", smtpd_peername_lookup="no").start()
        self.by_ca = Scripted((BY_CA, self.port), str(chain), starttls="works")
        self.mismatch = Scripted((MISMATCH, self.port), str(chain), starttls="works")
        self.plain = Scripted((PLAIN, self.port), None)
        (folder / "server").mkdir()
        self.server = Server(folder / "server", myorigin=DOMAIN, mynetworks="127.0.0.0/8", inet_protocols="ipv4", smtp_port=str(self.port),
                             smtp_dns_resolver=self.world.resolver, smtp_dns_support_level="dnssec", smtp_tls_security_level="dane",
                             smtp_dnssec_trust_anchor_file=str(self.world.anchor), minimal_backoff_time="1s", maximal_backoff_time="2s",
                             tls_append_default_CA="no")
        for scripted in (self.by_ca, self.mismatch, self.plain):
            scripted.__enter__()
        self.n = 0

    def close(self):
        for scripted in (self.by_ca, self.mismatch, self.plain):
            scripted.__exit__()
        self.server.stop()
        self.postfix.stop()
        self.ns.close()
        self.world.close()

    def send(self, domain):
        self.n += 1
        self.server.send(rcpts=[f"x{self.n}@{domain}"], subject=f"dane-{self.n}")
        return self.n

    def attempt(self, n, pattern, what):
        """A validator that could not see a key, on a slow machine, takes the zone as bogus for a minute."""
        try:
            return wait_for(lambda: re.search(rf"relay\.attempt .*to=x{n}@.*{pattern}.*", self.server.log()), 90, what)
        except AssertionError as why:
            mine = "\n".join(line for line in self.server.log().splitlines()[-60:] if re.search(r" relay | file\.| queue\.", line))
            raise AssertionError(f"{what}: {mine} {self.world.log()}") from why

    def goes(self, domain, host, word):
        n = self.send(domain)
        self.attempt(n, rf'relay={re.escape(host)}\[.*status=sent tls="{word}"', f"mail to {domain} that is {word}")
        return n

    def waits(self, domain, why, status=r"4\.7\.5"):
        n = self.send(domain)
        self.attempt(n, rf"dsn={status} status=deferred .*{why}", f"a deferral of {domain}")
        for scripted in (self.by_ca, self.mismatch, self.plain):
            assert not scripted.with_subject(f"dane-{n}")
            assert not any(f"x{n}@" in said for said in scripted.lines)  # not even the recipient is told
        wait_for(lambda: self.server.command("queue", "delete", "all").returncode == 0, 15, "no attempt under way")


@pytest.fixture(scope="module")
def host():
    if os.geteuid() != 0:
        pytest.skip("Postfix runs as root")
    with tempfile.TemporaryDirectory(prefix="dane-") as folder:
        try:
            made = Host(pathlib.Path(folder))
        except peers.Unavailable as why:
            pytest.skip(str(why))
        try:
            made.server.start()
            yield made
        finally:
            made.close()


VERIFIED = r"TLSv1\.3 \S+ verified"


@pytest.mark.parametrize("domain,mx", [("good.test", "mx.good.test"), ("full.test", "mx.full.test"), ("sha512.test", "mx.sha512.test"),
                                       ("alias.test", "mx.alias.test"), ("implicit.test", "implicit.test"), ("faralias.test", "mx.faralias.test")])
def test_the_hosts_own_certificate(host, domain, mx):
    n = host.goes(domain, mx, VERIFIED)
    box = host.folder / "postfix" / "mail" / "box" / "new"
    text = wait_for(lambda: next((m for m in (f.read_text() for f in box.glob("*")) if f"Subject: dane-{n}\n" in m), None), 30, "the mail at Postfix")
    assert "using TLSv1.3" in text


@pytest.mark.parametrize("domain,mx", [("ta.test", "mx.ta.test"), ("tadomain.test", "mx.tadomain.test")])
def test_an_authority_of_the_hosts(host, domain, mx):
    host.goes(domain, mx, VERIFIED)


def test_an_authoritys_certificate_must_have_the_name(host):
    host.waits("taname.test", "the TLSA records of mx.taname.test say otherwise")


def test_the_server_is_told_the_name(host):
    host.goes("ta.test", "mx.ta.test", VERIFIED)  # over a connection that may be there already
    assert "mx.ta.test" in host.by_ca.server_names


def test_a_mismatch_waits(host):
    host.waits("mismatch.test", "server certificate not verified: the TLSA records of mx.mismatch.test say otherwise")


def test_the_next_host_may_match(host):
    host.goes("second.test", "mx.good.test", VERIFIED)


def test_an_alias_into_a_zone_that_is_not_signed(host):
    host.waits("wrongalias.test", "the TLSA records of mx.wrongalias.test say otherwise")
    host.goes("bare.test", "mx.bare.test", r"TLSv1\.3 \S+ untrusted")
    host.goes("alias.unsigned.test", "alias2.unsigned.test", r"TLSv1\.3 \S+ untrusted")


def test_no_tls_where_dane_wants_it(host):
    host.waits("notls.test", "TLS is required", r"4\.7\.\d")


def test_unusable_records_want_encryption(host):
    host.goes("unusable.test", "mx.unusable.test", r"TLSv1\.3 \S+ untrusted")
    host.waits("unusableplain.test", "TLS is required", r"4\.7\.\d")


@pytest.mark.parametrize("domain,mx,word", [("none.test", "mx.none.test", ""), ("unsigned.test", "mx.unsigned.test", r"TLSv1\.3 \S+ untrusted")])
def test_without_signed_records_as_may(host, domain, mx, word):
    host.goes(domain, mx, word)


def test_bogus_zones_wait(host):
    host.waits("bogus.test", "name service error", r"4\.4\.3")


def test_bogus_addresses_wait(host):
    host.waits("half.test", "name service error", r"4\.4\.3")


def test_records_that_cant_be_looked_up_wait(host):
    host.waits("lost.test", "TLSA records can't be looked up")


def test_mx_records_that_are_not_signed(host):
    host.goes("togood.unsigned.test", "mx.good.test", VERIFIED)
    host.waits("tobad.unsigned.test", "say otherwise")
    host.server.reload(smtp_tls_dane_insecure_mx_policy="may")
    try:
        host.goes("tobad.unsigned.test", "mx.mismatch.test", r"TLSv1\.3 \S+ untrusted")
        host.server.reload(smtp_tls_dane_insecure_mx_policy="encrypt")
        host.goes("tobad.unsigned.test", "mx.mismatch.test", r"TLSv1\.3 \S+ untrusted")
    finally:
        host.server.reload(smtp_tls_dane_insecure_mx_policy=None)


def test_dane_only(host):
    host.server.reload(smtp_tls_policy_maps="inline:{ {none.test=dane-only} {unusable.test=dane-only} {unsigned.test=dane-only} "
                                            "{togood.unsigned.test=dane-only} {good.test=dane-only} {mismatch.test=encrypt} }")
    try:
        host.goes("good.test", "mx.good.test", VERIFIED)
        host.waits("none.test", "no signed TLSA records")
        host.waits("unusable.test", "no TLSA record that can be used")
        host.waits("unsigned.test", "not signed")
        host.waits("togood.unsigned.test", "the MX records are not signed")
        host.goes("mismatch.test", "mx.mismatch.test", r"TLSv1\.3 \S+ untrusted")
    finally:
        host.server.reload(smtp_tls_policy_maps=None)


def test_anchors_that_cant_be_used(host):
    for n, text in enumerate(("", "; nothing\n", "this is no record\n", "test. IN DS 1 13 2 zz\n")):
        broken = host.folder / "broken.key"
        broken.write_text(text)
        host.server.reload(smtp_dnssec_trust_anchor_file=str(broken))
        wait_for(lambda: host.server.log().count("relay.no_dnssec") > n, 15, "an error")
        host.waits("good.test", "smtp_dnssec_trust_anchor_file can't be used")
    broken.write_text(host.world.anchor.read_text())  # a change is seen without a reload
    host.goes("good.test", "mx.good.test", VERIFIED)
    host.server.reload(smtp_dnssec_trust_anchor_file=str(host.world.anchor))


def test_without_dnssec_dane_is_an_error(host):
    server = host.server
    server.settings["smtp_dns_support_level"] = None
    try:
        server.write_conf()
        got = server.command("config", "check")
        assert got.returncode != 0 and "dane needs smtp_dns_support_level = dnssec" in got.stdout + got.stderr
    finally:
        server.settings["smtp_dns_support_level"] = "dnssec"
        server.write_conf()
    server.reload(smtp_tls_security_level="may", smtp_dns_support_level=None, smtp_tls_policy_maps="inline:{ {good.test=dane} }")
    try:
        host.waits("good.test", "needs smtp_dns_support_level = dnssec")
        host.goes("mismatch.test", "mx.mismatch.test", r"TLSv1\.3 \S+ untrusted")
    finally:
        server.reload(smtp_tls_security_level="dane", smtp_dns_support_level="dnssec", smtp_tls_policy_maps=None)


def test_tls_required_no(host):
    """RFC 8689 4.1: mail that is to arrive whatever the host's TLS is worth."""
    host.n += 1
    subject = f"dane-{host.n}"
    host.server.send(rcpts=[f"x{host.n}@mismatch.test"], subject=subject + "\r\ntls-required: no")
    host.attempt(host.n, r'status=sent tls="TLSv1\.3 \S+ untrusted"', "mail that needs no TLS")
    assert host.mismatch.with_subject(subject)
