"""The journey in: who may send what to whom, and what they are told."""
import smtplib
import socket

import pytest

from harness import DOMAIN, free_port, wait_for

pytestmark = pytest.mark.threads
ALICE, BOB = "alice@" + DOMAIN, "bob@" + DOMAIN


def refused(call, *arguments):
    code, text = call(*arguments)
    return code, text.decode()


def test_mail_from_outside_reaches_the_mailbox(server):
    server.send(rcpts=[ALICE], subject="from outside")
    message = server.inbox("alice")[-1]
    assert b"Subject: from outside\r\n" in message
    assert message.startswith(b"Return-Path: <stranger@elsewhere.test>\r\nReceived: from client.test ")
    assert message.endswith(b"\r\n\r\nbody\r\n")


def test_stranger_may_not_relay(server):
    with server.smtp() as c:
        c.ehlo()
        c.mail("stranger@elsewhere.test")
        code, text = refused(c.rcpt, "somebody@remote.test")
        assert code == 554 and text.startswith("5.7.1 <somebody@remote.test>")
    assert "reject_unauth_destination" in server.log()


def test_unknown_recipient_is_refused(server):
    with server.smtp() as c:
        c.ehlo()
        c.mail("")
        code, text = refused(c.rcpt, "nobody@" + DOMAIN)
        assert code == 550 and text.startswith("5.1.1 <nobody@")


def test_postmaster_is_always_there(server):
    with server.smtp() as c:
        c.ehlo()
        c.mail("")
        assert c.rcpt("postmaster")[0] == 250
        assert c.rcpt("PostMaster@" + DOMAIN)[0] == 250


def test_detail_and_case_of_recipients(server):
    before = len(server.inbox("bob"))
    server.send(rcpts=["BOB+lists@" + DOMAIN.upper(), '"bob"@' + DOMAIN], subject="detail")
    assert len(server.inbox("bob")) == before + 1  # one mailbox, one copy


def test_submission_requires_and_takes_auth(server):
    with server.smtp("submission") as c:
        c.ehlo()
        code, _ = c.docmd("MAIL FROM:<%s>" % ALICE)
        if code == 250:
            code, _ = c.docmd("RCPT TO:<%s>" % BOB)
        assert code == 530
        assert c.login("alice", server.passwords["alice"])[0] == 235
        assert c.sendmail(ALICE, [BOB], "Subject: hello\r\n\r\nhi\r\n") == {}
    assert b"Subject: hello" in server.inbox("bob")[-1]


def test_submission_completes_what_is_missing(server):
    with server.smtp("submission", "alice") as c:
        c.sendmail(ALICE, [BOB], "From: alice@%s\r\nBcc: secret@remote.test\r\nSubject: bare\r\n\r\nhi\r\n" % DOMAIN)
    message = server.inbox("bob")[-1]
    assert b"\r\nDate: " in message and b"\r\nMessage-ID: <" in message.replace(b"Message-Id", b"Message-ID")
    assert b"secret@remote.test" not in message


def test_wrong_password_is_refused(server):
    with server.smtp("submission") as c:
        with pytest.raises(smtplib.SMTPAuthenticationError) as e:
            c.login("alice", "s0mething-else")
        assert e.value.smtp_code == 535
    log = server.log()
    assert "s0mething-else" not in log and "secret-alice" not in log and "auth.failed" in log


def test_sender_must_be_ones_own(server):
    with server.smtp("submission", "alice") as c:
        c.docmd("MAIL FROM:<%s>" % BOB)
        code, text = c.docmd("RCPT TO:<carol@%s>" % DOMAIN)
        assert code == 553 and b"not owned by user alice" in text


def test_lmtp_answers_for_each_recipient(server):
    with smtplib.LMTP("127.0.0.1", server.port["lmtp"]) as c:
        c.ehlo()
        c.mail("a@elsewhere.test")
        assert c.rcpt(ALICE)[0] == 250 and c.rcpt(BOB)[0] == 250
        assert c.rcpt("nobody@" + DOMAIN)[0] == 550
        c.putcmd("DATA")
        assert c.getreply()[0] == 354
        c.send(b"Subject: by lmtp\r\n\r\nx\r\n.\r\n")
        assert [c.getreply()[0], c.getreply()[0]] == [250, 250]
    assert b"Subject: by lmtp" in server.inbox("alice")[-1]


def test_lmtp_over_a_unix_socket(make_server, tmp_path):
    tmp_path.chmod(0o755)
    server = make_server(listen=f"lmtp:{tmp_path}/lmtp, imap://127.0.0.1:{free_port()}", services=())
    server.port["imap"] = int(server.settings["listen"].rsplit(":", 1)[1])
    wait_for(lambda: server.answers("imap"), what="imap answers")
    with smtplib.LMTP(f"{tmp_path}/lmtp") as c:
        assert c.sendmail("a@elsewhere.test", [ALICE], "Subject: by socket\r\n\r\nx\r\n") == {}
    assert b"Subject: by socket" in server.inbox("alice")[-1]


def test_large_message_arrives_whole(server):
    line = "x" * 70 + "\r\n"
    server.send(rcpts=[ALICE], subject="large", body=line * 40000)
    assert server.inbox("alice")[-1].count(b"\r\n" + b"x" * 70) == 40000


def test_message_above_the_limit_is_refused(make_server):
    server = make_server(message_size_limit=100000)
    with server.smtp() as c:
        c.ehlo()
        assert c.docmd("MAIL FROM:<a@b.test> SIZE=100001")[0] == 552
        c.mail("a@b.test")
        c.rcpt(ALICE)
        assert c.data("Subject: x\r\n\r\n" + "y" * 200000)[0] == 552
    assert server.inbox("alice") == []


def test_pipelined_dialogue(server):
    with socket.create_connection(("127.0.0.1", server.port["smtp"])) as s:
        f = s.makefile("rb")
        assert f.readline().startswith(b"220 ")
        s.sendall(b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<%s>\r\nRCPT TO:<no@%s>\r\nDATA\r\n" % (ALICE.encode(), DOMAIN.encode()))
        lines = []
        while not lines or not lines[-1].startswith(b"354"):
            lines.append(f.readline())
        codes = [line[:3] for line in lines if line[3:4] == b" "]
        assert codes == [b"250", b"250", b"250", b"550", b"354"]
        s.sendall(b"Subject: piped\r\n\r\nhello\r\n.\r\nQUIT\r\n")
        assert f.readline().startswith(b"250 2.0.0 ") and f.readline().startswith(b"221 ")


def test_alias_and_catch_all(make_server, tmp_path):
    aliases = tmp_path / "aliases"
    aliases.write_text("team: alice, bob\n@wild.test: carol\nloop: loop2\nloop2: loop\n")
    tmp_path.chmod(0o755)
    server = make_server(alias_maps=str(aliases), mydestination=f"$myhostname, {DOMAIN}, wild.test")
    server.send(rcpts=["team@" + DOMAIN, ALICE], subject="team")
    server.send(rcpts=["anything@wild.test"], subject="wild")
    assert [len(server.inbox(u)) for u in ("alice", "bob", "carol")] == [1, 1, 1]
    with server.smtp() as c:
        c.ehlo()
        c.mail("")
        assert c.rcpt("loop@" + DOMAIN)[0] >= 400


def test_accounts_change_while_running(make_server):
    server = make_server()
    server.ok("user", "add", "dave", "--password-stdin", input="geheim\n")
    server.passwords["dave"] = "geheim"

    def dave_can_log_in():
        try:
            server.imap("dave").logout()
            return True
        except Exception:
            return False

    wait_for(dave_can_log_in, what="new account")
    server.ok("user", "del", "dave")
    wait_for(lambda: not dave_can_log_in(), what="removed account")


@pytest.mark.parametrize("role", ["auth", "mailbox"])
def test_a_transaction_outlives_the_restart_of(make_server, role):
    """Whom edge was told to take stays permitted, whichever side of the grant dies before the message is there."""
    server = make_server()
    with server.smtp() as c:
        c.ehlo()
        c.mail("stranger@elsewhere.test")
        assert c.rcpt(ALICE)[0] == 250
        server.kill_role(role)
        wait_for(lambda: f" edge info ipc.up peer={role}" in server.log(), 20, f"{role} is back")
        assert c.data("Subject: outlived\r\n\r\nbody\r\n")[0] == 250
    assert b"Subject: outlived" in server.inbox("alice")[-1]


def test_nul_and_bare_newlines_are_handled(server):
    before = len(server.inbox("carol"))
    for ending in (b"a\nb\r\n.\r\n", b"a\rb\r\n.\r\n"):
        with server.smtp() as c:
            c.ehlo()
            c.mail("")
            c.rcpt("carol@" + DOMAIN)
            c.putcmd("DATA")
            c.getreply()
            c.send(b"Subject: x\r\n\r\n" + ending)
            assert c.getreply()[0] // 100 == 5
    assert len(server.inbox("carol")) == before


def test_a_thousand_long_recipients(make_server):
    """smtpd_recipient_limit alone counts them: however long their addresses are, they all come through."""
    server = make_server(transport_maps="inline:{ {far.test = discard:} }", mynetworks="127.0.0.0/8")
    rcpts = [f"{'long' * 14}{i:04}@far.test" for i in range(1000)]
    with server.smtp() as client:
        client.ehlo()
        client.mail("a@b.test")
        assert all(client.rcpt(r)[0] == 250 for r in rcpts)
        assert client.rcpt("one-more@far.test")[0] == 452
        assert client.data("Subject: to many\r\n\r\nx\r\n")[0] == 250
    wait_for(lambda: server.log().count("outcome=sent") == 1000, 60, "all of them")
