"""The tool gorpyc on every way to a server: TLS, Unix sockets, SSH, registries; what it prints for programs, and its
exit codes."""
import getpass
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading

import pytest

from describe import RPYC
from harness import HERE, Program, eventually, free_port
from test_gorpyc import CLASSIC, SERVICE, classic, service, start, tool  # noqa: F401  fixtures

modern_tls = pytest.mark.skipif(RPYC < (5, 2, 1), reason="this release of RPyC speaks TLS 1.0 only")


# Ways. Each is the options of a command in place of its address, or before it.

class Sshd:
    """A real SSH server on loopback, which lets the bearer of a key in."""

    def __init__(self, run_program, directory):
        sshd = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin")
        keygen = shutil.which("ssh-keygen")
        if sshd is None or keygen is None:
            pytest.skip("no sshd is installed here")
        if os.getuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # where it locks itself in
        for name in ("host", "user", "stranger"):
            subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)], check=True)
        self.port = free_port()
        (directory / "config").write_text("\n".join([
            "ListenAddress 127.0.0.1:%d" % self.port, "HostKey %s/host" % directory,
            "AuthorizedKeysFile %s/user.pub" % directory, "PidFile none", "UsePAM no",
            "StrictModes no", "PasswordAuthentication no", "PermitRootLogin prohibit-password",
            "AllowStreamLocalForwarding yes", ""]))
        host = (directory / "host.pub").read_text().split()
        (directory / "known").write_text("[127.0.0.1]:%d %s %s\n" % (self.port, host[0], host[1]))
        (directory / "nobody").write_text("")
        self.directory = directory
        self.program = run_program("sshd", [sshd, "-D", "-e", "-f", str(directory / "config")])

        def listening():
            assert self.program.running(), self.program.stderr()
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", self.port)) == 0
        eventually(listening, 20)

    def options(self, key="user", known="known"):
        return ["--ssh", "%s@127.0.0.1:%d" % (getpass.getuser(), self.port), "--ssh-key", str(self.directory / key),
                "--ssh-known-hosts", str(self.directory / known)]


@pytest.fixture
def sshd(run_program, tmp_path):
    directory = tmp_path / "ssh"
    directory.mkdir()
    server = Sshd(run_program, directory)
    yield server
    server.program.signal(signal.SIGTERM)


@pytest.fixture
def registry(run_program):
    """The port of a registry of RPyC's."""
    def run(transport):
        program = run_program("registry", [sys.executable, os.path.join(HERE, "reference", "ref_registry.py"),
                                           "--transport", transport])
        return program.line().split()[2]
    return run


REGISTERED = SERVICE + """
from rpyc.utils.registry import TCPRegistryClient, UDPRegistryClient
options = json.loads(sys.argv[1])
transport, port = options.pop("registry")
registrar = {"udp": UDPRegistryClient, "tcp": TCPRegistryClient}[transport](ip="127.0.0.1", port=int(port))
options.update(registrar=registrar, auto_register=True)
sys.argv[1] = "{}"
"""


@pytest.fixture(params=["tls", "client certificate", "insecure", "unix", "ssh", "unix by ssh", "udp registry",
                        "tcp registry"])
def way(request, run_program, tmp_path, certificates):
    """way(source) -> the options, and maybe the address, that lead to a server of this source."""
    kind = request.param
    if kind in ("tls", "client certificate", "insecure") and RPYC < (5, 2, 1):
        pytest.skip("this release of RPyC speaks TLS 1.0 only")
    path = str(tmp_path / "socket")
    ssh = request.getfixturevalue("sshd").options() if "ssh" in kind else []

    def lead(source):
        tls = {"keyfile": certificates("server.key"), "certfile": certificates("server.pem")}
        if kind in ("tls", "insecure"):
            address = start(run_program, source, tls=tls)[0]
            return [address, "--insecure"] if kind == "insecure" else ["--ca", certificates("ca.pem"), address]
        if kind == "client certificate":
            address = start(run_program, source, tls=dict(tls, ca_certs=certificates("ca.pem")))[0]
            return [address, "--ca", certificates("ca.pem"), "--cert", certificates("client.pem"), "--key",
                    certificates("client.key")]
        if kind in ("unix", "unix by ssh"):
            if os.path.exists(path):
                os.remove(path)
            start(run_program, source, socket_path=path)
            return ["--unix", path] + ssh
        if kind == "ssh":
            return ssh + [start(run_program, source)[0]]
        transport = kind.split()[0]
        port = request.getfixturevalue("registry")(transport)
        # the registry is told by hand, so that nothing depends on when the server does it
        address = start(run_program, source)[0]
        from rpyc.utils.registry import TCPRegistryClient, UDPRegistryClient
        registrar = (UDPRegistryClient if transport == "udp" else TCPRegistryClient)(ip="127.0.0.1", port=int(port))
        assert registrar.register(("SOME", "SERVICE"), int(address.split(":")[1]))
        return ["--service", "some", "--registry", "%s://127.0.0.1:%s" % (transport, port)]
    return lead


def test_every_command_on_every_way(tool, way, run_program, tmp_path):
    here = way(SERVICE)
    assert tool("call", *here, "add", "2", "3") == "5\n"
    assert tool("get", *here, "rate") == "3\n"
    tool("set", *here, "thing.size", "7")
    assert tool("get", *here, "thing.size") == "7\n"
    assert "add()" in tool("ls", *here).split()
    assert "Adds." in tool("inspect", *here)
    assert "2 pings" in tool("ping", *here, "-c", "2", "-i", "1ms")
    assert " 0 errors" in tool("bench", *here, "add", "1", "--calls", "20", "-n", "2", "-c", "2")
    assert tool("shell", *here, stdin="add(40)\nadd(2, b=3)\n") == "41\n5\n"
    file = str(tmp_path / "talk")
    number = "1" if RPYC >= (6,) else "2"  # an older server hangs up on the first family that is tried
    tap = run_program("tap", [tool.path, "tap", "--write", file, "--connections", number] + here)
    listening = eventually(lambda: tap.stderr().split()[1:2])[0]
    assert tool("call", listening, "add", "20", "22") == "42\n"
    assert any("42" in line for line in tap.lines(20))
    assert "42" in tool("tap", "replay", file, *here)


def test_classic_servers_on_every_way(tool, way, tmp_path):
    here = way(CLASSIC)
    assert tool("eval", *here, "6 * 7") == "42\n"
    assert tool("exec", *here, "import sys; print('out'); sys.stderr.write('err')") == "out\n"
    assert tool("call", "--classic", *here, "os.path.join", "a", "b") == "'a/b'\n"
    (tmp_path / "tree" / "sub").mkdir(parents=True)
    data = os.urandom(200000)
    (tmp_path / "tree" / "sub" / "file").write_bytes(data)
    tool("upload", *here, str(tmp_path / "tree"), str(tmp_path / "there"))
    tool("download", *here, str(tmp_path / "there"), str(tmp_path / "back"))
    assert (tmp_path / "back" / "sub" / "file").read_bytes() == data
    assert "42\n" in tool("shell", *here, stdin="x = 6\nx * 7\n")


@modern_tls
def test_tls_that_cannot_be_trusted(tool, run_program, certificates):
    tls = {"keyfile": certificates("server.key"), "certfile": certificates("server.pem")}
    open_address = start(run_program, SERVICE, tls=tls)[0]
    # which trusts the system's authorities
    assert "certificate" in tool("call", open_address, "add", "1", "--tls", code=3)
    assert "certificate" in tool("call", open_address, "add", "1", "--ca", certificates("other-ca.pem"), code=3)
    assert "no such file" in tool("call", open_address, "add", "1", "--ca", "/no/such", code=5)
    assert "--key needs --cert" in tool("call", open_address, "add", "1", "--key", certificates("client.key"), code=2)
    assert tool("call", open_address, "add", "1", code=3)  # not TLS at all
    closed = start(run_program, SERVICE, tls=dict(tls, ca_certs=certificates("ca.pem")))[0]
    for more in ([], ["--cert", certificates("other-client.pem"), "--key", certificates("other-client.key")]):
        assert tool("call", closed, "add", "1", "--ca", certificates("ca.pem"), *more, code=3)


def test_ssh_that_cannot_be_trusted(tool, service, sshd):
    assert tool("call", service, "add", "1", *sshd.options()) == "2\n"
    assert "unable to authenticate" in tool("call", service, "add", "1", *sshd.options(key="stranger"), code=3)
    assert tool("call", service, "add", "1", *sshd.options(known="nobody"), code=3)
    assert tool("call", "127.0.0.1:1", "add", "1", *sshd.options(), code=3)  # the tunnel is there, its end is not
    assert tool("call", service, "add", "1", "--ssh", "127.0.0.1:1", code=3)


def test_registries(tool, registry, run_program):
    for transport in ("udp", "tcp"):
        at = "%s://127.0.0.1:%s" % (transport, registry(transport))
        assert tool("discover", "nobody", "--registry", at, code=3)
        assert tool("call", "--service", "nobody", "--registry", at, "add", "1", code=3)
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))
    assert tool("discover", "some", "--registry", "127.0.0.1:%d" % silent.getsockname()[1], "--timeout", "1s", code=4)
    silent.close()
    assert tool("call", "127.0.0.1:1", "add", "--registry", at, code=2)


def test_discover_and_list(tool, peers, run_program):
    from rpyc.utils.registry import UDPRegistryClient
    for listing, code in (("true", 0), ("false", 3)):
        program = run_program("registry", [peers.binaries.path("rpyc_registry"), "--host", "127.0.0.1", "-p", "0",
                                           "--ready", "-l", listing])
        port = program.line().split()[2]
        client = UDPRegistryClient(ip="127.0.0.1", port=int(port))
        assert client.register(("ONE", "TWO"), 111) and client.register(("ONE",), 222)
        at = ["--registry", "127.0.0.1:" + port]
        assert tool("discover", "one", *at) == "127.0.0.1:111\n127.0.0.1:222\n"
        assert json.loads(tool("discover", "one", "--json", *at)) == ["127.0.0.1:111", "127.0.0.1:222"]
        if code == 0:
            assert sorted(tool("list", *at).split()) == ["ONE", "TWO"]
            assert sorted(json.loads(tool("list", *at, "--json"))) == ["ONE", "TWO"]
        else:
            assert tool("list", *at, "--timeout", "2s", code=code)
        program.signal(signal.SIGTERM)


# For programs.

def test_json(tool, service, classic, tmp_path):
    def ask(*args):
        return json.loads(tool(*args, "--json"))
    assert ask("call", service, "add", "1") == 2
    assert ask("get", service, "rate") == 3
    thing = ask("get", service, "thing")
    assert thing["object"].endswith("Thing") and "Thing object at" in thing["repr"]
    assert {"name": "add", "method": True, "kind": "method", "doc": "Adds."} in ask("ls", service)
    described = ask("inspect", service)
    assert described["doc"] == "A calculator." and described["class"].endswith("CalculatorService")
    ping = ask("ping", service, "-c", "2", "-i", "1ms")
    assert (ping["release"], ping["family"]) == (("RPyC 6", "D") if RPYC >= (6,) else ("RPyC 4.1 to 5.3", "C"))
    assert ping["count"] == 2 and 0 < ping["min"] <= ping["avg"] <= ping["max"] < 10
    assert ask("bench", service, "add", "1", "--calls", "20")["count"] == 20
    assert ask("eval", classic, "{'a': [1, None, True, b'x'], 'b': (1.5, 'ü')}") == {
        "a": [1, None, True, {"bytes": "eA=="}], "b": [1.5, "ü"]}
    # what has no result prints nothing
    for quiet in (["set", service, "thing.size", "1"], ["exec", classic, "x = 1"],
                  ["upload", classic, __file__, str(tmp_path / "u")],
                  ["download", classic, __file__, str(tmp_path / "d")]):
        assert tool(*quiet, "--json") == ""
    for args, code, kind in ((["call", service, "fail"], 1, "exception"), (["call", service], 2, "usage"),
                             (["call", "127.0.0.1:1", "x"], 3, "connection"),
                             (["call", service, "sleep", "30", "--timeout", "300ms"], 4, "timeout"),
                             (["upload", classic, "/no/such", "/tmp/x"], 5, "failure")):
        error = json.loads(tool(*args, "--json", code=code))["error"]
        assert error["kind"] == kind and error["message"]
    error = json.loads(tool("call", service, "fail", "--json", "--traceback", code=1))["error"]
    assert error["class"].endswith("KeyError") and error["args"] == ["'missing'"]
    assert "exposed_fail" in error["traceback"]


TELLING = """
class Telling(rpyc.Service):
    def exposed_full(self, a, b: int = 1, *args, c="x", d: float, **kw) -> str:
        "Told."
    def exposed_plain(self):
        pass
config = {"allow_all_attrs": True}
Served = Telling()
"""


def test_signatures(tool, run_program, classic):
    """As inspect.signature has them, where the service opens what that reads."""
    address = start(run_program, SERVICE + TELLING)[0]
    told = {m["name"]: m.get("signature") for m in json.loads(tool("inspect", address, "--json"))["members"]}
    assert told["full"] == "(a, b: int = 1, *args, c='x', d: float, **kw) -> str"
    assert told["plain"] == "()"
    assert "  copyfile(src, dst, *, follow_symlinks=True)\n" in tool("inspect", classic, "--classic", "shutil")


def test_input_and_output(tool, classic, tmp_path):
    """What a pipe brings, and what goes into one."""
    data = os.urandom(100000)
    done = subprocess.run([tool.path, "upload", classic, "-", str(tmp_path / "there")], input=data,
                          stdout=subprocess.PIPE, timeout=30)
    assert (done.returncode, done.stdout) == (0, b"")
    assert (tmp_path / "there").read_bytes() == data
    done = subprocess.run([tool.path, "download", classic, str(tmp_path / "there"), "-"], stdout=subprocess.PIPE,
                          timeout=30)
    assert (done.returncode, done.stdout) == (0, data)
    assert tool("exec", classic, "-", stdin="for word in 'a', 'b':\n    print(word)\n") == "a\nb\n"
    assert tool("exec", classic, "import sys; print(sys.stdin.readline().upper())", stdin="a line\n") == "A LINE\n\n"
    (tmp_path / "script.py").write_text("print(6 * 7)\n")
    assert tool("exec", classic, "--file", str(tmp_path / "script.py")) == "42\n"
    (tmp_path / "tree").mkdir()
    for name in ("one.py", "two.txt"):
        (tmp_path / "tree" / name).write_text(name)
    tool("upload", classic, str(tmp_path / "tree"), str(tmp_path / "copy"), "--include", "*.py")
    assert os.listdir(str(tmp_path / "copy")) == ["one.py"]


# Exit codes.

def test_lost_connections(tool, run_program):
    address, program = start(run_program, SERVICE)
    assert tool("call", address, "die", code=3)
    assert program.process.wait(10) == 1
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(5)
    address = "127.0.0.1:%d" % listener.getsockname()[1]
    assert tool("call", address, "add", "1", "--timeout", "500ms", code=4)  # which accepts and says nothing

    def http():
        for _ in range(4):
            try:
                peer, _ = listener.accept()
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                peer.recv(1000)
                peer.close()
            except OSError:
                return
    thread = threading.Thread(target=http, daemon=True)
    thread.start()
    assert "HTTP" in tool("call", address, "add", "1", code=3)
    listener.close()


def test_failures_here(tool, service, classic, tmp_path):
    with open("/dev/full", "w") as full:
        done = subprocess.run([tool.path, "call", service, "add", "1"], stdout=full, stderr=subprocess.PIPE, timeout=30)
    assert done.returncode == 5 and b"no space left" in done.stderr
    (tmp_path / "file").write_text("x")
    assert tool("download", classic, __file__, str(tmp_path / "file" / "below"), code=5)
    assert "no such file" in tool("exec", classic, "--file", str(tmp_path / "none"), code=5)
    assert tool("tap", service, "--write", str(tmp_path / "no" / "file"), code=5)
    assert tool("tap", "replay", str(tmp_path / "file"), code=5)
    # the other end's failure is an exception
    assert "FileNotFoundError" in tool("upload", classic, __file__, str(tmp_path / "no" / "file"), code=1)
    assert "SyntaxError" in tool("eval", classic, "1 +", code=1)


def interrupted(program, sign):
    eventually(sign, 20)
    program.process.send_signal(signal.SIGINT)
    return program.process.wait(20)


def test_interrupts(tool, run_program):
    address, server = start(run_program, SERVICE)
    call = run_program("call", [tool.path, "call", address, "sleep", "60"])
    assert server.line() == "sleeping"
    assert interrupted(call, lambda: True) == 130
    assert call.stderr() == "gorpyc: interrupted\n"
    address = start(run_program, SERVICE)[0]
    ping = run_program("ping", [tool.path, "ping", address, "-c", "0", "-i", "60s"])
    assert ping.line().startswith("connected") and ping.line().startswith("ping 1")
    assert interrupted(ping, lambda: True) == 0
    assert ping.line().startswith("1 pings, min ")
    tap = run_program("tap", [tool.path, "tap", address])
    assert interrupted(tap, lambda: "READY" in tap.stderr()) == 0


def test_wrong_command_lines(tool, service):
    for args in ([], ["nonsense"], ["call"], ["call", service], ["call", service, "add", "--kw", "b"],
                 ["call", service, "add", "[1,"], ["get", service], ["set", service, "rate"],
                 ["call", "host:port:x", "add"], ["call", "host:notaport", "add"],
                 ["call", service, "add", "--timeout", "soon"], ["ping", service, "--count", "-1"],
                 ["bench", service, "add", "--connections", "0"], ["upload", service, "x"], ["completions", "csh"],
                 ["tap", "replay"], ["shell", service, "extra"],
                 ["call", "--unix", "/x", "--service", "y", "add"], ["discover"], ["list", "extra"],
                 ["call", service, "add", "--registry", "http://x"]):
        text = tool(*args, code=2)
        assert re.match(r"gorpyc: .+\n", text), args
