"""Passes objects of Python's to the Go service of python_test.go: arguments.py PORT."""
import collections
import datetime
import decimal
import enum
import fractions
import io
import ipaddress
import os
import sys
import tempfile

import rpyc


class Level(enum.IntEnum):
    HIGH = 7


class Person:
    name = "Ann"


conn = rpyc.connect("127.0.0.1", int(sys.argv[1]), config={"allow_public_attrs": True})
root = conn.root

assert root.reader(io.BytesIO(b"bytes" * 1000)) == "bytes" * 1000
assert root.reader(io.StringIO(u"gr\u00fc\u00dfe" * 1000)) == u"gr\u00fc\u00dfe" * 1000
with tempfile.TemporaryDirectory() as directory:
    for mode in ("b", ""):
        path = os.path.join(directory, "file" + mode)
        file = open(path, "w" + mode, **({} if mode else {"encoding": "utf-8"}))
        root.writer(file, u"written \u00e9")
        assert file.closed
        with open(path, "r" + mode, **({} if mode else {"encoding": "utf-8"})) as file:
            assert root.reader(file) == u"written \u00e9"
        with open(path, "rb") as file:
            assert root.tail(file, 2) == u"\u00e9"

zone = datetime.timezone(datetime.timedelta(hours=-3, minutes=-30))
assert root.time(datetime.datetime(2024, 2, 29, 1, 2, 3, 450, tzinfo=zone)) == "2024-02-29T01:02:03.00045-03:30"
assert root.time(datetime.date(2024, 2, 29)) == "2024-02-29T00:00:00Z"
assert root.times([datetime.datetime(2024, 1, day) for day in range(1, 32)]) == 31
for delta in (datetime.timedelta(0), datetime.timedelta(days=-1, microseconds=1), datetime.timedelta(days=36500, hours=25),
              datetime.timedelta(milliseconds=-1500)):
    assert root.duration(delta) == delta // datetime.timedelta(microseconds=1), delta
assert root.int(Level.HIGH) == 7
assert root.float(decimal.Decimal("1.25")) == 1.25
assert root.float(fractions.Fraction(1, 4)) == 0.25
assert root.rat(fractions.Fraction(1, 3)) == "1/3"
assert root.rat(decimal.Decimal("0.1")) == "1/10"
assert root.addr(ipaddress.ip_address("2001:db8::1")) == "2001:db8::1"
assert root.bytes(bytearray(b"\x00\xff")) == b"\x00\xff"
assert root.set({"a", "b"}) == 2
assert root.matrix([[1, 2], (3, 4.5)]) == 5.5
assert root.keys({("a", "b"): 3}) == 3
assert root.person(Person(), 1) == "Ann"
conn._config["allow_public_attrs"] = False
assert root.person(collections.namedtuple("Names", "name")("Bea"), 1) == "Bea"  # by position
conn._config["allow_public_attrs"] = True
assert root.person(type("Table", (dict,), {})(name="Cy"), 1) == "Cy"
assert root.bytes(memoryview(b"ab")) == b"ab"
person = Person()
assert root.same(person, person) and not root.same(person, Person())
assert root.same(root.list(), root.list()) and not root.same(root.list(), person)
assert not root.same(root.list(), root.list)
assert root.nested({"rows": [{"a": [1, 2]}, {}]}) == "2"

for call in (lambda: root.int(1.5), lambda: root.int(decimal.Decimal("1")), lambda: root.float(Person()), lambda: root.time(Person()),
             lambda: root.duration(datetime.datetime(2024, 1, 1)), lambda: root.time("yesterday"), lambda: root.reader(5),
             lambda: root.duration(datetime.timedelta.max), lambda: root.addr(Person())):
    try:
        call()
    except (TypeError, ValueError, OverflowError) as error:
        assert "argument" in str(error), error
    else:
        raise AssertionError("accepted")

try:
    root.reader(Person())
except AttributeError as error:
    assert "read" in str(error), error
else:
    raise AssertionError("accepted")
conn.close()
