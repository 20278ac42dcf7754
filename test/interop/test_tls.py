"""TLS as the configuration says it: versions, ciphers, certificates by name, files that change, client certificates;
openssl(1) is the client."""
import hashlib
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile

import pytest

from harness import DOMAIN, Server, free_port, wait_for
from scripted import Scripted

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import peers  # noqa: E402

STARTTLS = {"smtp": "smtp", "submission": "smtp", "imap": "imap", "pop3": "pop3"}


def openssl(*words, **options):
    return subprocess.run(["openssl", *words], check=True, capture_output=True, **options)


class Certificates:
    """A folder of certificates, each a pair NAME.crt and NAME.key; `ca` signs those of clients."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, name):
        return str(self.folder / name)

    def make(self, name, common=None, kind="ec"):
        key = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else ["rsa:2048"]
        openssl("req", "-x509", "-nodes", "-days", "30", "-newkey", *key, "-subj", f"/CN={common or name}",
                "-keyout", self.path(name + ".new"), "-out", self.path(name + ".crt"))
        pathlib.Path(self.path(name + ".new")).rename(self.path(name + ".key"))
        return self.path(name + ".crt"), self.path(name + ".key")

    def chain(self, name, *parts):
        text = "".join(pathlib.Path(p[1]).read_text() + pathlib.Path(p[0]).read_text() for p in parts)
        pathlib.Path(self.path(name)).write_text(text)
        return self.path(name)

    def client(self, name, ca):
        openssl("req", "-nodes", "-newkey", "rsa:2048", "-subj", f"/CN={name}", "-keyout", self.path(name + ".key"),
                "-out", self.path(name + ".csr"))
        openssl("x509", "-req", "-days", "30", "-in", self.path(name + ".csr"), "-CA", ca[0], "-CAkey", ca[1],
                "-CAcreateserial", "-out", self.path(name + ".crt"))
        return self.path(name + ".crt"), self.path(name + ".key")


def handshake(port, *words, starttls=None, name=None, address="127.0.0.1"):
    """What openssl s_client says: (its exit status, version, cipher, common name of the server)."""
    command = ["openssl", "s_client", "-connect", f"{address}:{port}", *words]
    command += ["-starttls", starttls] if starttls else []
    command += ["-servername", name] if name else ["-noservername"]
    got = subprocess.run(command, input="", capture_output=True, text=True, check=False, timeout=30)
    found = re.search(r"^New, (\S+), Cipher is (\S+)", got.stdout, re.M)
    common = re.search(r"^subject=.*CN ?= ?(\S+)", got.stdout, re.M)
    version, cipher = found.groups() if found else (None, "(NONE)")
    return got.returncode, version if cipher != "(NONE)" else None, cipher, common and common.group(1)


def shown(server, service, name=None, **options):
    return handshake(server.port[service], starttls=STARTTLS.get(service), name=name, **options)[3]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


def new_server(folder, **settings):
    folder.mkdir()
    return Server(folder, **settings)


@pytest.fixture
def start(tmp_path):
    servers = []

    def start_one(**settings):
        servers.append(new_server(tmp_path / f"s{len(servers)}", **settings).start())
        return servers[-1]
    yield start_one
    for server in servers:
        server.stop()


# ---- versions and ciphers ----

def test_versions(start):
    s = start(smtpd_tls_protocols="TLSv1.2", smtpd_tls_mandatory_protocols="!TLSv1.2, >=TLSv1.2", ssl_min_protocol="TLSv1.3")
    assert handshake(s.port["smtp"], starttls="smtp")[1] == "TLSv1.2"
    assert handshake(s.port["smtp"], "-tls1_3", starttls="smtp")[1] is None
    assert handshake(s.port["submissions"])[1] == "TLSv1.3"
    assert handshake(s.port["submissions"], "-tls1_2")[1] is None
    assert handshake(s.port["imaps"], "-tls1_2")[1] is None
    assert handshake(s.port["imaps"])[1] == "TLSv1.3"
    s.reload(smtpd_tls_protocols=None, ssl_min_protocol=None)
    assert handshake(s.port["smtp"], starttls="smtp")[1] == "TLSv1.3"
    assert handshake(s.port["imap"], "-tls1_2", starttls="imap")[1] == "TLSv1.2"


def test_ciphers(start):
    s = start(smtpd_tls_ciphers="high", tls_high_cipherlist="ECDHE+AESGCM", smtpd_tls_exclude_ciphers="AES128",
              smtpd_tls_mandatory_exclude_ciphers="CHACHA20", ssl_cipher_list="ECDHE+CHACHA20",
              ssl_cipher_suites="TLS_AES_128_GCM_SHA256", ssl_curve_list="secp384r1")
    assert handshake(s.port["smtp"], "-tls1_2", starttls="smtp")[2] == "ECDHE-ECDSA-AES256-GCM-SHA384"
    assert handshake(s.port["smtp"], "-tls1_2", "-cipher", "AES128", starttls="smtp")[1] is None
    assert handshake(s.port["submissions"], "-tls1_2", "-cipher", "CHACHA20")[1] is None
    assert handshake(s.port["imaps"], "-tls1_2")[2] == "ECDHE-ECDSA-CHACHA20-POLY1305"
    assert handshake(s.port["imaps"])[2] == "TLS_AES_128_GCM_SHA256"
    assert handshake(s.port["imaps"], "-curves", "X25519")[1] is None
    assert handshake(s.port["imaps"], "-curves", "P-384")[1] == "TLSv1.3"


@pytest.mark.parametrize("prefer,cipher", [("no", "ECDHE-ECDSA-AES128-GCM-SHA256"), ("yes", "ECDHE-ECDSA-AES256-GCM-SHA384")])
def test_order_of_ciphers(start, prefer, cipher):
    s = start(tls_preempt_cipherlist=prefer, ssl_prefer_server_ciphers=prefer)
    for service in ("submissions", "imaps"):
        assert handshake(s.port[service], "-tls1_2", "-cipher",
                         "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384")[2] == cipher


@pytest.mark.parametrize("setting,value,reason", [
    ("smtpd_tls_protocols", ">=TLSv1.4", "no version"), ("smtpd_tls_protocols", ">=TLSv1.3 <=TLSv1.2", "leaves no version"),
    ("smtpd_tls_mandatory_protocols", "!SSLv4", "no version"), ("smtp_tls_protocols", "TLS", "no version"),
    ("smtpd_tls_ciphers", "strong", "not one of"), ("ssl_min_protocol", "TLS1.2", "no version"), ("ssl", "maybe", "not one of"),
    ("smtpd_tls_fingerprint_digest", "crc32", "not one of"), ("tls_certificates", "{name=x.test, cert=/x}", "cert and key"),
    ("login_trusted_networks", "10.0.0.0/33", "10.0.0.0/33"), ("tls_server_sni_maps", "pcre:/x", "before a client asks"),
    ("ssl_options", "compression", "not one of"), ("tls_high_cipherlist", "HIGH;", "no cipher list"),
])
def test_bad_values_are_errors_with_their_line(tmp_path, setting, value, reason):
    s = new_server(tmp_path / "s", **{setting: value})
    line = len([v for v in s.settings.values() if v is not None])
    got = s.command("config", "check")
    assert got.returncode != 0
    assert re.search(rf"postrider\.conf:{line}: {setting}: .*{re.escape(reason)}", got.stdout + got.stderr), got.stdout + got.stderr


def test_ciphers_that_openssl_does_not_know_turn_tls_off(start):
    s = start(ssl_cipher_list="NO-SUCH-CIPHER")
    assert "tls.off" in s.log() and "ssl_cipher_list" in s.log()
    with s.smtp() as c:
        c.ehlo()
        assert c.has_extn("starttls")
    with pytest.raises(AssertionError):
        assert handshake(s.port["imaps"])[1]


# ---- whether TLS is there at all ----

def capabilities(server):
    with socket.create_connection((server.address, server.port["pop3"]), 10) as c:
        f = c.makefile("rwb")
        f.readline()
        f.write(b"CAPA\r\n")
        f.flush()
        return b"".join(iter(f.readline, b".\r\n")).decode()


def test_ssl_no_opens_no_tls(tmp_path):
    s = new_server(tmp_path / "s", ssl="no").start()
    try:
        assert "STLS" not in capabilities(s)
        for service in ("pop3s", "imaps"):
            with pytest.raises(OSError):
                socket.create_connection(("127.0.0.1", s.port[service]), 5)
        assert shown(s, "smtp")
    finally:
        s.stop()


def own_address():
    """An address of this machine that is not loopback's, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return s.getsockname()[0]


@pytest.mark.skipif(not own_address(), reason="this machine has no address but loopback's")
def test_ssl_required_and_trusted_networks(start):
    address = own_address()
    s = start(address=address, services=("pop3", "imap"), ssl="required", disable_plaintext_auth="no",
              auth_mechanisms="plain scram-sha-256")
    words = f"LOGIN alice {s.passwords['alice']}"
    assert "SASL" not in capabilities(s) and "STLS" in capabilities(s)
    assert imap_clear(s, words).startswith("a NO")
    s.reload(ssl="yes")
    assert imap_clear(s, words).startswith("a OK")
    s.reload(ssl="required", disable_plaintext_auth="yes", login_trusted_networks=f"{address}/32")
    assert "SASL PLAIN SCRAM-SHA-256" in capabilities(s)
    assert imap_clear(s, words).startswith("a OK")


def imap_clear(server, words):
    with socket.create_connection((server.address, server.port["imap"]), 10) as c:
        f = c.makefile("rwb")
        f.readline()
        f.write(f"a {words}\r\n".encode())
        f.flush()
        return f.readline().decode()


def test_postfix_without_certificate_has_no_starttls(tmp_path):
    folder = tmp_path / "postfix"
    folder.mkdir()
    port = free_port()
    (folder / "main.cf").write_text(f"myhostname = mail.{DOMAIN}\nmydestination = {DOMAIN}\nsmtpd_tls_security_level = may\n"
                                    "compatibility_level = 3.6\nmynetworks =\n")
    (folder / "master.cf").write_text(f"127.0.0.1:{port} inet n - n - - smtpd\n")
    s = new_server(tmp_path / "s", services=("smtp",))
    s.port["smtp"] = port
    s.settings["postfix_config"] = str(folder)
    for name in ("listen", "myhostname", "mydestination"):
        del s.settings[name]
    s.write_conf()
    s.start()
    try:
        with s.smtp() as c:
            c.ehlo()
            assert not c.has_extn("starttls")
        main_cf = (folder / "main.cf").read_text()
        (folder / "main.cf").write_text(main_cf.replace("level = may", "level = encrypt"))
        s.reload()
        with s.smtp() as c:  # what must be encrypted does not go in clear
            c.ehlo()
            assert c.mail("x@elsewhere.test")[0] == 530
        (folder / "main.cf").write_text(main_cf)
        c, k = Certificates(tmp_path / "c").make("late.test")
        (folder / "main.cf").write_text((folder / "main.cf").read_text() +
                                        f"smtpd_tls_cert_file = {c}\nsmtpd_tls_key_file = {k}\n")
        s.reload()
        assert shown(s, "smtp") == "late.test"
        # Postfix's defaults: the Received header does not tell of TLS.
        assert s.ok("config", "show").count("smtpd_tls_received_header = no")
    finally:
        s.stop()


# ---- certificates by name ----

def test_certificates_by_name(start, certificates, tmp_path):
    default, rsa = certificates.make("default.test"), certificates.make("default-rsa.test", kind="rsa")
    one, two, wild = certificates.make("one.test"), certificates.make("two.test"), certificates.make("wild.test")
    three, four = certificates.make("three.test"), certificates.make("four.test")
    table = tmp_path / "sni"
    table.write_text(f"# names\none.test {certificates.chain('one.pem', one)}\n.deep.test\n  {certificates.chain('two.pem', two)}\n")
    s = start(smtpd_tls_chain_files=certificates.chain("default.pem", rsa, default), tls_server_sni_maps=f"hash:{table}",
              tls_certificates=f"{{name={{*.wild.test three.test}}, cert={three[0]}, key={three[1]}}}, "
                               f"{{for=login, name=mail.login.test, cert={four[0]}, key={four[1]}}}")
    for service in ("smtp", "submissions"):
        assert shown(s, service) == "default.test"
        assert shown(s, service, "unknown.test") == "default.test"
        assert shown(s, service, "ONE.test") == "one.test"
        assert shown(s, service, "a.b.deep.test") == "two.test"
        assert shown(s, service, "x.wild.test") == "three.test"
        assert shown(s, service, "x.y.wild.test") == "default.test"
        assert shown(s, service, "mail.login.test") == "default.test"
    assert shown(s, "imap", "mail.login.test") == "four.test"
    assert shown(s, "pop3s", "three.test") == "three.test"
    assert shown(s, "imaps", "one.test") == "default.test"
    assert handshake(s.port["submissions"], "-tls1_2", "-cipher", "aRSA")[3] == "default-rsa.test"
    assert re.search(rf"tls\.started .*sni=ONE\.test certificate={certificates.path('one.pem')}", s.log())
    # A name more in the table, without a reload.
    table.write_text(table.read_text() + f"late.test {certificates.chain('wild.pem', wild)}\n")
    wait_for(lambda: shown(s, "smtp", "late.test") == "wild.test", 15, "the certificate of the new name")


def test_two_kinds_of_keys_for_a_name(start, certificates):
    one, two = certificates.make("kinds-ec.test"), certificates.make("kinds-rsa.test", kind="rsa")
    s = start(tls_certificates=f"{{name=kinds.test, cert={one[0]}, key={one[1]}, alt_cert={two[0]}, alt_key={two[1]}}}")
    for cipher, expected in (("aECDSA", one), ("aRSA", two)):
        assert handshake(s.port["imaps"], "-tls1_2", "-cipher", cipher, name="kinds.test")[3] in expected[0]


def test_certificates_by_address(start, certificates):
    default, other = certificates.make("anywhere.test"), certificates.make("address.test")
    s = start(smtpd_tls_cert_file=default[0], smtpd_tls_key_file=default[1], address="127.0.0.1",
              tls_certificates=f"{{address=127.0.0.1, for=login, cert={other[0]}, key={other[1]}}}")
    assert shown(s, "imaps") == "address.test" and shown(s, "submissions") == "anywhere.test"


def test_dovecot_names(tmp_path, certificates):
    default, named = certificates.make("dovecot.test"), certificates.make("named.test")
    port = free_port()
    path = tmp_path / "dovecot.conf"
    path.write_text(f"protocols = imap\nssl = yes\nssl_cert = <{default[0]}\nssl_key = <{default[1]}\nlisten = 127.0.0.1\n"
                    "auth_mechanisms = plain\nservice imap-login {\n  inet_listener imap {\n    port = 0\n  }\n"
                    f"  inet_listener imaps {{\n    port = {port}\n    ssl = yes\n  }}\n}}\n"
                    f"local_name named.test {{\n  ssl_cert = <{named[0]}\n  ssl_key = <{named[1]}\n}}\n")
    s = new_server(tmp_path / "s", services=("smtp",), dovecot_config=str(path))
    s.settings["listen"] += f", imaps://127.0.0.1:{port}"
    s.port["imaps"] = port
    s.write_conf()
    s.start()
    try:
        assert shown(s, "imaps") == "dovecot.test" and shown(s, "imaps", "named.test") == "named.test"
    finally:
        s.stop()


def test_changed_files_are_taken_up(start, certificates):
    first = certificates.make("changes", "first.test")
    named = certificates.make("named-changes", "old.test")
    s = start(smtpd_tls_cert_file=first[0], smtpd_tls_key_file=first[1],
              tls_certificates=f"{{name=named.test, cert={named[0]}, key={named[1]}}}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", s.port["imaps"])) as raw, context.wrap_socket(raw) as old:
        old.recv(1000)
        certificates.make("changes", "second.test")
        wait_for(lambda: shown(s, "imaps") == "second.test", 15, "the new certificate")
        assert shown(s, "imaps", "named.test") == "old.test"
        certificates.make("named-changes", "new.test")
        wait_for(lambda: shown(s, "smtp", "named.test") == "new.test", 15, "the new certificate of a name")
        # A broken one is told, and the one before stays.
        pathlib.Path(first[0]).write_text("broken\n")
        wait_for(lambda: "the one before stays in use" in s.log(), 15, "a complaint")
        assert shown(s, "imaps") == "second.test" and shown(s, "imaps", "named.test") == "new.test"
        s.reload()
        assert shown(s, "imaps") == "second.test"
        old.sendall(b"a NOOP\r\n")  # the connection of before goes on
        assert b"a OK" in old.recv(1000)


# ---- client certificates ----

def fingerprint(path, key=False):
    der = openssl("x509", "-in", path, "-outform", "DER").stdout
    if key:
        pem = openssl("x509", "-in", path, "-pubkey", "-noout").stdout
        der = openssl("pkey", "-pubin", "-outform", "DER", input=pem).stdout
    digest = hashlib.sha256(der).hexdigest().upper()
    return ":".join(digest[i:i + 2] for i in range(0, len(digest), 2))


def smtp_with(server, certificate):
    import smtplib
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(*certificate)
    client = smtplib.SMTP("127.0.0.1", server.port["smtp"], timeout=20)
    client.starttls(context=context)
    client.ehlo("client.test")
    client.mail("x@elsewhere.test")
    return client


def relays(server, certificate):
    with smtp_with(server, certificate) as client:
        return client.rcpt("someone@foreign.test")[0] == 250


@pytest.mark.parametrize("key", [False, True])
def test_fingerprints_let_relay(start, certificates, tmp_path, key):
    known, other = certificates.make("known-client"), certificates.make("other-client")
    clients = tmp_path / "relay_clientcerts"
    clients.write_text(f"{fingerprint(known[0], key)} known\n")
    s = start(smtpd_tls_ask_ccert="yes", relay_clientcerts=f"texthash:{clients}",
              smtpd_relay_restrictions="permit_tls_clientcerts, reject_unauth_destination")
    assert relays(s, known) and not relays(s, other) and not relays(s, None)
    assert f"fingerprint={fingerprint(known[0])}" in s.log()
    access = tmp_path / "access"
    access.write_text(f"{fingerprint(other[0], key)} PERMIT\n")
    s.reload(smtpd_relay_restrictions=f"check_ccert_access texthash:{access}, reject_unauth_destination")
    assert relays(s, other) and not relays(s, known)


def test_verified_certificates_let_relay(start, certificates):
    ca, other = certificates.make("ca"), certificates.make("another-ca")
    good, bad = certificates.client("good-client", ca), certificates.client("bad-client", other)
    s = start(smtpd_tls_ask_ccert="yes", smtpd_tls_CAfile=ca[0],
              smtpd_relay_restrictions="permit_tls_all_clientcerts, reject_unauth_destination")
    assert relays(s, good) and not relays(s, bad) and not relays(s, None)
    s.reload(smtpd_tls_req_ccert="yes")
    assert relays(s, good)
    with pytest.raises(Exception):
        relays(s, bad)
    # Authorities that can't be read verify nobody; TLS goes on.
    s.reload(smtpd_tls_req_ccert=None, smtpd_tls_CAfile="/nonexistent")
    assert not relays(s, good)


def test_a_folder_of_authorities(start, certificates, tmp_path):
    ca, other, loose = certificates.make("folder-ca"), certificates.make("folder-late"), certificates.make("folder-loose")
    clients = [certificates.client(f"folder-client-{i}", a) for i, a in enumerate((ca, other, loose))]
    folder = tmp_path / "authorities"
    folder.mkdir()
    shutil.copy(ca[0], folder / "first.pem")
    openssl("rehash", str(folder))
    shutil.copy(loose[0], folder / "not-hashed.pem")
    s = start(smtpd_tls_ask_ccert="yes", smtpd_tls_CApath=str(folder),
              smtpd_relay_restrictions="permit_tls_all_clientcerts, reject_unauth_destination")
    assert [relays(s, c) for c in clients] == [True, False, False]
    (folder / "not-hashed.pem").unlink()
    shutil.copy(other[0], folder / "second.pem")
    openssl("rehash", str(folder))
    wait_for(lambda: relays(s, clients[1]), 10, "the new authority")
    (folder / "first.pem").write_text(pathlib.Path(loose[0]).read_text())  # in place: only the file changes
    wait_for(lambda: relays(s, clients[2]), 10, "the changed file")
    assert not relays(s, clients[0])


def test_a_broken_file_in_a_folder_of_authorities(start, certificates, tmp_path):
    """It is told by its name, and the others count; a folder without any certificate verifies nobody."""
    ca, broken = certificates.make("mixed-ca"), certificates.make("mixed-broken")
    good, bad = certificates.client("mixed-good", ca), certificates.client("mixed-bad", broken)
    folder = tmp_path / "authorities"
    folder.mkdir()
    for name, source in (("a.pem", broken), ("b.pem", ca)):
        shutil.copy(source[0], folder / name)
    openssl("rehash", str(folder))
    hashed = next(p for p in folder.iterdir() if p.is_symlink() and p.resolve() == (folder / "a.pem").resolve())
    text = (folder / "a.pem").read_text()
    (folder / "a.pem").write_text(text[:len(text) // 2])  # no END: it must not swallow the next file
    (folder / "00000000.0").write_bytes(b"\x30\x82\0\0 not PEM 5\n")
    s = start(smtpd_tls_ask_ccert="yes", smtpd_tls_CApath=str(folder),
              smtpd_relay_restrictions="permit_tls_all_clientcerts, reject_unauth_destination")
    assert relays(s, good) and not relays(s, bad)
    for name in (hashed.name, "00000000.0"):
        assert re.search(rf"tls\.authorities .*file={name} .*mend or remove it", s.log()), s.log()
    (folder / "a.pem").write_text(text)
    wait_for(lambda: relays(s, bad), 10, "the mended file")
    for name in ("a.pem", "b.pem"):
        (folder / name).write_text("nothing\n")
    wait_for(lambda: not relays(s, good), 10, "a folder without a certificate")
    assert "there is no certificate of an authority in it" in s.log()


@pytest.fixture
def login_server(start, certificates):
    ca = certificates.make("login-ca")
    s = start(ssl_verify_client_cert="yes", ssl_ca="<" + ca[0], auth_mechanisms="plain external")
    return s, certificates.client("alice", ca), certificates.client("nobody-here", ca), certificates.make("bob")


def imap_external(server, certificate, words="AUTHENTICATE EXTERNAL ="):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(*certificate)
    with socket.create_connection(("127.0.0.1", server.port["imaps"]), 20) as raw, context.wrap_socket(raw) as c:
        f = c.makefile("rwb")
        greeting = f.readline().decode()
        f.write(f"a {words}\r\n".encode())
        f.flush()
        return greeting, f.readline().decode()


def test_external_by_certificate(login_server):
    s, alice, nobody, unsigned = login_server
    greeting, answer = imap_external(s, alice)
    assert "AUTH=EXTERNAL" in greeting and answer.startswith("a OK"), answer
    assert re.search(r" login .*account=alice", s.log())
    for certificate in (None, nobody, unsigned):
        greeting, answer = imap_external(s, certificate)
        assert answer.startswith("a NO"), answer
        assert ("AUTH=EXTERNAL" in greeting) == (certificate is nobody)


def test_required_certificate(login_server):
    s, alice, _, unsigned = login_server
    words = f"LOGIN alice {s.passwords['alice']}"
    assert imap_external(s, None, words)[1].startswith("a OK")
    s.reload(auth_ssl_require_client_cert="yes")
    assert not imap_external(s, None, words)[1].startswith("a OK")
    assert not imap_external(s, unsigned, words)[1].startswith("a OK")
    assert imap_external(s, alice, words)[1].startswith("a OK")


def test_name_of_the_certificate(login_server):
    """auth_ssl_username_from_cert: the password must be that of the one whom the certificate names."""
    s, alice, _, _ = login_server
    s.reload(auth_ssl_username_from_cert="yes")
    assert imap_external(s, alice, f"LOGIN bob {s.passwords['alice']}")[1].startswith("a OK")
    assert re.search(r" login .*account=alice", s.log()) and not re.search(r" login .*account=bob", s.log())
    assert not imap_external(s, alice, f"LOGIN bob {s.passwords['bob']}")[1].startswith("a OK")
    assert imap_external(s, None, f"LOGIN bob {s.passwords['bob']}")[1].startswith("a OK")


def test_revocation_list_is_required(login_server):
    s, alice, _, _ = login_server
    s.reload(ssl_require_crl="yes")
    assert "AUTH=EXTERNAL" not in imap_external(s, alice)[0]


# ---- towards other servers ----

def test_rules_towards_other_servers(start, certificates):
    pair = certificates.make("relay-peer", kind="rsa")
    port = free_port()
    with Scripted(("127.0.0.1", port), certificates.chain("relay-peer.pem", pair), starttls="works") as remote:
        s = start(relayhost=f"[127.0.0.1]:{port}", mynetworks="127.0.0.0/8", smtp_tls_security_level="encrypt",
                  smtp_tls_protocols="TLSv1.3", smtp_tls_mandatory_protocols="TLSv1.2", smtp_tls_mandatory_ciphers="high",
                  tls_high_cipherlist="ECDHE+CHACHA20:ECDHE+AESGCM", smtp_tls_mandatory_exclude_ciphers="CHACHA20")
        for level, expected in (("encrypt", r"TLSv1\.2 ECDHE-RSA-AES\d+-GCM"), ("may", r"TLSv1\.3 ")):
            s.reload(smtp_tls_security_level=level)
            s.send(rcpts=["x@remote.test"], subject="at-" + level)
            wait_for(lambda: any(f"at-{level}" in m["text"] for m in remote.messages), 30, "the mail")
            wait_for(lambda: re.search(r'relay\.attempt .*tls="' + expected, s.log()), 15, "an attempt with " + expected)


# ---- as Postfix itself ----

@pytest.fixture(scope="module")
def postfix_near():
    with tempfile.TemporaryDirectory(prefix="postrider-tls-") as folder:
        os.chmod(folder, 0o755)
        try:
            ns = peers.Namespace(pathlib.Path(folder) / "ns", ["postfix"])
        except peers.Unavailable as why:
            pytest.skip(str(why))
        yield ns, folder
        ns.close()


CLIENTS = (["-tls1_1"], ["-tls1_2"], ["-tls1_3"], ["-tls1_2", "-cipher", "AES128"], ["-tls1_2", "-cipher", "AES256:CHACHA20"],
           ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"], ["-curves", "P-521"])


@pytest.mark.parametrize("settings", [
    {}, {"smtpd_tls_protocols": ">=TLSv1.2, <=TLSv1.2"}, {"smtpd_tls_protocols": "!SSLv2 !SSLv3:!TLSv1.2"},
    {"smtpd_tls_protocols": "TLSv1.3", "smtpd_tls_security_level": "encrypt"},
    {"smtpd_tls_mandatory_protocols": "TLSv1.3", "smtpd_tls_security_level": "encrypt"},
    {"smtpd_tls_exclude_ciphers": "AES128, kRSA", "smtpd_tls_ciphers": "high"},
    {"smtpd_tls_mandatory_exclude_ciphers": "AES256", "tls_preempt_cipherlist": "yes"},
    {"tls_high_cipherlist": "ECDHE+AESGCM", "smtpd_tls_ciphers": "high", "tls_preempt_cipherlist": "yes"},
    {"tls_eecdh_auto_curves": "secp384r1 no-such-curve"},
])
def test_handshakes_as_with_postfix(postfix_near, tmp_path, certificates, settings):
    """The same main.cf for Debian's Postfix and for ours: each client gets the same version and cipher."""
    ns, place = postfix_near
    pair = certificates.make("like-postfix", kind="rsa")
    settings = {"smtpd_tls_security_level": "may", "smtpd_tls_cert_file": pair[0], "smtpd_tls_key_file": pair[1], **settings}
    port, own = free_port(), free_port()
    peer = peers.Postfix(ns, pathlib.Path(place) / tmp_path.name, f"127.0.0.1:{port}", myhostname="mx.peer.test", mydestination="", mynetworks="",
                         inet_interfaces="127.0.0.1", **settings).start()
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "main.cf").write_text("".join(f"{k} = {v}\n" for k, v in settings.items()) +
                                    "myhostname = mx.peer.test\nmydestination =\nmynetworks =\ncompatibility_level = 3.6\n")
    (folder / "master.cf").write_text(f"127.0.0.1:{own} inet n - n - - smtpd\n")
    s = new_server(tmp_path / "s", services=("smtp",))
    s.port["smtp"] = own
    s.settings["postfix_config"] = str(folder)
    for name in ("listen", "myhostname", "mydestination"):
        del s.settings[name]
    s.write_conf()
    try:
        s.start()
        for words in CLIENTS:
            theirs, ours = (handshake(p, *words, starttls="smtp")[1:3] for p in (port, own))
            assert ours == theirs, words
    finally:
        s.stop()
        peer.stop()
