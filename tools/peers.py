"""peers.py: Debian's Postfix and Dovecot as peers of tests and benchmarks, without installing them: the packages are
downloaded and unpacked below build/peers/, and run in a mount namespace of their own, where they lie over /usr and /etc.
Needs root. The machine's own mail system is not touched."""
import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent / "build" / "peers"
PACKAGES = {
    "postfix": "postfix libdb5.3 libicu72 libnsl2 libtirpc3 libsasl2-2",
    "postfix-maps": "postfix-pcre postfix-lmdb postfix-cdb postfix-sqlite postfix-mysql postfix-pgsql postfix-ldap "
                    "libpcre2-8-0 liblmdb0 libcdb1 libsqlite3-0",
    "databases": "postgresql-15 postgresql-client-15 libpq5 mariadb-server-core libaio1 liburing2 libnuma1 slapd libltdl7 "
                 "libodbc2 libwrap0 memcached libevent-2.1-7",
    "sasl": "sasl2-bin libsasl2-2 libsasl2-modules libsasl2-modules-db libdb5.3",
    "ldns": "ldnsutils libldns3",
    "mailx": "bsd-mailx liblockfile1 libbsd0",
    "php": "php8.2-cli php8.2-common libargon2-1 libedit2 libicu72 libmagic1 libsodium23 libxml2",
    "exim": "exim4-daemon-heavy exim4-base libdb5.3 libgnutls-dane0 libidn12 libnsl2 libtirpc3 "
            "libperl5.36 libmariadb3 libpq5 libspf2-2 libopendmarc2",
    "dovecot": "dovecot-core dovecot-imapd dovecot-pop3d dovecot-lmtpd libexttextcat-2.0-0 liblua5.4-0 libsodium23 "
               "libstemmer0d libunwind8 libwrap0 libapparmor1 libcap2 libtirpc3 libicu72 libbz2-1.0 liblz4-1 libzstd1",
}
# Numbers of the peers' users, which need to exist in their namespace only.
PASSWD = "postfix:x:64911:64911::/nonexistent:/bin/false\ndovecot:x:64912:64912::/nonexistent:/bin/false\n" \
         "dovenull:x:64913:64913::/nonexistent:/bin/false\nvmail:x:64914:64914::/nonexistent:/bin/false\n" \
         "Debian-exim:x:64916:64916::/nonexistent:/bin/false\n"
GROUP = "postfix:x:64911:\npostdrop:x:64915:\ndovecot:x:64912:\ndovenull:x:64913:\nvmail:x:64914:\nDebian-exim:x:64916:\n"


DOWNLOADS = 4  # attempts


class Unavailable(Exception):
    """Why there can be no peer here."""


def unpacked(name):
    """The folder with the peer's files, downloaded when it is not there yet."""
    root = ROOT / name
    if (root / "done").exists():
        return root
    ROOT.mkdir(parents=True, exist_ok=True)
    with open(ROOT / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another test run may be at it
        return root if (root / "done").exists() else download(name, root)


def download(name, root):
    if not shutil.which("apt-get"):
        raise Unavailable("no apt-get to download Debian's packages with")
    shutil.rmtree(root, ignore_errors=True)
    (root / "deb").mkdir(parents=True)
    for attempt in range(DOWNLOADS):
        got = subprocess.run(["apt-get", "-o", "APT::Sandbox::User=root", "download", *PACKAGES[name].split()],
                             cwd=root / "deb", capture_output=True, text=True, check=False)
        if got.returncode == 0:
            break
        time.sleep(2)
        if attempt == DOWNLOADS - 1:
            raise Unavailable(f"{name} could not be downloaded: {got.stderr.strip()[-300:]}")
        subprocess.run(["apt-get", "update"], capture_output=True, check=False)
    for package in (root / "deb").glob("*.deb"):
        subprocess.run(["dpkg", "-x", str(package), str(root / "root")], check=True)
    # Debian 12 has /lib as a link to /usr/lib; a folder of that name would hide it.
    lib = root / "root" / "lib"
    if lib.is_dir():
        shutil.copytree(lib, root / "root" / "usr" / "lib", dirs_exist_ok=True, symlinks=True)
    (root / "done").touch()
    return root


class Namespace:
    """A mount namespace (and, when asked for, a network namespace) with the peers' files laid over the machine's."""

    def __init__(self, folder, names, network=False, resolver=None, layers=()):
        """layers: folders with an own usr/, over those of the peers."""
        if os.geteuid() != 0:
            raise Unavailable("needs root for a mount namespace with peers in it")
        roots = [*layers, *[unpacked(name) / "root" for name in names]]
        layer = pathlib.Path(folder) / "etc"
        layer.mkdir(parents=True, exist_ok=True)
        for file, extra in (("passwd", PASSWD), ("group", GROUP)):
            (layer / file).write_text(pathlib.Path("/etc", file).read_text() + extra)
        if resolver:
            (layer / "resolv.conf").write_text(f"nameserver {resolver}\n")
            (layer / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: dns\n")
        etc = ":".join([str(layer)] + [str(r / "etc") for r in roots if (r / "etc").exists()] + ["/etc"])
        usr = ":".join([str(r / "usr") for r in roots] + ["/usr"])
        script = (f"mount -t overlay overlay -o lowerdir={usr} /usr && mount -t overlay overlay -o lowerdir={etc} /etc "
                  f"&& echo ready && exec sleep 100000")
        kinds = ["--mount", "--propagation", "private"] + (["--net"] if network else [])
        self.network = network
        self.holder = subprocess.Popen(["unshare", *kinds, "sh", "-c", script], stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE)
        if self.holder.stdout.readline().strip() != b"ready":
            raise Unavailable("no mount namespace: " + self.holder.stderr.read().decode()[-300:])

    def enter(self, *command):
        return ["nsenter", "-t", str(self.holder.pid), "-m"] + (["-n"] if self.network else []) + list(command)

    def run(self, *command, **options):
        return subprocess.run(self.enter(*command), check=False, capture_output=True, text=True, errors="replace", **options)

    def start(self, *command, **options):
        return subprocess.Popen(self.enter(*command), **options)

    def close(self):
        self.holder.kill()
        self.holder.wait()


MASTER_CF = """\
{smtp} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """One Postfix instance below `folder`; settings are main.cf's."""

    def __init__(self, namespace, folder, smtp="25", **settings):
        self.ns, self.folder = namespace, pathlib.Path(folder)
        self.conf = self.folder / "conf"
        for sub in ("conf", "spool", "data", "mail"):
            (self.folder / sub).mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        os.chown(self.folder / "data", 64911, 64911)
        os.chown(self.folder / "mail", 64914, 64914)
        values = {
            "compatibility_level": "3.6", "config_directory": self.conf, "queue_directory": self.folder / "spool",
            "data_directory": self.folder / "data", "maillog_file": self.folder / "log",
            "maillog_file_prefixes": self.folder, "inet_protocols": "ipv4", "alias_maps": "", "alias_database": "",
            **settings,
        }
        self.conf.joinpath("main.cf").write_text("".join(f"{k} = {v}\n" for k, v in values.items()))
        self.conf.joinpath("master.cf").write_text(MASTER_CF.format(smtp=smtp))

    def command(self, *words):
        return self.ns.run("postfix", "-c", str(self.conf), *words)

    def start(self):
        done = self.command("start")
        if done.returncode:
            raise Unavailable("Postfix did not start: " + done.stderr + self.log())
        end = time.monotonic() + 10
        while self.command("status").returncode and time.monotonic() < end:
            time.sleep(0.1)
        return self

    def stop(self):
        self.command("stop")

    def log(self):
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""


class Dovecot:
    """One Dovecot instance below `folder`; conf is its dovecot.conf without base_dir, state_dir and log_path."""

    def __init__(self, namespace, folder, conf):
        self.ns, self.folder = namespace, pathlib.Path(folder)
        for sub in ("run", "mail", "state"):
            (self.folder / sub).mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        os.chown(self.folder / "mail", 64914, 64914)
        self.path = self.folder / "dovecot.conf"
        self.path.write_text(f"base_dir = {self.folder}/run\nstate_dir = {self.folder}/state\nlog_path = {self.folder}/log\n" + conf)

    def start(self):
        # Into a file: its processes keep what they started with, and a pipe's end would never come.
        with open(self.folder / "start", "w+", encoding="utf-8") as said:
            status = self.ns.start("dovecot", "-c", str(self.path), stdin=subprocess.DEVNULL, stdout=said, stderr=said).wait(30)
            if status:
                said.seek(0)
                raise Unavailable("Dovecot did not start: " + said.read() + self.log())
        return self

    def pid(self):
        return int((self.folder / "run" / "master.pid").read_text())

    def stop(self):
        try:
            os.kill(self.pid(), signal.SIGTERM)
        except (OSError, ValueError):
            pass

    def log(self):
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""
