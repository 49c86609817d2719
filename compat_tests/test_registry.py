"""Registrars and registries, {CPython, Go, RPyC 3.4 on old Pythons} on either side.

Every pair in which Go takes part, and CPython with itself, which keeps the expectations honest.  The old releases take
part in one cell, of RPyC 6 with GORPYC_OLD_RELEASES set.
"""
import json
import os
import signal
import socket
import sys

import pytest

from describe import RPYC
from harness import HERE, eventually, other_release

OLD = {"py%s-rpyc344" % version: version for version in ("2.7", "3.6")}
SIDES = ["cpython", "go"]
if os.environ.get("GORPYC_OLD_RELEASES") and RPYC >= (6,):
    SIDES += sorted(OLD)


def python2(side):
    return OLD.get(side) == "2.7"


def pytest_generate_tests(metafunc):
    if "pair" not in metafunc.fixturenames:
        return
    kinds = metafunc.config.getoption("--peers").split(",")
    pairs = [("cpython", "cpython")] if "cpython" in kinds else []
    if "go" in kinds:
        pairs += [(a, b) for a in SIDES for b in SIDES if "go" in (a, b)]
    metafunc.parametrize("pair", pairs, ids=["%s registrar-%s registry" % pair for pair in pairs])


@pytest.fixture(params=["udp", "tcp"])
def transport(request):
    return request.param


def script(side, name):
    """The command for one of the reference programs, and its environment."""
    path = os.path.join(HERE, "reference", name)
    if side in OLD:
        found = other_release(OLD[side], "3.4.4")
        if found is None:
            pytest.skip("python%s is not here" % OLD[side])
        return found[0] + [path], found[1]
    return [sys.executable, path], {"PYTHONDONTWRITEBYTECODE": "1"}


class Registry:
    """A registry of some side, with listing allowed unless told otherwise."""

    def __init__(self, run_program, peers, side, transport, host="127.0.0.1", port=0, timeout=240, listing=True):
        if side == "go":
            command = [peers.binaries.path("rpyc_registry"), "--mode", transport, "--host", host, "--port", str(port),
                       "--timeout", str(timeout), "--ready", "--log-level",
                       "debug"] + (["-l", "true"] if listing else [])
            env = {}
        else:
            command, env = script(side, "ref_registry.py")
            command += ["--transport", transport, "--host", host, "--port", str(port), "--timeout", str(timeout)]
            # releases before 5.1 do not know listing
            command += ["--listing"] if listing and side == "cpython" and RPYC >= (5, 1) else []
        self.program = run_program("%s registry" % side, command, env)
        word, self.host, port = self.program.line().split()
        assert word == "READY"
        self.port = int(port)
        self.lists = side == "go" or side == "cpython" and RPYC >= (5, 1)


class Registrar:
    """A program that is told what to ask."""

    def __init__(self, run_program, peers, side, registry_side, transport, addr=None, timeout=None):
        if side == "go":
            command, env = [peers.binaries.path("goregistrar")], {}
            if python2(registry_side):
                command += ["-python2"]
            flag = "-"
        else:
            command, env = script(side, "ref_registrar.py")
            flag = "--"
        command += [flag + "transport", transport]
        if addr:
            command += [flag + "addr", addr]
        if timeout:
            command += [flag + "timeout", str(timeout) + ("s" if side == "go" else "")]
        self.program = run_program("%s registrar" % side, command, env)
        self.lists = side == "go" or side == "cpython" and RPYC >= (5, 1)

    def ask(self, op, **arguments):
        self.program.process.stdin.write((json.dumps(dict(arguments, op=op)) + "\n").encode())
        self.program.process.stdin.flush()
        return json.loads(self.program.line())

    def result(self, op, **arguments):
        answer = self.ask(op, **arguments)
        assert "result" in answer, answer
        return answer["result"]

    def discover(self, name):
        return [tuple(pair) for pair in self.result("discover", name=name)]


@pytest.fixture
def start_registry(run_program, peers, pair, transport):
    """start_registry(**options) -> the Registry of this test."""
    started = []

    def start(**options):
        started.append(Registry(run_program, peers, pair[1], transport, **options))
        return started[-1]

    yield start
    for registry in started:
        if pair[1] == "go":  # a daemon: it does not mind its stdin
            registry.program.signal(signal.SIGTERM)
            assert registry.program.process.wait(10) == 0


@pytest.fixture
def both(run_program, peers, pair, transport, start_registry):
    """A registrar and the registry it asks."""
    registry = start_registry()
    registrar = Registrar(run_program, peers, pair[0], pair[1], transport, "%s:%d" % (registry.host, registry.port))
    return registrar, registry


def test_register_and_discover(both):
    registrar, _ = both
    assert registrar.discover("nobody") == []
    assert registrar.result("register", names=["Foo", "bar"], port=12345) is True
    assert registrar.result("register", names=["FOO"], port=45678) is True
    assert registrar.discover("FOO") == [("127.0.0.1", 12345), ("127.0.0.1", 45678)]
    assert registrar.discover("foo") == registrar.discover("FOO")
    assert registrar.discover("BAR") == [("127.0.0.1", 12345)]
    # a renewal makes an entry the youngest
    assert registrar.result("register", names=["Foo", "bar"], port=12345) is True
    assert registrar.discover("FOO") == [("127.0.0.1", 45678), ("127.0.0.1", 12345)]
    registrar.result("unregister", port=45678)
    eventually(lambda: registrar.discover("FOO") == [("127.0.0.1", 12345)])
    registrar.result("unregister", port=12345)
    eventually(lambda: registrar.discover("BAR") == [])


def test_register_from_an_interface(both, pair):
    registrar, _ = both
    assert registrar.result("register", names=["FOO"], port=1, interface="127.0.0.1") is True
    assert registrar.result("register", names=["FOO"], port=1, interface="127.0.0.2") is True
    assert registrar.discover("FOO") == [("127.0.0.1", 1), ("127.0.0.2", 1)]


def test_register_a_unix_socket(both):
    registrar, _ = both
    assert registrar.result("register", names=["UNIX"], port="/run/rpyc.sock") is True
    assert registrar.discover("UNIX") == [("127.0.0.1", "/run/rpyc.sock")]


def test_register_beyond_ascii(both, pair):
    if any(python2(side) for side in pair):
        pytest.skip("Python 2's str is bytes: upper() leaves those beyond ASCII alone")
    registrar, _ = both
    assert registrar.result("register", names=["stra\u00dfe", "\u00e9t\u00e9"], port=7) is True
    assert registrar.discover("STRASSE") == [("127.0.0.1", 7)]
    assert registrar.discover("\u00c9t\u00e9") == [("127.0.0.1", 7)]


def test_list(both, pair):
    registrar, registry = both
    if not (registrar.lists and registry.lists):
        pytest.skip("no listing before RPyC 5.1")
    assert registrar.result("list") == []
    registrar.result("register", names=["foo"], port=1)
    registrar.result("register", names=["bar"], port=1, interface="127.0.0.2")
    assert registrar.result("list") == ["FOO", "BAR"]
    assert registrar.result("list", host="127.0.0.2") == ["BAR"]
    assert registrar.result("list", host="127.0.0.3") == []


def test_long_list(both, pair, transport):
    """More names than fit into 1,500 bytes: RPyC's clients read 15,000 over UDP since 5.2.1."""
    registrar, registry = both
    if transport == "tcp" or pair[0] == "cpython" and RPYC < (5, 2, 1):
        pytest.skip("these clients read 1,500 bytes")
    if not (registrar.lists and registry.lists):
        pytest.skip("no listing before RPyC 5.1")
    names = ["SERVICE_NUMBER_%d" % i for i in range(1000, 1400)]
    for at in range(0, len(names), 40):
        registrar.result("register", names=names[at:at + 40], port=1)
    assert registrar.result("list") == names


def test_list_denied(run_program, peers, pair, transport, start_registry):
    registry = start_registry(listing=False)
    registrar = Registrar(run_program, peers, pair[0], pair[1], transport, "%s:%d" % (registry.host, registry.port))
    if not (registrar.lists and registry.lists):
        pytest.skip("no listing before RPyC 5.1")
    assert registrar.ask("list") == {"error": "disabled"}


def test_many_servers(both, pair):
    """More than an answer has room for: registrars read what Go's registry sends of it."""
    registrar, _ = both
    if pair[1] != "go":
        pytest.skip("upstream's answers are too long for its clients to read")
    for port in range(20000, 20120):
        registrar.result("register", names=["BIG"], port=port)
    found = registrar.discover("BIG")
    assert 60 < len(found) < 80
    assert found == [("127.0.0.1", 20000 + i) for i in range(len(found))]


def test_registrations_expire(run_program, peers, pair, transport, start_registry):
    registry = start_registry(timeout=1)
    registrar = Registrar(run_program, peers, pair[0], pair[1], transport, "%s:%d" % (registry.host, registry.port))
    registrar.result("register", names=["FOO"], port=1)
    assert registrar.discover("FOO") == [("127.0.0.1", 1)]
    eventually(lambda: registrar.discover("FOO") == [])


def test_no_registry(run_program, peers, pair):
    """Nobody there: an error or a False, no hanging."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:  # a port that does not answer
        silent.bind(("127.0.0.1", 0))
        addr = "127.0.0.1:%d" % silent.getsockname()[1]
        registrar = Registrar(run_program, peers, pair[0], pair[1], "udp", addr, timeout=0.3)
        assert registrar.ask("register", names=["FOO"], port=1) == {"error": "no answer"}
        assert "no registry acknowledged" in registrar.program.stderr() or pair[0] != "go"
