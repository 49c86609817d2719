"""Records conversations of two CPython peers for the replay tests (replay_test.go).

Usage:  python -OO record.py [--out transcripts] [scenario ...]

It uses the rpyc that the interpreter has installed, so it is run once for every release to record, for example with
3.4.4, 4.0.2, 4.1.5, 5.3.1, 6.0.2 and rpyc-ng 7.0.15. Without scenarios it records them all. For each scenario it starts
a server and a client, both of them this script again, and stands between them: every frame is passed on whole and
written down in the order in which frames came, which is a causal order, as each side is single-threaded.

A recording is a file of JSON lines. The first one says what was recorded, every other one is a frame with its direction
("c2s" or "s2c"), in hexadecimal, or the end of a direction ("event": "eof"). Documentation strings that INSPECT reports are
left out: they belong to the interpreter. Tracebacks are off.
"""
import argparse
import json
import os
import platform
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib

import rpyc
from rpyc.core import brine
from rpyc.utils import classic as rpyc_classic

RELEASE = getattr(rpyc.version, "version_string", None) or rpyc.__version__
NEW = int(RELEASE.split(".")[0]) >= 6  # messages begin with their kind, outside of brine
HIDE = {"include_local_traceback": False}


# ---- the server ------------------------------------------------------------------------------------------------------


class CustomError(Exception):
    def __init__(self, *args):
        super().__init__(*args)
        self.code = 99
        self.blob = [1, 2]


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def exposed_norm2(self):
        return self.x**2 + self.y**2

    def __eq__(self, other):
        return isinstance(other, Point) and (self.x, self.y) == (other.x, other.y)

    def __lt__(self, other):
        return self.x < other.x

    def __hash__(self):
        return self.x

    def __add__(self, other):
        return Point(self.x + other.x, self.y + other.y)

    def __repr__(self):
        return "Point(%d, %d)" % (self.x, self.y)


class Ctx:
    def __init__(self, suppress):
        self.suppress = suppress

    def __enter__(self):
        return "entered"

    def __exit__(self, t, v, tb):
        return self.suppress


class RecordedService(rpyc.Service):
    def __init__(self, *args):
        self.kept = [1, 2, 3]

    exposed_value = 17
    exposed_Point = Point

    def exposed_add(self, a, b=10):
        return a + b

    def exposed_echo(self, *args, **kwargs):
        return args, tuple(sorted(kwargs.items()))

    def exposed_identity(self, x):
        return x

    def exposed_keep(self):
        return self.kept

    def exposed_is_mine(self, x):
        return x is self.kept

    def exposed_mixed(self):
        return 1, [2], (3, [4]), "x"

    def exposed_call(self, f, *args):
        return f(*args)

    def exposed_pingpong(self, f, n):
        return 0 if n == 0 else 1 + f(self.exposed_pingpong, n - 1)

    def exposed_fail(self, kind):
        raise {
            "value": ValueError("bad", 3), "key": KeyError("missing"), "stop": StopIteration("lost"), "custom": CustomError("custom"),
            "os": FileNotFoundError(2, "No such file", "/nowhere"), "exit": SystemExit(3), "nonbrine": ValueError([1, 2], {"a": 1}),
        }[kind]

    def exposed_point(self, x, y):
        return Point(x, y)

    def exposed_numbers(self, n):
        return iter(range(n)) if n < 0 else (i for i in range(n))

    def exposed_total(self, xs):
        return sum(xs)

    def exposed_use_dict(self, d):
        return len(d), d["a"], sorted(d)

    def exposed_ctx(self, suppress=False):
        return Ctx(suppress)

    def exposed_sleep(self, seconds):
        time.sleep(seconds)
        return "slept"


# ---- the client, one function for each scenario ----------------------------------------------------------------------


def check(ok):
    """An assert statement would not be executed under -OO."""
    if not ok:
        raise SystemExit("not as expected")


def add(c):
    check(c.root.add(1, 2) == 3)


def kwargs(c):
    check(c.root.add(a=1) == 11)
    check(c.root.echo(1, b=2, a="x") == ((1,), (("a", "x"), ("b", 2))))


def values(c):
    for v in (None, True, False, 0, -48, 159, 160, -49, 10**30, 1.5, -0.0, 2j, "", "x", "é\U0001F600", "a" * 300, b"", b"abc", b"\0" * 300, (),
              (1, (2, ("x",))), tuple(range(300)), slice(1, None, 2), frozenset([1]), Ellipsis, NotImplemented):
        got = c.root.identity(v)
        check(got == v and type(got) is type(v))


def callback(c):
    check(c.root.call(lambda x: x * 2, 21) == 42)
    check(c.root.call(lambda *a, **k: (a, k == {}), 1, 2) == ((1, 2), True))


def callback_nested(c):
    def back(f, n):
        return 0 if n == 0 else 1 + f(back, n - 1)

    check(c.root.pingpong(back, 6) == 6)


def callback_raises(c):
    def bad():
        raise KeyError("mine")

    try:
        c.root.call(bad)
    except KeyError as e:
        check(e.args == ("mine",))


def exceptions(c):
    for kind in "value key stop custom os nonbrine exit".split():
        try:
            c.root.fail(kind)
        except BaseException:
            pass
    try:
        c.root.nope
    except AttributeError:
        pass


def refs(c):
    a, b = c.root.keep(), c.root.keep()
    check(a is b and c.root.is_mine(a))
    mine = [5]
    check(c.root.identity(mine) is mine)
    t = c.root.mixed()
    check(t[0] == 1 and str(t[1]) == "[2]")
    del a, b, t
    check(len(c.root.keep()) == 3)


def list_ops(c):
    x = c.root.keep()
    check(len(x) == 3 and x[0] == 1 and list(x[1:]) == [2, 3] and 2 in x)
    x[0] = 7
    del x[1]
    check(str(x) == "[7, 3]" and repr(x) == "[7, 3]" and bool(x))
    check([y for y in x] == [7, 3])


def operators(c):
    p, q = c.root.point(1, 2), c.root.point(3, 4)
    check(p == p and p != q and p < q and hash(p) == 1 and str(p + q) == "Point(4, 6)")
    check(p.norm2() == 5)
    dir(p)


def iterate(c):
    check(list(c.root.numbers(3)) == [0, 1, 2])
    check(list(rpyc.buffiter(c.root.numbers(30), 5)) == list(range(30)))


def pass_containers(c):
    check(c.root.total([1, 2, 3]) == 6)
    check(c.root.use_dict({"a": 1, "b": 2})[:2] == (2, 1))


def with_(c):
    with c.root.ctx() as v:
        check(v == "entered")
    for suppress in (False, True):
        try:
            with c.root.ctx(suppress):
                raise ValueError("inside")
        except ValueError:
            pass


def async_(c):
    sleep = getattr(rpyc, "async_" if hasattr(rpyc, "async_") else "async")(c.root.sleep)
    results = [sleep(0.1), sleep(0), sleep(0)]
    check([r.value for r in results] == ["slept"] * 3)
    timed = rpyc.timed(c.root.sleep, 0.05)(0.3)
    try:
        timed.value
    except Exception:
        pass
    check(c.root.add(1) == 11)


def ping(c):
    c.ping()
    c.ping("data")


def refused(c):
    for f in (lambda: setattr(c.root, "value", 1), lambda: delattr(c.root, "value"), lambda: c.root.keep().append, lambda: c.root._x):
        try:
            f()
        except AttributeError:
            pass


def classic(c):
    check(c.modules.os.path.join("a", "b") == "a/b")
    c.execute("x = [1, 2]")
    check(c.eval("x[1]") == 2 and c.namespace["x"][0] == 1)
    check(c.builtins.sorted([3, 1])[0] == 1)


SCENARIOS = {f.__name__.strip("_"): f for f in (
    add, kwargs, values, callback, callback_nested, callback_raises, exceptions, refs, list_ops, operators, iterate,
    pass_containers, with_, async_, ping, refused, classic)}


def serve(name):
    from rpyc.utils.server import OneShotServer

    service = rpyc.core.service.SlaveService if name == "classic" else RecordedService
    server = OneShotServer(service, hostname="127.0.0.1", port=0, protocol_config=HIDE)
    server.listener.listen(1)  # before it is told; the older releases do so in start() only
    print(server.port, flush=True)
    server.start()


def client(name, port):
    if name == "classic":
        c = rpyc_classic.connect("127.0.0.1", port)
    else:
        c = rpyc.connect("127.0.0.1", port, config=HIDE)
    SCENARIOS[name](c)
    c.close()


# ---- the recorder ----------------------------------------------------------------------------------------------------


def read_exactly(sock, n):
    data = b""
    while len(data) < n:
        part = sock.recv(n - len(data))
        if not part:
            return None
        data += part
    return data


class Recorder:
    def __init__(self):
        self.lines, self.lock, self.inspects = [], threading.Lock(), set()

    def pump(self, direction, source, sink):
        while True:
            head = read_exactly(source, 5)
            body = head and read_exactly(source, struct.unpack(">L", head[:4])[0] + 1)
            with self.lock:
                if not body:
                    self.lines.append({"dir": direction, "event": "eof"})
                    break
                self.lines.append({"dir": direction, "hex": self.without_docs(direction, head, body).hex()})
                try:
                    sink.sendall(head + body)
                except OSError:
                    pass  # it has hung up; what was said all the same belongs to the recording
        try:
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def without_docs(self, direction, head, body):
        payload = zlib.decompress(body[:-1]) if head[4] else body[:-1]
        if NEW:
            kind, (seq, args) = payload[0], brine.load(payload[1:])
        else:
            kind, seq, args = brine.load(payload)
        if kind == 1 and args[0] == 16:
            self.inspects.add((direction, seq))
        other = "s2c" if direction == "c2s" else "c2s"
        if kind != 2 or (other, seq) not in self.inspects:
            return head + body
        self.inspects.remove((other, seq))
        reply = 1, tuple((name, None) for name, _ in args[1])
        payload = bytes([2]) + brine.dump((seq, reply)) if NEW else brine.dump((2, seq, reply))
        return struct.pack(">LB", len(payload), 0) + payload + b"\n"


def record(name, out):
    again = [sys.executable, "-OO", os.path.abspath(__file__)]
    server = subprocess.Popen(again + ["--serve", name], stdout=subprocess.PIPE, universal_newlines=True)
    port = int(server.stdout.readline())
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    cl = subprocess.Popen(again + ["--client", name, "--port", str(listener.getsockname()[1])])
    near, _ = listener.accept()
    far = socket.create_connection(("127.0.0.1", port))
    r = Recorder()
    pumps = [threading.Thread(target=r.pump, args=a) for a in (("c2s", near, far), ("s2c", far, near))]
    for p in pumps:
        p.start()
    for p in pumps:
        p.join()
    if cl.wait() != 0:
        sys.exit("the client of %s failed" % name)
    server.kill()  # a one-shot server of RPyC 4.0 stays
    server.wait()
    me = "rpyc %s / CPython %s" % (RELEASE, platform.python_version())
    path = os.path.join(out, "%s-py%d.%d-%s.jsonl" % (RELEASE, *sys.version_info[:2], name))
    with open(path, "w") as f:
        kind = "slave" if name == "classic" else "recorded"
        for line in [{"scenario": name, "server": me, "client": me, "kind": kind}] + r.lines:
            f.write(json.dumps(line, separators=(",", ":")) + "\n")
    print(path, len(r.lines))


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--out", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "transcripts"))
    p.add_argument("--serve")
    p.add_argument("--client")
    p.add_argument("--port", type=int)
    p.add_argument("scenario", nargs="*")
    a = p.parse_args()
    if a.serve:
        serve(a.serve)
    elif a.client:
        client(a.client, a.port)
    else:
        for scenario in a.scenario or SCENARIOS:
            record(scenario, a.out)
