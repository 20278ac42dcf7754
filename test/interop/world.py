"""world.py: two hosts and a name server between them: this process enters a network namespace of its own
(192.0.2.1, where Postrider and unbound run; 192.0.2.3, for servers that a test scripts) and a Postfix lives in another
(192.0.2.2). Needs root."""
import ctypes
import os
import pathlib
import subprocess
import sys

from harness import wait_for

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tools"))
import peers  # noqa: E402

CLONE_NEWNET = 0x40000000
US, THEM, SCRIPTED = "192.0.2.1", "192.0.2.2", "192.0.2.3"

RECORDS = f"""
example.test. MX 10 mail.example.test.
mail.example.test. A {US}
remote.test. MX 20 down.remote.test.
remote.test. MX 10 mx.remote.test.
mx.remote.test. A {THEM}
down.remote.test. A 192.0.2.77
onlya.test. A {THEM}
scripted.test. A {SCRIPTED}
nullmx.test. MX 0 .
loop.test. MX 10 mail.example.test.
"""

GREYLIST = r"""
import socketserver
seen = set()
class Policy(socketserver.StreamRequestHandler):
    def handle(self):
        fields = {}
        for line in self.rfile:
            line = line.decode().rstrip("\n")
            if line:
                key, _, value = line.partition("=")
                fields[key] = value
                continue
            rcpt = fields.get("recipient", "")
            first = rcpt.startswith("grey") and rcpt not in seen
            seen.add(rcpt)
            self.wfile.write(b"action=%s\n\n" % (b"DEFER_IF_PERMIT greylisted, come back" if first else b"DUNNO"))
            fields = {}
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", 10023), Policy).serve_forever()
"""


def sh(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise peers.Unavailable(" ".join(command) + ": " + done.stderr.strip())


class World:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.started = []
        self.ns = self.postfix = None
        if os.geteuid() != 0:
            raise peers.Unavailable("needs root for network namespaces")
        peers.unpacked("postfix")  # while this process still has the machine's network
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.libc = ctypes.CDLL(None, use_errno=True)
        if self.libc.unshare(CLONE_NEWNET):
            raise peers.Unavailable("no network namespace: " + os.strerror(ctypes.get_errno()))
        try:
            self.make()
        except BaseException:
            self.close()
            raise

    def make(self):
        self.folder.chmod(0o755)
        self.ns = peers.Namespace(self.folder, ["postfix"], network=True, resolver=US)
        sh("ip", "link", "set", "lo", "up")
        sh("ip", "link", "add", "us", "type", "veth", "peer", "name", "them", "netns", str(self.ns.holder.pid))
        sh("ip", "addr", "add", US + "/24", "dev", "us")
        sh("ip", "addr", "add", SCRIPTED + "/24", "dev", "us")
        sh("ip", "link", "set", "us", "up")
        for words in ("link set lo up", f"addr add {THEM}/24 dev them", "link set them up"):
            sh(*self.ns.enter("ip", *words.split()))
        self.make_certificate()
        self.start_dns()
        self.start_postfix()

    def make_certificate(self):
        """Self-signed; key and certificate in one file."""
        key, certificate = self.folder / "key.pem", self.folder / "certificate.pem"
        sh("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=mx.remote.test", "-days", "30",
           "-keyout", str(key), "-out", str(certificate))
        self.certificate = str(self.folder / "chain.pem")
        pathlib.Path(self.certificate).write_text(key.read_text() + certificate.read_text())

    def start_dns(self):
        zones = "".join(f'local-zone: "{zone}." static\n' for zone in
                        ("example.test", "remote.test", "onlya.test", "scripted.test", "nullmx.test", "loop.test", "nowhere.test", "2.0.192.in-addr.arpa"))
        data = "".join(f'local-data: "{line}"\n' for line in RECORDS.strip().splitlines())
        conf = self.folder / "unbound.conf"
        conf.write_text(f'server:\nusername: ""\nchroot: ""\ndirectory: "{self.folder}"\npidfile: ""\nuse-syslog: no\n'
                        f'interface: {US}\naccess-control: 192.0.2.0/24 allow\ndo-daemonize: no\ndo-not-query-localhost: no\n'
                        f'module-config: "iterator"\n{zones}{data}remote-control:\ncontrol-enable: no\n')
        log = open(self.folder / "unbound.log", "wb")
        self.started.append(subprocess.Popen(["/usr/sbin/unbound", "-d", "-c", str(conf)], stdout=log, stderr=log))
        log.close()

    def start_postfix(self):
        log = open(self.folder / "greylist.log", "wb")
        self.started.append(self.ns.start("/usr/bin/python3", "-c", GREYLIST, stdout=log, stderr=log))
        log.close()
        transport = self.folder / "transport"
        transport.write_text("bouncer@remote.test error:5.1.1 this address bounces\n")
        self.postfix = peers.Postfix(
            self.ns, self.folder / "postfix", myhostname="mx.remote.test", mydestination="",
            inet_interfaces="all", mynetworks="127.0.0.0/8", virtual_mailbox_domains="remote.test, onlya.test",
            virtual_mailbox_base=str(self.folder / "postfix" / "mail"), virtual_uid_maps="static:64914",
            virtual_gid_maps="static:64914", transport_maps=f"texthash:{transport}",
            virtual_mailbox_maps="regexp:{{/^(grey.*|user|big|utf.*|bouncer)@/ box/}}",
            smtpd_recipient_restrictions="reject_unauth_destination, reject_unlisted_recipient, check_policy_service inet:127.0.0.1:10023",
            smtpd_tls_security_level="may", smtpd_tls_chain_files=self.certificate, smtpd_tls_received_header="yes",
            smtp_tls_security_level="may", smtputf8_enable="yes", minimal_backoff_time="1s", queue_run_delay="1s").start()

    def messages(self):
        """What the remote Postfix delivered, whole."""
        box = self.folder / "postfix" / "mail" / "box"
        return [f.read_text(errors="replace") for sub in ("new", "cur") for f in (box / sub).glob("*")]

    def received(self):
        return "".join(self.messages())

    def wait_received(self, text, seconds=30):
        wait_for(lambda: text in self.received(), seconds, f"arrival of {text}; its log: {self.postfix.log()[-1500:]}")

    def remote_sends(self, sender, rcpt, text):
        done = self.ns.run("sendmail", "-C", str(self.postfix.conf), "-i", "-f", sender, rcpt, input=text)
        assert done.returncode == 0, done.stderr

    def close(self):
        if self.postfix:
            self.postfix.stop()
        for process in self.started:
            process.terminate()
            process.wait()
        if self.ns:
            self.ns.close()
        self.libc.setns(self.home, 0)
        os.close(self.home)
