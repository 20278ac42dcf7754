"""scripted.py: a small SMTP server that does what a test tells it to: break TLS, demand a password. It remembers each
message with what was known of its connection."""
import base64
import hmac
import re
import socketserver
import ssl
import threading
import time


def address_in(command):
    """The address of MAIL or RCPT."""
    return command[command.index("<") + 1:command.rindex(">")]


class Session(socketserver.StreamRequestHandler):
    timeout = 20

    def say(self, text):
        if not self.mute:
            self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        self.script, self.tls, self.login, self.rcpts, self.mute = self.server.script, False, None, [], False
        try:
            self.say("220 scripted.test ESMTP")
            while True:
                line = self.rfile.readline().decode("latin-1").rstrip("\r\n")
                if not line or self.command(line) is False:
                    return
        except OSError:
            pass

    def command(self, line):
        self.script.lines.append(line)
        verb = re.split("[ :]", line.upper(), maxsplit=1)[0]
        self.mute = self.mute or verb == self.script.silent
        if self.mute:
            return None
        method = getattr(self, "do_" + verb.lower(), None)
        return method(line) if method else self.say("250 Ok")

    def do_quit(self, _):
        self.say("221 Bye")
        return False

    def do_ehlo(self, _):
        offers = ["scripted.test", "PIPELINING"]
        if self.script.starttls and not self.tls:
            offers.append("STARTTLS")
        if self.script.requiretls and self.tls:
            offers.append("REQUIRETLS")
        if self.script.password:
            offers.append("AUTH " + self.script.mechanisms)
        for offer in offers[:-1]:
            self.say("250-" + offer)
        self.say("250 " + offers[-1])

    do_lhlo = do_ehlo

    def do_starttls(self, _):
        if self.script.starttls == "refused":
            return self.say("454 4.7.0 TLS not available")
        self.say("220 Go ahead")
        if self.script.starttls == "broken":
            self.rfile.read(1)  # of a ClientHello: what comes before it is another fault
            self.say("this is no handshake")
            return False
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.script.certificate)
        context.sni_callback = lambda _, name, __: self.script.server_names.append(name)
        if self.script.client_authorities:
            context.load_verify_locations(self.script.client_authorities)
            context.verify_mode = ssl.CERT_REQUIRED
        self.request = context.wrap_socket(self.request, server_side=True)
        self.script.clients.append(self.request.getpeercert())
        self.tls = True
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
        return None

    def cram_md5(self):
        """The login whose digest is right, or None."""
        challenge = b"<123.456@scripted.test>"
        self.say("334 " + base64.b64encode(challenge).decode())
        login, digest = base64.b64decode(self.rfile.readline()).decode().split(" ")
        return login if digest == hmac.new(self.script.password.encode(), challenge, "md5").hexdigest() else None

    def do_auth(self, line):
        if line.upper() == "AUTH CRAM-MD5":
            login, password = self.cram_md5(), self.script.password
        else:
            _, login, password = base64.b64decode(line.split()[2]).decode().split("\0")
        if login not in self.script.users or password != self.script.password:
            return self.say("535 5.7.8 wrong password")
        self.login = login
        return self.say("235 2.7.0 Welcome")

    def do_mail(self, line):
        self.sender = line
        return self.say("250 Ok")

    def do_rcpt(self, line):
        if self.script.password and not self.login:
            return self.say("530 5.7.0 Authentication required")
        if address_in(line) == self.script.refused:
            return self.say("550 5.1.1 nobody")
        self.rcpts.append(line)
        return self.say("250 Ok")

    def do_data(self, _):
        if not self.rcpts:
            return self.say("554 no valid recipients")
        self.say("354 go")
        if self.script.silent == "message":
            time.sleep(self.timeout)
            return False
        text = b""
        while not text.endswith(b"\r\n.\r\n"):
            line = self.rfile.readline()
            if not line:
                return False
            text += line
        self.script.messages.append({"text": text.decode(), "tls": self.tls, "login": self.login, "rcpts": len(self.rcpts),
                                     "from": address_in(self.sender), "to": sorted(map(address_in, self.rcpts))})
        self.rcpts = []
        self.mute = self.mute or self.script.silent == "end of DATA"
        return self.say("250 taken")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


class Scripted:
    """starttls: None, "works", "refused" or "broken"; password: None or what one of the users must say."""

    def __init__(
        self,
        address,
        certificate,
        starttls=None,
        password=None,
        mechanisms="PLAIN",
        users=("relayuser",),
        requiretls=False,
        session=Session,
    ):
        self.certificate, self.starttls, self.password, self.requiretls = certificate, starttls, password, requiretls
        self.mechanisms, self.users = mechanisms, users
        self.refused = None  # a recipient
        self.silent = None  # the command from which on there is no answer, or "message" or "end of DATA"
        self.messages, self.lines, self.server_names = [], [], []
        self.client_authorities = None  # a PEM file: clients are asked for a certificate by these, and must show one
        self.clients = []  # what they showed, as ssl has it
        self.server = Server(address, session)
        self.server.script = self
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def with_subject(self, subject):
        """The message, or None."""
        return next((m for m in self.messages if f"Subject: {subject}\r\n" in m["text"]), None)
