"""Debian's doveconf as the oracle of how dovecot.conf is read: the same files, the values compared that both know."""
import json
import subprocess
import sys
import pathlib

import pytest

from harness import PROGRAM

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import peers  # noqa: E402

# Corpora of files: name -> text; the first is the one that is named.
CORPUS = {
    "empty": {"dovecot.conf": ""},
    "flat": {"dovecot.conf": "protocols = pop3 imap\ndisable_plaintext_auth = no\nlogin_greeting = \"Hello \\\"you\\\" # there\"  # a comment\n"
                             "auth_mechanisms = plain \\\n  login\nssl = no\n"},
    "includes": {
        "dovecot.conf": "auth_mechanisms = plain\n!include conf.d/*.conf\n!include_try local.conf\n!include_try missing.conf\n",
        "conf.d/10-auth.conf": "auth_username_format = %Lu\nauth_mechanisms = $auth_mechanisms login\nauth_realms = a.test b.test\n",
        "conf.d/20-ssl.conf": "ssl = required\nssl_cipher_list = ALL:!LOW\nssl_min_protocol = TLSv1.2\n",
        "local.conf": "login_greeting = local\nfirst_valid_uid = 1000\nlast_valid_uid=2000\n",
    },
    "variables": {"dovecot.conf": "login_greeting = a $1 b\nauth_default_realm = example.test\nmail_plugins = quota\n"
                                  "protocol imap {\n  mail_plugins = $mail_plugins imap_quota\n}\nlogin_trusted_networks = 192.0.2.0/24 ::1\n"},
    "overrides": {"dovecot.conf": "auth_mechanisms = plain\nauth_mechanisms = cram-md5\npostmaster_address = a@x.test\npostmaster_address = b@x.test\n"
                                  "auth_failure_delay = 5 secs\nauth_anonymous_username = nobody\n"},
    "values": {"dovecot.conf": "login_greeting = 'single # quoted'\nauth_default_realm=no-spaces\n  auth_realms   =   x.test\ty.test   \n"
                               "auth_failure_delay = 1 min\nmail_max_userip_connections = 33\n"},
}
COMPARED = ("auth_mechanisms", "auth_username_format", "auth_realms", "auth_default_realm", "login_greeting", "ssl", "ssl_cipher_list",
            "ssl_min_protocol", "disable_plaintext_auth", "first_valid_uid", "last_valid_uid", "postmaster_address", "login_trusted_networks",
            "mail_max_userip_connections", "auth_failure_delay", "quota_full_tempfail")
# What is said otherwise where Dovecot means something by an empty value or works it out.
MEANT = {("login_greeting", "Dovecot (Debian) ready."): "Dovecot ready.", ("auth_username_format", "%Lu"): None,
         ("postmaster_address", "postmaster@%{if;%d;ne;;%d;%{hostname}}"): None, ("ssl_cipher_list", None): None}
SECONDS = {"secs": 1, "mins": 60, "hours": 3600}


@pytest.fixture(scope="module")
def doveconf(tmp_path_factory):
    try:
        ns = peers.Namespace(tmp_path_factory.mktemp("doveconf"), ["dovecot"])
    except peers.Unavailable as why:
        pytest.skip(str(why))
    yield lambda path, name: ns.run("doveconf", "-h", "-c", str(path), name)
    ns.close()


def ours(path):
    done = subprocess.run([PROGRAM, "config", "show", "--json", "--dovecot", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {row["name"]: row for row in json.loads(done.stdout)}


def seconds(text):
    number, *unit = text.split()
    return int(number) * (SECONDS[unit[0] if unit[0].endswith("s") else unit[0] + "s"] if unit else 1)


def same(name, theirs, value):
    if name == "auth_failure_delay":
        return seconds(theirs) == int(value.removesuffix("s"))
    return theirs.split() == value.split()


@pytest.mark.parametrize("name", CORPUS)
def test_values_are_read_as_doveconf_reads_them(tmp_path, doveconf, name):
    for file, text in CORPUS[name].items():
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    rows = ours(tmp_path / "dovecot.conf")
    said = "".join(CORPUS[name].values())
    compared = 0
    for key in COMPARED:
        done = doveconf(tmp_path / "dovecot.conf", key)
        if done.returncode:
            continue
        theirs = done.stdout.rstrip("\n")
        if key not in said and ((key, theirs) in MEANT or (key, None) in MEANT):
            continue  # a default of another kind
        assert same(key, theirs, rows[key]["value"]), (key, theirs, rows[key])
        compared += 1
    assert compared >= 10


BROKEN = {
    "block": "}\n",
    "include": "!include missing.conf\n",
    "key": "= x\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_doveconf_refuses_is_refused(tmp_path, doveconf, name):
    (tmp_path / "dovecot.conf").write_text(BROKEN[name])
    assert doveconf(tmp_path / "dovecot.conf", "protocols").returncode != 0
    done = subprocess.run([PROGRAM, "config", "check", "--dovecot", tmp_path / "dovecot.conf"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and f"{tmp_path}/dovecot.conf:1" in done.stderr, done
