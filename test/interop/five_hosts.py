"""five_hosts.py: five hosts on one wire, each a network namespace: this process with Postrider, a real Postfix and a real Exim that
may be MX hosts of one domain, a tarpit (scripted, in a thread of this process) and the name server (signed zones, behind a
proxy that a test can slow down). Needs root; what was made ends with close()."""
import contextlib
import ctypes
import os
import pathlib
import re
import signal
import socket
import socketserver
import subprocess
import tempfile
import threading
import time

import scripted
from harness import Server, wait_for
from signed_world import SignedWorld, peers, tlsa
from test_tls_outgoing import Authority
from world import CLONE_NEWNET, GREYLIST, sh

US, POSTFIX, EXIM, TARPIT, SILENT, DNS = ("192.0.2." + n for n in ("1", "2", "3", "4", "5", "53"))
HOLE = "192.0.2.66"  # an address whose packets reach the tarpit's host, which is not called that: it drops them

ZONE = f"""
pf A {POSTFIX}
_25._tcp.pf {{right}}
ex A {EXIM}
_25._tcp.ex TLSA 3 1 1 {"00" * 32}
tar A {TARPIT}
hole A {HOLE}
silent A {SILENT}
postfix MX 10 pf
exim MX 10 ex
two MX 10 pf
two MX 20 ex
away MX 10 hole
away MX 20 ex
good MX 10 pf
mismatch MX 10 ex
either MX 10 ex
either MX 20 pf
*.tar MX 10 tar
*.hole MX 10 hole
*.silent MX 10 silent
"""

EXIM_CONF = """
primary_hostname = ex.test
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/pid
exim_user = 64916
exim_group = 64916
never_users =
deliver_drop_privilege = true
daemon_smtp_ports = 25
local_interfaces = {address}
tls_advertise_hosts = *
tls_certificate = {certificate}
tls_privatekey = {certificate}
acl_smtp_rcpt = rcpt
host_lookup =
smtp_accept_max = 0
smtp_accept_queue_per_connection = 0
keep_environment =
begin acl
rcpt:
  defer condition = ${{if exists{{{folder}/closed}}}}
        message = come back later
  accept
begin routers
all:
  driver = accept
  transport = box
begin transports
box:
  driver = appendfile
  directory = {folder}/mail/box
  maildir_format
"""


def children_of(pid):
    """The process and all below it."""
    found = [pid]
    for process in found:
        with contextlib.suppress(OSError):
            found += map(int, pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split())
    return found


def kill_all(pid):
    for process in children_of(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


class Bare:
    """A network namespace with nothing else of its own; as peers.Namespace."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo ready && exec sleep 100000"], stdout=subprocess.PIPE)
        if self.holder.stdout.readline().strip() != b"ready":
            raise peers.Unavailable("no network namespace")

    def enter(self, *command):
        return ["nsenter", "-t", str(self.holder.pid), "-n", *command]

    def close(self):
        self.holder.kill()
        self.holder.wait()


class Box:
    """The maildir that a peer delivers to."""

    def __init__(self, path):
        self.path = path

    def messages(self):
        found = []
        for file in [*self.path.glob("new/*"), *self.path.glob("cur/*")]:
            with contextlib.suppress(FileNotFoundError):
                found.append(file.read_text(errors="replace"))
        return found

    def count(self, subject):
        return sum(f"Subject: {subject}\n" in m.replace("\r\n", "\n") for m in self.messages())


class Exim(Box):
    """Debian's Exim; takes and keeps everything, with 451 while closed."""

    def __init__(self, namespace, folder, certificate):
        self.ns, self.folder, self.process = namespace, folder, None
        super().__init__(folder / "mail" / "box")
        for sub in ("spool", "log", "mail"):
            (folder / sub).mkdir(parents=True)
            os.chown(folder / sub, 64916, 64916)
        os.chown(folder, 64916, 64916)
        self.conf = folder / "conf"
        self.conf.write_text(EXIM_CONF.format(folder=folder, address=EXIM, certificate=certificate))

    def start(self):
        with open(self.folder / "said", "ab") as said:
            self.process = self.ns.start("/usr/sbin/exim4", "-C", str(self.conf), "-bdf", "-q2s", stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        return self

    def close_door(self, closed):
        door = self.folder / "closed"
        door.touch() if closed else door.unlink()

    def incoming(self):
        """The files of messages that come in."""
        return self.folder.glob("spool/input/**/*-D")

    def kill(self):
        kill_all(self.process.pid)
        self.process.wait()

    stop = kill  # its children would go on for those who are connected

    def log(self):
        return "".join(f.read_text(errors="replace") for f in [self.folder / "said", *self.folder.glob("log/*")])


class Postfix(Box):
    """Debian's Postfix; takes and keeps everything, what begins with "grey" at the second attempt."""

    def __init__(self, namespace, folder, certificate):
        self.peer = peers.Postfix(
            namespace, folder, myhostname="pf.test", mydestination="", inet_interfaces="all", mynetworks="127.0.0.0/8",
            virtual_mailbox_domains="regexp:{{/./ OK}}", virtual_mailbox_base=str(folder / "mail"), virtual_mailbox_maps="regexp:{{/./ box/}}",
            virtual_uid_maps="static:64914", virtual_gid_maps="static:64914", smtpd_peername_lookup="no", smtpd_tls_security_level="may",
            smtpd_tls_chain_files=certificate, smtpd_tls_received_header="yes",
            smtpd_recipient_restrictions="reject_unauth_destination, check_policy_service inet:127.0.0.1:10023")
        self.start, self.stop, self.log = self.peer.start, self.peer.stop, self.peer.log
        self.folder = folder
        super().__init__(folder / "mail" / "box")

    def incoming(self):
        return self.folder.glob("spool/incoming/**/*")

    def kill(self):
        kill_all(int((self.folder / "spool" / "pid" / "master.pid").read_text()))


class TarpitSession(scripted.Session):
    def handle(self):
        self.script = self.server.script
        self.script.connections += 1
        if self.script.shut:
            return
        super().handle()

    def say(self, text):
        script = self.script
        if script.mute and text == "250 taken":
            raise ConnectionAbortedError  # the message is with us; nobody is told
        if text.startswith("220 "):
            time.sleep(script.banner_s)
        for _ in range(script.long_lines):
            self.wfile.write(text[:3].encode() + b"-" + b"x" * 100_000 + b"\r\n")
        for byte in text + "\r\n" if script.byte_s else ():
            self.wfile.write(byte.encode())
            time.sleep(script.byte_s)
        if not script.byte_s:
            super().say(text)

    def command(self, line):
        reply = self.script.replies.get(line[:4].upper())
        if not reply:
            return super().command(line)
        self.say(reply)
        return not reply.startswith("421")

    def do_data(self, line):
        if not self.script.stall:
            return super().do_data(line)
        self.say("354 go")
        self.script.cut.append(self.rfile.read(1000))
        self.script.free.wait(20)
        return False


class Tarpit(scripted.Scripted):
    """What it does wrong is set by a test; clear() makes it well-behaved. replies: verb (four letters) -> what is said to it instead."""

    def __init__(self, address, certificate):
        self.connections, self.cut, self.free = 0, [], threading.Event()
        self.clear()
        super().__init__(address, certificate, session=TarpitSession)

    def clear(self):
        self.shut = self.mute = self.stall = False
        self.banner_s = self.byte_s = self.long_lines = 0
        self.replies, self.starttls = {}, None

    def count(self, subject):
        return sum(f"Subject: {subject}\r\n" in m["text"] for m in self.messages)


class SlowDns:
    """Passes questions on to the real name server, later, or not at all. Made in the name server's namespace, where its threads stay."""

    def __init__(self, address, upstream):
        self.delay_s, self.lost, self.asked = 0, False, 0
        proxy = self

        class Question(socketserver.BaseRequestHandler):
            def handle(self):
                question, listener = self.request
                proxy.asked += 1
                time.sleep(proxy.delay_s)
                if proxy.lost:
                    return
                with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                    s.settimeout(5)
                    s.connect(upstream)
                    s.send(question)
                    listener.sendto(s.recv(65535), self.client_address)

        self.server = socketserver.ThreadingUDPServer(address, Question)
        self.server.daemon_threads = True
        self.server.max_packet_size = 65535
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class FiveHosts:
    def __init__(self, folder):
        if os.geteuid() != 0:
            raise peers.Unavailable("needs root for network namespaces")
        for name in ("postfix", "exim", "ldns"):
            peers.unpacked(name)  # while this process still has the machine's network
        self.folder = folder
        self.undo = contextlib.ExitStack()
        self.libc = ctypes.CDLL(None, use_errno=True)
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        if self.libc.unshare(CLONE_NEWNET):
            raise peers.Unavailable("no network namespace: " + os.strerror(ctypes.get_errno()))
        self.undo.callback(self.enter, home)
        try:
            self.make()
        except BaseException:
            self.close()
            raise

    def enter(self, fd):
        """The calling thread goes there; what it starts begins there, and the sockets that it makes stay."""
        if self.libc.setns(fd, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        os.close(fd)

    @contextlib.contextmanager
    def at(self, host):
        back = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self.enter(os.open(f"/proc/{host.holder.pid}/ns/net", os.O_RDONLY))
        try:
            yield
        finally:
            self.enter(back)

    def host(self, namespace, name, *addresses):
        """Connects a namespace to the wire."""
        self.undo.callback(namespace.close)
        sh("ip", "link", "add", name, "type", "veth", "peer", "name", "wire", "netns", str(namespace.holder.pid))
        sh("ip", "link", "set", name, "master", "bridge", "up")
        sh(*namespace.enter("ip", "link", "set", "lo", "up"))
        for address in addresses:
            sh(*namespace.enter("ip", "addr", "add", address + "/24", "dev", "wire"))
        sh(*namespace.enter("ip", "link", "set", "wire", "up"))
        return namespace

    def make(self):
        self.folder.chmod(0o755)
        sh("ip", "link", "set", "lo", "up")
        sh("ip", "link", "add", "bridge", "type", "bridge")
        sh("ip", "addr", "add", US + "/24", "dev", "bridge")
        sh("ip", "link", "set", "bridge", "up")
        own = Authority(self.folder / "own", "pf.test")
        chain = self.folder / "own.pem"
        chain.write_text(own.key.read_text() + own.crt.read_text())
        self.start_dns(ZONE.format(right=tlsa(3, 1, 1, str(own.crt))))
        self.start_mx_hosts(chain)
        self.start_tarpit(chain)
        self.server = self.make_server(self.folder / "server").start()
        self.undo.callback(self.server.stop)

    def start_dns(self, zone):
        host = self.host(Bare(), "dns", DNS)
        with self.at(host):
            zones = SignedWorld(self.folder / "dns", {"test": ("signed", zone)})
            self.undo.callback(zones.close)
            self.anchor = zones.anchor
            self.dns = SlowDns((DNS, 53), ("127.0.0.1", zones.port))
            self.undo.callback(self.dns.close)

    def start_mx_hosts(self, chain):
        ns = self.host(peers.Namespace(self.folder / "postfix-host", ["postfix"], network=True, resolver=DNS), "postfix", POSTFIX)
        policy = ns.start("/usr/bin/python3", "-c", GREYLIST)
        self.undo.callback(policy.wait)
        self.undo.callback(policy.terminate)
        self.postfix = Postfix(ns, self.folder / "postfix", chain)
        self.postfix.start()
        self.undo.callback(self.postfix.stop)
        ns = self.host(peers.Namespace(self.folder / "exim-host", ["exim"], network=True, resolver=DNS), "exim", EXIM)
        self.exim = Exim(ns, self.folder / "exim", chain).start()
        self.undo.callback(lambda: self.exim.stop())

    def start_tarpit(self, chain):
        host = self.host(Bare(), "tarpit", TARPIT, SILENT)
        with self.at(host):
            self.tarpit = self.undo.enter_context(Tarpit((TARPIT, 25), str(chain)))
            self.silent = self.undo.enter_context(socket.create_server((SILENT, 25), backlog=200))  # nobody accepts
        shown = subprocess.run(host.enter("ip", "-o", "link", "show", "wire"), capture_output=True, text=True, check=True).stdout
        address = re.search(r"link/ether (\S+)", shown).group(1)
        sh("ip", "neigh", "add", HOLE, "lladdr", address, "dev", "bridge", "nud", "permanent")

    def make_server(self, folder):
        folder.mkdir(exist_ok=True)
        return Server(folder, users=("alice",), services=("smtp", "imap"), address=US, disable_plaintext_auth="no", mynetworks="192.0.2.0/24", inet_protocols="ipv4",
                      smtp_dns_resolver=DNS + ":53", smtp_dns_support_level="dnssec", smtp_dnssec_trust_anchor_file=str(self.anchor),
                      smtp_tls_policy_maps="inline:{ {good.test=dane} {mismatch.test=dane} {either.test=dane} }", tls_append_default_CA="no",
                      minimal_backoff_time="1s", maximal_backoff_time="2s", smtp_connect_timeout="2s", smtp_helo_timeout="3s")

    @contextlib.contextmanager
    def narrow(self, name):
        """Eight megabits a second on the way to a host."""
        sh("tc", "qdisc", "add", "dev", name, "root", "tbf", "rate", "8mbit", "burst", "128kb", "latency", "500ms")
        try:
            yield
        finally:
            sh("tc", "qdisc", "del", "dev", name, "root")

    def close(self):
        self.undo.close()


@contextlib.contextmanager
def five_hosts():
    # Not below pytest's own folder: each start of a pytest takes that from the others, Postfix's user included.
    with tempfile.TemporaryDirectory(prefix="five-hosts-", ignore_cleanup_errors=True) as folder:
        made = FiveHosts(pathlib.Path(folder))
        try:
            yield made
        finally:
            made.close()


def up(host, port=25):
    """Whether a connection gets a greeting."""
    try:
        with socket.create_connection((host, port), 2) as s:
            return s.recv(1) == b"2"
    except OSError:
        return False


def wait_up(host):
    wait_for(lambda: up(host), 20, f"an answer of {host}")
