"""Aliases of all kinds as local(8) serves them: |command, /file, /folder/, :include:, owner-; .forward of system accounts.
As root with real uids, in a mount namespace with accounts of its own; as an ordinary user with that user's rights alone."""
import mailbox
import os
import pathlib
import sys
import re
import subprocess
import tempfile
import time

import pytest

from harness import DOMAIN, Server, wait_for

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tools"))
import peers  # noqa: E402

ROOT = os.geteuid() == 0
ACCOUNTS = {"fred": 64930, "wilma": 64931, "nobodys": 64932}


def script(folder, name, text):
    path = folder / name
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def layer_for(folder):
    """An overlay of /etc with the test's accounts, whose homes are below `folder`."""
    layer = folder / "etc"
    layer.mkdir()
    lines = pathlib.Path("/etc/passwd").read_text()
    for name, uid in ACCOUNTS.items():
        home = folder / "home" / name
        home.mkdir(parents=True)
        home.chmod(0o700)
        os.chown(home, uid, 64930)
        lines += f"{name}:x:{uid}:64930::{home}:/bin/sh\n"
    (layer / "passwd").write_text(lines)
    for path in (folder, folder / "home", layer, layer / "passwd"):
        path.chmod(0o755)
    return layer


class Site:
    def __init__(self, folder):
        self.folder = folder
        self.drop = folder / "drop"
        self.drop.mkdir()
        folder.chmod(0o755)
        self.drop.chmod(0o777)
        self.aliases = folder / "aliases"
        self.aliases.write_text(self.alias_text())
        prefix = ()
        settings = {}
        if ROOT:
            layer = layer_for(folder)
            prefix = ("unshare", "--mount", "--propagation", "private", "sh", "-c",
                      f'mount -t overlay overlay -o lowerdir={layer}:/etc /etc && exec "$@"', "sh")
            settings = {"pam_service": "postrider-test", "forward_path": "$$home/.forward$${recipient_delimiter}$${extension}, $$home/.forward"}
            settings["default_privs"] = "nobodys"
            mda = script(folder, "mda", f'cat > "{self.drop}/mda"; env > "{self.drop}/mda.env"; id -u > "{self.drop}/mda.uid"; pwd > "{self.drop}/mda.pwd"\n')
            settings["mailbox_command_maps"] = f"inline:{{ {{ nobodys = {mda} }}, {{ dave = {mda} }} }}"
        else:
            settings["default_privs"] = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        self.server = Server(folder / "server", users=("alice", "bob", "carol", "dave"), alias_maps=str(self.aliases), command_time_limit="2s",
                             minimal_backoff_time="1s", maximal_backoff_time="1s", **settings)
        self.server.start(prefix=prefix)

    def alias_text(self):
        d = self.drop
        save = script(self.folder, "save", f'cat > "{d}/$1"; env > "{d}/$1.env"; id -u > "{d}/$1.uid"; id -G > "{d}/$1.groups"\n')
        flaky = script(self.folder, "flaky", f'test -e "{d}/well" && cat > "{d}/flaky" || exit 75\n')
        (self.folder / "members").write_text("# the members\nalice, bob\ncarol@" + DOMAIN + "\n|/bin/false\n")
        return "\n".join([
            f'save: "|{save} plain"',
            f'words: "|{save} words; echo \\"a b\\" > {d}/shell"',
            f'who: "|{save} who"',
            f"box: {d}/box, alice",
            f"dir: {d}/maildir/",
            f"members: :include:{self.folder}/members",
            f"gone: :include:{self.folder}/not-there",
            'unknown67: "|exit 67"',
            'says: "|echo 5.2.9 go away; exit 1"',
            'noisy: "|yes | head -c 100000; exit 70"',
            f'flaky: "|{flaky}"',
            'slow: "|sleep 100"',
            f"owned: bob, \"|{save} owned\"",
            "owner-owned: carol",
            f"both: save, box, \"|{save} plain\"",
            ""])

    def read(self, name, seconds=15):
        path = self.drop / name
        wait_for(lambda: path.exists() and path.stat().st_size, seconds, f"{name}; log: {self.server.log()[-2500:]}")
        return path.read_text(errors="replace")

    def bounce(self, text, seconds=20):
        wait_for(lambda: any(text.encode() in m for m in self.server.inbox("alice")), seconds,
                 f"a bounce with {text}; log: {self.server.log()[-2500:]}")


@pytest.fixture(scope="module")
def site():
    with tempfile.TemporaryDirectory(prefix="delivery-") as path:  # pytest's own are closed to other users
        folder = pathlib.Path(path)
        (folder / "server").mkdir()
        s = Site(folder)
        yield s
        s.server.stop()


def send(site, to, subject, sender="alice@" + DOMAIN, body="Hello\r\nFrom here on\r\n.dot\r\n"):
    with site.server.smtp("smtp") as client:
        message = f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\n\r\n{body}"
        return client.sendmail(sender, [f"{to}@{DOMAIN}"], message)


def uid_of(name):
    return str(ACCOUNTS[name]) if ROOT else str(os.geteuid())


def test_command_gets_message_environment_and_rights(site):
    send(site, "save+ext", "for-a-command")
    assert site.read("plain.uid").strip() == uid_of("nobodys")
    text = site.read("plain")
    lines = text.split("\n")
    assert re.match(r"From alice@example\.test  \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$", lines[0])
    assert lines[1] == "Return-Path: <alice@example.test>"
    assert lines[2] == "X-Original-To: save+ext@example.test"
    assert lines[3] == "Delivered-To: save+ext@example.test"
    assert lines[4].startswith("Received: ")
    assert "\r" not in text and text.endswith("\n\nHello\nFrom here on\n.dot\n")
    env = dict(line.split("=", 1) for line in site.read("plain.env").splitlines() if "=" in line)
    assert env["SENDER"] == "alice@example.test" and env["RECIPIENT"] == "save+ext@example.test"
    assert env["LOCAL"] == "save+ext" and env["USER"] == env["LOGNAME"] == "save" and env["EXTENSION"] == "ext"
    assert env["DOMAIN"] == "example.test" and env["ORIGINAL_RECIPIENT"] == "save+ext@example.test"
    assert "HOME" not in env or env["HOME"] == "/"
    if ROOT:
        assert site.read("plain.groups").split() == ["64930"]


def test_command_is_told_who_brought_the_message(site):
    with site.server.smtp("submission", "alice") as client:
        client.ehlo("client.test")
        client.sendmail("alice@" + DOMAIN, [f"who@{DOMAIN}"], "Subject: who\r\n\r\nx\r\n", mail_options=["AUTH=first+2Bx@far.test"])
    site.read("who")
    env = dict(line.split("=", 1) for line in site.read("who.env").splitlines() if "=" in line)
    assert env["CLIENT_ADDRESS"] == "127.0.0.1" and env["CLIENT_PROTOCOL"] == "ESMTP" and env["CLIENT_HELO"] == "client.test"
    assert env["CLIENT_HOSTNAME"] in ("localhost", "unknown")
    assert env["SASL_METHOD"] == "PLAIN" and env["SASL_USERNAME"].startswith("alice")
    assert env["SASL_SENDER"] == "first+2Bx@far.test"


def test_auth_of_mail_is_said_once(site):
    with site.server.smtp("submission", "alice") as client:
        client.ehlo("client.test")
        assert client.docmd(f"MAIL FROM:<alice@{DOMAIN}> AUTH=<> AUTH=x@y.test")[0] == 503
        assert client.docmd(f"MAIL FROM:<alice@{DOMAIN}> AUTH=x=y")[0] == 501
        client.sendmail("alice@" + DOMAIN, [f"who@{DOMAIN}"], "Subject: nobody said it\r\n\r\nx\r\n", mail_options=["AUTH=<>"])
    wait_for(lambda: "nobody said it" in site.read("who"), 15, "the second message")
    assert "SASL_SENDER" not in site.read("who.env")


def test_environment_holds_no_shell_magic(site):
    send(site, "save", "magic", sender="\"a`b$c\"@example.test")
    wait_for(lambda: "a_b_c" in (site.drop / "plain.env").read_text(), 15, "filtered SENDER")


def test_shell_serves_what_needs_it(site):
    send(site, "words", "shell")
    assert site.read("shell") == "a b\n" and "Subject: shell" in site.read("words")


def test_file_is_appended_in_mbox_form(site):
    for i in range(3):
        send(site, "box", f"box-{i}")
    wait_for(lambda: (site.drop / "box").exists() and (site.drop / "box").read_text().count("\nSubject: box-") == 3, 15, "three in the box")
    path = site.drop / "box"
    assert (path.stat().st_mode & 0o777) == 0o600 and str(path.stat().st_uid) == uid_of("nobodys")
    text = path.read_text()
    assert text.count("\n>From here on\n") == 3 and text.endswith("\n.dot\n\n") and "\r" not in text
    box = mailbox.mbox(path, create=False)
    assert sorted(m["Subject"] for m in box) == ["box-0", "box-1", "box-2"]
    assert box[0]["X-Original-To"] == box[0]["Delivered-To"] == "box@example.test"
    wait_for(lambda: not list(site.drop.glob("*.lock")), 15, "the lock is gone")
    assert any(b"Subject: box-0" in m for m in site.server.inbox("alice"))


def test_executable_file_is_refused(site):
    path = site.drop / "box"
    before = path.stat().st_mode
    path.chmod(0o700)
    size = path.stat().st_size
    send(site, "box", "to-executable")
    site.bounce("file is executable")
    assert path.stat().st_size == size
    path.chmod(before & 0o777)


def test_maildir(site):
    send(site, "dir", "for-a-maildir")
    new = site.drop / "maildir" / "new"
    wait_for(lambda: new.exists() and list(new.iterdir()), 15, "a message in new/")
    text = next(new.iterdir()).read_text()
    assert text.startswith("Return-Path: <alice@example.test>\nX-Original-To: dir@example.test\nDelivered-To: dir@example.test\n")
    assert not list((site.drop / "maildir" / "tmp").iterdir()) and "\nFrom here on\n" in text


def test_include(site):
    send(site, "members", "for-members")
    for name in ("alice", "bob", "carol"):
        assert any(b"Subject: for-members" in m for m in site.server.inbox(name)), name
    assert "mail to a command is restricted here" in site.server.log()
    with site.server.smtp("smtp") as client:
        client.ehlo()
        client.mail("alice@" + DOMAIN)
        assert client.rcpt(f"gone@{DOMAIN}")[0] == 451


def test_outcomes_of_commands(site):
    for name in ("unknown67", "says", "noisy", "slow"):
        send(site, name, "fails-" + name)
    site.bounce("5.1.1")
    site.bounce("5.2.9")
    site.bounce("internal software error. Command output: y")
    site.bounce("Command time limit exceeded")


def test_temporary_failure_is_tried_again(site):
    send(site, "flaky", "second-time")
    wait_for(lambda: "temporary failure" in site.server.log(), 15, "a deferral")
    (site.drop / "well").touch()
    assert "Subject: second-time" in site.read("flaky", 20)


def test_owner_becomes_the_sender(site):
    send(site, "owned", "for-the-list", sender="someone@elsewhere.test")
    assert "Return-Path: <owner-owned@example.test>" in site.read("owned")
    wait_for(lambda: any(b"for-the-list" in m for m in site.server.inbox("bob")), 15, "bob's copy")
    mine = [m for m in site.server.inbox("bob") if b"for-the-list" in m]
    assert len(mine) == 1 and mine[0].startswith(b"Return-Path: <owner-owned@example.test>\r\n")


def test_duplicates_are_eliminated(site):
    (site.drop / "plain").unlink()
    before = site.server.log().count("agent info local.attempt")
    send(site, "both", "once")
    site.read("plain")
    time.sleep(1)
    assert site.server.log().count("agent info local.attempt") == before + 2  # the command and the box


@pytest.mark.skipif(not ROOT, reason="real uids need root")
@pytest.mark.skipif(not ROOT, reason="the program runs as another user")
def test_mailbox_command(site):
    send(site, "nobodys+ext", "for-the-program")
    assert "Subject: for-the-program\n" in site.read("mda") and site.read("mda.uid").strip() == uid_of("nobodys")
    home = str(site.folder / "home" / "nobodys")
    env = dict(line.split("=", 1) for line in site.read("mda.env").splitlines() if "=" in line)
    assert env["HOME"] == home == site.read("mda.pwd").strip() and env["SHELL"] == "/bin/sh"
    assert env["USER"] == env["LOGNAME"] == "nobodys" and env["EXTENSION"] == "ext"


@pytest.mark.skipif(not ROOT, reason="the program runs as another user")
def test_mailbox_command_needs_a_system_user(site):
    send(site, "dave", "nobody-runs-it")
    wait_for(lambda: "there is no user dave in this system" in site.server.log(), 20, site.server.log()[-2000:])


class TestForward:
    def forward(self, site, name, text, mode=0o600, owner=None, file=".forward"):
        path = site.folder / "home" / name / file
        path.write_text(text)
        path.chmod(mode)
        os.chown(path, ACCOUNTS[owner or name], 64930)
        time.sleep(2.2)  # what was read is kept two seconds

    def test_command_runs_as_the_user(self, site):
        self.forward(site, "fred", f'"|{site.folder}/save fred", bob\n')
        send(site, "fred", "for-fred")
        assert site.read("fred.uid").strip() == "64930"
        env = site.read("fred.env")
        assert f"HOME={site.folder}/home/fred" in env and "SHELL=/bin/sh" in env and "USER=fred" in env
        assert any(b"for-fred" in m for m in site.server.inbox("bob"))

    def test_extension_has_a_file_of_its_own(self, site):
        self.forward(site, "fred", "carol\n", file=".forward+list")
        send(site, "fred+list", "for-the-extension")
        assert any(b"for-the-extension" in m for m in site.server.inbox("carol"))

    def test_file_in_home_belongs_to_the_user(self, site):
        self.forward(site, "wilma", f"{site.folder}/home/wilma/mbox\n")
        send(site, "wilma", "for-wilma")
        path = site.folder / "home" / "wilma" / "mbox"
        wait_for(lambda: path.exists() and "for-wilma" in path.read_text(), 15, "wilma's mbox")
        assert path.stat().st_uid == 64931

    @pytest.mark.parametrize("mode,owner", [(0o666, None), (0o644, "fred")])
    def test_others_must_not_write_it(self, site, mode, owner):
        self.forward(site, "nobodys", "bob\n", mode, owner)
        with site.server.smtp("smtp") as client:
            client.ehlo()
            client.mail("alice@" + DOMAIN)
            assert client.rcpt(f"nobodys@{DOMAIN}")[0] == 451


ALIASES = """cmd: "|{base}/save a"
box: {drop}/box
md: {drop}/md/
code67: "|exit 67"
code3: "|echo some output; exit 3"
killed: "|kill -9 $$"
missing: "|/nonexistent/prog"
exe: {drop}/exe
nodir: /nonexistent/dir/file
"""
NAMES = ("cmd+ext", "box", "md", "code67", "code3", "killed", "missing", "exe", "nodir")
MESSAGE = ("From: a@far.test\r\nTo: x@example.test\r\nSubject: s\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <x@y>\r\n\r\n"
           "body\r\nFrom here\r\n.\r\nend\r\n")


def made(base, aliases=ALIASES):
    """The same aliases, and the command that they name, with a place of its own for what it gets."""
    drop = base / "drop"
    drop.mkdir(parents=True)
    base.chmod(0o755)
    drop.chmod(0o777)
    script(base, "save", f'cat > "{drop}/msg"; env > "{drop}/env"\n')
    (base / "aliases").write_text(aliases.format(base=base, drop=drop))
    (drop / "exe").write_text("x")
    (drop / "exe").chmod(0o777)
    return drop


def got(drop):
    """What arrived, without what must differ: times, the server's own Received, places."""
    mail = [(drop / "msg").read_text(), (drop / "box").read_text(), next((drop / "md" / "new").iterdir()).read_text()]
    mail = [re.sub(r"(?m)^From (\S+)  .* \d{4}$", r"From \1", re.sub(r"(?m)^Received: .*\n(?:\s.*\n)*", "", m)) for m in mail]
    env = dict(line.split("=", 1) for line in (drop / "env").read_text().splitlines() if "=" in line)
    ours = {"CLIENT_ADDRESS", "CLIENT_PROTOCOL", "CLIENT_HELO", "CLIENT_HOSTNAME", "MAIL_CONFIG", "LANG", "PWD", "SHLVL", "_", "TZ"}
    return mail, {k: v for k, v in env.items() if k not in ours}


def compare(aliases, names, compare_more, prepare=lambda drop: None, **settings):
    """The same mail to the same aliases, of Postfix and of us: outcomes, and what compare_more(ours, theirs) compares."""
    with tempfile.TemporaryDirectory(prefix="delivery-") as path:
        base = pathlib.Path(path)
        base.chmod(0o755)
        theirs, mine = made(base / "theirs", aliases), made(base / "mine", aliases)
        prepare(theirs)
        prepare(mine)
        try:
            namespace = peers.Namespace(base / "ns", ["postfix"])
        except peers.Unavailable as why:
            pytest.skip(str(why))
        table = f"hash:{base}/theirs/aliases"
        postfix = peers.Postfix(namespace, base / "postfix", myhostname="mail.example.test", mydestination=DOMAIN, alias_maps=table,
                                alias_database=table, recipient_delimiter="+", local_recipient_maps="", inet_interfaces="loopback-only",
                                mynetworks="127.0.0.0/8", smtp_bind_address="127.0.0.1", relayhost="[127.0.0.1]:1",
                                **{k: v.format(drop=theirs) for k, v in settings.items()})
        try:
            postfix.start()
            subprocess.run(namespace.enter("postalias", "-c", str(postfix.conf), table), check=True)
            for name in names:
                done = namespace.run("sendmail", "-C", str(postfix.conf), "-i", "-f", "a@far.test", f"{name}@{DOMAIN}", input=MESSAGE.replace("\r\n", "\n"))
                assert done.returncode == 0, done.stderr
            wait_for(lambda: all(f"to=<{n}@" in postfix.log() for n in names), 30, "Postfix's deliveries")
            log = postfix.log()
        finally:
            postfix.stop()
            namespace.close()
        (base / "server").mkdir()
        server = Server(base / "server", alias_maps=str(base / "mine" / "aliases"), minimal_backoff_time="1000s",
                        **{k: v.format(drop=mine).replace("$", "$$") for k, v in settings.items()})
        server.start()
        try:
            with server.smtp("smtp") as client:
                for name in names:
                    client.sendmail("a@far.test", [f"{name}@{DOMAIN}"], MESSAGE)
            wait_for(lambda: server.log().count("local.attempt") >= len(names), 30, "our deliveries")
            ours = server.log()
        finally:
            server.stop()
        for name in names:
            want = re.search(rf"to=<{re.escape(name)}@.*? dsn=(\S+), status=(\S+) ", log).groups()
            have = re.search(rf"local\.attempt .*?to={re.escape(name)}@.*? dsn=(\S+) status=(\S+) ", ours).groups()
            assert have == want, name
        compare_more(mine, theirs)


def same_mail(mine, theirs):
    assert got(mine) == got(theirs)


@pytest.mark.skipif(not ROOT, reason="Postfix runs as root")
def test_as_postfix_does():
    compare(ALIASES, NAMES, same_mail)


PLACES = """cmd: "|pwd > {drop}/pwd.cmd"
closed: "|pwd > {drop}/pwd.closed"
missing: "|pwd > {drop}/pwd.missing"
odd: "|pwd > {drop}/pwd.odd"
full: {drop}/full
fits: {drop}/fits
large: "|head -c 40000 /dev/zero > {drop}/large || exit 69"
"""


@pytest.mark.skipif(not ROOT, reason="Postfix runs as root")
def test_folder_and_size_limit_as_postfix_has_them():
    def prepare(drop):
        for name in ("cmd", "cmd-ext", "closed", "odd-a_b", "large"):
            (drop / f"in-{name}").mkdir()
            (drop / f"in-{name}").chmod(0o777)
        (drop / "in-closed").chmod(0o700)
        (drop / "full").write_text("x" * 19999)
        (drop / "full").chmod(0o666)

    def same(mine, theirs):
        for drop in mine, theirs:
            places = {p.name: p.read_text().strip().removeprefix(str(drop)) for p in drop.glob("pwd.*")}
            assert places == {"pwd.cmd": "/in-cmd-ext", "pwd.odd": "/in-odd-a_b"}, drop
            assert (drop / "full").stat().st_size == 19999 and (drop / "fits").stat().st_size > 100
            assert (drop / "large").stat().st_size == 20000
        assert (mine / "in-closed").stat().st_uid == (theirs / "in-closed").stat().st_uid

    compare(PLACES, ("cmd+ext", "closed", "missing", "odd+a#b", "full", "fits", "large"), same, prepare, mailbox_size_limit="20000",
            message_size_limit="15000", command_execution_directory="{drop}/in-$user${{extension?-$extension}}")
