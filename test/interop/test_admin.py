"""What an administrator does and sees: configuration, accounts, queue, status, reload, log, rights."""
import json
import os
import re
import signal
import socket
import subprocess

import pytest

from harness import DOMAIN, PROGRAM, Server, free_port, is_sanitized, wait_for


def test_configuration_errors_are_all_told(tmp_path):
    conf = tmp_path / "c"
    conf.write_text("smtpd_recipient_restrictiOns = x\nsmtpd_helo_requird = yes\nsmtpd_timeout = soon\n")
    done = subprocess.run([PROGRAM, "-c", str(conf), "config", "check"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"{conf}:2: unknown parameter `smtpd_helo_requird`: did you mean `smtpd_helo_required`?" in done.stderr
    assert f"{conf}:3: smtpd_timeout" in done.stderr and f"{conf}:1: unknown parameter" in done.stderr
    served = subprocess.run([PROGRAM, "-c", str(conf), "serve"], capture_output=True, text=True, check=False, timeout=20)
    assert served.returncode == 1 and "smtpd_timeout" in served.stderr


def test_config_show_names_sources(server):
    text = server.ok("config", "show")
    assert re.search(r"^myhostname = mail\.example\.test +# .*postrider\.conf:\d+$", text, re.M)
    assert re.search(r"^smtpd_timeout = 300s +# default$", text, re.M)
    items = {i["name"]: i for i in json.loads(server.ok("config", "show", "--json"))}
    assert items["message_size_limit"]["value"] == "10240000"


def test_users_by_command(server):
    assert server.ok("user", "list").split() == ["alice", "bob", "carol"]
    assert [u["name"] for u in json.loads(server.ok("user", "list", "--json"))] == ["alice", "bob", "carol"]
    server.ok("user", "test", "alice", "--password-stdin", input="secret-alice\n")
    assert server.command("user", "test", "alice", "--password-stdin", input="no\n").returncode == 1
    assert server.command("user", "add", "alice", "--password-stdin", input="x\n").returncode == 1
    assert server.command("user", "add", "a:b", "--password-stdin", input="x\n").returncode == 1


def test_wrong_words_are_told_with_the_right_ones(tmp_path):
    conf = tmp_path / "c"
    conf.write_text(f"state_directory = {tmp_path}/state\n")
    for words in ("queue", "queue show", "queue hold --json", "queue lost 1", "queue list 1", "mailbox list",
                  "mailbox show x", "status all"):
        done = subprocess.run([PROGRAM, "-c", str(conf), *words.split()], capture_output=True, text=True, check=False)
        assert done.returncode == 2 and "usage: " + words.split()[0] in done.stderr, words
    for words in ("queue list", "queue list --json", "queue show 1 --json", "queue flush", "queue flush all",
                  "mailbox list x --json", "status --json"):
        done = subprocess.run([PROGRAM, "-c", str(conf), *words.split()], capture_output=True, text=True, check=False)
        assert done.returncode == 1 and "not running" in done.stderr, words


def test_status_and_mailbox_list(server):
    server.send(rcpts=["alice@" + DOMAIN])
    status = json.loads(server.ok("status", "--json"))
    assert set(status) == {"auth", "edge", "mailbox", "relay", "agent"}
    assert "store_live_bytes" in status["mailbox"] and "state" not in status["edge"]
    boxes = {b["name"]: b for b in json.loads(server.ok("mailbox", "list", "alice", "--json"))}
    assert boxes["INBOX"]["messages"] >= 1 and boxes["Sent"]["attributes"].startswith("\\Sent")
    assert server.command("mailbox", "list", "nobody").returncode == 1


def test_queue_by_command(make_server):
    server = make_server(relayhost=f"[127.0.0.1]:{free_port()}", mynetworks="127.0.0.0/8")
    server.send(sender="x@elsewhere.test", rcpts=["y@remote.test"])
    queue = wait_for(lambda: json.loads(server.ok("queue", "list", "--json")), what="queue")
    assert queue[0]["sender"] == "x@elsewhere.test" and queue[0]["recipients"][0]["address"] == "y@remote.test"
    wait_for(lambda: "refused" in server.ok("queue", "list"), what="reason")
    number = queue[0]["id"]
    server.ok("queue", "hold", number)
    assert json.loads(server.ok("queue", "show", number, "--json"))[0]["state"] == "hold"
    server.ok("queue", "release", number)
    shown = wait_for(lambda: (t := server.ok("queue", "show", number)) and "  next: " in t and t, what="next attempt")
    head, header = shown.split("\n\n", 1)
    assert re.search(r"^    y@remote\.test  \(.*refused.*\)  next: \d{4}-\d\d-\d\dT\S+Z$", head, re.M), head
    assert header.startswith("Received: ") and "\nSubject: " in header and "\n\n" not in header and "\r" not in header
    assert server.ok("queue", "show", number, "--message").split("\n\n", 2)[2].strip()
    as_json = json.loads(server.ok("queue", "show", number, "--json"))[0]
    assert as_json["recipients"][0]["next_attempt"] == as_json["next_attempt"] > as_json["arrived"]
    assert server.command("queue", "show", number, "--message", "--json").returncode == 2
    server.ok("queue", "flush")
    wait_for(lambda: server.command("queue", "delete", number).returncode == 0, what="delete")
    assert "empty" in server.ok("queue", "list")
    assert server.command("queue", "show", number).returncode == 1


def test_reload_takes_and_refuses(make_server):
    server = make_server()
    server.settings["smtpd_banner"] = "new.banner ESMTP"
    server.write_conf()
    server.ok("reload")

    def banner():
        with server.smtp() as c:
            c.ehlo()
        with socket.create_connection(("127.0.0.1", server.port["smtp"])) as s:
            return s.recv(100)

    wait_for(lambda: banner().startswith(b"220 new.banner"), what="new banner")
    server.settings["smtpd_banner"] = "other"
    server.settings["smtpd_timeout"] = "never"
    server.write_conf()
    assert server.command("reload").returncode == 1
    assert banner().startswith(b"220 new.banner")
    # What the running server knows can be asked meanwhile.
    assert "uptime_s" in server.ok("status") and "Mail queue is empty" in server.ok("queue", "list")


def test_reload_tells_what_the_server_made_of_it(make_server):
    """What only the server can find out comes back, by each name of the command; so does that it said nothing."""
    server = make_server()
    listen = server.settings.get("listen")
    for i in range(3):  # it works with the new one when the command ends
        server.settings["smtpd_banner"] = f"banner{i} ESMTP"
        server.write_conf()
        assert "uses the new configuration" in server.ok("reload")
        with socket.create_connection(("127.0.0.1", server.port["smtp"])) as s:
            assert s.recv(100).startswith(b"220 banner%d" % i)
    record = os.path.join(server.state, "reload")
    assert os.stat(record).st_mode & 0o777 == 0o600
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server.settings["listen"] = f"{listen}, smtp://127.0.0.1:{port}"
        server.write_conf()
        for words, status in ((["reload"], 1), (["postfix", "reload"], 1), (["doveadm", "reload"], 75)):
            done = server.command(*words)
            assert done.returncode == status and f"127.0.0.1 port {port}" in done.stderr, done
            assert "refused the configuration: nothing changed" in done.stderr
        with socket.create_connection(("127.0.0.1", server.port["smtp"])) as s:
            assert s.recv(100).startswith(b"220 banner2")
    server.ok("reload")  # the port is free now
    with socket.create_connection(("127.0.0.1", port)) as s:
        assert s.recv(100).startswith(b"220 banner2")
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        done = server.command("reload")
        assert done.returncode == 1 and "did not say within 10 seconds" in done.stderr, done
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    server.stop()
    assert not os.path.exists(record)


def test_one_grep_shows_a_message(server):
    server.send(rcpts=["bob@" + DOMAIN], subject="traced")
    number = re.search(rb"\bid ([0-9a-z]{13})\b", server.inbox("bob")[-1]).group(1).decode()
    lines = [line for line in server.log().splitlines() if number in line]
    assert any(" edge " in line for line in lines) and any("message.stored" in line for line in lines)
    assert "traced" not in server.log()  # no message text


def test_taken_port_is_told(tmp_path):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        server = Server(tmp_path, services=("smtp",))
        server.settings["listen"] = f"smtp://127.0.0.1:{s.getsockname()[1]}"
        server.write_conf()
        done = server.command("serve")
    assert done.returncode == 1 and "another program has this port" in done.stderr


def test_each_role_runs_with_its_own_rights(server):
    pids = server.role_pids()
    assert set(pids) == {"auth", "edge", "mailbox", "relay", "agent"}
    fields = {}
    for role, pid in pids.items():
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            fields[role] = dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)
    for role in ("auth", "edge", "mailbox", "relay"):
        assert fields[role]["NoNewPrivs"] == "1" and fields[role]["Seccomp"] == "2", role
        if os.geteuid() == 0:
            assert fields[role]["Uid"].split()[0] != "0" and fields[role]["CapEff"].strip("0\n") == "", role
    if os.geteuid() == 0:
        assert len({fields[r]["Uid"] for r in ("auth", "edge", "mailbox", "relay")}) == 4
        if not is_sanitized():
            for role in ("edge", "relay"):
                assert os.listdir(f"/proc/{pids[role]}/root") == [], role


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_runs_as_an_ordinary_user(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ordinary")
    server = Server(folder)
    for role in ("auth", "edge", "mailbox", "relay"):
        server.settings.pop(role + "_user")
    server.write_conf()
    for path in (folder, *folder.parents):
        if path.stat().st_uid == 0 and str(path).startswith("/tmp/"):
            path.chmod(path.stat().st_mode | 0o055)
    for path in (folder, folder / "users", folder / "postrider.conf"):
        os.chown(path, 65534, 65534)
    (folder / "log").touch()
    server.start(prefix=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"))
    server.send()
    assert len(server.inbox()) == 1
    server.stop()


def test_a_second_server_leaves_the_first_alone(server):
    pid_file = server.state + "/postrider.pid"
    with open(pid_file, encoding="utf-8") as f:
        before = f.read()
    done = server.command("serve")
    assert done.returncode == 1 and "runs already" in done.stderr and str(server.process.pid) in done.stderr
    with open(pid_file, encoding="utf-8") as f:
        assert f.read() == before == f"{server.process.pid}\n"
    server.ok("reload")


def test_a_name_given_twice_is_told_once(tmp_path):
    conf = tmp_path / "postrider.conf"
    conf.write_text("mynetworks = 192.0.2.0/24\nlisten = smtp://127.0.0.1:1\nmyhostname = a.example.org\nmynetworks = nonsense\n"
                    "listen = smtp://127.0.0.1:2\n")
    done = subprocess.run([PROGRAM, "-c", str(conf), "config", "check"], capture_output=True, text=True, check=False)
    lines = [line for line in done.stderr.splitlines() if str(conf) in line]
    assert done.returncode == 1 and len(lines) == 3, done.stderr
    assert "`mynetworks` is set already in line 1" in done.stderr and "`listen` is set already in line 2" in done.stderr
    assert "mynetworks: " in done.stderr and "event_limit" not in done.stderr


def test_files_that_are_named_are_looked_at(tmp_path):
    """A server that starts without its certificate seems to run, and nobody can log in safely."""
    conf, pem, users = tmp_path / "postrider.conf", tmp_path / "pem", tmp_path / "users"
    base = f"myhostname = a.example.org\nlisten = smtp://127.0.0.1:{free_port()}\nstate_directory = {tmp_path}/state\nusers_file = {users}\n"
    roles = "".join(f"{role}_user = 65534\n" for role in ("auth", "edge", "mailbox", "relay"))

    def check(more):
        conf.write_text(base + more + roles)
        return subprocess.run([PROGRAM, "-c", str(conf), "config", "check"], capture_output=True, text=True, check=False)

    users.write_text("alice:{PLAIN}x\nno colon\n")
    done = check(f"alias_maps = {tmp_path}/aliases\nvirtual_alias_maps = hash:{tmp_path}/virtual\n")
    assert done.returncode == 0 and f"{users}:2" in done.stdout, done
    assert f"alias_maps: {tmp_path}/aliases: No such file" in done.stdout and f"virtual_alias_maps: {tmp_path}/virtual" in done.stdout
    done = check(f"smtpd_tls_cert_file = {pem}\nsmtpd_tls_key_file = {pem}\n")
    assert done.returncode == 1 and f"{conf}:5: smtpd_tls_cert_file: {pem}: No such file" in done.stderr
    served = subprocess.run([PROGRAM, "-c", str(conf), "serve"], capture_output=True, text=True, check=False, timeout=20)
    assert served.returncode == 1 and f"smtpd_tls_cert_file: {pem}: No such file" in served.stderr
    pem.write_text("no certificate\n")
    done = check(f"smtpd_tls_cert_file = {pem}\nsmtpd_tls_key_file = {pem}\n")
    assert done.returncode == 1 and "no certificate in PEM form" in done.stderr
    for name in ("one", "two"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3", "-subj", "/CN=a",
                        "-keyout", str(tmp_path / f"{name}.key"), "-out", str(tmp_path / f"{name}.pem")], check=True, capture_output=True)
    done = check(f"smtpd_tls_cert_file = {tmp_path}/one.pem\nsmtpd_tls_key_file = {tmp_path}/two.key\n")
    assert done.returncode == 1 and "another key belongs to it" in done.stderr
    assert check(f"smtpd_tls_cert_file = {tmp_path}/one.pem\nsmtpd_tls_key_file = {tmp_path}/one.key\n").returncode == 0
    done = check(f"dkim_keys = example.org:a:{tmp_path}/nowhere\n")
    assert done.returncode == 1 and f"dkim_keys: {tmp_path}/nowhere" in done.stderr
