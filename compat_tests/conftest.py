"""Fixtures: which peers, which connections, how long.

Every test that uses the ``server`` fixture runs once per kind of server: against CPython, which keeps the test honest,
and against Go, which it is about.
"""
import faulthandler
import gc
import os
import re
import signal
import subprocess
import threading

import pytest
import rpyc

import expected
from describe import RPYC
from harness import ALARMS, Peers, Program, Server, children_obey_signals
from terminal import Terminal

KINDS = ("cpython", "go", "bridge")
TEST_SECONDS = 60
LEVELS = ("core", "text", "quirk")
STACKS = None  # see pytest_configure


def pytest_addoption(parser):
    parser.addoption("--peers", default=os.environ.get("GORPYC_COMPAT_PEERS", ",".join(KINDS[:2])),
                     help="kinds of server to test, separated by commas (default: %s)" % ",".join(KINDS))
    parser.addoption("--rest", action="store_true",
                     help="leave out what is marked once: another cell of the matrix has it")


def pytest_configure(config):
    children_obey_signals()
    # Stacks of a run that is stuck go to the real stderr, which pytest's capture has replaced by now.
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture:
        capture.suspend_global_capture()
    global STACKS
    STACKS = os.fdopen(os.dup(2), "w")
    if capture:
        capture.resume_global_capture()


def pytest_runtest_logreport(report):
    """Writes a dot for each test that is done to the file GORPYC_PROGRESS, for scripts/cells.py."""
    if report.when == "teardown" and "GORPYC_PROGRESS" in os.environ and "PYTEST_XDIST_WORKER" not in os.environ:
        with open(os.environ["GORPYC_PROGRESS"], "a") as progress:
            progress.write(".")


def pytest_report_header(config):
    return "rpyc %s, peers: %s" % (".".join(map(str, RPYC)), ", ".join(selected(config)))


def selected(config):
    kinds = [kind.strip() for kind in config.getoption("--peers").split(",") if kind.strip()]
    wrong = [kind for kind in kinds if kind not in KINDS]
    if wrong or not kinds:
        raise pytest.UsageError("--peers: unknown or no kind: %r" % (wrong,))
    return kinds


def pytest_generate_tests(metafunc):
    if "kind" in metafunc.fixturenames:
        kinds = [kind for kind in selected(metafunc.config) if kind != "bridge" or bridged(metafunc)]
        metafunc.parametrize("kind", kinds, scope="session")


def bridged(metafunc):
    """Whether a test says something about a bridge: it sees what a Python in its place would show, one traceback
    within the other; and it reads no stdin."""
    return metafunc.module.__name__ in ("test_calls", "test_callbacks") and \
        metafunc.function.__name__ != "test_tracebacks_name_the_function_and_the_cause"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    if config.getoption("--rest"):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("once")])
        items[:] = [item for item in items if not item.get_closest_marker("once")]
    unused = dict(expected.NOT_YET)
    for item in items:
        if not any(item.get_closest_marker(level) for level in LEVELS):
            item.add_marker(pytest.mark.core)
        name = os.path.basename(str(item.fspath)) + "::" + item.name
        for key in (name, name.split("[")[0]):
            callspec = getattr(item, "callspec", None)
            of_go = callspec is None or callspec.params.get("kind", "go") == "go"
            if key in expected.NOT_YET and of_go:
                item.add_marker(pytest.mark.xfail(reason=expected.NOT_YET[key], strict=True))
                unused.pop(key, None)
    whole = not config.getoption("--rest") and not any("::" in argument or argument.endswith(".py")
                                                       for argument in config.args)
    if unused and whole and "go" in selected(config):
        raise pytest.UsageError("expected.NOT_YET names tests that do not exist: %s" % ", ".join(sorted(unused)))


# Bounded time.

class TooLong(BaseException):
    """Raised inside a test that exceeds its time.  Not an Exception, so that little on the way swallows it."""


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    marker = item.get_closest_marker("seconds")
    seconds = marker.args[0] if marker else TEST_SECONDS
    seconds *= float(os.environ.get("GORPYC_PATIENCE", "1"))

    def alarm(*_):
        raise TooLong("%s: longer than %s s" % (item.nodeid, seconds))

    # Repeated: RPyC sends exceptions that are raised in a callback to the peer instead of letting them through.
    previous = signal.signal(signal.SIGALRM, alarm)
    signal.setitimer(signal.ITIMER_REAL, seconds, 5)
    faulthandler.dump_traceback_later(seconds + 60, exit=True, file=STACKS)  # the last resort
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        faulthandler.cancel_dump_traceback_later()


# Servers.

@pytest.fixture(scope="session")
def peers():
    found = Peers()
    yield found
    found.stop()


def watched(request, program):
    """Notes a program whose stderr belongs to this test's report."""
    programs = request.node.__dict__.setdefault("_gorpyc_programs", [])
    programs.append((program, program.stderr_size()))
    return program


def check_health(program, start):
    found = ALARMS.search(program.stderr(start))
    assert not found, "%s wrote to stderr:\n%s" % (program.name, program.stderr(start)[-6000:])


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    try:
        report = outcome.get_result()
    except SystemError:
        # A report parses source, which CPython 3.11 cannot do while another thread does it, to format a traceback: "AST
        # constructor recursion depth mismatch".
        report = pytest.TestReport.from_item_and_call(item, call)
        outcome.force_result(report)
    if report.failed:
        for program, start in item.__dict__.get("_gorpyc_programs", ()):
            text = program.stderr(start)[-12000:]
            state = "running" if program.running() else "ended with status %s" % program.process.returncode
            report.sections.append(("stderr of %s (%s)" % (program.name, state), text or "(nothing)"))


@pytest.fixture
def server(request, kind, peers):
    """The server of this kind that the tests share.  A test must leave it alive and calm."""
    program = watched(request, peers.shared(kind))
    start = program.stderr_size()
    yield program
    assert program.running(), "the server ended with status %s" % program.process.returncode
    check_health(program, start)


@pytest.fixture
def fresh_server(request, kind, peers):
    """A server of this kind for one test alone."""
    program = watched(request, peers.start(kind))
    yield program
    program.stop()
    check_health(program, 0)


@pytest.fixture
def start():
    """start(kind, command, …) -> a Server that ends with the test."""
    started = []

    def go(*arguments, **options):
        started.append(Server(*arguments, **options))
        return started[-1]
    yield go
    for server in reversed(started):
        if server.running():
            server.signal(signal.SIGTERM)
        server.stop()


@pytest.fixture
def run_program(request):
    """Starts helper programs that end with the test: run_program(name, command) -> Program."""
    started = []

    def run(name, command, env=None, cwd=None):
        program = watched(request, Program(name, command, env, cwd))
        started.append(program)
        return program

    yield run
    for program in started:
        program.stop()


@pytest.fixture
def go_only(request):
    """Python is the measure here, so there is nothing to do unless the Go peers are asked for."""
    if "go" not in request.config.getoption("--peers"):
        pytest.skip("the Go peers are not asked for")


@pytest.fixture
def terminal():
    """terminal(argv, …) -> a Terminal with this program, which ends with the test."""
    opened = []

    def run(*arguments, **options):
        opened.append(Terminal(*arguments, **options))
        return opened[-1]
    yield run
    for t in opened:
        t.close()


@pytest.fixture(scope="session")
def certificates(peers, tmp_path_factory):
    """certificates(name) -> the path of a file that peers/certs has written."""
    directory = tmp_path_factory.mktemp("certificates")
    subprocess.run([peers.binaries.path("certs"), str(directory)], check=True, timeout=60)
    return lambda name: str(directory / name)


# Connections.

class Connector:
    """Opens connections to one server and closes them at the end of the test."""

    def __init__(self, server):
        self.server = server
        self.ports = {"default": server.port}
        self.opened = []
        self._lock = threading.Lock()

    def port(self, endpoint):
        with self._lock:
            if endpoint not in self.ports:
                conn = rpyc.connect(self.server.host, self.server.port)
                try:
                    self.ports[endpoint] = conn.root.endpoint(endpoint)
                finally:
                    conn.close()
            return self.ports[endpoint]

    def __call__(self, endpoint="default", config=None, service=rpyc.VoidService):
        port = self.port(endpoint)
        conn = rpyc.connect(self.server.host, port, service=service, config=config or {})
        self.opened.append(conn)
        return conn

    def close(self):
        for conn in self.opened:
            try:
                conn.close()
            except Exception:  # whatever state the test left it in
                pass
        del self.opened[:]


@pytest.fixture
def connect(server):
    """connect(endpoint="default", config=None, service=...) -> an rpyc connection that ends with the test."""
    connector = Connector(server)
    yield connector
    connector.close()
    gc.collect()  # netrefs die here and not in the middle of another test


@pytest.fixture
def conn(connect):
    return connect()


@pytest.fixture
def root(conn):
    return conn.root


@pytest.fixture
def tag(request, kind):
    """A name that no other test uses: the event log is shared by all of a server's connections."""
    return re.sub(r"\W+", "_", request.node.name)


@pytest.fixture
def logged(server):
    """logged(text) -> how often this text stands in the server's event log, read through a connection of its own."""
    conn = rpyc.connect(server.host, server.port)
    yield lambda text: conn.root.events().count(text)
    conn.close()
