"""Mail out of Postrider in a world of five hosts (five_hosts.py): MX hosts that are down, slow, full of nonsense or cut off, a
name server that dawdles, DANE, a full disk and kill -9 on both sides of a transaction. Nothing that was acknowledged
may be lost, nothing comes twice but where the other side took a message and could not say so."""
import contextlib
import imaplib
import json
import os
import re
import socket
import subprocess
import time

import pytest

from five_hosts import EXIM, TARPIT, US, five_hosts, kill_all, peers, wait_up
from harness import DOMAIN, wait_for

SENDER = "alice@" + DOMAIN
MIB = 1 << 20


@pytest.fixture(scope="module")
def world():
    with contextlib.ExitStack() as stack:
        try:
            yield stack.enter_context(five_hosts())
        except peers.Unavailable as why:
            pytest.skip(f"five network namespaces: {why}")


@pytest.fixture(autouse=True)
def calm(world):
    """Each test begins with hosts that are up and behave, and with an empty queue."""
    world.tarpit.clear()
    yield
    world.tarpit.clear()
    world.dns.delay_s, world.dns.lost = 0, False
    wait_for(lambda: world.server.command("queue", "delete", "all").returncode == 0, 15, "no attempt under way")


def send(world, rcpt, subject, body="hello\r\n"):
    world.server.send(sender=SENDER, rcpts=[rcpt], subject=subject, body=body)


def wait(server, condition, seconds, what):
    """wait_for, which shows the log's end on failure."""
    try:
        return wait_for(condition, seconds, what)
    except (AssertionError, OSError, imaplib.IMAP4.error) as why:
        raise AssertionError(f"{why}; log: {server.log()[-4000:]}") from why


def queue(server):
    return json.loads(server.ok("queue", "list", "--json"))


def arrives(world, box, subject, seconds=20, times=1):
    wait(world.server, lambda: box.count(subject) >= times, seconds, subject)
    wait_for(lambda: not queue(world.server), 15, "an empty queue")
    assert box.count(subject) == times


def attempts(world, rcpt, pattern=""):
    return re.findall(rf"relay\.attempt .*to={re.escape(rcpt)} .*{pattern}.*", world.server.log())


def deferred(world, rcpt, why):
    return wait(world.server, lambda: attempts(world, rcpt, rf"status=deferred .*{why}"), 20, f"a deferral of {rcpt}")


# ---- two MX hosts of one domain ----

def test_the_second_host_is_for_when_the_first_is_down(world):
    send(world, "u@two.test", "first-up")
    arrives(world, world.postfix, "first-up")
    world.postfix.stop()
    try:
        send(world, "u@two.test", "first-down")
        arrives(world, world.exim, "first-down")
        world.exim.stop()
        send(world, "u@two.test", "both-down")
        deferred(world, "u@two.test", "refused")
    finally:
        world.postfix.start()
        world.exim.start()
    wait_for(lambda: world.postfix.count("both-down") + world.exim.count("both-down"), 20, "the mail when both are up")
    wait_for(lambda: not queue(world.server), 15, "an empty queue")
    assert world.postfix.count("both-down") + world.exim.count("both-down") == 1


def test_a_first_host_that_drops_packets(world):
    send(world, "u@away.test", "away")
    arrives(world, world.exim, "away")


def test_a_host_that_is_not_ready_is_asked_again(world):
    wait_up(EXIM)
    world.exim.close_door(True)
    try:
        send(world, "u@exim.test", "later")
        assert "451" in deferred(world, "u@exim.test", "come back later")[0]
    finally:
        world.exim.close_door(False)
    arrives(world, world.exim, "later")


def test_greylisting(world):
    send(world, "grey@postfix.test", "greylisted")
    deferred(world, "grey@postfix.test", "greylisted, come back")
    arrives(world, world.postfix, "greylisted")


def test_tls_with_both(world):
    for domain, host in (("postfix.test", "pf.test"), ("exim.test", "ex.test")):
        send(world, "tls@" + domain, "tls-" + domain)
        wait_for(lambda d=domain, h=host: attempts(world, "tls@" + d, rf"relay={re.escape(h)}\[.*status=sent tls=\"TLSv1\.3"), 20, "TLS with " + host)


# ---- DANE ----

def test_dane(world):
    for domain, host in (("good.test", "pf.test"), ("either.test", "pf.test")):
        send(world, "d@" + domain, "dane-" + domain)
        wait_for(lambda d=domain, h=host: attempts(world, "d@" + d, rf"relay={re.escape(h)}\[.*status=sent .*verified"), 20, "DANE of " + domain)
        arrives(world, world.postfix, "dane-" + domain)
    send(world, "d@mismatch.test", "dane-mismatch")
    deferred(world, "d@mismatch.test", "the TLSA records of ex.test say otherwise")
    assert not world.exim.count("dane-mismatch")


# ---- a host that does things wrong ----

@pytest.mark.parametrize("name,fault", [("banner", {"banner_s": 1.5}), ("bytes", {"byte_s": 0.01})])
def test_slow_but_in_time(world, name, fault):
    for what, value in fault.items():
        setattr(world.tarpit, what, value)
    send(world, f"u@{name}.tar.test", name)
    arrives(world, world.tarpit, name)


@pytest.mark.parametrize("name,fault,why", [
    ("connect421", {"replies": {"EHLO": "421 4.3.2 going down"}}, "421"),
    ("mail421", {"replies": {"MAIL": "421 4.3.2 going down"}}, "421"),
    ("rcpt421", {"replies": {"RCPT": "421 4.3.2 going down"}}, "421"),
    ("data421", {"replies": {"DATA": "421 4.3.2 going down"}}, "421"),
    ("rcpt450", {"replies": {"RCPT": "450 4.2.0 try later"}}, "450"),
    ("nonsense", {"replies": {"RCPT": "hello?"}}, ""),
    ("late", {"banner_s": 5}, ""),
    ("endless", {"long_lines": 50}, ""),
    ("shut", {"shut": True}, ""),
])
def test_wrong_then_right(world, name, fault, why):
    """What fails waits with its reason; it arrives once, as soon as the host behaves."""
    for what, value in fault.items():
        setattr(world.tarpit, what, value)
    send(world, f"u@{name}.tar.test", name)
    deferred(world, f"u@{name}.tar.test", why)
    world.tarpit.clear()
    arrives(world, world.tarpit, name)


def test_endless_replies_cost_no_memory(world):
    relay = world.server.role_pids()["relay"]
    world.tarpit.long_lines = 50
    for i in range(20):
        send(world, f"u@long{i}.tar.test", f"long{i}")
    for i in range(20):
        deferred(world, f"u@long{i}.tar.test", "")
    assert world.server.role_pids()["relay"] == relay
    for message in queue(world.server):
        assert all(len(r["reason"]) < 2000 for r in message["recipients"])


def test_broken_tls(world):
    world.tarpit.starttls = "broken"
    send(world, "u@broken.tar.test", "in-clear")
    arrives(world, world.tarpit, "in-clear")
    world.server.reload(smtp_tls_security_level="encrypt")
    try:
        send(world, "v@broken.tar.test", "never-in-clear")
        deferred(world, "v@broken.tar.test", "")
        assert not world.tarpit.count("never-in-clear")
        world.tarpit.starttls = "works"
        arrives(world, world.tarpit, "never-in-clear")
        assert world.tarpit.with_subject("never-in-clear")["tls"]
    finally:
        world.server.reload(smtp_tls_security_level=None)


def test_no_reply_to_the_end_of_a_message(world):
    """RFC 5321 4.5.3.2.6: who took it can't say so, and gets it again."""
    world.tarpit.mute = True
    send(world, "u@mute.tar.test", "mute")
    deferred(world, "u@mute.tar.test", "")
    world.tarpit.mute = False
    wait_for(lambda: not queue(world.server), 20, "an empty queue")
    tried = len(attempts(world, "u@mute.tar.test"))
    assert world.tarpit.count("mute") == tried >= 2


# ---- what one destination costs the others ----

def test_half_open_connections_hold_up_nobody(world):
    world.server.reload(smtp_connect_timeout="8s", smtp_helo_timeout="8s")
    try:
        for i in range(25):
            send(world, f"u@h{i}.hole.test", f"hole{i}")
            send(world, f"u@s{i}.silent.test", f"silent{i}")
            send(world, f"u{i}@same.hole.test", f"same{i}")
        begin = time.monotonic()
        send(world, "u@postfix.test", "past-the-holes")
        wait_for(lambda: world.postfix.count("past-the-holes"), 6, "mail for a host that is well")
        assert time.monotonic() - begin < 6
        assert not attempts(world, "u@h0.hole.test") and not attempts(world, "u@s0.silent.test")  # still under way
    finally:
        world.server.reload(smtp_connect_timeout="2s", smtp_helo_timeout="3s")


def test_a_dead_destination_gets_few_connections(world):
    world.tarpit.shut = True
    world.server.reload(minimal_backoff_time="60s", maximal_backoff_time="60s")
    try:
        before = world.tarpit.connections
        for i in range(60):
            send(world, f"u{i}@dead.tar.test", f"dead{i}")
        wait_for(lambda: len(queue(world.server)) == 60 and all(m["recipients"][0]["reason"] for m in queue(world.server)), 20, "60 deferrals")
        assert world.tarpit.connections - before <= 12
    finally:
        world.server.reload(minimal_backoff_time="1s", maximal_backoff_time="2s")
    world.tarpit.shut = False
    world.server.ok("queue", "flush")
    wait_for(lambda: all(world.tarpit.count(f"dead{i}") for i in range(60)), 20, "all 60")


# ---- the name server ----

def test_slow_names_hold_up_nobody_who_needs_none(world):
    world.dns.delay_s = 0.4
    send(world, "u@slow1.tar.test", "slow-name")
    send(world, "d@good.test", "slow-dane")
    begin = time.monotonic()
    send(world, f"u@[{TARPIT}]", "needs-no-name")
    wait(world.server, lambda: world.tarpit.count("needs-no-name"), 10, "mail that needs no name server")
    assert time.monotonic() - begin < 5
    wait_for(lambda: world.tarpit.count("slow-name") and world.postfix.count("slow-dane"), 20, "mail after a while")


def test_a_name_server_that_is_silent(world):
    world.dns.lost = True
    send(world, "u@lost1.tar.test", "lost-name")
    send(world, f"u@[{TARPIT}]", "meanwhile")
    wait(world.server, lambda: world.tarpit.count("meanwhile"), 10, "mail that needs no name server")
    assert not world.tarpit.count("lost-name")
    world.dns.lost = False
    arrives(world, world.tarpit, "lost-name", 30)


# ---- the disk ----

def test_a_bounce_waits_for_room_on_the_disk(world, tmp_path):
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m,mode=755", "tmpfs", str(tmp_path)], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip("cannot mount: " + mounted.stderr)
    try:
        server = world.make_server(tmp_path / "server").start()
        try:
            world.tarpit.replies = {"RCPT": "450 4.2.0 try later"}
            server.send(sender=SENDER, rcpts=["u@full.tar.test"], subject="will-bounce")
            wait_for(lambda: "450 4.2.0" in server.log(), 20, "a deferral")
            with open(tmp_path / "filler", "wb") as filler, contextlib.suppress(OSError):
                while True:
                    os.write(filler.fileno(), b"x" * 65536)
            world.tarpit.replies = {"RCPT": "550 5.1.1 nobody here"}
            wait(server, lambda: re.search(r"bounce\.failed .*result=full", server.log()), 20, "a notice that finds no room")
            can_log_in(server)
            (tmp_path / "filler").unlink()
            wait_for(lambda: can_log_in(server), 15, "a login")
            wait(server, lambda: bounces(server, "will-bounce"), 30, "the notice")
            wait_for(lambda: not queue(server), 15, "an empty queue")
            assert bounces(server, "will-bounce") == 1
        finally:
            server.stop()
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def bounces(server, subject):
    return sum(b"550 5.1.1 nobody here" in m and f"Subject: {subject}".encode() in m for m in server.inbox())


def can_log_in(server):
    """A first login needs room on the disk; for want of it nobody is told of too many sessions."""
    try:
        server.imap().logout()
        return True
    except imaplib.IMAP4.error as why:
        assert "UNAVAILABLE" in str(why)
        return False


# ---- kill -9 ----

def killed(server):
    server.kill_everything()
    server.start()


def test_killed_while_a_client_sends(world):
    """Half a message is none; a message with its 250 is one."""
    server = world.server
    with socket.create_connection((US, server.port["smtp"]), 5) as s, s.makefile("rwb", 0) as f:
        f.readline()
        for command in ("HELO x.test", f"MAIL FROM:<{SENDER}>", "RCPT TO:<half@half.tar.test>", "DATA"):
            f.write(command.encode() + b"\r\n")
            assert f.readline()[:1] in b"23"
        f.write(b"Subject: half\r\n\r\n" + b"x\r\n" * 10000)
        killed(server)
    world.tarpit.replies = {"RCPT": "450 4.2.0 not yet"}
    send(world, "whole@half.tar.test", "whole")
    killed(server)
    assert [m["recipients"][0]["address"] for m in queue(server)] == ["whole@half.tar.test"]
    world.tarpit.clear()
    arrives(world, world.tarpit, "whole")
    assert not world.tarpit.count("half")


def test_killed_while_it_sends(world):
    world.tarpit.stall = True
    send(world, "u@stall.tar.test", "stalled", "x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * 20000)
    wait_for(lambda: world.tarpit.cut, 20, "the beginning of the message")
    world.server.kill_everything()
    world.tarpit.clear()
    world.server.start()
    arrives(world, world.tarpit, "stalled")


@pytest.mark.parametrize("name", ["postfix", "exim"])
def test_both_killed_in_the_middle(world, name):
    """In the middle of DATA, on a line that makes the middle long."""
    host = getattr(world, name)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(world.narrow(name))
        except peers.Unavailable as why:
            pytest.skip(f"a narrow line: {why}")
        send(world, f"u@{name}.test", f"cut-{name}", ("z" * 70 + "\r\n") * 60000)
        wait(world.server, lambda: any(size(f) > 200_000 for f in host.incoming()), 20, "half a message")
        kill_all(world.server.process.pid)
        world.server.process.wait()
        host.kill()
    assert not host.count(f"cut-{name}")
    host.start()
    world.server.start()
    arrives(world, host, f"cut-{name}", 30)


def size(path):
    try:
        return path.stat().st_size
    except OSError:
        return 0
