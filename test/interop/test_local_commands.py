"""mailbox_command, nested aliases to commands and FILTER: the same files, the same mail and the same commands as Debian's Postfix
has them: what the commands get, and what their exit statuses come to. (Plain aliases: test_delivery; pipe transports: test_pipe.)"""
import os
import pathlib
import re
import smtplib
import subprocess
import sys
import tempfile

import pytest

from harness import DOMAIN, Server, free_port, wait_for

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tools"))
import peers  # noqa: E402

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="commands run as other users")

USER, UID = "mduser", 64930
SERVICES = """
filt      unix  -  n  n  -  -  pipe
  flags=DROhu user=nobody argv={base}/save filt ${{sender}} ${{recipient}} ${{original_recipient}} ${{nexthop}} ${{user}} ${{domain}}
bare      unix  -  n  n  -  -  pipe
  user=nobody argv={base}/save bare ${{sender}} ${{recipient}} ${{nexthop}}
fcode     unix  -  n  n  -  -  pipe
  user=nobody argv={base}/code ${{nexthop}}
"""
CODES = (1, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 99, 200, 201, 202)
MAIN = {"mydestination": DOMAIN, "myhostname": "mail." + DOMAIN, "myorigin": DOMAIN, "mynetworks": "127.0.0.0/8", "recipient_delimiter": "+",
        "mailbox_command": "{base}/save mailbox \"$USER\" \"$EXTENSION\"",
        "mailbox_command_maps": "inline:{{ {{coder = {base}/code \"$EXTENSION\"}} }}",
        "header_checks": "regexp:{base}/headers", "always_bcc": "", "sender_bcc_maps": "inline:{{ {{copied@far.test = copy@there.test}} }}",
        "smtpd_sender_restrictions": "check_sender_access inline:{{ {{access@far.test = FILTER bare:by-access}} }}",
        "filt_destination_recipient_limit": "1", "fcode_destination_recipient_limit": "1", "local_recipient_maps": "",
        "transport_maps": "inline:{{ {{there.test = smtp:[127.0.0.1]:1}} }}"}
HEADERS = "/^Subject: filter-code-([0-9]+)/ FILTER fcode:$1\n/^Subject: filter-/ FILTER filt:Dest.Here\n"
ALIASES = "outer: middle\nmiddle: inner+ext\ninner: \"|{base}/save nested\"\ndeepbox: middlebox\nmiddlebox: {drop}/box\n"
MAIL = [(sender, rcpts, subject) for sender, rcpts, subject in [
    ("a@far.test", [f"{USER}@{DOMAIN}"], "mailbox-plain"),
    ("", [f"MdUser+Some.Ext@{DOMAIN}"], "mailbox-ext"),
    ("a@far.test", [f"outer@{DOMAIN}"], "nested-outer"),
    ("a@far.test", [f"inner+x@{DOMAIN}"], "nested-inner"),
    ("a@far.test", [f"User+Ext@{DOMAIN}", "x@other.test"], "filter-two"),
    ("copied@far.test", [f"one@{DOMAIN}"], "filter-copied"),
    ("access@far.test", [f"one@{DOMAIN}"], "access-one"),
    ("a@far.test", [f"DeepBox@{DOMAIN}"], "nested-box"),
]] + [("", [f"coder+{code}@{DOMAIN}"], f"mailbox-code-{code}") for code in CODES] + [
    ("", [f"f{code}@{DOMAIN}"], f"filter-code-{code}") for code in CODES]
DELIVERIES = 10  # files: two of filter-two, two of filter-copied
OUTCOMES = [f"coder+{code}@{DOMAIN}" for code in CODES] + [f"f{code}@{DOMAIN}" for code in CODES]


def script(path, text):
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)


def make(base, frozen):
    """Commands, tables and what they write to; (drop, main.cf's settings, services)."""
    drop = base / "drop"
    drop.mkdir(parents=True)
    base.chmod(0o755)
    drop.chmod(0o777)
    script(base / "save", f'f=$(mktemp {drop}/tmp.XXXXXX)\n{{ printf "[%s]" "$@"; echo; id -un; id -gn; env | sort; echo; cat; }} > $f\nmv $f $f.done\n')
    script(base / "code", 'case $1 in 200) echo "4.5.6 come again"; exit 1;; 201) echo "no status here"; exit 67;; 202) echo "5.6.7 away"; exit 75;; esac; exit $1\n')
    (base / "headers").write_text(HEADERS)
    (base / "aliases").write_text(ALIASES.format(base=base, drop=drop))
    settings = {name: value.format(base=base) if "{" in value else value for name, value in MAIN.items()}
    return drop, {**settings, "alias_maps": f"hash:{base}/aliases", "frozen_delivered_to": frozen}, SERVICES.format(base=base)


def submit(port):
    for sender, rcpts, subject in MAIL:
        message = f"From: f@far.test\r\nTo: t@far.test\r\nSubject: {subject}\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-Id: <1@far.test>\r\n\r\nHello\r\n"
        with smtplib.SMTP("127.0.0.1", port, timeout=20, local_hostname="client.test") as client:
            client.sendmail(sender, rcpts, message)


def got(drop, base):
    """What the commands got, by subject, without Received, times, this side's places and what a shell adds."""
    out = []
    for path in [*drop.glob("*.done"), *drop.glob("box")]:
        text = path.read_bytes().decode().replace(str(base), "BASE")
        text = re.sub(r"(?m)^Received: .*\n(?:[ \t].*\n)*", "", text)
        text = re.sub(r"(?m)^From (\S+)  .* \d{4}$", r"From \1", text)
        out.append(re.sub(r"(?m)^(PWD|OLDPWD|SHLVL|_|MAIL_CONFIG|MAIL_LOGTAG|LANG|TZ|PATH)=.*\n", "", text))
    return sorted(out)


def theirs_of(namespace, base, port, frozen):
    drop, settings, services = make(base / "theirs", frozen)
    postfix = peers.Postfix(namespace, base / "postfix", smtp=f"127.0.0.1:{port}", inet_interfaces="127.0.0.1", notify_classes="", **settings)
    with open(postfix.conf / "master.cf", "a", encoding="utf-8") as f:
        f.write(services)
    subprocess.run(namespace.enter("postalias", "-c", str(postfix.conf), settings["alias_maps"]), check=True)
    try:
        postfix.start()
        submit(port)
        log = postfix.log
        wait_for(lambda: len(got(drop, base / "theirs")) >= DELIVERIES and all(re.search(rf"to=<{re.escape(r)}>.* status=", log()) for r in OUTCOMES), 40,
                 "Postfix's deliveries: " + log()[-3000:])
        return got(drop, base / "theirs"), log()
    finally:
        postfix.stop()


def ours_of(prefix, base, frozen):
    drop, settings, services = make(base / "mine", frozen)
    conf = base / "conf"
    conf.mkdir()
    (conf / "main.cf").write_text("compatibility_level = 3.6\n" + "".join(f"{k} = {v}\n" for k, v in settings.items()))
    (conf / "master.cf").write_text("smtp unix - - n - - smtp\nlocal unix - n n - - local\nerror unix - - n - - error\n" + services)
    (base / "server").mkdir()
    server = Server(base / "server", users=(), postfix_config=str(conf), minimal_backoff_time="1000s", myhostname=None, mydestination=None,
                    pam_service="postrider-test")
    server.start(prefix=prefix)
    try:
        submit(server.port["smtp"])
        wait_for(lambda: len(got(drop, base / "mine")) >= DELIVERIES and all(f"to={r} " in server.log() for r in OUTCOMES), 40,
                 "our deliveries: " + server.log()[-3000:])
        return got(drop, base / "mine"), server.log()
    finally:
        server.stop()


@pytest.mark.parametrize("frozen", ["yes", "no"])
def test_as_postfix_does(monkeypatch, frozen):
    with tempfile.TemporaryDirectory(prefix="local-") as path:
        base = pathlib.Path(path)
        base.chmod(0o755)
        (base / "home").mkdir()
        os.chown(base / "home", UID, UID)
        users = "".join(f"{name}:x:{uid}:{UID}::{base}/home:/bin/sh\n" for name, uid in ((USER, UID), ("coder", UID + 1)))
        monkeypatch.setattr(peers, "PASSWD", peers.PASSWD + users)
        monkeypatch.setattr(peers, "GROUP", peers.GROUP + f"mdusers:x:{UID}:\n")
        try:
            namespace = peers.Namespace(base / "ns", ["postfix"])
        except peers.Unavailable as why:
            pytest.skip(str(why))
        try:
            want, log = theirs_of(namespace, base, free_port(), frozen)
        finally:
            namespace.close()
        layer = base / "ns" / "etc"
        prefix = ("unshare", "--mount", "--propagation", "private", "sh", "-c",
                  f'mount -t overlay overlay -o lowerdir={layer}:/etc /etc && exec "$@"', "sh")
        have, ours = ours_of(prefix, base, frozen)
        assert have == want
        assert any(f"Delivered-To: {'outer@' if frozen == 'yes' else 'inner+ext@'}{DOMAIN}\n" in text for text in have)
        for rcpt in OUTCOMES:
            theirs = re.search(rf"to=<{re.escape(rcpt)}>.*? dsn=(\S+), status=(\S+) \((.*)\)", log).groups()
            mine = re.search(rf"local\.attempt .*?to={re.escape(rcpt)} .*? dsn=(\S+) status=(\S+) reply=\"?(.*?)\"?$", ours, re.M).groups()
            assert mine[:2] == theirs[:2], (rcpt, mine, theirs)
