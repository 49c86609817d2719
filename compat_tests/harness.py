"""Running the peers: programs on ephemeral loopback ports that say READY, serve, and always go away.

Nothing here sleeps for synchronisation: a program is ready when it prints so, and whatever else has to be waited for is
polled against a deadline by ``eventually``.  A peer that was asked for and cannot be had is an error, never a skip.
"""
import contextlib
import fcntl
import json
import os
import queue
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import rpyc
from rpyc.utils.server import ThreadedServer

from describe import RPYC

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(HERE)
CACHE = os.environ.get("GORPYC_CACHE") or os.path.join(os.path.expanduser("~"), ".cache", "gorpyc")

READY_SECONDS = 30    # for a program to print READY
STOP_SECONDS = 5      # for a program to end after its stdin was closed, before it is killed
BUILD_SECONDS = 600   # for one `go build`, cold cache included

# The Go programs this suite knows, by the name of their binary.
GO_PACKAGES = {
    "behaviour": "./compat_tests/peers/behaviour",
    "goclient": "./compat_tests/peers/goclient",
    "shop": "./examples/shop",
    "rpyc_classic": "./cmd/rpyc_classic",
    "rpyc_stubs": "./cmd/rpyc_stubs",
    "objects": "./compat_tests/peers/objects",
    "kinds": "./compat_tests/peers/kinds",
    "oldpeer": "./compat_tests/peers/oldpeer",
    "calculator": "./examples/calculator/server",
    "goregistrar": "./compat_tests/peers/goregistrar",
    "rpyc_bridge": "./cmd/rpyc_bridge",
    "rpyc_registry": "./cmd/rpyc_registry",
    "gorpyc": "./cmd/gorpyc",
    "certs": "./compat_tests/peers/certs",
    "metadata": "./compat_tests/peers/metadata",
}

# What a healthy Go program never writes to stderr.
ALARMS = re.compile(r"^(panic: |fatal error: |WARNING: DATA RACE|unexpected fault address)", re.M)


class PeerError(Exception):
    """A peer could not be built, started or kept alive."""


def eventually(check, timeout=30.0, what=None, interval=0.01):
    """Polls check() until it is true and returns its value; AssertionError when timeout seconds have passed."""
    deadline = time.monotonic() + timeout
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("still not true after %.1f s: %s (last value %r)" % (timeout, what or check, value))
        time.sleep(interval)


def free_port():
    """A port that is free on 127.0.0.1, TCP and UDP, for a program that has to be told one.

    It is below those that the kernel gives out by itself: of those, one that was found by closing a socket is soon
    somebody else's.
    """
    while True:
        port = random.randrange(10000, 32768)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            try:
                udp.bind(("127.0.0.1", port))
                tcp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def children_obey_signals():
    """Has our child processes react to signals as if they were started from a terminal.

    What a shell starts in the background, or nohup anywhere, ignores some, and so do all its descendants that do not
    say otherwise.  A signal with a handler has its default effect in children, and one that does nothing is as good as
    ignoring it here.
    """
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


APART = """
import importlib, json, sys
sys.path.insert(0, %r)
module, function, arguments, result = json.load(sys.stdin)
value = getattr(importlib.import_module(module), function)(*arguments)
with open(result, "w") as file:
    json.dump(value, file)
"""


def apart(function, *arguments):
    """function(*arguments), of plain values, in a process of its own: for what replaces sys.stdout or runs out of
    stack."""
    with tempfile.NamedTemporaryFile("r") as result:
        request = json.dumps([function.__module__, function.__name__, arguments, result.name])
        done = subprocess.run([sys.executable, "-c", APART % HERE], input=request.encode(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT,
                              env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"), timeout=100)
        assert done.returncode == 0, done.stdout.decode("utf-8", "replace")
        return json.load(result)


@contextlib.contextmanager
def serving_here(service, **config):
    """A server of CPython's in this process, for a reference; gives its host and port."""
    server = ThreadedServer(service, hostname="127.0.0.1", port=0, protocol_config=config)
    thread = threading.Thread(target=server.start, daemon=True)
    thread.start()
    eventually(lambda: server.active)
    try:
        yield "127.0.0.1", server.port
    finally:
        server.close()
        thread.join(10)


def serving_thread(conn):
    """A BgServingThread that serves a thousand times a second, on every release."""
    if RPYC >= (5,):
        return rpyc.BgServingThread(conn, sleep_interval=0.001)

    class Eager(rpyc.BgServingThread):
        SLEEP_INTERVAL = 0.001
    return Eager(conn)


# Forks of RPyC that are imported by another name, and what a Python runs at its start to know one as rpyc.
FORKS = {"PortaPyC": "portapyc", "rpyc-async": "rpyc_async"}
AS_RPYC = """
import importlib
import sys
fork = %r
for module in "", ".core.service", ".core.vinegar", ".utils.classic", ".utils.helpers", ".utils.server":
    importlib.import_module(fork + module)
for name in list(sys.modules):
    if name == fork or name.startswith(fork + "."):
        sys.modules["rpyc" + name[len(fork):]] = sys.modules[name]
"""


def other_release(versions, release, distribution="rpyc"):
    """The start of a command for a Python, and an environment in which it has a release of RPyC that is not the one
    under test, installed when it is first asked for.  None if none of the Python versions is here.  Without versions
    it is the one that runs the tests."""
    for version in versions.split() or ["%d.%d" % sys.version_info[:2]]:
        python = shutil.which("python" + version) if versions else sys.executable
        if python and subprocess.run([python, "-c", ""], stderr=subprocess.DEVNULL).returncode == 0:
            break
    else:
        return None
    directory = os.path.join(CACHE, "old", "py%s-%s%s" % (version, distribution, release))
    os.makedirs(directory, exist_ok=True)
    with open(directory + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = os.path.join(directory, ".complete")
        if not os.path.exists(stamp):
            done = subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target",
                                   directory, "--upgrade", "%s==%s" % (distribution, release)],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
            if done.returncode:
                raise PeerError(done.stdout.decode("utf-8", "replace"))
            if distribution in FORKS:
                with open(os.path.join(directory, "sitecustomize.py"), "w") as f:
                    f.write(AS_RPYC % FORKS[distribution])
            open(stamp, "w").close()
    return [python], {"PYTHONPATH": directory, "PYTHONDONTWRITEBYTECODE": "1"}


class Program:
    """A child process in a process group of its own, with its stdout as lines and its stderr in a file."""

    def __init__(self, name, command, env=None, cwd=None):
        self.name = name
        self._stderr = tempfile.TemporaryFile()
        self._lines = queue.Queue()
        environment = dict(os.environ)
        environment.update(env or {})
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr,
            env=environment, cwd=cwd or REPO, start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name="stdout of " + name, daemon=True)
        self._reader.start()

    def _read(self):
        with self.process.stdout as stdout:
            for line in stdout:
                self._lines.put(line.decode("utf-8", "replace").rstrip("\r\n"))
        self._lines.put(None)

    def line(self, timeout=READY_SECONDS):
        """The next line of stdout; PeerError at its end or after timeout seconds."""
        try:
            line = self._lines.get(timeout=timeout)
        except queue.Empty:
            raise PeerError("%s: no line within %s s\n%s" % (self.name, timeout, self.stderr())) from None
        if line is None:
            self._lines.put(None)
            raise PeerError("%s: stdout ended, exit status %s\n%s" % (self.name, self.process.wait(), self.stderr()))
        return line

    def lines(self, timeout):
        """All further lines of stdout until it ends; PeerError after timeout seconds."""
        deadline = time.monotonic() + timeout
        found = []
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise PeerError("%s: still running after %s s; it printed %r\n%s"
                                % (self.name, timeout, found, self.stderr())) from None
            if line is None:
                self._lines.put(None)
                return found
            found.append(line)

    def stderr(self, start=0):
        """What the program wrote to stderr from byte start on."""
        # pread: the child shares this file's offset
        return os.pread(self._stderr.fileno(), 1 << 20, start).decode("utf-8", "replace")

    def stderr_size(self):
        return os.fstat(self._stderr.fileno()).st_size

    def running(self):
        return self.process.poll() is None

    def signal(self, number):
        """Sends a signal to the whole process group."""
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    def stop(self):
        """Closes stdin, waits, and kills what is left.  Returns the exit status."""
        try:
            self.process.stdin.close()
        except OSError:
            pass
        for number in (None, signal.SIGTERM, signal.SIGKILL):
            if number is not None:
                self.signal(number)
            try:
                self.process.wait(STOP_SECONDS)
                break
            except subprocess.TimeoutExpired:
                continue
        self.signal(signal.SIGKILL)  # grandchildren, if any
        self._reader.join(STOP_SECONDS)
        return self.process.returncode


def printed(command, env=None):
    """The lines that a program prints which ends well within a minute."""
    program = Program(os.path.basename(command[-1]), command, env)
    try:
        seen = program.lines(60)
        assert program.process.wait() == 0, program.stderr()
        return seen
    finally:
        program.stop()


class Server(Program):
    """A program that serves: its first line is READY host port."""

    def __init__(self, kind, command, env=None):
        super().__init__(kind + " server", command, env)
        self.kind = kind
        try:
            line = self.line()
            word, self.host, port = line.split()
            if word != "READY":
                raise PeerError("%s printed %r, not READY host port" % (self.name, line))
            self.port = int(port)
        except BaseException:
            self.stop()
            raise


class GoBinaries:
    """Builds each Go program at most once.

    GORPYC_BIN_DIR names a directory whose binaries are used as they are (and in which missing ones are built);
    GORPYC_GO_BUILD_FLAGS adds flags, e.g. -race.
    """

    def __init__(self):
        self._given = os.environ.get("GORPYC_BIN_DIR")
        self._directory = self._given or tempfile.mkdtemp(prefix="gorpyc-bin-")
        self._built = {}

    def path(self, name):
        if name not in self._built:
            self._built[name] = self._build(name)
        found = self._built[name]
        if isinstance(found, PeerError):
            raise found
        return found

    def _build(self, name):
        target = os.path.join(os.path.abspath(self._directory), name + (".exe" if os.name == "nt" else ""))
        if self._given and os.path.exists(target):
            return target
        package = GO_PACKAGES[name]
        if not os.path.isdir(os.path.join(REPO, package)):
            return PeerError("Go peer %s was asked for, but %s does not exist" % (name, package))
        if shutil.which("go") is None:
            return PeerError("Go peer %s was asked for, but there is no go command on PATH" % name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        part = "%s.%d" % (target, os.getpid())
        command = ["go", "build"] + os.environ.get("GORPYC_GO_BUILD_FLAGS", "").split() + ["-o", part, package]
        done = subprocess.run(command, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=BUILD_SECONDS)
        if done.returncode:
            return PeerError("%s failed:\n%s" % (" ".join(command), done.stdout.decode("utf-8", "replace")))
        os.replace(part, target)
        return target

    def cleanup(self):
        if not self._given:
            shutil.rmtree(self._directory, ignore_errors=True)


class Peers:
    """Every server of one test run."""

    def __init__(self):
        self.binaries = GoBinaries()
        self._shared = {}
        self._failed = {}
        self._all = []

    def start(self, kind, env=None):
        """A new server process of this kind; the caller may stop it, otherwise it ends with the run."""
        if kind == "cpython":
            command = [sys.executable, os.path.join(HERE, "reference", "ref_server.py")]
        elif kind == "go":
            command = [self.binaries.path("behaviour")]
        elif kind == "bridge":  # CPython's server, and the bridge in front of it
            behind = self.start("cpython", env)
            command = [self.binaries.path("rpyc_bridge"), "--to", "127.0.0.1:%d" % behind.port, "--allow-pickle",
                       "--ready", "--listen", "127.0.0.1:0"]
            return self._started(Server(kind, command))
        else:
            raise PeerError("no such kind of server: %r" % (kind,))
        return self._started(Server(kind, command + ["--host", "127.0.0.1", "--port", "0"],
                                    env=dict(env or {}, PYTHONDONTWRITEBYTECODE="1")))

    def _started(self, server):
        self._all.append(server)
        return server

    def shared(self, kind):
        """The server of this kind that all tests share; started anew if a test brought it down."""
        if kind in self._failed:  # a peer that cannot be had fails every test at once, not after READY_SECONDS each
            raise self._failed[kind]
        server = self._shared.get(kind)
        if server is None or not server.running():
            try:
                server = self._shared[kind] = self.start(kind)
            except PeerError as error:
                self._failed[kind] = error
                raise
        return server

    def stop(self):
        for server in self._all:
            server.stop()
        self.binaries.cleanup()
