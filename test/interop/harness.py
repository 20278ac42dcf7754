"""harness.py: a Postrider of a test's own: configuration, accounts, start, stop, log; on free loopback ports and a
state folder below a temporary one. Nothing outside of it is touched."""
import itertools
import os
import random
import re
import signal
import socket
import subprocess
import time

PROGRAM = os.environ.get("POSTRIDER", "build/postrider")
DOMAIN = "example.test"
SERVICES = ("smtp", "submission", "submissions", "lmtp", "pop3", "pop3s", "imap", "imaps")
FIRST_UID = 64901


# Runs of pytest beside one another ("0/2", "1/2") have ports of their own. All are below those that the kernel gives to
# clients, so that no connection takes one before the server does.
RUN, RUNS = (int(n) for n in os.environ.get("POSTRIDER_PORTS", "0/1").split("/"))
PORTS = range(10000 + RUN * 22000 // RUNS, 10000 + (RUN + 1) * 22000 // RUNS)
PORTS_IN_TURN = itertools.cycle(random.sample(PORTS, len(PORTS)))  # none twice: it may be promised to a server not yet started


def free_port():
    for port in PORTS_IN_TURN:
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_for(condition, seconds=15, what="condition"):
    """Polls until condition() is true and returns its value; fails the test after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.05)


def is_sanitized():
    with open(PROGRAM, "rb") as f:
        content = f.read()
    return b"__asan_init" in content or b"__tsan_init" in content


class Server:
    def __init__(self, folder, users=("alice", "bob", "carol"), services=SERVICES, address="127.0.0.1", **settings):
        self.folder = str(folder)
        self.state = self.folder + "/state"
        self.conf = self.folder + "/postrider.conf"
        self.users_file = self.folder + "/users"
        self.log_path = self.folder + "/log"
        self.address = address
        self.port = {name: free_port() for name in services}
        self.passwords = {}
        self.process = None
        self.settings = {
            "listen": ", ".join(f"{name}://{address}:{port}" for name, port in self.port.items()),
            "state_directory": self.state,
            "users_file": self.users_file,
            "myhostname": "mail." + DOMAIN,
            "mydestination": "$myhostname, $mydomain",
            "smtpd_client_connection_count_limit": "0",
            "mail_max_userip_connections": "0",
            "auth_failure_delay": "0",
        }
        if os.geteuid() == 0:
            for offset, role in enumerate(("auth", "edge", "mailbox", "relay")):
                self.settings[role + "_user"] = str(FIRST_UID + offset)
        self.settings.update(settings)
        for name in users:
            self.passwords[name] = "secret-" + name
        self.write_users()
        self.write_conf()

    def write_users(self):
        with open(self.users_file, "w", encoding="utf-8") as f:
            for name, password in self.passwords.items():
                f.write(f"{name}:{{PLAIN}}{password}\n")

    def write_conf(self):
        with open(self.conf, "w", encoding="utf-8") as f:
            f.writelines(f"{name} = {value}\n" for name, value in self.settings.items() if value is not None)

    def start(self, prefix=()):
        before = self.times_ready()
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen([*prefix, PROGRAM, "-c", self.conf, "serve"], stdin=subprocess.DEVNULL,
                                        stdout=log, stderr=log)
        log.close()
        self.wait_ready()  # ports answer before the last role is ready, whose death would end a server that starts
        wait_for(lambda: self.times_ready() > before, 30, "all roles are ready")
        return self

    def times_ready(self):
        return self.log().count(" service.ready ") if os.path.exists(self.log_path) else 0

    def wait_ready(self, seconds=30):
        def answers():
            if self.process.poll() is not None:
                raise AssertionError("the server ended: " + self.log()[-3000:])
            return all(self.answers(name) for name in self.port if name not in ("submissions", "pop3s", "imaps"))
        wait_for(answers, seconds, "server answers on all ports")

    def answers(self, service):
        try:
            with socket.create_connection((self.address, self.port[service]), 2) as s:
                s.settimeout(2)
                return bool(s.recv(1))
        except OSError:
            return False

    def stop(self):
        """Orderly; the exit status must be 0 and no sanitizer may have spoken."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                status = self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError("the server did not stop within 30 s: " + self.log()[-3000:])
            assert status == 0, self.log()[-3000:]
        self.check_log()

    def check_log(self):
        text = self.log()
        found = re.search(r"(ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|Assertion .* failed)", text)
        assert not found, text[max(0, found.start() - 500):found.start() + 6000]

    def role_pids(self):
        """{role: pid} of the running roles."""
        pids = {}
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(children, encoding="ascii") as f:
            for pid in map(int, f.read().split()):
                with open(f"/proc/{pid}/comm", encoding="ascii") as comm:
                    pids[comm.read().strip().split(":")[-1].split("-")[-1].strip()] = pid
        return pids

    def kill_everything(self):
        for pid in [self.process.pid, *self.role_pids().values()]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()

    def kill_role(self, role):
        # One that was killed just before comes back with a delay.
        pid = wait_for(lambda: self.role_pids().get(role), 15, "a process of " + role)
        os.kill(pid, signal.SIGKILL)

    def reload(self, **settings):
        """Sets, or with None removes, settings of the running server."""
        self.settings.update(settings)
        self.write_conf()
        before = self.log().count(" conf.in_force ")
        self.ok("reload")
        wait_for(lambda: self.log().count(" conf.in_force ") > before, 30, "all roles have the configuration")

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def command(self, *words, **options):
        return subprocess.run([PROGRAM, "-c", self.conf, *words], capture_output=True, text=True, check=False,
                              timeout=60, **options)

    def ok(self, *words, **options):
        done = self.command(*words, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    # ---- clients ----

    def smtp(self, service="smtp", user=None):
        import smtplib
        client = smtplib.SMTP(self.address, self.port[service], timeout=20, local_hostname="client.test")
        if user:
            client.login(user, self.passwords[user])
        return client

    def imap(self, user="alice"):
        import imaplib
        client = imaplib.IMAP4(self.address, self.port["imap"], timeout=20)
        client.login(user, self.passwords[user])
        return client

    def pop3(self, user="alice"):
        import poplib
        client = poplib.POP3(self.address, self.port["pop3"], timeout=20)
        client.user(user)
        client.pass_(self.passwords[user])
        return client

    def send(self, sender="stranger@elsewhere.test", rcpts=("alice@" + DOMAIN,), subject="test", body="body\r\n", service="smtp", user=None):
        message = f"From: <{sender}>\r\nTo: <{rcpts[0]}>\r\nSubject: {subject}\r\n\r\n{body}"
        with self.smtp(service, user) as client:
            client.sendmail(sender, list(rcpts), message)

    def inbox(self, user="alice"):
        """The whole messages in a user's INBOX, as bytes."""
        client = self.imap(user)
        client.select("INBOX", readonly=True)
        _, numbers = client.search(None, "ALL")
        messages = [client.fetch(n, "(BODY.PEEK[])")[1][0][1] for n in numbers[0].split()]
        client.logout()
        return messages
