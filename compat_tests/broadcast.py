"""Tests of broadcasts, with the defaults of all parties: run by test_registry_broadcast.py in a network of their
own."""
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading

import pytest
import rpyc
from rpyc.utils.registry import UDPRegistryClient, UDPRegistryServer

import netns
from describe import RPYC
from harness import eventually

REGISTRY, REGISTRAR, CALCULATOR = (os.environ["GORPYC_%s" % name] for name in ("REGISTRY", "REGISTRAR", "CALCULATOR"))
HERE = "192.0.2.1"  # this host in its network


@contextlib.contextmanager
def running(*command, **more):
    """A program whose stdout begins with READY."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **more)
    try:
        assert process.stdout.readline().split()[0] == b"READY"
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.stdin.close()
        process.stdout.close()
        process.wait(10)


@contextlib.contextmanager
def python_registry():
    server = UDPRegistryServer()
    thread = threading.Thread(target=server.start, daemon=True)
    thread.start()
    eventually(lambda: server.active)
    yield server
    server.close()
    thread.join(10)


def go_registrar(*requests, arguments=()):
    """What the Go registrar, with its defaults, makes of requests."""
    text = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run([REGISTRAR] + list(arguments), input=text.encode(), stdout=subprocess.PIPE, timeout=60)
    assert done.returncode == 0
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def test_python_registrar_finds_the_go_registry():
    with running(REGISTRY, "--ready"):
        registrar = UDPRegistryClient()
        assert registrar.register(("FOO",), 12345)
        assert registrar.register(("FOO",), 12346, interface=HERE)
        assert registrar.discover("foo") == ((HERE, 12345), (HERE, 12346))
        registrar.unregister(12345)
        eventually(lambda: registrar.discover("foo") == ((HERE, 12346),))


def test_go_registrar_finds_a_python_registry():
    with python_registry():
        answers = go_registrar({"op": "register", "names": ["FOO"], "port": 12345},
                               {"op": "discover", "name": "foo"},
                               {"op": "unregister", "port": 12345})
        assert answers == [{"result": True}, {"result": [[HERE, 12345]]}, {"result": None}]


def test_go_registrar_on_every_interface():
    """A broadcast leaves by the interface of the default route only; this one by both."""
    kind = json.loads(subprocess.run(["ip", "-d", "-j", "link", "show", "lan0"], stdout=subprocess.PIPE,
                                     check=True).stdout)
    for command in ("ip link add lan1 type " + kind[0]["linkinfo"]["info_kind"],
                    "ip addr add 198.51.100.1/24 broadcast 198.51.100.255 dev lan1", "ip link set lan1 up"):
        subprocess.run(command.split(), check=True)
    try:
        with running(REGISTRY, "--ready"):
            answers = go_registrar({"op": "register", "names": ["FOO"], "port": 1}, arguments=["-every-interface"])
            assert answers == [{"result": True}]
            eventually(lambda: sorted(UDPRegistryClient().discover("FOO")) == [(HERE, 1), ("198.51.100.1", 1)])
    finally:
        subprocess.run(["ip", "link", "del", "lan1"], check=True)


def test_go_service_is_found_by_python():
    with running(REGISTRY, "--ready"), running(CALCULATOR, "--register", "--host", "0.0.0.0", "--port", "0"):
        eventually(lambda: UDPRegistryClient().discover("CALCULATOR"))
        conn = rpyc.connect_by_service("calculator")
        assert conn.root.add(2, 3) == 5
        conn.close()
    # the server has said farewell, or the registry is gone: nothing is left either way


def test_python_service_is_found_through_the_go_registry():
    class TimeService(rpyc.Service):
        def exposed_answer(self):
            return 42

    server = rpyc.ThreadedServer(TimeService, port=0, auto_register=True)
    with running(REGISTRY, "--ready"):
        thread = threading.Thread(target=server.start, daemon=True)
        thread.start()
        eventually(lambda: UDPRegistryClient().discover("TIME"))
        conn = rpyc.connect_by_service("TIME")
        assert conn.root.answer() == 42
        conn.close()
        server.close()
        if RPYC >= (5,):  # before, servers do not say farewell
            eventually(lambda: UDPRegistryClient().discover("TIME") == ())
        thread.join(10)


def test_a_service_on_the_registrys_host_is_found_from_another():
    """Registered by 127.0.0.1, and shown to another host under an address that is of use there."""
    try:
        cable = netns.Cable("203.0.113.1/24", "203.0.113.2/24")
    except OSError as error:
        pytest.skip("no network interfaces of a program here: %s" % error)
    with contextlib.closing(cable), running(REGISTRY, "--ready", "--mode", "BOTH"):
        own = UDPRegistryClient(ip="127.0.0.1")
        assert own.register(("FOO",), 12345)
        assert own.discover("FOO") == (("127.0.0.1", 12345),)
        for client in ("UDPRegistryClient", "TCPRegistryClient"):
            program = "from rpyc.utils.registry import %s as C; print(C(ip='203.0.113.1').discover('FOO'))" % client
            seen = subprocess.run(cable.inside([sys.executable, "-c", program]), stdout=subprocess.PIPE, timeout=30,
                                  check=True)
            assert seen.stdout.decode().strip() == "(('203.0.113.1', 12345),)"
        assert own.discover("FOO") == (("127.0.0.1", 12345),)
