"""ETRN (RFC 1985): whose mail waits here has it sent at once; for nobody else."""
import smtplib

import pytest

from harness import Server, free_port, wait_for
from scripted import Scripted


@pytest.fixture(scope="module")
def waiting(tmp_path_factory):
    """A server with a message that waits an hour for a host that is not there yet."""
    port = free_port()
    server = Server(tmp_path_factory.mktemp("etrn"), relay_domains="dest.test, quiet.test", fast_flush_domains="dest.test",
                    transport_maps=f"inline:{{ {{dest.test = smtp:[127.0.0.1]:{port}}} }}", minimal_backoff_time="1h",
                    maximal_backoff_time="1h", smtpd_etrn_restrictions="check_etrn_access inline:{other.test=REJECT}")
    server.start()
    wait_for(lambda: sent(server), 10, "the store is open")
    wait_for(lambda: "somebody@dest.test" in server.ok("queue", "list") and "deferred" in server.ok("queue", "list"), 20, "a first attempt")
    yield server, port
    server.stop()


def sent(server):
    try:
        server.send(rcpts=("somebody@dest.test",), subject="waits")
        return True
    except smtplib.SMTPDataError:
        return False


def etrn(server, domain):
    with server.smtp() as client:
        client.ehlo()
        code, text = client.docmd("ETRN", domain)
        return f"{code} {text.decode()}"


def test_only_for_fast_flush_domains(waiting):
    server, _ = waiting
    assert etrn(server, "quiet.test") == "459 <quiet.test>: service unavailable"
    assert etrn(server, "other.test") == "554 5.7.1 <other.test>: Etrn command rejected: Access denied"
    assert "fast_flush_domains" in server.log()


def test_mail_is_sent_at_once(waiting):
    server, port = waiting
    with Scripted(("127.0.0.1", port), None) as there:
        assert etrn(server, "@DEST.test") == "250 Queuing started"
        wait_for(lambda: there.messages, 20, "the message; " + server.log()[-1500:])
    assert "Subject: waits" in there.messages[0]["text"]
