"""How much TLS other servers must have: the levels of smtp_tls_security_level and smtp_tls_policy_maps, and what is done
with a certificate that is not the right one. The other server is scripted; openssl(1) makes its certificates."""
import hashlib
import re
import sqlite3
import ssl
import subprocess

import pytest

from harness import free_port, wait_for
from scripted import Scripted


def openssl(*words, **options):
    return subprocess.run(["openssl", *[str(w) for w in words]], check=True, capture_output=True, **options).stdout


class Authority:
    """A certificate authority with a folder."""

    def __init__(self, folder, name="ca"):
        self.folder, self.name = folder, name
        folder.mkdir(exist_ok=True)
        self.crt, self.key = folder / f"{name}.crt", folder / f"{name}.key"
        openssl("req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "30", "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.crt)

    def sign(self, name, *names):
        """Key and certificate for the names, as one file."""
        base = self.folder / name
        openssl("req", "-nodes", "-newkey", "rsa:2048", "-subj", f"/CN={name}", "-keyout", f"{base}.key", "-out", f"{base}.csr")
        (self.folder / f"{name}.ext").write_text("subjectAltName = " + ", ".join(names) + "\n")
        openssl("x509", "-req", "-days", "30", "-in", f"{base}.csr", "-CA", self.crt, "-CAkey", self.key, "-CAcreateserial",
                "-extfile", f"{base}.ext", "-out", f"{base}.crt")
        chain = self.folder / f"{name}.pem"
        chain.write_text((self.folder / f"{name}.key").read_text() + (self.folder / f"{name}.crt").read_text())
        return str(chain)


def der(pem):
    text = open(pem, encoding="ascii").read()
    return ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN CERTIFICATE"):])


def with_colons(digest):
    return ":".join(digest[i:i + 2] for i in range(0, len(digest), 2)).upper()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority") / "ca")


class Pair:
    """A server of ours and the one that it sends to."""

    def __init__(self, make_server, remote, tmp_path, **settings):
        self.remote, self.port = remote, remote.server.server_address[1]
        self.table = tmp_path / "policy"
        self.table.write_text("")
        self.server = make_server(mynetworks="127.0.0.0/8", relayhost=f"[127.0.0.1]:{self.port}", minimal_backoff_time="1s",
                                  maximal_backoff_time="1s", tls_append_default_CA="no", smtp_tls_policy_maps=f"texthash:{self.table}", **settings)
        self.n = 0

    def policy(self, text):
        self.table.write_text(f"[127.0.0.1]:{self.port} {text}\n" if text else "")
        self.server.reload()

    def send(self):
        self.n += 1
        self.server.send(rcpts=[f"x{self.n}@far.test"], subject=f"tls-{self.n}")
        return self.n

    def goes(self, word):
        """A message arrives, and the log tells how well the server was known."""
        n = self.send()
        wait_for(lambda: self.remote.with_subject(f"tls-{n}"), 30, "the mail: " + self.server.log()[-2000:])
        wait_for(lambda: re.search(rf"relay\.attempt .*to=x{n}@far\.test .*status=sent tls={word}", self.server.log()), 15,
                 f"an attempt with {word}: " + self.server.log()[-1500:])

    def waits(self, why):
        """A message is deferred, and nothing of it was said to the server."""
        before = len([line for line in self.remote.lines if line.startswith("MAIL")])
        n = self.send()
        wait_for(lambda: re.search(rf"relay\.attempt .*to=x{n}@far\.test .*dsn=4\.7\.\d.*status=deferred .*{why}", self.server.log()), 30,
                 f"a deferral with {why}: " + self.server.log()[-2500:])
        assert len([line for line in self.remote.lines if line.startswith("MAIL")]) == before
        wait_for(lambda: self.server.command("queue", "delete", "all").returncode == 0, 15, "no attempt under way")


@pytest.fixture
def peer(authority):
    with Scripted(("127.0.0.1", free_port()), authority.sign("mx.far.test", "DNS:mx.far.test", "DNS:*.wild.test", "IP:127.0.0.1"), starttls="works") as remote:
        yield remote


def test_levels_by_name(make_server, peer, authority, tmp_path):
    pair = Pair(make_server, peer, tmp_path, smtp_tls_CAfile=str(authority.crt))
    pair.goes(r'"TLSv1\.3 \S+ trusted"')
    pair.policy("encrypt")
    pair.goes(r'"TLSv1\.3 \S+ trusted"')
    pair.policy("verify")  # the "host" is the address, which the certificate has
    pair.goes(r'"TLSv1\.3 \S+ verified"')
    pair.policy("secure match=nexthop")
    pair.goes(r'"TLSv1\.3 \S+ verified"')
    pair.policy("secure match=other.test:mx.far.test")
    pair.goes(r'"TLSv1\.3 \S+ verified"')
    pair.policy("secure match=a.wild.test protocols=TLSv1.2 ciphers=high")
    pair.goes(r'"TLSv1\.2 \S+ verified"')
    pair.policy("secure match=.far.test")
    pair.goes(r'"TLSv1\.3 \S+ verified"')
    pair.policy("secure match=far.test")
    pair.waits("server certificate not verified: it is not for far.test")
    pair.policy("secure match=a.b.wild.test")
    pair.waits("server certificate not verified")
    pair.policy("none")
    pair.goes('""')


def test_without_the_authority_nobody_is_known(make_server, peer, authority, tmp_path):
    pair = Pair(make_server, peer, tmp_path)
    pair.goes(r'"TLSv1\.3 \S+ untrusted"')
    pair.policy("verify match=mx.far.test")
    pair.waits("server certificate not trusted: unable")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "ca.pem").write_text(authority.crt.read_text())
    openssl("rehash", folder)
    pair.server.reload(smtp_tls_CApath=str(folder))
    pair.goes(r'"TLSv1\.3 \S+ verified"')
    pair.server.reload(smtp_tls_CApath=None, smtp_tls_CAfile=str(tmp_path / "policy"))  # no certificates in it
    pair.waits("server certificate not trusted")
    assert re.search(r"relay\.authorities .*then=\"no server's certificate is verified by them\"", pair.server.log())


def test_fingerprints(make_server, peer, tmp_path):
    right = with_colons(hashlib.sha256(der(peer.certificate)).hexdigest())
    wrong = with_colons(hashlib.sha256(b"x").hexdigest())
    key = openssl("x509", "-in", peer.certificate, "-noout", "-pubkey")
    public = with_colons(hashlib.sha256(openssl("pkey", "-pubin", "-outform", "DER", input=key)).hexdigest())
    pair = Pair(make_server, peer, tmp_path, smtp_tls_security_level="fingerprint", smtp_tls_fingerprint_cert_match=f"{wrong} {right.lower()}")
    pair.goes(r'"TLSv1\.3 \S+ verified"')
    pair.policy(f"fingerprint match={wrong}|{public}")
    pair.goes(r'"TLSv1\.3 \S+ verified"')
    pair.policy(f"fingerprint match={wrong} match={right[:-3]}")
    pair.waits("no fingerprint of the policy is its")
    pair.server.reload(smtp_tls_fingerprint_digest="sha1")
    pair.policy("fingerprint match=" + with_colons(hashlib.sha1(der(peer.certificate)).hexdigest()))
    pair.goes(r'"TLSv1\.3 \S+ verified"')


@pytest.mark.parametrize("policy,why", [
    ("secur", "`secur` is no level of TLS"), ("secure tafile=/x", "`tafile` is not served"), ("encrypt match=x", "no meaning at this level"),
    ("fingerprint", "without a fingerprint"), ("may protocols=TLSv9", "lists no versions"), ("encrypt servername=a..b", "no name of a host"),
])
def test_wrong_policies_defer(make_server, peer, tmp_path, policy, why):
    pair = Pair(make_server, peer, tmp_path)
    pair.policy(policy)
    pair.waits(why)
    assert not peer.lines  # not even a connection
    pair.policy("encrypt")
    pair.goes(r'"TLSv1\.3 \S+ untrusted"')


def test_a_table_that_cant_be_read_defers(make_server, peer, tmp_path):
    pair = Pair(make_server, peer, tmp_path)
    pair.table.rename(tmp_path / "gone")
    pair.server.reload()
    n = pair.send()
    wait_for(lambda: re.search(rf"relay\.attempt .*to=x{n}@far\.test .*status=deferred", pair.server.log()), 30, "a deferral")
    assert not peer.lines


def test_policies_of_a_database(make_server, peer, authority, tmp_path):
    database = sqlite3.connect(tmp_path / "policies.db")
    database.executescript("CREATE TABLE p (hop TEXT, policy TEXT);")
    (tmp_path / "p.cf").write_text(f"dbpath = {tmp_path}/policies.db\nquery = SELECT policy FROM p WHERE hop = '%s'\n")
    pair = Pair(make_server, peer, tmp_path, smtp_tls_CAfile=str(authority.crt))
    pair.server.reload(smtp_tls_policy_maps=f"sqlite:{tmp_path}/p.cf")
    pair.goes(r'"TLSv1\.3 \S+ trusted"')
    database.execute("INSERT INTO p VALUES (?, 'secure match=mx.far.test')", (f"[127.0.0.1]:{pair.port}",))
    database.commit()
    pair.server.reload()  # connections that are open leave
    pair.goes(r'"TLSv1\.3 \S+ verified"')
    (tmp_path / "policies.db").rename(tmp_path / "gone")
    pair.server.reload()
    n = pair.send()
    wait_for(lambda: re.search(rf"relay\.attempt .*to=x{n}@far\.test .*status=deferred", pair.server.log()), 30, "a deferral")
    assert not peer.with_subject(f"tls-{n}")


def test_no_tls_there(make_server, authority, tmp_path):
    with Scripted(("127.0.0.1", free_port()), authority.sign("mx.none.test", "DNS:mx.none.test"), starttls=None) as remote:
        pair = Pair(make_server, remote, tmp_path, smtp_tls_CAfile=str(authority.crt))
        for level in ("encrypt", "verify", "secure match=x", "fingerprint match=AA"):
            pair.policy(level)
            pair.waits("STARTTLS|TLS")
        pair.policy("may")
        pair.goes('""')


@pytest.mark.parametrize("servername,seen", [("a.sni.test", "a.sni.test"), ("nexthop", None), (None, None)])
def test_the_name_that_the_server_is_told(make_server, peer, tmp_path, servername, seen):
    pair = Pair(make_server, peer, tmp_path, **({"smtp_tls_servername": servername} if servername else {}))
    pair.goes(r'"TLSv1\.3 \S+ untrusted"')
    assert peer.server_names == [seen]  # an address is no name: nothing is told
    pair.policy("encrypt servername=b.sni.test")
    pair.goes(r'"TLSv1\.3 \S+ untrusted"')
    assert peer.server_names == [seen, "b.sni.test"]


def test_trust_anchors(make_server, peer, authority, tmp_path):
    """They vouch alone, and need not be roots."""
    sub = Authority(tmp_path / "sub", "sub")
    (tmp_path / "ext").write_text("basicConstraints = critical, CA:TRUE\n")
    openssl("req", "-new", "-key", sub.key, "-subj", "/CN=sub", "-out", tmp_path / "csr")
    openssl("x509", "-req", "-in", tmp_path / "csr", "-CA", authority.crt, "-CAkey", authority.key, "-CAcreateserial", "-extfile", tmp_path / "ext",
            "-out", sub.crt)
    with Scripted(("127.0.0.1", 0), sub.sign("mx.sub.test", "IP:127.0.0.1"), "works") as remote:
        pair = Pair(make_server, remote, tmp_path, smtp_tls_CAfile=str(sub.crt))
        pair.policy("verify")
        pair.waits("server certificate not trusted")
        pair.server.reload(smtp_tls_CAfile=None, smtp_tls_trust_anchor_file=f"{sub.crt}")
        pair.goes(r'"TLSv1\.3 \S+ verified"')
    pair = Pair(make_server, peer, tmp_path, smtp_tls_CAfile=str(authority.crt), smtp_tls_trust_anchor_file=f"{sub.crt}")
    pair.policy("verify")
    pair.waits("server certificate not trusted")
    pair.server.reload(smtp_tls_trust_anchor_file=f"{sub.crt} {authority.crt}")
    pair.goes(r'"TLSv1\.3 \S+ verified"')


def shown(remote):
    """The names of the client certificates, newest last."""
    return [dict(field[0] for field in c["subject"])["commonName"] for c in remote.clients if c]


def test_client_certificates(make_server, authority, tmp_path):
    """A server that demands a certificate gets it: of a pair, anew when its file changes, of a chain; without one the mail waits."""
    chain, other = authority.sign("client1", "DNS:client.test"), authority.sign("client2", "DNS:client.test")
    mine = tmp_path / "client.pem"
    mine.write_text(open(chain, encoding="ascii").read())
    mine.chmod(0o600)  # relay can't open it by itself
    with Scripted(("127.0.0.1", 0), authority.sign("asks", "DNS:asks.test"), "works") as remote:
        remote.client_authorities = str(authority.crt)
        pair = Pair(make_server, remote, tmp_path, smtp_tls_cert_file=mine, smtp_tls_security_level="encrypt")

        def shows(name):
            pair.goes(r'"TLSv1\.3 \S+ untrusted"')
            return shown(remote)[-1] == name

        assert shows("client1")
        mine.write_text(open(other, encoding="ascii").read())
        wait_for(lambda: shows("client2"), 20, "the new certificate")
        pair.server.reload(smtp_tls_cert_file=None, smtp_tls_chain_files=chain)
        wait_for(lambda: shows("client1"), 20, "the chain's certificate")
        before = len(remote.clients)
        pair.server.reload(smtp_tls_chain_files=str(tmp_path / "policy"))  # no key in it
        n = pair.send()
        wait_for(lambda: re.search(r"relay\.certificate .*policy .*then=", pair.server.log()), 15, "the broken file is told")
        wait_for(lambda: re.search(rf"relay\.attempt .*to=x{n}@far\.test .*status=deferred", pair.server.log()), 15, "it waits")
        assert len(remote.clients) == before


def test_what_config_check_says(make_server):
    server = make_server()
    for setting, value, reason in (("smtp_tls_security_level", "strict", "not one of"), ("smtp_tls_servername", "a b", "no name of a host"),
                                   ("smtp_tls_fingerprint_digest", "crc32", "not one of"), ("smtp_tls_CAfile", "relative.pem", "must be a path")):
        server.settings[setting] = value
        server.write_conf()
        got = server.command("config", "check")
        assert got.returncode != 0 and re.search(f"{setting}: .*{reason}", got.stdout + got.stderr), got.stdout + got.stderr
        server.settings[setting] = None
    server.settings["smtp_tls_key_file"] = server.conf
    server.write_conf()
    assert "smtp_tls_key_file is set but smtp_tls_cert_file is not" in server.command("config", "check").stderr


def test_lmtp_has_levels_of_its_own(make_server):
    peer = make_server(mydestination="next.test")
    hop = f"127.0.0.1:{peer.port['lmtp']}"
    server = make_server(relay_domains="next.test", relay_transport=f"lmtp:inet:{hop}", minimal_backoff_time="1s", tls_append_default_CA="no",
                         lmtp_tls_CAfile=f"{peer.state}/self-signed.crt", smtp_tls_security_level="none")

    def goes(tls, **settings):
        server.reload(**settings)
        before = len(re.findall("relay.attempt .*status=sent", server.log()))
        server.send(sender="alice@example.test", rcpts=["carol@next.test"], subject="by-lmtp")
        wait_for(lambda: len(re.findall(f"relay.attempt .*status=sent tls={tls}", server.log())) and
                 len(re.findall("relay.attempt .*status=sent", server.log())) > before, 30, tls + server.log()[-1500:])

    goes('""')
    goes('"TLS.* trusted"', lmtp_tls_security_level="may")
    goes('"TLS.* verified"', lmtp_tls_policy_maps="inline:{ {%s=verify match=%s} }" % (hop, peer.settings["myhostname"]))
    server.reload(lmtp_tls_policy_maps=None, lmtp_tls_security_level="secure")  # the address is not in it
    server.send(sender="alice@example.test", rcpts=["carol@next.test"], subject="by-lmtp")
    wait_for(lambda: re.search("status=deferred .*server certificate not verified: it is not for 127.0.0.1", server.log()), 30,
             "a deferral: " + server.log()[-1500:])
