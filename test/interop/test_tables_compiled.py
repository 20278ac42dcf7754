"""Tables of which only the database is left: Debian's postmap makes name.db, .lmdb and .cdb, the text goes away, and both
programs must give the same answers. A broken database is an error, never a crash."""
import os

import pytest
from harness import DOMAIN, Server, wait_for
from test_tables import compare, ours, rcpt, theirs  # noqa: F401 (theirs is a fixture)

TEXT = """\
joe@example.com   OK
Mixed@Case.Example  Value With Case
tab\tvalue\twith\ttabs
"quoted key"@example.com  quoted value
@example.com catchall
.example.com sub
2001:db8:: v6
"""
KEYS = ["joe@example.com", "JOE@example.com", "mixed@case.example", "tab", '"quoted key"@example.com', "@example.com",
        ".example.com", "2001:db8::", "none", "key7@example.net", "key4999@example.net"]
SUFFIX = {"hash": "db", "btree": "db", "lmdb": "lmdb", "cdb": "cdb"}


def make(theirs, tmp_path, kind, *options):  # noqa: F811
    tmp_path.chmod(0o755)
    text = tmp_path / "table"
    text.write_text(TEXT + "".join(f"key{i}@example.net value {i}\n" for i in range(5000)))
    made = theirs(*options, f"{kind}:{text}")
    assert made.returncode == 0, made
    text.unlink()
    return f"{kind}:{text}", tmp_path / f"table.{SUFFIX[kind]}"


@pytest.mark.parametrize("kind", SUFFIX)
@pytest.mark.parametrize("options", [(), ("-N",), ("-n",)])
def test_a_database_alone_answers_as_theirs(theirs, tmp_path, kind, options):  # noqa: F811
    spec, _ = make(theirs, tmp_path, kind, *options)
    compare(theirs, spec, KEYS)


@pytest.mark.parametrize("kind", SUFFIX)
def test_a_broken_database_is_an_error(theirs, tmp_path, kind):  # noqa: F811
    spec, database = make(theirs, tmp_path, kind)
    whole = database.read_bytes()
    damaged = [b"", b"x" * 5000, whole[:100], whole[:3000], whole[: len(whole) // 2], whole[:4096] + b"\xff" * (len(whole) - 4096)]
    for bytes_ in damaged:
        database.write_bytes(bytes_)
        done = ours("-q", "none", spec)
        assert done.returncode == 1 and "fatal" in done.stderr, (len(bytes_), done)
    for at in range(0, min(len(whole), 4096), 97):
        database.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1:])
        done = ours("-q", "joe@example.com", spec)
        assert done.returncode in (0, 1), (at, done)  # a byte that says nothing may differ


def test_the_text_counts_where_it_is(theirs, tmp_path):  # noqa: F811
    spec, _ = make(theirs, tmp_path, "hash")
    (tmp_path / "table").write_text("joe@example.com text\n")
    assert ours("-q", "joe@example.com", spec).stdout == "text\n"


def test_two_databases_are_one_too_many(theirs, tmp_path):  # noqa: F811
    spec, _ = make(theirs, tmp_path, "hash")
    make(theirs, tmp_path, "cdb")
    done = ours("-q", "joe@example.com", spec)
    assert done.returncode == 1 and "more than one" in done.stderr, done


def compile_away(run, kind, path, text):
    """The database takes the place of the one that was, at once, as a careful administrator would."""
    made = path.with_name("made")
    made.write_text(text)
    assert run(f"{kind}:{made}").returncode == 0
    made.unlink()
    os.replace(f"{made}.{SUFFIX[kind]}", f"{path}.{SUFFIX[kind]}")


def test_in_the_server(theirs, tmp_path):  # noqa: F811
    """Restrictions, address maps and aliases: a changed database counts without a reload, a broken one defers."""
    tmp_path.chmod(0o755)
    (tmp_path / "server").mkdir()
    access, virtual, aliases = (tmp_path / name for name in ("access", "virtual", "aliases"))
    compile_away(theirs, "hash", access, "bad@far.test REJECT go away\n")
    compile_away(theirs, "lmdb", virtual, f"sales@{DOMAIN} alice@{DOMAIN}\n")
    compile_away(theirs, "cdb", aliases, "crew alice, bob\n")  # what postalias stores for "crew: alice, bob"
    server = Server(tmp_path / "server", virtual_alias_maps=f"lmdb:{virtual}", alias_maps=f"cdb:{aliases}",
                    smtpd_sender_restrictions=f"check_sender_access hash:{access}")
    server.start()
    try:
        assert rcpt(server, "bad@far.test", "alice") == 554
        assert [rcpt(server, "good@far.test", user) for user in ("sales", "crew", "nosales")] == [250, 250, 550]
        compile_away(theirs, "hash", access, "good@far.test REJECT now you\n")
        wait_for(lambda: rcpt(server, "good@far.test", "alice") == 554, 10, "the changed database")
        assert rcpt(server, "bad@far.test", "alice") == 250
        (tmp_path / "access.db").write_bytes(b"broken" * 1000)
        wait_for(lambda: rcpt(server, "bad@far.test", "alice") == 451, 10, "the broken database")
    finally:
        server.stop()
