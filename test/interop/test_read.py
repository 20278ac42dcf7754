"""The journey out: POP3 and IMAP, with Python's clients and by hand."""
import imaplib
import poplib
import socket
import ssl

import pytest

from harness import DOMAIN, wait_for

pytestmark = pytest.mark.threads


def lax():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def test_pop3_reads_and_deletes(make_server):
    server = make_server()
    for i in range(3):
        server.send(subject=f"pop {i}", body=".dot\r\nline\r\n" * 5)
    c = server.pop3()
    assert c.stat()[0] == 3
    uidls = c.uidl()[1]
    assert len(set(u.split()[1] for u in uidls)) == 3
    lines = c.retr(2)[1]
    assert b"Subject: pop 1" in lines and lines.count(b".dot") == 5
    assert c.top(1, 1)[1][-1] == b".dot"
    c.dele(2)
    c.rset()
    c.dele(1)
    other = server.pop3()  # nobody is locked out
    assert other.stat()[0] == 3
    c.quit()
    assert other.stat()[0] == 3  # its own picture stays until it ends
    other.quit()
    c = server.pop3()
    assert c.stat()[0] == 2 and c.uidl()[1] == [b"1 " + uidls[1].split()[1], b"2 " + uidls[2].split()[1]]
    c.quit()


def test_pop3_without_quit_deletes_nothing(make_server):
    server = make_server()
    server.send()
    c = server.pop3()
    c.dele(1)
    c.close()
    assert server.pop3().stat()[0] == 1


def test_pop3_tls_and_capabilities(server):
    c = poplib.POP3("127.0.0.1", server.port["pop3"], timeout=20)
    capa = c.capa()
    assert {"UIDL", "TOP", "STLS", "SASL", "PIPELINING", "RESP-CODES", "USER"} <= set(capa)
    c.stls(lax())
    c.user("alice")
    c.pass_(server.passwords["alice"])
    c.quit()
    c = poplib.POP3_SSL("127.0.0.1", server.port["pop3s"], context=lax(), timeout=20)
    c.user("alice")
    with pytest.raises(poplib.error_proto, match="AUTH"):
        c.pass_("wrong")
    c.close()


def test_imap_session(make_server):
    server = make_server()
    for i in range(3):
        server.send(subject=f"imap {i}")
    c = server.imap()
    names = b" ".join(c.list()[1])
    for mailbox in (b"INBOX", rb"\Drafts", rb"\Sent", rb"\Junk", rb"\Trash", rb"\Archive"):
        assert mailbox in names
    assert c.select("INBOX")[1] == [b"3"]
    assert c.search(None, "SUBJECT", '"imap 1"')[1] == [b"2"]
    assert c.store("2", "+FLAGS", r"(\Seen $Work)")[0] == "OK"
    assert c.search(None, "KEYWORD", "$Work", "SEEN")[1] == [b"2"]
    _, data = c.fetch("1", "(ENVELOPE BODYSTRUCTURE RFC822.SIZE INTERNALDATE UID)")
    assert b'"imap 0"' in data[0] and b'("text" "plain"' in data[0].lower()
    assert c.copy("1:2", "Archive")[0] == "OK"
    assert c.uid("MOVE", "1", "Trash")[0] == "OK"
    assert c.search(None, "ALL")[1] == [b"1 2"]
    assert c.append("Drafts", r"(\Draft)", None, b"Subject: own\r\n\r\ntext\r\n")[0] == "OK"
    assert c.status("Drafts", "(MESSAGES UNSEEN)")[1][0].endswith(b"(MESSAGES 1 UNSEEN 1)")
    c.store("1", "+FLAGS", r"\Deleted")
    assert c.expunge()[1][-1] == b"1"  # behind the one that MOVE told
    assert c.create("Project/a&AOQ-")[0] == "OK" and c.rename("Project", "Done")[0] == "OK"
    assert any(b"Done/a&AOQ-" in line for line in c.list()[1])
    assert c.delete("Done/a&AOQ-")[0] == "OK" and c.close()[0] == "OK"
    c.logout()


def test_imap_idle_tells_of_new_mail(server):
    c = server.imap("carol")
    c.select("INBOX")
    c.send(b"i IDLE\r\n")
    assert c.readline().startswith(b"+")
    server.send(rcpts=["carol@" + DOMAIN])
    while b"EXISTS" not in c.readline():
        pass
    c.send(b"DONE\r\n")
    while not c.readline().startswith(b"i OK"):
        pass
    c.logout()


def test_imap_tls(server):
    c = imaplib.IMAP4_SSL("127.0.0.1", server.port["imaps"], ssl_context=lax(), timeout=20)
    c.login("alice", server.passwords["alice"])
    assert c.select("INBOX")[0] == "OK"
    c.logout()
    c = imaplib.IMAP4("127.0.0.1", server.port["imap"], timeout=20)
    c.starttls(lax())
    c.authenticate("PLAIN", lambda _: b"\0alice\0" + server.passwords["alice"].encode())
    c.logout()


def test_imap_wrong_password(server):
    c = imaplib.IMAP4("127.0.0.1", server.port["imap"], timeout=20)
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        c.login("alice", "wrong")
    c.shutdown()


def test_plaintext_behind_starttls_is_not_taken(server):
    """The STARTTLS injection (RFC 3207, CVE-2011-0411): what came in clear is never answered inside TLS."""
    dialogues = (("imap", b"* OK", b"a STARTTLS\r\nb NOOP\r\n", b"b OK"), ("pop3", b"+OK", b"STLS\r\nCAPA\r\n", b"+OK"))
    for service, first, command, injected in dialogues:
        s = socket.create_connection(("127.0.0.1", server.port[service]), timeout=5)
        greeting = b""
        while not greeting.endswith(b"\r\n"):
            greeting += s.recv(1)
        assert greeting.startswith(first)
        s.sendall(command)
        answer = b""
        while not answer.endswith(b"\r\n"):
            piece = s.recv(1)
            if not piece:
                break
            answer += piece
        if not answer.startswith((b"a OK", b"+OK")):
            continue  # refused outright: as good
        try:
            with lax().wrap_socket(s, server_hostname="x") as wrapped:
                wrapped.settimeout(1)
                assert not wrapped.recv(100).startswith(injected)
        except (TimeoutError, OSError):
            pass


def test_connection_limit_per_user_and_address(make_server):
    server = make_server(mail_max_userip_connections="2")
    held = [server.imap(), server.imap()]
    with pytest.raises(imaplib.IMAP4.error, match="LIMIT"):
        server.imap()
    held.pop().logout()
    wait_for(lambda: server.imap().logout(), what="a place that became free")


def test_uids_and_modseq_survive_a_restart(make_server):
    server = make_server()
    server.send(subject="one")
    c = server.imap()
    c.select("INBOX")
    before = c.response("UIDVALIDITY")[1], c.fetch("1", "(UID)")[1]
    c.logout()
    server.stop()
    server.start()
    server.send(subject="two")
    c = server.imap()
    c.select("INBOX")
    assert (c.response("UIDVALIDITY")[1], c.fetch("1", "(UID)")[1]) == before
    assert c.fetch("2", "(UID)")[1] != c.fetch("1", "(UID)")[1]
    c.logout()
