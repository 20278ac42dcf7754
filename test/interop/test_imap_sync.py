"""Two sessions on one mailbox, and clients that come back: CONDSTORE and QRESYNC (RFC 7162), and CONTEXT=SORT (RFC 5267);
SAVELIMIT (RFC 9738) and SEARCH=FUZZY (RFC 6203)."""
import imaplib
import random
import re

import pytest

pytestmark = pytest.mark.threads
imaplib.Commands.setdefault("ENABLE", ("AUTH", "SELECTED"))


class Raw:
    """Commands as they are, answers as lines without their ends (no literals are asked for)."""

    def __init__(self, server):
        self.client = server.imap()
        self.n = 0

    def ask(self, command):
        self.n += 1
        tag = f"r{self.n}"
        self.client.send(f"{tag} {command}\r\n".encode())
        lines = []
        while True:
            line = self.client.readline().decode().rstrip("\r\n")
            if line.startswith(tag + " "):
                return lines, line[len(tag) + 1:]
            lines.append(line)


def uids_of(text):
    found = set()
    for part in text.split(","):
        first, _, last = part.partition(":")
        found |= set(range(int(first), int(last or first) + 1))
    return found


class Cache:
    """What a client with a disk keeps: flags by UID, and up to which MODSEQ that is right."""

    def __init__(self):
        self.flags, self.modseq, self.uidvalidity = {}, 0, 0

    def apply(self, lines):
        for line in lines:
            if m := re.match(r"\* VANISHED (?:\(EARLIER\) )?(\S+)$", line):
                for uid in uids_of(m[1]):
                    self.flags.pop(uid, None)
            elif m := re.match(r"\* \d+ FETCH \(UID (\d+) FLAGS \((.*)\) MODSEQ \((\d+)\)\)$", line):
                self.flags[int(m[1])] = set(m[2].split())
            elif m := re.match(r"\* OK \[HIGHESTMODSEQ (\d+)\]", line):
                self.modseq = int(m[1])
            elif m := re.match(r"\* OK \[UIDVALIDITY (\d+)\]", line):
                self.uidvalidity = int(m[1])

    def come_back(self, session):
        known = f" (QRESYNC ({self.uidvalidity} {self.modseq}))" if self.modseq else ""
        lines, end = session.ask("SELECT INBOX" + known)
        assert end.startswith("OK"), end
        self.apply(lines)
        if not known:
            self.apply(session.ask("UID FETCH 1:* (FLAGS MODSEQ)")[0])


def truth(session):
    lines, _ = session.ask("UID FETCH 1:* (FLAGS)")
    found = {}
    for line in lines:
        if m := re.match(r"\* \d+ FETCH \(UID (\d+) FLAGS \((.*?)\)", line):
            found[int(m[1])] = set(m[2].split())
    return found


def append(session, n):
    for i in range(n):
        session.client.append("INBOX", None, None, b"Subject: %d\r\n\r\nx\r\n" % i)


def change_at_random(session, chance, rounds):
    for _ in range(rounds):
        there = list(truth(session))
        what = chance.random()
        some = ",".join(str(u) for u in chance.sample(there, min(len(there), 5))) if there else "1"
        if what < 0.3 or not there:
            append(session, chance.randint(1, 4))
        elif what < 0.7:
            flag = chance.choice([r"\Seen", r"\Flagged", "$Work"])
            session.ask(f"UID STORE {some} {chance.choice('+-')}FLAGS.SILENT ({flag})")
        else:
            session.ask(rf"UID STORE {some} +FLAGS.SILENT (\Deleted)")
            session.ask(f"UID EXPUNGE {some}")


def test_a_client_that_comes_back_learns_exactly_what_changed(make_server):
    server = make_server()
    chance = random.Random(7162)
    other = Raw(server)
    append(other, 20)
    other.ask("SELECT INBOX")
    cache = Cache()
    for turn in range(12):
        if turn == 6:
            server.stop()
            server.start()
            other = Raw(server)
            other.ask("SELECT INBOX")
        mine = Raw(server)
        assert mine.ask("ENABLE QRESYNC")[0] == ["* ENABLED QRESYNC"]
        cache.come_back(mine)
        assert cache.flags == truth(mine)
        mine.ask("LOGOUT")
        change_at_random(other, chance, 5)


def test_a_session_that_stays_is_told_all(make_server):
    server = make_server()
    chance = random.Random(2)
    other, mine = Raw(server), Raw(server)
    append(other, 10)
    other.ask("SELECT INBOX")
    mine.ask("ENABLE QRESYNC")
    cache = Cache()
    cache.come_back(mine)
    for _ in range(15):
        change_at_random(other, chance, 2)
        lines, end = mine.ask("NOOP")
        cache.apply(lines)
        new = [n for n in truth(mine) if n not in cache.flags]
        if new:
            cache.apply(mine.ask(f"UID FETCH {min(new)}:* (FLAGS MODSEQ)")[0])
        assert cache.flags == truth(mine)


def test_unchangedsince_lets_one_of_two_win(make_server):
    server = make_server()
    first, second = Raw(server), Raw(server)
    append(first, 1)
    first.ask("SELECT INBOX")
    second.ask("SELECT INBOX")
    modseq = re.search(r"MODSEQ \((\d+)\)", first.ask("FETCH 1 (MODSEQ)")[0][0])[1]
    ends = [s.ask(f"STORE 1 (UNCHANGEDSINCE {modseq}) +FLAGS.SILENT ({flag})")[1]
            for s, flag in ((first, r"\Seen"), (second, r"\Flagged"))]
    assert ends[0].startswith("OK STORE") and ends[1].startswith("OK [MODIFIED 1]")


def test_a_draft_is_replaced_at_once(make_server):
    """REPLACE (RFC 8508): no other session sees both or none, and a full quota takes a draft that grows no bigger."""
    server = make_server(quota_rule="*:bytes=20000")
    mine, other = Raw(server), Raw(server)
    draft = b"Subject: draft\r\n\r\n" + b"x" * 12000
    mine.client.append("Drafts", None, None, draft)
    for session in (mine, other):
        session.ask("SELECT Drafts")
    for turn in range(2, 5):
        text = draft.replace(b"draft", b"%d" % turn)
        lines, end = mine.ask(f"UID REPLACE {turn - 1} Drafts (\\Draft) {{{len(text)}+}}\r\n" + text.decode())
        assert lines[0].startswith("* OK [APPENDUID ") and "* 1 EXPUNGE" in lines and end.startswith("OK"), (lines, end)
        assert set(other.ask("NOOP")[0]) == {"* 1 EXPUNGE", "* 1 EXISTS"}
    assert mine.ask(f"APPEND Drafts {{12000+}}\r\n{'x' * 12000}")[1].startswith("NO [OVERQUOTA]")
    assert mine.ask("UID SEARCH ALL")[0] == ["* SEARCH 4"]
    assert mine.ask("UID FETCH 4 FLAGS")[0] == ["* 1 FETCH (UID 4 FLAGS (\\Draft))"]


def test_a_message_is_made_of_parts_of_another(make_server):
    """CATENATE (RFC 4469): a draft gets another text and keeps its attachment, which is not sent again."""
    server = make_server()
    c = Raw(server)
    attachment = b"".join(b"%076d\r\n" % i for i in range(4000))
    c.client.append("Drafts", None, None, b"Subject: first\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nold text\r\n"
                    b"--b\r\nContent-Disposition: attachment\r\n\r\n" + attachment + b"\r\n--b--\r\n")
    uidvalidity = re.search(r"UIDVALIDITY (\d+)", c.ask("STATUS Drafts (UIDVALIDITY)")[0][0])[1]
    url = f"/Drafts;UIDVALIDITY={uidvalidity}/;UID=1/;SECTION="
    text = "\r\n--b\r\n\r\nnew text\r\n--b\r\n"
    end = c.ask(f'APPEND Drafts CATENATE (URL "{url}HEADER" TEXT {{{len(text)}+}}\r\n{text} URL "{url}2.MIME" URL "{url}2" TEXT {{9+}}\r\n\r\n--b--\r\n)')[1]
    assert end.startswith("OK [APPENDUID "), end
    assert c.ask(f'APPEND Drafts CATENATE (TEXT {{1+}}\r\nx URL "{url}7")')[1].startswith(f'NO [BADURL "{url}7"]')
    c.client.select("Drafts")
    assert c.client.uid("fetch", "2", "(BODY.PEEK[2])")[1][0][1] == attachment
    assert c.client.uid("fetch", "2", "(BODY.PEEK[1])")[1][0][1] == b"new text"
    assert c.client.uid("search", "ALL")[1] == [b"1 2"]


def test_one_search_looks_into_all_mailboxes(make_server):
    """ESEARCH (RFC 7377), with names behind a prefix and another separator."""
    server = make_server(namespace="{separator=., inbox=yes}")
    c = Raw(server)
    c.ask("CREATE Plans.Old")
    for mailbox, subject in (("INBOX", "one"), ("Plans.Old", "two"), ("Plans", "two too"), ("Sent", "none")):
        assert c.client.append(mailbox, None, None, f"Subject: {subject}\r\n\r\nx\r\n".encode())[0] == "OK"
    lines, end = c.ask("ESEARCH IN (subtree Plans) SUBJECT two")
    assert end.startswith("OK") and [re.search(r'MAILBOX "(.*?)" UIDVALIDITY \d+\) UID ALL 1$', line)[1] for line in lines] == ["Plans", "Plans.Old"]
    c.ask("SELECT Plans.Old")
    assert ' MAILBOX "Plans.Old" ' in c.ask("ESEARCH TEXT x")[0][0]
    assert len(c.ask("ESEARCH IN (selected personal) TEXT x")[0]) == 4


def test_a_session_is_told_of_all_its_mailboxes(make_server):
    """NOTIFY (RFC 5465), without a command from the client."""
    server = make_server()
    mine, other = Raw(server), Raw(server)
    line = lambda: mine.client.readline().decode().rstrip("\r\n")
    mine.ask("SELECT INBOX")
    lines, end = mine.ask("NOTIFY SET STATUS (selected (MessageNew (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)]) MessageExpunge FlagChange)) "
                          "(personal (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange))")
    assert end.startswith("OK") and all(line.startswith("* STATUS ") for line in lines) and len(lines) == 5, lines
    server.send(subject="hello")
    assert line() == "* 1 EXISTS"
    assert line() == "* 1 FETCH (UID 1 BODY[HEADER.FIELDS (SUBJECT)] {18}"
    assert [line() for _ in range(3)] == ["Subject: hello", "", ")"]
    other.ask("SELECT INBOX")
    other.ask(r"STORE 1 +FLAGS (\Seen \Deleted)")
    assert line() == r"* 1 FETCH (UID 1 FLAGS (\Seen \Deleted))"
    other.ask("EXPUNGE")
    assert line() == "* 1 EXPUNGE"
    other.client.append("Sent", None, None, b"Subject: x\r\n\r\nx\r\n")
    assert line() == '* STATUS "Sent" (MESSAGES 1 UIDNEXT 2 UNSEEN 1)'
    other.ask("CREATE Plans")
    assert line() == r'* LIST (\HasNoChildren) "/" "Plans"'
    assert re.match(r'\* STATUS "Plans" \(MESSAGES 0 UIDNEXT 1 UIDVALIDITY \d+ UNSEEN 0\)$', line())
    other.ask("SUBSCRIBE Plans")
    assert line() == r'* LIST (\HasNoChildren \Subscribed) "/" "Plans"'
    other.ask('SETMETADATA Plans (/private/comment "x")')
    assert line() == '* METADATA "Plans" /private/comment'
    other.ask("RENAME Plans Old")
    renamed = line()  # the subscription stays with the name
    while "OLDNAME" not in renamed:
        assert renamed.startswith(r'* LIST (\NonExistent'), renamed
        renamed = line()
    assert renamed == r'* LIST (\HasNoChildren) "/" "Old" ("OLDNAME" ("Plans"))'
    other.ask("DELETE Old")
    while (gone := line()) != r'* LIST (\NonExistent) "/" "Old"':
        assert '"Plans"' in gone, gone
    assert mine.ask("NOTIFY NONE")[1].startswith("OK")
    server.send()
    assert mine.ask("NOOP")[0] == ["* 1 EXISTS"]


def test_notifications_are_kept_apart_from_commands(make_server):
    """Sessions that are told of everything, while others change it and they themselves ask; each ends with the truth."""
    server = make_server()
    watchers = [Raw(server) for _ in range(4)]
    for w in watchers:
        w.ask("SELECT INBOX")
        assert w.ask("NOTIFY SET (selected (MessageNew (UID FLAGS) MessageExpunge FlagChange)) (personal (MessageNew MessageExpunge MailboxName))")[1].startswith("OK")
    other = Raw(server)
    other.ask("SELECT INBOX")
    for turn in range(30):
        append(other, 1)
        other.ask(f"CREATE box{turn}")
        other.client.append(f"box{turn}", None, None, b"Subject: x\r\n\r\nx\r\n")
        for w in watchers[:2]:
            assert w.ask("UID FETCH 1:* FLAGS")[1].startswith("OK")
        if turn % 3 == 0:
            other.ask(r"UID STORE 1:* +FLAGS.SILENT (\Deleted)")
            other.ask("EXPUNGE")
    for w in watchers:
        lines, end = w.ask("UID SEARCH ALL")
        assert end.startswith("OK"), end
        assert [line for line in lines if line.startswith("* SEARCH")] == other.ask("UID SEARCH ALL")[0]
    server.stop()


def test_annotations_stay_with_their_mailbox(make_server):
    server = make_server()
    c = Raw(server)
    c.ask("CREATE Plans")
    assert c.ask('SETMETADATA Plans (/private/comment "mine" /shared/x "1")')[1].startswith("OK")
    assert c.ask('SETMETADATA "" (/shared/admin "mailto:x")')[1].startswith("OK")
    c.ask("RENAME Plans Old")
    server.stop()
    server.start()
    c = Raw(server)
    assert c.ask("GETMETADATA Old (/private/comment /shared/x)")[0] == ['* METADATA "Old" (/private/comment "mine" /shared/x "1")']
    assert c.ask('GETMETADATA "" /shared/admin')[0] == ['* METADATA "" (/shared/admin "mailto:x")']
    many = " ".join(f'/private/n{i} "v"' for i in range(150))
    ends = [c.ask(f"SETMETADATA Old ({many.replace('/n', f'/{turn}n')})")[1] for turn in range(7)]
    assert all(e.startswith("OK") for e in ends[:6]) and ends[6].startswith("NO [METADATA TOOMANY]")
    c.ask("DELETE Old")
    c.ask("CREATE Old")
    assert c.ask("GETMETADATA Old /private/comment")[0] == ['* METADATA "Old" (/private/comment NIL)']


def ordered(text):
    found = []
    for part in text.split(","):
        first, _, last = part.partition(":")
        found += range(int(first), int(last or first) + 1)
    return found


def follow(result, lines):
    """RFC 5267 4.3: what a client does with its sorted list."""
    for line in lines:
        for kind, pairs in re.findall(r"(ADDTO|REMOVEFROM) \(([^)]*)\)", line):
            words = pairs.split()
            for place, numbers in zip(words[::2], words[1::2]):
                at, many = int(place) - 1, ordered(numbers)
                assert 0 <= at <= len(result)
                if kind == "ADDTO":
                    result[at:at] = many
                else:
                    assert result[at:at + len(many)] == many
                    del result[at:at + len(many)]


def test_a_sorted_list_stays_what_a_new_sort_says(server):
    chance = random.Random(5267)
    watching, working = Raw(server), Raw(server)
    for session in (watching, working):
        assert session.ask("SELECT INBOX")[1].startswith("OK")

    def deliver():
        text = f"Subject: {chance.choice('abc')}\r\nFrom: {chance.choice('xyz')}@t.test\r\n\r\n" + "x" * chance.randint(0, 5)
        working.ask(f"APPEND INBOX {{{len(text)}+}}\r\n{text}")

    for _ in range(30):
        deliver()
    watching.ask("NOOP")
    sort = "(SUBJECT REVERSE SIZE) UTF-8 UNFLAGGED"
    lines, _ = watching.ask(f"UID SORT RETURN (UPDATE ALL) {sort}")
    result = ordered(re.search(r" ALL (\S+)", lines[0])[1])
    assert len(result) == 30
    for _ in range(40):
        for _ in range(chance.randint(1, 6)):
            uids = [int(u) for u in working.ask("UID SORT (ARRIVAL) UTF-8 ALL")[0][-1].split()[2:]]
            do = chance.choice(("deliver", "flag", "expunge"))
            if do == "deliver" or len(uids) < 5:
                deliver()
            elif do == "flag":
                working.ask(f"UID STORE {chance.choice(uids)} {chance.choice('+-')}FLAGS.SILENT (\\Flagged)")
            else:
                uid = chance.choice(uids)
                working.ask(f"UID STORE {uid} +FLAGS.SILENT (\\Deleted)")
                working.ask(f"UID EXPUNGE {uid}")
        follow(result, watching.ask("NOOP")[0])
        assert result == [int(u) for u in watching.ask(f"UID SORT {sort}")[0][-1].split()[2:]]


def test_a_copy_is_limited_as_announced(make_server):
    session = Raw(make_server(imap_save_limit="2"))
    assert " SAVELIMIT=2 " in session.ask("CAPABILITY")[0][0] + " "
    session.ask("CREATE Copies")
    session.ask("SELECT INBOX")
    for n in range(3):
        append(session, n)
    assert session.ask("UID COPY 1:3 Copies")[1].startswith("NO [MESSAGELIMIT 2 2] ")
    assert session.ask("UID COPY 1:2 Copies")[1].startswith("OK [COPYUID ")
    assert "MESSAGES 2" in session.ask("STATUS Copies (MESSAGES)")[0][0]


def test_a_fuzzy_search_finds_words_in_any_order(make_server):
    session = Raw(make_server())
    session.ask("SELECT INBOX")
    for subject in ("IMAP is broken", "break of IMAP", "a broken cup", "IMAP break"):
        text = f"Subject: {subject}\r\n\r\nbody\r\n"
        session.ask(f"APPEND INBOX {{{len(text)}+}}\r\n{text}")
    assert session.ask('SEARCH SUBJECT "IMAP break"')[0][-1] == "* SEARCH 4"
    lines, end = session.ask('SORT RETURN (RELEVANCY ALL) (RELEVANCY) UTF-8 FUZZY (SUBJECT "IMAP break")')
    assert end.startswith("OK") and lines[-1].endswith(" ALL 4,2,1 RELEVANCY (100 90 45)")
