#!/usr/bin/env python3
"""make run: a demo server on loopback with two accounts; sends a first mail from alice to bob through submission
with AUTH, reads it back as bob by POP3 and by IMAP, shows the three dialogues, and stays in the foreground.
RUN_ONCE=1: stops after that, with status 0 or 1."""
import base64
import os
import secrets
import signal
import socket
import subprocess
import sys
import time

PORTS = {"smtp": 2525, "submission": 5587, "pop3": 1110, "imap": 1143}
STATE = os.path.abspath("run")
CONF = os.path.join(STATE, "postrider.conf")
DOMAIN = "example.test"


class Problem(Exception):
    """What went wrong and what to do, in one sentence."""


class Talk:
    """A dialogue with the server, shown as it goes. Secrets are shown as such, not as they are."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.file = self.socket.makefile("rb")

    def line(self):
        line = self.file.readline()
        if not line:
            raise Problem("the server closed the connection; its log is in run/log")
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        print("    S: " + text)
        return text

    def say(self, text, shown=None):
        print("    C: " + (shown or text))
        self.socket.sendall(text.encode() + b"\r\n")

    def until(self, done):
        lines = [self.line()]
        while not done(lines[-1]):
            lines.append(self.line())
        return lines

    def expect(self, start):
        """Reads a whole SMTP reply or a POP3 line that must begin so."""
        line = self.until(lambda text: text[3:4] != "-" or start.startswith("+"))[-1]
        if not line.startswith(start):
            raise Problem(f"expected {start}, got: {line}")

    def close(self):
        self.file.close()
        self.socket.close()


def send_mail(password):
    print("\nalice sends, through submission with AUTH:")
    t = Talk(PORTS["submission"])
    t.expect("220")
    t.say("EHLO demo.example.test")
    t.expect("250")
    secret = base64.b64encode(b"\0alice\0" + password.encode()).decode()
    t.say("AUTH PLAIN " + secret, "AUTH PLAIN (alice and her password in base64)")
    t.expect("235")
    t.say(f"MAIL FROM:<alice@{DOMAIN}>")
    t.expect("250")
    t.say(f"RCPT TO:<bob@{DOMAIN}>")
    t.expect("250")
    t.say("DATA")
    t.expect("354")
    for line in (f"From: Alice <alice@{DOMAIN}>", f"To: Bob <bob@{DOMAIN}>", "Subject: A first mail", "",
                 "Hello Bob, it works.", "."):
        t.say(line)
    t.expect("250")
    t.say("QUIT")
    t.expect("221")
    t.close()


def read_by_pop3(password):
    print("\nbob reads, by POP3:")
    t = Talk(PORTS["pop3"])
    t.expect("+OK")
    t.say("USER bob")
    t.expect("+OK")
    t.say("PASS " + password, "PASS (his password)")
    t.expect("+OK")
    t.say("STAT")
    count = t.line().split()[1]
    if count == "0":
        raise Problem("the mail did not arrive")
    t.say("RETR " + count)
    if "Hello Bob, it works." not in t.until(lambda text: text == "."):
        raise Problem("the mail that came back is not the one that was sent")
    t.say("QUIT")
    t.expect("+OK")
    t.close()


def read_by_imap(password):
    print("\nbob reads, by IMAP:")
    t = Talk(PORTS["imap"])
    t.line()

    def command(tag, text, shown=None):
        t.say(f"{tag} {text}", shown and f"{tag} {shown}")
        lines = t.until(lambda line: line.startswith(tag + " "))
        if not lines[-1].startswith(tag + " OK"):
            raise Problem("IMAP refused: " + lines[-1])
        return lines

    command("a", f"LOGIN bob {password}", "LOGIN bob (his password)")
    command("b", "SELECT INBOX")
    if "Hello Bob, it works." not in command("c", "FETCH * (FLAGS ENVELOPE BODY[TEXT])"):
        raise Problem("the mail that came back is not the one that was sent")
    command("d", "LOGOUT")
    t.close()


def check_ports():
    for name, port in PORTS.items():
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError as e:
                raise Problem(f"port {port} ({name}) can't be used: {e.strerror}. Stop what listens there "
                              "and run again.") from e


def write_configuration():
    try:
        os.makedirs(STATE, exist_ok=True)
        with open(CONF, "w", encoding="utf-8") as f:
            listen = ", ".join(f"{name}://127.0.0.1:{port}" for name, port in PORTS.items())
            f.write(f"listen = {listen}\nstate_directory = {STATE}\nusers_file = {STATE}/users\n"
                    f"myhostname = mail.{DOMAIN}\nmydestination = $myhostname, $mydomain\n")
            if os.geteuid() == 0:
                # Users of their own, without entries in /etc/passwd: numbers do.
                for offset, role in enumerate(("auth", "edge", "mailbox", "relay")):
                    f.write(f"{role}_user = {64901 + offset}\n")
    except OSError as e:
        raise Problem(f"{e.filename}: {e.strerror}. Run in a folder where you may write.") from e


def add_user(program, name):
    password = secrets.token_urlsafe(9)
    verb = "add"
    if os.path.exists(STATE + "/users"):
        names = subprocess.run([program, "-c", CONF, "user", "list"], capture_output=True, text=True, check=False)
        verb = "passwd" if name in names.stdout.split() else "add"
    done = subprocess.run([program, "-c", CONF, "user", verb, name, "--password-stdin"], input=password + "\n",
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise Problem(done.stderr.strip())
    return password


def start_server(program):
    log = open(STATE + "/log", "w", encoding="utf-8")
    server = subprocess.Popen([program, "-c", CONF, "serve"], stderr=log, stdin=subprocess.DEVNULL)
    end = time.monotonic() + 15
    while time.monotonic() < end:
        if server.poll() is not None:
            raise Problem("the server did not start:\n" + open(STATE + "/log", encoding="utf-8").read()[-2000:])
        try:
            for port in PORTS.values():
                with socket.create_connection(("127.0.0.1", port), 1) as s:
                    if not s.recv(4):
                        raise OSError("closed")
            return server
        except OSError:
            time.sleep(0.05)
    stop_server(server)
    raise Problem("the server did not answer within 15 seconds; its log is in run/log")


def stop_server(server):
    if server and server.poll() is None:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()


def main():
    program = os.path.abspath(sys.argv[1])
    server = None
    try:
        check_ports()
        write_configuration()
        passwords = {name: add_user(program, name) for name in ("alice", "bob")}
        server = start_server(program)
        send_mail(passwords["alice"])
        read_by_pop3(passwords["bob"])
        read_by_imap(passwords["bob"])
        print(f"""
It works. Connect your own client to 127.0.0.1, no TLS or STARTTLS:
    SMTP submission port {PORTS['submission']}, IMAP port {PORTS['imap']}, POP3 port {PORTS['pop3']}
    alice@{DOMAIN}  user name alice  password {passwords['alice']}
    bob@{DOMAIN}    user name bob    password {passwords['bob']}
The log is run/log; `{os.path.relpath(program)} -c run/postrider.conf status` shows what goes on.""")
        if os.environ.get("RUN_ONCE") != "1":
            print("Ctrl-C stops the server.", flush=True)
            server.wait()
            raise Problem("the server ended; its log is in run/log")
        return 0
    except Problem as e:
        print(f"postrider: {e}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        stop_server(server)


if __name__ == "__main__":
    sys.exit(main())
