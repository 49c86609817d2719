"""The service measured, on CPython's rpyc; Bench in gorpyc.go exposes the same names.

Prints a JSON line {"host", "port", "pid"} and ends when its stdin does.
"""
import json
import logging
import os
import random
import threading

import rpyc
from rpyc.utils.server import ThreadedServer

SOURCES = {}


def random_bytes(size):
    if size not in SOURCES:
        SOURCES[size] = random.Random(size).randbytes(size)
    return SOURCES[size]


class Thing:
    def __init__(self, value):
        self.value = value

    def exposed_get(self):
        return self.value


class Pair:
    exposed_name = "name"
    exposed_start = 3


class Bench(rpyc.Service):
    exposed_answer = 42

    def exposed_add(self, a, b):
        return a + b

    def exposed_echo(self, x):
        return x

    def exposed_sink(self, data):
        return len(data)

    def exposed_source(self, size, kind):
        return random_bytes(size)

    def exposed_thing(self, value):
        return Thing(value)

    def exposed_callback(self, function, times):
        return sum(function(i, 1) for i in range(times))

    def exposed_pair(self):
        return Pair()

    def exposed_dicts(self, n):
        return [{"a": i, "b": 2 * i} for i in range(n)]

    def exposed_fail(self, text):
        raise ValueError(text)


def end_with_stdin():
    while os.read(0, 4096):
        pass
    os._exit(0)


def main():
    logging.disable(logging.CRITICAL)
    server = ThreadedServer(Bench, hostname="127.0.0.1", port=0)
    server._listen()  # so that clients may come once the line is out
    threading.Thread(target=end_with_stdin, daemon=True).start()
    print(json.dumps({"host": server.host, "port": server.port, "pid": os.getpid()}), flush=True)
    server.start()


if __name__ == "__main__":
    main()
