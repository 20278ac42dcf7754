"""signed_world.py: zones with DNSSEC on this host's loopback: nsd serves them, unbound stands before it as the resolver that
a machine has (it validates nothing itself), ldns signs them. `test.` is signed, and its key is the trust anchor."""
import base64
import hashlib
import os
import pathlib
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time

from harness import free_port, wait_for

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tools"))
import peers  # noqa: E402

ALGORITHM = "ECDSAP256SHA256"
HEAD = "$ORIGIN {zone}.\n$TTL 60\n@ SOA ns.test. admin.test. {serial} 3600 600 86400 60\n@ NS ns.test.\n"


def tool(name, *words, cwd):
    """Runs one of ldns's tools, the machine's or the peers'."""
    program, environment = shutil.which(name), dict(os.environ)
    if not program:
        root = peers.unpacked("ldns") / "root" / "usr"
        program = str(root / "bin" / name)
        environment["LD_LIBRARY_PATH"] = ":".join(str(f) for f in (root / "lib").glob("*-linux-*"))
    return subprocess.run([program, *words], cwd=cwd, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def der_of(pem):
    text = pathlib.Path(pem).read_text(encoding="ascii")
    return ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN CERTIFICATE"):])


def key_of(pem):
    """The SubjectPublicKeyInfo of a certificate."""
    text = subprocess.run(["openssl", "x509", "-in", pem, "-noout", "-pubkey"], check=True, capture_output=True, text=True).stdout
    return base64.b64decode("".join(text.splitlines()[1:-1]))


def tlsa(usage, selector, matching, pem):
    data = key_of(pem) if selector else der_of(pem)
    data = {0: data, 1: hashlib.sha256(data).digest(), 2: hashlib.sha512(data).digest()}[matching]
    return f"TLSA {usage} {selector} {matching} {data.hex()}"


class SignedWorld:
    """zones: name: (how, records); how is "signed", "unsigned" or "bogus" (its parent vouches for another key). The first is
    the anchor's; the others are below it."""

    def __init__(self, folder, zones):
        self.folder, self.zones, self.started = pathlib.Path(folder), zones, []
        self.folder.mkdir(exist_ok=True)
        self.anchor = self.folder / "anchor.key"
        self.nsd_port, self.port = free_port(), free_port()
        self.serial = 1
        self.make_zones()
        self.start("nsd", self.nsd_conf(), ["/usr/sbin/nsd", "-d", "-c"])
        self.start("unbound", self.unbound_conf(), ["/usr/sbin/unbound", "-d", "-c"])
        for port in (self.nsd_port, self.port):
            wait_for(lambda p=port: self.answers(p), 20, f"an answer at {port}: " + self.log())
        self.resolver = f"127.0.0.1:{self.port}"

    def key(self, zone):
        name = tool("ldns-keygen", "-a", ALGORITHM, "-k", zone, cwd=self.folder)
        return self.folder / name

    def make_zones(self):
        (top, (_, records)), *below = self.zones.items()
        delegations = ""
        for zone, (how, text) in below:
            delegations += f"{zone}. NS ns.test.\n"
            if how != "unsigned":
                key = self.key(zone)
                shown = self.key(zone) if how == "bogus" else key
                delegations += shown.with_suffix(shown.suffix + ".ds").read_text()
                self.write(zone, text, key)
            else:
                self.write(zone, text, None)
        key = self.key(top)
        self.write(top, "ns A 127.0.0.1\n" + records + delegations, key)
        self.anchor.write_text("; the key of the test\n" + key.with_suffix(key.suffix + ".key").read_text())

    def write(self, zone, text, key):
        path = self.folder / (zone + ".zone")
        path.write_text(HEAD.format(zone=zone, serial=self.serial) + text)
        if key:
            tool("ldns-signzone", "-f", str(path) + ".signed", str(path), key.name, cwd=self.folder)
        else:
            shutil.copy(path, str(path) + ".signed")

    def change(self, zone, text):
        """Other records of a zone without others below it; its key stays."""
        self.serial += 1
        key = next(f for f in self.folder.glob(f"K{zone}.+*.private")).with_suffix("")
        self.write(zone, "ns A 127.0.0.1\n" + text, key)
        self.started[0].send_signal(signal.SIGHUP)
        wait_for(lambda: self.serial_at(self.port) == self.serial, 20, "the new zone")

    def nsd_conf(self):
        zones = "".join(f'zone:\nname: "{z}"\nzonefile: "{self.folder}/{z}.zone.signed"\n' for z in self.zones)
        return (f'server:\nip-address: 127.0.0.1@{self.nsd_port}\nusername: ""\nchroot: ""\nzonesdir: "{self.folder}"\n'
                f'database: ""\npidfile: "{self.folder}/nsd.pid"\nxfrdfile: "{self.folder}/xfrd.state"\nzonelistfile: "{self.folder}/zone.list"\n'
                f'cookie-secret-file: ""\nserver-count: 1\nremote-control:\ncontrol-enable: no\n{zones}')

    def unbound_conf(self):
        stubs = "".join(f'stub-zone:\nname: "{z}."\nstub-addr: 127.0.0.1@{self.nsd_port}\n' for z in self.zones)
        return (f'server:\nusername: ""\nchroot: ""\ndirectory: "{self.folder}"\npidfile: ""\nuse-syslog: no\ninterface: 127.0.0.1@{self.port}\n'
                f'do-daemonize: no\ndo-not-query-localhost: no\nmodule-config: "iterator"\nlocal-zone: "test." nodefault\n'
                f'cache-max-ttl: 0\nnum-threads: 1\nremote-control:\ncontrol-enable: no\n{stubs}')

    def start(self, name, text, command):
        conf = self.folder / (name + ".conf")
        conf.write_text(text)
        with open(self.folder / (name + ".log"), "wb") as log:
            self.started.append(subprocess.Popen([*command, str(conf)], stdout=log, stderr=log))

    def answers(self, port):
        """To a question for the SOA of test."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(1)
            s.sendto(b"\0\1\1\0\0\1\0\0\0\0\0\0\4test\0\0\6\0\1", ("127.0.0.1", port))
            try:
                answer = s.recv(4096)
            except OSError:
                time.sleep(0.1)
                return False
            return answer[3] & 15 == 0 and answer[7] > 0

    @staticmethod
    def serial_at(port):
        """Of the zone test."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(1)
            s.sendto(b"\0\1\1\0\0\1\0\0\0\0\0\0\4test\0\0\6\0\1", ("127.0.0.1", port))
            try:
                answer = s.recv(4096)
            except OSError:
                return 0
            at = answer.find(struct.pack("!IIII", 3600, 600, 86400, 60))
            return int.from_bytes(answer[at - 4:at], "big") if at > 0 else 0

    def log(self):
        return "".join(f.read_text(errors="replace")[-1500:] for f in self.folder.glob("*.log"))

    def close(self):
        for process in self.started:
            process.terminate()
            process.wait()
