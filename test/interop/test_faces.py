"""The old programs' names, run as scripts run them, beside Debian's Postfix and Dovecot with the same words and input: what
reaches the next server, exit statuses, and the output that scripts parse. (postconf: test_postfix_config; postmap: test_tables;
testsaslauthd: test_sasl_servers.)"""
import email
import email.utils
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

import pytest

import world  # noqa: F401  (finds tools/peers.py)
import peers
from harness import DOMAIN, PROGRAM, Server, free_port, wait_for

NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
SINK_PORT = "2526"
# An SMTP server that takes everything and writes down what it was told, a message a line.
SINK = r"""
import json, socketserver, sys
class Session(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")
    def handle(self):
        self.say("220 sink ESMTP")
        for line in self.rfile:
            line = line.decode("utf-8", "replace").rstrip("\r\n")
            verb = line[:4].upper()
            if verb == "EHLO":
                self.say("250-sink\r\n250-8BITMIME\r\n250-DSN\r\n250 SMTPUTF8")
            elif verb == "MAIL":
                self.mail, self.rcpt = line[10:], []
                self.say("250 2.1.0 Ok")
            elif verb == "RCPT":
                self.rcpt.append(line[8:])
                self.say("250 2.1.5 Ok")
            elif verb == "DATA":
                self.say("354 go on")
                data = []
                for line in self.rfile:
                    if line == b".\r\n":
                        break
                    data.append(line[1:] if line[:1] == b"." else line)
                with open(sys.argv[2], "a") as f:
                    f.write(json.dumps({"mail": self.mail, "rcpt": sorted(self.rcpt), "data": b"".join(data).decode("latin-1")}) + "\n")
                self.say("250 2.0.0 Ok")
            else:
                self.say("221 2.0.0 Bye" if verb == "QUIT" else "250 2.0.0 Ok")
                if verb == "QUIT":
                    return
socketserver.ThreadingTCPServer.allow_reuse_address = True
server = socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Session)
print("ready", flush=True)
server.serve_forever()
"""


class Side:
    """One mail system with a sink behind it: run(words) and what arrived."""

    def __init__(self, run, log):
        self.run, self.path, self.seen = run, log, 0

    def lines(self):
        return self.path.read_text().splitlines()[self.seen:] if self.path.exists() else []

    def send(self, *words, **more):
        """Runs it; what has arrived until now is forgotten."""
        self.seen += len(self.lines())
        return self.run(*words, **more)

    def arrived(self):
        """The message at the sink."""
        return json.loads(wait_for(self.lines, 20, f"a message at {self.path}")[0])


def start_sink(command, port, log):
    process = subprocess.Popen([*command, sys.executable, "-c", SINK, str(port), str(log)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    return process


@pytest.fixture(scope="module")
def folder():
    """Where every user may go, with a program that every user may run."""
    with tempfile.TemporaryDirectory(prefix="faces.") as name:
        os.chmod(name, 0o755)
        shutil.copy(PROGRAM, name + "/postrider")
        yield pathlib.Path(name)


@pytest.fixture(scope="module")
def postfix_namespace(folder):
    try:
        ns = peers.Namespace(folder / "peer", ["postfix"], network=True)
    except peers.Unavailable as why:
        pytest.skip(f"Debian's Postfix: {why}")
    ns.run("ip", "link", "set", "lo", "up")
    yield ns
    ns.close()


def our_server(folder, name, **settings):
    state = folder / name
    state.mkdir()
    state.chmod(0o755)
    return Server(state, services=("smtp", "imap"), myhostname="mail.example.test", mynetworks="127.0.0.0/8", **settings).start()


@pytest.fixture(scope="module")
def both(folder, postfix_namespace):
    """Theirs and ours, each with a relayhost that takes everything."""
    ns, port = postfix_namespace, free_port()
    sinks = [start_sink(ns.enter(), SINK_PORT, folder / "theirs"), start_sink([], port, folder / "ours.sink")]
    postfix = server = None
    try:
        postfix = peers.Postfix(ns, folder / "postfix", smtp="2525", myhostname="mail.example.test", mydestination="mail.example.test",
                                relayhost=f"[127.0.0.1]:{SINK_PORT}", inet_interfaces="loopback-only").start()
        server = our_server(folder, "ours", relayhost=f"[127.0.0.1]:{port}")
        env = {**os.environ, "MAIL_CONFIG": str(postfix.conf)}
        yield (Side(lambda *words, **more: ns.run(*words, env=env, **more), folder / "theirs"),
               Side(lambda *words, **more: server.command(*words, **more), folder / "ours.sink"))
    finally:
        if postfix:
            postfix.stop()
        if server:
            server.stop()
        for sink in sinks:
            sink.kill()
            sink.wait()


def envelope(message):
    """Address and parameters, without what each system adds of its own."""
    def parts(line):
        address, *rest = line.split()
        return [address, *sorted(word.upper() for word in rest if not word.startswith(("SIZE=", "ORCPT=", "BODY=7BIT")))]
    return parts(message["mail"]), [parts(line) for line in message["rcpt"]]


def fields(message):
    """The fields that came with it; From as name and address."""
    parsed = email.message_from_string(message["data"])
    own = ("received", "message-id", "date", "dkim-signature")
    return sorted((name, email.utils.parseaddr(value) if name == "From" else value.strip()) for name, value in parsed.items() if name.lower() not in own)


def body(message):
    return message["data"].split("\r\n\r\n", 1)[1].rstrip("\r\n")


PLAIN = "Subject: x\n\nhello\n.\nbehind a dot\n"
HEADER = "To: One <one@remote.test>, two@remote.test\nCc: three@remote.test\nBcc: four@remote.test\nSubject: x\n\nhello\n"
RESENT = "Resent-From: a@from.test\nResent-To: five@remote.test\nResent-Date: Mon, 1 Jan 2024 00:00:00 +0000\nResent-Message-ID: <1@x>\nFrom: b@from.test\n"
SENT = {
    "dot": (("-f", "a@from.test", "r@remote.test"), PLAIN),
    "-i": (("-i", "-f", "a@from.test", "r@remote.test"), PLAIN),
    "-oi": (("-oi", "-f", "a@from.test", "r@remote.test"), PLAIN),
    "several": (("-i", "-f", "a@from.test", "r@remote.test", "s@remote.test"), PLAIN),
    "one-word": (("-i", "-f", "a@from.test", "r@remote.test, s@remote.test"), PLAIN),
    "-t": (("-t", "-i", "-f", "a@from.test"), HEADER),
    "-t-resent": (("-t", "-i", "-f", "a@from.test"), RESENT + HEADER),
    "-t-and-words": (("-t", "-i", "-f", "a@from.test", "five@remote.test"), HEADER),
    "-F": (("-i", "-F", "Joe Doe", "-f", "a@from.test", "r@remote.test"), PLAIN),
    "-F-and-From": (("-i", "-F", "Joe Doe", "-f", "a@from.test", "r@remote.test"), "From: Other <o@from.test>\n" + PLAIN),
    "null": (("-i", "-f", "", "r@remote.test"), "From: x@from.test\n" + PLAIN),
    "null-angle": (("-i", "-f", "<>", "r@remote.test"), "From: x@from.test\n" + PLAIN),
    "-r": (("-i", "-r", "a@from.test", "r@remote.test"), PLAIN),
    "glued": (("-i", "-fa@from.test", "r@remote.test"), PLAIN),
    "old": (("-oi", "-odb", "-oem", "-om", "-m", "-B7BIT", "-h", "5", "-L", "tag", "-f", "a@from.test", "--", "r@remote.test"), PLAIN),
    "-O": (("-i", "-O", "DeliveryMode=b", "-f", "a@from.test", "r@remote.test"), PLAIN),
    "dsn": (("-i", "-N", "failure,delay", "-R", "hdrs", "-V", "id7", "-f", "a@from.test", "r@remote.test"), PLAIN),
    "dsn-bad": (("-i", "-R", "some", "-f", "a@from.test", "r@remote.test"), PLAIN),
    "dsn-never": (("-i", "-N", "never", "-f", "a@from.test", "r@remote.test"), PLAIN),
    "8bit": (("-i", "-B8BITMIME", "-f", "a@from.test", "r@remote.test"), "Subject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
             "Content-Transfer-Encoding: 8bit\n\ngr\u00fc\u00dfe\n"),
    "separator": (("-i", "-f", "a@from.test", "r@remote.test"), "From a@from.test Mon Jan  1 00:00:00 2024\n" + PLAIN),
    "crlf": (("-i", "-f", "a@from.test", "r@remote.test"), PLAIN.replace("\n", "\r\n")),
    "no-header": (("-i", "-f", "a@from.test", "r@remote.test"), "just text\n"),
    "-bm": (("-bm", "-i", "-f", "a@from.test", "r@remote.test"), PLAIN),
}


@pytest.mark.parametrize("name", SENT)
def test_sendmail_sends_what_postfixs_sends(both, name):
    words, text = SENT[name]
    done = [side.send("sendmail", *words, input=text) for side in both]
    assert [d.returncode for d in done] == [0, 0], done
    theirs, ours = (side.arrived() for side in both)
    assert envelope(ours) == envelope(theirs)
    assert fields(ours) == fields(theirs)
    assert body(ours) == body(theirs)


REFUSED = {
    "nobody": (("-f", "a@from.test"), PLAIN),
    "-t-nobody": (("-t", "-i"), "Subject: x\n\nx\n"),
    "option": (("-Z", "r@remote.test"), PLAIN),
    "mode": (("-bz", "r@remote.test"), PLAIN),
}


@pytest.mark.parametrize("name", REFUSED)
def test_sendmail_refuses_what_postfixs_refuses(both, name):
    words, text = REFUSED[name]
    theirs, ours = (side.run("sendmail", *words, input=text) for side in both)
    # Postfix says "try again later" of everything that it refuses; what can't get better is told as such here.
    assert (theirs.returncode, ours.returncode) == (75, 64), (theirs, ours)
    assert ours.stdout == theirs.stdout and ours.stderr.startswith("sendmail: ")


def test_sendmail_speaks_smtp(both):
    """-bs: the codes are those of Postfix's."""
    text = ("EHLO x.test\nMAIL FROM:<a@from.test>\nRCPT TO:<r@remote.test>\nRCPT TO:<bad\nDATA\nSubject: by -bs\n\nhello\n.\nRSET\nFOO\nQUIT\n")
    said = [side.send("sendmail", "-bs", input=text.replace("\n", "\r\n")) for side in both]
    assert [d.returncode for d in said] == [0, 0], said
    codes = [re.findall(r"^(\d{3})(?: |$)", d.stdout, re.M) for d in said]
    assert codes[1] == codes[0] and codes[0][0] == "220", said
    for side in both:
        assert envelope(side.arrived()) == (["<a@from.test>"], [["<r@remote.test>"]])


# ---- the queue ----

@pytest.fixture(scope="module")
def stuck(folder, postfix_namespace):
    """Theirs and ours with a relayhost where nobody listens; what is sent waits."""
    ns = postfix_namespace
    postfix = peers.Postfix(ns, folder / "stuck.postfix", smtp="2527", myhostname="mail.example.test", mydestination="", enable_long_queue_ids="yes",
                            fast_flush_domains="remote.test",
                            relayhost="[127.0.0.1]:9", inet_interfaces="loopback-only").start()
    server = our_server(folder, "stuck", relayhost=f"[127.0.0.1]:{free_port()}")
    env = {**os.environ, "MAIL_CONFIG": str(postfix.conf)}
    yield (Side(lambda *words, **more: ns.run(*words, env=env, **more), None), Side(lambda *words, **more: server.command(*words, **more), None))
    postfix.stop()
    server.stop()


ENTRY = re.compile(r"^(?P<id>[0-9A-Za-z]+)(?P<state>[*! ]) +(?P<size>\d+) (?P<when>\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d) (?P<sender>\S+)\n"
                   r"(?: *\((?P<why>.*)\)\n)? +(?P<rcpt>\S+)\n", re.M)


def listed(side):
    """mailq as scripts take it apart."""
    done = side.run("mailq")
    assert done.returncode == 0, done
    return [m.groupdict() for m in ENTRY.finditer(done.stdout)], done.stdout


def fill(stuck, n=3):
    for side in stuck:
        side.run("postsuper", "-d", "ALL")
        for i in range(n):
            assert side.run("sendmail", "-i", "-f", "a@from.test", f"r{i}@remote.test", input=PLAIN).returncode == 0
        wait_for(lambda: len([e for e in listed(side)[0] if e["why"]]) == n, 30, "messages that were tried once")


def test_empty_queue(stuck):
    for side in stuck:
        side.run("postsuper", "-d", "ALL")
    for words in (("mailq",), ("postqueue", "-p"), ("postqueue", "-j"), ("sendmail", "-bp"), ("postqueue", "-f"), ("sendmail", "-q")):
        theirs, ours = (side.run(*words) for side in stuck)
        assert (ours.returncode, ours.stdout) == (theirs.returncode, theirs.stdout), words


def test_queue_as_scripts_read_it(stuck):
    fill(stuck)
    (theirs, theirs_text), (ours, ours_text) = (listed(side) for side in stuck)
    assert len(theirs) == len(ours) == 3
    key = lambda e: (e["state"], e["sender"], e["rcpt"])  # noqa: E731
    assert sorted(map(key, ours)) == sorted(map(key, theirs))
    assert all("127.0.0.1" in e["why"] and "Connection refused" in e["why"] for e in (*ours, *theirs))
    end = re.compile(r"^-- \d+ Kbytes in 3 Requests\.$", re.M)
    assert ours_text.splitlines()[0].split() == theirs_text.splitlines()[0].split()
    assert end.search(theirs_text) and end.search(ours_text), ours_text
    lines = [[json.loads(line) for line in side.run("postqueue", "-j").stdout.splitlines()] for side in stuck]
    shape = lambda o: {k: type(v).__name__ for k, v in o.items()}  # noqa: E731
    assert [shape(o) for o in lines[1]] == [shape(o) for o in lines[0]]
    assert [shape(o["recipients"][0]) for o in lines[1]] == [shape(o["recipients"][0]) for o in lines[0]]
    assert {o["queue_name"] for o in lines[1]} == {o["queue_name"] for o in lines[0]} == {"deferred"}


def without_ids(text):
    return sorted(re.sub(r"\b[0-9A-Za-z]{9,}: ", "ID: ", text).splitlines())


@pytest.mark.parametrize("options", ["-h", "-H", "-r", "-d", "-hH", "-d hold", "-h deferred"])
@pytest.mark.parametrize("which", ["one", "ALL"])
def test_postsuper(stuck, options, which):
    fill(stuck)
    said = []
    for side in stuck:
        letters, *queues = options.split()
        words = [w for letter in letters[1:] for w in (f"-{letter}", listed(side)[0][0]["id"] if which == "one" else "ALL")]
        done = side.run("postsuper", *words, *queues)
        wait_for(lambda: not any(e["state"] == "*" for e in listed(side)[0]), 20, "no attempt is under way")
        said.append((done.returncode, done.stdout, without_ids(done.stderr), sorted(e["state"] for e in listed(side)[0])))
    assert said[1] == said[0]


def test_aliases_need_no_newaliases(folder, postfix_namespace):
    """Every name of it succeeds where Postfix's does, and fails where the file is missing."""
    ns = postfix_namespace
    here = folder / "newaliases"
    here.mkdir()
    (here / "aliases").write_text("postmaster: root\n")
    postfix = peers.Postfix(ns, here / "postfix", smtp="2529", alias_database=f"texthash:{here}/none")
    for name in ("aliases", "none"):
        (here / "conf").write_text(f"alias_maps = hash:{here}/{name}\nstate_directory = {here}/state\n")
        (postfix.conf / "main.cf").write_text((postfix.conf / "main.cf").read_text() + f"alias_database = hash:{here}/{name}\n")
        for words in (("newaliases",), ("sendmail", "-bi"), ("sendmail", "-I")):
            theirs = ns.run(*words, env={**os.environ, "MAIL_CONFIG": str(postfix.conf)})
            ours = subprocess.run([PROGRAM, "-c", here / "conf", *words], capture_output=True, text=True, check=False)
            assert (ours.returncode == 0) == (theirs.returncode == 0) == (name == "aliases"), (words, theirs, ours)
    (here / "aliases").write_text("postmaster: root\nno colon\n")
    (here / "conf").write_text(f"alias_maps = hash:{here}/aliases\nstate_directory = {here}/state\n")
    ours = subprocess.run([PROGRAM, "-c", here / "conf", "newaliases"], capture_output=True, text=True, check=False)
    assert ours.returncode == 0 and f"newaliases: warning: {here}/aliases:2: " in ours.stderr, ours


def test_postsuper_of_what_is_not_there(stuck):
    for words in (("-d", "0123456789AB"), ("-h", "no/such"), ("-d",), ("-x", "ALL"), ("-d", "-")):
        theirs, ours = (side.run("postsuper", *words, input="") for side in stuck)
        assert ours.returncode == theirs.returncode, (words, theirs, ours)


def test_postqueue_words(stuck):
    fill(stuck, 1)
    # Of a site that is none of fast_flush_domains Postfix would refuse -s; here every site may be named.
    for words in (("-s", "remote.test"), ("-i", "no/such"), (), ("-p", "x"), ("-x",), ("-f", "-p")):
        theirs, ours = (side.run("postqueue", *words) for side in stuck)
        assert ours.returncode == theirs.returncode, (words, theirs, ours)
    for side in stuck:
        assert side.run("postqueue", "-i", listed(side)[0][0]["id"]).returncode == 0
    for unknown in ("0123456789AB", "0000000000001"):  # Postfix says nothing; who names one wants to know
        done = stuck[1].run("postqueue", "-i", unknown)
        assert done.returncode == 69 and f"no such message in the queue: {unknown}" in done.stderr, done


def heard(side, *words):
    """What postcat prints, without what differs from one message and one host to the next."""
    done = side.run("postcat", *words)
    text = re.sub(r"^(Received|Message-Id|Date):.*\n(?:[ \t].*\n)*", "", done.stdout, flags=re.M | re.I)
    return done.returncode, re.sub(r"(\*\*\* .* deferred)/\S+ ", r"\1/ID ", text)


def test_postcat(stuck):
    fill(stuck, 1)
    ids = [listed(side)[0][0]["id"] for side in stuck]
    for options in ("-bq", "-q -b"):
        theirs, ours = (heard(side, *options.split(), number) for side, number in zip(stuck, ids))
        assert ours[1] and ours == theirs, options
    header, (_, ours) = (heard(side, "-hq", number) for side, number in zip(stuck, ids))
    both = stuck[1].run("postcat", "-h", "-bq", ids[1]).stdout
    assert both == "".join(stuck[1].run("postcat", part, ids[1]).stdout for part in ("-hq", "-bq"))
    fields = lambda text: {line.split(":")[0].lower() for line in text.splitlines()}  # noqa: E731
    assert fields(header[1]) == fields(ours) and "subject" in fields(ours) and "\n\n" not in ours
    for options in ("-q", "-beq", "-eq", "-behq"):
        theirs, ours = (heard(side, *options.split(), number) for side, number in zip(stuck, ids))
        marks = [[line for line in text.splitlines() if line.startswith("***")] for _, text in (theirs, ours)]
        assert marks[0] == marks[1] and len(marks[1]) == 4, (options, theirs, ours)
        for record in ("sender: a@from.test\n", "recipient: r0@remote.test\n", "message_size: ", "message_arrival_time: "):
            assert record in theirs[1] and record in ours[1], (options, record)
    for words in (("-q", "0123456789AB"), ("-q", "no/such"), ("-x",), ("/no/such",)):
        theirs, ours = (side.run("postcat", *words) for side in stuck)
        assert ours.returncode == theirs.returncode and ours.stderr, words
    assert "No such file or directory" in stuck[1].run("postcat", "-q", "0123456789AB").stderr
    noted = stuck[1].run("postcat", "-dbq", ids[1])
    assert noted.returncode == 0 and "note: -d is ignored" in noted.stderr


def test_postcat_of_a_large_message(stuck):
    """More than one piece, byte for byte, and only for those who may see it."""
    ours = stuck[1]
    ours.run("postsuper", "-d", "ALL")
    body = "".join(f"{i:078d}\n" for i in range(30000))
    assert ours.run("sendmail", "-i", "-f", "a@from.test", "r@remote.test", input="Subject: large\n\n" + body).returncode == 0
    entry = wait_for(lambda: listed(ours)[0], what="the message")[0]["id"]
    assert ours.run("postcat", "-bq", entry).stdout == "\n" + body
    whole = ours.run("queue", "show", entry, "--message").stdout
    assert whole.endswith("\n\n" + body) and "\nSubject: large\n" in whole


# ---- the service ----

def test_c_names_what_is_in_use(make_server, tmp_path):
    """postfix -c and doveadm -c are taken for the files in use, by whatever path; others are refused with what to write."""
    for name in ("main", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.cf").write_text("smtpd_relay_restrictions = reject_unauth_destination\n")
        (tmp_path / name / "master.cf").write_text("")
        (tmp_path / name / "dovecot.conf").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "main")
    conf = tmp_path / "p.conf"
    lines = f"state_directory = {tmp_path}/state\n"
    run = lambda *words: subprocess.run([PROGRAM, "-c", conf, *words], capture_output=True, text=True, check=False)  # noqa: E731
    conf.write_text(lines)
    for words, setting in ((("postfix", "-c", tmp_path / "main", "status"), "postfix_config"),
                           (("doveadm", "-c", tmp_path / "main/dovecot.conf", "user", "x"), "dovecot_config")):
        done = run(*words)
        assert done.returncode and f'write "{setting} = {words[2]}"' in done.stderr, done
    conf.write_text(lines + f"postfix_config = {tmp_path}/main\ndovecot_config = {tmp_path}/main/dovecot.conf\n")
    for folder in ("main", "link", "main/."):
        assert "is not running" in run("postfix", "-c", tmp_path / folder, "status").stderr
        assert run("doveadm", "-c", tmp_path / folder / "dovecot.conf", "user", "x").returncode == 67
    for words in (("postfix", "-c", tmp_path / "other", "status"), ("postfix", "-c", tmp_path / "none", "status"),
                  ("doveadm", "-c", tmp_path / "other/dovecot.conf", "user", "x")):
        done = run(*words)
        assert done.returncode and f"{words[0]}" in done.stderr and "the configuration in use is" in done.stderr, done


def test_postfix_as_a_service(folder, postfix_namespace):
    ns = postfix_namespace
    postfix = peers.Postfix(ns, folder / "service.postfix", smtp="2528", myhostname="mail.example.test", inet_interfaces="loopback-only")
    server = our_server(folder, "service")
    server.stop()
    words = ("status", "check", "reload", "stop", "start", "start", "status", "check", "reload", "flush", "stop", "status", "nonsense")
    # Whether it succeeds; a status above 1 is told as 1.
    theirs, ours = ([(word, min(run(word).returncode, 1)) for word in words]
                    for run in (lambda word: ns.run("postfix", "-c", str(postfix.conf), word), lambda word: server.command("postfix", word)))
    assert ours == theirs


def test_a_queue_that_never_was(tmp_path):
    """Root is not told that it is not root; others are told why they see nothing."""
    (tmp_path / "c").write_text(f"state_directory = {tmp_path}/none\n")
    done = subprocess.run([PROGRAM, "-c", tmp_path / "c", "mailq"], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 69 and f"{tmp_path}/none/maildrop is not there: no server has run" in done.stderr
    assert "only root" not in done.stderr


# ---- ordinary users ----

def as_nobody(server, folder, *words, **more):
    return subprocess.run([*NOBODY, folder / "postrider", "-c", server.conf, *words], capture_output=True, text=True, check=False, timeout=60, **more)


@pytest.mark.skipif(os.geteuid() != 0, reason="other users: needs root")
def test_ordinary_users_send_always(folder):
    """Without rights of their own, whether the server runs or not; nothing is lost, nothing may be looked at by others."""
    server = our_server(folder, "users", myorigin=DOMAIN)
    try:
        for path in (server.folder, server.state):
            os.chmod(path, 0o755)
        send = lambda text, *words: as_nobody(server, folder, "sendmail", *words, input=f"Subject: {text}\n\nx\n")  # noqa: E731
        assert send("running", "-i", "alice").returncode == 0
        done = send("unknown", "-i", "nobody-here")
        assert done.returncode == 67 and "5.1.1" in done.stderr
        done = send("half known", "-i", "-f", "bob@" + DOMAIN, "alice", "nobody-here")
        assert done.returncode == 0 and "5.1.1" in done.stderr
        wait_for(lambda: any(b"nobody-here" in m and b"half known" in m for m in server.inbox("bob")), 20, "the bounce for one")
        assert sum(b"Subject: half known" in m for m in server.inbox("alice")) == 1
        assert as_nobody(server, folder, "mailq").stdout == "Mail queue is empty\n"
        done = as_nobody(server, folder, "postsuper", "-d", "ALL")
        assert done.returncode == 1
        server.stop()
        assert send("stopped", "-i", "alice").returncode == 0
        assert send("unknown later", "-i", "-f", "bob@" + DOMAIN, "nobody-here").returncode == 0
        waiting = list(pathlib.Path(server.state, "maildrop").iterdir())
        assert len(waiting) == 2 and all(f.stat().st_mode & 0o777 == 0o600 and f.stat().st_uid == 65534 for f in waiting)
        assert as_nobody(server, folder, "mailq").returncode == 69
        assert server.command("mailq").stdout.count("sender UID 65534") == 2
        done = send("x", "-bv", "-f", "bob@" + DOMAIN, "alice")
        assert done.returncode == 0 and done.stdout == f"Mail Delivery Status Report will be mailed to <bob@{DOMAIN}>.\n"
        assert as_nobody(server, folder, "sendmail", "-bs", input="QUIT\r\n").stdout.startswith("421 ")
        server.start()
        subjects = lambda user: [email.message_from_bytes(m)["Subject"] for m in server.inbox(user)]  # noqa: E731
        wait_for(lambda: sorted(subjects("alice")) == ["half known", "running", "stopped"], 20, "what waited")
        wait_for(lambda: len(subjects("bob")) == 3, 20, "the notice that there is no such user, and the report")
        assert sorted(subjects("bob")) == ["Mail Delivery Status Report"] + 2 * ["Undelivered Mail Returned to Sender"]
        # By whichever way they come: the name completed with myorigin, as Postfix completes what it sends itself.
        assert {email.utils.parseaddr(email.message_from_bytes(m)["From"])[1] for m in server.inbox("bob")} == {"MAILER-DAEMON@" + DOMAIN}
        assert wait_for(lambda: not list(pathlib.Path(server.state, "maildrop").iterdir()), 20, "an empty maildrop")
    finally:
        server.stop()


def report_about(raw):
    """Of a report: subject, text, and action, status and words by recipient."""
    message = email.message_from_bytes(raw)
    text, status, original = message.get_payload()
    assert message.get_content_type() == "multipart/report" and message["Auto-Submitted"] == "auto-replied"
    fields = {part["Final-Recipient"].split("; ")[1]: (part["Action"], part["Status"], " ".join(part["Diagnostic-Code"].split()))
              for part in status.get_payload()[1:]}
    return message["Subject"], text.get_payload(), fields, original.as_string()


def test_what_would_become_of_mail(folder):
    """sendmail -bv: nothing is delivered, and a report comes by mail; -v: delivered, and a report comes."""
    aliases = folder / "probe.aliases"
    aliases.write_text("team: alice, far@elsewhere.test\nprog: \"|/bin/true x\"\n")
    server = our_server(folder, "probe", alias_maps=f"hash:{aliases}", relayhost="[127.0.0.1]:9", default_privs="nobody")
    try:
        words = ("alice", "team", "prog", "nobody-here", "x@elsewhere.test")
        done = server.command("sendmail", "-bv", "-f", "bob@" + DOMAIN, *words, input="")
        assert (done.returncode, done.stdout) == (0, f"Mail Delivery Status Report will be mailed to <bob@{DOMAIN}>.\n"), done.stderr
        raw = wait_for(lambda: server.inbox("bob"), 20, "the report")[0]
        subject, text, about, original = report_about(raw)
        assert subject == "Mail Delivery Status Report" and "Nothing was delivered" in text
        good = ("deliverable", "2")
        assert {address.split("@")[0]: (action, status[0]) for address, (action, status, _) in about.items()} == {
            "alice": good, "team": good, "prog": good, "x": good, "nobody-here": ("undeliverable", "5")}, about
        said = {address.split("@")[0]: words for address, (_, _, words) in about.items()}
        assert "mailbox alice" in said["alice"] and "mailbox alice; mail to far@elsewhere.test" in said["team"], said
        assert "command /bin/true x, as user" in said["prog"] and "User unknown" in said["nobody-here"], said
        assert "next hop [127.0.0.1]:9" in said["x"], said
        assert "Subject: probe" in original
        assert server.inbox("alice") == [] and server.command("mailq").stdout == "Mail queue is empty\n"
        for wrong in (("-bv",), ("-bv", "-f", "", "alice")):
            assert server.command("sendmail", *wrong, input="").returncode == 64

        done = server.command("sendmail", "-v", "-f", "bob@" + DOMAIN, "alice", input="Subject: told\n\nx\n")
        assert (done.returncode, done.stdout) == (0, f"Mail Delivery Status Report will be mailed to <bob@{DOMAIN}>.\n"), done.stderr
        wait_for(lambda: len(server.inbox("bob")) == 2, 20, "the report of a delivery")
        (raw,) = [m for m in server.inbox("bob") if b"Subject: told" in m]
        assert [action for action, _, _ in report_about(raw)[2].values()] == ["delivered"] and len(server.inbox("alice")) == 1
    finally:
        server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="other users: needs root")
def test_who_may(folder):
    server = our_server(folder, "may", authorized_submit_users="!nobody, static:anyone", authorized_mailq_users="root", authorized_flush_users="root")
    try:
        for path in (server.folder, server.state):
            os.chmod(path, 0o755)
        assert as_nobody(server, folder, "sendmail", "-i", "alice", input=PLAIN).returncode == 77
        assert as_nobody(server, folder, "mailq").returncode == 69
        assert as_nobody(server, folder, "postqueue", "-f").returncode == 69
        assert server.command("sendmail", "-i", "alice", input=PLAIN).returncode == 0
        assert server.command("mailq").returncode == 0
    finally:
        server.stop()


# ---- programs that call sendmail ----

CALLERS = {
    "mail": ("mailx", "printf 'text\\n' | mail -s by-mail -r web@from.test alice@example.test"),
    "php": ("php", "printf '%s' '<?php exit(mail(\"alice@example.test\", \"by-php\", \"text\\n\", \"From: web@from.test\", \"-fweb@from.test\") ? 0 : 1);' | "
                   "php8.2 -n -d sendmail_path='/usr/sbin/sendmail -t -i'"),
    "perl": (None, "perl -e 'open(M, \"|-\", \"/usr/sbin/sendmail\", \"-t\", \"-oi\", \"-fweb\\@from.test\") or die; "
                   "print M \"To: alice\\@example.test\\nSubject: by-perl\\n\\ntext\\n\"; close(M) or exit 1'"),
    "python": (None, "python3 -c 'import subprocess; subprocess.run([\"/usr/lib/sendmail\", \"-i\", \"-fweb@from.test\", \"alice@example.test\"], "
                     "input=b\"Subject: by-python\\n\\ntext\\n\", check=True)'"),
}


@pytest.fixture(scope="module")
def caller_server(folder):
    server = our_server(folder, "callers")
    for path in (server.folder, server.state):
        os.chmod(path, 0o755)
    yield server
    server.stop()


@pytest.mark.parametrize("name", CALLERS)
def test_programs_that_call_sendmail(folder, caller_server, name):
    """As they are, by the paths that they know; each as an ordinary user."""
    package, command = CALLERS[name]
    layers = folder / f"caller.{name}"
    (layers / "etc/postrider").mkdir(parents=True)
    shutil.copy(caller_server.conf, layers / "etc/postrider/postrider.conf")
    for link in ("usr/sbin/sendmail", "usr/lib/sendmail"):
        (layers / "own" / link).parent.mkdir(parents=True)
        (layers / "own" / link).symlink_to(folder / "postrider")
    for path in layers.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)
    layers.chmod(0o755)
    try:
        ns = peers.Namespace(layers, [package] if package else [], layers=[layers / "own"])
    except peers.Unavailable as why:
        pytest.skip(f"{name}: {why}")
    try:
        # bsd-mailx is an alternative, which an unpacked package does not have.
        command = command.replace("| mail ", "| bsd-mailx ")
        done = ns.run(*NOBODY, "sh", "-c", command)
        assert done.returncode == 0, done
    finally:
        ns.close()
    message = wait_for(lambda: [m for m in caller_server.inbox("alice") if f"by-{name}".encode() in m], 15, "the message")[0]
    assert b"Return-Path: <web@from.test>" in message and message.rstrip().endswith(b"text")


# ---- the files that the server was started with ----

def test_the_running_servers_files_count(folder):
    """Without a word about it, commands read what serve was told; once it is stopped, postrider.conf."""
    server = our_server(folder, "origin")
    server.stop()
    dir = folder / "origin" / "postfix"
    dir.mkdir()
    (folder / "origin" / "aliases").write_text("sales: alice\n")
    (dir / "main.cf").write_text(f"compatibility_level = 3.6\nmyhostname = theirs.example.test\nalias_maps = hash:{folder}/origin/aliases\n")
    (dir / "master.cf").write_text(f"127.0.0.1:{server.port['smtp']} inet n - n - - smtpd\n")
    with open(server.log_path, "ab") as log:
        server.process = subprocess.Popen([PROGRAM, "-c", server.conf, "serve", "--postfix", str(dir)], stdout=log, stderr=log)
    server.wait_ready()
    record = pathlib.Path(server.state, "origin")
    assert record.read_text() == f"config {server.conf}\npostfix {dir}\n"
    assert record.stat().st_mode & 0o777 == 0o644
    assert f"{folder}/origin/aliases: read as it is" in server.ok("newaliases")
    assert server.ok("postconf", "-h", "myhostname").strip() == "theirs.example.test"
    (dir / "main.cf").write_text("smtpd_timeout = never\n")
    assert f"{dir}/main.cf:1" in server.command("reload").stderr
    assert "alias_maps names no file" in server.ok("--postfix", "", "newaliases")
    server.stop()
    assert not record.exists()
    assert "alias_maps names no file" in server.ok("newaliases")


@pytest.mark.skipif(os.geteuid() != 0, reason="another user's record: needs root")
def test_nobody_elses_record_counts(folder):
    """A state folder of somebody else's with a socket and a record in it: root's commands read their own configuration."""
    base = folder / "strange"
    state = base / "state"
    state.mkdir(parents=True)
    conf = base / "postrider.conf"
    conf.write_text(f"state_directory = {state}\n")
    (state / "origin").write_text(f"config {conf}\npostfix {base}\n")
    (base / "main.cf").write_text("compatibility_level = 3.6\nalias_maps = hash:/etc/passwd\n")
    (base / "master.cf").write_text("")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(state / "control"))
        listener.listen()
        ask = lambda: subprocess.run([PROGRAM, "-c", conf, "newaliases"], capture_output=True, text=True, check=False)  # noqa: E731
        assert "/etc/passwd" in ask().stdout, "root's own record counts"
        for path, owner, mode in ((state, 65534, 0o755), (state, 0, 0o777), (state / "origin", 65534, 0o644), (state / "origin", 0, 0o666)):
            os.chown(path, owner, 0)
            path.chmod(mode)
            done = ask()
            assert "/etc/passwd" not in done.stdout and "is not used" in done.stderr, (path, owner, mode, done)
            os.chown(path, 0, 0)
            path.chmod(0o755 if path == state else 0o644)
        (state / "origin").rename(state / "elsewhere")
        (state / "origin").symlink_to(state / "elsewhere")
        assert "/etc/passwd" not in ask().stdout
