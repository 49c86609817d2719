#!/usr/bin/env python3
"""Serves objects of every kind from CPython, for the rows of the table in package netref's documentation.

    objects_server.py [--host HOST] [--port PORT] [--config default|public|all]

Prints ``READY host port`` and serves until stdin reaches its end. ``root.new(name)`` makes a fresh one of ``MAKERS``.
"""
import argparse
import collections
import datetime
import decimal
import enum
import fractions
import io
import ipaddress
import logging
import os
import sys

CONFIGS = {
    "default": {},
    "public": {"allow_public_attrs": True, "allow_setattr": True, "allow_delattr": True},
    "all": {"allow_all_attrs": True, "allow_setattr": True, "allow_delattr": True, "allow_pickle": True},
}


class Trouble(Exception):
    """An error with attributes."""


class Thing:
    """A thing."""

    kind = "thing"

    def __init__(self):
        self.name = "lamp"
        self.size = 3
        self.part = Part("bulb")
        self.log = []

    def add(self, a, b):
        return a + b

    def greet(self, name, greeting="Hello", punct="!"):
        return greeting + ", " + name + punct

    def total(self, *numbers):
        return sum(numbers)

    def shape(self, *args, **kwargs):
        return args, tuple(sorted(kwargs.items()))

    def pair(self):
        return "a", 1

    def none(self):
        return None

    def touch(self):
        self.log.append("touched")

    def apply(self, f, x):
        return f(x)

    def each(self, items):
        return [item for item in items]

    def look(self, other):
        return other.name, other.double(4)

    def copy(self, source, target):
        while True:
            block = source.read(7)
            if not block:
                break
            target.write(block)

    def same(self, other):
        return other is self

    def fail(self):
        error = Trouble("it broke", 7)
        error.code = 42
        raise error

    def chain(self):
        try:
            {}["inner"]
        except KeyError as inner:
            raise ValueError("outer") from inner

    def missing(self):
        raise KeyError("nothing")

    def __call__(self, x, by=2):
        return x * by

    def __len__(self):
        return self.size

    def __bool__(self):
        return self.size > 0

    def __contains__(self, item):
        return item in self.name

    def __int__(self):
        return self.size

    def __index__(self):
        return self.size

    def __float__(self):
        return self.size + 0.5

    def __complex__(self):
        return complex(self.size, 1)

    def __bytes__(self):
        return b"lamp"

    def __str__(self):
        return "<lamp>"

    def __repr__(self):
        return "Thing('lamp')"

    def __format__(self, spec):
        return "%s|lamp" % spec

    def __hash__(self):
        return 1234


class Part:
    def __init__(self, label):
        self.label = label

    def turn(self, times):
        return self.label * times


class Vector:
    """Numbers that know most operators."""

    def __init__(self, *n):
        self.n = n

    def _with(self, op, other):
        if isinstance(other, int):
            other = Vector(*[other] * len(self.n))
        if not isinstance(other, Vector):
            return NotImplemented
        return Vector(*[op(a, b) for a, b in zip(self.n, other.n)])

    def __repr__(self):
        return "Vector%r" % (self.n,)

    def __eq__(self, other):
        return self.n == other.n if isinstance(other, Vector) else NotImplemented

    def __lt__(self, other):
        return self.n < other.n if isinstance(other, Vector) else NotImplemented

    __hash__ = None

    def __add__(self, other):
        return self._with(lambda a, b: a + b, other)

    def __radd__(self, other):
        return self._with(lambda a, b: b + a, other)

    def __iadd__(self, other):
        result = self + other
        if result is not NotImplemented:
            self.n = result.n
            return self
        return result

    def __sub__(self, other):
        return self._with(lambda a, b: a - b, other)

    def __rsub__(self, other):
        return self._with(lambda a, b: b - a, other)

    def __mul__(self, other):
        return self._with(lambda a, b: a * b, other)

    __rmul__ = __mul__

    def __truediv__(self, other):
        return self._with(lambda a, b: a / b, other)

    def __floordiv__(self, other):
        return self._with(lambda a, b: a // b, other)

    def __mod__(self, other):
        return self._with(lambda a, b: a % b, other)

    def __divmod__(self, other):
        return self // other, self % other

    def __pow__(self, other):
        return self._with(lambda a, b: a ** b, other)

    def __rpow__(self, other):
        return self._with(lambda a, b: b ** a, other)

    def __matmul__(self, other):
        return sum(a * b for a, b in zip(self.n, other.n))

    def __lshift__(self, other):
        return self._with(lambda a, b: a << b, other)

    def __rshift__(self, other):
        return self._with(lambda a, b: a >> b, other)

    def __and__(self, other):
        return self._with(lambda a, b: a & b, other)

    def __or__(self, other):
        return self._with(lambda a, b: a | b, other)

    def __xor__(self, other):
        return self._with(lambda a, b: a ^ b, other)

    def __neg__(self):
        return Vector(*[-a for a in self.n])

    def __pos__(self):
        return self

    def __invert__(self):
        return Vector(*[~a for a in self.n])

    def __abs__(self):
        return sum(a * a for a in self.n)


class Special(Vector):
    """A subclass."""


class Manager:
    def __init__(self, suppress=False):
        self.suppress = suppress
        self.log = []

    def __enter__(self):
        self.log.append("enter")
        return "inside"

    def __exit__(self, exc_type, exc, traceback):
        self.log.append("clean" if exc_type is None else "failed")
        return self.suppress

    def events(self):
        return tuple(self.log)


class Colour(enum.IntEnum):
    RED = 1
    BLUE = 5


Row = collections.namedtuple("Row", "name price")


def countdown(n):
    while n:
        yield n
        n -= 1


def text_file():
    return io.TextIOWrapper(io.BytesIO("grüße\n".encode("utf-8") * 3), "utf-8")


MAKERS = {
    "o": Thing,
    "f": Thing,
    "p": Thing,
    "v": lambda: Vector(7, 2),
    "w": lambda: Vector(3, 5),
    "special": lambda: Special(1, 2),
    "cls": lambda: Vector,
    "other_cls": lambda: Manager,
    "l": lambda: [1, 2, 3, 4],
    "empty": list,
    "d": lambda: {"b": 2, "a": 1},
    "big": lambda: {i: str(i) for i in range(300)},
    "s": lambda: {1, 2, 3},
    "fs": lambda: frozenset([Colour.RED]),
    "g": lambda: countdown(4),
    "m": Manager,
    "lenient": lambda: Manager(True),
    "rows": lambda: [[1, 2], [], [3]],
    "orders": lambda: [{"name": "apple", "price": 1.5, "tags": ["red", "ripe"]},
                       {"name": "pear", "price": 2, "tags": []}],
    "bad": lambda: [{"price": 1}, {"price": 2.5}, {"price": 3}, {"price": "cheap"}],
    "prices": lambda: collections.OrderedDict([("pear", 2.5), ("apple", 1.0)]),
    "named": lambda: [Row("apple", 1.5), Row("pear", 2.5)],
    "deep": lambda: {"list": [1, [2, (3, [4])]], "set": {5}, (1, 2): {"x": None}, "bytes": bytearray(b"ab")},
    "when": lambda: datetime.datetime(2024, 2, 29, 13, 14, 15, 678901),
    "there": lambda: datetime.datetime(2024, 2, 29, 13, 14, 15,
                                       tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=30))),
    "day": lambda: datetime.date(2024, 2, 29),
    "long": lambda: datetime.timedelta(days=400, seconds=5, microseconds=7),
    "back": lambda: datetime.timedelta(seconds=-1),
    "whens": lambda: [datetime.datetime(2020, 1, n, tzinfo=datetime.timezone.utc) for n in (1, 2, 3)],
    "colour": lambda: Colour.BLUE,
    "amount": lambda: decimal.Decimal("1.25"),
    "third": lambda: fractions.Fraction(1, 4),
    "address": lambda: ipaddress.ip_address("192.0.2.7"),
    "array": lambda: bytearray(b"\x00\x01\xff"),
    "binary": lambda: io.BytesIO(bytes(range(256)) * 40),
    "text": text_file,
    "sink": io.BytesIO,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--config", choices=sorted(CONFIGS), default="all")
    options = parser.parse_args()

    logging.basicConfig(level=logging.CRITICAL)
    import rpyc
    from rpyc.utils.server import ThreadedServer

    class ObjectsService(rpyc.Service):
        def exposed_new(self, name):
            return MAKERS[name]()

        def exposed_get(self, o, name):
            return getattr(o, name)

    server = ThreadedServer(ObjectsService, hostname=options.host, port=options.port,
                            protocol_config=CONFIGS[options.config])
    server._start_in_thread()  # returns once the socket listens
    print("READY", options.host, server.port, flush=True)
    sys.stdin.read()
    os._exit(0)  # connections still open must not keep the process


if __name__ == "__main__":
    main()
