"""Obtains copies of what a Go service has, and compares them with what they should be.  Usage: obtain.py PORT"""
import copy
import datetime
import pickle
import sys
import types

import rpyc
from rpyc.utils.classic import obtain


class Local(object):
    def __init__(self):
        self.secret = [1, 2]


def expect(what, got, want):
    assert got == want and type(got) is type(want), "%s: %r, not %r" % (what, got, want)


def refused(what, exc, words, f):
    try:
        v = f()
    except exc as e:
        assert words in str(e).split("\n")[0], "%s: %s" % (what, e)
    else:
        raise AssertionError("%s: %r, no %s" % (what, v, exc.__name__))


utc = datetime.timezone.utc
address = types.SimpleNamespace(street="Elm", number=7)
WANT = dict(
    ints=[1, 2, 3], strings=["a", "b"], mapping={"a": 1, "b": 2}, nested={"x": [1, [2.5, None]], "y": {}},
    person=types.SimpleNamespace(name="Ann", born=datetime.datetime(1999, 12, 31, 23, 59, 59, 5, utc), address=address, tags=["x"]),
    people=[address, address], many=[datetime.timedelta(seconds=90), 2 ** 100, -2 ** 70, complex(1, -2), b"\x00\xff", (1, "two"), {1, 2}],
    grown=["one", {"k": (1,)}, {"m"}], bag={1, "two", (3,)}, keyed={(1, 2): "tuple", b"b": "bytes", 3: "int"},
    fixed={"f": [1, 2]}, names=["n"],
)

conn = rpyc.connect("127.0.0.1", int(sys.argv[1]), config={"allow_pickle": True, "allow_public_attrs": True})
root = conn.root
for name, want in WANT.items():
    expect(name, obtain(getattr(root, name)), want)
    expect(name + " deepcopy", copy.deepcopy(getattr(root, name)), want)
    expect(name + " copy", copy.copy(getattr(root, name)), want)
    for protocol in range(3, pickle.HIGHEST_PROTOCOL + 1):
        expect("%s %d" % (name, protocol), pickle.loads(pickle.dumps(getattr(root, name), protocol)), want)
    for protocol in range(3):
        pickle.loads(conn.sync_request(rpyc.core.consts.HANDLE_PICKLE, getattr(root, name), protocol))

for name, change in {
    "item": lambda: root.fixed.__setitem__("f", 1), "nested": lambda: root.fixed["f"].append(3),
    "method": lambda: root.fixed.clear(), "deletion": lambda: root.names.__delitem__(0),
}.items():
    refused("read-only " + name, TypeError, "read-only", change)
assert root.names is root.names and isinstance(root.names, list) and isinstance(root.fixed, dict)
expect("unchanged", obtain(root.fixed), {"f": [1, 2]})

people = obtain(root.people)
assert people[0] is people[1], "what is shared stays shared"
ring = obtain(root.ring)
assert ring[1] is ring and ring[0] == 1, ring
node = obtain(root.circle)
assert node.next.next is node, node
assert not hasattr(obtain(root.person), "password")
error = obtain(root.failure)
assert type(error) is FileNotFoundError and error.filename == "/nowhere", repr(error)
assert obtain(root.kind) is ValueError

refused("function", TypeError, "cannot pickle", lambda: obtain(root.function))
refused("method", TypeError, "cannot pickle", lambda: obtain(root.method))
refused("list with function", TypeError, "cannot pickle", lambda: obtain(root.callbacks))
refused("protocol 6", ValueError, "pickle protocol must be <= 5", lambda: conn.sync_request(rpyc.core.consts.HANDLE_PICKLE, root.ints, 6))
refused("protocol x", TypeError, "cannot be interpreted as an integer", lambda: conn.sync_request(rpyc.core.consts.HANDLE_PICKLE, root.ints, "x"))

# Go asks us for copies of what is ours in what is its own.
mine = ["mine", {"k": [1]}]
expect("mine", obtain(root.around(mine)), ["before", mine, "after"])

other = rpyc.connect("127.0.0.1", int(sys.argv[2]))
refused("disabled", ValueError, "pickling is disabled", lambda: obtain(other.root.ints))
print("OK")
