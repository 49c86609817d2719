"""Writes pickles of many values with the Python that runs it, and says what they are.

    python record.py > pickles-3.13.jsonl

Each line has a name, the pickles of all protocols in base64, and the value as describe() puts it; the Go test describes what it
has read in the same way. Runs on CPython 2.7 and 3.6 to 3.13.
"""
from __future__ import print_function

import base64
import collections
import datetime
import decimal
import fractions
import json
import pickle
import struct
import sys
import uuid

PY2 = sys.version_info[0] == 2
if PY2:
    text, integer, Range = unicode, (int, long), xrange  # noqa: F821
else:
    text, integer, Range = str, int, range
    import enum
    import types


class Plain(object):
    def __init__(self, x, y):
        self.x, self.y = x, y


class Outer(object):
    class Inner(object):
        def __init__(self):
            self.deep = True


class Slots(object):
    __slots__ = ("a", "b")

    def __init__(self, a, b):
        self.a, self.b = a, b

    def __getstate__(self):
        return None, {"a": self.a, "b": self.b}

    def __setstate__(self, state):
        self.a, self.b = state[1]["a"], state[1]["b"]


class ListLike(list):
    pass


class DictLike(dict):
    pass


class Custom(object):
    def __reduce__(self):
        return Custom, (1, "two")


class Old:
    def __init__(self):
        self.color = "red"


Pair = collections.namedtuple("Pair", "left right")
shared = [1, 2]
ring = [1]
ring.append(ring)
ring_dict = {}
ring_dict["self"] = ring_dict

VALUES = [
    ("none", None), ("true", True), ("false", False), ("zero", 0), ("small", 5), ("byte", 255), ("short", 65535),
    ("negative", -1), ("int32", 2**31 - 1), ("int32 low", -2**31), ("above int32", 2**31), ("int64", 2**63 - 1),
    ("int64 low", -2**63), ("above int64", 2**63), ("big", 2**100), ("big negative", -2**100), ("huge", 3**5000),
    ("float", 1.5), ("float zero", -0.0), ("float big", 1e308), ("inf", float("inf")), ("nan", float("nan")), ("pi", 3.141592653589793),
    ("complex", complex(1.5, -2)),
    ("text", u"hello"), ("text empty", u""), ("text latin", u"na\xefve"), ("text wide", u"\u20ac \U0001f600"),
    ("text odd", u"a\\u0041\n'\"\r\x00"), ("text long", u"x\u20ac" * 80), ("text surrogate", u"a\udc80b"),
    ("bytes", b"abc"), ("bytes empty", b""), ("bytes all", bytes(bytearray(range(256)))), ("bytes long", b"\xff\x00" * 150),
    ("bytearray", bytearray(b"a\xffb")), ("bytearray empty", bytearray()),
    ("list", [1, u"a", None]), ("list empty", []), ("list long", list(range(1050))), ("list nested", [[1, [2, [3]]], []]),
    ("tuple empty", ()), ("tuple1", (1,)), ("tuple2", (1, 2)), ("tuple3", (1, 2, 3)), ("tuple4", (1, 2, 3, 4)),
    ("dict", {u"a": 1}), ("dict empty", {}), ("dict keys", {1: u"int", (1, 2): u"tuple", None: u"none", 2.5: u"float"}),
    ("dict long", dict((i, i * i) for i in range(1050))),
    ("set", {1, 2, u"three"}), ("set empty", set()), ("frozenset", frozenset([1, (2, 3)])), ("set nested", {frozenset([1]), frozenset()}),
    ("set of bytes", {b"\xff", b"\xfe"}),
    ("range", Range(1, 10, 3)), ("slice", slice(1, None, 2)), ("shared", [shared, shared]), ("ring", ring), ("ring dict", ring_dict),
    ("ellipsis", Ellipsis), ("not implemented", NotImplemented), ("class", collections.OrderedDict), ("builtin class", int),
    ("function", len),
    ("datetime", datetime.datetime(2024, 2, 29, 23, 59, 58, 123456)), ("date", datetime.date(1999, 12, 31)),
    ("time", datetime.time(1, 2, 3, 4)), ("timedelta", datetime.timedelta(-1, 5, 7)), ("timedelta huge", datetime.timedelta(999999999)),
    ("decimal", decimal.Decimal("1.10")), ("decimal inf", decimal.Decimal("-Infinity")), ("fraction", fractions.Fraction(-1, 3)),
    ("uuid", uuid.UUID("12345678-1234-5678-1234-567812345678")),
    ("ordered", collections.OrderedDict([(u"z", 1), (u"a", 2)])), ("defaultdict", collections.defaultdict(list, {u"k": [1]})),
    ("counter", collections.Counter(u"aab")), ("deque", collections.deque([1, 2, 3], 5)),
    ("exception", ValueError(u"bad", 3)), ("oserror", OSError(9999, u"odd")),
    ("plain object", Plain(1, [u"y"])), ("slots", Slots(1, u"b")), ("list subclass", ListLike([1, 2])), ("dict subclass", DictLike(a=1)),
    ("custom reduce", Custom.__new__(Custom)), ("namedtuple", Pair(1, u"r")), ("old class", Old()),
]
if not PY2:
    utc, cet = datetime.timezone.utc, datetime.timezone(datetime.timedelta(hours=1))

    class Color(enum.Enum):
        RED = 1

    class Level(enum.IntEnum):
        LOW = 1

    VALUES += [
        ("aware", datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=utc)), ("aware offset", datetime.datetime(2024, 5, 6, 7, 8, 9, 10, cet)),
        ("aware time", datetime.time(1, 2, 3, 0, cet)), ("timezone", cet), ("enum", Color.RED), ("intenum", Level.LOW),
        ("enum key", {Color.RED: 1}), ("nested class", Outer.Inner), ("object of a nested class", Outer.Inner()), ("namespace", types.SimpleNamespace(a=1, b=u"x")),
    ]


def real(x):
    if x != x:
        return "nan"
    return struct.pack(">d", x).hex() if not PY2 else struct.pack(">d", x).encode("hex")


def hexed(b):
    return base64.b16encode(bytes(b)).decode().lower()


def dotted(c):
    module = {"__builtin__": "builtins", "exceptions": "builtins"}.get(c.__module__, c.__module__)
    return module + "." + getattr(c, "__qualname__", c.__name__)


def zone(t):
    return None if t.utcoffset() is None else int(t.utcoffset().total_seconds())


def members(v):
    return sorted((describe(x) for x in v), key=lambda d: json.dumps(d, sort_keys=True))


def describe(v, above=()):
    if id(v) in above:
        return {"ring": len(above) - above.index(id(v))}
    below = above + (id(v),)

    def all(items):
        return [describe(x, below) for x in items]

    def pairs(d):
        return [[describe(k), describe(x, below)] for k, x in d.items()]

    t = type(v)
    if v is None or v is Ellipsis or v is NotImplemented:
        return {"is": repr(v)}
    if t is bool:
        return {"bool": v}
    if isinstance(v, integer) and t in (int, integer if not PY2 else integer[1]):
        return {"int": hex(v).replace("L", "")}
    if t is float:
        return {"float": real(v)}
    if t is complex:
        return {"complex": [real(v.real), real(v.imag)]}
    if PY2 and t is str:
        try:
            return {"text": hexed(v.decode("ascii"))}
        except UnicodeDecodeError:
            return {"bytes": hexed(v)}
    if t is text:
        return {"text": hexed(v.encode("utf-8") if PY2 else v.encode("utf-8", "surrogatepass"))}
    if t is bytes or t is bytearray:
        return {t.__name__: hexed(v)}
    if t is tuple or t is list:
        return {t.__name__: all(v)}
    if t is set or t is frozenset:
        return {t.__name__: members(v)}
    if t is dict:
        return {"dict": pairs(v)}
    if t in (collections.OrderedDict, collections.defaultdict, collections.Counter):
        return {"dict": pairs(v), "class": dotted(t)}
    if t is collections.deque:
        return {"list": all(v)}
    if t is slice:
        return {"slice": all([v.start, v.stop, v.step])}
    if t is Range:
        return {"range": all(v.__reduce__()[1])}
    if t is datetime.datetime:
        return {"datetime": [v.year, v.month, v.day, v.hour, v.minute, v.second, v.microsecond, zone(v)]}
    if t is datetime.date:
        return {"date": [v.year, v.month, v.day]}
    if t is datetime.time:
        return {"time": [v.hour, v.minute, v.second, v.microsecond, zone(v)]}
    if t is datetime.timedelta and abs(v.days) < 100000:
        return {"timedelta": int(v.total_seconds() * 1e6 if PY2 else v // datetime.timedelta(microseconds=1))}
    if not PY2 and t is datetime.timezone:
        return {"timezone": zone(datetime.datetime(2000, 1, 1, tzinfo=v))}
    if t is decimal.Decimal:
        return {"decimal": str(v)}
    if t is fractions.Fraction:
        return {"fraction": [hex(v.numerator).replace("L", ""), hex(v.denominator).replace("L", "")]}
    if t is uuid.UUID:
        return {"uuid": str(v)}
    if isinstance(v, type) or v is len:
        return {"class": "builtins.len" if v is len else dotted(v)}
    cls = v.__class__ if PY2 else t
    d = {"object": dotted(cls)}
    state = {"a": v.a, "b": v.b} if t is Slots else getattr(v, "__dict__", None)
    if not PY2 and isinstance(v, enum.Enum):
        if v.__reduce_ex__(2)[0] is getattr:  # CPython 3.11.0 to 3.11.3 pickle members by name
            return {"class": "%s.%s" % (dotted(cls), v.name)}
        d["args"], state = all([v.value]), None
    elif isinstance(v, BaseException):
        d["args"] = all(v.args)
    elif t is datetime.timedelta:
        d["args"] = all([v.days, v.seconds, v.microseconds])
    elif t is Custom:
        d["args"] = all([1, u"two" if not PY2 else "two"])
    elif t is Pair:
        d["args"], state = all(v), None
    if state:
        d["state"] = pairs(state)
    if t is ListLike:
        d["items"] = all(v)
    if t is DictLike:
        d["pairs"] = pairs(v)
    return d


def main():
    for name, value in VALUES:
        pickles = {}
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            try:
                pickles[protocol] = base64.b64encode(pickle.dumps(value, protocol)).decode()
            except Exception as e:
                print(name, protocol, e, file=sys.stderr)
        print(json.dumps({"name": name, "pickles": pickles, "value": describe(value)}, sort_keys=True))


if __name__ == "__main__":
    main()
