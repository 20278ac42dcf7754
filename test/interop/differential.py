"""differential.py: the same main.cf, master.cf and dialogues for Debian's Postfix and for Postrider, side by side in a
network namespace of the test's own, with a name server that knows the names of both. Needs root.

Postfix is 192.0.2.1, Postrider 192.0.2.2; every address of 192.0.2.0/24 and 10.9.9.0/24 may be a client's. Each of the
CONFIGS is a service of master.cf with -o overrides, on a port of its own, so that one start of each server serves all."""
import ctypes
import os
import pathlib
import re
import socket
import subprocess

from harness import Server, wait_for
from world import CLONE_NEWNET, peers, sh

POSTFIX, POSTRIDER, FIRST_PORT = "192.0.2.1", "192.0.2.2", 10001
SERVICES_EACH = 40
ZONES = ("example.test", "good.test", "bad.test", "onlya.test", "nullmx.test", "bl.test", "wl.test", "rhs.test", "virtual.test",
         "relayed.test", "alias.test", "far.test", "backup.test", "nothing.test", "2.0.192.in-addr.arpa", "9.9.10.in-addr.arpa",
         "ip6.arpa")


def zone_data(records):
    """"name type data" lines, # comments, as unbound's local-data."""
    lines = (line.strip() for line in records.splitlines())
    return "".join(f"local-data: '{line}'\n" for line in lines if line and not line.startswith("#"))


class Servers:
    def __init__(self, folder, configs, main_cf, records, files, accounts):
        self.folder = pathlib.Path(folder)
        self.configs = list(configs)
        self.ns = self.postfix = self.dns = None
        self.postriders = []
        if os.geteuid() != 0:
            raise peers.Unavailable("needs root for a network namespace")
        for peer in ("postfix", "postfix-maps"):
            peers.unpacked(peer)  # while this process still has the machine's network
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.libc = ctypes.CDLL(None, use_errno=True)
        if self.libc.unshare(CLONE_NEWNET):
            raise peers.Unavailable("no network namespace: " + os.strerror(ctypes.get_errno()))
        try:
            self.start(configs, main_cf, records, files, accounts)
        except BaseException:
            self.close()
            raise

    def start(self, configs, main_cf, records, files, accounts):
        sh("ip", "link", "set", "lo", "up")
        for net in ("192.0.2.1/24", "192.0.2.2/24", "10.9.9.1/24"):
            sh("ip", "addr", "add", net, "dev", "lo")
        self.folder.chmod(0o755)
        for name, text in files.items():
            (self.folder / name).write_text(text)
        self.start_dns(records)
        debian = self.folder / "etc" / "postfix"
        debian.mkdir(parents=True)
        (debian / "dynamicmaps.cf").write_text("pcre\t/usr/lib/postfix/postfix-pcre.so\tdict_pcre_open\t\n")
        self.ns = peers.Namespace(self.folder, ["postfix", "postfix-maps"], resolver=POSTFIX)
        values = {name: value.replace("%", str(self.folder)) for name, value in main_cf.items()}
        overrides = {name: {k: v.replace("%", str(self.folder)) for k, v in c.items()} for name, c in configs.items()}
        self.make_hashes(str(values) + str(overrides))
        self.start_postfix(values, overrides)
        self.start_postriders(values, overrides, accounts)

    def start_dns(self, records):
        zones = "".join(f'local-zone: "{zone}." static\n' for zone in ZONES)
        conf = self.folder / "unbound.conf"
        conf.write_text(f'server:\nusername: ""\nchroot: ""\ndirectory: "{self.folder}"\npidfile: ""\nuse-syslog: no\n'
                        f'interface: {POSTFIX}\naccess-control: 0.0.0.0/0 allow\ndo-daemonize: no\ndo-not-query-localhost: no\n'
                        f'module-config: "iterator"\nlocal-zone: "slow.test." refuse\nlocal-zone: "slowlist.test." refuse\n'
                        f'{zones}{zone_data(records)}remote-control:\ncontrol-enable: no\n')
        log = open(self.folder / "unbound.log", "wb")
        self.dns = subprocess.Popen(["/usr/sbin/unbound", "-d", "-c", str(conf)], stdout=log, stderr=log)
        log.close()

    def make_hashes(self, settings):
        """Postfix reads the .db files; Postrider the text beside them."""
        self.conf = self.folder / "postmap"
        self.conf.mkdir()
        (self.conf / "main.cf").write_text("compatibility_level = 3.6\n")
        for path in sorted(set(re.findall(r"\bhash:([\w./-]+)", settings))):
            tool = "postalias" if path.endswith("aliases") else "postmap"
            done = self.ns.run(tool, "-c", str(self.conf), "hash:" + path)
            assert done.returncode == 0, done.stderr

    def services(self, address, overrides):
        text = ""
        for name, settings in overrides.items():
            options = "".join(f"  -o {{ {k} = {v} }}\n" for k, v in settings.items())
            text += f"{address}:{self.port(name)} inet n - n - - smtpd\n{options}"
        return text

    def start_postfix(self, values, overrides):
        self.postfix = peers.Postfix(self.ns, self.folder / "postfix", smtp=f"{POSTFIX}:25", **values)
        with open(self.postfix.conf / "master.cf", "a", encoding="utf-8") as f:
            f.write(self.services(POSTFIX, overrides))
        self.postfix.start()

    def start_postriders(self, values, overrides, accounts):
        """As many as it takes for all services: one listens on 64 at most."""
        names = list(overrides)
        for at in range(0, len(names), SERVICES_EACH):
            part = {name: overrides[name] for name in names[at:at + SERVICES_EACH]}
            conf = self.folder / f"theirs{at}"
            conf.mkdir()
            conf.joinpath("main.cf").write_text("compatibility_level = 3.6\n" + "".join(f"{k} = {v}\n" for k, v in values.items()))
            conf.joinpath("master.cf").write_text(self.services(POSTRIDER, part))
            folder = self.folder / f"postrider{at}"
            folder.mkdir()
            server = Server(folder, users=accounts, services=())
            server.settings = {k: v for k, v in server.settings.items()
                               if k.endswith("_user") or k in ("state_directory", "users_file")}
            server.settings.update(postfix_config=str(conf), smtp_dns_resolver=POSTFIX + ":53")
            server.write_conf()
            self.postriders.append(server)
            server.start()
            wait_for(lambda n=names[at], s=server: self.is_up(n, s), 20, "Postrider listens")

    def is_up(self, config, server):
        assert server.process.poll() is None, server.log()[-3000:]
        try:
            socket.create_connection((POSTRIDER, self.port(config)), 2).close()
            return True
        except OSError:
            return False

    def port(self, config):
        return FIRST_PORT + self.configs.index(config)

    def both(self, config, lines, client):
        return [play(address, self.port(config), lines, client) for address in (POSTFIX, POSTRIDER)]

    def close(self):
        for server in self.postriders:
            if server.process:
                server.stop()
        if self.postfix:
            self.postfix.stop()
        if self.ns:
            self.ns.close()
        if self.dns:
            self.dns.terminate()
            self.dns.wait()
        self.libc.setns(self.home, 0)
        os.close(self.home)


# ---- a dialogue ----

class Connection:
    def __init__(self, address, port, client):
        self.socket = socket.create_connection((address, port), 20, source_address=(client, 0))
        self.file = self.socket.makefile("rb")

    def reply(self):
        """All lines of one reply, joined by newlines; "" at the end of the connection."""
        lines = []
        while True:
            line = self.file.readline().decode("utf-8", "replace").rstrip("\r\n")
            lines.append(line)
            if len(line) < 4 or line[3] != "-":
                return "\n".join(lines)

    def last_words(self):
        """What was said before the connection was closed, or ""."""
        try:
            return self.reply()
        except OSError:
            return ""

    def send(self, text):
        self.socket.sendall(text.encode("utf-8"))

    def close(self):
        self.file.close()
        self.socket.close()


def play(address, port, lines, client):
    """The replies to each line: the greeting first. "~text" is sent as it stands, several lines at once ("|" between
    them), with as many replies as lines; "." ends a message that the line before it began (">text")."""
    c = Connection(address, port, client)
    replies = []
    try:
        replies.append(c.reply())
        for line in lines:
            if line.startswith(">"):
                c.send(line[1:] + "\r\n")
            elif line.startswith("~"):
                parts = line[1:].split("|")
                c.send("".join(p + "\r\n" for p in parts))
                replies.extend(c.reply() for _ in parts)
            else:
                c.send(line + "\r\n")
                replies.append(c.reply())
            if replies[-1] == "":
                break
    except OSError as error:
        replies.append(c.last_words() or "closed: " + type(error).__name__)
    finally:
        c.close()
    return replies


# ---- what is compared ----

# Where texts say who speaks or when: made alike.
ALIKE = (
    (re.compile(r"queued as \w+"), "queued as ID"),
    (re.compile(r"ESMTP \w+"), "ESMTP NAME"),
    (re.compile(r"192\.0\.2\.[12]\b"), "SERVER"),
)


def normal(reply):
    for pattern, text in ALIKE:
        reply = pattern.sub(text, reply)
    return reply


def code_of(reply):
    """"550 5.1.1", "250"."""
    found = re.match(r"(\d\d\d)[ -]([245]\.\d+\.\d+ )?", reply)
    return " ".join(g.strip() for g in found.groups() if g) if found else reply


def differences(ours, theirs, texts=True):
    """Lines that say where the two lists of replies differ; texts: of refusals too."""
    out = []
    for i in range(max(len(ours), len(theirs))):
        a = normal(theirs[i]) if i < len(theirs) else "(nothing)"
        b = normal(ours[i]) if i < len(ours) else "(nothing)"
        same = code_of(a) == code_of(b)
        if same and texts and a[:1] in "45":
            same = a == b
        if not same:
            out.append(f"reply {i}:\n  Postfix:   {a!r}\n  Postrider: {b!r}")
    return out
