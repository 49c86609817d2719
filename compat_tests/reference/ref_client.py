#!/usr/bin/env python3
"""The client program of README.md on CPython: what peers/goclient is compared with.

    ref_client.py HOST PORT SCENARIO TAG

Runs one scenario against a behaviour service and prints one JSON object per step.
"""
import gc
import json
import os
import random
import sys
import threading
import time
import weakref

import rpyc
from rpyc.core import consts

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import tagged  # noqa: E402
from probes import VALUES  # noqa: E402

SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


class Client:
    def __init__(self, host, port, tag):
        self.host, self.port, self.tag = host, port, tag
        self.conn = self.connect()
        self.root = self.conn.root

    def connect(self, port=None, service=rpyc.VoidService, **config):
        return rpyc.connect(self.host, port or self.port, service=service, config=config)

    def endpoint(self, name):
        return self.connect(self.root.endpoint(name))

    def step(self, name, thunk):
        try:
            line = {"step": name, "value": tagged.encode(thunk())}
        except (Exception, SystemExit) as error:
            line = {"step": name, "error": tagged.encode_error(error)}
            error.__traceback__ = None
        print(json.dumps(line), flush=True)

    def logged(self, text):
        """Waits for a line in the event log."""
        return self.until(lambda: text in self.root.events())

    def until(self, check):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            gc.collect()
            if check():
                return True
            time.sleep(0.01)
        return False


@scenario
def calls(c):
    r = c.root
    c.step("add", lambda: r.add(2, 3))
    c.step("add float", lambda: r.add(0.5, 1))
    c.step("add text", lambda: r.add("ab", "c\u00e9"))
    c.step("add past int64", lambda: r.add(2 ** 63 - 1, 1))
    c.step("none", lambda: r.get_none())
    c.step("answer", lambda: r.answer)
    c.step("bump", lambda: (r.bump(), r.bump(), r.bump()))
    c.step("name", lambda: r.get_service_name())
    c.step("root", lambda: r)
    c.step("wrong", lambda: r.add(1))
    c.step("number + text", lambda: r.add(1, "x"))


@scenario
def kwargs(c):
    r = c.root
    c.step("greet", lambda: r.greet("Ada", punct="?"))
    c.step("greet all", lambda: r.greet(greeting="Bye", punct="", name="Bob"))
    c.step("shape", lambda: r.call_shape(1, "x", zulu=1, alpha=None, **{"\u00fc": (2,)}))
    c.step("unknown", lambda: r.add(1, b=2, c=3))


@scenario
def values(c):
    for name, value in VALUES.items():
        c.step("echo " + name, lambda: c.root.echo(value))
        c.step("type " + name, lambda: c.root.echo_type(value))


@scenario
def big(c):
    block = bytes(range(256)) * 4096
    payload = block * 64
    c.step("echo 64 MiB", lambda: c.root.echo(payload) == payload)
    c.step("length 64 MiB", lambda: c.root.length_of(payload))
    noise = random.Random(1).getrandbits(8 << 20).to_bytes(1 << 20, "big")
    c.step("echo noise", lambda: c.root.echo(noise) == noise)
    sizes = [2990, 2999, 3000, 3001, 3010, 63990, 63995, 64000, 64006, 64010, 200000]
    c.step("sizes", lambda: all(c.root.echo(noise[:size]) == noise[:size] for size in sizes))
    text = "snake \U0001f40d " * 100000
    c.step("text", lambda: c.root.echo(text) == text)


@scenario
def callbacks(c):
    r = c.root
    c.step("call", lambda: r.call(lambda a, b: a + b, 20, 22))
    depths = []

    def deeper(n):
        depths.append(n)
        return r.pingpong(deeper, n)
    c.step("ten deep", lambda: r.pingpong(deeper, 10))
    c.step("depths", lambda: depths)

    def bad():
        raise ValueError("bad", 1)

    def plain():
        raise RuntimeError("plain")
    c.step("fails", lambda: r.call(bad))
    c.step("caught", lambda: r.call_catching(bad))
    c.step("caught plain", lambda: r.call_catching(plain)[1])
    c.step("panic", lambda: r.call_catching(lambda: [][5])[0] != "ok")
    c.step("ok", lambda: r.call_catching(lambda: 7))

    def increment(x):
        return x + 1
    c.step("register", lambda: r.register(increment))
    c.step("fire", lambda: r.fire(5))
    c.step("unregister", lambda: r.unregister(increment))
    c.step("unregister again", lambda: r.unregister(increment))
    heard = []
    c.step("tick", lambda: r.tick(heard.append, 5, 0.001))
    c.step("ticks", lambda: c.until(lambda: (c.conn.poll_all(0), len(heard) == 5)[1]) and heard)

    def once(x):
        return x
    watch = weakref.ref(once)
    c.step("once", lambda: r.call(once, "x"))
    del once
    c.step("released", lambda: c.until(lambda: (c.conn.poll_all(0), watch() is None)[1]))
    c.step("theirs", lambda: r.call(r.add, 2, 3))
    c.step("alive", lambda: r.add(1, 2))


@scenario
def exceptions(c):
    for kind in ("zero", "value", "key", "os", "unicode", "custom", "json", "unbrinable", "stop", "exit", "chain",
                 "other"):
        c.step(kind, lambda: c.root.fail(kind))
    c.step("missing", lambda: c.root.nope)

    def is_missing_file():
        try:
            c.root.fail("os")
        except FileNotFoundError:
            return True
    c.step("is a missing file", is_missing_file)
    quiet = c.endpoint("quiet").root
    c.step("quiet", lambda: quiet.fail("zero"))
    c.step("alive", lambda: c.root.add(1, 2))


@scenario
def iteration(c):
    r = c.root
    c.step("list", lambda: list(r.get_list()))
    c.step("empty", lambda: list(r.empty_list()))
    c.step("dict", lambda: sorted(r.get_dict()))
    c.step("generator", lambda: list(r.count_up(5)))
    seen = []

    def failing():
        for item in r.gen_fail(3):
            seen.append(item)
    c.step("fails", failing)
    c.step("before it failed", lambda: seen)
    c.step("buffered", lambda: sum(rpyc.buffiter(r.count_up(5000), 100)))
    c.step("buffered list", lambda: list(rpyc.buffiter(r.get_list(), 2)))
    c.step("exhausted", lambda: (list(r.count_up(2, c.tag + "-a")), c.logged("gen_closed:%s-a" % c.tag))[1])

    def dropped():
        for item in r.count_up(9, c.tag + "-b"):
            break
        return c.logged("gen_closed:%s-b" % c.tag)
    c.step("dropped", dropped)


@scenario
def references(c):
    r = c.root
    c.step("dropped", lambda: (r.tracked(c.tag + "-a").name, c.logged("final:%s-a" % c.tag)))
    kept = [r.tracked(c.tag + "-b")]
    c.step("echo", lambda: r.echo(kept[0]) is kept[0])
    c.step("same", lambda: r.same(kept[0], kept[0]))
    c.step("not dropped", lambda: "final:%s-b" % c.tag in r.events())
    del kept[:]
    c.step("dropped after many", lambda: c.logged("final:%s-b" % c.tag))
    c.step("twice", lambda: (lambda pair: pair[0] is pair[1])(r.twice()))
    c.step("many", lambda: sum(point.x for point in r.many(300)))
    c.step("mixed", lambda: r.mixed())

    class Mine:
        pass
    mine = Mine()
    watch = weakref.ref(mine)
    c.step("mine", lambda: r.echo(mine) is mine)
    c.step("mine type", lambda: r.echo_type(mine))
    c.step("hold", lambda: r.hold(mine))
    del mine
    c.step("held", lambda: (r.bump(), gc.collect(), watch() is not None)[2])
    c.step("release", lambda: r.release())
    c.step("released", lambda: c.until(lambda: (c.conn.poll_all(0), watch() is None)[1]))
    other = c.connect()
    other_kept = other.root.tracked(c.tag + "-c")
    c.step("closed", lambda: (other.close(), c.logged("final:%s-c" % c.tag))[1])
    del other_kept


@scenario
def containers(c):
    r = c.root
    box = r.get_list()
    c.step("len", lambda: len(box))
    c.step("item", lambda: box[-1])
    c.step("item far", lambda: box[9])
    c.step("item text", lambda: box["x"])
    c.step("slice", lambda: list(box[1:]))
    c.step("contains", lambda: (2 in box, 9 in box))

    def change():
        box[0] = "x"
        del box[1]
        return list(box)
    c.step("change", change)
    table = r.get_dict()
    c.step("key", lambda: table["a"])
    c.step("key missing", lambda: table["zz"])

    def change_table():
        table["c"] = (1, 2)
        del table["a"]
        return (len(table), table["c"])
    c.step("change dict", change_table)
    c.step("length of mine", lambda: r.length_of([1, 2, 3]))
    public = c.endpoint("public").root.get_list()
    c.step("append", lambda: (public.append(5), list(public))[1])
    c.step("append denied", lambda: box.append(5))


@scenario
def ctx(c):
    r = c.root
    c.step("enter", lambda: r.ctx(c.tag).__enter__())

    def use(suppress, error=None):
        with r.ctx(c.tag + "-u", suppress) as entered:
            if error:
                raise error
        return entered
    c.step("use", lambda: use(False))
    c.step("suppressed", lambda: use(True, ValueError("x")) is None or True)

    def passed():
        try:
            use(False, ValueError("x"))
        except ValueError:
            return True
    c.step("passed", passed)
    c.step("log", lambda: [line.replace(c.tag, "TAG") for line in r.events() if c.tag + "-u" in line])

    class Manager:
        def __init__(self, suppress):
            self.suppress, self.log = suppress, []

        def __enter__(self):
            self.log.append("enter")
            return "entered"

        def __exit__(self, kind, value, traceback):
            self.log.append("failed" if value is not None or kind is not None else "exit")
            return self.suppress
    one, two, three = Manager(False), Manager(True), Manager(False)
    c.step("mine", lambda: r.use_ctx(one))
    c.step("mine suppresses", lambda: r.fail_in_ctx(two))
    c.step("mine passes", lambda: r.fail_in_ctx(three))
    c.step("mine log", lambda: [one.log, two.log, three.log])


@scenario
def async_calls(c):
    add, fail = rpyc.async_(c.root.add), rpyc.async_(c.root.fail)
    results = [add(i, 1) for i in range(100)]
    c.step("hundred", lambda: sum(result.value for result in results))
    c.step("error", lambda: fail("value").value)
    def batch():
        sums, failed = [add(i, 1) for i in range(100)], fail("value")
        failed.wait()
        return sum(result.value for result in sums), failed.error
    c.step("batch", batch)
    slow = rpyc.async_(c.root.sleep_echo)(0.2, "slow")
    c.step("slow", lambda: slow.value)


@scenario
def threads(c):
    add = c.root.add
    wrong = []

    def on_one(i):
        for n in range(20):
            if add(i, n) != i + n:
                wrong.append((i, n))

    def on_own(i):
        conn = c.connect()
        if conn.root.add(i, 1) != i + 1 or conn.root.call(lambda x: 2 * x, i) != 2 * i:
            wrong.append(i)
        conn.close()

    def run(count, work):
        running = [threading.Thread(target=work, args=(i,)) for i in range(count)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        return not wrong
    c.step("on one connection", lambda: run(8, on_one))  # the Go client: 50
    c.step("on 200 connections", lambda: run(200, on_own))
    c.step("alive", lambda: c.root.add(1, 2))


@scenario
def timeout(c):
    conn = c.connect(sync_request_timeout=0.1)
    sleep_echo, tracked, add = conn.root.sleep_echo, conn.root.tracked, conn.root.add
    start = time.monotonic()
    c.step("expires", lambda: sleep_echo(1.5, "late"))
    c.step("early", lambda: time.monotonic() - start < 1.2)
    late = rpyc.async_(tracked)(c.tag)
    late.set_expiry(0.01)
    c.step("late reference", lambda: late.value)
    conn._config["sync_request_timeout"] = 30
    c.step("alive", lambda: add(1, 2))
    del late
    c.step("released", lambda: c.logged("final:" + c.tag))


@scenario
def close(c):
    conn = c.connect()
    conn.root.tag(c.tag + "-a")
    start = time.monotonic()
    c.step("close", lambda: conn.close())
    c.step("quick", lambda: time.monotonic() - start < 2)
    c.step("after close", lambda: conn.ping())
    c.step("noticed", lambda: c.logged("disconnect:%s-a" % c.tag))
    for how in ("socket", "close"):
        other = c.connect()
        other.root.tag(c.tag + "-" + how)
        c.step("hang up " + how, lambda: other.root.hang_up(how))
        c.step("after hang up " + how, lambda: other.root.add(1, 2))
        c.step("noticed " + how, lambda: c.logged("disconnect:%s-%s" % (c.tag, how)))
    c.step("alive", lambda: c.root.add(1, 2))


@scenario
def ping(c):
    c.step("ping", lambda: c.conn.ping())
    c.step("ping data", lambda: c.conn.ping("\u00fc" * 5000))


@scenario
def operators(c):
    p, q = c.root.make_point(3, 4), c.root.make_point(3, 5)

    def compare(left, right, op):
        return c.conn.sync_request(consts.HANDLE_CMP, left, right, op)
    for op in ("__eq__", "__ne__", "__lt__", "__gt__", "__le__"):
        c.step(op, lambda: compare(p, q, op))
    c.step("eq same", lambda: compare(p, c.root.make_point(3, 4), "__eq__"))
    c.step("eq number", lambda: compare(p, 5, "__eq__"))
    c.step("hash", lambda: hash(p))
    c.step("hash list", lambda: hash(c.root.get_list()))
    c.step("str", lambda: str(p))
    c.step("repr", lambda: repr(p))
    c.step("dir", lambda: sorted(name for name in dir(p) if name.startswith("exposed_")))
    c.step("doc", lambda: c.root.add.__doc__)
    c.step("len", lambda: len(p))
    c.step("item", lambda: (p[0], p[1]))
    c.step("item 2", lambda: p[2])
    c.step("contains", lambda: 4 in p)
    c.step("add", lambda: repr(p + q))
    c.step("neg", lambda: repr(-p))
    c.step("call", lambda: repr(p(3)))
    c.step("bool", lambda: bool(c.root.make_point(0, 0)))
    c.step("iter", lambda: list(p))
    c.step("class", lambda: c.root.Point)
    c.step("construct", lambda: repr(c.root.Point(5, y=6)))
    c.step("method", lambda: p.norm1())


@scenario
def attributes(c):
    gadget = c.root.make_gadget()
    c.step("value", lambda: gadget.value)
    c.step("hidden", lambda: gadget.hidden)
    c.step("property", lambda: gadget.exposed_counter)
    c.step("bad", lambda: gadget.bad)
    c.step("set denied", lambda: setattr(gadget, "value", 5))
    c.step("delete denied", lambda: delattr(gadget, "value"))
    writable = c.endpoint("rw").root.make_gadget()
    c.step("set", lambda: (setattr(writable, "value", 5), writable.value)[1])
    c.step("delete", lambda: delattr(writable, "value"))
    c.step("deleted", lambda: writable.value)
    c.step("public", lambda: c.endpoint("public").root.make_gadget().plain())
    c.step("root denied", lambda: setattr(c.endpoint("all").root, "answer", 5))


class Guest(rpyc.Service):
    """Is called by a server that calls its client when that connects, and calls it then."""

    def on_connect(self, conn):
        self.sum = conn.root.add(1, 2)

    def exposed_name(self):
        return "anna"

    def exposed_apply(self, f):
        return f() * 10


@scenario
def greeting(c):
    port, guest = c.root.endpoint("greeting"), Guest()
    conn = c.connect(port, guest)
    c.step("sum", lambda: guest.sum)
    c.step("greeted", lambda: c.until(conn.root.greeting))
    c.step("greeting", lambda: conn.root.greeting())
    c.step("refused", lambda: [root.add(1, 2) for root in [c.connect(port).root] for _ in range(10000)])
    c.step("own refusal", lambda: c.connect(port, Refuser()))
    c.step("alive", lambda: conn.root.add(1, 2))


class Refuser(Guest):
    def on_connect(self, conn):
        raise ValueError("refused", conn.root.add(1, 2))


def main():
    host, port, name, tag = sys.argv[1:5]
    client = Client(host, int(port), tag)
    SCENARIOS[name](client)
    client.conn.close()
    print(json.dumps({"step": "done"}), flush=True)


if __name__ == "__main__":
    main()
