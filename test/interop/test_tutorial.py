"""The how-to that started it ("Configuring the Postfix mail server on Fedora"), step by step: its files as it edits them, its
commands, its dialogues, on its ports, with accounts of the system by PAM; then a client that behaves as Outlook Express did.
Everything happens in namespaces of the test's own (mounts, network, host name). Needs root."""
import base64
import os
import pathlib
import re
import subprocess
import tempfile
import time

import pytest

from harness import PROGRAM, wait_for

HOST = "master.planetnet.net"
ACCOUNT, PASSWORD = "petra", "correct horse 1"
ROLES = {"postrider": 64801, "postrider-auth": 64802, "postrider-edge": 64803, "postrider-relay": 64804}
FACES = ("testsaslauthd", "sendmail", "postfix", "postconf", "mailq", "newaliases")
SMTPD_CONF = "pwcheck_method: saslauthd\nmech_list: plain login\n"
DOVECOT_CONF = "protocols = pop3 imap\n"
# What the page's main.cf has outside comments before it is edited, and what it says to put in.
MAIN_CF = """\
queue_directory = /var/spool/postfix
command_directory = /usr/sbin
daemon_directory = /usr/libexec/postfix
mail_owner = postfix
#inet_interfaces = localhost
unknown_local_recipient_reject_code = 550
alias_maps = hash:/etc/aliases
alias_database = hash:/etc/aliases
debug_peer_level = 2
sendmail_path = /usr/sbin/sendmail.postfix
newaliases_path = /usr/bin/newaliases.postfix
mailq_path = /usr/bin/mailq.postfix
setgid_group = postdrop
manpage_directory = /usr/share/man
readme_directory = /usr/share/doc/postfix-2.0.16/README_FILES
mydestination = $myhostname, localhost.$mydomain, $mydomain
smtpd_sasl_auth_enable = yes
smtpd_delay_reject = yes
smtpd_recipient_restrictions = permit_mynetworks permit_sasl_authenticated permit_auth_destination reject
smtpd_client_restrictions = permit_mynetworks, permit_sasl_authenticated
broken_sasl_auth_clients = yes
smtpd_sasl_security_options = noanonymous
"""
MASTER_CF = """\
smtp      inet  n       -       n       -       -       smtpd
pickup    fifo  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      fifo  n       -       n       300     1       qmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
smtp      unix  -       -       n       -       -       smtp
local     unix  -       n       n       -       -       local
"""
PAM = "auth required pam_unix.so\naccount required pam_unix.so\n"
TELNET = """\
import socket, sys
f = socket.create_connection(("localhost", int(sys.argv[1])), 20)
f.settimeout(20)
r = f.makefile("rb")
def reply():
    while True:
        line = r.readline()
        sys.stdout.buffer.write(line)
        if line[3:4] != b"-" or not line[:3].isdigit():
            return
reply()
for line in sys.argv[2:]:
    f.sendall(line.encode() + b"\\r\\n")
    sys.stdout.buffer.write(b"> " + line.encode() + b"\\n")
    reply()
"""


class Machine:
    """A Fedora of sorts: its /etc, /usr/lib/sasl2, /var and /run are the test's, and so are its network and its name."""

    def __init__(self, folder):
        folder.chmod(0o755)
        self.folder = folder
        self.etc, self.usr = folder / "etc", folder / "usr"
        self.write_etc()
        self.write_usr()
        mounts = " && ".join([
            f"mount -t overlay overlay -o lowerdir={self.etc}:/etc /etc",
            f"mount -t overlay overlay -o lowerdir={self.usr}:/usr /usr",
            "mount -t tmpfs tmpfs /run", "mount -t tmpfs tmpfs /var/spool", "mount -t tmpfs tmpfs /var/lib",
            "mkdir -p /run/saslauthd", f"hostname {HOST}", "ip link set lo up", "echo ready"])
        self.holder = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "--net", "--uts", "sh", "-c",
                                        mounts + " && exec sleep 1000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.holder.stdout.readline().strip() != b"ready":
            pytest.skip("no namespaces: " + self.holder.stderr.read().decode()[-300:])
        self.server = None

    def write_etc(self):
        hashed = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=PASSWORD, capture_output=True, text=True, check=True)
        (self.etc / "pam.d").mkdir(parents=True)
        (self.etc / "postfix").mkdir()
        for service in ("smtp", "dovecot", "imap", "pop3"):
            (self.etc / "pam.d" / service).write_text(PAM)
        (self.etc / "passwd").write_text(pathlib.Path("/etc/passwd").read_text() + f"{ACCOUNT}:x:1500:1500::/home/{ACCOUNT}:/bin/sh\n" + "".join(
            f"{name}:x:{uid}:{uid}::/nonexistent:/usr/sbin/nologin\n" for name, uid in ROLES.items()))
        (self.etc / "group").write_text(pathlib.Path("/etc/group").read_text() + f"{ACCOUNT}:x:1500:\n" + "".join(
            f"{name}:x:{uid}:\n" for name, uid in ROLES.items()))
        (self.etc / "shadow").write_text(f"{ACCOUNT}:{hashed.stdout.strip()}:19000:0:99999:7:::\n")
        (self.etc / "shadow").chmod(0o600)
        (self.etc / "hosts").write_text(f"127.0.0.1 localhost {HOST} master\n")
        (self.etc / "aliases").write_text(f"postmaster: root\nroot: {ACCOUNT}\nsales: {ACCOUNT}\n")
        (self.etc / "dovecot.conf").write_text(DOVECOT_CONF)
        (self.etc / "postfix" / "main.cf").write_text(MAIN_CF)
        (self.etc / "postfix" / "master.cf").write_text(MASTER_CF)
        for path in [self.etc, *self.etc.rglob("*")]:
            if path.name != "shadow":
                path.chmod(0o755 if path.is_dir() else 0o644)

    def write_usr(self):
        (self.usr / "lib" / "sasl2").mkdir(parents=True)
        (self.usr / "lib" / "sasl2" / "smtpd.conf").write_text(SMTPD_CONF)
        (self.usr / "sbin").mkdir()
        for face in FACES:
            (self.usr / "sbin" / face).symlink_to(PROGRAM)
        for path in [self.usr, *self.usr.rglob("*")]:
            if path.is_dir():
                path.chmod(0o755)

    def enter(self, *command):
        return ["nsenter", "-t", str(self.holder.pid), "-m", "-n", "-u", *command]

    def run(self, *command, **options):
        return subprocess.run(self.enter(*command), capture_output=True, text=True, check=False, timeout=60, **options)

    def start(self):
        self.log_path = self.folder / "log"
        with open(self.log_path, "ab") as log:
            self.server = subprocess.Popen(self.enter(PROGRAM, "serve", "--postfix", "/etc/postfix", "--dovecot", "/etc/dovecot.conf",
                                                      "--sasl", "/usr/lib/sasl2/smtpd.conf"), stdout=log, stderr=log)
        wait_for(lambda: self.server.poll() is not None or all(self.run(
                 "sh", "-c", f"python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {p}), 2).recv(1)'").returncode == 0
                 for p in (25, 110, 143)), 30, "the server answers on 25, 110 and 143")
        assert self.server.poll() is None, self.log()

    def log(self):
        return self.log_path.read_text(errors="replace")

    def telnet(self, port, *lines):
        done = self.run("python3", "-c", TELNET, str(port), *lines)
        assert done.returncode == 0, done.stderr
        return done.stdout.replace("\r\n", "\n")

    def stop(self):
        if self.server and self.server.poll() is None:
            self.server.terminate()
            assert self.server.wait(30) == 0, self.log()[-2000:]
        self.holder.kill()
        self.holder.wait()


@pytest.fixture(scope="module")
def machine():
    if os.geteuid() != 0:
        pytest.skip("the tutorial: needs root for namespaces with accounts of the system in them")
    with tempfile.TemporaryDirectory(prefix="tutorial.") as folder:
        m = Machine(pathlib.Path(folder))
        try:
            m.start()
            yield m
        finally:
            m.stop()


def b64(text):
    return base64.b64encode(text.encode()).decode()


def test_1_saslauthd(machine):
    """testsaslauthd -u ACCOUNT -p 'PASSWORD'"""
    done = machine.run("testsaslauthd", "-u", ACCOUNT, "-p", PASSWORD)
    assert (done.returncode, done.stdout) == (0, '0: OK "Success."\n'), done
    done = machine.run("testsaslauthd", "-u", ACCOUNT, "-p", "wrong")
    assert done.returncode != 0 and done.stdout == '0: NO "authentication failed"\n'


def test_2_dovecot(machine):
    """telnet localhost 110"""
    said = machine.telnet(110, f"user {ACCOUNT}", f"pass {PASSWORD}", "quit")
    assert re.match(rf"\+OK .*ready\.\n> user {ACCOUNT}\n\+OK\n> pass .*\n\+OK Logged in\.\n", said), said
    said = machine.telnet(143, f'a login {ACCOUNT} "{PASSWORD}"')
    assert "a OK" in said, said


def test_3_no_open_relay(machine):
    said = machine.telnet(25, "ehlo stranger.test", "mail from:<x@stranger.test>", "rcpt to:<y@elsewhere.test>", f"rcpt to:<{ACCOUNT}@{HOST}>",
                          f"rcpt to:<{ACCOUNT}@planetnet.net>", "rcpt to:<nobody-here@planetnet.net>", "quit")
    # The client is this host itself, which mynetworks has by default: the page's test is from outside.
    assert f"> rcpt to:<{ACCOUNT}@{HOST}>\n250 2.1.5 Ok" in said, said
    assert f"> rcpt to:<{ACCOUNT}@planetnet.net>\n250 2.1.5 Ok" in said, said
    assert re.search(r"> rcpt to:<nobody-here@planetnet.net>\n550 5\.1\.1 .*User unknown in local recipient table", said), said
    assert machine.run("ip", "address", "add", "192.0.2.1/32", "dev", "lo").returncode == 0
    outside = TELNET.replace('("localhost", int(sys.argv[1])), 20)', '("127.0.0.1", int(sys.argv[1])), 20, ("192.0.2.1", 0))', 1)
    done = machine.run("python3", "-c", outside, "25", "ehlo stranger.test", "mail from:<x@stranger.test>", "rcpt to:<y@elsewhere.test>",
                       f"rcpt to:<{ACCOUNT}@{HOST}>", "quit")
    said = done.stdout.replace("\r\n", "\n")
    assert "554 5.7.1 <y@elsewhere.test>: Recipient address rejected: Access denied" in said, said
    assert f"> rcpt to:<{ACCOUNT}@{HOST}>\n250 2.1.5 Ok" in said, said


def test_4_ehlo(machine):
    """telnet localhost 25, ehlo localhost"""
    said = machine.telnet(25, "ehlo localhost", "quit")
    lines = said.split("\n")
    assert lines[0].startswith(f"220 {HOST} ESMTP")
    offered = {line[4:] for line in lines if line.startswith("250")}
    assert {"PIPELINING", "SIZE 10240000", "VRFY", "ETRN", "AUTH PLAIN LOGIN", "AUTH=PLAIN LOGIN", "ENHANCEDSTATUSCODES", "8BITMIME",
            "DSN", "SMTPUTF8", "CHUNKING"} <= offered, said


def test_5_outlook_express(machine):
    """AUTH LOGIN, found in the line with "=", no ESMTP parameters; then the mail is fetched."""
    said = machine.telnet(25, "EHLO oemcomputer", "AUTH LOGIN", b64(ACCOUNT), b64(PASSWORD), f"MAIL FROM: <{ACCOUNT}@planetnet.net>",
                          "RCPT TO: <sales@planetnet.net>", "DATA", f"From: Petra <{ACCOUNT}@planetnet.net>\r\nSubject: first mail\r\n\r\nhello\r\n.",
                          "QUIT")
    assert "\n334 VXNlcm5hbWU6\n" in said and "\n334 UGFzc3dvcmQ6\n" in said and "\n235 2.7.0 Authentication successful\n" in said, said
    assert "\n354 " in said and re.search(r"\n250 2\.0\.0 Ok", said), said
    said = machine.telnet(110, f"USER {ACCOUNT}", f"PASS {PASSWORD}", "STAT", "QUIT")
    assert re.search(r"> STAT\n\+OK [1-9]", said), said


def test_6_wrong_password_of_smtp(machine):
    began = time.monotonic()
    said = machine.telnet(25, "EHLO oemcomputer", "AUTH LOGIN", b64(ACCOUNT), b64("wrong"), "QUIT")
    assert re.search(r"\n535 5\.7\.8 Error: authentication failed", said), said
    assert time.monotonic() - began < 30


def test_7_the_commands_go_on(machine):
    assert machine.run("postconf", "-h", "mydestination").stdout.strip() == "$myhostname, localhost.$mydomain, $mydomain"
    done = machine.run("sendmail", f"{ACCOUNT}@planetnet.net", input="Subject: by command\n\nhello\n")
    assert done.returncode == 0, done
    assert machine.run("mailq").stdout.strip() == "Mail queue is empty"


def test_7_newaliases(machine):
    assert machine.run("newaliases").returncode == 0


def test_8_no_secret_was_logged(machine):
    assert PASSWORD not in machine.log() and b64(PASSWORD) not in machine.log()


def test_9_what_people_paste(machine):
    """The page's own slips: a capital letter in a name, a list that goes on without white space."""
    broken = machine.folder / "broken"
    broken.mkdir()
    (broken / "main.cf").write_text("smtpd_recipient_restrictiOns = permit_mynetworks permit_sasl_authenticated\npermit_auth_destination reject\n")
    (broken / "master.cf").write_text(MASTER_CF)
    done = subprocess.run([PROGRAM, "config", "check", "--postfix", str(broken)], capture_output=True, text=True, check=False)
    told = done.stdout + done.stderr
    assert done.returncode == 1
    assert f"{broken}/main.cf:1" in told and "did you mean `smtpd_recipient_restrictions`" in told, told
    assert f"{broken}/main.cf:2" in told and "space" in told, told
