"""Old mail: what Debian's Dovecot keeps (Maildir++, LAYOUT=fs, mbox) reads the same after `postrider import`: folders,
UIDs, UIDVALIDITY, flags, keywords, dates, POP3 UIDLs, subscriptions, bytes."""
import imaplib
import os
import pathlib
import poplib
import re
import socket
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import peers  # noqa: E402
from harness import Server, free_port, wait_for  # noqa: E402

CONF = """
listen = 127.0.0.1
protocols = imap pop3
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = {location}
mail_uid = vmail
mail_gid = vmail
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid=vmail gid=vmail home={folder}/mail/%n
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
}}
namespace inbox {{
  inbox = yes
}}
"""
MESSAGE = b"From: a@example.test\r\nSubject: number %d\r\nX-Long: %s\r\n\r\nLine one of %d\r\n.dot\r\n\r\nlast without end"


class Old:
    """A Dovecot with mail in several folders."""

    def __init__(self, folder, location):
        folder.chmod(0o755)
        self.port = {"imap": free_port(), "pop3": free_port()}
        self.ns = peers.Namespace(folder, ["dovecot"])
        self.dovecot = peers.Dovecot(self.ns, folder / "d", CONF.format(location=location, folder=folder / "d", **self.port)).start()
        self.home = folder / "d" / "mail" / "alice"
        wait_for(lambda: all(self.answers(p) for p in self.port.values()), 20, "Dovecot answers")

    def answers(self, port):
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as s:
                return bool(s.recv(1))
        except OSError:
            return False

    def imap(self):
        i = imaplib.IMAP4("127.0.0.1", self.port["imap"])
        i.login("alice", "secret")
        return i

    def pop3(self):
        p = poplib.POP3("127.0.0.1", self.port["pop3"])
        p.user("alice")
        p.pass_("secret")
        return p

    def fill(self, folders):
        i = self.imap()
        n = 0
        for folder in folders:
            if folder != "INBOX":
                assert i.create(folder)[0] == "OK"
                if "Archive" not in folder:
                    assert i.subscribe(folder)[0] == "OK"
            for _ in range(7):
                n += 1
                flags = ["", r"(\Seen)", r"(\Answered \Flagged)", r"(\Deleted)", r"(\Draft)", "($Forwarded urgent)", r"(\Seen later)"][n % 7]
                date = imaplib.Time2Internaldate(1_500_000_000 + n * 86400)
                assert i.append(folder, flags, date, MESSAGE % (n, b"x" * (n % 5) * 50000, n))[0] == "OK"
            i.select(folder)
            i.uid("STORE", "2", "+FLAGS.SILENT", r"(\Deleted)")
            i.expunge()  # a gap, and a UIDNEXT above the last UID
            i.append(folder, "", imaplib.Time2Internaldate(1_600_000_000), b"From: last@example.test\r\n\r\ngone\r\n")
            i.select(folder)
            i.uid("STORE", "8", "+FLAGS.SILENT", r"(\Deleted)")
            i.expunge()
            i.close()
        i.logout()

    def stop(self):
        self.dovecot.stop()


def filled(place, location, folders):
    """A Dovecot with mail in the folders. Debian's now and then breaks off amid an APPEND to an mbox: begun anew then."""
    place.chmod(0o755)
    for attempt in range(3):
        folder = place / f"old-{attempt}"
        folder.mkdir()
        old = Old(folder, location)
        try:
            old.fill(folders)
            return old
        except imaplib.IMAP4.abort as why:
            old.stop()
            broken = why
        except Exception:
            old.stop()
            raise
    raise broken


def picture(i):
    """Everything that an IMAP client sees, by folder."""
    seen = {}
    for line in i.list()[1]:
        name = re.search(rb'"?([^" ]+)"?$', line).group(1).decode()
        if b"\\Noselect" in line:
            continue
        status = i.status(name, "(MESSAGES UIDNEXT UIDVALIDITY)")[1][0].split(b"(")[1]
        assert i.select(name, readonly=True)[0] == "OK"
        messages = {}
        data = i.uid("FETCH", "1:*", "(FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")[1]
        for head, body in [d for d in data if isinstance(d, tuple)]:
            uid = int(re.search(rb"UID (\d+)", head).group(1))
            flags = set(re.search(rb"FLAGS \(([^)]*)\)", head).group(1).split()) - {rb"\Recent"}
            messages[uid] = (flags, re.search(rb'INTERNALDATE "([^"]*)"', head).group(1), body)
        seen[name.replace(".", "/")] = (status, messages)
    return seen


def uidls(p):
    return [line.split()[1] for line in p.uidl()[1]]


def subscribed(i):
    return {re.search(rb'"?([^" ]+)"?$', line).group(1).decode().replace(".", "/") for line in i.lsub()[1] if line}


def in_utc(date):
    return imaplib.Internaldate2tuple(b'INTERNALDATE "' + date + b'"')


def compare(old, new):
    for name, (status, messages) in old.items():
        if not messages and name not in new:
            continue
        assert new[name][0] == status, name
        assert set(new[name][1]) == set(messages), name
        for uid, (flags, date, body) in messages.items():
            got = new[name][1][uid]
            assert got[0] == flags and in_utc(got[1]) == in_utc(date), (name, uid, got[:2], flags, date)
            assert got[2] == body, (name, uid)


@pytest.fixture
def ours(tmp_path):
    server = Server(tmp_path / "ours", users=("alice",), services=("smtp", "pop3", "imap")) if (tmp_path / "ours").mkdir() is None else None
    server.start()
    yield server
    server.stop()


@pytest.fixture
def place():
    """A folder that other users may enter (pytest's own are closed to them)."""
    with tempfile.TemporaryDirectory(prefix="import.") as folder:
        yield pathlib.Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="the peer's files are laid over /usr in a namespace, which needs root")
@pytest.mark.parametrize("kind, location, words", [
    ("maildir", "maildir:~/Maildir", ["{home}/Maildir"]),
    ("maildir", "maildir:~/Maildir:LAYOUT=fs", ["{home}/Maildir", "--layout", "fs"]),
    ("mbox", "mbox:~/mail:INBOX=~/inbox", ["{home}/mail", "--inbox", "{home}/inbox"])], ids=["maildir", "fs", "mbox"])
def test_what_dovecot_keeps_reads_the_same(place, ours, kind, location, words):
    separator = "." if location == "maildir:~/Maildir" else "/"
    try:
        old = filled(place, location, ["INBOX", "Work", separator.join(("Years", "2020")) if kind == "maildir" else "Years", "Entw&APw-rfe",
                                       "Old-Archive"])
    except peers.Unavailable as why:
        pytest.skip(str(why))
    try:
        i, p = old.imap(), old.pop3()
        before, before_uidls, before_subscribed = picture(i), uidls(p), subscribed(i)
        i.logout()
        p.quit()
    finally:
        old.stop()
    words = [w.format(home=old.home) for w in words]
    report = ours.ok("import", kind, *words, "--user", "alice")
    total = sum(len(m) for _, m in before.values())
    assert f"{total} messages found, {total} imported" in report and "0 failed" in report, report
    i, p = ours.imap("alice"), ours.pop3("alice")
    compare(before, picture(i))
    assert uidls(p) == before_uidls
    assert before_subscribed <= subscribed(i)
    # Again: nothing comes twice; and new mail goes on behind.
    assert f"{total} messages found, 0 imported (0 bytes), {total} already there" in ours.ok("import", kind, *words, "--user", "alice")
    next_uid = int(re.search(rb"UIDNEXT (\d+)", before["INBOX"][0]).group(1))
    ours.send()
    i.select("INBOX")
    assert i.uid("SEARCH", "ALL")[1][0].split()[-1] == str(next_uid).encode()
    assert len(set(uidls(ours.pop3("alice")))) == len(before_uidls) + 1


def write_maildir(path, n):
    for sub in ("cur", "new", "tmp"):
        (path / sub).mkdir(parents=True)
    for k in range(n):
        (path / "cur" / f"1500000{k:03}.M{k}.host:2,S").write_bytes(b"From: a@b.c\nSubject: %d\n\nbody\n" % k)
    return path


def test_broken_off_and_started_again(tmp_path, ours):
    source = write_maildir(tmp_path / "Maildir", 300)
    (source / "cur" / "unreadable:2,").symlink_to(tmp_path / "nowhere")
    (source / "dovecot-uidlist").write_text("3 V77 N400 Gx\nnonsense\n5 :1500000000.M0.host\n")
    done = ours.command("import", "maildir", str(source), "--user", "alice")
    assert done.returncode == 1 and "301 messages found, 300 imported" in done.stdout and "1 failed" in done.stdout
    assert "unreadable" in done.stderr and "not understood" in done.stderr
    (source / "cur" / "unreadable:2,").unlink()
    ours.kill_role("mailbox")
    wait_for(lambda: ours.command("status").returncode == 0, 20, "mailbox is back")
    done = ours.ok("import", "maildir", str(source), "--user", "alice")
    assert "300 messages found, 0 imported (0 bytes), 300 already there, 0 failed" in done
    i = ours.imap("alice")
    i.select("INBOX")
    assert len(i.search(None, "SEEN")[1][0].split()) == 300
    assert i.response("UIDVALIDITY")[1] == [b"77"]


def test_a_mailbox_that_has_mail_keeps_its_uids(tmp_path, ours):
    ours.send()
    source = write_maildir(tmp_path / "Maildir", 3)
    (source / "dovecot-uidlist").write_text("3 V77 N4 Gx\n1 :1500000000.M0.host\n")
    done = ours.ok("import", "maildir", str(source), "--user", "alice")
    assert "1 messages have new UIDs" in done
    i = ours.imap("alice")
    assert i.select("INBOX")[1] == [b"4"] and i.response("UIDVALIDITY")[1] != [b"77"]


def test_unlisted_messages_come_behind_what_was_given_out(tmp_path, ours):
    """UIDs below Dovecot's next one may have belonged to mail that is gone, and that clients still remember."""
    source = write_maildir(tmp_path / "Maildir", 5)
    (source / "dovecot-uidlist").write_text("3 V99 N120 Gx\n100 :1500000000.M0.host\n103 :1500000001.M1.host\n")
    ours.ok("import", "maildir", str(source), "--user", "alice")
    i = ours.imap("alice")
    i.select("INBOX")
    uids = [int(n) for n in i.uid("SEARCH", "ALL")[1][0].split()]
    assert i.response("UIDVALIDITY")[1] == [b"99"] and uids == [100, 103, 120, 121, 122]


def test_words_and_places_that_are_wrong(tmp_path, ours):
    source = write_maildir(tmp_path / "Maildir", 1)
    assert "is a Maildir" in ours.command("import", "mbox", str(source), "--user", "alice").stderr
    assert "is a file" in ours.command("import", "maildir", str(source / "cur" / os.listdir(source / "cur")[0]), "--user", "alice").stderr
    assert ours.command("import", "maildir", "/x").returncode == 2
    assert ours.command("import", "tape", "/x", "--user", "alice").returncode == 2
    assert "No such file" in ours.command("import", "mbox", "/x", "--user", "alice").stderr
    assert ours.command("import", "maildir", str(source), "--user", "alice").stderr == ""
    assert "there is no account alise" in ours.command("import", "maildir", str(source), "--user", "alise").stderr
    for name, files, words in (("empty", (), "no folder \"cur\""), ("mboxes", ("Sent",), "import mbox"), ("above", ("Maildir/cur/x",), "--layout fs"),
                               ("dbox", ("mailboxes/INBOX/dbox-Mails/u.1",), "dbox")):
        (tmp_path / name).mkdir()
        for file in files:
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_text("From a@b Thu Jan  1 00:00:00 2026\n\nx\n")
        done = ours.command("import", "maildir", str(tmp_path / name), "--user", "alice")
        assert done.returncode == 1 and f"{tmp_path / name} is no Maildir" in done.stderr and words in done.stderr, done
    (tmp_path / "text").write_text("no mbox\n")
    done = ours.command("import", "mbox", str(tmp_path / "text"), "--user", "alice")
    assert done.returncode == 1 and "no mbox" in done.stderr and "1 failed" in done.stdout


def test_accounts_of_another_passdb_are_known(tmp_path):
    source = write_maildir(tmp_path / "Maildir", 1)
    (tmp_path / "others").write_text("olga:{PLAIN}one::::::\n")
    server = Server(tmp_path, users=(), services=("imap",), users_file=None, passdb=f"{{driver=passwd-file, path={tmp_path}/others}}").start()
    try:
        known, unknown = (server.command("import", "maildir", str(source), "--user", user) for user in ("olga", "olgo"))
        assert known.returncode == unknown.returncode == 0 and known.stderr == ""
        assert "there is no account olgo, neither in passdb" in unknown.stderr
    finally:
        server.stop()


def test_all_accounts_from_where_the_configuration_says(tmp_path):
    write_maildir(tmp_path / "mail" / "alice" / "Maildir", 3)
    write_maildir(tmp_path / "mail" / "alice" / "Maildir" / ".Sent", 2)
    write_maildir(tmp_path / "own", 4)
    server = Server(tmp_path, users=("alice", "bob", "carol"), services=("smtp", "imap"),
                    mail_location=f"maildir:{tmp_path}/mail/%Ln/Maildir", queue_directory=str(tmp_path / "spool"))
    with open(server.users_file, "a", encoding="utf-8") as f:
        f.write(f"dave:{{PLAIN}}secret-dave::::::userdb_mail=maildir:{tmp_path}/own\n")
    deferred = tmp_path / "spool" / "deferred" / "A"
    deferred.mkdir(parents=True)
    (deferred / "A12").write_text("x")
    server.start()
    try:
        done = server.command("import", "--all")
        assert done.returncode == 0, done.stderr
        assert "3 folders: 9 messages found, 9 imported" in done.stdout
        assert "bob: has no mail" in done.stderr and "1 messages wait in" in done.stderr
        server.passwords["dave"] = "secret-dave"
        assert server.imap("dave").select("INBOX")[1] == [b"4"]
        assert server.imap("alice").select("Sent")[1] == [b"2"]
    finally:
        server.stop()


@pytest.mark.parametrize("driver", ("passwd-file", "static"))
def test_homes_that_userdb_gives_to_all(tmp_path, driver):
    write_maildir(tmp_path / "mail" / "erin" / "Maildir", 2)
    (tmp_path / "accounts").write_text("erin:{PLAIN}secret-erin::::::\n")
    fields = f"uid=64999 gid=64999 home={tmp_path}/mail/%n"
    userdb = f"args = {tmp_path}/accounts\n  default_fields = {fields}" if driver == "passwd-file" else f"args = {fields}"
    (tmp_path / "dovecot.conf").write_text(f"ssl = no\nmail_location = maildir:~/Maildir\npassdb {{\n  driver = passwd-file\n  args = {tmp_path}/accounts\n}}\n"
                                           f"userdb {{\n  driver = {driver}\n  {userdb}\n}}\n")
    server = Server(tmp_path, services=("smtp", "imap"), dovecot_config=str(tmp_path / "dovecot.conf"))
    server.settings.pop("users_file")
    server.write_conf()
    server.start()
    try:
        assert f"uid\t64999\ngid\t64999\nhome\t{tmp_path}/mail/erin\n" in server.ok("doveadm", "user", "erin")
        done = server.command("import", "--all")
        assert done.returncode == 0 and "1 folders: 2 messages found, 2 imported" in done.stdout, done
        server.passwords["erin"] = "secret-erin"
        assert server.imap("erin").select("INBOX")[1] == [b"2"]
    finally:
        server.stop()
