"""cmd/rpyc_classic in place of rpyc_classic.py: its command line, its ways of serving, and its engines."""
import os
import re
import signal
import socket
import subprocess
import sys
import threading

import pytest
import rpyc
from rpyc.utils import factory

from describe import RPYC
from harness import Program, eventually

pytestmark = pytest.mark.once

SLAVE = rpyc.classic.SlaveService


@pytest.fixture(scope="session")
def command(peers):
    return peers.binaries.path("rpyc_classic")


def upstream():
    """The Python program, where the release under test has installed one that runs."""
    for name in ("rpyc_classic", "rpyc_classic.py"):
        path = os.path.join(os.path.dirname(sys.executable), name)
        if os.path.exists(path):
            return [sys.executable, path]
    return None


@pytest.fixture
def start(command, run_program):
    """start(switches…) -> a program that has printed READY, with host and port."""
    def run(*switches):
        program = run_program("rpyc_classic", [command, "-p", "0", "--ready"] + list(switches))
        word, program.host, program.port = program.line().split()
        assert word == "READY"
        started.append(program)
        return program
    started = []
    yield run
    for program in started:
        program.signal(signal.SIGTERM)  # it does not mind its stdin


ENGINES = [[], ["--engine", sys.executable]]


MISTAKES = [
    ["--mode=bogus"], ["-p", "99999"], ["-p", "x"], ["-px"], ["--ssl-keyfile", __file__], ["--ssl-certfile", __file__],
    ["--ssl-cafile", __file__],
    ["--ssl-keyfile", "/no/such", "--ssl-certfile", "/no/such"], ["--registry-type", "XX"],
    ["--registry-port", "70000"], ["--bogus"], ["-z"],
    ["extra"], ["-m", "stdio", "extra"], ["-p"], ["--mode"], ["--port=1", "--port=2"], ["-q", "--quiet"],
]


@pytest.mark.skipif(RPYC < (6,), reason="plumbum's words as installed with RPyC 6")
@pytest.mark.parametrize("switches", MISTAKES, ids=" ".join)
def test_mistakes_are_told_in_the_same_words(command, switches):
    python = upstream()
    assert python, "no rpyc_classic beside %s" % sys.executable
    theirs = subprocess.run(python + switches, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            stdin=subprocess.DEVNULL, timeout=30)
    ours = subprocess.run([command] + switches, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, timeout=30)
    assert ours.returncode == theirs.returncode == 2
    first = theirs.stdout.decode().splitlines()[0].rstrip(":")
    assert ours.stderr.decode().splitlines()[0] == first


def test_other_refusals(command):
    def run(*switches):
        done = subprocess.run([command] + list(switches), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, timeout=30)
        return done.returncode, done.stdout.decode()
    assert run("--registry-type", "TCP") == (1, "rpyc_classic: With TCP registry, you must specify --registry-host\n")
    assert run("--vdb", "x")[0] == 2 and "--ssl-keyfile" in run("--vdb", "x")[1]
    assert run("--allow", "no_such_module")[0] == 2
    assert run("--engine", "/no/such/python")[0] == 1
    assert run("--engine", "/bin/false")[0] == 1
    assert run("--engine", sys.executable, "--allow", "os")[0] == 2
    assert run("--engine", sys.executable, "--shared", "-m", "forking")[0] == 2
    for switches in (["--shared"], ["--preload", __file__], ["--engine", "go", "--shared"],
                     ["--engine", "go", "--preload", __file__], ["--socket", "/x", "-p", "0"]):
        assert run(*switches)[0] == 2


def test_an_engine_without_rpyc_says_what_is_missing(command):
    """The interpreter without its site packages has none."""
    import tempfile
    with tempfile.TemporaryDirectory() as directory:
        bare = os.path.join(directory, "python")
        with open(bare, "w") as f:
            f.write('#!/bin/sh\nexec "%s" -S -I "$@"\n' % sys.executable)
        os.chmod(bare, 0o755)
        done = subprocess.run([command, "--engine", bare, "-p", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=30)
    assert done.returncode == 1
    assert "has no rpyc" in done.stderr.decode() and "pip install rpyc" in done.stderr.decode()


def test_help_lists_what_the_python_program_has(command):
    done = subprocess.run([command, "--help"], stdout=subprocess.PIPE, timeout=30)
    assert done.returncode == 0
    text = done.stdout.decode()
    for switch in ("-m, --mode VALUE:{threaded, forking, stdio, oneshot}", "-p, --port VALUE:[0..65535]",
                   "--host VALUE:str", "--ipv6", "--logfile VALUE:str", "-q, --quiet",
                   "--register", "--registry-type VALUE:{UDP, TCP}", "--registry-port VALUE:[0..65535]",
                   "--registry-host VALUE:str", "--ssl-keyfile VALUE:ExistingFile",
                   "--ssl-certfile VALUE:ExistingFile", "--ssl-cafile VALUE:ExistingFile", "--completions", "--version",
                   "--help-all", "--engine", "--allow"):
        assert switch in text, switch
    for shell in ("bash", "zsh", "fish"):
        assert subprocess.run([command, "--completions", shell], stdout=subprocess.PIPE,
                              timeout=30).stdout.count(b"mode") >= 1
    script = subprocess.run([command, "--completions", "bash"], stdout=subprocess.PIPE, timeout=30).stdout.decode()
    words = "\nCOMP_WORDS=(rpyc_classic --mode fo); COMP_CWORD=2; _rpyc_classic; echo ${COMPREPLY[@]}"
    done = subprocess.run(["bash", "-c", script + words], stdout=subprocess.PIPE, timeout=30)
    assert done.stdout == b"forking\n"


@pytest.mark.parametrize("engine", ENGINES, ids=["go", "python"])
def test_stdio_as_connect_subproc_runs_it(command, engine):
    """What rpyc.classic.connect_subproc(server_file) starts, with the program in place of the script."""
    conn = factory.connect_subproc([command, "-q", "-m", "stdio"] + engine, SLAVE)
    conn.modules.sys.path.append("xxx")
    assert conn.modules.sys.path.pop(-1) == "xxx"
    conn.execute("print('into the protocol?')")
    assert conn.eval("1 + 1") == 2
    conn.close()
    assert conn.proc.wait(15) == 0


@pytest.mark.parametrize("engine", ENGINES, ids=["go", "python"])
def test_inetd(command, engine):
    """An inetd starts the program with the connected socket for stdin and stdout."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    started = []

    def inetd():
        peer, _ = listener.accept()
        started.append(subprocess.Popen([command, "-m", "stdio", "-q"] + engine, stdin=peer, stdout=peer))
        peer.close()
    thread = threading.Thread(target=inetd)
    thread.start()
    conn = rpyc.classic.connect("127.0.0.1", listener.getsockname()[1])
    assert conn.modules.os.getpid() > 0
    assert conn.builtin.len([1, 2]) == 2
    conn.close()
    thread.join()
    assert started[0].wait(15) == 0
    listener.close()


@pytest.mark.parametrize("engine", ENGINES, ids=["go", "python"])
def test_oneshot(command, run_program, engine):
    """What RPyC's own tests of teleportation start and read."""
    program = run_program("rpyc_classic", [command, "--mode=oneshot", "--host=localhost", "-p0"] + engine)
    assert program.line() == "rpyc-oneshot"
    host, port = program.line().split("\t")
    conn = rpyc.classic.connect(host, int(port))
    assert conn.eval("2 + 2") == 4
    conn.close()
    assert program.process.wait(15) == 0


@pytest.mark.parametrize("engine", ENGINES, ids=["go", "python"])
def test_forking(start, engine):
    program = start("-m", "forking", *engine)
    one, two = (rpyc.classic.connect(program.host, int(program.port)) for _ in range(2))
    pids = {one.modules.os.getpid(), two.modules.os.getpid(), program.process.pid}
    assert len(pids) == 3
    one.close()
    assert two.eval("40 + 2") == 42
    two.close()
    program.process.terminate()
    assert program.process.wait(15) == 0


@pytest.mark.parametrize("engine", ENGINES, ids=["go", "python"])
def test_connections_are_apart(start, engine):
    program = start(*engine)
    one, two = (rpyc.classic.connect(program.host, int(program.port)) for _ in range(2))
    one.execute("import sys\nsys.path.append('only-here')")
    two.execute("import sys")
    assert one.eval("'only-here' in sys.path") is True
    assert two.eval("'only-here' in sys.path") is False
    one.close()
    assert two.eval("1") == 1
    two.close()


def test_a_shared_engine(start, tmp_path):
    """What Python's threaded server has: one process, whose modules and threads all clients reach."""
    preload = tmp_path / "preload.py"
    preload.write_text("import threading, sys\nthreading.preloaded = __file__\nanswer = lambda: 42\n")
    program = start("--engine", sys.executable, "--shared", "--preload", str(preload))

    def connect():
        return rpyc.classic.connect(program.host, int(program.port))
    first, second = connect(), connect()
    assert first.modules.os.getpid() == second.modules.os.getpid() != program.process.pid
    first.execute("import threading, sys; lock = threading.Lock(); sys.shared_with = lock; lock.acquire()")
    assert second.eval("__import__('sys').shared_with.locked()")
    with pytest.raises(NameError):
        second.eval("lock")  # namespaces are the connections' own
    assert second.eval("answer()") == 42 and second.modules.threading.preloaded == str(preload)
    assert second.root.get_service_name() == "SLAVE"
    assert "__file__" not in list(second.namespace)
    assert first.modules.sys.argv[0] == "rpyc_classic"
    first.close()
    assert second.eval("1 + 1") == 2
    pid = second.modules.os.getpid()
    with pytest.raises(EOFError):
        second.modules.os._exit(3)

    def again():
        try:
            return connect()  # starts another
        except EOFError:  # of one that came to the old process on its way out
            return None
    third = eventually(again)
    assert third.modules.os.getpid() != pid and third.eval("answer()") == 42
    pid = third.modules.os.getpid()
    program.process.kill()

    def gone():
        try:
            os.kill(pid, 0)
        except OSError:
            return True
    eventually(gone, 15, "the end of the shared process")
    third.close()


def test_preload_of_each_process(start, tmp_path):
    preload = tmp_path / "preload.py"
    preload.write_text("counter = [1]\n")
    program = start("--engine", sys.executable, "--preload", str(preload))
    for _ in range(2):
        conn = rpyc.classic.connect(program.host, int(program.port))
        conn.execute("counter.append(2)")
        assert list(conn.eval("counter")) == [1, 2]  # a process each
        conn.close()


@pytest.mark.parametrize("engine", ENGINES, ids=["go", "python"])
def test_unix_socket(command, run_program, tmp_path, engine):
    path = str(tmp_path / "socket")
    program = run_program("rpyc_classic", [command, "--ready", "--socket", path] + engine)
    assert program.line() == "READY " + path
    conn = rpyc.classic.unix_connect(path)
    assert conn.eval("6 * 7") == 42
    conn.close()
    program.signal(signal.SIGTERM)
    assert program.process.wait(20) == 0
    again = run_program("rpyc_classic", [command, "--ready", "--socket", path] + engine)
    assert again.line() == "READY " + path  # what is left of the socket is no obstacle
    again.signal(signal.SIGTERM)


def test_an_engine_process_ends_with_its_client(start):
    program = start("--engine", sys.executable)
    conn = rpyc.classic.connect(program.host, int(program.port))
    pid = conn.modules.os.getpid()
    conn._channel.stream.sock.close()  # gone without a word

    def gone():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
    eventually(gone, 15, "the end of the engine's process")
    assert program.running()


@pytest.mark.skipif(RPYC < (5, 2),
                    reason="older releases do not know the code objects of all the Pythons that run this")
def test_teleport_by_an_engine(start):
    def function(a, b=2):
        import os
        return a + b, os.getpid()
    program = start("--engine", sys.executable)
    conn = rpyc.classic.connect(program.host, int(program.port))
    there = conn.teleport(function)
    assert there(1) == (3, conn.modules.os.getpid())
    conn.close()


def test_an_engine_searches_for_modules_where_a_script_would(command, run_program, tmp_path):
    """Its directory comes first, and the current directory, where others may have put something, is not searched."""
    (tmp_path / "rpyc.py").write_text("raise SystemExit('planted')")
    (tmp_path / "script").mkdir()
    script = tmp_path / "script" / "paths.py"
    script.write_text("import sys\nprint(sys.path[1:])")
    theirs = subprocess.run([sys.executable, str(script)], stdout=subprocess.PIPE, check=True, cwd=str(tmp_path),
                            timeout=30).stdout.decode()
    program = run_program("rpyc_classic", [command, "-p", "0", "--ready", "--engine", sys.executable],
                          cwd=str(tmp_path))
    _, host, port = program.line().split()
    conn = rpyc.classic.connect(host, int(port))
    assert conn.modules.os.getcwd() == str(tmp_path)
    first, rest = conn.eval("(__import__('sys').path[0], str(__import__('sys').path[1:]))")
    assert first == os.path.dirname(os.path.realpath(command))
    assert rest == theirs.strip()
    assert list(conn.modules.sys.argv) == ["rpyc_classic"]
    conn.close()


def test_allow_and_no_eval(start):
    program = start("--allow", "sys,json", "--no-eval")
    conn = rpyc.classic.connect(program.host, int(program.port))
    assert conn.modules.json.dumps(5) == "5"
    for module in ("os", "subprocess", "os.path", "posix"):
        with pytest.raises(ImportError):
            conn.modules[module]
    with pytest.raises(AttributeError):
        conn.builtins.open
    with pytest.raises(PermissionError):
        conn.eval("1")
    with pytest.raises(PermissionError):
        conn.execute("x = 1")
    conn.close()


def test_log_file(command, run_program, tmp_path):
    """A line for each step of each client, appended; opened anew after SIGHUP."""
    log = tmp_path / "log"
    log.write_text("before\n")
    program = run_program("rpyc_classic", [command, "-p", "0", "--ready", "--logfile", str(log)])
    _, host, port = program.line().split()
    conn = rpyc.classic.connect(host, int(port))
    me = conn._channel.stream.sock.getsockname()[1]
    assert conn.eval("1") == 1
    conn.close()
    eventually(lambda: "goodbye" in log.read_text(), 10, "the log")
    lines = log.read_text().splitlines()
    assert lines[0] == "before"
    assert "server started" in lines[1] and "addr=127.0.0.1:" + port in lines[1]
    assert [re.search(r"msg=(\S+)", line).group(1) for line in lines if "peer=127.0.0.1:%d"
            % me in line] == ["accepted", "welcome", "goodbye"]
    log.rename(tmp_path / "old")
    program.process.send_signal(signal.SIGHUP)
    eventually(log.exists, 10, "the log file to be opened anew")
    program.process.send_signal(signal.SIGTERM)
    assert program.process.wait(15) == 0
    assert "ending" in log.read_text() and "has terminated" in log.read_text()
    assert program.stderr() == ""


def test_quiet(command, run_program):
    program = run_program("rpyc_classic", [command, "-p", "0", "--ready", "-q"])
    _, host, port = program.line().split()
    rpyc.classic.connect(host, int(port)).close()
    program.process.send_signal(signal.SIGTERM)
    assert program.process.wait(15) == 0
    assert program.stderr() == ""


def test_a_log_that_cannot_be_written(command, tmp_path):
    done = subprocess.run([command, "-p", "0", "--logfile", str(tmp_path / "no" / "log")], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=30)
    assert done.returncode == 1 and b"no such file" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("engine", ENGINES, ids=["go", "python"])
def test_signals(start, tmp_path, engine, number):
    """Idle clients are no reason to stay; what a client waits for is answered first."""
    program = start(*engine)
    idle, busy = (rpyc.classic.connect(program.host, int(program.port)) for _ in range(2))
    assert idle.eval("1") == 1
    os.mkfifo(str(tmp_path / "fifo"))
    answers = []

    def ask():
        answers.append(busy.modules.subprocess.check_output(["cat", str(tmp_path / "fifo")]))
    thread = threading.Thread(target=ask)
    thread.start()
    with open(str(tmp_path / "fifo"), "w") as f:  # opened as soon as it is open over there
        program.process.send_signal(number)
        eventually(lambda: "ending" in program.stderr(), 10)

        def refused():
            try:
                rpyc.classic.connect(program.host, int(program.port)).close()
            except (OSError, EOFError):
                return True
        eventually(refused, 10)
        f.write("answered")
    thread.join(20)
    assert answers == [b"answered"]
    assert program.process.wait(15) == 0


def test_a_signal_while_the_client_is_asked(start):
    """The engine go sees a request through that calls back."""
    program = start()
    conn = rpyc.classic.connect(program.host, int(program.port))

    def signalled():
        program.process.send_signal(signal.SIGTERM)
        eventually(lambda: "ending" in program.stderr(), 10)
        return "told"
    conn.namespace["signalled"] = signalled
    assert conn.eval("signalled()") == "told"
    assert program.process.wait(15) == 0


@pytest.mark.parametrize("engine", ENGINES, ids=["go", "python"])
def test_a_signal_to_one_on_pipes(command, engine):
    conn = factory.connect_subproc([command, "-q", "-m", "stdio"] + engine, SLAVE)
    assert conn.eval("1") == 1
    conn.proc.terminate()
    assert conn.proc.wait(15) == 0
    with pytest.raises(EOFError):
        conn.eval("1")


@pytest.mark.parametrize("engine", ENGINES, ids=["go", "python"])
def test_a_second_signal_ends_it_at_once(start, engine):
    program = start(*engine)
    conn = rpyc.classic.connect(program.host, int(program.port))
    conn.execute("import time")
    sleep = rpyc.async_(conn.modules.time.sleep)
    sleep(60)
    eventually(lambda: "welcome" in program.stderr(), 10)
    program.process.send_signal(signal.SIGTERM)
    eventually(lambda: "ending" in program.stderr(), 10)
    program.process.send_signal(signal.SIGTERM)
    assert program.process.wait(5) == 0


def test_warns_beyond_loopback(start):
    program = start("--host", "0.0.0.0")
    eventually(lambda: "demand certificates" in program.stderr(), 10, "the warning")
    assert len(re.findall("WARN", program.stderr())) == 1
    quiet = start()
    assert "demand certificates" not in quiet.stderr()


def test_max_connections_and_ipv6(start):
    program = start("--max-connections", "1")
    one = rpyc.classic.connect(program.host, int(program.port))
    assert one.eval("1") == 1
    one.close()
    two = rpyc.classic.connect(program.host, int(program.port))
    assert two.eval("2") == 2
    two.close()
    try:
        socket.socket(socket.AF_INET6).bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 here")
    program = start("--ipv6")
    conn = rpyc.classic.connect("::1", int(program.port), ipv6=True)
    assert conn.eval("6") == 6
    conn.close()
