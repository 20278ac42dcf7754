"""SORT, THREAD and SEARCH beside Debian's Dovecot: the same messages, made at random from a small stock of subjects,
names and references, and the same commands; the answers must be the same."""
import imaplib
import os
import pathlib
import random
import re
import tempfile

import pytest

import world  # noqa: F401  (finds tools/peers.py)
import peers
from harness import Server, free_port
from test_doveadm import CONF, login

SUBJECTS = ["tea", "Re: tea", "RE : tea", "Fwd: [tea] coffee", "[list] tea", "[list] Re: coffee (fwd)", "[fwd: milk]", "Milk", "re[2]: milk",
            "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Re: =?utf-8?b?R3LDvMOfZQ==?=", "", "Re:", "a  b\r\n c", "zebra", "Zebra", "[only]", "[a][b] c"]
NAMES = ["Ann <ann@x.test>", "bob@x.test", "\"Carl, C\" <carl@x.test>", "=?utf-8?q?=C3=84nne?= <aenne@y.test>", "ANN@z.test (comment)"]


def header(chance, i):
    lines = [f"Message-ID: <{i}@t>", f"Subject: {chance.choice(SUBJECTS)}"]
    lines.append(f"Date: {chance.randint(1, 28)} Feb 2022 {chance.randint(0, 23):02}:{i % 60:02}:{i // 60:02} +0{chance.randint(0, 9)}00")
    for field, often in (("From", 0.95), ("To", 0.9), ("Cc", 0.4)):
        if chance.random() < often:
            lines.append(f"{field}: " + ", ".join(chance.sample(NAMES, chance.randint(1, 2))))
    known = [f"<{chance.randint(0, i + 5)}@t>" for _ in range(chance.randint(0, 3))]
    if known and chance.random() < 0.7:
        lines.append("References: " + " ".join(known))
    elif known:
        lines.append("In-Reply-To: " + known[0])
    chance.shuffle(lines)
    return "\r\n".join(lines) + "\r\n\r\n" + "x" * chance.randint(0, 500) + "\r\n"


@pytest.fixture(scope="module")
def both():
    if os.geteuid() != 0:
        pytest.skip("Debian's Dovecot: needs root")
    with tempfile.TemporaryDirectory(prefix="oracle.") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        port = free_port()
        (folder / "d").mkdir()
        (folder / "d/users").write_text(f"nora:one:64914:64914::{folder}/d/mail/nora::\n")
        (folder / "d/users").chmod(0o644)
        try:
            ns = peers.Namespace(folder / "n", ["dovecot"])
        except peers.Unavailable as why:
            pytest.skip(f"Debian's Dovecot: {why}")
        dovecot = peers.Dovecot(ns, folder / "d", CONF.format(folder=folder / "d", port=port)).start()
        (folder / "s").mkdir()
        server = Server(folder / "s", users=(), services=("imap",), dovecot_config=str(dovecot.path), users_file=None,
                        mail_max_userip_connections=None).start()
        try:
            clients = [login(port), login(server.port["imap"])]
            chance = random.Random(5256)
            for i in range(150):
                text = header(chance, i)
                flags = chance.choice([None, r"(\Seen)", r"(\Flagged $Work)"])
                date = f'"{chance.randint(1, 28):2}-Mar-2022 10:00:{i % 60:02} +0000"'
                for c in clients:
                    assert c.append("INBOX", flags, date, text.encode())[0] == "OK"
            for c in clients:
                c.select("INBOX")
            yield clients
        finally:
            server.stop()
            dovecot.stop()
            ns.close()


def ask(client, command):
    client.untagged_responses.clear()
    tag = client._new_tag()
    client.send(tag + b" " + command.encode() + b"\r\n")
    lines = []
    while True:
        line = client.readline().strip()
        if line.startswith(tag):
            return lines, line[len(tag) + 1:].split()[0]
        lines.append(re.sub(rb'TAG "[^"]*"', b"TAG", line))


SORTS = [f"({key})" for name in ("ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO", "DISPLAYFROM", "DISPLAYTO") for key in (name, "REVERSE " + name)]


@pytest.mark.parametrize("command", [f"SORT {s} UTF-8 ALL" for s in SORTS] + [
    "SORT (SUBJECT REVERSE DATE) UTF-8 UNSEEN", "UID SORT (FROM SIZE) UTF-8 KEYWORD $Work", "SORT RETURN (MIN MAX COUNT) (SUBJECT) UTF-8 ALL",
    "SORT RETURN (ALL) (SIZE) UTF-8 SMALLER 300", "SORT RETURN (PARTIAL 3:9) (DATE) UTF-8 ALL",
    "THREAD ORDEREDSUBJECT UTF-8 ALL", "THREAD REFERENCES UTF-8 ALL", "THREAD REFS UTF-8 ALL", "UID THREAD REFERENCES UTF-8 UNSEEN",
    "THREAD REFERENCES UTF-8 1:40", "THREAD REFS UTF-8 30:90",
    "SEARCH SUBJECT tea", "SEARCH FROM ann", "SEARCH OR TO carl CC bob", "SEARCH SENTSINCE 10-Feb-2022 SENTBEFORE 20-Feb-2022",
    "SEARCH ON 7-Mar-2022", "SEARCH RETURN (MIN MAX COUNT) NOT SEEN", "UID SEARCH RETURN (ALL) LARGER 400", "SEARCH HEADER References 7@t",
    "SEARCH NOT (OR FLAGGED SEEN)", "UID SEARCH RETURN (PARTIAL 2:5) ALL"])
def test_the_answers_are_dovecots(both, command):
    theirs, ours = (ask(c, command) for c in both)
    assert ours == theirs
