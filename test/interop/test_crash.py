"""Load from several clients, SIGKILL at random moments, of all processes or of one role: what got 250 is there once,
whole; what got no reply is there once, whole, or not at all. CRASH_ROUNDS (default 50) and CRASH_SEED choose."""
import hashlib
import os
import random
import smtplib
import threading
import time

import pytest

from harness import DOMAIN, Server, wait_for

pytestmark = pytest.mark.crash
USERS = ("u1", "u2", "u3")
CLIENTS = 4


class Load:
    """Clients that send numbered messages until told to stop, and remember what they were told."""

    def __init__(self, server, seed):
        self.server, self.random = server, random.Random(seed)
        self.lock = threading.Lock()
        self.acknowledged, self.unanswered = {}, {}
        self.count = 0
        self.stopping = False

    def message(self):
        with self.lock:
            self.count += 1
            name = f"m{self.count}"
            size = self.random.choice((50, 500, 5000, 100000))
            rcpts = self.random.sample(USERS, self.random.randint(1, len(USERS)))
        body = (hashlib.sha256(name.encode()).hexdigest() + "\r\n") * (size // 66 + 1)
        return name, rcpts, f"Subject: {name} {hashlib.sha256(body.encode()).hexdigest()}\r\n\r\n{body}"

    def client(self):
        while not self.stopping:
            try:
                with smtplib.SMTP("127.0.0.1", self.server.port["smtp"], timeout=10, local_hostname="load") as c:
                    while not self.stopping:
                        self.send_one(c)
            except (OSError, smtplib.SMTPException):
                time.sleep(0.02)

    def send_one(self, c):
        name, rcpts, text = self.message()
        with self.lock:
            self.unanswered[name] = rcpts
        c.ehlo_or_helo_if_needed()
        c.mail("load@elsewhere.test")
        answers = [c.rcpt(f"{u}@{DOMAIN}")[0] for u in rcpts]
        if any(code != 250 for code in answers):
            c.rset()
            with self.lock:
                del self.unanswered[name]
            return
        code, _ = c.data(text)
        with self.lock:
            # 451 when mailbox died meanwhile: it may have stored the message or not, as when no answer comes.
            if code == 250:
                self.acknowledged[name] = self.unanswered.pop(name)

    def run_for(self, seconds, then):
        self.stopping = False
        threads = [threading.Thread(target=self.client) for _ in range(CLIENTS)]
        for t in threads:
            t.start()
        time.sleep(seconds)
        then()
        self.stopping = True
        for t in threads:
            t.join(30)


def stored(server):
    """{user: {name: how many}}; asserts that every message is whole."""
    found = {}
    for user in USERS:
        client = server.imap(user)
        client.select("INBOX", readonly=True)
        counts = found[user] = {}
        _, data = client.fetch("1:*", "(BODY.PEEK[])") if int(client.untagged_responses["EXISTS"][-1]) else (0, [])
        for item in data:
            if isinstance(item, tuple):
                head, body = item[1].decode().split("\r\n\r\n", 1)
                subject = next(line for line in head.split("\r\n") if line.startswith("Subject: "))
                _, name, digest = subject.split(" ")
                assert hashlib.sha256(body.encode()).hexdigest() == digest, f"{name} is damaged"
                counts[name] = counts.get(name, 0) + 1
        client.logout()
    return found


def check(server, load):
    found = stored(server)
    for name, rcpts in load.acknowledged.items():
        for user in rcpts:
            assert found[user].get(name, 0) == 1, f"{name} for {user}: {found[user].get(name, 0)} copies"
    for user, counts in found.items():
        for name, copies in counts.items():
            rcpts = load.acknowledged.get(name) or load.unanswered.get(name) or ()
            assert user in rcpts and copies == 1, f"{name} for {user} came from nowhere"
    for name, rcpts in load.unanswered.items():
        there = [found[user].get(name, 0) for user in rcpts]
        assert len(set(there)) == 1, f"{name} is there by half: {there}"


def empty_mailboxes(server, load):
    for user in USERS:
        client = server.imap(user)
        client.select("INBOX")
        client.store("1:*", "+FLAGS.SILENT", r"(\Deleted)")
        client.expunge()
        client.logout()
    load.acknowledged.clear()
    load.unanswered.clear()


def test_acknowledged_mail_survives_any_kill(tmp_path):
    seed = int(os.environ.get("CRASH_SEED", str(int(time.time()))))
    rounds = int(os.environ.get("CRASH_ROUNDS", "50"))
    print("CRASH_SEED =", seed)
    dice = random.Random(seed)
    server = Server(tmp_path, users=USERS, services=("smtp", "imap")).start()
    load = Load(server, seed)
    total = 0
    for number in range(rounds):
        if dice.random() < 0.5:
            load.run_for(dice.uniform(0.05, 0.6), server.kill_everything)
            server.start()
        else:
            role = dice.choice(["edge", "auth", "mailbox", "relay", "agent"])
            load.run_for(dice.uniform(0.05, 0.4), lambda: kill_role(server, role))
            server.wait_ready()
            wait_for(lambda: can_log_in(server), what="logins after a restart of " + role)
        check(server, load)
        total += len(load.acknowledged)
        if number % 10 == 9:
            empty_mailboxes(server, load)
    server.stop()
    assert total > rounds, "hardly anything was delivered: the test tested nothing"


def kill_role(server, role):
    server.kill_role(role)
    time.sleep(0.3)


def can_log_in(server):
    try:
        server.imap(USERS[0]).logout()
        return True
    except Exception:
        return False
