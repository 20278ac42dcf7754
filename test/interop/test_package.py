"""The packages, installed for real in a root of the test's own: overlays over the machine's /usr, /etc and /var, with a
network, processes and a dpkg database that end with it. The machine itself is never changed. Needs root."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import pytest

import harness
from harness import PROGRAM, wait_for

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
UNIT = TOP / "share/postrider.service"
MTA = ("sbin/sendmail", "bin/mailq", "bin/newaliases", "sbin/postfix", "sbin/postconf", "sbin/postcat", "sbin/postalias", "sbin/postmap", "sbin/postqueue", "sbin/postsuper")
OTHERS = ("bin/doveadm", "sbin/testsaslauthd")
ROLES = ("postrider", "postrider-auth", "postrider-edge", "postrider-relay")
MAPPED = """\
mkdir {scratch} && mount -t tmpfs tmpfs {scratch} && for d in usr etc var; do
    mkdir {scratch}/$d {scratch}/$d.work &&
    mount -t overlay overlay -o lowerdir=/$d,upperdir={scratch}/$d,workdir={scratch}/$d.work /$d || exit 1
done
mount -t tmpfs tmpfs /run && mount -t proc proc /proc && hostname mail.package.test && ip link set lo up || exit 1
rm -f /usr/sbin/policy-rc.d && printf '#!/bin/sh\\necho N 2\\n' > /usr/sbin/runlevel && chmod 755 /usr/sbin/runlevel || exit 1
echo ready && exec sleep 1000
"""
ASK = "import socket, sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5); s.settimeout(10); print(s.recv(200).decode())"
LISTEN = "import socket, time; s = socket.socket(); s.setsockopt(1, 2, 1); s.bind(('0.0.0.0', 25)); s.listen(); print('ready', flush=True); time.sleep(600)"


class Root:
    """A machine to install on."""

    def __init__(self, folder):
        script = MAPPED.format(scratch=folder / "scratch")
        self.holder = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "--net", "--uts", "--pid", "--fork", "--kill-child",
                                        "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.holder.stdout.readline().strip() != b"ready":
            pytest.skip("no root of the test's own: " + self.holder.stderr.read().decode()[-300:])
        with open(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children", encoding="ascii") as f:
            self.init = f.read().split()[0]

    def enter(self, *command):
        return ["nsenter", "-t", self.init, "-m", "-n", "-u", "-p", *map(str, command)]

    def run(self, *command, **options):
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root", "LC_ALL": "C",
               "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")}
        # Into files: a server that a script starts keeps what it was started with.
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            status = subprocess.run(self.enter(*command), stdout=out, stderr=err, check=False, timeout=90, env=env,
                                    **{"stdin": subprocess.DEVNULL, **options}).returncode
            out.seek(0), err.seek(0)
            return subprocess.CompletedProcess(command, status, out.read(), err.read())

    def ok(self, *command, **options):
        done = self.run(*command, **options)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def shell(self, text):
        return self.ok("sh", "-c", text)

    def there(self, *paths):
        return [path for path in paths if self.run("test", "-e", path, "-o", "-L", path).returncode == 0]

    def answers(self, port=25):
        done = self.run(sys.executable, "-c", ASK, port)
        return done.stdout if done.returncode == 0 else ""

    def close(self):
        self.holder.kill()
        self.holder.wait()


def make_package(kind, folder):
    done = subprocess.run([sys.executable, TOP / "tools/make_package.py", kind, pathlib.Path(PROGRAM).resolve().parent, folder],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    folder.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def deb(packages):
    if not shutil.which("dpkg-shlibdeps"):
        pytest.skip("the Debian package: dpkg-dev is missing")
    return make_package("deb", packages)


@pytest.fixture(scope="module")
def rpm(packages):
    if not shutil.which("rpmbuild"):
        pytest.skip("the RPM: rpmbuild is missing")
    return make_package("rpm", packages)


@pytest.fixture
def root():
    if os.geteuid() != 0:
        pytest.skip("the packages: needs root for a root of the test's own")
    with tempfile.TemporaryDirectory(prefix="package.") as folder:
        made = Root(pathlib.Path(folder))
        try:
            yield made
        finally:
            made.close()


def neighbour(folder, name, files, **fields):
    """A package with nothing but names in it, to meet ours."""
    tree = folder / name
    (tree / "DEBIAN").mkdir(parents=True)
    fields = {"Package": name, "Version": "1", "Architecture": "all", "Maintainer": "x <x@x.test>", "Description": "x", **fields}
    (tree / "DEBIAN/control").write_text("".join(f"{k.replace('_', '-')}: {v}\n" for k, v in fields.items()))
    for file in files:
        (tree / file).parent.mkdir(parents=True, exist_ok=True)
        (tree / file).write_text(f"#!/bin/sh\necho {name}\n")
        (tree / file).chmod(0o755)
    path = folder / f"{name}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, path], check=True, capture_output=True)
    return path


# ---- Debian ----

def test_what_the_package_holds(deb):
    listed = subprocess.run(["dpkg-deb", "-c", deb], capture_output=True, text=True, check=True).stdout
    for mode, path in (("drwx-wx-wt", "var/lib/postrider/maildrop/"), ("-rwxr-xr-x", "usr/sbin/postrider"), ("-rwxr-xr-x", "etc/init.d/postrider"),
                       ("-rw-r--r--", "usr/lib/systemd/system/postrider.service"), ("-rw-r--r--", "usr/share/man/man5/postrider.conf.5.gz"),
                       ("-rw-r--r--", "usr/share/bash-completion/completions/postrider")):
        assert re.search(rf"^{re.escape(mode)} root/root .* \./{re.escape(path)}$", listed, re.M), (mode, path, listed)
    assert all(re.search(rf"\./usr/{name} -> ", listed) for name in MTA)
    assert not any(re.search(rf"\./usr/{name} ", listed) for name in OTHERS)
    fields = subprocess.run(["dpkg-deb", "-f", deb], capture_output=True, text=True, check=True).stdout
    for name in ("Provides", "Conflicts", "Replaces"):
        assert re.search(rf"^{name}: .*mail-transport-agent", fields, re.M)
    assert re.search(r"^Depends: .*libc6 .*libssl3", fields, re.M)
    if shutil.which("lintian"):
        done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error", "--suppress-tags", "bogus-mail-host,bogus-mail-host-in-debian-changelog", deb],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_installed_used_and_removed(root, deb):
    before = root.ok("dpkg-query", "-W")
    said = root.run("dpkg", "-i", deb)
    assert said.returncode == 0, said.stdout + said.stderr
    users = root.ok("getent", "passwd", *ROLES)
    assert users.count(":/nonexistent:/usr/sbin/nologin\n") == 4
    for name in MTA + OTHERS:
        assert root.ok("readlink", "-f", "/usr/" + name).strip() == "/usr/sbin/postrider", name
    assert root.ok("readlink", "/etc/alternatives/doveadm").strip() == "/usr/bin/doveadm.postrider"

    # The installation has started it, by the init.d script, since there is no systemd here.
    assert root.answers(25).startswith("220 mail.package.test ESMTP Postrider"), (said.stdout, said.stderr)
    init = "/etc/init.d/postrider"
    assert "is running: PID" in root.run(init, "status").stderr
    assert root.run(init, "start").returncode == 0
    root.shell("echo secret1 | postrider user add alice --password-stdin")
    mail = "printf 'Subject: hello\\n\\nhi\\n' | setpriv --reuid 65534 --regid 65534 --clear-groups "
    arrived = lambda n: f"messages={n}" in root.run("doveadm", "mailbox", "status", "-u", "alice", "messages", "INBOX").stdout
    wait_for(lambda: root.run("doveadm", "auth", "test", "alice", "secret1").returncode == 0, 15, "alice is an account")
    root.shell(mail + "sendmail -i alice")
    wait_for(lambda: arrived(1), 15, "the mail of nobody in alice's mailbox")
    root.ok(init, "reload")
    first = root.ok("cat", "/var/lib/postrider/postrider.pid")
    root.ok(init, "restart")
    assert root.ok("cat", "/var/lib/postrider/postrider.pid") != first and root.answers(25)

    root.ok(init, "stop")
    assert root.run(init, "status").returncode == 3 and root.run(init, "stop").returncode == 0
    assert root.run(init, "reload").returncode == 7 and root.run(init, "nonsense").returncode == 2
    root.shell(mail + "/usr/lib/sendmail -i alice")
    assert "(maildrop queue, sender UID 65534)" in root.run("mailq").stdout
    root.ok(init, "try-restart")
    assert not root.answers(25)
    root.ok(init, "start")
    wait_for(lambda: arrived(2), 15, "what waited in the maildrop")

    # An update keeps what was changed and starts anew.
    root.shell("echo myhostname = other.package.test >> /etc/postrider/postrider.conf")
    said = root.run("dpkg", "-i", deb)
    assert said.returncode == 0, said.stderr
    assert root.answers(25).startswith("220 other.package.test")

    root.ok("dpkg", "-r", "postrider")
    assert not root.answers(25)
    assert root.there(*("/usr/" + name for name in MTA + OTHERS), "/usr/lib/sendmail", "/etc/alternatives/doveadm", "/usr/sbin/postrider") == []
    assert root.there("/etc/postrider/postrider.conf", "/var/lib/postrider/store")
    said = root.ok("dpkg", "-P", "postrider")
    assert "mail and queue stay in /var/lib/postrider" in said
    assert root.there("/etc/postrider/postrider.conf", init, "/usr/lib/postrider", "/etc/rc2.d/S01postrider") == []
    assert root.there("/var/lib/postrider/store") and root.run("getent", "passwd", "postrider").returncode == 0
    assert root.ok("dpkg-query", "-W") == before


def test_other_mail_servers(root, deb, packages):
    """The place is taken from an installed one by apt and given back; programs of Dovecot keep theirs."""
    mta = neighbour(packages, "fake-mta", ("usr/sbin/sendmail", "usr/bin/mailq"), Provides="mail-transport-agent",
                    Conflicts="mail-transport-agent", Replaces="mail-transport-agent")
    dovecot = neighbour(packages, "fake-dovecot", ("usr/bin/doveadm",))
    root.ok("dpkg", "-i", mta, dovecot)
    done = root.run("dpkg", "-i", deb)
    assert done.returncode != 0 and "conflict" in done.stderr, done
    listener = subprocess.Popen(root.enter(sys.executable, "-c", LISTEN), stdout=subprocess.PIPE)
    assert listener.stdout.readline() == b"ready\n"
    apt = ("apt-get", "-y", "-o", "APT::Sandbox::User=root", "-o", "Dpkg::Use-Pty=0", "install")
    said = root.run(*apt, deb)
    assert said.returncode == 0, said.stdout + said.stderr
    listener.kill()
    listener.wait()
    assert "not started, since another server listens on port 25 (of its listen)" in said.stdout, said.stdout
    assert root.run("/etc/init.d/postrider", "status").returncode == 3
    assert "fake-mta" not in root.ok("dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Package}\n").replace("rc  fake-mta", "")
    assert "is not running" in root.run("postfix", "status").stderr
    assert root.ok("doveadm") == "fake-dovecot\n"
    assert "another package's: left alone" in said.stdout

    root.ok("dpkg", "-r", "fake-dovecot")
    assert root.run("doveadm", "pw", "-s", "PLAIN", "-p", "x").stdout == "{PLAIN}x\n"
    root.ok("dpkg", "-i", dovecot)
    assert root.ok("doveadm") == "fake-dovecot\n"
    said = root.run(*apt, mta)
    assert said.returncode == 0, said.stdout + said.stderr
    assert root.ok("sendmail") == "fake-mta\n" and root.ok("doveadm") == "fake-dovecot\n"
    assert root.there("/usr/sbin/postrider", "/usr/sbin/postconf") == []


# ---- the unit ----

def unit_values(name):
    return " ".join(re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.M)).split()


def test_unit_is_understood(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is missing")
    unit = tmp_path / "postrider.service"
    unit.write_text(UNIT.read_text().replace("@prefix@/sbin/postrider", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False)
    assert "postrider.service" not in done.stderr, done.stderr
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=45", unit], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def syscall_numbers():
    header = pathlib.Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
    if not header.exists():
        pytest.skip("the numbers of system calls are known for x86_64 alone")
    return {name: int(number) for name, number in re.findall(r"#define __NR_(\w+) (\d+)", header.read_text())}


def expand(words):
    names = set()
    for word in words:
        if not word.startswith("@"):
            names.add(word)
            continue
        said = subprocess.run(["systemd-analyze", "syscall-filter", word], capture_output=True, text=True, check=True).stdout
        names |= expand([line.strip() for line in said.splitlines()[1:] if line.strip() and not line.strip().startswith("#")])
    return names


# Sets the filter as systemd does (NoNewPrivileges first) and becomes the program.
FILTER = """\
import ctypes, os, struct, sys
allowed = [int(n) for n in sys.argv[1].split(",")]
program = [(0x20, 0, 0, 0)] + [i for n in allowed for i in ((0x15, 0, 1, n), (6, 0, 0, 0x7fff0000))] + [(6, 0, 0, 0x50001)]
code = b"".join(struct.pack("HBBI", *i) for i in program)
text = ctypes.create_string_buffer(code)
fprog = struct.pack("HxxxxxxP", len(program), ctypes.addressof(text))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.create_string_buffer(fprog), 0, 0) == 0, ctypes.get_errno()
os.execv(sys.argv[2], sys.argv[2:])
"""


READ_ONLY = ("unshare", "--mount", "--propagation", "private", "sh", "-c",
             'for d in /usr /etc; do mount --bind $d $d && mount -o remount,bind,ro $d || exit 1; done; exec "$@"', "sh")


def test_the_roles_work_under_the_unit(tmp_path, monkeypatch):
    """Its system calls, capabilities and read-only folders, without systemd: mail comes in, is read, and goes to a command
    with its user's rights."""
    if os.geteuid() != 0:
        pytest.skip("the unit: needs root")
    if harness.is_sanitized():
        pytest.skip("the unit: a sanitizer needs system calls that the unit does not leave")
    if not shutil.which("systemd-analyze") or not shutil.which("setpriv"):
        pytest.skip("systemd-analyze or setpriv is missing")
    numbers = syscall_numbers()
    allowed = sorted(numbers[name] for name in expand(unit_values("SystemCallFilter")) if name in numbers)
    assert 100 < len(allowed) < 400
    bounding = "-all," + ",".join("+" + name.removeprefix("CAP_").lower() for name in unit_values("CapabilityBoundingSet"))
    tmp_path.chmod(0o755)
    done = pathlib.Path(tempfile.gettempdir(), f"unit-test.{os.getpid()}")
    aliases = tmp_path / "aliases"
    aliases.write_text(f'tool: "|cat > {done}.new; mv {done}.new {done}"\n')
    monkeypatch.setattr(harness, "PROGRAM", os.path.abspath(PROGRAM))
    server = harness.Server(tmp_path, alias_maps=str(aliases))
    try:
        server.start([*READ_ONLY, "setpriv", f"--bounding-set={bounding}", f"--inh-caps={bounding}", sys.executable, "-c", FILTER, ",".join(map(str, allowed))])
        server.send()
        wait_for(lambda: len(server.inbox()) == 1, 15, "the message in alice's mailbox")
        server.send(rcpts=["tool@example.test"], body="through a command\r\n")
        wait_for(done.exists, 20, "the command's file")
        assert "through a command" in done.read_text()
    finally:
        server.stop()
        done.unlink(missing_ok=True)


# ---- RPM ----

def test_what_the_rpm_holds(rpm):
    listed = subprocess.run(["rpm", "-qp", "--qf", "[%{FILEMODES:perms} %{FILEUSERNAME} %{FILENAMES}\n]", rpm], capture_output=True, text=True, check=True).stdout
    for line in ("drwx-wx-wt root /var/lib/postrider/maildrop", "-rwxr-xr-x root /usr/sbin/postrider", "-rwxr-xr-x root /etc/rc.d/init.d/postrider",
                 "-rw-r--r-- root /etc/postrider/postrider.conf", "lrwxrwxrwx root /usr/sbin/sendmail.postrider", "lrwxrwxrwx root /usr/bin/doveadm.postrider"):
        assert line in listed.splitlines(), (line, listed)
    assert subprocess.run(["rpm", "-qpc", rpm], capture_output=True, text=True, check=True).stdout == "/etc/postrider/postrider.conf\n"
    provides = subprocess.run(["rpm", "-qp", "--provides", rpm], capture_output=True, text=True, check=True).stdout.splitlines()
    assert {"MTA", "smtpd", "smtpdaemon", "server(smtp)"} <= set(provides)
    scripts = subprocess.run(["rpm", "-qp", "--qf", "%{POSTIN}\n%{PREUN}\n%{POSTUN}\n[%{TRIGGERSCRIPTS}\n]", rpm], capture_output=True, text=True, check=True).stdout
    assert scripts.count("place take") == 2 and scripts.count("place give") == 1
    assert subprocess.run(["sh", "-n"], input=scripts, text=True, capture_output=True, check=False).returncode == 0


def test_rpm_installed_and_removed(root, rpm):
    """With Debian's update-alternatives in the place of alternatives; another mail server has the place first."""
    root.shell("mkdir -p /etc/rc.d/init.d /opt/other && printf '#!/bin/sh\\necho other\\n' > /opt/other/sendmail && chmod 755 /opt/other/sendmail")
    root.ok("update-alternatives", "--install", "/usr/sbin/sendmail", "mta", "/opt/other/sendmail", "60")
    tool = ("rpm", "--dbpath", "/var/lib/rpm-test")
    done = root.run(*tool, "-i", "--nodeps", rpm)
    assert done.returncode == 0, done.stderr
    assert root.ok("getent", "passwd", *ROLES).count("/usr/sbin/nologin") == 4
    assert not root.answers(25)
    assert root.ok("sendmail") == "other\n"
    assert root.ok("readlink", "-f", "/usr/sbin/postconf").strip() == "/usr/sbin/postrider"
    root.ok("update-alternatives", "--set", "mta", "/usr/sbin/sendmail.postrider")
    for name in MTA + OTHERS:
        assert root.ok("readlink", "-f", "/usr/" + name).strip() == "/usr/sbin/postrider", name
    root.ok("/etc/rc.d/init.d/postrider", "start")
    assert root.answers(25).startswith("220 ")
    pid = root.ok("cat", "/var/lib/postrider/postrider.pid")
    root.ok(*tool, "-U", "--nodeps", "--force", rpm)
    assert root.answers(25) and root.ok("cat", "/var/lib/postrider/postrider.pid") != pid
    root.ok(*tool, "-e", "postrider")
    assert not root.answers(25)
    assert root.ok("sendmail") == "other\n"
    assert root.there(*("/usr/" + name for name in (*MTA[1:], *OTHERS)), "/usr/sbin/postrider", "/usr/lib/postrider") == []
    assert root.there("/var/lib/postrider/store")


# ---- make install, completion ----

def test_make_install(tmp_path):
    """Everything below DESTDIR, as an ordinary user would."""
    done = subprocess.run([TOP / "share/install.sh", tmp_path, "/usr/local", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    local = tmp_path / "usr/local"
    assert os.readlink(local / "bin/mailq.postrider") == "../sbin/postrider"
    assert "ExecStart=/usr/local/sbin/postrider serve" in (local / "lib/systemd/system/postrider.service").read_text()
    assert "@prefix@" not in "".join(f.read_text() for f in tmp_path.rglob("*") if f.is_file())
    for page in (local / "share/man").rglob("*.[1-8]"):
        shown = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", page], capture_output=True, text=True,
                               check=False, cwd=local / "share/man")
        assert shown.stderr == "", (page, shown.stderr)


def completed(*words):
    """What bash offers for the last of these words."""
    script = (f'source {TOP}/share/completion.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _postrider; printf "%s\\n" "${{COMPREPLY[@]}}"')
    done = subprocess.run(["bash", "-c", script, "bash", os.path.abspath(PROGRAM), *words], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_completion():
    """Commands with the words behind them, as `postrider help` says them; the old programs' names; files."""
    assert {"serve", "queue", "postsuper", "sendmail", "--dovecot"} <= completed("")
    assert completed("po") == {"postfix", "postconf", "postcat", "postalias", "postmap", "postqueue", "postsuper"}
    assert completed("-c", "x", "queue", "fl") == {"flush"}
    assert completed("queue", "release", "a") == {"all"}
    assert {"check", "show", "import", "manual", "--postfix"} <= completed("config", "")
    assert completed("import", "--u") == {"--user"} and "--all" in completed("import", "--")
    assert completed("postfix", "sta") == {"start", "status"} and completed("doveadm", "w") == {"who"}
    assert completed("--sasl", "/etc/pass") >= {"/etc/passwd"} and completed("import", "maildir", "/etc/pass") >= {"/etc/passwd"}


def test_every_face_has_its_link():
    said = subprocess.run([PROGRAM, "help"], capture_output=True, text=True, check=True).stdout
    names = said.split("The old programs' names")[1].split("\n\n")[1]
    assert set((TOP / "share/faces").read_text().split()[1::3]) == set(re.findall(r"^  (\w+) ", names, re.M))
