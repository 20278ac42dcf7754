"""How mail that leaves is scheduled: dead destinations, rate delays, transports of master.cf, defer_transports."""
import re
import socket
import threading
import time

from harness import DOMAIN, Server, free_port, wait_for
from scripted import Scripted

MASTER = """smtp inet n - n - - smtpd
smtp unix - - n - - smtp
slow unix - - n - - smtp
narrow unix - - n - 2 smtp
"""


def start(tmp_path, transports, main="", master=MASTER, **settings):
    """A server with Postfix's files; transports: domain -> where its mail goes."""
    postfix = tmp_path / "postfix"
    postfix.mkdir()
    (tmp_path / "server").mkdir()
    (postfix / "transport").write_text("".join(f"{domain} {to}\n" for domain, to in transports.items()))
    (postfix / "main.cf").write_text("transport_maps = hash:$config_directory/transport\n"
                                     "compatibility_level = 3.6\nsmtpd_sasl_auth_enable = yes\nsmtp_tls_security_level = none\n"
                                     f"mynetworks = 127.0.0.0/8\nconfig_directory = {postfix}\n{main}")
    (postfix / "master.cf").write_text(master)
    return Server(tmp_path / "server", postfix_config=str(postfix), **settings).start()


def send(server, rcpts, subject):
    server.send(sender=f"alice@{DOMAIN}", rcpts=rcpts, subject=subject, service="submission", user="alice")


def attempts(server):
    return re.findall(r"relay\.attempt .*", server.log())


def queued(server):
    return server.ok("queue", "list", "--json")


class Doorkeeper:
    """Takes connections, greets nobody, and counts how many there were at a time."""

    def __init__(self):
        self.socket = socket.create_server(("", 0), backlog=200)  # one destination for each address of loopback
        self.port = self.socket.getsockname()[1]
        self.held, self.most = [], 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                self.held.append(self.socket.accept()[0])
            except OSError:
                return
            self.most = max(self.most, len(self.held))

    def close(self):
        self.socket.close()
        for connection in self.held:
            connection.close()
        self.held = []


def test_a_dead_destination_costs_few_connections(tmp_path):
    port = free_port()
    server = start(tmp_path, {"dead.test": f"smtp:[127.0.0.1]:{port}"})
    try:
        for i in range(40):
            send(server, [f"u{i}@dead.test"], f"m{i}")
        wait_for(lambda: server.log().count("outcome=deferred") >= 40, 20, "all deferred")
        assert len(attempts(server)) <= 10
        assert "delivery temporarily suspended" in queued(server)
        assert "Connection refused" in queued(server)
        with Scripted(("127.0.0.1", port), None) as there:
            server.ok("queue", "flush")
            wait_for(lambda: len(there.messages) == 40, 20, "all delivered")
        wait_for(lambda: queued(server).strip() == "[]", 10, "the queue is empty")
    finally:
        server.stop()


def test_a_slow_transport(tmp_path):
    port = free_port()
    with Scripted(("127.0.0.1", port), None) as there:
        server = start(tmp_path, {"slow.test": f"slow:[127.0.0.1]:{port}", "fast.test": f"smtp:[127.0.0.1]:{port}"},
                       "slow_destination_rate_delay = 1s\n")
        try:
            begin = time.monotonic()
            for i in range(3):
                send(server, [f"u{i}@slow.test"], f"slow{i}")
            send(server, ["u@fast.test"], "fast")
            wait_for(lambda: there.with_subject("fast"), 5, "the fast one")
            wait_for(lambda: len(there.messages) == 4, 20, "the slow ones")
            assert time.monotonic() - begin >= 2
        finally:
            server.stop()


def test_maxproc_of_master_cf(tmp_path):
    door = Doorkeeper()
    server = start(tmp_path, {f"d{i}.test": f"narrow:[127.0.0.{i + 1}]:{door.port}" for i in range(6)}, "smtp_helo_timeout = 300s\n")
    try:
        for i in range(6):
            send(server, [f"u@d{i}.test"], f"m{i}")
        wait_for(lambda: len(door.held) == 2, 10, "two connections")
        time.sleep(1)
        assert door.most == 2
        door.close()  # all six are missed, two at a time: each place is given on
        wait_for(lambda: len(attempts(server)) == 6, 20, "everybody's turn")
    finally:
        door.close()
        server.stop()


def test_defer_transports(tmp_path):
    port = free_port()
    with Scripted(("127.0.0.1", port), None) as there:
        server = start(tmp_path, {"later.test": f"slow:[127.0.0.1]:{port}"}, "defer_transports = slow\n")
        try:
            send(server, ["u@later.test"], "later")
            wait_for(lambda: "deferred transport" in queued(server), 10, "put off")
            assert not there.messages
            server.ok("queue", "flush")
            wait_for(lambda: there.with_subject("later"), 10, "flushed")
        finally:
            server.stop()


def test_fallback_relay(tmp_path):
    """For next hops that can't be reached or found."""
    port = free_port()
    with Scripted(("127.0.0.1", port), None) as there:
        server = start(tmp_path, {"down.test": f"smtp:[127.0.0.1]:{free_port()}"},
                       f"smtp_fallback_relay = [127.0.0.1]:{free_port()}, [127.0.0.1]:{port}\n")
        try:
            send(server, ["u@down.test"], "unreached")
            wait_for(lambda: there.with_subject("unreached"), 10, "mail by the fallback")
            assert f"relay=127.0.0.1[127.0.0.1]:{port}" in attempts(server)[-1]
        finally:
            server.stop()


def test_connections_end_after_so_many_messages(tmp_path):
    port = free_port()
    with Scripted(("127.0.0.1", port), None) as there:
        server = start(tmp_path, {"there.test": f"smtp:[127.0.0.1]:{port}"},
                       "smtp_connection_reuse_count_limit = 2\ninitial_destination_concurrency = 1\n"
                       "default_destination_concurrency_limit = 1\n")
        try:
            for i in range(6):
                send(server, [f"u{i}@there.test"], f"m{i}")
                wait_for(lambda: len(there.messages) == i + 1, 10, "the next one")
            assert sum(line.startswith("EHLO") for line in there.lines) == 3
        finally:
            server.stop()
