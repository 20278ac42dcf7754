"""policy_web.py: a web server on this host's loopback, port 443, that says over HTTPS what tests tell it to: policies of
MTA-STS, and it takes reports of TLS. It remembers what it was asked."""
import http.server
import ssl
import threading
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        web, host = self.server.web, self.headers["Host"]
        web.asked.append(host + self.path)
        time.sleep(web.delays.get(host, 0))
        if self.path != "/.well-known/mta-sts.txt" or host not in web.policies:
            return self.answer(404, {"Content-Type": "text/plain"}, b"not here\n")
        return self.answer(*web.policies[host])

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.web.posted.append((self.headers["Host"] + self.path, self.headers["Content-Type"], body))
        self.answer(201, {}, b"")

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # handshakes that the tests let fail


class PolicyWeb:
    """chain: key and certificate of all names but those in `others` (name: chain)."""

    def __init__(self, address, chain, others=()):
        self.policies, self.delays, self.asked, self.posted = {}, {}, [], []
        self.server = Server((address, 443), Handler)
        self.server.web = self
        contexts = {name: self.context(path) for name, path in dict(others).items()}
        main = self.context(chain)

        def choose(connection, name, _):
            connection.context = contexts.get(name, main)
        main.sni_callback = choose
        self.server.socket = main.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    @staticmethod
    def context(chain):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context

    def policy(self, domain, mode="enforce", mx=(), max_age=86400, status=200, media_type="text/plain; charset=utf-8", text=None):
        lines = ["version: STSv1", "mode: " + mode, *("mx: " + m for m in mx), f"max_age: {max_age}"]
        body = text if text is not None else "\r\n".join(lines) + "\r\n"
        self.policies["mta-sts." + domain] = (status, {"Content-Type": media_type, "Location": "https://mta-sts.good.test/.well-known/mta-sts.txt"},
                                              body.encode())

    def times(self, domain):
        return self.asked.count(f"mta-sts.{domain}/.well-known/mta-sts.txt")

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
