"""conftest.py: fixtures: `server` (one for each test file, three accounts) and `make_server` (as many of one's own
settings as a test wants)."""
import pytest

from harness import Server


def pytest_configure(config):
    config.addinivalue_line("markers", "crash: kills the server at random moments (long)")
    config.addinivalue_line("markers", "threads: a sample of everything, run under ThreadSanitizer too")


@pytest.fixture
def make_server(tmp_path_factory):
    servers = []

    def make(**settings):
        server = Server(tmp_path_factory.mktemp("server"), **settings)
        servers.append(server)
        return server.start()

    yield make
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = Server(tmp_path_factory.mktemp("server")).start()
    yield started
    started.stop()
