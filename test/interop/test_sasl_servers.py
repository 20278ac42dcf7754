"""Who asks us for passwords, and whom we ask: saslauthd's protocol and Dovecot's, against Debian's own programs
(Cyrus' testsaslauthd and saslauthd, Postfix with libsasl2 and with smtpd_sasl_type = dovecot, Exim, Dovecot)."""
import base64
import os
import pathlib
import smtplib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

import pytest

from harness import DOMAIN, PROGRAM, Server, free_port, wait_for
from test_sasl import CLIENTS, Refused, Wire

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tools"))
import peers  # noqa: E402


class Neighbours:
    """Our server with both sockets, and a namespace with the others' programs."""

    def __init__(self, folder):
        self.folder = folder
        folder.chmod(0o755)
        self.mux, self.auth, self.port = folder / "sasl" / "mux", folder / "auth", free_port()
        self.mux.parent.mkdir(mode=0o755)
        self.ns = peers.Namespace(folder, ["postfix", "dovecot", "exim", "sasl"])
        self.server = Server(folder / "us", auth_mechanisms="plain login cram-md5 scram-sha-1 scram-sha-256")
        self.server.settings["listen"] += f", saslauthd:{self.mux}, dovecot-auth:{self.auth}, dovecot-auth://127.0.0.1:{self.port}"
        self.server.write_conf()

    def close(self):
        self.server.stop()
        self.ns.close()


@pytest.fixture(scope="module")
def near():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="postrider-sasl."))  # pytest's own is closed to the others' users
    (folder / "us").mkdir()
    try:
        n = Neighbours(folder)
    except peers.Unavailable as why:
        pytest.skip(str(why))
    n.server.start()
    yield n
    n.close()
    shutil.rmtree(folder, ignore_errors=True)


# ---- saslauthd ----

def ours(*words):
    return subprocess.run([PROGRAM, "testsaslauthd", *map(str, words)], capture_output=True, text=True, check=False, timeout=60)


def theirs(near, *words):
    return near.ns.run("/usr/sbin/testsaslauthd", *map(str, words))


@pytest.mark.parametrize("words, status", [
    (["-u", "alice", "-p", "secret-alice"], 0), (["-u", "alice", "-p", "wrong"], 255), (["-u", "nobody", "-p", "x"], 255),
    (["-u", "alice", "-p", "secret-alice", "-r", DOMAIN, "-s", "smtp"], 0),
    (["-u", "alice@" + DOMAIN, "-p", "secret-alice", "-r", "elsewhere.test"], 0),
    (["-u", "alice", "-p", "secret-alice", "-r", "elsewhere.test"], 255), (["-u", "alice", "-p", ""], 255),
    (["-u", "", "-p", "x"], 255), (["-u", "alice", "-p", "secret-alice", "-R", "3"], 0),
    (["-u", "a" * 255, "-p", "x"], 255),
])
def test_testsaslauthd(near, words, status):
    """Cyrus' program and ours say the same, to our server."""
    them, us = (f(*words, "-f", near.mux) for f in (lambda *w: theirs(near, *w), ours))
    assert (them.returncode, them.stdout, them.stderr) == (status, us.stdout, us.stderr) and us.returncode == status
    assert them.stdout.splitlines()[0] == ('0: OK "Success."' if status == 0 else '0: NO "authentication failed"')


def test_testsaslauthd_errors(near):
    for words in (["-u", "a", "-p", "b", "-f", "/nonexistent/mux"], ["-u", "a", "-p", "b", "-R", "2", "-f", near.server.conf]):
        them, us = theirs(near, *words), ours(*words)
        assert (them.returncode, them.stdout, them.stderr) == (us.returncode, us.stdout, us.stderr) and us.returncode == 255
    for words in ([], ["-u", "a"], ["-x"]):
        them, us = theirs(near, *words), ours(*words)
        assert them.returncode == us.returncode == 1 and us.stderr.splitlines()[-3:][0].endswith("-u username -p password")


def test_testsaslauthd_tells_why(near):
    def why(*words):
        done = subprocess.run([PROGRAM, "-c", near.server.conf, "testsaslauthd", "-v", *map(str, words)], capture_output=True,
                              text=True, check=False, timeout=60)
        return done.stderr
    said = why("-u", "alice", "-p", "wrong", "-f", near.mux)
    assert f"{near.server.users_file}:1: account alice" in said and "wrong password" in said
    said = why("-u", "alice", "-p", "x", "-r", "elsewhere.test", "-f", near.mux)
    assert 'looked up as "alice@elsewhere.test"' in said and "elsewhere.test is not in mydestination" in said
    assert "there is an account alice" in said
    said = why("-u", "alice", "-p", "x", "-f", "/nonexistent/mux")
    assert "connect() : No such file or directory" in said and "nothing has made the socket" in said


def test_testsaslauthd_tells_of_the_passdbs(tmp_path):
    """Each in its order, with file and line, never the password; and where saslauthd_path says, without -f."""
    users, second = tmp_path / "users", tmp_path / "second"
    users.write_text("zoe:{PLAIN}zoes-secret\nalice:{PLAIN}alices-secret::::::\n")
    second.write_text("# more\nalice:other-secret\ndan:{PLAIN}x::::::nologin\n")
    conf = tmp_path / "c"
    conf.write_text(f"users_file =\npam_service =\nsaslauthd_path = {tmp_path}/its\nmyhostname = mail.example.test\n"
                    f"passdb = {{driver=passwd-file, path={users}}}, {{driver=passwd-file, path={second}, scheme=PLAIN}}\n")

    def why(*words):
        done = subprocess.run([PROGRAM, "-c", conf, "testsaslauthd", "-v", *words], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 255 and "alices-secret" not in done.stderr and "other-secret" not in done.stderr.replace("other-secretX", "")
        return done.stderr
    said = why("-u", "alice", "-p", "wrong")
    assert f"socket {tmp_path}/its/mux: No such file" in said
    assert f"passwd-file: {users}:2: account alice\n-- wrong password\n-- passwd-file: {second}:2: account alice\n-- wrong password\n" in said
    assert "is empty" not in said and "wrong\n" not in said.replace("wrong password\n", "")
    said = why("-u", "alice", "-p", "other-secret" + "X")
    assert said.count("wrong password") == 2
    assert f"{users} has no account dan" in (said := why("-u", "dan", "-p", "x")) and f"{second}:3: account dan\n-- it has nologin" in said


def test_malformed_questions(near):
    def ask(data):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(str(near.mux))
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            return s.recv(100)
    text = b"".join(struct.pack(">H", len(t)) + t for t in (b"alice", b"secret-alice", b"imap", b""))
    assert ask(text) == b"\0\2OK"
    assert ask(text + b"x") == b"\0\2NO"
    assert ask(b"\xff\xff" + b"a" * 70000)[:4] in (b"\0\2NO", b"")
    assert ask(text[:-1]) == b""
    assert ask(text.replace(b"alice", b"al\0ce", 1)) == b"\0\2NO"


def postfix(near, name, **settings):
    port = free_port()
    instance = peers.Postfix(near.ns, near.folder / name, f"127.0.0.1:{port}", myhostname="mx.peer.test", mydestination="",
                             inet_interfaces="127.0.0.1", smtpd_sasl_auth_enable="yes", smtpd_tls_security_level="none",
                             smtpd_relay_restrictions="permit_sasl_authenticated, reject", mynetworks="",
                             smtpd_sasl_security_options="noanonymous", **settings)
    (instance.conf / "sasl").mkdir()  # where Debian's Postfix looks
    (instance.conf / "sasl" / "smtpd.conf").write_text(
        f"pwcheck_method: saslauthd\nmech_list: PLAIN LOGIN\nsaslauthd_path: {near.mux}\n")
    return instance.start(), port


def smtp_login(port, user, password, mechanism=None):
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.ehlo()
        offered = client.esmtp_features.get("auth", "").split()
        if mechanism is None:
            return offered
        wire = Wire.__new__(Wire)
        wire.protocol, wire.sock, wire.file = "smtp", client.sock, client.sock.makefile("rwb")
        wire.auth(mechanism, CLIENTS[mechanism](user, password), True if mechanism != "CRAM-MD5" else None)
        assert client.mail("someone@peer.test")[0] == 250
        assert client.rcpt("x@far.test")[0] == 250
        return offered


def test_postfix_with_libsasl2(near):
    """Postfix' Cyrus plug-in takes us for saslauthd."""
    instance, port = postfix(near, "pc", smtpd_sasl_type="cyrus")
    try:
        assert set(smtp_login(port, "", "")) == {"PLAIN", "LOGIN"}
        for mechanism in "PLAIN", "LOGIN":
            smtp_login(port, "alice", "secret-alice", mechanism)
            smtp_login(port, "alice@" + DOMAIN, "secret-alice", mechanism)
            with pytest.raises(Refused, match="535"):
                smtp_login(port, "alice", "wrong", mechanism)
    finally:
        instance.stop()


def test_we_ask_saslauthd(near, tmp_path):
    """A second Postrider without accounts asks Cyrus' saslauthd, which asks our first one by IMAP (-a rimap)."""
    run = tmp_path / "run"
    run.mkdir()
    daemon = near.ns.start("/usr/sbin/saslauthd", "-d", "-n", "1", "-m", str(run), "-a", "rimap", "-O",
                           f"127.0.0.1/{near.server.port['imap']}", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)  # it ends its process group
    second = Server(tmp_path, users=(), pwcheck_method="saslauthd", saslauthd_path=str(run), auth_cache_ttl="0")
    os.unlink(second.users_file)
    try:
        wait_for((run / "mux").exists, what="saslauthd's socket")
        assert ours("-u", "alice", "-p", "secret-alice", "-f", run / "mux").returncode == 0
        second.start()
        for protocol in "smtp", "imap":
            with Wire(second, protocol) as w:
                assert w.mechanisms() == ["PLAIN", "LOGIN"]
                with pytest.raises(Refused):
                    w.auth("PLAIN", CLIENTS["PLAIN"]("alice", "wrong"))
        with Wire(second, "smtp") as w:
            w.auth("PLAIN", CLIENTS["PLAIN"]("alice", "secret-alice"))
        assert "via=saslauthd" in second.log()
        daemon.terminate()
        daemon.wait()
        with Wire(second, "smtp") as w:
            with pytest.raises(Refused, match="454"):
                w.auth("PLAIN", CLIENTS["PLAIN"]("alice", "secret-alice"))
    finally:
        daemon.terminate()
        daemon.wait()
        second.stop()


# ---- Dovecot's protocol ----

@pytest.mark.parametrize("path", ["unix", "inet"])
def test_postfix_with_our_dovecot_protocol(near, path):
    where = str(near.auth) if path == "unix" else f"inet:127.0.0.1:{near.port}"
    instance, port = postfix(near, "pd" + path, smtpd_sasl_type="dovecot", smtpd_sasl_path=where)
    try:
        assert smtp_login(port, "", "") == ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"]
        for mechanism in CLIENTS:
            smtp_login(port, "alice", "secret-alice", mechanism)
            with pytest.raises(Refused, match="535"):
                smtp_login(port, "alice", "wrong", mechanism)
        assert "sasl_username=alice" in instance.log()
    finally:
        instance.stop()


EXIM = """
primary_hostname = mx.peer.test
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/pid
exim_user = 64916
exim_group = 64916
never_users =
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
tls_advertise_hosts =
acl_smtp_rcpt = rcpt
keep_environment =
begin acl
rcpt:
  accept authenticated = *
  deny
begin routers
begin transports
begin authenticators
plain:
  driver = dovecot
  public_name = PLAIN
  server_socket = {socket}
  server_set_id = $auth1
login:
  driver = dovecot
  public_name = LOGIN
  server_socket = {socket}
  server_set_id = $auth1
cram:
  driver = dovecot
  public_name = CRAM-MD5
  server_socket = {socket}
  server_set_id = $auth1
"""


def test_exim_with_our_dovecot_protocol(near):
    folder = near.folder / "exim"
    for sub in ("spool", "log"):
        (folder / sub).mkdir(parents=True)
        os.chown(folder / sub, 64916, 64916)
    os.chown(folder, 64916, 64916)
    port = free_port()
    conf = folder / "conf"
    conf.write_text(EXIM.format(folder=folder, port=port, socket=near.auth))
    exim = near.ns.start("/usr/sbin/exim4", "-C", str(conf), "-bdf", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        def up():
            assert exim.poll() is None, exim.stderr.read()
            try:
                return socket.create_connection(("127.0.0.1", port), 2).close() is None
            except OSError:
                return False
        wait_for(up, what="Exim")
        for mechanism in "PLAIN", "LOGIN", "CRAM-MD5":
            smtp_login(port, "alice", "secret-alice", mechanism)
            with pytest.raises(Refused, match="535"):
                smtp_login(port, "alice", "wrong", mechanism)
    finally:
        exim.terminate()
        exim.wait()


def test_several_exchanges_on_one_connection(near):
    """As Dovecot's own login processes would: ids in any order, and a cancelled one."""
    import base64
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(str(near.auth))
        f = s.makefile("rwb")
        greeting = []
        while not greeting or greeting[-1] != "DONE":
            greeting.append(f.readline().decode().rstrip("\n"))
        assert greeting[0] == "VERSION\t1\t2" and "MECH\tPLAIN\tplaintext" in "\n".join(greeting)
        f.write(b"VERSION\t1\t1\nCPID\t1\nAUTH\t7\tLOGIN\tservice=smtp\nAUTH\t8\tPLAIN\tservice=smtp\tsecured\tresp=AHg=\n")
        f.flush()
        assert f.readline() == b"CONT\t7\t" + base64.b64encode(b"Username:") + b"\n"
        assert f.readline().startswith(b"FAIL\t8")
        f.write(b"CANCEL\t7\nAUTH\t9\tPLAIN\tservice=smtp\tresp=" + base64.b64encode(b"\0alice\0secret-alice") +
                b"\nCONT\t7\t" + base64.b64encode(b"alice") + b"\n")
        f.flush()
        assert f.readline() == b"OK\t9\tuser=alice\n"
        assert f.readline().startswith(b"FAIL\t7")
        f.write(b"AUTH\t10\tNTLM\tservice=smtp\n")
        f.flush()
        assert f.readline().startswith(b"FAIL\t10\t")
        f.write(b"VERSION\t2\t0\n")
        f.flush()
        assert f.readline() == b""


DOVECOT = """
listen = 127.0.0.1
protocols = imap
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
}}
userdb {{
  driver = static
  args = uid=64914 gid=64914 home={folder}/mail/%u
}}
service auth {{
  unix_listener {folder}/auth-client {{
    mode = 0666
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
}}
"""


def test_we_ask_dovecot(near, tmp_path):
    folder = near.folder / "dove"
    folder.mkdir()
    (folder / "users").write_text("dora:pw\n")
    dovecot = peers.Dovecot(near.ns, folder, DOVECOT.format(folder=folder, port=free_port())).start()
    second = Server(tmp_path, users=(), smtpd_sasl_type="dovecot", smtpd_sasl_path=f"{folder}/auth-client", auth_cache_ttl="0")
    os.unlink(second.users_file)
    try:
        second.start()
        with Wire(second, "smtp") as w:
            with pytest.raises(Refused, match="535"):
                w.auth("LOGIN", CLIENTS["LOGIN"]("dora", "wrong"))
        with Wire(second, "smtp") as w:
            w.auth("LOGIN", CLIENTS["LOGIN"]("dora", "pw"))
        assert "via=dovecot" in second.log()
        dovecot.stop()
        time.sleep(1)
        with Wire(second, "smtp") as w:
            with pytest.raises(Refused, match="454"):
                w.auth("PLAIN", CLIENTS["PLAIN"]("dora", "pw"))
    finally:
        dovecot.stop()
        second.stop()


def test_the_realm_that_saslauthd_is_asked_with():
    """smtpd_sasl_local_domain, where the login name has no domain, or one that is ours."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="postrider-sasl."))  # pytest's own is closed to the others' users
    folder.chmod(0o755)
    path = folder / "mux"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o777)
    listener.listen(5)
    listener.settimeout(20)
    (folder / "us").mkdir()
    server = Server(folder / "us", users=(), pwcheck_method="saslauthd", saslauthd_path=str(folder), auth_cache_ttl="0",
                    smtpd_sasl_local_domain="realm.test", mydestination="$myhostname, $mydomain, own.test")
    os.unlink(server.users_file)
    try:
        server.start()
        asked = []
        for login in "alice", "bob@own.test":
            with Wire(server, "smtp") as w:
                w.send("AUTH PLAIN " + base64.b64encode(f"\0{login}\0secret".encode()).decode())
                connection = listener.accept()[0]
                connection.settimeout(20)
                fields = []
                for _ in range(4):
                    fields.append(connection.recv(struct.unpack("!H", connection.recv(2))[0]).decode())
                connection.sendall(struct.pack("!H", 2) + b"OK")
                connection.close()
                asked.append(fields)
        assert asked == [["alice", "secret", "smtp", "realm.test"], ["bob", "secret", "smtp", "realm.test"]]  # ours: without its domain
    finally:
        server.stop()
        listener.close()
        shutil.rmtree(folder, ignore_errors=True)
