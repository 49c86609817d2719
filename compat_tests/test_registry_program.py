"""The program rpyc_registry beside RPyC's: the same command lines serve, on the same transport, and the same are
refused."""
import os
import signal
import socket
import subprocess
import sys

import pytest

from rpyc.core import brine

from describe import RPYC
from harness import eventually, free_port

PYTHON = "import sys; sys.argv[0] = 'rpyc_registry'; from rpyc.cli.rpyc_registry import main; main()"
QUERY = brine.dump(("RPYC", "QUERY", ("NOBODY",)))
LIST = brine.dump(("RPYC", "LIST", ((None,),)))

pytestmark = [pytest.mark.once, pytest.mark.skipif(RPYC < (6,), reason="compared with the program of RPyC 6")]

SERVES = {  # command line: what it serves by
    "-p {port}": "udp",
    "-p{port} -mTCP": "tcp",
    "--port={port} --mode tcp": "tcp",
    "--port {port} --mode=Udp": "udp",
    "-6 -p {port}": "udp",
    "--ipv6 --port {port}": "udp",
    "-q 1 -p {port}": "udp",
    "-6q1 -p{port}": "udp",
    "-p {port} -t 5 --timeout 6": None,  # given twice
    "-t 5 -p {port}": "udp",
    "-p {port} --logfile {log}": "udp",
    "-p {port} -l True": "udp listing",
    "-p {port} --listing=1 -m TCP": "tcp listing",
}
REFUSED = ["-p", "-p 65536", "-p -1", "-p x", "-m SCTP", "--mod tcp", "-t 1.5", "-t", "-l", "extra", "-x", "--nonsense",
           "-m"]


@pytest.fixture(params=["cpython", "go"])
def program(request, peers):
    if request.param not in request.config.getoption("--peers").split(","):
        pytest.skip("not among --peers")
    if request.param == "go":
        return [peers.binaries.path("rpyc_registry")]
    return [sys.executable, "-c", PYTHON]


def ask(transport, port, data):
    """The answer, None if there is none."""
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.settimeout(0.3)
        try:
            sock.connect(("127.0.0.1", port))
            sock.send(data)
            return brine.load(sock.recv(1500))
        except OSError:
            return None


@pytest.mark.parametrize("line", sorted(SERVES))
def test_serves(program, line, tmp_path):
    port, log = free_port(), str(tmp_path / "log")
    process = subprocess.Popen(program + line.format(port=port, log=log).split(), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        want = SERVES[line]
        if want is None:
            if process.args[0] == sys.executable:
                assert process.wait(20) == 2
            return  # here the last one counts
        transport, listing = want.split()[0], "listing" in want
        eventually(lambda: ask(transport, port, QUERY) == () or process.poll() is not None, 20)
        assert process.poll() is None, process.stdout.read()
        other = {"udp": "tcp", "tcp": "udp"}[transport]
        assert ask(other, port, QUERY) is None
        assert ask(transport, port, LIST) == (() if listing else None)
        if "logfile" in line:
            assert os.path.exists(log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        process.stdout.close()


@pytest.mark.parametrize("line", REFUSED)
def test_refused(program, line):
    done = subprocess.run(program + line.split(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=20)
    assert done.returncode == 2, done.stdout


@pytest.mark.parametrize("line", ["--help", "-h", "--version", "-v", "--help-all"])
def test_tells(program, line):
    done = subprocess.run(program + [line], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=20)
    assert done.returncode == 0
    if "v" not in line:
        for switch in ("-m", "--mode", "-p", "--port", "--logfile", "-q", "--quiet", "-t", "--timeout", "-l",
                       "--listing", "-6", "--ipv6"):
            assert switch in done.stdout.decode()


def test_a_port_in_use(peers):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", 0))
        done = subprocess.run([peers.binaries.path("rpyc_registry"), "-p", str(taken.getsockname()[1])],
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
    assert done.returncode == 1
    assert b"address already in use" in done.stdout


class TestDaemon:
    """What an operator does with it."""

    @pytest.fixture
    def start(self, peers, run_program):
        def start(*arguments):
            program = run_program("rpyc_registry", [peers.binaries.path("rpyc_registry"), "--ready", "--host",
                                                    "127.0.0.1", "-p", "0"]
                                  + list(arguments))
            return program, int(program.line().split()[2])
        return start

    def register(self, port, name="FOO"):
        assert ask("udp", port, brine.dump(("RPYC", "REGISTER", ((name,), 12345)))) == "OK"

    def stop(self, program, number=signal.SIGTERM):
        program.signal(number)
        assert program.process.wait(10) == 0, program.stderr()

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_state_survives_a_restart(self, start, tmp_path, number):
        state = str(tmp_path / "state.json")
        program, port = start("--state-file", state)
        self.register(port)
        self.stop(program, number)
        program, port = start("--state-file", state)
        assert ask("udp", port, brine.dump(("RPYC", "QUERY", ("FOO",)))) == (("127.0.0.1", 12345),)
        self.stop(program)

    def test_state_survives_a_kill(self, start, tmp_path):
        state = tmp_path / "state.json"
        program, port = start("--state-file", str(state))
        self.register(port)
        eventually(state.exists, 20)
        program.signal(signal.SIGKILL)
        program.process.wait(10)
        program, port = start("--state-file", str(state))
        assert ask("udp", port, brine.dump(("RPYC", "QUERY", ("FOO",)))) == (("127.0.0.1", 12345),)
        self.stop(program)

    def test_corrupt_state(self, start, tmp_path):
        state = tmp_path / "state.json"
        state.write_bytes(b"\x00 not JSON")
        program, port = start("--state-file", str(state))
        assert "state file not usable, beginning empty" in program.stderr()
        self.register(port)
        self.stop(program)

    def test_log_file_opened_anew(self, start, tmp_path):
        log = tmp_path / "log"
        program, port = start("--logfile", str(log), "--log-format", "json")
        log.rename(tmp_path / "log.1")
        program.signal(signal.SIGHUP)
        eventually(log.exists)
        self.register(port, "LATER")
        eventually(lambda: '"LATER"' in log.read_text())
        self.stop(program)
        assert "LATER" not in (tmp_path / "log.1").read_text()

    def test_both_modes_share_a_table(self, start):
        program, port = start("--mode", "BOTH")
        self.register(port)
        assert ask("tcp", port, brine.dump(("RPYC", "QUERY", ("FOO",)))) == (("127.0.0.1", 12345),)
        self.stop(program)

    def test_systemd_is_told(self, start, tmp_path, monkeypatch):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.bind(str(tmp_path / "notify"))
            sock.settimeout(20)
            monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
            program, _ = start()
            assert sock.recv(100) == b"READY=1"
            self.stop(program)
            assert sock.recv(100) == b"STOPPING=1"

    def test_bad_page_address(self, peers):
        done = subprocess.run([peers.binaries.path("rpyc_registry"), "-p", "0", "--http", "192.0.2.1:80"],
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
        assert done.returncode == 1

