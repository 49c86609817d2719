#!/usr/bin/env python3
"""What a Python client does to remote objects, one row at a time, and what comes of it: the expected values of
test_objects.py.

    objects_rows.py HOST PORT

connects to objects_server.py and prints a JSON object per row, {"row": LINE, "value": V} or {"row": LINE, "error":
CLASS}. The rows are (line, program, result): the line is what the table in package netref's documentation shows, the
program what is executed (nothing means the line), the result an expression. Every name of the server's that is used is
a fresh object. peers/objects does the same in Go.
"""
import copy
import datetime
import io
import ipaddress
import json
import operator
import re
import struct
import sys

import rpyc
from rpyc.utils.classic import obtain

ROWS = [
    # attributes
    ("x = o.name", "", "x"),
    ("x = o.part.label", "", "x"),
    ('o.name = "desk"', "", "o.name"),
    ("del o.size", "o.size = 5; del o.size", "hasattr(o, 'size')"),
    ('x = getattr(o, "nothing", 0)', "", "x"),
    ('x = getattr(o, "size", 0)', "", "x"),
    ('x = hasattr(o, "name")', "", "x"),
    ('x = hasattr(o, "nothing")', "", "x"),
    ("x = dir(o)", "", "[name for name in x if not name.startswith('_')]"),
    ("x = o.__doc__", "", "x"),
    ("x = o.nothing", "", "x"),
    # calls
    ("x = o.add(1, 2)", "", "x"),
    ("x = o.add(1, 'a')", "", "x"),
    ("add = o.add", "", "add(1, 2)"),
    ('x = o.greet("Ann", punct="?")', "", "x"),
    ("x = o.total(*numbers)", "numbers = [1, 2, 3]; x = o.total(*numbers)", "x"),
    ("x = o.shape(**options)", "options = dict(depth=2, width=1.5); x = o.shape(**options)", "x"),
    ("x = f(3, by=4)", "", "x"),
    ("a, b = o.pair()", "", "(a, b)"),
    ("o.touch()", "", "o.log"),
    ("x = o.none()", "", "x"),
    # items
    ("x = l[0]", "", "x"),
    ("x = l[-1]", "", "x"),
    ("x = l[9]", "", "x"),
    ("l[0] = 9", "", "l"),
    ("del l[0]", "", "l"),
    ("x = l[1:3]", "", "x"),
    ("x = l[::-1]", "", "x"),
    ("l[0:2] = [7]", "", "l"),
    ("del l[1:]", "", "l"),
    ('x = d["a"]', "", "x"),
    ('x = d["zz"]', "", "x"),
    ("x = 2 in l", "", "x"),
    ("x = 7 in l", "", "x"),
    ("x = len(l)", "", "x"),
    # what an object is
    ("x = bool(o)", "", "x"),
    ("x = bool(empty)", "", "x"),
    ("x = bool(m)", "", "x"),
    ("x = int(o)", "", "x"),
    ("x = float(o)", "", "x"),
    ("x = complex(o)", "", "x"),
    ("x = operator.index(o)", "", "x"),
    ("x = bytes(o)", "", "x"),
    ("x = bytes(list(array))", "", "x"),
    ("x = str(o)", "", "x"),
    ("x = repr(o)", "", "x"),
    ('x = format(o, ">9")', "", "x"),
    ("x = hash(o)", "", "x"),
    ("x = hash(l)", "", "x"),
    ("x = o.__class__", "x = o.__class__; x = root.get(o, '__class__')", "x.__name__"),
    ("x = isinstance(v, cls)", "", "x"),
    ("x = isinstance(v, other_cls)", "", "x"),
    ("x = isinstance(l, list)", "", "x"),
    ("x = len(m)", "", "x"),
    ("x = m[0]", "", "x"),
    ("x = int(m)", "", "x"),
    ("x = operator.index(m)", "", "x"),
    ("x = list(iter(m))", "", "x"),
    # an AttributeError before Python 3.11
    ("with o:", "x = False\ntry:\n    with o:\n        pass\nexcept (AttributeError, TypeError):\n    x = True", "x"),
    # comparison
    ("x = o is p", "", "x"),
    ("x = o.same(o)", "", "x"),
    ("x = v == w", "", "x"),
    ("x = v == v", "", "x"),
    ("x = v == 5", "", "x"),
    ("x = v != w", "", "x"),
    ("x = v < w", "", "x"),
    ("x = v > w", "", "x"),
    ("x = v < 5", "", "x"),
    ("x = v <= w", "", "x"),
    # operators
    ("x = v + w", "", "repr(x)"),
    ("x = 10 - v", "", "repr(x)"),
    ("x = v * 3", "", "repr(x)"),
    ("x = 3 * v", "", "repr(x)"),
    ("x = v / 2", "", "repr(x)"),
    ("x = 2 / v", "", "x"),
    ("x = v // w", "", "repr(x)"),
    ("x = v % w", "", "repr(x)"),
    ("x = v ** 2", "", "repr(x)"),
    ("x = 2 ** v", "", "repr(x)"),
    ("x = v @ w", "", "x"),
    ("x = v << w", "", "repr(x)"),
    ("x = v >> 1", "", "repr(x)"),
    ("x = v & w", "", "repr(x)"),
    ("x = v | w", "", "repr(x)"),
    ("x = v ^ w", "", "repr(x)"),
    ("x = divmod(v, 2)", "", "[repr(part) for part in x]"),
    ("x = -v", "", "repr(x)"),
    ("x = +v", "", "repr(x)"),
    ("x = ~v", "", "repr(x)"),
    ("x = abs(v)", "", "x"),
    ("x = -o", "", "x"),
    ("v += w", "before = v; v += w", "repr(v), v is before"),
    ("v -= 1", "before = v; v -= 1", "repr(v), v is before"),
    ('x = v + "a"', "", "x"),
    ("x = o + v", "", "x"),
    ("x = l + [5]", "", "x"),
    # iteration
    ("for x in g:", "xs = []\nfor x in g:\n    xs.append(x)", "xs"),
    ("for x in rpyc.buffiter(l):", "xs = []\nfor x in rpyc.buffiter(l):\n    xs.append(x)", "xs"),
    ("x = next(g)", "", "(x, next(g))"),
    ("x = list(l)", "", "x"),
    ("x = dict(d)", "", "x"),
    ("for k, v in d.items():", "pairs = []\nfor k, v in d.items():\n    pairs.append((k, v))", "pairs"),
    ("x = dict(big)", "", "x"),
    ("x = list(d.items())", "", "x"),
    ("x = list(prices.items())", "", "x"),
    ("x = set(s)", "", "x"),
    ("x = obtain(deep)", "", "x"),
    ("x = [list(row) for row in rows]", "", "x"),
    # with
    ("with m as x:", "with m as x:\n    pass", "(x, m.events())"),
    ("with lenient:", "with lenient:\n    raise ValueError('x')", "lenient.events()"),
    ("with m: raise", "try:\n    with m:\n        raise ValueError('x')\nexcept ValueError:\n    failed = True",
     "failed, m.events()"),
    # asynchronous
    ("r = rpyc.async_(o.add)(1, 2)", "", "r.value"),
    ("x = r.value", "r = rpyc.async_(o.add)(1, 2); x = r.value", "x"),
    ("x = r.ready", "r = rpyc.async_(o.add)(1, 2); r.wait(); x = r.ready", "x"),
    ("rs = [add(i, 1) for i in range(9)]", "add = rpyc.async_(o.add); rs = [add(i, 1) for i in range(9)]",
     "[r.value for r in rs]"),
    ("xs = [r.value for r in rs]",
     "add = rpyc.async_(o.add); rs = [add(i, 2) for i in range(4)]; xs = [r.value for r in rs]", "xs"),
    ("r = rpyc.timed(o.add, 5)(1, 2)", "", "r.value"),
    # exceptions
    ("except KeyError as e:", "try:\n    o.missing()\nexcept KeyError as e:\n    x = e.args", "x"),
    ("x = e.args", "try:\n    o.fail()\nexcept Exception as e:\n    x = e.args", "x"),
    ("x = e.code", "try:\n    o.fail()\nexcept Exception as e:\n    x = e.code", "x"),
    ("x = e._remote_tb", "try:\n    o.chain()\nexcept ValueError as e:\n    x = e._remote_tb",
     "[word in x for word in ('in chain', 'KeyError', 'direct cause', 'ValueError: outer')]"),
    # objects of ours
    ("x = o.apply(lambda n: n * 2, 21)", "", "x"),
    ("x = o.each(n * n for n in range(4))", "", "x"),
    ("x = o.each([1, 2])", "", "x"),
    ("x = o.look(Mine())", "", "x"),
    ("x = o.each(iter([3, 4]))", "", "x"),
    # conversions
    ("when", "", "utc(when)"),
    ("there", "", "utc(there)"),
    ("day", "", "str(day)"),
    ("long", "", "micro(obtain(long))"),
    ("back", "", "micro(obtain(back))"),
    ("whens", "", "[utc(one) for one in whens]"),
    ("colour", "", "int(colour)"),
    ("amount", "", "float(amount)"),
    ("amount text", "pass", "str(amount)"),
    ("third", "", "str(third)"),
    ("address", "", "str(address)"),
    ("array", "", "bytes(list(array))"),
    ("orders", "", "[(one['name'], float(one['price']), list(one['tags']), None) for one in orders]"),
    ("orders as attributes", "pass", "obtain(orders)"),
    ("named", "", "[tuple(row) for row in named]"),
    ("thing", "pass", "(o.name, o.size, o.part.label)"),
    ("binary", "", "len(binary.read()), binary.read()"),
    ("text", "", "text.read()"),
    ("sink", "sink.write(b'one'); sink.write(b'two')", "sink.getvalue()"),
    ("bound", "pass",
     "(o.add(1, 2), o.greet('Ann', greeting='Hi'), o.total(1, 2, 3), o.part.turn(2), o.part.label, o.name, o.pair())"),
    ("bound set", "o.name = 'desk'", "o.name"),
]


class Mine:
    """An object of the client's."""

    name = "mine"

    def double(self, n):
        return 2 * n


def utc(when):
    """A remote datetime as seconds and microseconds since 1970; without a zone it is meant in UTC."""
    when = datetime.datetime.fromisoformat(str(when))
    if when.tzinfo is None:
        when = when.replace(tzinfo=datetime.timezone.utc)
    return int(when.timestamp()), when.microsecond


def micro(delta):
    return (delta.days * 86400 + delta.seconds) * 10 ** 6 + delta.microseconds


def encode(value):
    """A form for JSON; remote lists, dicts and sets are copied, and sequences are not told apart."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return {"int": str(int(value))}
    if isinstance(value, float):
        return {"float": struct.pack(">d", value).hex()}
    if isinstance(value, complex):
        return {"complex": [struct.pack(">d", part).hex() for part in (value.real, value.imag)]}
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": bytes(value).hex()}
    if isinstance(value, (list, tuple)):
        return {"list": [encode(item) for item in value]}
    if isinstance(value, dict):
        return {"dict": sorted(([encode(key), encode(value[key])] for key in value), key=repr)}
    if isinstance(value, (set, frozenset)):
        return {"set": sorted((encode(item) for item in value), key=repr)}
    return {"repr": repr(value)}


def run(root, makers, line, program, result):
    names = {"rpyc": rpyc, "operator": operator, "io": io, "copy": copy, "obtain": obtain, "ipaddress": ipaddress,
             "utc": utc, "micro": micro,
             "Mine": Mine, "root": root}
    program = program or line
    for name in set(re.findall(r"\w+", program + " " + result)) & makers:
        names[name] = root.new(name)
    try:
        exec(program, names)
        return {"row": line, "value": encode(eval(result, names))}
    except Exception as error:
        return {"row": line, "error": type(error).__name__}


def main():
    host, port = sys.argv[1], int(sys.argv[2])
    conn = rpyc.connect(host, port, config={"allow_all_attrs": True, "allow_pickle": True, "sync_request_timeout": 20})
    import objects_server
    for row in ROWS:
        print(json.dumps(run(conn.root, set(objects_server.MAKERS), *row)), flush=True)
    conn.close()


if __name__ == "__main__":
    main()
