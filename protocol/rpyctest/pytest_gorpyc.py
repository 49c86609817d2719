"""A pytest plugin that starts RPyC services written in Go.

Put this file beside the tests and name it in their conftest.py::

    pytest_plugins = ["pytest_gorpyc"]

    @pytest.fixture(scope="session")
    def shop(go_service):
        return go_service("./cmd/shop", "--port", "0")

    def test_prices(shop):
        assert shop.connect().root.price("tea") == 2.5

``go_service`` takes a Go package, which is built once per run, or the path of a program, and its arguments.  The
program has to print ``READY HOST PORT`` (or ``READY unix:PATH``) once it can be connected to, as those do that
rpyc_stubs has written: ``go_service("./shop", "-addr", "localhost:0")``.  What it writes to stderr is shown with a
test that fails; a program that ends by itself, or with another status than 0 or SIGTERM's, fails the run.  Needs
pytest and rpyc.
"""
import os
import shutil
import signal
import subprocess
import tempfile
import threading

import pytest
import rpyc

START_SECONDS = 60
STOP_SECONDS = 10


class GoService:
    """A running program. host, port and path say where it is; process is its subprocess.Popen."""

    def __init__(self, command, env=None):
        self.command = list(command)
        self._errors = tempfile.TemporaryFile()
        self._connections = []
        self.host = self.port = self.path = None
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self._errors, env=dict(os.environ, **(env or {})))
        words = self._first_line().split()
        if len(words) < 2 or words[0] != "READY":
            self.process.kill()
            self.process.wait()
            raise RuntimeError("%s is not READY: %r in place of READY HOST PORT; it has ended, or %d s are over\n%s"
                               % (self.command, " ".join(words), START_SECONDS, self.stderr()))
        if words[1].startswith("unix:"):
            self.path = words[1][len("unix:"):]
        else:
            everywhere = words[1] in ("::", "0.0.0.0")
            self.host, self.port = "localhost" if everywhere else words[1], int(words[2])

    def _first_line(self):
        """The program's first line; empty if it ends before, or takes too long."""
        late = threading.Timer(START_SECONDS, self.process.kill)
        late.start()
        try:
            line = self.process.stdout.readline().decode()
        finally:
            late.cancel()
        threading.Thread(target=self.process.stdout.read, daemon=True).start()  # so that it never blocks
        return line

    def connect(self, service=rpyc.VoidService, config=None, **options):
        """A new connection, which is closed when the program is stopped."""
        config = dict(config or {})
        if self.path:
            conn = rpyc.utils.factory.unix_connect(self.path, service=service, config=config)
        else:
            conn = rpyc.connect(self.host, self.port, service=service, config=config, **options)
        self._connections.append(conn)
        return conn

    def stderr(self):
        """What the program has written to stderr."""
        self._errors.seek(0)
        return self._errors.read().decode("utf-8", "replace")

    def stop(self):
        """Ends the program by SIGTERM, or SIGKILL if it does not heed that, and returns its exit status."""
        for conn in self._connections:
            try:
                conn.close()
            except Exception:  # it may have ended, whatever with
                pass
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.stdin.close()
        return self.process.wait()


@pytest.fixture(scope="session")
def go_build():
    """go_build(PACKAGE) -> the path of its program, built once; a path of a file is returned as it is."""
    directory = tempfile.mkdtemp(prefix="gorpyc-")
    built = {}

    def build(package, *flags):
        if os.path.isfile(package):
            return package
        if package not in built:
            path = os.path.join(directory, "%d-%s" % (len(built), os.path.basename(package.rstrip("/")) or "program"))
            done = subprocess.run(("go", "build", "-o", path) + flags + (package,), stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
            if done.returncode != 0:
                raise RuntimeError("go build %s:\n%s" % (package, done.stdout.decode()))
            built[package] = path
        return built[package]

    yield build
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def go_service(request, go_build):
    """go_service(PACKAGE_OR_PROGRAM, *arguments, env={}) -> a GoService, which ends with the run."""
    services = request.config.stash.setdefault(SERVICES, [])

    def start(package, *arguments, **options):
        service = GoService((go_build(package),) + arguments, **options)
        services.append(service)
        return service

    yield start
    bad = []
    for service in reversed(services):
        gone = service.process.poll()
        status = service.stop()
        if gone is not None or status not in (0, -signal.SIGTERM):
            bad.append("%s: exit status %s%s\n%s" % (service.command, status, "" if gone is None else " by itself",
                                                     service.stderr()))
    if bad:
        pytest.fail("\n".join(bad))


SERVICES = pytest.StashKey()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Shows what the programs have written with a test that fails."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for service in item.config.stash.get(SERVICES, []):
            report.sections.append(("stderr of %s" % service.command[0], service.stderr()))
