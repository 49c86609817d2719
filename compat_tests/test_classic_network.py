"""cmd/rpyc_classic on the network: TLS, registries, addresses, and the ports and broadcasts it has by default."""
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading

import pytest
import rpyc
from rpyc.utils import factory
from rpyc.utils.registry import TCPRegistryClient, UDPRegistryClient

import netns
from describe import RPYC
from harness import HERE, eventually, free_port

SLAVE = rpyc.classic.SlaveService
ENGINES = [[], ["--engine", sys.executable]]
both_engines = pytest.mark.parametrize("engine", ENGINES, ids=["go", "python"])
# Older releases insist on TLS 1.0, which no OpenSSL of today speaks.
modern_tls = pytest.mark.skipif(RPYC < (5, 2, 1), reason="this release of RPyC speaks TLS 1.0 only")


@pytest.fixture
def start(peers, run_program):
    """start(switches…) -> the program, which has printed READY, with host and port."""
    def run(*switches):
        command = [peers.binaries.path("rpyc_classic"), "--ready"] + list(switches)
        program = run_program("rpyc_classic", command if "-p" in switches else command + ["-p", "0"])
        word, program.host, program.port = program.line().split()
        assert word == "READY"
        program.port = int(program.port)
        started.append(program)
        return program
    started = []
    yield run
    for program in started:
        program.signal(signal.SIGTERM)  # it does not mind its stdin


def stop(program):
    program.process.send_signal(signal.SIGTERM)
    assert program.process.wait(15) == 0, program.stderr()


def use(conn):
    """What shows that a connection is one to a whole machine."""
    assert conn.modules.os.path.exists(conn.modules.os.getcwd())
    assert conn.builtin.sum([1, 2]) == 3
    assert conn.eval("6 * 7") == 42
    conn.close()


# TLS.

def server_switches(certificates, *more):
    return ["--ssl-keyfile", certificates("server.key"), "--ssl-certfile", certificates("server.pem")] + list(more)


@modern_tls
@both_engines
def test_tls(start, certificates, engine):
    program = start(*server_switches(certificates, *engine))
    use(rpyc.classic.ssl_connect("localhost", program.port))
    use(rpyc.classic.ssl_connect("localhost", program.port, ca_certs=certificates("ca.pem")))
    # a certificate that nobody has asked for does no harm
    use(rpyc.classic.ssl_connect("localhost", program.port, keyfile=certificates("other-client.key"),
                                 certfile=certificates("other-client.pem")))
    with pytest.raises(ssl.SSLError):
        rpyc.classic.ssl_connect("localhost", program.port, ca_certs=certificates("other-ca.pem"))
    use(rpyc.classic.ssl_connect("localhost", program.port))
    assert "demand certificates" not in program.stderr()
    stop(program)


@modern_tls
@both_engines
def test_tls_with_certificates_of_clients(start, certificates, engine):
    program = start(*server_switches(certificates, "--ssl-cafile", certificates("ca.pem"), *engine))

    def connect(name):
        more = {"keyfile": certificates(name + ".key"), "certfile": certificates(name + ".pem")} if name else {}
        return rpyc.classic.ssl_connect("localhost", program.port, ca_certs=certificates("ca.pem"), **more)
    use(connect("client"))
    def rejected():
        return program.stderr().count("failed to authenticate")
    for wrong in (None, "other-client"):
        before = rejected()
        # the first use, since with TLS 1.3 a client is the first to be done
        with pytest.raises((ssl.SSLError, EOFError, OSError)):
            use(connect(wrong))
        eventually(lambda: rejected() > before, 10)
        use(connect("client"))
    # neither is hanging up, silence or plain RPyC the end of the server
    held = socket.create_connection(("127.0.0.1", program.port))
    socket.create_connection(("127.0.0.1", program.port)).close()
    with pytest.raises((EOFError, OSError)):
        use(rpyc.classic.connect("localhost", program.port))
    use(connect("client"))
    held.close()
    eventually(lambda: rejected() >= 4, 10)
    stop(program)


@modern_tls
@pytest.mark.parametrize("mode", ["forking", "oneshot"])
def test_tls_in_other_modes(peers, run_program, certificates, mode):
    command = [peers.binaries.path("rpyc_classic"), "-p", "0", "-m", mode]
    command += server_switches(certificates, "--ssl-cafile", certificates("ca.pem"))
    program = run_program("rpyc_classic", command + ([] if mode == "oneshot" else ["--ready"]))
    if mode == "oneshot":
        assert program.line() == "rpyc-oneshot"
    port = int(program.line().split()[-1])
    use(rpyc.classic.ssl_connect("localhost", port, keyfile=certificates("client.key"),
                                 certfile=certificates("client.pem")))
    if mode == "oneshot":
        assert program.process.wait(15) == 0
    else:
        stop(program)


@modern_tls
def test_certificates_are_read_again(start, certificates, tmp_path):
    """Renewed files serve without a restart."""
    def install(prefix):
        for name in ("server.key", "server.pem"):
            (tmp_path / "new").write_bytes(open(certificates(prefix + name), "rb").read())
            (tmp_path / "new").rename(tmp_path / name)
    install("")
    program = start("--ssl-keyfile", str(tmp_path / "server.key"), "--ssl-certfile", str(tmp_path / "server.pem"))
    use(rpyc.classic.ssl_connect("localhost", program.port, ca_certs=certificates("ca.pem")))
    install("other-")

    def renewed():
        try:
            use(rpyc.classic.ssl_connect("localhost", program.port, ca_certs=certificates("other-ca.pem")))
            return True
        except ssl.SSLError:
            return False
    eventually(renewed, 20)
    stop(program)


def test_files_that_are_no_certificates(peers, certificates):
    command = [peers.binaries.path("rpyc_classic"), "-p", "0", "--ssl-keyfile", certificates("server.key"),
               "--ssl-certfile"]
    for wrong in (__file__, certificates("client.pem")):
        done = subprocess.run(command + [wrong], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30)
        assert done.returncode == 1
        assert done.stderr.startswith(b"rpyc_classic: ") and done.stderr.count(b"\n") == 1


# Addresses.

@pytest.mark.parametrize("host", ["0.0.0.0", "0", "127.1", "127.0.0.1", "localhost"])
def test_hosts(start, host):
    """All that CPython's bind takes for an address."""
    program = start("--host", host)
    use(rpyc.classic.connect("127.0.0.1", program.port))
    stop(program)


# Registries.

@pytest.fixture(params=["cpython registry", "go registry"])
def registry(request, peers, run_program):
    """registry(transport) -> the port of a registry of some make."""
    def run(transport):
        if request.param == "go registry":
            command = [peers.binaries.path("rpyc_registry"), "--mode", transport, "--host", "127.0.0.1", "--port", "0",
                       "--ready"]
        else:
            command = [sys.executable, os.path.join(HERE, "reference", "ref_registry.py"), "--transport",
                       transport.lower()]
        started.append(run_program(request.param, command))
        return int(started[-1].line().split()[2])
    started = []
    yield run
    for program in started:
        program.signal(signal.SIGTERM)


@both_engines
@pytest.mark.parametrize("transport, client", [("UDP", UDPRegistryClient), ("TCP", TCPRegistryClient)],
                         ids=["UDP", "TCP"])
def test_register(start, registry, transport, client, engine):
    port = registry(transport)
    program = start("--register", "--registry-type", transport, "--registry-host", "127.0.0.1", "--registry-port",
                    str(port), *engine)
    registrar = client(ip="127.0.0.1", port=port)
    want = (("127.0.0.1", program.port),)
    eventually(lambda: registrar.discover("SLAVE") == want, 20)
    assert factory.discover("slave", registrar=registrar) == want
    if RPYC >= (5,):  # before, it asks no registry but the one of a broadcast
        use(factory.connect_by_service("SLAVE", registrar=registrar, service=SLAVE))
    use(rpyc.classic.connect(*factory.discover("slave", registrar=registrar)[0]))
    stop(program)
    assert registrar.discover("SLAVE") == ()


def test_without_a_registry(start):
    """A server whose registry is away serves all the same, and ends in time."""
    for transport in ("UDP", "TCP"):
        program = start("--register", "--registry-type", transport, "--registry-host", "127.0.0.1", "--registry-port",
                        str(free_port()))
        use(rpyc.classic.connect("127.0.0.1", program.port))
        stop(program)


def test_only_with_register(start, registry):
    port = registry("UDP")
    program = start("--registry-host", "127.0.0.1", "--registry-port", str(port))
    use(rpyc.classic.connect("127.0.0.1", program.port))
    assert UDPRegistryClient(ip="127.0.0.1", port=port).discover("SLAVE") == ()
    stop(program)


@pytest.mark.seconds(180)
def test_defaults(peers, certificates):
    """In a network namespace, where the well-known ports are free and broadcasts stay: see classic_defaults.py for the
    tests."""
    reason = netns.unavailable()
    if reason:
        pytest.skip(reason)
    netns.run_tests("classic_defaults.py", GORPYC_CLASSIC=peers.binaries.path("rpyc_classic"),
                    GORPYC_REGISTRY=peers.binaries.path("rpyc_registry"),
                    GORPYC_CERTIFICATES=os.path.dirname(certificates("ca.pem")))


# Many at once.

def test_clients_at_the_same_time(start):
    program = start()
    failures = []

    def client(n):
        try:
            conn = rpyc.classic.connect("127.0.0.1", program.port)
            conn.namespace["n"] = n
            for _ in range(20):
                assert conn.eval("n + 1") == n + 1
            conn.close()
        except BaseException as error:  # noqa: B036 - told by the main thread
            failures.append(error)
    threads = [threading.Thread(target=client, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not failures
    stop(program)
