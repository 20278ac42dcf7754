"""Lookup tables: the same files and keys are given to Postfix's postmap and to ours; both must say the same."""
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import peers  # noqa: E402
from harness import DOMAIN, Server, wait_for  # noqa: E402

POSTRIDER = os.environ.get("POSTRIDER", "build/postrider")
DYNAMICMAPS = "".join(f"{t}\t/usr/lib/postfix/postfix-{t}.so\tdict_{t}_open\t{m}\n" for t, m in
                      (("pcre", ""), ("lmdb", "mkmap_lmdb_open"), ("cdb", "mkmap_cdb_open"), ("sqlite", ""), ("mysql", ""),
                       ("pgsql", ""), ("ldap", "")))


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("peer")
    folder.chmod(0o755)
    (folder / "main.cf").write_text("compatibility_level = 3.6\nimport_environment = LANG=C FOO=bar lower=up\n"
                                    f"meta_directory = {folder}\nshlib_directory = /usr/lib/postfix\n"
                                    f"queue_directory = {folder}\ninet_protocols = ipv4\n")
    (folder / "dynamicmaps.cf").write_text(DYNAMICMAPS)
    try:
        namespace = peers.Namespace(folder / "layer", ["postfix", "postfix-maps"])
    except peers.Unavailable as why:
        pytest.skip(str(why))
    yield lambda *words, program="postmap", **more: namespace.run(program, "-c", str(folder), *words, **more)
    namespace.close()


def ours(*words, **more):
    return subprocess.run([POSTRIDER, "postmap", *words], capture_output=True, text=True, env={**os.environ, "lower": "up"}, errors="replace", check=False, **more)


def answers(run, spec, keys):
    done = run("-q", "-", spec, input="".join(k + "\n" for k in keys))
    return done.returncode, done.stdout


def compare(theirs, spec, keys, make=False):
    """Both read the keys from stdin; and each key alone, for the exit status."""
    if make:
        assert theirs(spec).returncode == 0
    mine, other = answers(ours, spec, keys), answers(theirs, spec, keys)
    assert mine == other, f"{spec}\n ours  {mine}\n theirs {other}"
    for key in keys[:1]:
        mine, other = ours("-q", key, spec), theirs("-q", key, spec)
        assert (mine.returncode, mine.stdout) == (other.returncode, other.stdout), (spec, key)
    return len(keys)


TEXT = """\
# a comment
joe@example.com   OK
Mixed@Case.Example  Value With Case
tab\tvalue\twith\ttabs
  continued here
cont first
\tsecond line

# comment inside
   third line
dup one
dup two
DUP three
noval
"quoted key"@example.com  quoted value
"a\\"b"@x  escaped
plain"quote  x
user+ext@example.com ext
@example.com catchall
example.com domain
.example.com sub
192.0.2 net
2001:db8:: v6
empty:
key:colon value
x   trailing spaces   
crlf value\r
\x0bvt value
ümlaut@example.com Umlaut
ÜPPER@example.com Upper
"""
KEYS = ["joe@example.com", "JOE@EXAMPLE.COM", "mixed@case.example", "Mixed@Case.Example", "tab", "cont", "dup", "DUP", "noval",
        '"quoted key"@example.com', "quoted key@example.com", '"a\\"b"@x', 'a"b@x', 'plain"quote', "user+ext@example.com",
        "@example.com", "example.com", ".example.com", "192.0.2", "2001:db8::", "2001:DB8::", "key:colon", "x", "crlf", "vt",
        "ümlaut@example.com", "ÜMLAUT@EXAMPLE.COM", "üpper@example.com", "ÜPPER@example.com", "none", " ", "#", "a b", "$1"]


@pytest.mark.parametrize("kind", ["texthash", "hash", "btree", "lmdb", "cdb"])
def test_exact(theirs, tmp_path, kind):
    path = tmp_path / "table"
    path.write_text(TEXT)
    tmp_path.chmod(0o755)
    compare(theirs, f"{kind}:{path}", KEYS, make=kind != "texthash")


@pytest.mark.parametrize("text", ["", "a\n", "a b", " a b\n", "\n\n  a b\nc d\n", "a b\n c d\n#x\n e f\ng h\n", "a  b\n\n\n   \n\t#\n c\n",
                                  '"a b c\nd e\n', '"a b" c\n', "a\\ b c\n", 'a"b c"d e\n', "A b\na c\n", "a:b c\n", "é x\n"])
def test_small_files(theirs, tmp_path, text):
    path = tmp_path / "table"
    path.write_text(text)
    compare(theirs, f"texthash:{path}", ["a", "A", "b", "c", "d", "g", '"a', '"a b"', "a b", "a\\", "a\\ b", 'a"b c"d', "a:b", "é", "É"])


ADDRESSES = ["192.0.2.1", "192.0.2.255", "192.0.3.1", "10.1.2.3", "10.200.2.3", "127.0.0.1", "::1", "2001:db8::1", "2001:db8:1::1",
             "2001:0DB8::0001", "::ffff:10.1.2.3", "[10.1.2.3]", "010.1.2.3", "1.2.3", "1.2.3.4.5", "x", "", "fe80::1", "0.0.0.0",
             "255.255.255.255", "10.1.2.3 ", "2001:db8::1%eth0"]
CIDR = ["192.0.2.0/24 net\n10.0.0.0/8 ten\n", "!10.0.0.0/8 not ten\n", "!2001:db8::/32 nosix\n", "! 10.0.0.0/8 spaced\n",
        "if 10.0.0.0/8\n10.1.0.0/16 inner\nendif\n0.0.0.0/0 rest\n::/0 rest6\n", "if !10.0.0.0/8\n192.0.0.0/16 in\nelse\nendif\n10.1.2.3 x\n",
        "if 10.0.0.0/8\n10.1.0.0/16 a\n", "endif\n10.1.2.3 x\n", "IF 10.0.0.0/8\nIF 10.1.0.0/16\n10.1.2.0/24 deep\nENDIF\n0.0.0.0/0 mid\nENDIF\n",
        "10.1.2.3/8 hostbits\n10.0.0.0/8 y\n", "10.0.0.0/33 x\n10.0.0.0/8 y\n", "[2001:db8::]/32 bracket\n[10.1.2.3] one\n", "[10.0.0.0/8] inb\n",
        "10.0.0.0/ x\n10.1.2.3 y\n", "10.1.2.3\n127.0.0.1  two words  here\n", "0.0.0.0/0 all\n", "::/0 all6\n", "10.0.0.0/+8 x\n10/8 z\n",
        "::ffff:0:0/96 mapped\n", "10.0.0.0/08 x\n", "10.1.2.3  $1 x\n", "if 10.0.0.0/8 extra\n10.1.2.3 y\nendif extra\n", "if\n10.1.2.3 y\nendif\n",
        "  10.1.2.3 lead\n192.0.2.1 x\n  continued\n", "!!10.0.0.0/8 double\n", "010.1.2.3 octal\n", "if 10.0.0.300/8\n0.0.0.0/0 x\nendif\n"]


@pytest.mark.parametrize("text", CIDR)
def test_cidr(theirs, tmp_path, text):
    path = tmp_path / "table"
    path.write_text(text)
    compare(theirs, f"cidr:{path}", ADDRESSES)


SUBJECTS = ["joe@example.com", "Joe@Example.com", "owner-list@x.org", "list-outgoing@x.org", "abc", "ABC", "a/b", "a", "b", "ab", "aab", "xyz",
            "Subject: make money fast", "foo.bar", "foobar", "1234", "a b c", "", "$", "\\", "ümlaut", "é", "a+b", "x!y", "^", "aaa@bbb@ccc", "endif", "if"]
RULES = ["/^joe@/ OK\n", "/^(.*)@(.*)$/ $2 at $1\n", "/^(.*)@(.*)$/ ${2}x$(1)y\n", "/a/ cost $$5\n", "/(a)/ $$1 $1\n", "/a/ $1\n/b/ fine\n",
         "!/a/ not a\n", "!/(a)/ $1\n/x/ x\n", "/a/i case\n/A/ nocase\n", "/abc/x basic\n", "/a\\/b/ slash\n", "~a/b~ tilde\n", "#abc# hash\n|a| pipe\n",
         "if /a/\n/b/ both\nendif\n/a/ a only\n", "if !/a/\n/b/ b only\nendif\n", "if /a/\nif /b/\n/c/ abc\nendif\n/./ ab or a\nendif\n",
         "if /a/\n/b/ x\n", "endif\n/a/ y\n", "/a/ $\n/b/ ok\n", "/a/ $x\n/b/ ok\n", "/a/ ${1\n/b/ ok\n", "/(a)(b)?/ <$1$2>\n", "/(a)|(b)/ [$1,$2]\n",
         "/a/\n/b/ fine\n", "/a\n/b/ fine\n", "/(/ x\n/b/ fine\n", "/a/z x\n/b/ fine\n", "abc def\n/b/ fine\n", "/a/!/b/ a not b\n", "/^/ all\n",
         "/[[:digit:]]+/ digits\n", "/\\bfoo\\b/ word\n", "/^.$/ one char\n", "/a b/ space in pattern\n", "/a/ value\n  continued\n/b/ x\n",
         "IF /a/\n/./ up\nENDIF\n", "if /a/ extra\n/./ x\nendif extra\n", "if\n/./ x\nendif\n", "!! /a/ double\n", "! /a/ space\n", "/(((a)))/ $3$2$1\n",
         "/(a)(b)?(c)?/ $10\n/b/ z\n", "/^$/ empty\n", "/\\$/ dollar\n", "/\\\\/ backslash\n", "/x!y/ bang\n", "/./ a $$ b ${1}\n", "/([a-z])/ $01\n", "/(.)/ $0\n/b/ q\n",
         "/Ü/ umlaut\n", "/a/im both\n", "/a.c/ dot\n", "/a/ DUNNO\n/b/ OK\n", "/^Subject: .*money/ REJECT no $$\n", "if /(/\n/./ x\nendif\n/a/ y\n"]


@pytest.mark.parametrize("kind", ["regexp", "pcre"])
@pytest.mark.parametrize("text", RULES)
def test_patterns(theirs, tmp_path, kind, text):
    path = tmp_path / "table"
    path.write_text(text)
    compare(theirs, f"{kind}:{path}", SUBJECTS)


PCRE = ["/a b/x ext\n", "/b/A anchored\n", "/a$/E end\n", "/(a+?)/U $1\n", "/a+/U x\n", "/a(?=b)/ ahead\n", "/(?<n>a)/ $1\n", "/a.b/s dots\n", "/\\d+/ digits\n",
        "/a/X extra\n", "/\\p{L}/ letter\n", "/(?i)ABC/i inner\n", "/^a(*SKIP)(*F)|b/ verb\n", "/(a)\\1/ twice\n", "/(a|b)*c$/m multi\n", "/(?:a)(b)/ $1\n"]


@pytest.mark.parametrize("text", PCRE)
def test_pcre(theirs, tmp_path, text):
    path = tmp_path / "table"
    path.write_text(text)
    compare(theirs, f"pcre:{path}", SUBJECTS)


SPECS = ["inline:{a=b}", "inline:{a=b, c=d}", "inline:{ a = b, { c = d e, f }, g=h }", "inline:{A=b}", "inline:{a=}", "inline:{a}", "inline:{}",
         "inline:{a=b a=c}", "inline:{a=b", "inline:a=b", "inline:{ {a b = c d} }", "inline:{{\"a b\" = c d}}", "inline:{\"a b\"=c}", "inline:{=b}", "inline:{a=b=c}", "inline:{{a=b}x}",
         "static:x", "static:", "static:{a b}", "static:{ a b }", "static:{a", "static:a b", "static:DUNNO", "fail:x", "environ:", "environ:x",
         "unionmap:{static:a,static:b}", "unionmap:{static:a, inline:{a=x}}", "unionmap:{inline:{a=x},inline:{b=y}}", "unionmap:{}", "unionmap:{fail:x,static:a}",
         "unionmap:{static:a,fail:x}", "pipemap:{inline:{a=b},inline:{b=c}}", "pipemap:{static:a}", "pipemap:{inline:{a=b},fail:x}", "pipemap:{inline:{a=b}, inline:{c=d}}",
         "unionmap:static:a", "unionmap:{pipemap:{static:b,inline:{b=z}},static:q}", "nosuch:x",
         "cidr:{{10.0.0.0/8 ten}, {192.0.2.0/24 doc}}", "cidr:{ { if 10.0.0.0/8 }, {10.1.0.0/16 x}, {endif}, {0.0.0.0/0 rest} }", "cidr:{10.0.0.0/8 x}",
         "regexp:{{/a/ x}, {/(b)/ <$1>}}", "regexp:{ { /a/ x y } }", "pcre:{{/a/ x},{/(b)/ <$1>}}", "regexp:{}", "regexp:{{}}", "regexp:{{/a/ x}",
         "inline:{a={b c}}", "inline:{{a = {b c}}}", "inline:{ {k = } }", "unionmap:{static:{a b}, static:c}"]


@pytest.mark.parametrize("spec", SPECS)
def test_specs(theirs, spec):
    compare(theirs, spec, ["a", "A", "b", "c", "g", "a b", "10.1.2.3", "192.0.2.1", "FOO", "lower", "k"])


def test_big(theirs, tmp_path):
    path = tmp_path / "table"
    tmp_path.chmod(0o755)
    path.write_text("".join(f"user{i * 7919 % 100003}@Example{i % 13}.org value {i}\n" for i in range(20000)))
    keys = [f"USER{i * 7919 % 100003}@example{i % 13}.org" for i in range(0, 20100, 7)]
    assert compare(theirs, f"hash:{path}", keys, make=True) > 2000


def test_making_and_options(tmp_path):
    path = tmp_path / "t"
    path.write_text("a b\nbad\n")
    done = ours(str(path))
    assert done.returncode == 0 and "no database is needed" in done.stderr and "line 2" in done.stderr
    assert ours("-s", f"hash:{path}").stdout == "a\tb\n"
    assert ours("-d", "a", f"hash:{path}").returncode == 1
    assert ours(str(tmp_path / "none")).returncode == 1
    assert subprocess.run([POSTRIDER, "postmap", "-q", "a", "t"], cwd=tmp_path, capture_output=True, check=False).stdout == b"b\n"


def test_postalias(tmp_path, theirs):
    """An alias file by the other name: the same answers as Postfix's database, and no database here."""
    path = tmp_path / "aliases"
    path.write_text('# people\nroot: joe,\n  ann\nMailer-Daemon:root\n"odd name": joe\nplain :x@there.test\n')
    tmp_path.chmod(0o755)

    def mine(*words, **more):
        return subprocess.run([POSTRIDER, "postalias", *words], capture_output=True, text=True, check=False, **more)

    def peer(*words, **more):
        return theirs(*words, program="postalias", **more)
    checked = mine(f"hash:{path}")
    assert checked.returncode == 0 and "postalias: note: " in checked.stderr and "no database is needed" in checked.stderr
    assert peer(f"texthash:{path}").returncode == 1 and not (tmp_path / "aliases.db").exists()
    assert peer(f"lmdb:{path}").returncode == 0
    for key in ("root", "ROOT", "mailer-daemon", "odd name", "nobody"):
        one, other = mine("-q", key, f"hash:{path}"), peer("-q", key, f"lmdb:{path}")
        # It writes the targets anew, with one blank behind each comma.
        assert (one.returncode, one.stdout.split()) == (other.returncode, other.stdout.split()), key
    names = lambda text: sorted(line.split("\t")[0] for line in text.splitlines() if not line.startswith(("@", "YP_")))  # noqa: E731
    assert names(mine("-s", f"hash:{path}").stdout) == names(peer("-s", f"lmdb:{path}").stdout)
    assert mine("-d", "root", f"hash:{path}").returncode == 1 and mine(str(tmp_path / "none")).returncode == 1
    assert "usage: postalias" in mine().stderr


def test_a_regexp_can_not_hang(tmp_path):
    """Back-references, which regexec takes hours for, are left out; what only looks like one is not."""
    path = tmp_path / "rules"
    path.write_text(r"""/(a*)(a*)(a*)\1\2\3b/ HANGS
/x[^]\1]y/ BRACKET
/[[:alpha:]\2]z/ CLASS
/q\\1/ BACKSLASH
/(.)w/ GROUP-$1
""")
    for key, answer in (("a" * 2000, ""), ("x2y", "BRACKET\n"), ("2x1y", ""), ("bz", "CLASS\n"), ("q\\1", "BACKSLASH\n"), ("ew", "GROUP-e\n")):
        done = subprocess.run([POSTRIDER, "postmap", "-q", key, f"regexp:{path}"], capture_output=True, text=True, timeout=10, check=False)
        assert done.stdout == answer and "back-reference" in done.stderr, (key, done)


def test_in_the_server(tmp_path):
    """Restrictions and address maps ask the same tables; a changed file counts without a reload; a missing one defers."""
    files = {name: tmp_path / name for name in ("access", "virtual", "clients", "gone")}
    files["access"].write_text("bad@far.test REJECT go away\n")
    files["virtual"].write_text(f"sales@{DOMAIN} alice@{DOMAIN}\n")
    files["clients"].write_text("10.0.0.0/8 REJECT\n")
    (tmp_path / "server").mkdir()
    server = Server(tmp_path / "server", virtual_alias_maps=f"hash:{files['virtual']}",
                    smtpd_sender_restrictions=f"check_client_access cidr:{files['clients']}, check_sender_access hash:{files['access']}")
    server.start()
    try:
        assert rcpt(server, "bad@far.test", "alice") == 554
        assert rcpt(server, "good@far.test", "sales") == 250
        assert rcpt(server, "good@far.test", "nosales") == 550
        files["access"].write_text("good@far.test REJECT now you\n")
        wait_for(lambda: rcpt(server, "good@far.test", "alice") == 554, 10, "the changed file")
        assert rcpt(server, "bad@far.test", "alice") == 250
        server.reload(smtpd_sender_restrictions=f"check_sender_access hash:{files['gone']}")
        wait_for(lambda: rcpt(server, "x@far.test", "alice") == 451, 10, "the missing file")
    finally:
        server.stop()


def rcpt(server, sender, user):
    with server.smtp() as client:
        client.ehlo()
        client.mail(sender)
        return client.rcpt(f"{user}@{DOMAIN}")[0]
