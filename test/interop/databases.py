"""Debian's PostgreSQL, MariaDB, slapd and memcached for tests: unpacked below build/peers (tools/peers.py), never installed,
run as nobody on loopback with data of their own, and gone with the test."""
import os
import pathlib
import signal
import socket
import subprocess

import peers
from harness import free_port, wait_for

NOBODY = 65534


class Database:
    """A server in `folder`; subclasses make its data and say how it is started. Loads `rows` of (address, goto)."""

    ending = signal.SIGTERM

    def __init__(self, folder, rows):
        self.files = peers.unpacked("databases") / "root"
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.root = self.folder / "root" if os.geteuid() == 0 else self.files
        self.port = free_port()
        self.environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": str(self.folder),
                            "LD_LIBRARY_PATH": str(self.root / "usr/lib/x86_64-linux-gnu")}
        self.make(rows)
        self.give_away()
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(self.as_nobody(*self.command()), stdout=self.log, stderr=self.log,
                                        stdin=subprocess.DEVNULL, env=self.environment, cwd=self.folder)
        wait_for(self.answers, 30, f"{type(self).__name__} answers: {(self.folder / 'log').read_text()[-2000:]}")

    def as_nobody(self, *command):
        """As root: by nobody, with the unpacked files where nobody may enter, which root's own folders need not allow."""
        if os.geteuid() != 0:
            return list(command)
        self.root.mkdir(exist_ok=True)
        script = f'mount --bind "$0" "$1" && shift && exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups "$@"'
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, self.files, self.root, *command]

    def give_away(self):
        if os.geteuid() == 0:
            for path in [self.folder, *self.folder.rglob("*")]:
                os.chown(path, NOBODY, NOBODY, follow_symlinks=False)

    def run(self, *words, text=""):
        done = subprocess.run([str(w) for w in self.as_nobody(*words)], input=text, capture_output=True, text=True, check=False,
                              timeout=60, env=self.environment, cwd=self.folder)
        if done.returncode:
            raise peers.Unavailable(f"{words[0]}: {done.stdout[-500:]}{done.stderr[-1500:]}")
        return done.stdout

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError((self.folder / "log").read_text()[-3000:])
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def pause(self):
        """It takes connections and says nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        self.go_on()
        self.process.send_signal(self.ending)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def quoted(text):
    return "NULL" if text is None else "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def inserts(rows):
    return "".join(f"INSERT INTO alias VALUES ({quoted(a)}, {quoted(g)});\n" for a, g in rows)


class PostgreSQL(Database):
    ending = signal.SIGINT  # SIGTERM would wait for its clients

    def make(self, rows):
        self.bin = self.root / "usr/lib/postgresql/15/bin"
        (self.folder / "data").mkdir(mode=0o700)
        (self.folder / "words").write_text("secret-of-postgres\n")
        self.give_away()
        self.run(self.bin / "initdb", "-D", "data", "-U", "owner", "--auth=scram-sha-256", "--pwfile=words", "--no-sync",
                 "--encoding=UTF8", "--no-locale")
        sql = "CREATE TABLE alias (address TEXT, goto TEXT);\n" + inserts(rows).replace("\\\\", "\\")
        sql += ("CREATE ROLE reader LOGIN PASSWORD 'pg-word';\nGRANT SELECT ON alias TO reader;\n"
                "CREATE TABLE users (name TEXT, word TEXT);\nINSERT INTO users VALUES ('frida@example.test', '{PLAIN}one');\n"
                "GRANT SELECT ON users TO reader;\n")
        self.run(self.bin / "postgres", "--single", "-D", "data", "postgres", text=sql)

    def command(self):
        return [self.bin / "postgres", "-D", "data", "-p", str(self.port), "-c", "listen_addresses=127.0.0.1", "-c",
                f"unix_socket_directories={self.folder}", "-c", "fsync=off", "-c", "jit=off"]

    def answers(self):
        return super().answers() and "ready to accept connections" in (self.folder / "log").read_text()

    def cf(self):
        return f"hosts = 127.0.0.1:{self.port}\nuser = reader\npassword = pg-word\ndbname = postgres\n"


class MariaDB(Database):
    def make(self, rows):
        share = self.root / "usr/share/mysql"
        self.words = [self.root / "usr/sbin/mariadbd", "--no-defaults", f"--datadir={self.folder}/data",
                      f"--lc-messages-dir={share}", f"--socket={self.folder}/socket", f"--plugin-dir={self.root}/usr/lib/mysql/plugin",
                      "--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M", "--skip-log-bin", f"--tmpdir={self.folder}"]
        (self.folder / "data" / "mysql").mkdir(parents=True)
        self.give_away()
        system = "".join((self.files / "usr/share/mysql" / f).read_text() for f in ("mysql_system_tables.sql", "mysql_system_tables_data.sql"))
        self.run(*self.words, "--bootstrap", text="USE mysql;\n" + "SET @auth_root_socket=NULL;\nSET @skip_auth_anonymous=1;\n" + system)
        (self.folder / "init.sql").write_text(
            "CREATE DATABASE mail CHARACTER SET utf8mb4;\nCREATE TABLE mail.alias (address VARCHAR(200), goto VARCHAR(200));\n"
            "USE mail;\n" + inserts(rows) +
            "CREATE TABLE mail.users (name VARCHAR(100), word VARCHAR(100));\n"
            "INSERT INTO mail.users VALUES ('frida@example.test', '{PLAIN}one');\n"
            "CREATE USER reader@'%' IDENTIFIED BY 'my-word';\nGRANT SELECT ON mail.* TO reader@'%';\n")

    def command(self):
        return [*self.words, f"--port={self.port}", "--bind-address=127.0.0.1", f"--init-file={self.folder}/init.sql"]

    def cf(self):
        return f"hosts = 127.0.0.1:{self.port}\nuser = reader\npassword = my-word\ndbname = mail\n"


class OpenLDAP(Database):
    def make(self, rows):
        data = self.folder / "data"
        data.mkdir()
        modules, schema = self.root / "usr/lib/ldap", self.root / "etc/ldap/schema"
        (self.folder / "slapd.conf").write_text(
            "".join(f"include {schema}/{name}.schema\n" for name in ("core", "cosine", "inetorgperson"))
            + f"modulepath {modules}\nmoduleload back_mdb\npidfile {self.folder}/pid\ndatabase mdb\nmaxsize 10485760\n"
            + f"suffix dc=example,dc=test\ndirectory {data}\nrootdn cn=root,dc=example,dc=test\nrootpw ldap-word\n"
            + "access to attrs=userPassword by anonymous auth\naccess to * by users read\n")
        entries = ["dn: dc=example,dc=test\nobjectClass: dcObject\nobjectClass: organization\no: x\ndc: example\n"]
        for number, (address, goto) in enumerate(rows):
            entries.append(f"dn: cn=entry{number},dc=example,dc=test\nobjectClass: inetOrgPerson\ncn: entry{number}\nsn: x\n"
                           f"mail: {address}\n" + (f"description: {goto}\n" if goto else ""))
        entries.append("dn: uid=frida,dc=example,dc=test\nobjectClass: inetOrgPerson\ncn: frida\nsn: x\nuid: frida\n"
                       "mail: frida@example.test\nuserPassword: one\n")
        entries.append("dn: cn=team,dc=example,dc=test\nobjectClass: groupOfNames\ncn: team\n"
                       "member: cn=entry0,dc=example,dc=test\nmember: cn=entry1,dc=example,dc=test\n")
        (self.folder / "data.ldif").write_text("\n".join(entries))
        self.give_away()
        self.run(self.slapd(), "-T", "add", "-f", "slapd.conf", "-l", "data.ldif", "-q")

    def slapd(self):
        return self.root / "usr/sbin/slapd"

    def command(self):
        return [self.slapd(), "-f", f"{self.folder}/slapd.conf", "-h", f"ldap://127.0.0.1:{self.port}", "-d", "0"]

    def cf(self):
        return (f"server_host = ldap://127.0.0.1:{self.port}\nversion = 3\nsearch_base = dc=example,dc=test\n"
                "bind = yes\nbind_dn = cn=root,dc=example,dc=test\nbind_pw = ldap-word\n")


class Memcached(Database):
    def make(self, rows):
        self.rows = dict(rows)

    def command(self):
        return [self.root / "usr/bin/memcached", "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-m", "8"]

    def answers(self):
        if not super().answers():
            return False
        with socket.create_connection(("127.0.0.1", self.port), 5) as s:
            for key, value in self.rows.items():
                if value and " " not in key:
                    s.sendall(f"set {key} 0 0 {len(value)}\r\n{value}\r\n".encode())
                    assert s.recv(100) == b"STORED\r\n"
        return True

    def cf(self):
        return f"memcache = inet:127.0.0.1:{self.port}\n"
