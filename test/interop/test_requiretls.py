"""REQUIRETLS and TLS-Required (RFC 8689): such mail goes under verified TLS, to servers that keep it so, or comes back.
The servers are ours, the last ones scripted; openssl(1) makes their certificates."""
import re
import smtplib
import ssl
import time

import pytest

from harness import DOMAIN, Server, free_port, wait_for
from scripted import Scripted
from test_tls_outgoing import Authority

NEXT = "next.test"


class World:
    """alice's server, the one that it relays next.test to, and scripted ones behind both."""

    def __init__(self, folder):
        authority, stranger = Authority(folder / "ca"), Authority(folder / "other", "other")
        chain = authority.sign("mx.far.test", "DNS:mx.far.test", "IP:127.0.0.1")
        unknown = stranger.sign("mx.unknown.test", "DNS:mx.unknown.test", "IP:127.0.0.1")
        self.keeps = Scripted(("127.0.0.1", free_port()), chain, starttls="works", requiretls=True)
        self.forgets = Scripted(("127.0.0.1", free_port()), chain, starttls="works")
        self.unknown = Scripted(("127.0.0.1", free_port()), unknown, starttls="works", requiretls=True)
        self.clear = Scripted(("127.0.0.1", free_port()), chain)
        self.scripted = {"keeps": self.keeps, "forgets": self.forgets, "unknown": self.unknown, "clear": self.clear}
        routes = " ".join(f"{{{name}.test = smtp:[127.0.0.1]:{s.server.server_address[1]}}}" for name, s in self.scripted.items())
        routes += f" {{lmtp.test = lmtp:inet:127.0.0.1:{self.forgets.server.server_address[1]}}}"
        settings = {"smtp_tls_CAfile": str(authority.crt), "smtpd_tls_cert_file": chain, "smtpd_tls_key_file": chain, "mynetworks": "127.0.0.0/8",
                    "minimal_backoff_time": "1s", "maximal_backoff_time": "1s", "tls_append_default_CA": "no"}
        for name in ("next", "ours"):
            (folder / name).mkdir()
        self.other = Server(folder / "next", services=("smtp", "imap"), users=("dave",), mydestination=NEXT, myhostname="mx." + NEXT,
                            transport_maps=f"inline:{{ {routes} }}", virtual_alias_maps=f"inline:{{ {{on@{NEXT} = x@keeps.test, dave@{NEXT}}} }}",
                            **settings)
        self.ours = Server(folder / "ours", transport_maps=f"inline:{{ {routes} {{{NEXT} = smtp:[127.0.0.1]:{self.other.port['smtp']}}} }}",
                           smtp_tls_policy_maps=f"texthash:{folder / 'policy'}", **settings)
        self.policy = folder / "policy"
        self.policy.write_text("")

    def __enter__(self):
        for scripted in self.scripted.values():
            scripted.__enter__()
        self.other.start()
        self.ours.start()
        return self

    def __exit__(self, *_):
        self.ours.stop()
        self.other.stop()
        for scripted in self.scripted.values():
            scripted.__exit__()

    def send(self, rcpt, subject, sender="alice@" + DOMAIN, options=("REQUIRETLS",), fields=""):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with self.ours.smtp() as client:
            client.starttls(context=context)
            client.sendmail(sender, [rcpt], f"From: <{sender}>\r\n{fields}Subject: {subject}\r\n\r\nthe text of it\r\n", mail_options=list(options))

    def attempt(self, rcpt, pattern):
        return wait_for(lambda: re.search(rf"relay\.attempt .*to={re.escape(rcpt)} .*{pattern}", self.ours.log()), 30,
                        f"{pattern} for {rcpt}: {self.ours.log()[-2500:]}")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with World(tmp_path_factory.mktemp("requiretls")) as made:
        yield made


def mail_of(scripted, subject):
    """The MAIL command of the message."""
    wait_for(lambda: scripted.with_subject(subject), 30, "the mail " + subject)
    at = scripted.messages.index(scripted.with_subject(subject))
    return [line for line in scripted.lines if line.startswith("MAIL")][at]


def test_offered_under_tls_only(world):
    with world.ours.smtp() as client:
        client.ehlo()
        assert not client.has_extn("requiretls")
        assert client.docmd("MAIL FROM:<a@b.test> REQUIRETLS")[0] == 530
    world.ours.reload(smtpd_discard_ehlo_keywords="requiretls")
    with pytest.raises(smtplib.SMTPSenderRefused) as refused:
        world.send("x@keeps.test", "discarded")
    assert refused.value.smtp_code == 555
    world.ours.reload(smtpd_discard_ehlo_keywords=None)


def test_from_server_to_server(world):
    """Two of ours and one more; an alias on the way changes nothing, nor does a mailbox at its end."""
    world.send("on@" + NEXT, "all-the-way")
    world.attempt("on@" + NEXT, r'status=sent tls="TLSv1\.3 \S+ verified"')
    assert mail_of(world.keeps, "all-the-way").endswith(" REQUIRETLS")
    wait_for(lambda: any(b"Subject: all-the-way" in m for m in world.other.inbox("dave")), 20, "the mail in the mailbox")


def test_other_mail_is_not_changed(world):
    world.send("x@forgets.test", "as-ever", options=())
    assert not mail_of(world.forgets, "as-ever").endswith(" REQUIRETLS")
    world.attempt("x@forgets.test", r'status=sent tls="TLSv1\.3 \S+ trusted"')


def test_lmtp_on_this_machine_is_the_end(world):
    world.send("x@lmtp.test", "delivered")
    assert not mail_of(world.forgets, "delivered").endswith(" REQUIRETLS")


def test_a_server_that_does_not_keep_it_gets_nothing(world):
    world.send("y@forgets.test", "comes-back", options=("REQUIRETLS", "RET=FULL"))
    world.attempt("y@forgets.test", r"dsn=5\.7\.30 status=bounced")
    bounce = wait_for(lambda: next((m for m in world.ours.inbox() if b"Subject: comes-back" in m), None), 20, "the bounce")
    assert b"Status: 5.7.30" in bounce and b"REQUIRETLS" in bounce and b"the text of it" not in bounce
    assert not world.forgets.with_subject("comes-back")


@pytest.mark.parametrize("name,why", [("clear", r"dsn=4\.7\.4 status=deferred"), ("unknown", r"dsn=4\.7\.5 status=deferred .*not trusted")])
def test_a_server_that_is_not_known_gets_nothing(world, name, why):
    world.send(f"x@{name}.test", "not-there")
    world.attempt(f"x@{name}.test", why)
    assert not any(line.startswith("MAIL") for line in world.scripted[name].lines)
    # It holds up nobody else.
    world.send(f"z@{name}.test", "no-matter", options=())
    wait_for(lambda: world.scripted[name].with_subject("no-matter"), 10, "other mail")
    wait_for(lambda: world.ours.command("queue", "delete", "all").returncode == 0, 15, "no attempt under way")


@pytest.mark.parametrize("name,ends", [("keeps", " REQUIRETLS"), ("clear", ">")])
def test_bounces(world, name, ends):
    """RFC 8689 5: a bounce goes the same way where it can, and in clear where it can't."""
    subject = "back-to-" + name
    world.send("v@forgets.test", subject, sender=f"v@{name}.test")
    bounce = mail_of(world.scripted[name], subject)
    assert bounce.startswith("MAIL FROM:<>") and bounce.split(" BODY")[0].endswith(ends)
    assert "the text of it" not in world.scripted[name].with_subject(subject)["text"]


def test_tls_required_no(world):
    """RFC 8689 4.1: what the administrator says of TLS holds for such mail too, and REQUIRETLS beside it."""
    clear = world.clear.server.server_address[1]
    world.policy.write_text(f"[127.0.0.1]:{clear} encrypt\n")
    world.ours.reload()
    world.send("w@clear.test", "encrypted-or-not", options=(), fields="TLS-Required: No\r\n")
    world.attempt("w@clear.test", r"dsn=4\.7\.4 status=deferred")
    world.policy.write_text("")
    world.ours.reload()
    assert mail_of(world.clear, "encrypted-or-not")
    world.send("u@clear.test", "both", fields="TLS-Required: No\r\n")
    world.attempt("u@clear.test", r"dsn=4\.7\.4 status=deferred")
    time.sleep(1)
    assert not world.clear.with_subject("both")
    wait_for(lambda: world.ours.command("queue", "delete", "all").returncode == 0, 15, "no attempt under way")


def test_beside_logins_that_depend_on_the_sender(world, tmp_path):
    """Both keep connections apart."""
    (tmp_path / "passwords").write_text("nobody@here.test user:pw\n")
    world.ours.reload(smtp_sender_dependent_authentication="yes", smtp_sasl_password_maps=f"texthash:{tmp_path / 'passwords'}")
    world.send("s@keeps.test", "with-both")
    world.attempt("s@keeps.test", r'status=sent tls="TLSv1\.3 \S+ verified"')
    assert mail_of(world.keeps, "with-both").endswith(" REQUIRETLS")
    world.send("s@forgets.test", "with-both-back")
    world.attempt("s@forgets.test", r"dsn=5\.7\.30 status=bounced")
