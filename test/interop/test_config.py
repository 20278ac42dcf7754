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


# ---- what the server would refuse to start on ----

USERS = "".join(f"{role}_user = 65534\n" for role in ("auth", "edge", "mailbox", "relay"))


def with_postfix(tmp_path, main_cf, master_cf="", own=""):
    folder = tmp_path / "postfix"
    folder.mkdir(exist_ok=True)
    (folder / "main.cf").write_text("compatibility_level = 3.6\nmyhostname = h.test\nmydestination = h.test\n" + main_cf)
    rest = "".join(f"{name} unix - - n - - {name}\n" for name in ("smtp", "local", "virtual")) + "relay unix - - n - - smtp\n"
    (folder / "master.cf").write_text("127.0.0.1:2525 inet n - n - - smtpd\n127.0.0.1:2526 inet n - n - - smtpd\n" + master_cf + rest)
    if "alias_maps" not in main_cf:
        own += "alias_maps =\n"
    return USERS + f"postfix_config = {folder}\nstate_directory = {tmp_path}/state\n{own}"


@pytest.mark.parametrize("line, why", (
    ("transport_maps = hsh:/x", "transport_maps: hsh:/x: no table type `hsh`"),
    ("header_checks = pcr:/x", "header_checks: pcr:/x: no table type `pcr`"),
    ("smtp_sasl_password_maps = hsh:/y", "smtp_sasl_password_maps: hsh:/y"),
    ("smtp_tls_policy_maps = hsh:/y", "smtp_tls_policy_maps: hsh:/y"),
    ("relay_domains = hsh:/y", "relay_domains: hsh:/y"),
    ("relay_recipient_maps = hsh:/y", "relay_recipient_maps: hsh:/y"),
    ("alias_maps = hsh:/y", "alias_maps: hsh:/y: no table type"),
    ("alias_maps = pcre:/y", "alias_maps: pcre:/y: aliases are read from text files alone"),
    ("virtual_alias_maps = pipemap:{inline:{a=b}, unionmap:{static:x, hsh:/deep}}", "virtual_alias_maps: hsh:/deep"),
    ("smtpd_sender_restrictions = check_sender_access hsh:/x", "smtpd_sender_restrictions: hsh:/x"),
    ("smtpd_restriction_classes = mine\nmine = check_client_access hsh:/x", "mine: hsh:/x"),
    ("virtual_mailbox_maps = mysql:/no/file.cf", "virtual_mailbox_maps: mysql:/no/file.cf: /no/file.cf: No such file"),
    ("virtual_mailbox_maps = socketmap:here", "virtual_mailbox_maps: socketmap:here: write socketmap:inet"),
))
def test_what_serve_refuses_check_refuses(tmp_path, line, why):
    """With parameter, file and line, once, though there are two listeners; and the same words come from serve."""
    text = with_postfix(tmp_path, line + "\n")
    checked, served = config(tmp_path, text, "check"), subprocess.run([PROGRAM, "-c", tmp_path / "own.conf", "serve"], capture_output=True, text=True,
                                                                     check=False, timeout=60)
    place = f"{tmp_path}/postfix/main.cf:{4 + line.count(chr(10))}: {why}"
    assert checked.returncode == 1 and checked.stderr.count(place) == 1, checked.stderr
    assert served.returncode == 1 and place in served.stderr.replace("\\", ""), served.stderr
    as_face = subprocess.run([PROGRAM, "-c", tmp_path / "own.conf", "postfix", "check"], capture_output=True, text=True, check=False)
    started = subprocess.run([PROGRAM, "-c", tmp_path / "own.conf", "postfix", "start"], capture_output=True, text=True, check=False)
    assert as_face.returncode == 1 and place in as_face.stderr and started.returncode == 1 and place in started.stderr


def test_what_is_a_services_own_is_looked_at(tmp_path):
    master = "127.0.0.1:2527 inet n - n - - smtpd\n  -o smtpd_sender_login_maps=pcr:/x\n  -o smtpd_recipient_restrictions=permit_mynetwork,reject\n"
    done = config(tmp_path, with_postfix(tmp_path, "", master), "check")
    assert done.returncode == 1
    assert "master.cf:4: smtpd_sender_login_maps: pcr:/x: no table type" in done.stderr, done.stderr
    assert "master.cf:5: smtpd_recipient_restrictions: unknown restriction `permit_mynetwork`" in done.stderr, done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives roles their users")
def test_users_of_roles_must_be_there(tmp_path):
    done = config(tmp_path, with_postfix(tmp_path, "").replace("auth_user = 65534", "auth_user = nobody-such"), "check")
    assert done.returncode == 1 and "own.conf:1: auth_user: there is no user nobody-such: create it" in done.stderr


def test_a_file_that_may_come_is_no_error(tmp_path):
    done = config(tmp_path, with_postfix(tmp_path, "virtual_alias_maps = hash:/no/file\nmessage_size_limit = 10\n"), "check")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("main.cf:4: virtual_alias_maps: /no/file: No such file or directory; whatever needs the table is put off") == 1


def test_one_wrong_line_is_told_once(tmp_path):
    done = config(tmp_path, with_postfix(tmp_path, "smtpd_tls_security_level = encrpyt\nmessage_size_limit = 10M\n",
                                         "127.0.0.1:2527 inet n - n - - smtpd\n  -o smtpd_timeout=10s\n"), "check")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 2, done.stderr
    assert "main.cf:4: smtpd_tls_security_level" in done.stderr and "main.cf:5: message_size_limit" in done.stderr


# ---- what is wrong inside the files ----

def test_lines_of_files_are_told(tmp_path):
    files = {
        "aliases": "fine: bob\nno colon\n", "vmailbox": "a@box.test x\nb@box.test\n",
        "headers": "/^Subject: x/ REJECT no\n/^Subject: y/ FROB it\n/(/ REJECT broken\n/^To: (.*)/ $1\n/^X-A:/ FILTER nosuch:\n",
        "body": "/x/ FRY\n", "tls": "[127.0.0.1]:2601 encrypt\n[127.0.0.1]:2602 encrpyt\n", "passwords": "a.test u:geheim\nb.test geheimer\n",
        "users": "alice:{PLAIN}x\nbob:{NOSUCH}geheim\nno colon\n", "transport": "a.test smtp:\nb.test nosuch:\nc.test :[d.test]\nd.test relay:[x]:25\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    f = tmp_path
    done = config(tmp_path, with_postfix(tmp_path, f"alias_maps = hash:{f}/aliases\nvirtual_mailbox_maps = hash:{f}/vmailbox\n"
                                         f"header_checks = pcre:{f}/headers\nbody_checks = unionmap:{{regexp:{f}/body, static:PASS}}\n"
                                         f"smtp_tls_policy_maps = texthash:{f}/tls\nsmtp_sasl_password_maps = hash:{f}/passwords\n"
                                         f"transport_maps = hash:{f}/transport\n", own=f"passdb = {{driver=passwd-file, path={f}/users}}\n"), "check")
    assert done.returncode == 0, done.stderr
    for place, words in (("aliases:2", ""), ("vmailbox:2", "expected: key, white space, value"), ("headers:2", "header_checks: there is no action `FROB`"),
                         ("headers:3", ""), ("headers:5", "header_checks: there is no transport `nosuch`"), ("body:1", "body_checks: there is no action `FRY`"),
                         ("tls:2", "`encrpyt` is no level of TLS"), ("passwords:2", "smtp_sasl_password_maps: user or password is missing"),
                         ("users:2", ""), ("users:3", ""), ("transport:2", "transport_maps: there is no transport `nosuch`")):
        lines = [line for line in done.stdout.splitlines() if line.startswith(f"warning: {f}/{place}: ")]
        assert len(lines) == 1 and words in lines[0], (place, done.stdout)
    assert "geheim" not in done.stdout + done.stderr
    assert done.stdout.count("warning: ") == 11, done.stdout


def test_many_faulty_lines_are_not_all_told(tmp_path):
    (tmp_path / "virtual").write_text("".join(f"key{n}\n" for n in range(50)) + "".join(f"k{n}@a.test v\n" for n in range(200000)))
    done = config(tmp_path, with_postfix(tmp_path, f"virtual_alias_maps = hash:{tmp_path}/virtual\n"), "check")
    assert done.returncode == 0
    assert done.stdout.count(f"{tmp_path}/virtual:") == 21 and f"{tmp_path}/virtual: 30 more such lines" in done.stdout, done.stdout[-2000:]


@pytest.mark.parametrize("setting", ("default_transport", "relay_transport", "local_transport", "virtual_transport", "mailbox_transport",
                                     "fallback_transport"))
def test_transports_must_be_there(tmp_path, setting):
    done = config(tmp_path, with_postfix(tmp_path, f"{setting} = nosuch:x\n"), "check")
    assert done.returncode == 0 and f"main.cf:4: {setting}: there is no transport `nosuch`: mail for it is put off" in done.stdout, done
    done = config(tmp_path, with_postfix(tmp_path, f"{setting} = mine:x\n", "mine unix - - n - - smtp\n"), "check")
    assert done.returncode == 0 and "there is no transport" not in done.stdout, done


def test_a_filter_must_be_there(tmp_path):
    master = "scan unix - - n - - smtp\n127.0.0.1:2527 inet n - n - - smtpd\n  -o content_filter=scna:[127.0.0.1]:10024\n"
    done = config(tmp_path, with_postfix(tmp_path, "content_filter = scan\n", master), "check")
    assert done.returncode == 0 and "master.cf:5: content_filter: there is no transport `scna`" in done.stdout, done
    assert "main.cf" not in done.stdout, done


def test_what_a_service_must_do_without_is_named_as_its_own(tmp_path):
    master = "127.0.0.1:2527 inet n - n - - smtpd\n  -o smtpd_proxy_filter=localhost:10025\n"
    done = config(tmp_path, with_postfix(tmp_path, "", master), "check")
    assert done.returncode == 1 and "master.cf:4: smtpd_proxy_filter is not served" in done.stderr, done.stderr
    line = re.search("write `(.*?)` into postrider.conf", done.stderr).group(1)
    assert line == "127.0.0.1:2527/smtpd_proxy_filter = "
    assert config(tmp_path, with_postfix(tmp_path, "", master, own=line + "\n"), "check").returncode == 0


def test_a_program_must_be_there(tmp_path):
    done = config(tmp_path, with_postfix(tmp_path, 'mailbox_command = /no/procmail -a "$EXTENSION"\n'), "check")
    assert done.returncode == 0 and "main.cf:4: mailbox_command: /no/procmail: No such file or directory" in done.stdout, done
    done = config(tmp_path, with_postfix(tmp_path, 'mailbox_command = /bin/cat -u\n'), "check")
    assert "No such file" not in done.stdout


def test_undefined_names_are_told(tmp_path):
    main = "mine = permit_mynetworks\nsmtpd_recipient_restrictions = $my_typo $mine ${mine} ${stress?x} ${none?permit} reject\nluser_relay = $user\n"
    master = "127.0.0.1:2527 inet n - n - - smtpd\n  -o smtpd_client_restrictions=${mua_client_restrictions}\n"
    done = config(tmp_path, with_postfix(tmp_path, main, master), "check")
    told = [line for line in done.stdout.splitlines() if "is not defined" in line]
    assert done.returncode == 0 and len(told) == 2, done
    assert "main.cf:5: smtpd_recipient_restrictions: $my_typo is not defined" in told[0]
    assert "master.cf:4: smtpd_client_restrictions: $mua_client_restrictions is not defined" in told[1]


def test_words_about_obsolete_parameters(tmp_path):
    done = config(tmp_path, with_postfix(tmp_path, "smtpd_tls_dh1024_param_file = /x\nsmtp_tls_enforce_peername = no\n"), "check")
    assert "smtpd_tls_dh1024_param_file is obsolete: parameters of Diffie-Hellman are" in done.stdout, done
    assert "smtp_tls_enforce_peername is obsolete: it does nothing since" in done.stdout


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


def test_import_may_write_over_what_it_reads(tmp_path):
    """The file that names the old ones is replaced by what came of them, or stays as it was."""
    (tmp_path / "postfix").mkdir()
    (tmp_path / "postfix" / "main.cf").write_text("compatibility_level = 3.6\nmyhostname = theirs.example.test\n")
    (tmp_path / "postfix" / "master.cf").write_text("")
    own = tmp_path / "own.conf"
    text = f"postfix_config = {tmp_path}/postfix\nsmtpd_timeout = 77s\n"
    for wrong in ("smtpd_helo_requird = yes\n", ""):
        done = config(tmp_path, text + wrong, "import", "--output", own)
        assert (done.returncode, done.stdout) == ((1, "") if wrong else (0, "")), done
        assert own.read_text() == text + wrong or not wrong
    own.chmod(0o640)
    assert "myhostname = theirs.example.test\n" in own.read_text() and "postfix_config" not in own.read_text()
    done = config(tmp_path, own.read_text(), "import", "--output", own)
    assert done.returncode == 0 and "smtpd_timeout = 77s\n" in own.read_text() and own.stat().st_mode & 0o777 == 0o640
    assert config(tmp_path, text, "import", "--output", tmp_path / "new").returncode == 0
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600
    assert config(tmp_path, text, "import", "--output", tmp_path / "no" / "folder").returncode == 1
    assert sorted(f.name for f in tmp_path.iterdir()) == ["new", "own.conf", "postfix"]


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
