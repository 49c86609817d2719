"""The tool gorpyc against this cell's own services: one of RPyC's, and a classic server."""
import json
import os
import re
import subprocess
import sys

import pytest
import rpyc

from conftest import selected, watched
from describe import RPYC
from harness import REPO, eventually

SERVICE = """
import json, os, rpyc, sys, threading, time
from rpyc.utils.authenticators import SSLAuthenticator
from rpyc.utils.server import ThreadedServer

class Thing(object):
    def __init__(self):
        self.size = 1

class CalculatorService(rpyc.Service):
    "A calculator."
    exposed_rate = 3
    thing = exposed_thing = Thing()
    def exposed_add(self, a, b=1):
        "Adds."
        return a + b
    def exposed_echo(self, *args, **kwargs):
        return repr(args), tuple(sorted(kwargs.items()))
    def exposed_kinds(self, *args):
        return ",".join(a.__class__.__name__ for a in args)
    def exposed_items(self):
        return [1, "two", {"k": b"x"}]
    def exposed_fail(self):
        return {}["missing"]
    def exposed_sleep(self, seconds):
        print("sleeping")
        time.sleep(seconds)
    def exposed_die(self):
        os._exit(1)

config = {"allow_setattr": True, "allow_public_attrs": True}
Served = CalculatorService()
"""

# The options of the server are the argument: socket_path, or tls with the arguments of SSLAuthenticator.
START = """
options = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
if "tls" in options:
    options["authenticator"] = SSLAuthenticator(**options.pop("tls"))
if "socket_path" not in options:
    options.update(hostname="127.0.0.1", port=0)
server = ThreadedServer(Served, protocol_config=config, **options)
server.listener.listen(10)  # not only when it starts
print("READY 127.0.0.1 %s" % server.port)
sys.stdout.flush()
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
server.start()
"""

CLASSIC = """
import json, os, sys, threading
from rpyc.core import SlaveService as Served
from rpyc.utils.authenticators import SSLAuthenticator
from rpyc.utils.server import ThreadedServer
config = {}
"""


@pytest.fixture
def tool(request, peers):
    if "go" not in selected(request.config):
        pytest.skip("only Go is tested here")
    path = peers.binaries.path("gorpyc")

    def run(*args, **options):
        done = subprocess.run([path] + list(args), input=options.get("stdin", "").encode(), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=30, cwd=REPO)
        assert done.returncode == options.get("code", 0), done.stderr.decode()
        return done.stdout.decode() if "code" not in options else done.stderr.decode()
    run.path = path
    return run


def start(run_program, source, **options):
    """The address of a server, and the program."""
    program = run_program("server", [sys.executable, "-u", "-c", source + START, json.dumps(options)])
    word, host, port = program.line().split()
    assert word == "READY"
    return host + ":" + port, program


@pytest.fixture
def service(run_program):
    return start(run_program, SERVICE)[0]


@pytest.fixture
def classic(run_program):
    return start(run_program, CLASSIC)[0]


def test_calls(tool, service):
    assert tool("call", service, "add", "2", "-3") == "-1\n"
    assert tool("call", service, "add", "2", "--kw", "b=40") == "42\n"
    values = ["2", "1.5", "'te\\'xt'", "b'by\\xfftes'", "True", "None", "(1, 'a')", "()", "(3,)", "1e300", str(2 ** 70),
              str(-2 ** 70)]
    assert tool("call", service, "echo", *values) == repr((repr(tuple(eval(v) for v in values)), ())) + "\n"
    assert tool("call", service, "kinds", "word", "[1]", "{'a': 1}") == repr("str,list,dict") + "\n"
    assert tool("call", service, "echo", "[1, 'two', [3]]", "{'a': 1}") == (
        repr((repr(([1, "two", [3]], {"a": 1})), ())) + "\n")
    assert tool("call", service, "items") == repr([1, "two", {"k": b"x"}]) + "\n"
    assert json.loads(tool("call", service, "items", "--json")) == [1, "two", {"k": {"bytes": "eA=="}}]


def test_attributes(tool, service):
    assert tool("get", service, "rate") == "3\n"
    tool("set", service, "thing.size", "[2]")
    assert tool("ls", service).split() == ["add()", "die()", "echo()", "fail()", "items()", "kinds()", "rate",
                                           "sleep()", "thing"]
    described = tool("inspect", service)
    assert "A calculator." in described and "Adds." in described


def test_errors(tool, service):
    text = tool("call", service, "fail", code=1)
    assert text == "gorpyc: KeyError: 'missing'\n"
    text = tool("call", service, "fail", "--traceback", code=1)
    assert "exposed_fail" in text
    tool("call", service, "add", "1", "--nonsense", code=2)
    tool("call", "127.0.0.1:1", "add", code=3)


def test_ping_bench_shell(tool, service):
    assert "3 pings, min " in tool("ping", service, "-c", "3", "-i", "1ms")
    assert json.loads(tool("bench", service, "add", "1", "--calls", "50", "-c", "3", "--json"))["count"] == 50
    assert tool("shell", service, stdin="x = items()\nx[0] = 5\nx\nlen(x)\nadd(1, b=2)\n") == (
        repr([5, "two", {"k": b"x"}]) + "\n3\n3\n")


def test_tap(tool, service, run_program, tmp_path):
    file = str(tmp_path / "tap.jsonl")
    # A server of an older family hangs up on the first connection, which is of the newest one.
    number = "1" if RPYC >= (6,) else "2"
    tap = run_program("tap", [tool.path, "tap", service, "--write", file, "--connections", number])
    port = eventually(lambda: tap.stderr().split()[1:2])[0]
    assert tool("shell", port, stdin="items()[2]\n") == "{'k': b'x'}\n"
    seen = tap.lines(10)

    def messages(lines):
        return [line for line in lines if " END" not in line]
    assert any('"items"' in line for line in seen)
    assert tool("tap", "replay", file).splitlines() == seen
    assert messages(tool("tap", "replay", file, service).splitlines()) == messages(seen)


TYPED = """\
rate + 1
f"{rate * 2:.1f} {add(1)!r:>4}"
[add(n) for n in range(3) if n != 1]
{k: len(str(k)) for k in ("a", "bb")}
for i in [1, 2]:
    print(i, add(i))

def twice(x):
    return 2 * x

twice(add(20))
_ + 1
x = items()
x[0] = 5
x[0], len(x), sorted(["b", "a"])
sum(n for n in [1, 2]) / 4
"%s-%d" % ("a", 3)
"""


def test_shell_is_python(tool, service):
    """What is typed at the prompt of a plain service gives what it gives at Python's own, with the names of the root."""
    import code
    import contextlib
    import io
    host, port = service.split(":")
    conn = rpyc.connect(host, int(port))
    names = {name: getattr(conn.root, name) for name in ("add", "items", "rate")}
    out = io.StringIO()
    lines = iter(TYPED.splitlines())
    console = code.InteractiveConsole(names)
    with contextlib.redirect_stdout(out):
        for line in lines:
            console.push(line)
    conn.close()
    assert tool("shell", service, stdin=TYPED) == out.getvalue()


def test_items_and_help(tool, service):
    assert tool("call", service, "items", "--items") == "1\n'two'\n{'k': b'x'}\n"
    assert tool("call", service, "items", "--items", "--json") == '1\n"two"\n{"k":{"bytes":"eA=="}}\n'
    assert tool("call", service, "sleep", "5", "--timeout", "0.2", code=4)
    assert tool("help", "call") == tool("call", "--help")
    assert tool("shell", service, stdin="help(add)\n").startswith("method add(")
    assert tool("version").startswith("gorpyc ")
    assert tool("complete", "--", "call", service, "ad").split() == tool("complete", "--", "call", service, "").split()
    assert "add" in tool("complete", "--", "get", service, "").split()
    lines = tool("bench", service, "add", "1", "--calls", "50", "--histogram").splitlines()
    assert sum(int(line.split()[1]) for line in lines[2:]) == 50


def conversation(lines):
    """What has been said, without what the server decides anew: when it gives back, its addresses, its numbers."""
    numbers, said = {}, []
    for line in lines:
        words = line.split(" ")
        if ">" in words[2]:
            del words[2]  # threads
        connection, direction, kind, number, rest = (" ".join(words).split(" ", 4) + [""] * 4)[:5]
        if kind == "END":
            continue
        if direction + kind == "<REQUEST":
            numbers[connection, number] = None if rest.startswith("DEL ") else "server's %d" % len(numbers)
        if (direction, kind) in (("<", "REQUEST"), (">", "REPLY"), (">", "EXCEPTION")):
            number = numbers[connection, number]
        if number is not None:
            said.append((connection, direction, kind, number, re.sub(r"(?<=\w)#\d+", "#", rest)))
    order = {}
    for message in said:
        if message[3].startswith("server's"):
            order.setdefault((message[0], message[3]), "server's %d" % len(order))
    return [message[:3] + (order.get((message[0], message[3]), message[3]), message[4]) for message in said]


def test_signatures(tool, service, classic):
    """What inspect.signature says where it can read it, and that a service does not tell otherwise."""
    import inspect
    import textwrap
    for function in (os.path.join, os.getcwd, textwrap.fill, textwrap.TextWrapper, json.dumps):
        path = "%s.%s" % ("os.path" if function is os.path.join else function.__module__.replace("posix", "os"),
                          function.__name__)
        found = json.loads(tool("inspect", classic, "--classic", path, "--json"))
        assert found["signature"] == str(inspect.signature(function)), path
        assert found["kind"] == ("class" if isinstance(function, type) else "function")
    first = tool("inspect", classic, "--classic", "os.path.join").splitlines()[0]
    assert first == "function join" + str(inspect.signature(os.path.join))
    rows = [re.split("  +", line) for line in tool("ls", "-l", classic, "--classic", "textwrap").splitlines()]
    assert ["function", "fill" + str(inspect.signature(textwrap.fill))] in [row[:2] for row in rows]
    described = json.loads(tool("inspect", service, "add", "--json"))
    assert (described["kind"], described["signature"], described["doc"]) == ("method", "(…)", "Adds.")
    assert tool("inspect", service, "add") == "method add(…)\n    Adds.\n"


@pytest.mark.once
@pytest.mark.parametrize("bind_threads", [False, True])
def test_tap_replays_callbacks(tool, kind, peers, request, run_program, tmp_path, bind_threads):
    """The server's calls back are waited for and answered, whatever numbers and ids they have this time."""
    if bind_threads and RPYC < (5, 3, 1):
        pytest.skip("this release of RPyC cannot bind threads")
    server = watched(request, peers.start(kind, {"RPYC_BIND_THREADS": "true"} if bind_threads else {}))
    request.addfinalizer(server.stop)
    address = "127.0.0.1:%d" % server.port
    file = str(tmp_path / "tap.jsonl")
    tap = run_program("tap", [tool.path, "tap", address, "--write", file, "--connections", "1"])
    port = int(eventually(lambda: tap.stderr().split()[1:2])[0].rsplit(":", 1)[1])

    def fails(x):
        raise KeyError(x)
    config = {"bind_threads": True} if bind_threads else {}
    conn = rpyc.connect("127.0.0.1", port, service=rpyc.VoidService, config=config)
    root = conn.root
    for i in range(5):
        assert root.call(lambda x: x + i, 2) == 2 + i  # which is given back before the next
    assert root.call(len, root.shared_list()) >= 0
    assert list(root.call(lambda x: root.get_list(), 1)) == [1, 2, 3]  # an object of the server's in an answer
    bounce = lambda n: root.pingpong(bounce, n)  # noqa: E731
    assert root.pingpong(bounce, 3) == 3
    with pytest.raises(KeyError):
        root.call(fails, "k")
    conn.close()
    seen = tap.lines(20)
    assert sum(message[1:3] == ("<", "REQUEST") for message in conversation(seen)) >= 8
    again = tool("tap", "replay", "--timeout", "20s", file, address).splitlines()  # says what has not come
    # a client's DEL is answered while the server waits for it or later, as it happens
    assert sorted(conversation(again)) == sorted(conversation(seen))


def test_classic(tool, classic, tmp_path):
    assert tool("eval", classic, "sum(range(10))") == "45\n"
    assert tool("exec", classic, "for i in range(3): print(i)") == "0\n1\n2\n"
    assert tool("call", classic, "--classic", "os.path.join", "a", "b") == repr(os.path.join("a", "b")) + "\n"
    data = os.urandom(300000)
    (tmp_path / "a").write_bytes(data)
    tool("upload", classic, str(tmp_path / "a"), str(tmp_path / "b"))
    tool("download", classic, str(tmp_path / "b"), str(tmp_path / "c"))
    assert (tmp_path / "c").read_bytes() == data
    tool("download", classic, str(tmp_path / "nothing"), str(tmp_path / "d"), code=5)
    assert "  wrap(text, width=70, **kwargs)\n" in tool("inspect", classic, "--classic", "textwrap")
    assert "42" in tool("shell", classic, stdin="x = 6\nx * 7\n")
