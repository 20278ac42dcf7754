"""Limits of accounts: at delivery by LMTP and SMTP, by APPEND and COPY, told by IMAP and doveadm, right after a crash."""
import imaplib
import smtplib
import subprocess

import pytest

from harness import PROGRAM, Server, wait_for

TEXT = "Subject: x\r\n\r\n" + 10 * ("y" * 98 + "\r\n")  # and what delivery puts on top


class Limited(Server):
    def write_users(self):
        own = {"bob": "userdb_quota_rule=*:storage=1M userdb_quota_rule2=Archive:storage=+50%%"}
        with open(self.users_file, "w", encoding="utf-8") as f:
            for name, password in self.passwords.items():
                f.write(f"{name}:{{PLAIN}}{password}::::::{own.get(name, '')}\n")

    def send(self, *names, service="smtp", text=TEXT):
        """Per recipient by LMTP, of all by SMTP: (code, text)."""
        kind = smtplib.LMTP if service == "lmtp" else smtplib.SMTP
        with kind("127.0.0.1", self.port[service]) as s:
            s.ehlo("client.test")
            s.mail("sender@elsewhere.test")
            for name in names:
                assert s.rcpt(f"{name}@example.test")[0] == 250
            first = s.data(text)
            return [first] + [s.getreply() for _ in names[1:]] if service == "lmtp" else first

    def imap(self, name):
        client = imaplib.IMAP4("127.0.0.1", self.port["imap"])
        client.login(name, self.passwords[name])
        return client

    def doveadm(self, *words):
        return subprocess.run([PROGRAM, "-c", self.conf, "doveadm", *words], capture_output=True, text=True, check=False)


@pytest.fixture
def server(tmp_path):
    s = Limited(tmp_path, quota_rule="*:bytes=5000:messages=10, Trash:bytes=+5000, Spam:ignore", quota_full_tempfail="no",
                quota_exceeded_message="The mailbox is full", smtpd_recipient_restrictions="permit_auth_destination, reject")
    s.start()
    yield s
    s.stop()


def fill(server, name):
    for _ in range(20):
        code, text = server.send(name)
        if code != 250:
            return code, text.decode()
    raise AssertionError("never full")


def test_delivery(server):
    assert fill(server, "alice") == (552, "5.2.2 <alice@example.test> The mailbox is full")
    # By LMTP each has a reply; an account of its own limits takes more.
    replies = server.send("bob", "alice", service="lmtp")
    assert [code for code, _ in replies] == [250, 552], replies
    # By SMTP the others get theirs, and the sender is told of the one.
    assert server.send("bob", "alice")[0] == 250
    wait_for(lambda: "queue.failed" in server.log() or "5.2.2 <alice" in server.log().split("message.queued")[-1], 15, "the bounce")
    assert "sender@elsewhere.test" in server.log()
    client = server.imap("bob")
    assert client.select("INBOX")[1] == [b"2"]
    client.logout()


def test_imap(server):
    client = server.imap("alice")
    assert {"QUOTA", "QUOTA=RES-STORAGE"} <= set(client.capabilities) | set(client.capability()[1][0].decode().split())
    for box in ("INBOX", "INBOX", "INBOX", "INBOX"):
        assert client.append(box, None, None, TEXT.encode())[0] == "OK"
    kind, said = client.append("INBOX", None, None, TEXT.encode())
    assert kind == "NO" and b"[OVERQUOTA]" in said[0], said
    client.create("Spam")
    assert client.append("Trash", None, None, TEXT.encode())[0] == "OK"  # which may have more
    for _ in range(3):
        assert client.append("Spam", None, None, TEXT.encode())[0] == "OK"  # which does not count
    client.select("Spam")
    kind, said = client.uid("MOVE", "1:3", "INBOX")  # where it would
    assert kind == "NO" and b"[OVERQUOTA]" in said[0], said
    client.select("INBOX")
    kind, said = client.copy("1:4", "INBOX")
    assert kind == "NO" and b"[OVERQUOTA]" in said[0], said
    assert client.uid("MOVE", "1", "Trash")[0] == "OK"
    used = 5 * len(TEXT)
    told = client.getquotaroot("INBOX")[1]
    assert told == [[b'"INBOX" "User quota"'], [f'"User quota" (STORAGE {-(-used // 1024)} 4 MESSAGE 5 10)'.encode()]], told
    assert client.getquota('"User quota"')[0] == "OK"
    client.logout()
    done = server.doveadm("quota", "get", "-u", "alice")
    assert done.returncode == 0 and done.stdout.splitlines()[1].split() == ["User", "quota", "STORAGE", "5", "4", "101"], done
    done = server.doveadm("-f", "tab", "quota", "get", "-u", "bob")
    assert done.stdout == "Quota name\tType\tValue\tLimit\t%\nUser quota\tSTORAGE\t0\t1024\t0\nUser quota\tMESSAGE\t0\t10\t0\n", done
    assert server.doveadm("quota", "recalc", "-u", "alice").returncode == 0
    assert server.doveadm("quota", "get", "-u", "nobody").returncode == 67


def test_sums_are_right_after_a_crash(server):
    for _ in range(3):
        assert server.send("alice")[0] == 250
    before = server.doveadm("-f", "tab", "quota", "get", "-u", "alice").stdout
    server.kill_everything()
    server.process.wait()
    server.start()
    assert server.doveadm("-f", "tab", "quota", "get", "-u", "alice").stdout == before
    # A limit of the file's own is known again, too.
    assert "\t1024\t" in server.doveadm("-f", "tab", "quota", "get", "-u", "bob").stdout
