"""COMPRESS=DEFLATE (RFC 4978), over plain connections and over TLS."""
import imaplib
import re
import ssl
import zlib

import pytest

pytestmark = pytest.mark.threads


class Compressed:
    """A client's connection, once both directions are compressed."""

    def __init__(self, client):
        self.sock, self.pending = client.sock, b""
        self.down = zlib.decompressobj(-15)
        self.up = zlib.compressobj(6, zlib.DEFLATED, -15)
        self.sent, self.received = 0, 0

    def send(self, data):
        packed = self.up.compress(data) + self.up.flush(zlib.Z_SYNC_FLUSH)
        self.sent += len(packed)
        self.sock.sendall(packed)

    def until(self, pattern):
        while not (found := re.search(pattern, self.pending)):
            data = self.sock.recv(65536)
            assert data, "the server closed the connection"
            self.received += len(data)
            self.pending += self.down.decompress(data)
        text, self.pending = self.pending[:found.end()], self.pending[found.end():]
        return text

    def ask(self, tag, command):
        self.send(b"%s %s\r\n" % (tag, command))
        return self.until(rb"(?m)^%s [^\r]*\r\n" % tag)


def connect(server, tls, user):
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        client = imaplib.IMAP4_SSL(server.address, server.port["imaps"], ssl_context=context, timeout=20)
        client.login(user, server.passwords[user])
    else:
        client = server.imap(user)
    return client


def compress(client, behind=b""):
    client.send(b"z1 COMPRESS DEFLATE\r\n" + behind)
    reply = b""
    while not reply.endswith(b"\r\n"):
        reply += client.sock.recv(1)
    assert reply.startswith(b"z1 OK ")
    return Compressed(client)


@pytest.mark.parametrize("tls,user", [(False, "alice"), (True, "bob")])
def test_a_session_goes_on_compressed(server, tls, user):
    client = connect(server, tls, user)
    assert "COMPRESS=DEFLATE" in client.capability()[1][0].decode()
    z = compress(client)
    assert b"COMPRESS" not in z.ask(b"z2", b"CAPABILITY").split(b"z2 OK")[0]
    assert b"z3 NO [COMPRESSIONACTIVE]" in z.ask(b"z3", b"COMPRESS DEFLATE")
    message = b"Subject: long\r\n\r\n" + b"".join(b"line %d of the text\r\n" % i for i in range(60000))
    z.send(b"z4 APPEND INBOX {%d}\r\n" % len(message))
    z.until(rb"\+ [^\r]*\r\n")
    z.send(message + b"\r\n")
    z.until(rb"z4 OK [^\r]*\r\n")
    assert z.sent < len(message) / 4
    z.ask(b"z5", b"SELECT INBOX")
    before = z.received
    assert message in z.ask(b"z6", b"FETCH 1 BODY[]")
    assert z.received - before < len(message) / 3
    # Between its commands the server gives its memory back.
    for i in range(300):
        assert b"OK" in z.ask(b"n%d" % i, b"NOOP")
    z.send(b"z7 IDLE\r\n")
    z.until(rb"\+ idling\r\n")
    server.send(rcpts=[user + "@example.test"])
    z.until(rb"\* 2 EXISTS\r\n")
    z.send(b"DONE\r\n")
    z.until(rb"z7 OK [^\r]*\r\n")
    assert b"* BYE" in z.ask(b"z8", b"LOGOUT")
    assert z.sock.recv(1) == b""


def test_commands_may_follow_compressed_at_once(server):
    up = zlib.compressobj(6, zlib.DEFLATED, -15)
    z = compress(server.imap(), up.compress(b"z2 NOOP\r\nz3 NOOP\r\n") + up.flush(zlib.Z_SYNC_FLUSH))
    z.until(rb"z2 OK [^\r]*\r\nz3 OK [^\r]*\r\n")


def test_what_is_no_deflate_ends_the_connection(server):
    client = server.imap()
    z = compress(client)
    z.sock.sendall(b"z2 NOOP\r\n" * 10)
    assert z.sock.recv(100) == b""
    assert server.imap().noop()[0] == "OK"


def test_a_bomb_is_taken_in_pieces(server):
    """A line that never ends, of 200 MiB in 200 KiB."""
    client = server.imap()
    z = compress(client)
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(bomb.compress(b"x" * (1 << 20)) for _ in range(200)) + bomb.flush(zlib.Z_SYNC_FLUSH)
    z.sock.sendall(packed)
    z.until(rb"\* BAD \[TOOBIG\][^\r]*\r\n")
    pid = server.role_pids()["mailbox"]
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        peak = int(re.search(r"VmHWM:\s+(\d+)", f.read())[1])
    assert peak < 1 << 20, f"{peak} KiB"
