"""cmd/rpyc_classic in the place of rpyc_classic.py: in a third-party program, an inetd line and systemd's units.

What is about no Python is run with the Python program first, so that it is known to work with the original.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys

import pytest
import rpyc

from harness import HERE, REPO, eventually, free_port

pytestmark = pytest.mark.once

SOURCE = os.path.join(REPO, "cmd", "rpyc_classic")
SBIN = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def found(program):
    """The path of a program of the system's, without which the test is left out."""
    path = shutil.which(program, path=SBIN)
    if path is None:
        pytest.skip("%s is not installed here" % program)
    return path


def upstream():
    path = os.path.join(os.path.dirname(sys.executable), "rpyc_classic.py")
    assert os.path.exists(path), "no rpyc_classic.py beside %s" % sys.executable
    return path


@pytest.fixture
def install(peers, tmp_path):
    """install(how) -> the path of a rpyc_classic.py that is the Python program, ours under its name, ours with its
    small Python script, or ours with Python for its engine."""
    def run(how):
        ours = peers.binaries.path("rpyc_classic")
        if how == "cpython":
            return upstream()
        directory = tmp_path / "bin"
        directory.mkdir()
        script = str(directory / "rpyc_classic.py")
        if how == "go":
            shutil.copy(ours, script)
        elif how == "script":
            shutil.copy(ours, str(directory / "rpyc_classic"))
            shutil.copy(os.path.join(SOURCE, "rpyc_classic.py"), script)
        elif how == "engine":
            with open(script, "w") as f:
                f.write('#!/bin/bash\nexec -a "$0" "%s" "$@" --engine "%s"\n' % (ours, sys.executable))
            os.chmod(script, 0o755)
        return script
    return run


# A third-party program.

THIRD_PARTY = {}  # what it prints with the Python program, by the way in which it starts it


def third_party(way, script, directory):
    directory.mkdir()
    env = dict(os.environ, PATH=os.path.dirname(script) + ":" + os.environ["PATH"], PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run([sys.executable, os.path.join(HERE, "reference", "third_party.py"), way, str(directory),
                           str(free_port())], env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=55)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.seconds(120)
@pytest.mark.parametrize("how, way", [(how, way) for way in ("shell", "forking", "logging")
                                      for how in ("go", "script", "engine")]
                         + [("script", "python"), ("script", "subproc")])
def test_third_party_program(install, tmp_path, how, way):
    """The program's output, which shows all that it found, is the same to the letter."""
    if way not in THIRD_PARTY:
        THIRD_PARTY[way] = third_party(way, upstream(), tmp_path / "theirs")
    assert THIRD_PARTY[way].endswith("done\n")
    assert third_party(way, install(how), tmp_path / "ours") == THIRD_PARTY[way]


def test_the_script_without_the_program(tmp_path):
    shutil.copy(os.path.join(SOURCE, "rpyc_classic.py"), str(tmp_path))
    done = subprocess.run([sys.executable, str(tmp_path / "rpyc_classic.py")], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=30)
    assert done.returncode == 1
    assert b"there is no program rpyc_classic in " in done.stderr


# Super-servers.

def clients(port, each_its_own=True, ours=True):
    """Two clients at a time, who see nothing of each other."""
    def connect():
        try:
            return rpyc.classic.connect("127.0.0.1", port)
        except OSError:
            return None
    one = eventually(connect, 20)
    two = connect()
    one.namespace["x"] = 1
    two.namespace["x"] = 2
    assert (one.eval("x"), two.eval("x")) == (1, 2)
    # what is printed gets nowhere near the protocol
    one.execute("import sys\nprint('printed')\nsys.stderr.write('told')")
    if ours:  # the Python program's child processes have the client for their standard files, and it hangs
        one.modules.os.system("echo echoed; echo complained >&2")
        assert one.modules.subprocess.check_output(["cat"]) == b""
    assert (one.modules.os.getpid() == two.modules.os.getpid()) == (not each_its_own)
    one.close()
    assert two.modules.os.path.isdir("/")
    two.close()


@pytest.mark.parametrize("how", ["cpython", "go", "script", "engine"])
def test_inetd(install, run_program, tmp_path, how):
    """The line of the documentation, with the path of the program."""
    inetd = found("inetd")
    if os.getuid() != 0:
        pytest.skip("inetd wants to be root")
    line = readme(r"`(rpyc stream tcp .*?)`")
    port = free_port()
    line = line.replace("/usr/bin/rpyc_classic.py", install(how)).replace(" user ", " root ")
    assert line.startswith("rpyc ")
    conf = tmp_path / "inetd.conf"
    conf.write_text("127.0.0.1:%d%s\n" % (port, line[len("rpyc"):]))
    program = run_program("inetd", [inetd, "-i", str(conf)])
    clients(port, ours=how != "cpython")
    program.signal(signal.SIGTERM)


@pytest.mark.parametrize("how", ["cpython", "go", "engine"])
def test_systemd_a_process_for_each_connection(install, run_program, how):
    """What a socket unit with Accept=yes starts."""
    activate = found("systemd-socket-activate")
    port = free_port()
    program = run_program("systemd-socket-activate", [activate, "--inetd", "-a", "-l", "127.0.0.1:%d" % port,
                                                      install(how), "-m", "stdio", "-q"])
    clients(port, ours=how != "cpython")
    program.signal(signal.SIGTERM)


def unit(name, key):
    """A setting of one of our units."""
    with open(os.path.join(SOURCE, name)) as f:
        return re.search("^%s=(.*)$" % key, f.read(), re.M).group(1)


def readme(pattern):
    with open(os.path.join(SOURCE, "README.md")) as f:
        return re.search(pattern, f.read()).group(1)


def service(program, *more):
    """The command line of our service unit."""
    words = unit("rpyc_classic.service", "ExecStart").split()
    assert words[0] == "/usr/local/bin/rpyc_classic"
    return [program] + words[1:] + list(more)


@pytest.mark.parametrize("more", [[], ["-m", "forking"], ["--engine", sys.executable]],
                         ids=["threaded", "forking", "python"])
def test_systemd_socket(peers, run_program, more):
    """Our socket unit: systemd listens, and the service serves all clients."""
    activate = found("systemd-socket-activate")
    host, port = unit("rpyc_classic.socket", "ListenStream").split(":")
    assert (host, port) == ("127.0.0.1", "18812")
    port = free_port()
    program = run_program("systemd-socket-activate", [activate, "-l", "%s:%d" % (host, port)]
                          + service(peers.binaries.path("rpyc_classic"), *more))
    clients(port, each_its_own=bool(more))
    program.process.send_signal(signal.SIGTERM)  # by now it is the service
    assert program.process.wait(15) == 0, program.stderr()


def test_systemd_socket_of_the_file_system(peers, run_program, tmp_path):
    activate = found("systemd-socket-activate")
    path = str(tmp_path / "socket")
    program = run_program("systemd-socket-activate", [activate, "-l", path]
                          + service(peers.binaries.path("rpyc_classic")))
    eventually(lambda: "Listening" in program.stderr(), 20)  # the path is there before that
    conn = rpyc.utils.factory.unix_connect(path, rpyc.classic.SlaveService)
    assert conn.eval("1 + 1") == 2
    conn.close()
    program.process.send_signal(signal.SIGTERM)
    assert program.process.wait(15) == 0, program.stderr()


def test_systemd_service(peers, run_program, tmp_path, monkeypatch):
    """Our service unit is told of as Type=notify has it."""
    assert unit("rpyc_classic.service", "Type") == "notify"
    port = free_port()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(20)
        program = run_program("rpyc_classic", service(peers.binaries.path("rpyc_classic"), "-p", str(port)),
                              {"NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert sock.recv(100) == b"READY=1"
        clients(port, each_its_own=False)
        program.process.send_signal(signal.SIGTERM)
        assert sock.recv(100) == b"STOPPING=1"
        assert program.process.wait(15) == 0


def test_systemd_reads_the_units(peers, tmp_path):
    analyze = found("systemd-analyze")
    for name in ("rpyc_classic.service", "rpyc_classic.socket"):
        with open(os.path.join(SOURCE, name)) as f:
            (tmp_path / name).write_text(f.read().replace("/usr/local/bin/rpyc_classic",
                                                          peers.binaries.path("rpyc_classic")))
    done = subprocess.run([analyze, "verify", "--man=no", str(tmp_path / "rpyc_classic.socket"),
                           str(tmp_path / "rpyc_classic.service")],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=50)
    assert done.returncode == 0, done.stdout.decode()
    assert b"rpyc_classic" not in done.stdout, done.stdout.decode()
