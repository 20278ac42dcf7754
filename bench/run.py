#!/usr/bin/env python3
"""make bench: Postrider beside Debian's Postfix and Dovecot, on this machine, in this run; prints figures and ratios.
ROWS=p1,p4 chooses rows; SCALE=0.2 makes the runs shorter. Needs root for the peers (their files are laid over /usr in a
namespace); without it, Postrider's own figures alone are printed. Rows: see docs/PERFORMANCE.md."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = os.environ.setdefault("POSTRIDER", str(HERE.parent / "build" / "postrider"))
sys.path[:0] = [str(HERE.parent / "tools"), str(HERE.parent / "test" / "interop")]
import peers  # noqa: E402
from harness import Server, free_port, wait_for  # noqa: E402

ACCOUNTS = 100
SCALE = float(os.environ.get("SCALE", "1"))
BUILD = pathlib.Path(PROGRAM).resolve().parent
LOAD = str(BUILD / "bench" / "load")
MILLION = 1_000_000


def load(port, connections, sessions, dialogue, accounts=ACCOUNTS):
    sessions = max(connections, int(sessions * SCALE))
    done = subprocess.run([LOAD, "127.0.0.1", str(port), str(connections), str(sessions), str(accounts), dialogue + ".dialogue"],
                          cwd=HERE, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    if result["failed"]:
        print(f"    {result['failed']} of {result['sessions']} failed: {done.stderr.strip()}")
    return result


def descendants(pid):
    found = [pid]
    for process in found:
        try:
            for task in os.listdir(f"/proc/{process}/task"):
                with open(f"/proc/{process}/task/{task}/children", encoding="ascii") as f:
                    found += map(int, f.read().split())
        except OSError:
            pass
    return found


def cpu_seconds(pids):
    ticks = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            ticks += sum(map(int, fields[11:15]))  # children that ended count too
        except OSError:
            pass
    return ticks / os.sysconf("SC_CLK_TCK")


def pss_kib(pids):
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
                total += sum(int(line.split()[1]) for line in f if line.startswith("Pss:"))
        except OSError:
            pass
    return total


class Tail:
    """How often a word is in a log that grows; each part of it is read once."""

    def __init__(self, path, word):
        self.path, self.word, self.at, self.rest, self.n = path, word, 0, b"", 0

    def count(self):
        with contextlib.suppress(FileNotFoundError), open(self.path, "rb") as f:
            f.seek(self.at)
            text = f.read()
            self.at += len(text)
            whole, newline, self.rest = (self.rest + text).rpartition(b"\n")
            self.n += (whole + newline).count(self.word)
        return self.n


class Ours:
    name = "Postrider"

    def __init__(self, folder, sink_port, **settings):
        self.server = Server(folder, users=(), services=("smtp", "submission", "pop3", "imap", "imaps"), auth_failure_delay="2s",
                             client_limit="20000", mynetworks="127.0.0.0/8",
                             relayhost=f"[127.0.0.1]:{sink_port}", **settings)
        self.server.passwords = {f"u{i}": f"secret{i}" for i in range(ACCOUNTS)}
        self.server.write_users()
        self.server.start()
        self.port = self.server.port
        self.sent = Tail(self.server.log_path, b" outcome=sent ")

    def pids(self):
        return descendants(self.server.process.pid)

    def deliver(self, connections, sessions, dialogue="smtp", accounts=ACCOUNTS):
        """Accepted is delivered."""
        return load(self.port["smtp"], connections, sessions, dialogue, accounts)

    def relayed(self):
        return self.sent.count()

    def stop(self):
        self.server.stop()


DOVECOT = """
listen = 127.0.0.1
protocols = imap pop3 lmtp
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:~/Maildir
mail_uid = vmail
mail_gid = vmail
mail_max_userip_connections = 5000
auth_username_format = %Ln
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = static
  args = uid=vmail gid=vmail home={folder}/mail/%n
}}
default_process_limit = 3000
default_client_limit = 8000
service imap-login {{
  service_count = 0
  process_min_avail = 2
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  service_count = 0
  process_min_avail = 2
  inet_listener pop3 {{
    port = {pop3}
  }}
}}
service imap {{
  service_count = 1000
  process_min_avail = 4
  process_limit = 3000
}}
service pop3 {{
  service_count = 1000
  process_min_avail = 4
}}
service lmtp {{
  process_min_avail = 4
  unix_listener lmtp {{
    mode = 0666
  }}
}}
"""


class Theirs:
    """Postfix, delivering by LMTP to Dovecot (Maildir); Dovecot tuned: processes are used again."""
    name = "Postfix + Dovecot"

    def __init__(self, folder, sink_port):
        folder = pathlib.Path(folder)
        folder.chmod(0o755)
        self.port = {name: free_port() for name in ("smtp", "imap", "imaps", "pop3")}
        self.port["sink"] = sink_port
        self.ns = peers.Namespace(folder, ["postfix", "dovecot"])
        (folder / "dovecot").mkdir()
        (folder / "dovecot" / "users").write_text("".join(f"u{i}:{{PLAIN}}secret{i}::::::\n" for i in range(ACCOUNTS)))
        cert, key = (str(folder / "dovecot" / name) for name in ("cert.pem", "key.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=mail.example.test", "-out", cert, "-keyout", key], check=True, capture_output=True)
        conf = DOVECOT.format(folder=folder / "dovecot", **self.port)
        self.mail = folder / "dovecot" / "mail"
        self.dovecot = peers.Dovecot(self.ns, folder / "dovecot", conf).start()
        self.postfix = peers.Postfix(
            self.ns, folder / "postfix", smtp=str(self.port["smtp"]), myhostname="mail.example.test", mydestination="",
            inet_interfaces="127.0.0.1", virtual_mailbox_domains="example.test", virtual_mailbox_maps="static:any",
            virtual_transport=f"lmtp:unix:{folder}/dovecot/run/lmtp", smtpd_client_connection_count_limit="0",
            mynetworks="127.0.0.0/8", relayhost=f"[127.0.0.1]:{sink_port}", default_destination_concurrency_limit="50",
            relay_domains="", smtpd_tls_security_level="may", smtpd_tls_cert_file=cert, smtpd_tls_key_file=key).start()
        self.sent = Tail(self.postfix.folder / "log", b"status=sent")
        wait_for(lambda: all(self.answers(p) for p in ("smtp", "imap", "pop3")), 20, "peers answer")

    def answers(self, name):
        try:
            with socket.create_connection(("127.0.0.1", self.port[name]), 1) as s:
                return bool(s.recv(1))
        except OSError:
            return False

    def pids(self):
        master = int((self.postfix.folder / "spool" / "pid" / "master.pid").read_text())
        return descendants(master) + descendants(self.dovecot.pid())

    def delivered(self):
        return sum(1 for _ in self.mail.glob("*/Maildir/new/*")) + sum(1 for _ in self.mail.glob("*/Maildir/cur/*"))

    def relayed(self):
        return self.sent.count()

    def deliver(self, connections, sessions, dialogue="smtp", accounts=ACCOUNTS):
        before, began = self.delivered(), time.monotonic()
        result = load(self.port["smtp"], connections, sessions, dialogue, accounts)
        wait_for(lambda: self.delivered() - before >= result["sessions"] - result["failed"], 600, "deliveries")
        result["accepted_rate"] = result["rate"]
        result["rate"] = round((result["sessions"] - result["failed"]) / (time.monotonic() - began), 1)
        return result

    @contextlib.contextmanager
    def sink(self):
        """smtp-sink, which speaks SMTP and stores nothing."""
        process = self.ns.start("/usr/sbin/smtp-sink", "-u", "nobody", f"127.0.0.1:{self.port['sink']}", "1000",
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: self.answers("sink"), 10, "smtp-sink")
            yield
        finally:
            process.terminate()
            process.wait()

    def stop(self):
        self.postfix.stop()
        self.dovecot.stop()
        time.sleep(1)
        self.ns.close()


def show(row, text):
    print(f"{row:4} {text}", flush=True)


def ratio(ours, theirs):
    return f"{ours / theirs:.1f}x" if theirs else "-"


def delivery_row(row, connections, ours_sessions, theirs_sessions, ours, theirs):
    before, mine = cpu_seconds(ours.pids()), ours.deliver(connections, ours_sessions)
    cost = (cpu_seconds(ours.pids()) - before) / mine["sessions"] * 1e3
    text = f"delivered/s, {connections} at once: Postrider {mine['rate']} (p99 {mine['p99_ms']} ms, {cost:.2f} ms CPU each)"
    if theirs:
        before, other = cpu_seconds(theirs.pids()), theirs.deliver(connections, theirs_sessions)
        their_cost = (cpu_seconds(theirs.pids()) - before) / other["sessions"] * 1e3
        with theirs.sink():
            limit = load(theirs.port["sink"], connections, ours_sessions, "smtp")
        text += (f"; Postfix+Dovecot {other['rate']} (accepted {other['accepted_rate']}, p99 {other['p99_ms']} ms, "
                 f"{their_cost:.2f} ms CPU each): {ratio(mine['rate'], other['rate'])}; smtp-sink {limit['rate']}: "
                 f"{mine['rate'] / limit['rate'] * 100:.0f} %")
    show(row, text)


def p1(ours, theirs):
    delivery_row("P1", 50, 20000, 1500, ours, theirs)
    kept = ours.deliver(50, 200, "smtp_kept")
    show("P1k", f"100 messages a connection, 50 at once: Postrider {kept['rate'] * 100:.0f} messages/s")


def p2(ours, theirs):
    delivery_row("P2", 1, 3000, 300, ours, theirs)


def relay_rate(side, sessions):
    """From the first message in until the last one is out, and recorded as such."""
    before, began = side.relayed(), time.monotonic()
    result = load(side.port["smtp"], 50, sessions, "relay")
    good = result["sessions"] - result["failed"]
    wait_for(lambda: side.relayed() - before >= good, 60, "relaying")
    return round(good / (time.monotonic() - began), 1)


def p3(ours, theirs):
    if not theirs:
        show("P3", "relay to smtp-sink: needs the peers' smtp-sink")
        return
    with theirs.sink():
        mine, other = relay_rate(ours, 5000), relay_rate(theirs, 1000)
    show("P3", f"relayed/s to smtp-sink, 50 at once: Postrider {mine}; Postfix {other}: {ratio(mine, other)}")


def session_row(row, service, accounts, messages, ours, theirs):
    for side in filter(None, (ours, theirs)):  # the same mail in all mailboxes
        side.deliver(20, accounts * messages / SCALE, accounts=accounts)
    mine = load(ours.port[service], 20, 20000, service, accounts)
    text = f"{service} sessions/s, 20 at once: Postrider {mine['rate']} (p99 {mine['p99_ms']} ms)"
    if theirs:
        load(theirs.port[service], 20, 200, service, accounts)
        other = load(theirs.port[service], 20, 3000, service, accounts)
        text += f"; Dovecot tuned {other['rate']} (p99 {other['p99_ms']} ms): {ratio(mine['rate'], other['rate'])}"
    show(row, text)


def p4(ours, theirs):
    session_row("P4", "pop3", 20, 10, ours, theirs)


def p5(ours, theirs):
    session_row("P5", "imap", 10, 50, ours, theirs)


def idle_connections(side, n):
    before = pss_kib(side.pids())
    held = []
    for i in range(n):
        s = socket.create_connection(("127.0.0.1", side.port["imap"]))
        f = s.makefile("rb")
        f.readline()
        s.sendall(b"a LOGIN u%d secret%d\r\nb SELECT INBOX\r\nc IDLE\r\n" % (i % ACCOUNTS, i % ACCOUNTS))
        while not f.readline().startswith(b"+"):
            pass
        held.append((s, f))
    time.sleep(3)
    grown = (pss_kib(side.pids()) - before) / n
    for s, f in held:
        f.close()
        s.close()
    return grown


def p6(ours, theirs):
    n = int(1000 * min(1, max(SCALE, 0.3)))
    text = f"PSS of an idle IMAP connection, {n} of them: Postrider {idle_connections(ours, n):.1f} KiB"
    if theirs:
        text += f"; Dovecot {idle_connections(theirs, 300):.0f} KiB"
    show("P6", text)


def p7(ours, theirs):
    text = f"PSS of all processes: Postrider {pss_kib(ours.pids()) / 1024:.1f} MiB"
    if theirs:
        text += f"; Postfix+Dovecot {pss_kib(theirs.pids()) / 1024:.1f} MiB"
    show("P7", text)


def start_ms(server):
    """From the start of the program until every port greets."""
    began = time.monotonic()
    with open(server.log_path, "ab") as log:
        process = server.process = subprocess.Popen([PROGRAM, "-c", server.conf, "serve"], stderr=log)
    while not all(server.answers(s) for s in server.port):
        if process.poll() is not None or time.monotonic() - began > 60:
            raise AssertionError("did not start")
        time.sleep(0.002)
    took = (time.monotonic() - began) * 1e3
    process.terminate()
    process.wait()
    return took


def p8(ours, theirs):
    messages = max(1000, int(MILLION * SCALE))
    subprocess.run(["ninja", "-C", BUILD, "bench/store_bench"], check=True, capture_output=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        server = Server(folder, users=("a",), services=("smtp", "submission", "pop3", "imap"))
        show("P8", f"start to answering on all ports, empty store: Postrider {start_ms(server):.0f} ms")
        store = server.state + "/store"
        killed = subprocess.run([BUILD / "bench" / "store_bench", "fill", store, str(messages)])
        assert killed.returncode == -signal.SIGKILL, "the store's writer ended otherwise"
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", server.settings["mailbox_user"], store], check=True)
        text = f"the same after kill -9 with {messages:,} messages in the store: Postrider {start_ms(server):.0f} ms"
        opened = re.findall(r"store.opened .* replayed_bytes=(\d+) .* ms=(\d+)", server.log())[-1]
        show("P8", f"{text}; the store is open {opened[1]} ms after its role began ({int(opened[0]) / 1e6:.0f} MB replayed)")


def tls_row(what, service, dialogue, accounts, ours, theirs):
    mine = load(ours.port[service], 20, 6000, dialogue, accounts)
    text = f"{what}: Postrider {mine['rate']} (p99 {mine['p99_ms']} ms)"
    if theirs:
        other = load(theirs.port[service], 20, 1500, dialogue, accounts)
        text += f"; {theirs.name} {other['rate']} (p99 {other['p99_ms']} ms): {ratio(mine['rate'], other['rate'])}"
    show("P10", text)


def p10(ours, theirs):
    for side in filter(None, (ours, theirs)):
        side.deliver(20, 10 * 50 / SCALE, accounts=10)
    tls_row("P1 behind STARTTLS, accepted/s, 20 at once", "smtp", "smtp_tls", ACCOUNTS, ours, theirs)
    tls_row("P5 over TLS, sessions/s, 20 at once", "imaps", "imap_tls", 10, ours, theirs)


def source_row(side, ns):
    """Messages a second from smtp-source through one side to smtp-sink, and milliseconds of CPU each."""
    messages = int(20000 * SCALE)
    before, cpu, began = side.relayed(), cpu_seconds(side.pids()), time.monotonic()
    done = ns.run("/usr/sbin/smtp-source", "-s", "20", "-m", str(messages), "-l", "4096", "-f", "sender@elsewhere.test", "-t", "u@elsewhere.test",
                  f"127.0.0.1:{side.port['smtp']}")
    if done.returncode:
        raise AssertionError("smtp-source: " + done.stderr.strip())
    took_in = time.monotonic() - began
    wait_for(lambda: side.relayed() - before >= messages, 600, f"{messages} messages of {side.name}")
    return messages / (time.monotonic() - began), messages / took_in, (cpu_seconds(side.pids()) - cpu) / messages * 1e3


def p11(ours, theirs):
    if not theirs:
        show("P11", "relay from smtp-source to smtp-sink: needs the peers' programs")
        return
    with theirs.sink():
        (mine, my_in, my_cpu), (other, other_in, other_cpu) = source_row(ours, theirs.ns), source_row(theirs, theirs.ns)
    show("P11", f"{int(20000 * SCALE):,} of 4 KB from smtp-source, relayed/s to smtp-sink: Postrider {mine:.0f} (taken {my_in:.0f}/s, {my_cpu:.2f} ms CPU each); "
         f"Postfix {other:.0f} (taken {other_in:.0f}/s, {other_cpu:.2f} ms CPU each): {ratio(mine, other)}, CPU {ratio(other_cpu, my_cpu)}")


# Nobody listens there. Destinations are next hops, a port for each domain, as queue_fill.c names them.
DEAD = r"/@d([0-9]+)\.test$/ smtp:[127.77.0.1]:$1" + "\n"
DESTINATIONS = {"one dead destination": 1, "10,000 dead destinations": 10000}


def quiet(pids):
    """Waits until what is due was attempted or put off: until hardly anything is done."""
    def idle():
        before = cpu_seconds(pids)
        time.sleep(2)
        return cpu_seconds(pids) - before < 0.1
    wait_for(idle, 1200, "the queue at rest")


def timed(server, *words):
    """Milliseconds until a command ends."""
    began = time.monotonic()
    subprocess.run([PROGRAM, "-c", server.conf, *words], stdout=subprocess.DEVNULL, check=True)
    return (time.monotonic() - began) * 1e3


def waiting(server, messages, kind):
    """What it costs that so many messages wait."""
    one = subprocess.run([BUILD / "bench" / "queue_fill", server.state + "/store", str(messages), str(DESTINATIONS[kind])], check=True,
                         capture_output=True, text=True).stdout.strip()
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", server.settings["mailbox_user"], server.state + "/store"], check=True)
    server.start()
    opened = re.findall(r"store.opened .* ms=(\d+)", server.log())[-1]
    pids, began = descendants(server.process.pid), time.monotonic()
    quiet(pids)
    took, cost = time.monotonic() - began, cpu_seconds(pids) / messages * 1e6
    times = "; ".join(f"{' '.join(words)} {timed(server, *words):.0f} ms" for words in
                      (("queue", "show", one), ("queue", "summary"), ("queue", "list"), ("queue", "list", "--sender", "nobody@x.test"),
                       ("queue", "list", "--recipient", "nobody@x.test"), ("queue", "list", "--limit", "0")))
    show("P12", f"{messages:,} for {kind}: the store open in {opened} ms, all attempted or put off in {took:.0f} s, {cost:.0f} us CPU each, "
         f"PSS {pss_kib(pids) / 1024:.1f} MiB; {times}; PSS then {pss_kib(pids) / 1024:.1f} MiB")


def p12(ours, theirs):
    subprocess.run(["ninja", "-C", BUILD, "bench/queue_fill"], check=True, capture_output=True)
    for kind in DESTINATIONS:
        for messages in (MILLION // 100, MILLION // 10, MILLION):
            with tempfile.TemporaryDirectory() as folder:
                os.chmod(folder, 0o755)
                pathlib.Path(folder, "transport").write_text(DEAD)
                server = Server(folder, users=(), services=("smtp",), mynetworks="127.0.0.0/8", transport_maps=f"regexp:{folder}/transport",
                                minimal_backoff_time="2h", maximal_backoff_time="2h")
                os.mkdir(server.state)
                waiting(server, int(messages * SCALE), kind)
                server.stop()


# The mailboxes of P4 and P5 are to be small still.
ROWS = {"p7": p7, "p8": p8, "p4": p4, "p5": p5, "p6": p6, "p1": p1, "p2": p2, "p3": p3, "p11": p11, "p10": p10, "p12": p12}


def main():
    wanted = [r.lower() for r in ",".join(sys.argv[1:]).replace(" ", ",").split(",") if r] or list(ROWS)
    folder = tempfile.mkdtemp(prefix="bench.")
    os.chmod(folder, 0o755)
    os.mkdir(folder + "/ours")
    os.mkdir(folder + "/theirs")
    ours = theirs = None
    sink_port = free_port()
    try:
        try:
            theirs = Theirs(folder + "/theirs", sink_port)
        except peers.Unavailable as why:
            print(f"no peers to compare with: {why}")
        ours = Ours(folder + "/ours", sink_port)
        for row in wanted:
            try:
                ROWS[row](ours, theirs)
            except (AssertionError, OSError, subprocess.SubprocessError) as why:
                show(row.upper(), f"failed: {why}")
    finally:
        for side in filter(None, (ours, theirs)):
            side.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
