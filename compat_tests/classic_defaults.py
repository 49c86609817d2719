"""Tests of rpyc_classic with nothing said on its command line, against programs of RPyC of which the same is true: run
by test_classic_network.py in a network of their own."""
import contextlib
import os
import signal
import socket
import subprocess
import sys

import pytest
import rpyc
from rpyc.utils import factory
from rpyc.utils.registry import TCPRegistryClient, UDPRegistryClient

from describe import RPYC
from harness import eventually

CLASSIC, REGISTRY = os.environ["GORPYC_CLASSIC"], os.environ["GORPYC_REGISTRY"]
HERE = "192.0.2.1"  # this host in its network
SLAVE = rpyc.classic.SlaveService


def certificate(name):
    return os.path.join(os.environ["GORPYC_CERTIFICATES"], name)


@contextlib.contextmanager
def running(*command):
    """A program without a READY line."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        status = process.wait(15)
        assert status == 0 or command[0] == sys.executable, process.stderr.read()
    finally:
        process.kill()
        process.stderr.close()
        process.wait(10)


def connected(connect, *arguments, **more):
    """The connection, once there is a server."""
    def attempt():
        try:
            return connect(*arguments, **more)
        except (OSError, factory.DiscoveryError):
            return None
    return eventually(attempt, 20)


def refused(host, port):
    with pytest.raises(OSError):
        socket.create_connection((host, port), 5).close()


def test_port_and_host():
    with running(CLASSIC):
        conn = connected(rpyc.classic.connect, "localhost")  # 18812
        assert conn.modules.sys.byteorder in ("little", "big")
        conn.close()
        refused(HERE, 18812)


def test_every_address():
    with running(CLASSIC, "--host", "0.0.0.0"):
        connected(rpyc.classic.connect, HERE).close()


def test_ipv6():
    with running(CLASSIC, "--ipv6"):
        conn = connected(rpyc.classic.connect, "::1", ipv6=True)
        assert conn.eval("1") == 1
        conn.close()
        refused("127.0.0.1", 18812)


@pytest.mark.skipif(RPYC < (5, 2, 1), reason="this release of RPyC speaks TLS 1.0 only")
def test_tls_port():
    with running(CLASSIC, "--ssl-keyfile", certificate("server.key"), "--ssl-certfile", certificate("server.pem")):
        conn = connected(rpyc.classic.ssl_connect, "localhost", ca_certs=certificate("ca.pem"))  # 18821
        assert conn.eval("1") == 1
        conn.close()
        refused("127.0.0.1", 18812)


def registries():
    """The registry programs: RPyC's own, as it is installed, and ours."""
    theirs = [[sys.executable, path] for path in (os.path.join(os.path.dirname(sys.executable), name)
                                                  for name in ("rpyc_registry.py", "rpyc_registry"))
              if os.path.exists(path)]
    assert theirs, "no rpyc_registry beside %s" % sys.executable
    return {"cpython": theirs[0], "go": [REGISTRY]}


@pytest.mark.parametrize("make", ["cpython", "go"])
@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_register(make, transport):
    """--register alone finds a registry by a broadcast; TCP needs its host."""
    how = ["--registry-type", "TCP", "--registry-host", "127.0.0.1"] if transport == "TCP" else []
    client = TCPRegistryClient(ip="127.0.0.1") if transport == "TCP" else UDPRegistryClient()
    host = "127.0.0.1" if transport == "TCP" else HERE  # whence the registration comes, for lack of a word on it
    if make == "cpython" and transport == "TCP" and RPYC < (5,):
        pytest.skip("this release's own program ends with UnboundLocalError when it is given -m")
    with running(*(registries()[make] + (["-m", "TCP"] if transport == "TCP" else []))):
        def answers():
            try:
                return client.discover("NOBODY") == ()
            except OSError:
                return False
        eventually(answers, 20)
        with running(CLASSIC, "--register", "--host", "0.0.0.0", *how):
            eventually(lambda: client.discover("SLAVE") == ((host, 18812),), 20)
            conn = rpyc.classic.connect(*factory.discover("SLAVE", registrar=client)[0])
            assert conn.modules.os.getpid() > 0
            conn.close()
        assert client.discover("SLAVE") == ()


def test_a_port_that_is_taken():
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 18812))
        taken.listen(1)
        done = subprocess.run([CLASSIC], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=20)
    assert done.returncode == 1
    assert b"address already in use" in done.stderr
