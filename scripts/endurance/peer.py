"""The server and the clients of serve.go and load.go on CPython's rpyc.

    peer.py serve [--listen HOST:PORT]
    peer.py load --addr HOST:PORT --clients N --seconds N --seed N [--steady]
"""
import argparse
import json
import logging
import random
import sys
import threading
import time
import traceback

import rpyc
from rpyc.utils.server import ThreadedServer

CONFIG = {"sync_request_timeout": 3}


class Service(rpyc.Service):
    def exposed_echo(self, x):
        return x

    def exposed_triple(self, n):
        return 3 * n

    def exposed_apply(self, f, x):
        return f(x)

    def exposed_fail(self, word):
        raise ValueError(word)

    def exposed_slow(self, ms, n):
        time.sleep(ms / 1000)
        return n

    def exposed_numbers(self, n):
        return list(range(n))


def serve(options):
    logging.disable(logging.CRITICAL)
    host, _, port = options.listen.rpartition(":")
    server = ThreadedServer(Service, hostname=host, port=int(port), protocol_config=dict(CONFIG))
    threading.Thread(target=lambda: (sys.stdin.read(), server.close()), daemon=True).start()
    print(server.port, flush=True)
    server.start()


class Tally:
    def __init__(self):
        self.lock, self.calls, self.ends, self.faults, self.times = threading.Lock(), 0, {}, [], []

    def end(self, kind, took):
        with self.lock:
            self.calls += 1
            self.ends[kind] = self.ends.get(kind, 0) + 1
            if kind == "result":
                self.times.append(took * 1000)

    def fault(self, text):
        with self.lock:
            self.faults.append(text[:2000])


def kind_of(error):
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, EOFError):
        return "closed"
    return "network" if isinstance(error, OSError) else ""


def apply(root, n, rand):
    assert root.apply(lambda x: x + n, 7) == n + 7


def text(root, n, rand):
    sent = ("%d " % n) * (1 + (1 << rand.randrange(15)))
    assert root.echo(sent) == sent


def fails(root, n, rand):
    try:
        root.fail("word%d" % n)
    except ValueError as e:
        assert str(e.args[0]) == "word%d" % n, e.args
    else:
        raise AssertionError("no exception")


def several(root, n, rand):
    triple = rpyc.async_(root.triple)
    results = [triple(n + i) for i in range(8)]
    for i, r in enumerate(results):
        r.set_expiry(3)
        assert r.value == 3 * (n + i)


def numbers(root, n, rand):
    assert list(root.numbers(n % 50)) == list(range(n % 50))


def triple(root, n, rand):
    assert root.triple(n) == 3 * n


def client(options, number, tally, until):
    rand = random.Random("%d-%d" % (options.seed, number))
    host, _, port = options.addr.rpartition(":")
    while time.time() < until:
        began = time.time()
        try:
            conn = rpyc.connect(host, int(port), config=dict(CONFIG))
        except Exception as e:
            tally.end("dial: " + kind_of(e), time.time() - began)
            if not kind_of(e) or options.steady:
                tally.fault("dial: %r" % e)
            time.sleep(.02)
            continue
        left = rand.randrange(1, 60)
        while (left > 0 or options.steady) and time.time() < until and not conn.closed:
            left -= 1
            op = rand.choice([triple, triple, triple, text, apply, fails, several, numbers])
            began = time.time()
            try:
                op(conn.root, rand.randrange(1 << 30), rand)
                kind = "result"
            except AssertionError as e:
                kind = "wrong"
                tally.fault("%s: %r" % (op.__name__, e))
            except Exception as e:
                kind = kind_of(e)
                if not kind or options.steady:
                    tally.fault("%s: %s" % (op.__name__, traceback.format_exc()))
            tally.end(kind, time.time() - began)
            if options.steady:
                time.sleep(rand.random() / 5)
        try:
            conn.close()
        except Exception:
            pass  # RPyC's close fails on a broken connection


def load(options):
    tally, until = Tally(), time.time() + options.seconds
    threads = [threading.Thread(target=client, args=(options, i, tally, until), daemon=True)
               for i in range(options.clients)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(max(until + 60 - time.time(), 0))
    if any(t.is_alive() for t in threads):
        tally.fault("a client has not ended a minute after its time")
    print(json.dumps({"Calls": tally.calls, "Ends": tally.ends, "Faults": tally.faults, "Times": tally.times}),
          flush=True)


parser = argparse.ArgumentParser()
parser.add_argument("command", choices=["serve", "load"])
parser.add_argument("--listen", default="127.0.0.1:0")
parser.add_argument("--addr", default="")
parser.add_argument("--clients", type=int, default=4)
parser.add_argument("--seconds", type=float, default=5)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--steady", action="store_true")
options = parser.parse_args()
{"serve": serve, "load": load}[options.command](options)
