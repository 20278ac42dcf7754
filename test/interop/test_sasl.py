"""SASL mechanisms in SMTP, POP3 and IMAP: a client of this file's own, which does each step as the RFC says, and real
ones: swaks, curl, msmtp, mbsync."""
import base64
import hashlib
import hmac
import json
import os
import re
import secrets
import shutil
import socket
import ssl
import subprocess
import time

import pytest

from harness import DOMAIN, Server, wait_for

ALICE, BOB = "alice@" + DOMAIN, "bob@" + DOMAIN
ALL = "plain login cram-md5 scram-sha-1 scram-sha-256 scram-sha-1-plus scram-sha-256-plus"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    s = Server(tmp_path_factory.mktemp("sasl"), auth_mechanisms=ALL)
    s.start()
    yield s
    s.stop()


# ---- the three protocols' AUTH ----

class Refused(Exception):
    """The server's last words."""


class Wire:
    def __init__(self, server, protocol, tls=None):
        tls_port = {"smtp": "submissions", "pop3": "pop3s", "imap": "imaps"}
        clear_port = {"smtp": "submission", "pop3": "pop3", "imap": "imap"}
        self.protocol = protocol
        self.sock = socket.create_connection(("127.0.0.1", server.port[(tls_port if tls else clear_port)[protocol]]), 20)
        if tls:
            self.sock = tls.wrap_socket(self.sock)
        self.file = self.sock.makefile("rwb")
        self.line()
        if protocol == "smtp":
            self.send("EHLO client.test")
            self.greeting = self.smtp_reply()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.sock.close()

    def send(self, text):
        self.file.write(text.encode() + b"\r\n")
        self.file.flush()

    def line(self):
        return self.file.readline().decode().rstrip("\r\n")

    def smtp_reply(self):
        lines = []
        while True:
            lines.append(self.line())
            if lines[-1][3:4] != "-":
                return lines

    def mechanisms(self):
        if self.protocol == "smtp":
            return next((line[9:].split() for line in self.greeting if line[4:].startswith("AUTH ")), [])
        if self.protocol == "pop3":
            self.send("CAPA")
            found = []
            while (line := self.line()) != ".":
                if line.startswith("SASL "):
                    found = line[5:].split()
            return found
        self.send("c CAPABILITY")
        line = self.line()
        self.line()
        return re.findall(r"AUTH=(\S+)", line)

    def challenge(self):
        """The next challenge as bytes, None when the login is done; Refused otherwise."""
        line = self.line()
        while self.protocol == "imap" and line.startswith("* "):
            line = self.line()
        prefix = {"smtp": "334 ", "pop3": "+ ", "imap": "+ "}[self.protocol]
        if line.startswith(prefix):
            return base64.b64decode(line[len(prefix):], validate=True)
        if line.startswith({"smtp": "235 ", "pop3": "+OK", "imap": "a OK"}[self.protocol]):
            return None
        raise Refused(line)

    def auth(self, mechanism, respond, initial=None, cancel_at=None):
        """respond: a generator that gets challenges and yields responses (bytes)."""
        word = {"smtp": "AUTH", "pop3": "AUTH", "imap": "a AUTHENTICATE"}[self.protocol]
        next(respond)
        first = "" if initial is None else " " + (base64.b64encode(respond.send(b"")).decode() or "=")
        self.send(f"{word} {mechanism}{first}")
        step = 0
        while (challenge := self.challenge()) is not None:
            if cancel_at == step:
                self.send("*")
            else:
                self.send(base64.b64encode(respond.send(challenge)).decode())
            step += 1


def plain(user, password):
    yield
    yield b"\0" + user.encode() + b"\0" + password.encode()


def login(user, password):
    yield
    yield user.encode()
    yield password.encode()


def cram(user, password):
    challenge = yield
    yield user.encode() + b" " + hmac.new(password.encode(), challenge, "md5").hexdigest().encode()


def scram(user, password, digest="sha256", header=b"n,,", binding=b"", spoil=lambda proof: proof):
    yield
    nonce = base64.b64encode(secrets.token_bytes(12))
    bare = b"n=" + user.encode().replace(b"=", b"=3D").replace(b",", b"=2C") + b",r=" + nonce
    first = yield header + bare
    fields = dict(f.split(b"=", 1) for f in first.split(b","))
    assert fields[b"r"].startswith(nonce) and len(fields[b"r"]) > len(nonce)
    salted = hashlib.pbkdf2_hmac(digest, password.encode(), base64.b64decode(fields[b"s"]), int(fields[b"i"]))
    key = hmac.new(salted, b"Client Key", digest).digest()
    final = b"c=" + base64.b64encode(header + binding) + b",r=" + fields[b"r"]
    message = bare + b"," + first + b"," + final
    signature = hmac.new(hashlib.new(digest, key).digest(), message, digest).digest()
    proof = spoil(bytes(a ^ b for a, b in zip(key, signature)))
    verifier = yield final + b",p=" + base64.b64encode(proof)
    server_key = hmac.new(salted, b"Server Key", digest).digest()
    assert verifier == b"v=" + base64.b64encode(hmac.new(server_key, message, digest).digest())
    yield b""


CLIENTS = {
    "PLAIN": plain, "LOGIN": login, "CRAM-MD5": cram,
    "SCRAM-SHA-1": lambda u, p: scram(u, p, "sha1"), "SCRAM-SHA-256": scram,
}


@pytest.mark.parametrize("protocol", ["smtp", "pop3", "imap"])
@pytest.mark.parametrize("mechanism", CLIENTS)
@pytest.mark.parametrize("initial", [None, True], ids=["asked", "initial"])
def test_login(server, protocol, mechanism, initial):
    if mechanism == "CRAM-MD5" and initial:
        initial = None
    with Wire(server, protocol) as w:
        w.auth(mechanism, CLIENTS[mechanism]("alice", server.passwords["alice"]), initial)
    with Wire(server, protocol) as w:
        with pytest.raises(Refused, match="(?i)authentication ?failed"):
            w.auth(mechanism, CLIENTS[mechanism]("alice", "wrong"), initial)
    with Wire(server, protocol) as w:
        with pytest.raises(Refused, match="(?i)authentication ?failed"):
            w.auth(mechanism, CLIENTS[mechanism]("nobody", "wrong"), initial)


@pytest.mark.parametrize("protocol", ["smtp", "pop3", "imap"])
def test_cancel(server, protocol):
    with Wire(server, protocol) as w:
        for at in 0, 1:
            with pytest.raises(Refused, match="(?i)cancel|abort"):
                w.auth("SCRAM-SHA-256", scram("alice", "x"), cancel_at=at)
        w.auth("SCRAM-SHA-256", scram(ALICE, server.passwords["alice"]))


def test_cram_md5_takes_no_initial_response(server):
    with Wire(server, "smtp") as w:
        w.send("AUTH CRAM-MD5 " + base64.b64encode(b"alice 00").decode())
        assert w.line().startswith("501 ")


def test_an_unknown_user_looks_like_a_known_one(server):
    """The same form of first message; the salt of a name stays, and names have different ones."""
    def first(user):
        with Wire(server, "imap") as w:
            client = scram(user, "x")
            next(client)
            w.send("a AUTHENTICATE SCRAM-SHA-256 " + base64.b64encode(client.send(b"")).decode())
            return dict(f.split(b"=", 1) for f in w.challenge().split(b","))
    known, unknown, other = first("alice"), first("nobody"), first("nobody2")
    assert len(known[b"s"]) == len(unknown[b"s"]) and known[b"i"] == unknown[b"i"]
    assert first("nobody")[b"s"] == unknown[b"s"] == first("Nobody@" + DOMAIN)[b"s"] != other[b"s"]
    assert first("alice")[b"s"] == known[b"s"] == first("Alice@" + DOMAIN)[b"s"]


# ---- what is offered, and stored forms ----

PLUS = ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"]
WEAK = ["PLAIN", "LOGIN"]
STRONG = ["CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"]


def insecure_tls(**options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for name, value in options.items():
        setattr(context, name, value)
    return context


@pytest.mark.parametrize("protocol", ["smtp", "pop3", "imap"])
def test_offer(server, protocol):
    with Wire(server, protocol) as w:
        assert w.mechanisms() == WEAK + STRONG
    with Wire(server, protocol, insecure_tls()) as w:
        assert w.mechanisms() == WEAK + STRONG + PLUS


def offered(server, protocol):
    with Wire(server, protocol) as w:
        return w.mechanisms()


def test_security_options(tmp_path):
    s = Server(tmp_path, auth_mechanisms=ALL + " anonymous", smtpd_sasl_security_options="noplaintext, noanonymous",
               smtpd_sasl_tls_security_options="mutual_auth", broken_sasl_auth_clients="yes")
    s.start()
    try:
        with Wire(s, "smtp") as w:
            assert w.mechanisms() == STRONG
            assert "250-AUTH=" + " ".join(STRONG) in w.greeting
            with pytest.raises(Refused, match="504"):
                w.auth("ANONYMOUS", plain("alice", "x"))
            with pytest.raises(Refused, match="504"):
                w.auth("PLAIN", plain("alice", s.passwords["alice"]))
        with Wire(s, "smtp", insecure_tls()) as w:
            assert w.mechanisms() == STRONG[1:] + PLUS
        with Wire(s, "imap") as w:
            assert w.mechanisms() == WEAK + STRONG + ["ANONYMOUS"]
        s.reload(mech_list="SCRAM-SHA-256 LOGIN", smtpd_sasl_security_options=None, smtpd_sasl_tls_security_options=None)
        wait_for(lambda: offered(s, "smtp") == ["SCRAM-SHA-256", "LOGIN"], what="mech_list")
        s.reload(users_file="", pam_service="nothing", mech_list=None)
        wait_for(lambda: offered(s, "imap") == WEAK + ["ANONYMOUS"], what="what PAM can do")
    finally:
        s.stop()


# doveadm pw -s CRAM-MD5 -p pw
DOVEADM_PW = "d3b327e40131add8092e3cb400c690fb8c4c989cd9d0f4ebd9644e4aa7b64cfa"


def test_stored_forms(tmp_path):
    """A verifier, a CRAM-MD5 hash and what `user add` keeps; each serves its own mechanisms, and PLAIN all."""
    def verifier(digest, password, salt=b"0123456789abcdef", rounds=4096):
        salted = hashlib.pbkdf2_hmac(digest, password, salt, rounds)
        stored = hashlib.new(digest, hmac.new(salted, b"Client Key", digest).digest()).digest()
        server_key = hmac.new(salted, b"Server Key", digest).digest()
        return ",".join([str(rounds)] + [base64.b64encode(b).decode() for b in (salt, stored, server_key)])
    s = Server(tmp_path, users=(), auth_mechanisms=ALL)
    with open(s.users_file, "w", encoding="ascii") as f:
        f.write("one:{SCRAM-SHA-1}" + verifier("sha1", b"pw") + "\n")
        f.write("two:{SCRAM-SHA-256}" + verifier("sha256", b"pw") + "\n")
        f.write("three:{CRAM-MD5}" + DOVEADM_PW + "\n")
    s.start()
    try:
        s.ok("user", "add", "made", "--password-stdin", input="pw\n")
        works = {(u, m) for u, ms in {"one": "PLAIN SCRAM-SHA-1", "two": "PLAIN SCRAM-SHA-256", "three": "PLAIN CRAM-MD5",
                                      "made": "PLAIN SCRAM-SHA-256"}.items() for m in ms.split()}
        time.sleep(1.5)  # until the changed file is taken up
        for user in "one", "two", "three", "made":
            for mechanism, client in CLIENTS.items():
                if mechanism == "LOGIN":
                    continue
                with Wire(s, "pop3") as w:
                    if (user, mechanism) in works:
                        w.auth(mechanism, client(user, "pw"))
                    else:
                        with pytest.raises(Refused):
                            w.auth(mechanism, client(user, "pw"))
    finally:
        s.stop()


# ---- channel binding ----

def bound(server, protocol, kind, data=None, digest="sha256", tls=None):
    context = tls or insecure_tls(maximum_version=ssl.TLSVersion.TLSv1_2)
    with Wire(server, protocol, context) as w:
        if data is None and kind == "tls-unique":
            data = w.sock.get_channel_binding("tls-unique")
        elif data is None:
            data = hashlib.sha256(w.sock.getpeercert(True)).digest()
        mechanism = {"sha1": "SCRAM-SHA-1-PLUS", "sha256": "SCRAM-SHA-256-PLUS"}[digest]
        w.auth(mechanism, scram("alice", server.passwords["alice"], digest, f"p={kind},,".encode(), data), True)


@pytest.mark.parametrize("protocol", ["smtp", "pop3", "imap"])
@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_channel_binding(server, protocol, digest):
    bound(server, protocol, "tls-unique", digest=digest)
    bound(server, protocol, "tls-server-end-point", digest=digest)
    bound(server, protocol, "tls-server-end-point", digest=digest, tls=insecure_tls())
    with pytest.raises(Refused):
        bound(server, protocol, "tls-unique", b"0" * 12, digest)
    with pytest.raises(Refused):
        bound(server, protocol, "tls-server-end-point", b"0" * 32, digest)
    with pytest.raises(Refused):  # TLS 1.3 has none
        bound(server, protocol, "tls-unique", b"0" * 12, digest, insecure_tls())


def test_downgrade_is_refused(server):
    with Wire(server, "smtp", insecure_tls()) as w:
        with pytest.raises(Refused):
            w.auth("SCRAM-SHA-256", scram("alice", server.passwords["alice"], header=b"y,,"), True)
    with Wire(server, "smtp") as w:  # nothing to bind to was announced
        w.auth("SCRAM-SHA-256", scram("alice", server.passwords["alice"], header=b"y,,"), True)


# ---- real clients ----

def need(program):
    if not shutil.which(program):
        pytest.skip(program + " is not installed")


def run(home, *command, ok=True, **options):
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False, **options)
    assert (done.returncode == 0) == ok, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


def test_swaks_cram_md5(server, tmp_path):
    need("swaks")
    words = ["swaks", "--server", "127.0.0.1", "--port", str(server.port["submission"]), "--from", ALICE, "--to", BOB,
             "--auth", "CRAM-MD5", "--auth-user", "alice", "--auth-password"]
    run(tmp_path, *words, server.passwords["alice"])
    run(tmp_path, *words, "wrong", ok=False)


@pytest.mark.parametrize("mechanism", ["cram-md5", "scram-sha-1", "scram-sha-256", "scram-sha-256-plus"])
def test_msmtp(server, tmp_path, mechanism):
    need("msmtp")
    port, tls = ("submissions", ["--tls=on", "--tls-starttls=off", "--tls-certcheck=off"]) if "plus" in mechanism else \
        ("submission", ["--tls=off"])
    if "plus" in mechanism and "scram-sha-256-plus" not in run(tmp_path, "msmtp", "--version").stdout.lower():
        pytest.skip("this msmtp has no -PLUS")
    words = ["msmtp", "--host=127.0.0.1", f"--port={server.port[port]}", *tls, "--auth=" + mechanism, "--user=alice",
             "--from=" + ALICE]
    message = f"From: {ALICE}\nTo: {BOB}\nSubject: x\n\nx\n"
    run(tmp_path, *words, "--passwordeval=echo " + server.passwords["alice"], BOB, input=message)
    run(tmp_path, *words, "--passwordeval=echo wrong", BOB, ok=False, input=message)


@pytest.mark.parametrize("mechanism", ["CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"])
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_curl(server, tmp_path, mechanism, protocol):
    need("curl")
    if mechanism != "CRAM-MD5" and "gsasl" not in run(tmp_path, "curl", "--version").stdout:
        pytest.skip("this curl has no SCRAM")
    words = ["curl", "-sS", f"{protocol}://127.0.0.1:{server.port[protocol]}/", "--login-options", "AUTH=" + mechanism]
    run(tmp_path, *words, "-u", "alice:" + server.passwords["alice"])
    run(tmp_path, *words, "-u", "alice:wrong", ok=False)


@pytest.mark.parametrize("mechanism", ["CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_mbsync(server, tmp_path, mechanism):
    """isync goes through Cyrus' libsasl."""
    need("mbsync")
    conf = tmp_path / "mbsyncrc"
    conf.write_text(f"""
IMAPAccount a
Host 127.0.0.1
Port {server.port["imap"]}
User alice
Pass {server.passwords["alice"]}
SSLType None
AuthMechs {mechanism}

IMAPStore far
Account a

MaildirStore near
Path {tmp_path}/mail/
Inbox {tmp_path}/mail/INBOX

Channel c
Far :far:
Near :near:
Create Near
""")
    (tmp_path / "mail").mkdir()
    run(tmp_path, "mbsync", "-c", str(conf), "c")


# ---- bearer tokens ----

def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Signs tokens as an identity provider does, by openssl(1)."""

    def __init__(self, folder):
        self.key, self.public = folder / "idp.key", folder / "idp.pem"
        subprocess.run(["openssl", "genrsa", "-out", str(self.key), "2048"], check=True, capture_output=True)
        subprocess.run(["openssl", "rsa", "-in", str(self.key), "-pubout", "-out", str(self.public)], check=True,
                       capture_output=True)

    def token(self, user, lifetime=600, audience="mail"):
        claims = {"iss": "https://idp.test", "aud": audience, "email": user, "exp": int(time.time()) + lifetime}
        text = b64url(b'{"alg":"RS256","typ":"JWT"}') + "." + b64url(json.dumps(claims).encode())
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", str(self.key)], input=text.encode(), check=True,
                                   capture_output=True).stdout
        return text + "." + b64url(signature)


@pytest.fixture(scope="module")
def idp(tmp_path_factory):
    folder = tmp_path_factory.mktemp("idp")
    issuer = Issuer(folder)
    issuer.server = Server(folder, auth_mechanisms="plain oauthbearer xoauth2", oauth2_keys=str(issuer.public),
                           oauth2_audience="mail", oauth2_issuers="https://idp.test")
    issuer.server.start()
    yield issuer
    issuer.server.stop()


def oauthbearer(user, token):
    yield
    yield f"n,a={user},\1host=h\1port=143\1auth=Bearer {token}\1\1".encode()
    yield b"\1"


def xoauth2(user, token):
    yield
    yield f"user={user}\1auth=Bearer {token}\1\1".encode()
    yield b""


@pytest.mark.parametrize("protocol", ["smtp", "pop3", "imap"])
@pytest.mark.parametrize("mechanism, client", [("OAUTHBEARER", oauthbearer), ("XOAUTH2", xoauth2)])
def test_bearer_token(idp, protocol, mechanism, client):
    s = idp.server
    with Wire(s, protocol) as w:
        assert mechanism in w.mechanisms()
        w.auth(mechanism, client(ALICE, idp.token(ALICE)), True)
    with Wire(s, protocol) as w:
        w.auth(mechanism, client("alice", idp.token("alice")))
    good = idp.token(ALICE)
    for user, token in [(BOB, good), (ALICE, idp.token(ALICE, -100)), (ALICE, idp.token(ALICE, audience="other")),
                        (ALICE, good[:-4] + "AAAA"), ("nobody", idp.token("nobody")), (ALICE, "x")]:
        with Wire(s, protocol) as w:
            with pytest.raises(Refused, match="(?i)authentication ?failed"):
                w.auth(mechanism, client(user, token), True)
    assert "the token has expired" in s.log() and "signature is by none of oauth2_keys" in s.log()
    assert good not in s.log()


@pytest.mark.parametrize("mechanism", ["OAUTHBEARER", "XOAUTH2"])
@pytest.mark.parametrize("protocol", ["imap", "pop3", "smtp"])
def test_curl_bearer(idp, tmp_path, mechanism, protocol):
    need("curl")
    service = "submission" if protocol == "smtp" else protocol
    words = ["curl", "-sS", f"{protocol}://127.0.0.1:{idp.server.port[service]}/", "--login-options", "AUTH=" + mechanism, "-u",
             ALICE + ":", "--oauth2-bearer"]
    if protocol == "smtp":
        mail = tmp_path / "m"
        mail.write_bytes(b"Subject: x\r\n\r\nx\r\n")
        words[3:3] = ["--mail-from", ALICE, "--mail-rcpt", BOB, "-T", str(mail)]
    run(tmp_path, *words, idp.token(ALICE))
    run(tmp_path, *words, idp.token(ALICE, -100), ok=False)


@pytest.mark.parametrize("mechanism", ["oauthbearer", "xoauth2"])
def test_msmtp_bearer(idp, tmp_path, mechanism):
    need("msmtp")
    words = ["msmtp", "--host=127.0.0.1", f"--port={idp.server.port['submissions']}", "--tls=on", "--tls-starttls=off",
             "--tls-certcheck=off", "--auth=" + mechanism, "--user=" + ALICE, "--from=" + ALICE]
    message = f"From: {ALICE}\nTo: {BOB}\nSubject: x\n\nx\n"
    run(tmp_path, *words, "--passwordeval=echo " + idp.token(ALICE), BOB, input=message)
    run(tmp_path, *words, "--passwordeval=echo " + idp.token(ALICE, -100), BOB, ok=False, input=message)
