"""How we log in to other servers: each mechanism against our own server (which binds logins to TLS and takes tokens) and
against a Postfix whose logins Dovecot checks."""
import os
import pathlib
import re
import tempfile

import pytest

from harness import Server, free_port, wait_for
from scripted import Scripted
from test_sasl import Issuer
from test_sasl_servers import DOVECOT, peers

ALL = "plain login cram-md5 scram-sha-1 scram-sha-256 scram-sha-1-plus scram-sha-256-plus oauthbearer xoauth2"


class Sender:
    """A server of ours that sends all to a next hop, as somebody."""

    def __init__(self, make_server, tmp_path, port, login, **settings):
        self.table = tmp_path / "passwords"
        self.hop = f"[127.0.0.1]:{port}"
        self.login(login)
        self.server = make_server(relayhost=self.hop, mynetworks="127.0.0.0/8", smtp_sasl_password_maps=f"texthash:{self.table}",
                                  tls_append_default_CA="no", minimal_backoff_time="1s", maximal_backoff_time="2s", **settings)
        self.n = 0

    def login(self, login):
        self.table.write_text(f"{self.hop} {login}\n")

    def send(self):
        self.n += 1
        self.server.send(sender="alice@peer.test", rcpts=[f"alice+{self.n}@peer.test"], subject=f"login-{self.n}")
        return self.n

    def attempt(self, pattern):
        n = self.send()
        wait_for(lambda: re.search(rf"relay\.attempt .*to=alice\+{n}@peer\.test .*{pattern}", self.server.log()), 30,
                 f"{pattern}: " + self.server.log()[-1500:])
        wait_for(lambda: self.server.command("queue", "delete", "all").returncode == 0, 15, "no attempt under way")


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """Our server as the other one, and who makes its tokens."""
    folder = tmp_path_factory.mktemp("peer")
    issuer = Issuer(folder)
    server = Server(folder, auth_mechanisms=ALL, mydestination="peer.test", oauth2_keys=str(issuer.public), oauth2_audience="mail",
                    smtpd_tls_security_level="may", disable_plaintext_auth="no").start()
    yield server, issuer
    server.stop()


@pytest.mark.parametrize("settings,mechanism", [
    ({}, "SCRAM-SHA-256-PLUS"),
    ({"smtp_tls_mandatory_protocols": "TLSv1.2"}, "SCRAM-SHA-256-PLUS"),  # bound by tls-exporter or tls-unique
    ({"smtp_sasl_mechanism_filter": "!scram-sha-256-plus, !scram-sha-1-plus, static:rest"}, "SCRAM-SHA-256"),
    ({"smtp_sasl_mechanism_filter": "scram-sha-1-plus"}, "SCRAM-SHA-1-PLUS"),
    ({"smtp_sasl_mechanism_filter": "scram-sha-1"}, "SCRAM-SHA-1"),
    ({"smtp_sasl_mechanism_filter": "login"}, "LOGIN"),
    ({"smtp_sasl_mechanism_filter": "plain"}, "PLAIN"),
    ({"smtp_sasl_mechanism_filter": "cram-md5"}, "CRAM-MD5"),
    ({"smtp_sasl_tls_security_options": "noanonymous, mutual_auth", "smtp_sasl_mechanism_filter": "!scram-sha-256-plus, static:rest"}, "SCRAM-SHA-1-PLUS"),
])
def test_mechanisms_at_our_own_server(make_server, tmp_path, ours, settings, mechanism):
    peer, _ = ours
    sender = Sender(make_server, tmp_path, peer.port["submission"], f"alice:{peer.passwords['alice']}", smtp_tls_security_level="encrypt", **settings)
    sender.attempt("status=sent")
    used = re.findall(r"auth\.(\S+) .*mechanism=(\S+)", peer.log())
    assert used[-1][1] == mechanism, used
    sender.login("alice:wrong")
    sender.server.reload()
    sender.attempt(r"status=deferred .*535 5\.7\.8|status=deferred .*does not know the password")
    assert peer.passwords["alice"] not in sender.server.log()


@pytest.mark.parametrize("mechanism", ["oauthbearer", "xoauth2"])
def test_tokens(make_server, tmp_path, ours, mechanism):
    peer, issuer = ours
    token = issuer.token("alice")
    sender = Sender(make_server, tmp_path, peer.port["submission"], f"alice:{token}", smtp_tls_security_level="encrypt",
                    smtp_sasl_mechanism_filter=mechanism)
    sender.attempt("status=sent")
    assert re.findall(r"mechanism=(\S+)", peer.log())[-1] == mechanism.upper()
    sender.login("alice:" + issuer.token("alice", lifetime=-600))
    sender.server.reload()
    sender.attempt(r"status=deferred .*535 5\.7\.8")
    assert token not in sender.server.log()


def test_tokens_are_not_passwords(make_server, tmp_path):
    """A server that wants tokens alone does not get the password as one."""
    with Scripted(("127.0.0.1", free_port()), None, password="pw", mechanisms="XOAUTH2 OAUTHBEARER") as remote:
        sender = Sender(make_server, tmp_path, remote.server.server_address[1], "relayuser:pw")
        sender.attempt("status=deferred .*no mechanism that the settings allow")
        assert not [line for line in remote.lines if line.startswith("AUTH")]


def test_options_of_a_verified_server(make_server, tmp_path, ours):
    peer, _ = ours
    sender = Sender(make_server, tmp_path, peer.port["submission"], f"alice:{peer.passwords['alice']}", smtp_tls_security_level="encrypt",
                    smtp_sasl_mechanism_filter="plain", smtp_sasl_tls_security_options="noplaintext", smtp_sasl_tls_verified_security_options="noanonymous")
    sender.attempt("status=deferred .*no mechanism that the settings allow")
    sender.server.reload(smtp_tls_security_level="verify", smtp_tls_CAfile=f"{peer.state}/self-signed.crt",
                         smtp_tls_policy_maps="inline:{ {%s = verify match=%s} }" % (sender.hop, peer.settings["myhostname"]))
    sender.attempt("status=sent tls=.*verified")


# ---- Postfix, with Dovecot ----

@pytest.fixture(scope="module")
def theirs():
    if os.geteuid() != 0:
        pytest.skip("Postfix runs as root")
    with tempfile.TemporaryDirectory(prefix="sasl-out-") as path:
        folder = pathlib.Path(path)
        folder.chmod(0o755)
        try:
            ns = peers.Namespace(folder / "ns", ["postfix", "dovecot"])
        except peers.Unavailable as why:
            pytest.skip(str(why))
        dove = folder / "dove"
        dove.mkdir()
        (dove / "users").write_text("dora:päss,=wörd\n")
        conf = DOVECOT.replace("auth_mechanisms = plain login", "auth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256")
        dovecot = peers.Dovecot(ns, dove, conf.format(folder=dove, port=free_port())).start()
        port = free_port()
        postfix = peers.Postfix(ns, folder / "postfix", smtp=f"127.0.0.1:{port}", inet_interfaces="127.0.0.1", myhostname="mx.peer.test",
                                mydestination="", mynetworks="", smtpd_sasl_auth_enable="yes", smtpd_sasl_type="dovecot",
                                smtpd_sasl_path=f"{dove}/auth-client", smtpd_sasl_security_options="noanonymous",
                                virtual_mailbox_domains="peer.test", virtual_mailbox_base=str(folder / "postfix" / "mail"),
                                virtual_mailbox_maps="regexp:{{/./ box/}}", virtual_uid_maps="static:64914", virtual_gid_maps="static:64914",
                                smtpd_recipient_restrictions="permit_sasl_authenticated, reject").start()
        yield postfix, port
        postfix.stop()
        dovecot.stop()
        ns.close()


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"])
def test_mechanisms_at_postfix_with_dovecot(make_server, tmp_path, theirs, mechanism):
    postfix, port = theirs
    sender = Sender(make_server, tmp_path, port, "dora:päss,=wörd", smtp_sasl_mechanism_filter=mechanism.lower())
    sender.attempt("status=sent")
    wait_for(lambda: f"sasl_method={mechanism}, sasl_username=dora" in postfix.log(), 15, "the login in Postfix's log: " + postfix.log()[-1500:])
    sender.login("dora:pass")
    sender.server.reload()
    sender.attempt(r"status=deferred .*535 5\.7\.8")
