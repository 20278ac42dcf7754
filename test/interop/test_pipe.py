"""Pipe transports of master.cf: the same files, the same mail and the same commands as Debian's Postfix has them."""
import os
import pathlib
import re
import smtplib
import sys
import tempfile

import pytest

from harness import DOMAIN, Server, free_port, wait_for

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tools"))
import peers  # noqa: E402

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="commands run as another user")

SERVICES = """
spool     unix  -  n  n  -  -  pipe
  flags=DRhu user=nobody argv={save} spool ${{recipient}} {{ two words $user }} $extension ${{mailbox}} $(domain)
  $nexthop ${{sender}} $$
multi     unix  -  n  n  -  -  pipe flags=FOq.>B user=nobody:nogroup null_sender= eol=\\r\\n directory={drop}
  argv={save} multi -f $sender -- ${{recipient}}
several   unix  -  n  n  -  -  pipe user=nobody argv={save} several $sender ${{recipient}} x-${{user}}
  $client_address $client_helo $client_hostname $client_protocol m${{sasl_method}} u${{sasl_username}} s${{sasl_sender}} p${{client_port}}
codes     unix  -  n  n  -  -  pipe user=nobody argv={code} ${{user}}
small     unix  -  n  n  -  -  pipe user=nobody size=200 argv={save} small
slow      unix  -  n  n  -  -  pipe user=nobody argv=/bin/sleep 100
loop      unix  -  n  n  -  -  pipe flags=D user=nobody argv={save} loop
gone      unix  -  n  n  -  -  pipe user=nobody argv=/nonexistent/program
"""
MAIN = {"transport_maps": "inline:{ {spool.test = spool:} {multi.test = multi:Next.Hop} {several.test = several:} {codes.test = codes:} "
                          "{small.test = small:} {slow.test = slow:} {loop.test = loop:} {gone.test = gone:} }",
        "spool_destination_recipient_limit": "1", "multi_destination_recipient_limit": "1", "codes_destination_recipient_limit": "1",
        "loop_destination_recipient_limit": "1", "slow_time_limit": "2s", "recipient_delimiter": "+", "myhostname": "mail." + DOMAIN,
        "mydestination": DOMAIN, "mynetworks": "127.0.0.0/8", "myorigin": DOMAIN}
# Codes of the command: none of them may make more mail, which the null sender sees to.
CODES = (64, 65, 67, 69, 70, 71, 75, 77, 78, 1, 99, 200, 201)
MAIL = [
    ("a@far.test", ["User+Ext@Spool.TEST"], "spool"),
    ("", ["plain@spool.test"], "spool-null"),
    ("\"odd one\"@far.test", ["\"two words\"@multi.test"], "multi"),
    ("", ["x@multi.test"], "multi-null"),
    ("a@far.test", ["one@several.test", "two+d@several.test"], "several"),
    ("", ["x@small.test"], "too-large"),
    ("", ["x@slow.test"], "slow"),
    ("", ["Loop@loop.test"], "loops"),
    ("", ["x@gone.test"], "gone"),
] + [("", [f"{code}@codes.test"], f"code-{code}") for code in CODES]
OUTCOMES = ["x@small.test", "x@slow.test", "Loop@loop.test", "x@gone.test"] + [f"{code}@codes.test" for code in CODES]


def script(path, text):
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def make(base):
    """(what the commands write to, SERVICES with the places of this side)"""
    drop = base / "drop"
    drop.mkdir(parents=True)
    base.chmod(0o755)
    drop.chmod(0o777)
    save = script(base / "save", f'f=$(mktemp {drop}/tmp.XXXXXX)\n{{ printf "[%s]" "$@"; echo; id -un; id -gn; id -G; pwd; cat; }} > $f\nmv $f $f.done\n')
    code = script(base / "code", 'case $1 in 200) echo "4.5.6 come again"; exit 1;; 201) echo "no status here"; exit 67;; esac; exit $1\n')
    return drop, SERVICES.format(save=save, code=code, drop=drop)


def submit(port):
    for sender, rcpts, subject in MAIL:
        extra = "Delivered-To: loop@LOOP.test\r\n" if subject == "loops" else ""
        message = (f"From: f@far.test\r\nTo: t@far.test\r\nSubject: {subject}\r\n{extra}Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-Id: <1@far.test>\r\n"
                   f"\r\nHello\r\n..dot\r\nFrom here\r\n" + ("x" * 60 + "\r\n") * 4)
        with smtplib.SMTP("127.0.0.1", port, timeout=20, local_hostname="client.test") as client:
            client.sendmail(sender, rcpts, message)


def got(drop, base):
    """What the commands got, by subject, without Received, times and this side's places."""
    out = {}
    for path in drop.glob("*.done"):
        text = path.read_bytes().decode().replace(str(base), "BASE")
        text = re.sub(r"(?m)^Received: .*\n(?:[ \t].*\n)*", "", text)
        text = re.sub(r"(?m)^From (\S+|\".*\"\S+)  .* \d{4}(\r?)$", r"From \1\2", text)
        text = re.sub(r"\[p\d+\]", "[pPORT]", text)
        out[re.search(r"(?m)^Subject: (\S+)", text).group(1)] = text
    return out


def test_as_postfix_does():
    with tempfile.TemporaryDirectory(prefix="pipe-") as path:
        base = pathlib.Path(path)
        base.chmod(0o755)
        try:
            namespace = peers.Namespace(base / "ns", ["postfix"])
        except peers.Unavailable as why:
            pytest.skip(str(why))
        expected = sum(1 for m in MAIL if m[2].split("-")[0] in ("spool", "multi", "several"))
        port = free_port()
        drop, services = make(base / "theirs")
        postfix = peers.Postfix(namespace, base / "postfix", smtp=f"127.0.0.1:{port}", inet_interfaces="127.0.0.1", local_recipient_maps="",
                                notify_classes="", **MAIN)
        with open(postfix.conf / "master.cf", "a", encoding="utf-8") as f:
            f.write(services)
        try:
            postfix.start()
            submit(port)
            wait_for(lambda: len(got(drop, base / "theirs")) == expected and all(f"to=<{r}>" in postfix.log() for r in OUTCOMES), 40,
                     "Postfix's deliveries: " + "\n".join(line for line in postfix.log().splitlines() if "/pipe[" in line or "warning" in line or "fatal" in line)[:3000])
            log = postfix.log()
        finally:
            postfix.stop()
            namespace.close()
        want = got(drop, base / "theirs")
        drop, services = make(base / "mine")
        conf = base / "conf"
        conf.mkdir()
        (conf / "main.cf").write_text("compatibility_level = 3.6\n" + "".join(f"{k} = {v}\n" for k, v in MAIN.items()))
        (conf / "master.cf").write_text("smtp unix - - n - - smtp\nrelay unix - - n - - smtp\n" + services)
        (base / "server").mkdir()
        server = Server(base / "server", postfix_config=str(conf), queue_directory=str(base / "postfix" / "spool"), minimal_backoff_time="1000s",
                        myhostname=None, mydestination=None)
        server.start()
        try:
            submit(server.port["smtp"])
            wait_for(lambda: len(got(drop, base / "mine")) == expected and all(f"to={r} " in server.log() for r in OUTCOMES), 40,
                     "our deliveries: " + server.log()[-3000:])
            ours = server.log()
        finally:
            server.stop()
        have = got(drop, base / "mine")
        for subject, text in want.items():
            assert have[subject].replace("/var/spool/postfix", "") == text, subject
        for rcpt in OUTCOMES:
            theirs = re.search(rf"to=<{re.escape(rcpt)}>.*? dsn=(\S+), status=(\S+) \((.*)\)", log).groups()
            mine = re.search(rf"local\.attempt .*?to={re.escape(rcpt)} .*? dsn=(\S+) status=(\S+) reply=\"?(.*?)\"?$", ours, re.M).groups()
            assert mine[:2] == theirs[:2], (rcpt, mine, theirs)
            if not rcpt.startswith("x@gone"):  # there the words are the child's own
                assert mine[2].replace("\\\"", "\"").replace(str(base / "mine"), "") == theirs[2].replace(str(base / "theirs"), "").strip(), rcpt


@pytest.mark.parametrize("user,why", [("root", "no command gets root's rights"), ("postrider-own", "no command gets the server's own rights"),
                                      ("nobody:root", "no command gets root's rights, or its group's"), ("nosuchuser", "there is no user nosuchuser")])
def test_some_rights_are_given_to_nobody(make_server, user, why):
    pipe = f"{{name=x, user={'64903' if user == 'postrider-own' else user}, argv=/bin/true}}"
    if user == "root":
        server = Server(pathlib.Path(tempfile.mkdtemp(prefix="pipe-")), pipe_transports=pipe)
        done = server.command("config", "check")
        assert done.returncode == 1 and why in done.stderr
        return
    if user == "postrider-own":
        pipe = "{name=x, user=#64903, argv=/bin/true}"
    server = make_server(transport_services="smtp=smtp local=local virtual=virtual x=pipe", pipe_transports=pipe, mynetworks="127.0.0.0/8",
                         transport_maps="inline:{ x.test=x: }")
    server.send(rcpts=["a@x.test"], subject="rights")
    if user == "postrider-own":
        why = "there is no user #64903"  # a number without a name is none either
    wait_for(lambda: why in server.log(), 20, "a deferral: " + server.log()[-2000:])
    assert "status=sent" not in server.log()
