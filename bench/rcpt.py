"""rcpt.py: what a recipient costs auth: CPU time for each RCPT with the default lists and with ten words and three tables.
Run: python3 bench/rcpt.py (POSTRIDER names the program)."""
import os
import pathlib
import socket
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "test" / "interop"))
from harness import Server  # noqa: E402

ROUNDS, RCPTS = 40, 400
TEN_WORDS = ("reject_non_fqdn_sender, reject_non_fqdn_recipient, check_client_access cidr:%/networks, check_sender_access texthash:%/access, "
             "check_recipient_access texthash:%/access, reject_unauth_destination, reject_unlisted_recipient, check_helo_access texthash:%/access, "
             "permit_mynetworks, reject_unauth_pipelining")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def play(port):
    """One client that pipelines; every reply must be a success."""
    with socket.create_connection(("127.0.0.1", port)) as client, client.makefile("rb") as replies:
        replies.readline()
        client.sendall(b"EHLO x.test\r\n")
        while replies.readline()[3:4] == b"-":
            pass
        for _ in range(ROUNDS):
            client.sendall(b"MAIL FROM:<a@b.test>\r\n" + b"RCPT TO:<alice@example.test>\r\n" * RCPTS + b"RSET\r\n")
            for _ in range(RCPTS + 2):
                assert replies.readline().startswith(b"2")


def measure(name, restrictions):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "networks").write_text("".join(f"10.{i // 250}.{i % 250}.0/24 REJECT\n" for i in range(1000)))
        (path / "access").write_text("".join(f"user{i}@far.test REJECT\n" for i in range(10000)))
        server = Server(folder, services=("smtp",), smtpd_recipient_restrictions=restrictions.replace("%", folder)).start()
        auth = server.role_pids()["auth"]
        before, began = cpu_seconds(auth), time.monotonic()
        play(server.port["smtp"])
        used, took = cpu_seconds(auth) - before, time.monotonic() - began
        server.stop()
    print(f"{name}: {used / ROUNDS / RCPTS * 1e6:.0f} us of auth's CPU each, {ROUNDS * RCPTS / took:.0f} recipients a second on one connection")


if __name__ == "__main__":
    measure("default lists", "")
    measure("ten words, three tables", TEN_WORDS)
