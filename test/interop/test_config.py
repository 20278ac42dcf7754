"""What `postrider config` says of one's own file: records that can't be served, passwords that nobody need see; and sockets: who
may use them, and whose they are."""
import json
import os
import re
import socket
import stat
import subprocess

import pytest

from harness import PROGRAM, Server


def config(tmp_path, text, *words):
    (tmp_path / "own.conf").write_text(text)
    return subprocess.run([PROGRAM, "-c", tmp_path / "own.conf", "config", *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("line, why", (
    ("passdb = {driver=pamm}", "passdb, item 1: driver `pamm`"),
    ("passdb = {driver=shadow}, {driver=passwd-file}", "passdb, item 2: passwd-file: `path` is missing"),
    ("userdb = {driver=static, allow_all=yes}", "`allow_all` is no key"),
    ("mailbox = {name=Sent, special_use=\\\\Sents}", "special_use"),
    ("namespace = {separator=..}", "`separator` must be one character"),
    ("socket_access = {path=/run/x, mode=rw}", "mode `rw` is no octal number"),
    ("quota_rule = *:storage=much", "`much` is no size"),
    ("quota_grace = some", "`some` is no size"),
))
def test_what_cant_be_served_is_an_error(tmp_path, line, why):
    done = config(tmp_path, f"myhostname = h.test\n{line}\n", "check")
    assert done.returncode == 1
    assert f"{tmp_path}/own.conf:2: " in done.stderr and why in done.stderr, done.stderr


def test_passwords_are_hidden(tmp_path):
    text = ("passdb = {driver=sql, sql=pgsql, connect={host=h password=geheim dbname=d}, query={SELECT x WHERE password = '%w'}}, "
            "{driver=ldap, uris=ldap://h, dn={cn=a,dc=b}, dnpass={top secret}}\n")
    for done in (config(tmp_path, text, "show"), config(tmp_path, text, "show", "--json")):
        assert done.returncode == 0, done.stderr
        assert "geheim" not in done.stdout and "top secret" not in done.stdout
        assert "host=h password=**** dbname=d" in done.stdout and "password = '%w'" in done.stdout and "dnpass=****" in done.stdout
    json.loads(done.stdout)
    # One that is to be run on has them.
    assert "password=geheim" in config(tmp_path, text, "import").stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="gives sockets to other users: needs root")
def test_sockets_belong_to_whom_the_file_says(tmp_path):
    lmtp, mux, left = tmp_path / "lmtp", tmp_path / "mux", tmp_path / "left"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(left))
        other.listen()
        server = Server(tmp_path)
        server.settings["listen"] += f", lmtp:{lmtp}"
        server.settings["listen_if_free"] = f"saslauthd:{mux}, dovecot-auth:{left}, dovecot-auth:{tmp_path}/nowhere/auth"
        server.settings["socket_access"] = f"{{path={lmtp}, mode=0620, user=daemon}}, {{path={lmtp}, group=mail}}"
        server.write_conf()
        server.start()
        try:
            st = lmtp.stat()
            assert (stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid) == (0o620, 1, 8)
            assert stat.S_IMODE(mux.stat().st_mode) == 0o666
            said = [line for line in server.log().splitlines() if "listen.left" in line]
            assert len(said) == 2 and "another program listens there" in said[0] and re.search("nowhere.*No such file", said[1]), said
            done = subprocess.run([PROGRAM, "testsaslauthd", "-u", "alice", "-p", server.passwords["alice"], "-f", mux], capture_output=True,
                                  text=True, check=False)
            assert done.stdout == '0: OK "Success."\n'
        finally:
            server.stop()
        assert left.exists()


@pytest.mark.parametrize("scheme", ("SCRAM-SHA-1", "SHA512-CRYPT"))
def test_accounts_of_a_scheme(tmp_path, scheme):
    (tmp_path / "own.conf").write_text(f"myhostname = h.test\nusers_file = {tmp_path}/users\n")

    def user(*words):
        return subprocess.run([PROGRAM, "-c", tmp_path / "own.conf", "user", *words, "--password-stdin"], input="geheim\n", capture_output=True,
                              text=True, check=False)
    assert user("add", "anna", "--scheme", scheme).returncode == 0
    assert (tmp_path / "users").read_text().startswith(f"anna:{{{scheme}}}")
    assert user("test", "anna").returncode == 0
    done = user("passwd", "anna", "--scheme", "NOPE")
    assert done.returncode == 1 and "Unknown scheme: NOPE" in done.stderr
