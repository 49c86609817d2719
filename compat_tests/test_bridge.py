"""The program rpyc_bridge: clients and services of any two releases, what it refuses, and how it ends.

That it shows no difference between releases that do understand each other is tested by test_calls.py and
test_callbacks.py with --peers bridge.
"""
import contextlib
import json
import os
import signal
import socket
import sys
import urllib.error
import urllib.request

import pytest
import rpyc

from describe import RPYC
from harness import HERE, Program, eventually, free_port, other_release, printed
from test_old_releases import NEW_PYTHONS

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("go_only")]

SERVICE = os.path.join(HERE, "reference", "old_service.py")
CLIENT = os.path.join(HERE, "reference", "old_client.py")
BRIDGED = os.path.join(HERE, "reference", "bridged_service.py")
CLASSIC = os.path.join(HERE, "reference", "old_classic.py")

RELEASES = [("2.7", "3.4.4"), ("3.6", "3.4.4"), ("3.6", "4.0.2"), ("", "4.1.5"), ("", "5.3.1"), ("", "6.0.2"),
            (NEW_PYTHONS, "7.0.15", "rpyc-ng")]
NAMES = ["py%s-%s%s" % (release[0].split()[0] if release[0] else "here", (release + ("rpyc",))[2], release[1])
         for release in RELEASES]

all_releases = pytest.mark.skipif(
    not os.environ.get("GORPYC_OLD_RELEASES") or RPYC < (6,),
    reason="releases are paired in one cell of the matrix: RPyC 6, GORPYC_OLD_RELEASES")


@pytest.fixture
def bridge(peers, start):
    """bridge(service, switch, …) -> a bridge in front of the server."""
    def go(service, *switches):
        to = ["--to", "%s:%d" % (service.host, service.port)] if service else []
        return start("bridge", [peers.binaries.path("rpyc_bridge"), "--listen", "127.0.0.1:0", "--ready"] + to +
                     list(switches))
    return go


@pytest.fixture
def service(start):
    return start("cpython", [sys.executable, BRIDGED])


@pytest.fixture
def connect():
    """connect(server, …) -> a connection that ends with the test."""
    opened = []

    def go(server, **options):
        opened.append(rpyc.connect(server.host, server.port, **options))
        return opened[-1]
    yield go
    for conn in opened:
        with contextlib.suppress(AttributeError):  # of one that has ended: RPyC 6 has forgotten its service
            conn.close()


_SEEN = {}


@all_releases
@pytest.mark.parametrize("of_server", RELEASES, ids=["to-" + name for name in NAMES])
@pytest.mark.parametrize("of_client", RELEASES, ids=NAMES)
def test_any_release_with_any_other(of_client, of_server, bridge, start):
    """A client sees through the bridge what it sees of a service of its own kind directly."""
    client, server = other_release(*of_client), other_release(*of_server)
    if client is None or server is None:
        pytest.skip("one of these Pythons is not here")
    python, env = client
    if of_client not in _SEEN:
        own = start("cpython", python + [SERVICE], env=env)
        _SEEN[of_client] = printed(python + [CLIENT, own.host, str(own.port)], env)
    far = bridge(start("cpython", server[0] + [SERVICE], env=server[1]))
    seen = [printed(python + [CLIENT, far.host, str(far.port)], env), _SEEN[of_client]]
    if of_client[0] == "2.7" != of_server[0]:  # texts of Python 2 are bytes in Python 3, which has one class for errors
        seen = [[line for line in lines if not line.startswith(("texts ", "opening "))] for lines in seen]
    assert seen[0] == seen[1]


def test_only_what_is_allowed(service, bridge, connect):
    root = connect(bridge(service, "--allow", "get_*", "--allow", "add")).root
    assert root.add(1, 2) == 3 and root.get_value() == 5 and root.exposed_get_value() == 5
    for use in (lambda: root.secret, lambda: root.exposed_secret, lambda: root.exposed_secret(),
                lambda: root.get_me().secret()):
        with pytest.raises(AttributeError, match="cannot access '(exposed_)?secret'"):
            use()
    assert root.get_box().value == 7  # of other objects the service decides


def test_who_may_do_what(service, bridge, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(os.path.join(HERE, "..", "docs"))
    import rpyc_auth

    def write(name, document):
        path = tmp_path / name
        path.write_text(json.dumps(document))
        return str(path)
    keys = {"ann": b"the key of ann, of 16 bytes and more", "bob": b"the key of bob, of 16 bytes and more"}
    through = bridge(
        service, "--audit", "denied",
        "--keys", write("keys.json", [{"name": n, "keys": [k.decode()]} for n, k in keys.items()]),
        "--policy", write("policy.json", {"rules": [
            {"who": ["ann"], "kinds": ["hmac"],
             "methods": [{"method": "add", "rate": 0.001, "burst": 2, "wait": "-1s"}]},
            {"who": ["*"], "allow": ["get_*"]}]}))

    def root(name, key):
        conn = rpyc_auth.connect(through.host, through.port, rpyc_auth.say_hmac, name, key)
        opened.append(conn)
        return conn.root
    opened = []
    try:
        ann, bob = (root(name, keys[name]) for name in ("ann", "bob"))
        assert ann.add(1, 2) == 3 and ann.add(3, 4) == 7 and ann.get_value() == 5
        with pytest.raises(BlockingIOError, match="too many requests for add") as limited:
            ann.add(5, 6)
        assert 900 < limited.value.retry_after <= 1000
        assert bob.get_value() == 5 and bob.get_box().value == 7
        for use in (lambda: bob.add(1, 2), lambda: bob.exposed_add(1, 2), lambda: bob.get_me().add(1, 2)):
            with pytest.raises(AttributeError, match="cannot access '(exposed_)?add'"):
                use()
        with pytest.raises(rpyc_auth.AuthenticationError, match="unknown name or wrong key"):
            root("ann", keys["bob"])

        def may_add():
            try:
                return bob.add(1, 2) == 3
            except AttributeError:
                return False
        write("policy.json", {"rules": [{"who": ["*"], "allow": ["add"]}]})
        through.signal(signal.SIGHUP)
        eventually(may_add)
        write("policy.json", {"rules": []})
        through.signal(signal.SIGHUP)
        eventually(lambda: "policy not read again" in through.stderr())
        assert may_add()
    finally:
        for conn in opened:
            conn.close()
    log = through.stderr()
    assert "outcome=limited error=BlockingIOError" in log
    assert "identity=hmac:bob" in log and "outcome=denied error=AttributeError" in log
    assert "the key of" not in log


def test_nothing_is_set_where_all_is_read_only(service, bridge, connect):
    free, bound = (connect(bridge(service, *switches)).root.box() for switches in ((), ("--read-only",)))
    free.value = 8
    assert free.value == 8
    with pytest.raises(AttributeError, match="read-only"):
        bound.value = 8
    with pytest.raises(AttributeError, match="read-only"):
        del bound.value
    assert bound.value == 7


class Hostile:
    """Unpickling it makes a directory."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_pickles_pass_only_if_allowed(service, bridge, connect, tmp_path):
    config = {"allow_pickle": True}
    path = str(tmp_path / "made")
    conn = connect(bridge(service), config=config)
    with pytest.raises(ValueError, match="pickling is disabled"):
        conn.root.obtain(Hostile(path))
    with pytest.raises(ValueError, match="pickling is disabled"):
        rpyc.classic.obtain(conn.root.items())
    assert not os.path.exists(path)
    conn = connect(bridge(service, "--allow-pickle"), config=config)
    assert rpyc.classic.obtain(conn.root.items()) == [1, 2]
    conn.root.obtain(Hostile(path))
    assert os.path.isdir(path)


def test_classic_mode_passes_unless_it_is_denied(bridge, start, connect):
    server = start("cpython", [sys.executable, CLASSIC])
    far = bridge(server)
    conn = rpyc.classic.connect(far.host, far.port)
    try:
        assert conn.modules.os.path.join("a", "b") == "a/b"
        conn.execute("def f(g): return [g(i) for i in range(3)]")
        assert list(conn.namespace["f"](lambda i: i * i)) == [0, 1, 4]
        assert isinstance(conn.builtins.dict(), dict)
    finally:
        conn.close()
    with pytest.raises(Exception, match="classic mode"):
        connect(bridge(server, "--deny-classic")).root.eval("1")


def test_references_are_given_back(service, bridge, connect):
    address = "127.0.0.1:%d" % free_port()
    far = bridge(service, "--http", address)
    root = connect(far).root
    for _ in range(20):
        held = [root.box() for _ in range(50)]
        assert held[0].value == 7
        assert root.total([object() for _ in range(50)]) == 50
    del held

    def left():
        root.add(1, 1)
        text = urllib.request.urlopen("http://%s/metrics" % address).read().decode()
        counts = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return [int(n) for name, n in counts.items() if "_objects{" in name]
    # The root object, and its methods that the client's proxy has asked for.
    eventually(lambda: sum(left()) < 10, what="references are given back")
    assert len(left()) == 2


def test_the_end_of_a_service_ends_its_clients_calls(service, bridge, connect, run_program):
    far = bridge(service)
    conn = connect(far)
    waiting = rpyc.async_(conn.root.wait)()
    assert connect(far).root.waiting() == 1
    service.signal(signal.SIGKILL)
    with pytest.raises(EOFError):
        waiting.wait()
        waiting.value  # noqa: B018  raises
    with pytest.raises(EOFError):
        conn.root.add(1, 2)


def test_the_end_of_a_client_is_told(service, bridge, connect):
    far = bridge(service)
    root = connect(far).root
    before = root.gone()  # other tests have clients of the service, too
    program = ("import rpyc, os, signal; c = rpyc.connect('%s', %d); c.root.add(1, 2); os.kill(os.getpid(), "
               "signal.SIGKILL)" % (far.host, far.port))
    client = Program("client", [sys.executable, "-c", program])
    assert client.process.wait(30) == -signal.SIGKILL
    eventually(lambda: root.gone() > before, what="the service is told")
    client.stop()


def test_a_service_that_is_not_there(bridge, connect):
    address = "127.0.0.1:%d" % free_port()
    with socket.socket() as deaf:  # nobody else gets its port
        deaf.bind(("127.0.0.1", 0))
        far = bridge(None, "--to", "127.0.0.1:%d" % deaf.getsockname()[1], "--http", address)
        with pytest.raises(Exception, match="the service cannot be reached") as caught:
            connect(far).root.add(1, 2)
        assert "ConnectionError" in type(caught.value).__name__
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen("http://%s/healthz" % address)
    assert refused.value.code == 503
    assert "refused" in json.loads(refused.value.read())[0]["error"]


def test_the_next_service_is_asked(service, bridge, connect):
    far = bridge(service, "--to", "127.0.0.1:%d" % free_port())
    for _ in range(3):  # half of them begin with the one that is not there
        assert connect(far).root.add(1, 2) == 3


@pytest.mark.skipif(RPYC < (5,), reason="ssl_connect of RPyC 4.1 speaks TLS 1.0 only")
def test_tls_on_either_side(service, bridge, certificates):
    inner = bridge(service, "--tls-cert", certificates("server.pem"), "--tls-key", certificates("server.key"),
                   "--tls-ca", certificates("ca.pem"))
    outer = bridge(inner, "--to-tls-ca", certificates("ca.pem"), "--to-tls-cert", certificates("client.pem"),
                   "--to-tls-key", certificates("client.key"), "--tls-cert", certificates("server.pem"),
                   "--tls-key", certificates("server.key"))
    conn = rpyc.ssl_connect("localhost", outer.port, ca_certs=certificates("ca.pem"))
    try:
        assert conn.root.add(1, 2) == 3
    finally:
        conn.close()


def test_several_bridges_of_a_file(service, peers, start, tmp_path):
    routes = [{"listen": "127.0.0.1:0", "to": ["127.0.0.1:%d" % service.port]},
              {"listen": "unix:%s" % (tmp_path / "socket"), "to": ["127.0.0.1:%d" % service.port], "allow": ["add"]}]
    config = tmp_path / "bridges.json"
    config.write_text(json.dumps({"bridges": routes}))
    far = start("bridge", [peers.binaries.path("rpyc_bridge"), "--config", str(config), "--ready"])
    first, second = rpyc.connect(far.host, far.port), rpyc.utils.factory.unix_connect(str(tmp_path / "socket"))
    assert first.root.get_value() == 5 and second.root.add(1, 2) == 3
    with pytest.raises(AttributeError):
        second.root.get_value()
    first.close()
    second.close()


def test_registered_under_the_services_names(service, peers, bridge, start, connect):
    port = free_port()
    registry = start("registry", [peers.binaries.path("rpyc_registry"), "--ready", "--host", "127.0.0.1",
                                  "-p", str(port)])
    far = bridge(service, "--register", "--registry", "127.0.0.1:%d" % port)
    registrar = rpyc.utils.registry.UDPRegistryClient(ip=registry.host, port=port)
    found = eventually(lambda: registrar.discover("BRIDGED"), what="the bridge is registered")
    assert [p for _, p in found] == [far.port]
    behind = bridge(None, "--to", "service:BRIDGED", "--registry", "127.0.0.1:%d" % port)
    assert connect(behind).root.add(1, 2) == 3


@pytest.mark.parametrize("switches, text", [
    ([], "--to is missing"), (["--to", "x:y"], "is no port"), (["--to", "x:1", "--allow", "["], "is no pattern"),
    (["--to", "x:1", "--family", "Z"], "family"), (["--to", "x:1", "more"], "no arguments"),
    (["--to", "x:1", "--tls-key", "k"], "tls-cert"), (["--config", "/nonexistent/file"], "no such file"),
    (["--to", "x:1", "--log-format", "xml"], "log format"), (["--to", "x:1", "--audit", "some"], "denied or all"),
    (["--to", "x:1", "--policy", "/nonexistent/file"], "no such file"),
    (["--to", "x:1", "--keys", "/nonexistent/file"], "no such file"),
])
def test_mistakes_in_the_command_line(peers, run_program, switches, text):
    program = run_program("bridge", [peers.binaries.path("rpyc_bridge"), "--listen", "127.0.0.1:0"] + switches)
    assert program.process.wait(30) == 2
    assert text in program.stderr()
