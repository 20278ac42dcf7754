"""Tables of which only the database is left: Debian's postmap makes name.db, .lmdb and .cdb, the text goes away, and both
programs must give the same answers. A broken database is an error, never a crash."""
import pytest
from test_tables import compare, ours, theirs  # noqa: F401 (theirs is a fixture)

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
