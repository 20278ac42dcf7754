"""MTA-STS (RFC 8461): policies that a web server publishes, what they mean for mail that leaves, and how long they hold.
DNS is nsd behind unbound; the mail hosts are scripted; one authority vouches for the web server and the good host."""
import email
import gzip
import json
import os
import re
import time

import pytest

from harness import DOMAIN, Server, free_port, wait_for
from policy_web import PolicyWeb
from scripted import Scripted
from signed_world import SignedWorld, tlsa
from test_tls_outgoing import Authority

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="port 443 is root's")

GOOD, PLAIN, WEB = "127.0.0.13", "127.0.0.14", "127.0.0.18"
# Domains whose host has the good certificate and name, whose host's certificate has another name, without STARTTLS.
DOMAINS = {"good": "mx.good", "implicit": None, "wrongcert": "mx.wrongcert", "mismatch": "mx.good", "plain": "mx.plain", "testing": "mx.wrongcert",
           "nomode": "mx.wrongcert", "lost": "mx.wrongcert", "moved": "mx.wrongcert", "html": "mx.wrongcert", "broken": "mx.wrongcert",
           "long": "mx.wrongcert", "untrusted": "mx.wrongcert", "othername": "mx.wrongcert", "changes": "mx.wrongcert", "kept": "mx.wrongcert",
           "short": "mx.wrongcert", "dane": "mx.dane", "mapped": "mx.wrongcert", "silent": "mx.wrongcert", "slow": "mx.good"}


def zone(port, certificate, ids):
    lines = [f"mx.good A {GOOD}", f"mx.wrongcert A {GOOD}", f"mx.plain A {PLAIN}", f"mx.dane A {GOOD}", f"implicit A {GOOD}",
             f"_{port}._tcp.mx.dane {tlsa(3, 1, 1, certificate)}", "second MX 10 mx.wrongcert", "second MX 20 mx.good"]
    lines += [f"{name} MX 10 {mx}" for name, mx in DOMAINS.items() if mx]
    for name in [*DOMAINS, "second"]:
        lines.append(f"mta-sts.{name} A {WEB}")
        lines.append(f'_mta-sts.{name} 0 TXT "v=STSv1; id={ids.get(name, 1)};"')
    lines.append('_smtp._tls.good TXT "v=TLSRPTv1; rua=mailto:tls@implicit.test,https://mta-sts.good.test/reports"')
    lines.append('_smtp._tls.wrongcert TXT "v=TLSRPTv1; rua=https://mta-sts.untrusted.test/reports"')
    return "\n".join(lines) + "\n"


class Host:
    """What the tests have: zones, a web server, mail hosts, a server of ours."""

    def __init__(self, folder):
        folder.chmod(0o755)
        self.folder, self.port, self.ids = folder, free_port(), {}
        self.authority = Authority(folder / "ca")
        chain = self.authority.sign("mx.good.test", "DNS:mx.good.test", "DNS:implicit.test")
        self.certificate = str(folder / "ca" / "mx.good.test.crt")
        stranger = Authority(folder / "stranger").sign("mta-sts.untrusted.test", "DNS:mta-sts.untrusted.test")
        other = self.authority.sign("other.test", "DNS:other.test")
        names = [f"DNS:mta-sts.{n}.test" for n in [*DOMAINS, "second"] if n != "othername"]
        self.web = PolicyWeb(WEB, self.authority.sign("web.test", *names),
                             {"mta-sts.untrusted.test": stranger, "mta-sts.othername.test": other})
        self.world = SignedWorld(folder / "dns", {"test": ("signed", zone(self.port, self.certificate, self.ids))})
        self.good = Scripted((GOOD, self.port), chain, starttls="works")
        self.plain = Scripted((PLAIN, self.port), None)
        self.good.__enter__()
        self.plain.__enter__()
        (folder / "server").mkdir()
        self.server = Server(folder / "server", myorigin=DOMAIN, mynetworks="127.0.0.0/8", inet_protocols="ipv4", smtp_port=str(self.port),
                             smtp_dns_resolver=self.world.resolver, minimal_backoff_time="1s", maximal_backoff_time="2s",
                             smtp_tls_CAfile=str(self.authority.crt), tls_append_default_CA="no")
        self.n = 0

    def close(self):
        self.server.stop()
        self.good.__exit__()
        self.plain.__exit__()
        self.web.close()
        self.world.close()

    def new_id(self, name):
        self.ids[name] = self.ids.get(name, 1) + 1
        self.world.change("test", zone(self.port, self.certificate, self.ids))

    def send(self, domain):
        self.n += 1
        self.server.send(rcpts=[f"x{self.n}@{domain}.test"], subject=f"sts-{self.n}")
        return self.n

    def goes(self, domain, tls):
        n = self.send(domain)
        wait_for(lambda: re.search(rf"relay\.attempt .*to=x{n}@\S+ .*status=sent tls={tls}", self.server.log()), 30,
                 f"mail to {domain} with {tls}: " + self.server.log()[-3000:])
        assert self.good.with_subject(f"sts-{n}") or self.plain.with_subject(f"sts-{n}")

    def waits(self, domain, why):
        n = self.send(domain)
        wait_for(lambda: re.search(rf"relay\.attempt .*to=x{n}@\S+ .*dsn=4\.7\.\d.*status=deferred .*{why}", self.server.log()), 30,
                 f"mail to {domain} waits with {why}: " + self.server.log()[-3000:])
        assert not self.good.with_subject(f"sts-{n}") and not self.plain.with_subject(f"sts-{n}")
        wait_for(lambda: self.server.command("queue", "delete", "all").returncode == 0, 15, "no attempt under way")


VERIFIED = r'"TLSv1\.3 \S+ verified policy=sts"'
TRUSTED = r'"TLSv1\.3 \S+ trusted"'


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    h = Host(tmp_path_factory.mktemp("sts"))
    try:
        h.server.start()
        yield h
    finally:
        h.close()


def test_enforce(host):
    host.web.policy("good.test", mx=["mx.good.test"])
    host.goes("good", VERIFIED)
    assert "mx.good.test" in host.good.server_names
    host.web.policy("implicit.test", mx=["implicit.test"])
    host.goes("implicit", VERIFIED)
    host.web.policy("wrongcert.test", mx=["*.test", "*.wrongcert.test", "mx.wrongcert.test"])
    host.waits("wrongcert", r"server certificate not verified: it is not for mx\.wrongcert\.test \(MTA-STS\)")
    host.web.policy("mismatch.test", mx=["*.mismatch.test", "good.test", "*.mx.good.test"])
    host.waits("mismatch", r"no mail host of mismatch\.test by the domain's MTA-STS policy")
    host.web.policy("plain.test", mx=["mx.plain.test"])
    host.waits("plain", "TLS is required, but was not offered")
    host.web.policy("second.test", mx=["*.good.test", "*.wrongcert.test", "mx.good.test", "mx.wrongcert.test"])
    host.goes("second", VERIFIED)


def test_testing_and_none_let_mail_go(host):
    host.web.policy("testing.test", mode="testing", mx=["mx.elsewhere.test"])
    host.goes("testing", TRUSTED)
    host.web.policy("nomode.test", mode="none")
    host.goes("nomode", TRUSTED)
    assert host.web.times("testing.test") == host.web.times("nomode.test") == 1


@pytest.mark.parametrize("domain, problem, why, answer", [
    ("lost", "sts-policy-fetch-error", "status 404", {"status": 404}),
    ("moved", "sts-policy-fetch-error", "status 301", {"status": 301}),
    ("html", "sts-policy-fetch-error", "not text/plain", {"media_type": "text/html"}),
    ("broken", "sts-policy-invalid", "it lacks version", {"text": "mx: mx.wrongcert.test\n"}),
    ("long", "sts-policy-invalid", "too long", {"text": "x: y\n" * 20000}),
    ("untrusted", "sts-webpki-invalid", "certificate", {}),
    ("othername", "sts-webpki-invalid", "certificate", {}),
])
def test_what_is_no_policy(host, domain, problem, why, answer):
    """Nothing holds, and the web server is left alone for a while."""
    host.web.policy(domain + ".test", mx=["mx.elsewhere.test"], **answer)
    host.goes(domain, TRUSTED)
    line = wait_for(lambda: re.search(rf"relay\.sts_failed .*domain={domain}\.test.*", host.server.log()), 5, "a line in the log").group()
    assert f"problem={problem}" in line and why in line
    asked = host.web.times(domain + ".test")
    host.goes(domain, TRUSTED)
    assert host.web.times(domain + ".test") == asked
    assert host.server.log().count("relay.sts_failed domain=" + domain) == 1


def test_what_was_fetched_holds_while_nothing_new_comes(host):
    host.web.policy("changes.test", mx=["mx.wrongcert.test"])
    host.waits("changes", "MTA-STS")
    assert host.web.times("changes.test") == 1
    host.waits("changes", "MTA-STS")
    assert host.web.times("changes.test") == 1  # the id is the same
    host.web.policy("changes.test", status=404)
    host.new_id("changes")
    host.waits("changes", "MTA-STS")
    assert host.web.times("changes.test") == 2
    assert re.search(r'relay\.sts_failed .*domain=changes\.test .*then="the policy before holds"', host.server.log())


def test_a_domain_that_takes_its_policy_back(host):
    host.web.policy("kept.test", mx=["mx.wrongcert.test"])
    host.waits("kept", "MTA-STS")
    host.web.policy("kept.test", mode="none")
    host.new_id("kept")
    host.goes("kept", TRUSTED)


def test_a_policy_ends_with_its_time(host):
    host.web.policy("short.test", mx=["mx.wrongcert.test"], max_age=4)
    host.waits("short", "MTA-STS")
    host.web.policy("short.test", status=404)
    time.sleep(4)
    host.goes("short", TRUSTED)
    assert re.search(r'relay\.sts_failed .*domain=short\.test .*then="no policy holds"', host.server.log())


def test_a_slow_web_server_is_asked_once(host):
    host.web.policy("slow.test", mx=["mx.good.test"])
    host.web.delays["mta-sts.slow.test"] = 3
    first = [host.send("slow") for _ in range(5)]
    host.goes("good", VERIFIED)  # others need not wait
    for n in first:
        wait_for(lambda k=n: re.search(rf"relay\.attempt .*to=x{k}@\S+ .*status=sent tls={VERIFIED}", host.server.log()), 30, "each message")
    assert host.web.times("slow.test") == 1


def test_it_holds_over_a_restart_without_the_web(host):
    host.web.policy("silent.test", mx=["mx.wrongcert.test"])
    host.waits("silent", "MTA-STS")
    asked = host.web.times("silent.test")
    host.server.stop()
    host.server.start()
    host.waits("silent", "MTA-STS")
    assert host.web.times("silent.test") == asked
    host.server.kill_role("relay")
    host.waits("silent", "MTA-STS")


def test_what_counts_more(host):
    """The administrator's entry, and DANE; and it can be weakened or left alone."""
    table = host.folder / "policy"
    table.write_text("mapped.test may\n")
    host.web.policy("mapped.test", mx=["mx.elsewhere.test"])
    host.web.policy("dane.test", mx=["mx.elsewhere.test"])
    host.server.reload(smtp_tls_policy_maps=f"texthash:{table}")
    host.goes("mapped", TRUSTED)
    host.waits("dane", "MTA-STS policy")
    host.server.reload(smtp_tls_security_level="dane", smtp_dns_support_level="dnssec", smtp_dnssec_trust_anchor_file=str(host.world.anchor))
    host.goes("dane", r'"TLSv1\.3 \S+ verified"')
    host.waits("wrongcert", "MTA-STS")
    host.server.reload(smtp_tls_security_level="may", smtp_dns_support_level="", smtp_mta_sts="testing")
    host.goes("wrongcert", TRUSTED)
    host.server.reload(smtp_mta_sts="no")
    host.goes("wrongcert", TRUSTED)
    host.server.reload(smtp_mta_sts="enforce", smtp_tls_security_level="none")
    host.waits("wrongcert", "MTA-STS")


def rows(host, domain):
    """What is counted of the domain: (policy, mx, result): sessions."""
    told = json.loads(host.server.ok("tls-report", "list", "--json"))
    return {(r["policy"], r["mx"], r["result"]): r["sessions"] for r in told if r["domain"] == domain + ".test"}


def test_what_is_counted(host):
    """One row for each kind of session."""
    host.server.reload(smtp_mta_sts="enforce", smtp_tls_security_level="may", smtp_tls_policy_maps="")
    host.web.policy("good.test", mx=["mx.good.test"])
    host.goes("good", VERIFIED)
    assert rows(host, "good")[("sts", "mx.good.test", "success")] >= 1
    host.web.policy("wrongcert.test", mx=["mx.wrongcert.test"])
    host.waits("wrongcert", "MTA-STS")
    assert rows(host, "wrongcert")[("sts", "mx.wrongcert.test", "certificate-host-mismatch")] >= 1
    host.web.policy("mismatch.test", mx=["mx.elsewhere.test"])
    host.waits("mismatch", "MTA-STS")
    assert rows(host, "mismatch")[("sts", "mx.good.test", "validation-failure")] >= 1
    host.web.policy("plain.test", mx=["mx.plain.test"])
    host.waits("plain", "TLS is required")
    assert rows(host, "plain")[("sts", "mx.plain.test", "starttls-not-supported")] >= 1
    host.web.policy("testing.test", mode="testing", mx=["mx.wrongcert.test"])
    host.new_id("testing")
    host.goes("testing", TRUSTED)
    assert rows(host, "testing")[("sts", "mx.wrongcert.test", "certificate-host-mismatch")] >= 1
    host.web.policy("untrusted.test", mx=["mx.wrongcert.test"])
    host.goes("untrusted", TRUSTED)
    found = rows(host, "untrusted")
    assert found[("sts", "", "sts-webpki-invalid")] == 1 and found[("no-policy-found", "mx.wrongcert.test", "success")] >= 1


def test_counts_hold_over_a_restart_and_can_be_switched_off(host):
    before = rows(host, "good")
    assert before
    host.server.stop()
    host.server.start()
    assert rows(host, "good") == before
    host.server.reload(tls_report="no")
    host.goes("good", VERIFIED)
    assert rows(host, "good") == before
    host.server.reload(tls_report="yes")
    host.goes("good", VERIFIED)
    assert rows(host, "good") != before


def test_reports(host):
    """As a message, signed, and over HTTPS; what was reported is no longer counted, what could not be stays."""
    good, wrong = rows(host, "good"), rows(host, "wrongcert")
    assert good and wrong
    key = host.folder / "dkim"
    key.mkdir()
    host.server.ok("dkim", "new", DOMAIN, "--selector", "s1", "--directory", str(key))
    host.server.settings.update(dkim_keys=f"{DOMAIN}:s1:{next(key.iterdir())}", tls_report_organization="Test \"GmbH\"", tls_report_contact="tls@" + DOMAIN)
    host.server.stop()
    host.server.write_conf()
    host.server.start()
    told = host.server.ok("tls-report", "send", "good.test")
    assert "good.test  mailto:tls@implicit.test: queued" in told and "good.test  https://mta-sts.good.test/reports: taken" in told
    where, kind, body = host.web.posted[-1]
    assert where == "mta-sts.good.test/reports" and kind == "application/tlsrpt+gzip"
    report = json.loads(gzip.decompress(body))
    assert report["organization-name"] == 'Test "GmbH"' and report["contact-info"] == "tls@" + DOMAIN
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00Z", report["date-range"]["start-datetime"])
    policy, = (p for p in report["policies"] if p["policy"]["policy-type"] == "sts")
    assert policy["policy"]["policy-domain"] == "good.test" and policy["policy"]["mx-host"] == ["mx.good.test"]
    assert "mode: enforce" in policy["policy"]["policy-string"]
    assert policy["summary"]["total-successful-session-count"] == good[("sts", "mx.good.test", "success")]
    mail = wait_for(lambda: next((m for m in host.good.messages if "tls@implicit.test" in m["to"]), None), 30, "the report: " + host.server.log()[-2000:])
    text = mail["text"].split("\r\n.\r\n")[0]
    parsed = email.message_from_string(text)
    assert mail["from"] == "" and parsed["From"] == "tls@" + DOMAIN and parsed["TLS-Report-Domain"] == "good.test"
    assert parsed["TLS-Report-Submitter"] == "mail." + DOMAIN and f"d={DOMAIN}" in parsed["DKIM-Signature"]
    assert parsed.get_content_type() == "multipart/report" and parsed.get_param("report-type") == "tlsrpt"
    attached = parsed.get_payload()[1]
    assert attached.get_content_type() == "application/tlsrpt+gzip" and attached.get_filename().endswith(".json.gz")
    assert json.loads(gzip.decompress(attached.get_payload(decode=True)))["policies"] == report["policies"]
    assert not rows(host, "good") or sum(rows(host, "good").values()) <= 1
    assert "https://mta-sts.untrusted.test/reports: " in host.server.ok("tls-report", "send", "wrongcert.test")
    assert rows(host, "wrongcert") == wrong
    assert "nobody who wants it" in host.server.ok("tls-report", "send", "mismatch.test") and not rows(host, "mismatch")
