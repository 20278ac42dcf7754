#!/usr/bin/env python3
"""make soak: a queue of SOAK_GB (default 5) gigabytes: messages of a megabyte for a destination that is down, a kill -9 in the middle, a
restart, then the destination comes up. Fails when a message that got its 250 does not arrive, when one arrives twice that was not under
way at the kill, when memory grows with the queue or when the disk is not given back. Takes minutes and twice the space (TMPDIR)."""
import os
import pathlib
import smtplib
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
os.environ.setdefault("POSTRIDER", str(ROOT / "build" / "postrider"))
sys.path[:0] = [str(ROOT / "test" / "interop"), str(ROOT / "bench")]
from harness import Server, free_port, wait_for  # noqa: E402
from run import descendants, pss_kib  # noqa: E402
import scripted  # noqa: E402

MIB = 1 << 20
MESSAGES = int(float(os.environ.get("SOAK_GB", "5")) * 1000)
CLIENTS = 4
MEMORY_MIB = 300  # of all roles, whatever waits
HOUR = 3600  # longer than any step may take
BODY = ("0123456789" * 7 + "\r\n") * (MIB // 72)


class Session(scripted.Session):
    """Keeps a message's subject alone."""

    def do_data(self, _):
        self.say("354 go")
        subject = None
        while True:
            line = self.rfile.readline()
            if not line:
                return False
            if line.startswith(b"Subject: ") and not subject:
                subject = line[9:].strip().decode()
            if line == b".\r\n":
                break
        self.rcpts = []
        self.script.arrived.append(subject)
        return self.say("250 taken")


class Sink(scripted.Scripted):
    def __init__(self, port):
        self.arrived = []
        super().__init__(("127.0.0.1", port), None, session=Session)


class Soak:
    def __init__(self, folder):
        self.port = free_port()
        self.server = Server(folder, users=(), services=("smtp",), mynetworks="127.0.0.0/8", relayhost=f"[127.0.0.1]:{self.port}",
                             maximal_backoff_time="300s").start()
        self.folder, self.acknowledged, self.lock, self.left, self.most = folder, set(), threading.Lock(), MESSAGES, 0

    def next(self):
        with self.lock:
            self.left -= 1
            return self.left

    def client(self):
        """Sends until all have been; one that gets no 250 is given up."""
        while (n := self.next()) >= 0:
            try:
                with self.server.smtp() as c:
                    c.sendmail("sender@elsewhere.test", ["u@far.test"], f"Subject: m{n}\r\n\r\n{BODY}")
                    self.acknowledged.add(f"m{n}")
            except (OSError, smtplib.SMTPException):
                time.sleep(0.2)

    def fill(self):
        clients = [threading.Thread(target=self.client) for _ in range(CLIENTS)]
        for c in clients:
            c.start()
        wait_for(lambda: self.left < MESSAGES // 2, HOUR, "half of the messages")
        self.server.kill_everything()
        self.server.start()
        while any(c.is_alive() for c in clients):
            self.look()
            time.sleep(1)

    def look(self):
        self.most = max(self.most, pss_kib(descendants(self.server.process.pid)) // 1024)

    def on_disk(self):
        return sum(f.stat().st_size for f in pathlib.Path(self.server.state).rglob("*") if f.is_file()) // MIB

    def drain(self):
        with Sink(self.port) as sink:
            self.server.ok("queue", "flush")

            def done():
                self.look()
                return self.server.command("queue", "list", "--json").stdout.strip() == "[]"
            wait_for(done, HOUR, "an empty queue")
            return sink.arrived


def main():
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        os.chmod(folder, 0o755)
        soak = Soak(folder)
        try:
            began = time.monotonic()
            soak.fill()
            print(f"{len(soak.acknowledged)} messages taken in {time.monotonic() - began:.0f} s, {soak.on_disk()} MiB on the disk", flush=True)
            began = time.monotonic()
            soak.server.stop()
            soak.server.start()
            print(f"restarted in {time.monotonic() - began:.1f} s", flush=True)
            began = time.monotonic()
            arrived = soak.drain()
            print(f"sent in {time.monotonic() - began:.0f} s; most memory {soak.most} MiB", flush=True)
            lost = soak.acknowledged - set(arrived)
            assert not lost, f"{len(lost)} messages were lost: {sorted(lost)[:5]}"
            assert len(arrived) == len(set(arrived)), f"{len(arrived) - len(set(arrived))} messages came twice"
            assert len(set(arrived) - soak.acknowledged) <= CLIENTS  # were under way at the kill
            assert soak.most < MEMORY_MIB, f"{soak.most} MiB"
            wait_for(lambda: soak.on_disk() < max(600, MESSAGES // 4), 600, "the disk is given back")
            print(f"{soak.on_disk()} MiB on the disk", flush=True)
        finally:
            soak.server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
