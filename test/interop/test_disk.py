"""A nearly full disk: new mail gets 452 within the reserve, users read and delete, and all goes on when space is
back. Needs root for a small file system of its own."""
import os
import subprocess

import pytest

from harness import DOMAIN, Server, wait_for

MIB = 1 << 20


@pytest.fixture
def small_disk(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a small file system")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m,mode=755", "tmpfs", str(tmp_path)], capture_output=True,
                             text=True, check=False)
    if mounted.returncode:
        pytest.skip("cannot mount: " + mounted.stderr)
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def code_for_mail(server):
    """What one mail is answered; counts those that were taken in server.taken."""
    code = try_mail(server)
    server.taken = getattr(server, "taken", 0) + (code == 250)
    return code


def try_mail(server):
    with server.smtp() as c:
        c.ehlo()
        for reply in (c.mail("x@elsewhere.test"), c.rcpt("alice@" + DOMAIN)):
            if reply[0] != 250:
                return reply[0]
        return c.data("Subject: x\r\n\r\nbody\r\n")[0]


def test_full_disk_refuses_mail_but_serves_users(small_disk):
    server = Server(small_disk, reserve_disk_bytes=100 * MIB).start()
    for _ in range(3):
        assert code_for_mail(server) == 250
    filler = small_disk / "filler"
    stat = os.statvfs(small_disk)
    with open(filler, "wb") as f:
        for _ in range((stat.f_bavail * stat.f_frsize - 50 * MIB) // MIB):
            f.write(b"x" * MIB)
    wait_for(lambda: code_for_mail(server) == 452, what="452")
    client = server.imap()
    client.select("INBOX")
    assert client.fetch("1", "(BODY.PEEK[])")[0] == "OK"
    assert client.store("1", "+FLAGS", r"(\Deleted)")[0] == "OK"
    assert client.expunge()[1] == [b"1"]
    client.logout()
    assert code_for_mail(server) == 452
    filler.unlink()
    wait_for(lambda: code_for_mail(server) == 250, what="250 again")
    assert len(server.inbox()) == server.taken - 1
    server.stop()
