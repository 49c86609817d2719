"""The probe programs: what a client does with a server, step by step, with every outcome written down.

``run(name, connect, server)`` performs one program against one server and returns {step: outcome}, an outcome being a value, or
the exception that the step raised, in the plain form of ``describe``.  test_side_by_side.py performs each program against CPython
and against Go and compares step by step, so nothing here says what the right answer is: CPython does.
"""
import gc
import itertools
import operator
import pickle
import sys
import threading
import time

import rpyc
from rpyc.core import consts

from describe import RPYC, describe, methods, operators, public_names
from harness import eventually

PROBES = {}
_numbers = itertools.count()


def probe(level):
    def add(function):
        name = function.__name__
        assert name not in PROBES, name
        PROBES[name] = (level, function)
        return function
    return add


class Steps:
    """One run of a program: s("step name", thunk) performs a step and returns its value (None if it raised)."""

    def __init__(self, connect, server):
        self.connect = connect
        self.server = server
        self.conn = connect()
        self.root = self.conn.root
        self.outcomes = {}

    def __call__(self, step, thunk):
        assert step not in self.outcomes, "step %r twice" % step
        try:
            value = thunk()
        except Exception as error:
            self.outcomes[step] = ("raised", describe(error))
            error.__traceback__ = None  # let go of what the step's frames hold
            return None
        except (SystemExit, KeyboardInterrupt) as error:
            self.outcomes[step] = ("raised", describe(error))
            return None
        self.outcomes[step] = ("value", describe(value))
        return value

    def log(self, prefix, ready=lambda lines: True):
        """The event log's lines with this prefix, once ready(lines) holds."""
        def read():
            lines = [line for line in self.root.events() if prefix in line]
            return (lines,) if ready(lines) else None
        return [line.replace(prefix, "TAG") for line in eventually(read, what="event log of " + prefix)[0]]


def run(name, connect, server):
    steps = Steps(connect, server)
    PROBES[name][1](steps)
    return steps.outcomes


def fresh(prefix):
    """A name for the event log that nobody else uses."""
    return "%s-%d-%d" % (prefix, time.time_ns(), next(_numbers))


# Values.

VALUES = {
    "none": None, "true": True, "false": False, "zero": 0, "one": 1, "minus": -1, "imm_low": -48, "imm_high": 159,
    "past_low": -49, "past_high": 160, "int64": 2 ** 63 - 1, "int64_min": -2 ** 63, "int65": 2 ** 63, "uint64": 2 ** 64 - 1,
    "huge": 10 ** 300 + 7, "huge_negative": -3 ** 500, "digits_255": int("9" * 255), "digits_256": int("9" * 256),
    "digits_4300": int("7" * 4300),
    "float": 1.5, "float_zero": 0.0, "float_minus_zero": -0.0, "inf": float("inf"), "minus_inf": float("-inf"),
    "nan": float("nan"), "tiny": 5e-324, "pi": 3.141592653589793, "big_float": 1.7976931348623157e308,
    "complex": 1.5 - 2j, "complex_zero": complex(-0.0, 0.0), "complex_inf": complex(float("inf"), float("nan")),
    "str_empty": "", "str": "hello", "str_latin": "caf\u00e9", "str_cjk": "\u4f60\u597d", "str_astral": "\U0001f40d\U0001f439",
    "str_nul": "a\0b", "str_bom": "\ufeffx", "str_255": "x" * 255, "str_256": "y" * 256, "str_utf8_256": "\u00e9" * 128,
    "bytes_empty": b"", "bytes_1": b"\0", "bytes_4": b"abcd", "bytes_5": b"abcde", "bytes_all": bytes(range(256)),
    "bytes_255": b"z" * 255, "bytes_256": b"z" * 256,
    "tuple_empty": (), "tuple_1": (1,), "tuple_4": (1, 2, 3, 4), "tuple_5": (1, 2, 3, 4, 5), "tuple_255": tuple(range(255)),
    "tuple_256": tuple(range(256)), "tuple_nested": (1, ("a", (b"b", (None, (True, ()))))),
    "tuple_bool_int_float": (True, 1, 1.0, False, 0, 0.0),
    "ellipsis": Ellipsis, "notimplemented": NotImplemented,
    "slice": slice(1, 2, 3), "slice_none": slice(None), "slice_mixed": slice("a", None, -1.5),
    "frozenset_empty": frozenset(), "frozenset": frozenset([1, "a", b"b", (2, 3)]),
    "frozenset_nested": frozenset([frozenset([1]), frozenset()]),
}


@probe("core")
def echo_values(s):
    for name, value in VALUES.items():
        s(name, lambda: s.root.echo(value))
        s(name + " type", lambda: s.root.echo_type(value))


@probe("core")
def echo_values_in_tuples(s):
    for name, value in VALUES.items():
        s(name, lambda: s.root.echo((value, [value])[0:1] + ((value, name),)))
        s(name + " as keyword", lambda: s.root.call_shape(value, key=value))


@probe("core")
def reference_types(s):
    class Number(int):
        pass

    class Pair(tuple):
        pass

    mine = {"list": [1], "dict": {}, "set": {1}, "bytearray": bytearray(b"x"), "function": lambda: None, "class": Number,
            "int subclass": Number(5), "tuple subclass": Pair((1, 2)), "range": range(3), "object": object(),
            "iterator": iter([1]), "generator": (i for i in ()), "module": operator, "builtin": len}
    for name, value in mine.items():
        s(name, lambda: s.root.echo_type(value))
        s(name + " comes back", lambda: s.root.echo(value) is value)
        s(name + " same", lambda: s.root.same(value, value))
        s(name + " in tuple", lambda: s.root.echo((1, value))[1] is value)
    s("two objects", lambda: s.root.same([1], [1]))
    s("by value", lambda: s.root.same(None, None))


@probe("core")
def names_of_references(s):
    r = s.root
    for name in ("get_list", "empty_list", "get_dict", "get_set", "get_none", "make_gadget", "mixed", "twice"):
        s(name, getattr(r, name))
    s("root", lambda: r)
    s("method", lambda: r.add)
    s("class", lambda: r.Point)
    s("instance", lambda: r.make_point(1, 2))
    s("generator", lambda: r.count_up(1))
    s("tracked", lambda: r.tracked(fresh("names")))
    s("context", lambda: r.ctx("names"))
    s("static", lambda: r.make_point(1, 2).origin)
    s("point method", lambda: r.make_point(1, 2).norm1)
    s("list iterator", lambda: iter(r.get_list()))


@probe("core")
def operators_of_references(s):
    r = s.root
    for name, make in (("root", lambda: r), ("point", lambda: r.make_point(1, 2)), ("gadget", lambda: r.make_gadget()),
                       ("context", lambda: r.ctx("ops")), ("tracked", lambda: r.tracked(fresh("ops")))):
        s(name, lambda: operators(s.conn, make()))
    if RPYC >= (6, 0, 1) and sys.version_info >= (3, 10):  # before, other attributes were listed, and static methods undocumented
        s("docs", lambda: {name: doc for name, doc in methods(s.conn, r.make_point(1, 2)).items() if name.startswith("exposed_")})
        s("gadget methods", lambda: {name: doc for name, doc in methods(s.conn, r.make_gadget()).items() if name[:2] != "__"})
        s("root methods", lambda: sorted(name for name in methods(s.conn, r) if name.startswith("exposed_")))


@probe("core")
def inspect_wants_a_known_reference(s):
    s("unknown", lambda: s.conn.sync_request(consts.HANDLE_INSPECT, ("builtins.list", 1, 2)))


# Calls.

@probe("core")
def calls(s):
    r = s.root
    s("add", lambda: r.add(2, 3))
    s("floats", lambda: r.add(0.5, 1))
    s("text", lambda: r.add("ab", "cd"))
    s("bytes", lambda: r.add(b"ab", b"cd"))
    s("big", lambda: r.add(2 ** 63 - 1, 1))
    s("negative", lambda: r.add(-2 ** 63, -1))
    s("bools", lambda: r.add(True, True))
    s("tuples", lambda: r.add((1,), ("x", None)))
    s("complex", lambda: r.add(1j, 2))
    s("number + text", lambda: r.add(1, "x"))
    s("text + number", lambda: r.add("x", 1))
    s("none", lambda: r.add(None, 1))
    s("keywords", lambda: r.add(b=1, a=2))
    s("mixed", lambda: r.add(1, b=2))
    s("greet", lambda: r.greet("Ada"))
    s("greet default", lambda: r.greet("Ada", "Hi"))
    s("greet keyword", lambda: r.greet("Ada", punct="?"))
    s("greet all", lambda: r.greet(greeting="Bye", punct="", name="Bob"))
    s("shape", lambda: r.call_shape(1, 2, z=1, a=2, m=3))
    s("shape empty", lambda: r.call_shape())
    s("shape unicode", lambda: r.call_shape(**{"\u00fcber": 1, "\u4f60": 2, "with space": 3, "class": 4, "": 5}))
    s("shape many", lambda: r.call_shape(*range(300), **{"k%d" % i: i for i in range(300)}))
    s("bump", lambda: (r.bump(), r.bump(), r.bump()))
    s("name", lambda: r.get_service_name())
    s("aliases", lambda: r.get_service_aliases())
    s("answer", lambda: r.answer)
    s("exposed answer", lambda: r.exposed_answer)
    s("none result", lambda: r.get_none())
    s("method kept", lambda: [f(1, 2) for f in [r.add] * 3])


@probe("text")
def wrong_calls(s):
    r = s.root
    s("missing one", lambda: r.add(1))
    s("missing two", lambda: r.add())
    s("extra", lambda: r.add(1, 2, 3))
    s("unknown keyword", lambda: r.add(1, b=2, c=3))
    s("twice", lambda: r.add(1, 2, a=3))
    s("keyword-only by position", lambda: r.greet("a", "b", "c"))
    s("greet nothing", lambda: r.greet())
    s("no arguments wanted", lambda: r.bump(1))
    s("point", lambda: r.Point(1))
    s("number + text", lambda: r.add(1, "x"))
    s("text + number", lambda: r.add("x", 1))
    s("number + none", lambda: r.add(1, None))
    s("none has no len", lambda: r.length_of(5))


@probe("core")
def calling_what_is_not_callable(s):
    def call(ref):
        return s.conn.sync_request(consts.HANDLE_CALL, ref, (), ())
    s("list", lambda: call(s.root.get_list()))
    s("gadget", lambda: call(s.root.make_gadget()))
    s("text", lambda: call("text"))
    s("number", lambda: call(5))
    s("callable gadget", lambda: callable(s.root.make_gadget()))
    s("callable point", lambda: callable(s.root.make_point(1, 2)))
    s("callable method", lambda: callable(s.root.add))


# Attributes.

NAMES = ("answer", "exposed_answer", "hidden", "_secret", "exposed_nope", "nope", "_nope", "__class__", "__dict__", "__doc__",
         "__module__x", "exposed_", "", "add", "exposed_add", "exposed_exposed_add", "events")
BUILTIN_NAMES = ("append", "pop", "index", "__reversed__", "__len__", "__class__", "__sizeof__", "nope", "exposed_append")
METHOD_NAMES = ("__func__", "__self__", "__code__", "__globals__", "__name__", "__qualname__", "__call__", "__doc__")


def _read(s, root, names):
    for name in names:
        def read():
            value = s.conn.sync_request(consts.HANDLE_GETATTR, root, name)
            return describe(value)[:2] if isinstance(value, rpyc.BaseNetref) else value
        s("%s" % name, read)


@probe("core")
def attributes_of_root(s):
    _read(s, s.root, NAMES)


@probe("core")
def attributes_of_gadget(s):
    _read(s, s.root.make_gadget(), ("value", "exposed_value", "hidden", "_private", "plain", "ro", "bad", "exposed_bad", "nope",
                                    "exposed_nope", "describe", "__init__", "__dict__", "__module__"))


@probe("core")
def attributes_of_builtins(s):
    _read(s, s.root.get_list(), [name for name in BUILTIN_NAMES if name != "__len__"])


@probe("core")
def attributes_of_methods(s):
    _read(s, s.root.add, [name for name in METHOD_NAMES if name != "__call__"])


@probe("core")
def attributes_of_values(s):
    def get(target, name):
        return s.conn.sync_request(consts.HANDLE_GETATTR, target, name)
    s("bytes name", lambda: get(s.root, b"answer"))
    s("number name", lambda: get(s.root, 5))
    s("none name", lambda: get(s.root, None))
    s("bad utf8", lambda: type(get(s.root, b"\xff")))
    s("str attribute", lambda: get("abc", "upper"))
    s("int attribute", lambda: get(5, "real"))
    s("len of text", lambda: s.conn.sync_request(consts.HANDLE_CALLATTR, "abc", "__len__", (), ()))
    s("item of tuple", lambda: s.conn.sync_request(consts.HANDLE_CALLATTR, (1, 2), "__getitem__", (1,), ()))


@probe("core")
def endpoints(s):
    for endpoint in ("default", "rw", "public", "all", "pickle", "quiet"):
        root = s.connect(endpoint).root
        s(endpoint + " hidden", lambda: root.hidden)
        s(endpoint + " secret", lambda: root._secret)
        s(endpoint + " nope", lambda: root.nope)
        s(endpoint + " private nope", lambda: root._nope)
        s(endpoint + " plain", lambda: root.make_gadget().plain())
        s(endpoint + " set on root", lambda: setattr(root, "answer", 5))
        s(endpoint + " delete on root", lambda: delattr(root, "answer"))
        s(endpoint + " append", lambda: root.get_list().append(5))
        s(endpoint + " keys", lambda: sorted(root.get_dict().keys()))
        s(endpoint + " get", lambda: root.get_dict().get("zz", 7))
        s(endpoint + " pickle", lambda: type(pickle.dumps(root.get_list())))
        s(endpoint + " answer", lambda: root.answer)
        s(endpoint + " bump", lambda: root.bump())


@probe("core")
def setting_attributes(s):
    for endpoint in ("default", "rw", "public", "all"):
        gadget = s.connect(endpoint).root.make_gadget()
        s(endpoint + " value", lambda: (setattr(gadget, "value", 11), gadget.value)[1])
        s(endpoint + " exposed value", lambda: (setattr(gadget, "exposed_value", 12), gadget.value)[1])
        s(endpoint + " hidden", lambda: (setattr(gadget, "hidden", 1), gadget.hidden)[1])
        s(endpoint + " reference", lambda: (setattr(gadget, "value", [1, 2]), gadget.value)[1])
        s(endpoint + " new exposed", lambda: (setattr(gadget, "exposed_new", 5), gadget.new)[1])
        s(endpoint + " new", lambda: (setattr(gadget, "fresh", 5), gadget.fresh)[1])
        s(endpoint + " delete new", lambda: delattr(gadget, "exposed_new"))
        s(endpoint + " deleted", lambda: gadget.new)
        s(endpoint + " delete value", lambda: delattr(gadget, "value"))
        s(endpoint + " describe", lambda: gadget.describe())
        s(endpoint + " delete nope", lambda: type_of_error(lambda: delattr(gadget, "nope")))


@probe("text")
def documentation(s):
    r = s.root
    s("service", lambda: r.__doc__)
    s("add", lambda: r.add.__doc__)
    s("echo", lambda: r.echo.__doc__)
    s("point", lambda: r.make_point(1, 2).__doc__)
    s("point class", lambda: r.Point.__doc__)
    s("gadget", lambda: r.make_gadget().__doc__)
    s("norm1", lambda: r.make_point(1, 2).norm1.__doc__)
    s("describe", lambda: r.make_gadget().describe.__doc__)
    s("name on all", lambda: s.connect("all").root.add.__name__)


@probe("core")
def listings(s):
    s("root", lambda: public_names(dir(s.root)))
    s("point", lambda: public_names(dir(s.root.make_point(1, 2))))
    s("gadget", lambda: public_names(dir(s.root.make_gadget())))
    s("class", lambda: public_names(dir(s.root.Point)))
    s("list has append", lambda: "append" in dir(s.root.get_list()))
    s("all text", lambda: all(type(name) is str for name in dir(s.root)))


@probe("text")
def representations(s):
    r = s.root
    for name, make in (("root", lambda: r), ("method", lambda: r.add), ("point", lambda: r.make_point(3, 4)),
                       ("gadget", lambda: r.make_gadget()), ("list", lambda: r.get_list()), ("dict", lambda: r.get_dict()),
                       ("class", lambda: r.Point), ("generator", lambda: r.count_up(2)), ("set", lambda: r.get_set()),
                       ("empty", lambda: r.empty_list()), ("point method", lambda: r.make_point(1, 2).norm1)):
        s(name + " repr", lambda: repr(make()))
        s(name + " str", lambda: str(make()))
        s(name + " %s", lambda: "%s" % (make(),))


# Containers.

@probe("core")
def lists(s):
    r = s.root
    new = r.get_list
    s("len", lambda: len(new()))
    s("empty", lambda: (len(r.empty_list()), bool(r.empty_list()) if hasattr(list, "__bool__") else len(r.empty_list()) > 0))
    for index in (0, 2, -1, -3, 3, -4, 10 ** 30, True):
        s("item %r" % index, lambda: new()[index])
    s("item text", lambda: new()["x"])
    s("item float", lambda: new()[1.0])
    s("item none", lambda: new()[None])
    for cut in (slice(None), slice(1, None), slice(None, -1), slice(None, None, -1), slice(5, 9), slice(None, None, 2)):
        s("slice %r" % cut, lambda: new()[cut])
        s("items of slice %r" % cut, lambda: list(new()[cut]))
    s("slice step 0", lambda: new()[::0])
    s("in", lambda: (2 in new(), 5 in new(), "x" in new(), 2.0 in new(), True in new()))
    s("iter", lambda: list(new()))
    s("sum", lambda: sum(new()))
    s("star", lambda: (*new(),))
    s("eq same", lambda: (lambda one: one == one)(new()))
    s("eq remote", lambda: (new() == new(), new() != new(), new() < new(), new() <= new(), new() > r.empty_list()))
    s("eq local", lambda: (new() == [1, 2, 3], new() != [1, 2, 3]))
    s("less local", lambda: new() < [1, 2, 3])
    s("hash", lambda: hash(new()))
    s("repr", lambda: (repr(new()), str(new())))
    s("add remote", lambda: list(new() + new()))
    s("add is new", lambda: new() + r.empty_list())
    s("add tuple", lambda: new() + (1,))
    s("times", lambda: list(new() * 2))
    s("times left", lambda: list(2 * new()))
    s("isinstance", lambda: (isinstance(new(), list), isinstance(new(), dict)))


@probe("core")
def list_changes(s):
    shared = s.root.shared_list()
    s("one object", lambda: s.root.shared_list() is shared)
    s("same", lambda: s.root.same(shared, s.root.shared_list()))
    s("set", lambda: (operator.setitem(shared, 0, "x"), list(shared))[1])
    s("set negative", lambda: (operator.setitem(shared, -1, (1, 2)), list(shared))[1])
    s("set far", lambda: operator.setitem(shared, 9, 1))
    s("set slice", lambda: (operator.setitem(shared, slice(1, 2), (7, 8)), list(shared))[1])
    s("delete", lambda: (operator.delitem(shared, 0), list(shared))[1])
    s("delete far", lambda: operator.delitem(shared, 9))
    s("delete slice", lambda: (operator.delitem(shared, slice(0, 1)), list(shared))[1])
    mine = {"k": 1}
    s("set mine", lambda: (operator.setitem(shared, 0, mine), shared[0] is mine)[1])

    def add():
        box = shared
        before = box
        box += (4, 5)
        return (box is before, len(box), list(box)[1:])
    s("+=", add)
    s("length remote", lambda: s.root.length_of(shared))
    other = s.connect().root
    s("per service object", lambda: list(other.shared_list()))
    public = s.connect("public").root
    s("public append", lambda: (lambda one: (one.append(5), list(one), one.pop(), one.pop(0), one.index(3), list(one)))(public.get_list()))
    s("public index", lambda: public.get_list().index(9))
    s("public pop empty", lambda: public.empty_list().pop())


@probe("core")
def dicts(s):
    r = s.root
    new = r.get_dict
    s("item", lambda: (new()["a"], new()["b"]))
    s("missing", lambda: new()["zz"])
    s("missing number", lambda: new()[5])
    s("unhashable", lambda: new()[[1]])
    s("len", lambda: len(new()))
    s("in", lambda: ("a" in new(), "zz" in new(), 1 in new()))
    s("iter", lambda: list(new()))
    s("sorted", lambda: sorted(new()))
    s("set", lambda: (lambda d: (operator.setitem(d, "c", 3), d["c"], len(d)))(new()))
    s("set tuple key", lambda: (lambda d: (operator.setitem(d, (1, "x"), 3), d[(1, "x")]))(new()))
    s("delete", lambda: (lambda d: (operator.delitem(d, "a"), len(d), list(d)))(new()))
    s("delete missing", lambda: operator.delitem(new(), "zz"))
    s("number keys", lambda: (lambda d: (operator.setitem(d, 1, "int"), operator.setitem(d, True, "bool"),
                                         operator.setitem(d, 1.0, "float"), d[1], len(d)))(new()))
    s("repr", lambda: (repr(new()), str(new())))
    s("eq", lambda: (new() == new(), new() == {"a": 1, "b": 2}))
    s("hash", lambda: hash(new()))
    s("keys denied", lambda: new().keys())
    s("bool", lambda: bool(new()))
    s("isinstance", lambda: isinstance(new(), dict))
    public = s.connect("public").root.get_dict()
    s("public get", lambda: (public.get("a"), public.get("zz"), public.get("zz", 9)))
    s("public items", lambda: sorted(public.items()))
    s("public keys", lambda: sorted(public.keys()))
    mine = [1]
    s("mine", lambda: (operator.setitem(public, "mine", mine), public["mine"] is mine))


@probe("core")
def sets(s):
    new = s.root.get_set
    s("len", lambda: len(new()))
    s("in", lambda: (1 in new(), 9 in new()))
    s("iter", lambda: sorted(new()))
    s("eq", lambda: new() == new())
    s("hash", lambda: hash(new()))
    s("bool", lambda: bool(new()))


@probe("core")
def tuples(s):
    r = s.root

    def flat(value):
        if isinstance(value, tuple):
            return tuple(flat(item) for item in value)
        if isinstance(value, dict):
            return {key: value[key] for key in value}
        return list(value) if isinstance(value, list) else value
    s("mixed", lambda: flat(r.mixed()))
    s("twice", lambda: (lambda pair: pair[0] is pair[1])(r.twice()))
    s("twice equal", lambda: (lambda pair: (pair[0] == pair[1], r.same(*pair)))(r.twice()))
    s("many", lambda: [p.x for p in r.many(5)])
    s("many none", lambda: r.many(0))
    s("length of tuple", lambda: (r.length_of((1, 2)), r.length_of("abc"), r.length_of(b"")))
    s("length of mine", lambda: (r.length_of([1, 2]), r.length_of({}), r.length_of(range(7))))
    s("length of none", lambda: r.length_of(None))


@probe("core")
def formats(s):
    if RPYC < (5, 1):  # __format__ was not a safe attribute yet
        return
    r = s.root
    s("point plain", lambda: format(r.make_point(3, 4), ""))
    s("point spec", lambda: format(r.make_point(3, 4), ">5"))
    s("point f", lambda: "{0:abc}".format(r.make_point(3, 4)))
    s("list", lambda: format(r.get_list(), ""))
    s("list spec", lambda: format(r.get_list(), "x"))


# Objects.

@probe("core")
def points(s):
    r = s.root
    p = r.make_point(3, 4)
    s("xy", lambda: (p.x, p.y, p.exposed_x))
    s("norm1", lambda: (p.norm1(), r.make_point(-3, 4).norm1()))
    s("origin", lambda: repr(p.origin()))
    s("class origin", lambda: repr(r.Point.origin()))
    s("repr", lambda: (repr(p), str(p)))
    s("eq", lambda: (p == r.make_point(3, 4), p != r.make_point(3, 4), p == r.make_point(4, 3), p == 5, p != 5, 5 == p))
    s("eq none", lambda: (p == None, p != None, p == (3, 4)))  # noqa: E711
    s("hash", lambda: (hash(p), hash(r.make_point(-1, 2))))
    s("less", lambda: (p < r.make_point(3, 5), r.make_point(9, 9) < p, p > r.make_point(0, 9)))
    s("less or equal", lambda: p <= p)
    s("less number", lambda: p < 5)
    s("add", lambda: repr(p + p))
    s("add number", lambda: p + 5)
    s("add left", lambda: 5 + p)
    s("subtract", lambda: p - p)
    s("times", lambda: (repr(p * 2), repr(2 * p), repr(-p), repr(p(3))))
    s("call wrong", lambda: p())
    s("len", lambda: len(p))
    s("items", lambda: (p[0], p[1]))
    s("item 2", lambda: p[2])
    s("item -1", lambda: p[-1])
    s("item text", lambda: p["x"])
    s("in", lambda: (3 in p, 4 in p, 5 in p))
    s("iter", lambda: (list(p), tuple(p), [a for a in p]))
    s("unpack", lambda: (lambda x, y: (x, y))(*p))
    s("bool", lambda: (bool(p), bool(r.make_point(0, 0))))
    s("int", lambda: (int(p), float(p), operator.index(p)))
    s("as index", lambda: "abcdefghij"[p])
    s("as list index", lambda: r.get_list()[r.make_point(1, 1)])
    s("as key", lambda: {p: 1}[r.make_point(3, 4)])
    s("float coordinates", lambda: repr(r.make_point(1.5, "y")))
    s("constructor", lambda: repr(r.Point(5, 6)))
    s("constructor keywords", lambda: repr(r.Point(y=5, x=6)))
    s("point3", lambda: (repr(r.Point3(1, 2)), r.Point3(1, 2).colour, r.Point3(1, 2, "blue").colour, r.Point3(1, 2, colour="x").colour))
    s("set denied", lambda: setattr(p, "x", 5))


@probe("core")
def classes(s):
    r = s.root
    s("isinstance", lambda: (isinstance(r.make_point(1, 2), r.Point), isinstance(r.Point(1, 2), r.Point)))
    s("isinstance 3", lambda: (isinstance(r.Point3(1, 2), r.Point3), isinstance(r.make_point(1, 2), r.Point3)))
    s("isinstance other", lambda: (isinstance(r.make_gadget(), r.Point), isinstance(5, r.Point) if False else None))
    s("not a class", lambda: isinstance(r.make_point(1, 2), r.make_gadget()))
    s("class twice", lambda: r.Point is r.Point)
    s("class eq", lambda: (r.Point == r.Point, r.Point == r.Point3))
    s("class hash", lambda: hash(r.Point) == hash(r.Point))
    s("class denied", lambda: r.make_point(1, 2).__class__)


@probe("quirk")
def subclass_instances(s):
    s("isinstance", lambda: isinstance(s.root.Point3(1, 2), s.root.Point))


@probe("core")
def gadgets(s):
    g = s.root.make_gadget()
    s("value", lambda: (g.value, g.exposed_value))
    s("counter once", lambda: (s.root.make_gadget().exposed_counter))
    s("bad", lambda: g.bad)
    s("ro", lambda: g.ro)
    s("describe", lambda: (g.describe(), g.describe(True), g.describe(verbose=1)))
    s("describe doc", lambda: g.describe.__doc__)
    s("set ro", lambda: type_of_error(lambda: setattr(s.connect("rw").root.make_gadget(), "ro", 1)))
    s("eq", lambda: (g == g, g != g, g == s.root.make_gadget(), g == 5))
    s("hash", lambda: (hash(g) == hash(g), hash(g) == hash(s.root.make_gadget())))
    s("bool", lambda: bool(g))
    s("len", lambda: len(g))
    s("item", lambda: g[0])
    s("iter", lambda: iter(g))
    s("add", lambda: g + 1)
    s("less", lambda: g < g)


def type_of_error(thunk):
    try:
        thunk()
    except Exception as error:
        return type(error).__name__
    return None


@probe("quirk")
def double_evaluation(s):
    g = s.root.make_gadget()
    s("unprefixed", lambda: (g.counter, g.counter))
    h = s.root.make_gadget()
    s("prefixed", lambda: (h.exposed_counter, h.exposed_counter))


@probe("core")
def methods_compare(s):
    r = s.root
    p = r.make_point(1, 2)
    s("eq", lambda: (r.add == r.add, r.add != r.add, r.add == r.echo, p.norm1 == p.norm1))
    s("hash", lambda: (hash(r.add) == hash(r.add), hash(r.add) == hash(r.echo)))
    s("other object", lambda: p.norm1 == r.make_point(1, 2).norm1)
    s("key", lambda: {r.add: 1}.get(r.add))


# Iteration.

@probe("core")
def iteration(s):
    r = s.root
    tag = fresh("it")
    s("generator", lambda: list(r.count_up(5)))
    s("empty", lambda: list(r.count_up(0)))
    s("next", lambda: (lambda g: (next(g), next(g), next(g, "end"), next(g, "end")))(r.count_up(2)))
    s("next past the end", lambda: next(r.count_up(0)))
    s("iter is itself", lambda: (lambda g: iter(g) is g)(r.count_up(3)))
    s("exhausted log", lambda: (list(r.count_up(2, tag + "a")), s.log(tag + "a", bool)))

    def drop():
        g = r.count_up(9, tag + "b")
        next(g)
        before = s.log(tag + "b")
        del g
        gc.collect()
        return before, s.log(tag + "b", bool)
    s("dropped log", drop)
    s("fails", lambda: list(r.gen_fail(3)))
    s("fails after", lambda: (lambda g: (next(g), next(g), type_of_error(lambda: next(g)), type_of_error(lambda: next(g))))(r.gen_fail(2)))
    s("list twice", lambda: (lambda one: (list(one), list(one)))(r.get_list()))
    s("list iterator", lambda: (lambda it: (next(it), list(it), list(it)))(iter(r.get_list())))
    s("enumerate", lambda: list(enumerate(r.get_list())))
    s("zip", lambda: list(zip(r.get_list(), r.count_up(9))))
    s("unpack", lambda: (lambda a, b, c: (c, b, a))(*r.get_list()))
    s("dict", lambda: list(r.get_dict()))
    s("in generator", lambda: 3 in r.count_up(5))
    s("generator method", lambda: r.count_up(3).send(None))
    s("generator close", lambda: r.count_up(3).close())
    s("reversed", lambda: list(reversed(r.get_list())))
    s("not iterable", lambda: list(r.make_gadget()))
    s("my iterator there", lambda: r.call(lambda it: list(it), r.count_up(3)))


@probe("core")
def buffered_iteration(s):
    r = s.root
    for chunk in (1, 2, 3, 7, 100):
        s("list %d" % chunk, lambda: list(rpyc.buffiter(r.get_list(), chunk)))
        s("generator %d" % chunk, lambda: list(rpyc.buffiter(r.count_up(10), chunk, 4, 2)))
    s("empty", lambda: list(rpyc.buffiter(r.empty_list())))
    s("dict", lambda: list(rpyc.buffiter(r.get_dict())))
    s("point", lambda: list(rpyc.buffiter(r.make_point(1, 2))))
    s("fails", lambda: list(rpyc.buffiter(r.gen_fail(25), 10)))
    s("bad factor", lambda: list(rpyc.buffiter(r.get_list(), factor=0)))
    s("references", lambda: (lambda d: [list(x) for x in rpyc.buffiter(d)])(r.echo(([1], [2]))))
    s("long", lambda: sum(rpyc.buffiter(r.count_up(5000), 100)))
    it = iter(r.get_list())
    s("count none", lambda: s.conn.sync_request(consts.HANDLE_BUFFITER, it, None))
    s("count zero", lambda: s.conn.sync_request(consts.HANDLE_BUFFITER, r.get_list(), 0))
    s("count negative", lambda: type_of_error(lambda: s.conn.sync_request(consts.HANDLE_BUFFITER, r.get_list(), -1)))
    s("not iterable", lambda: s.conn.sync_request(consts.HANDLE_BUFFITER, r.make_gadget(), 5))
    s("of a value", lambda: s.conn.sync_request(consts.HANDLE_BUFFITER, (1, 2, 3), 2))


# The client's objects, used by the server.

class Mine:
    """A client class with a bit of everything."""

    exposed_shown = "shown"
    hidden = "hidden"

    def __init__(self, *items):
        self.items = items

    def exposed_twice(self, x):
        return 2 * x

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]

    def __contains__(self, item):
        return item in self.items

    def __iter__(self):
        return iter(self.items)

    def __str__(self):
        return "mine"

    def __repr__(self):
        return "Mine()"

    def __call__(self, *args, **kwargs):
        return ("called", args, tuple(kwargs.items()))


class Bare:
    """A client class with nothing."""


@probe("core")
def callbacks(s):
    r = s.root
    s("call", lambda: r.call(lambda: 5))
    s("arguments", lambda: r.call(lambda *a, **k: (a, tuple(k.items())), 1, "x", None, z=1, a=(2,)))
    s("object", lambda: r.call(Mine(), 1, k=2))
    s("bound method", lambda: r.call([3, 1, 2].index, 1))
    s("builtin", lambda: r.call(max, 3, 9, 4))
    s("class", lambda: r.call(int, "12"))
    s("not callable", lambda: r.call(5))
    s("bare object", lambda: type_of_error(lambda: r.call(Bare())))
    s("returns mine", lambda: (lambda one: r.call(lambda: one) is one)([1]))
    s("returns theirs", lambda: (lambda one: r.call(lambda: one) is one)(r.get_list()))
    s("gets theirs", lambda: r.call(lambda one: list(one), r.get_list()))
    s("is the same", lambda: (lambda one: r.call(lambda other: other is one, one))(r.make_gadget()))
    s("theirs called there", lambda: r.call(r.add, 2, 3))
    s("nested", lambda: r.call(lambda: r.call(lambda: r.call(lambda: r.add(1, 2)))))
    s("pingpong", lambda: (lambda f: r.pingpong(f, 3))(lambda n: n * 10))

    def deep(n):
        return r.pingpong(deep, n)
    s("ten deep", lambda: r.pingpong(deep, 10))
    s("read while called", lambda: r.call(lambda: (r.bump(), r.answer, r.bump())))
    s("none", lambda: r.call(lambda: None))
    s("big", lambda: len(r.call(lambda x: x + x, b"x" * 100000)))


@probe("core")
def callbacks_that_fail(s):
    class Custom(Exception):
        pass

    def fail(error):
        def run(*_):
            raise error
        return run
    r = s.root
    for name, error in (("value", ValueError("bad", 1)), ("key", KeyError("k")), ("zero", ZeroDivisionError("z")),
                        ("os", FileNotFoundError(2, "gone", "/x")), ("custom", Custom("mine", 7)), ("stop", StopIteration()),
                        ("type", TypeError("t")), ("attribute", AttributeError("a")), ("lookup", LookupError()),
                        ("runtime", RuntimeError("r", (1, 2))), ("not implemented", NotImplementedError("n"))):
        s("caught " + name, lambda: r.call_catching(fail(error)))
        if name != "stop":
            s("passed " + name, lambda: r.call(fail(error)))
    s("ok", lambda: r.call_catching(lambda: 5))
    s("ok theirs", lambda: r.call_catching(lambda: (1, [2])[0]))
    s("still alive", lambda: r.add(1, 2))
    s("fail there", lambda: r.call(lambda: r.fail("value")))
    s("two deep", lambda: r.call(lambda: r.call(fail(ValueError("deep")))))
    s("caught two deep", lambda: r.call_catching(lambda: r.call(fail(KeyError("deep")))))


@probe("core")
def callback_lists(s):
    r = s.root
    heard = []

    def one(x):
        heard.append(("one", x))
        return x + 1

    def two(x):
        heard.append(("two", x))
        return x * 2
    s("nothing", lambda: r.fire(1))
    s("register", lambda: (r.register(one), r.register(two)))
    s("fire", lambda: r.fire(10))
    s("heard", lambda: list(heard))
    s("unregister", lambda: (r.unregister(one), r.unregister(one)))
    s("fire again", lambda: r.fire(3))
    s("unregister mine", lambda: r.unregister(lambda x: x))
    s("other connection", lambda: s.connect().root.fire(1))
    point = r.make_point(1, 2)
    s("theirs", lambda: (r.register(point), [repr(x) for x in r.fire(2)[1:]], r.unregister(r.make_point(1, 2))))


@probe("core")
def my_objects(s):
    r = s.root
    mine = Mine(2, 4)
    s("read exposed", lambda: r.read_attr(mine, "shown"))
    s("read prefixed", lambda: r.read_attr(mine, "exposed_shown"))
    s("read hidden", lambda: r.read_attr(mine, "hidden"))
    s("read nope", lambda: r.read_attr(mine, "nope"))
    s("read doc", lambda: r.read_attr(mine, "__doc__"))
    s("read class", lambda: type_of_error(lambda: r.read_attr(mine, "__dict__")))
    s("method", lambda: r.call(r.read_attr(mine, "twice"), 21))
    s("write", lambda: r.write_attr(mine, "shown", 5))
    s("write nope", lambda: r.write_attr(mine, "nope", 5))
    s("unchanged", lambda: mine.exposed_shown)
    s("length", lambda: r.length_of(mine))
    s("length of bare", lambda: type_of_error(lambda: r.length_of(Bare())))
    open_root = s.connect(config={"allow_public_attrs": True, "allow_setattr": True}).root
    s("read public", lambda: open_root.read_attr(mine, "hidden"))
    s("write public", lambda: (open_root.write_attr(mine, "hidden", (1, 2)), mine.hidden))
    s("probe tuple", lambda: r.probe((5, 2)))
    s("probe list", lambda: type_of_error(lambda: r.probe([5, 2])))
    s("probe mine", lambda: r.probe(mine))
    s("probe point", lambda: r.probe(r.make_point(5, 2)))


class Manager:
    """A context manager of the client's."""

    def __init__(self, suppress=False, fail=None):
        self.suppress, self.fail, self.log = suppress, fail, []

    def __enter__(self):
        self.log.append("enter")
        if self.fail == "enter":
            raise LookupError("no entry")
        return "entered"

    def __exit__(self, kind, value, traceback):
        self.log.append(("exit", value is not None or kind is not None))
        if self.fail == "exit":
            raise LookupError("no exit")
        return self.suppress


@probe("core")
def my_context_managers(s):
    r = s.root
    for name, make in (("plain", Manager), ("suppress", lambda: Manager(True)), ("fail enter", lambda: Manager(fail="enter")),
                       ("fail exit", lambda: Manager(fail="exit"))):
        one, two = make(), make()
        s(name + " use", lambda: r.use_ctx(one))
        s(name + " use log", lambda: one.log)
        s(name + " fail", lambda: r.fail_in_ctx(two))
        s(name + " fail log", lambda: two.log)
    s("bare", lambda: type_of_error(lambda: r.use_ctx(Bare())) in ("TypeError", "AttributeError"))


@probe("core")
def context_managers(s):
    r = s.root
    tag = fresh("ctx")

    def use(suppress, error=None):
        with r.ctx(tag, suppress) as value:
            if error:
                raise error
        return value
    s("plain", lambda: use(False))
    s("plain log", lambda: s.log(tag))
    s("error", lambda: use(False, KeyError("x")))
    s("error log", lambda: s.log(tag))
    s("suppressed", lambda: type_of_error(lambda: use(True, KeyError("x"))))
    s("suppressed log", lambda: s.log(tag))
    s("not a manager", lambda: type_of_error(lambda: r.make_gadget().__enter__()))


# Errors.

@probe("core")
def failures(s):
    for kind in ("zero", "value", "key", "os", "unicode", "custom", "json", "unbrinable", "stop", "exit", "chain", "other"):
        s(kind, lambda: s.root.fail(kind))
    s("still alive", lambda: s.root.add(1, 2))


@probe("core")
def quiet_failures(s):
    root = s.connect("quiet").root
    for kind in ("zero", "value", "custom", "chain"):
        s(kind, lambda: root.fail(kind))

    def versions(kind):
        try:
            root.fail(kind)
        except Exception as error:
            return (error._remote_version, error._remote_tb)
    s("denied", lambda: versions("zero"))


@probe("core")
def protocol_errors(s):
    request = s.conn.sync_request
    s("unknown handler", lambda: request(99))
    s("handler 0", lambda: request(0))
    s("handler text", lambda: request("GETROOT"))
    s("handler -1", lambda: request(-1))
    s("ping nothing", lambda: type_of_error(lambda: request(consts.HANDLE_PING)))
    s("ping two", lambda: type_of_error(lambda: request(consts.HANDLE_PING, 1, 2)))
    s("ping value", lambda: request(consts.HANDLE_PING, (1, "x")))
    s("getroot argument", lambda: type_of_error(lambda: request(consts.HANDLE_GETROOT, 1)))
    s("call with number", lambda: type_of_error(lambda: request(consts.HANDLE_CALL, s.root.add, 5, ())))
    s("call with text", lambda: request(consts.HANDLE_CALL, s.root.add, "ab", ()))
    s("call with bytes", lambda: request(consts.HANDLE_CALL, s.root.add, b"ab", ()))
    s("call no kwargs", lambda: request(consts.HANDLE_CALL, s.root.add, (1, 2)))
    s("kwargs pairs", lambda: request(consts.HANDLE_CALL, s.root.add, (1,), (("b", 2),)))
    s("kwargs twice", lambda: request(consts.HANDLE_CALL, s.root.call_shape, (), (("b", 2), ("b", 3))))
    s("kwargs bytes", lambda: type_of_error(lambda: request(consts.HANDLE_CALL, s.root.add, (1,), ((b"b", 2),))))
    s("kwargs number", lambda: type_of_error(lambda: request(consts.HANDLE_CALL, s.root.add, (1,), 5)))
    s("callattr", lambda: request(consts.HANDLE_CALLATTR, s.root, "add", (1, 2), ()))
    s("callattr denied", lambda: request(consts.HANDLE_CALLATTR, s.root, "hidden", (), ()))
    s("repr value", lambda: request(consts.HANDLE_REPR, (1, "x")))
    s("str value", lambda: request(consts.HANDLE_STR, "x"))
    s("hash value", lambda: request(consts.HANDLE_HASH, 5))
    s("dir value", lambda: "upper" in request(consts.HANDLE_DIR, "x"))
    s("cmp value", lambda: request(consts.HANDLE_CMP, 5, 6, "__lt__"))
    s("cmp text value", lambda: request(consts.HANDLE_CMP, "a", 6, "__eq__"))
    s("cmp nope", lambda: type_of_error(lambda: request(consts.HANDLE_CMP, s.root, 6, "__nope__")))
    s("cmp private", lambda: type_of_error(lambda: request(consts.HANDLE_CMP, s.root.get_list(), 1, "append")))
    s("cmp default", lambda: type_of_error(lambda: request(consts.HANDLE_CMP, 5, 6)))
    s("still alive", lambda: s.root.add(1, 2))


# Asynchronous use.

@probe("core")
def asynchronous(s):
    r = s.root
    add, fail, sleep = rpyc.async_(r.add), rpyc.async_(r.fail), rpyc.async_(r.sleep_echo)
    s("value", lambda: add(1, 2).value)
    s("in order", lambda: [one.value for one in [add(i, 1) for i in range(50)]])
    s("error", lambda: fail("value").value)

    def error_flag():
        one = fail("zero")
        one.wait()
        return (one.ready, one.error, one.expired)
    s("error flag", error_flag)
    s("wait", lambda: (lambda one: (one.wait(), one.ready, one.error, one.value))(add(2, 2)))

    def with_callback():
        heard = []
        one = add(3, 4)
        one.add_callback(lambda result: heard.append(result.value))
        one.wait()
        one.add_callback(lambda result: heard.append(-result.value))
        return heard
    s("callback", with_callback)
    s("timed", lambda: rpyc.timed(r.add, 10)(1, 2).value)
    s("expires", lambda: type_of_error(lambda: rpyc.timed(r.sleep_echo, 0.05)(0.3, "late").value))
    s("after expiry", lambda: r.add(1, 1))
    s("slow", lambda: sleep(0.01, "v").value)
    s("ping", lambda: s.conn.ping())
    s("ping data", lambda: s.conn.ping("x" * 5000))
    s("ping bytes", lambda: s.conn.ping(b"\0" * 10))

    def ticks():
        heard = []
        result = r.tick(heard.append, 3, 0.001)
        eventually(lambda: (s.conn.poll_all(0.01), len(heard) == 3)[1], what="three ticks")
        return result, heard
    s("tick", ticks)


# References.

@probe("core")
def lifetimes(s):
    r = s.root
    tag = fresh("life")

    def finals(n):
        return s.log(tag, lambda lines: len(lines) >= n)
    s("dropped at once", lambda: (r.tracked(tag + "a").name == tag + "a", gc.collect() and 0, finals(1)))
    kept = s("kept", lambda: r.tracked(tag + "b"))
    s("still there", lambda: (kept.name == tag + "b", finals(1)))
    s("given back", lambda: (r.echo(kept) is kept, r.same(kept, kept), r.echo((1, kept))[1] is kept, finals(1)))

    def release():
        nonlocal kept
        kept = None
        gc.collect()
        return finals(2)
    s("released", release)

    def held():
        r.hold(r.tracked(tag + "c"))
        gc.collect()
        before = finals(2)
        r.release()
        return before, finals(3)
    s("held", held)

    def in_list():
        box = r.get_list()
        box[0] = r.tracked(tag + "d")
        gc.collect()
        before = finals(3)
        del box[0]
        return before, finals(4)
    s("in a list", in_list)

    def by_closing():
        other = s.connect()
        mine = other.root.tracked(tag + "e")
        before = finals(4)
        other.close()
        return before, finals(5), mine is not None
    s("by closing", by_closing)
    s("by closing while held", lambda: hold_and_close(s, tag, finals))


def hold_and_close(s, tag, finals):
    other = s.connect()
    other.root.hold(other.root.tracked(tag + "f"))
    gc.collect()
    other.close()
    before = finals(5)
    s.root.release()
    return before, finals(6)


@probe("core")
def connection_events(s):
    tag = fresh("conn")
    other = s.connect()
    s("tag", lambda: other.root.tag(tag))
    s("nothing yet", lambda: s.log(tag))
    s("closed", lambda: (other.close(), s.log(tag, bool)))
    third = s.connect()
    third.root.tag(tag + "x")
    s("socket lost", lambda: (third._channel.close(), s.log(tag + "x", bool)))


@probe("core")
def hanging_up(s):
    for how in ("socket", "close"):
        conn = s.connect()
        tag = fresh(how)
        conn.root.tag(tag)
        hang_up = conn.root.hang_up
        s(how, lambda: type_of_error(lambda: hang_up(how)))
        s(how + " log", lambda: s.log(tag, bool))
        s(how + " dead", lambda: type_of_error(lambda: conn.root.add(1, 2)))


@probe("core")
def parallel_connections(s):
    results = {}

    def work(number):
        conn = s.connect()
        results[number] = [conn.root.bump() for _ in range(5)] + [conn.root.add(number, 1)]
        conn.close()
    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    s("results", lambda: {str(key): value for key, value in results.items()})


@probe("core")
def pickling(s):
    from rpyc.utils.classic import obtain
    root = s.connect("pickle").root
    s("list", lambda: obtain(root.get_list()))
    s("dict", lambda: obtain(root.get_dict()))
    s("empty", lambda: obtain(root.empty_list()))
    s("denied", lambda: type_of_error(lambda: obtain(s.root.get_list())))
    s("denied raw", lambda: s.conn.sync_request(consts.HANDLE_PICKLE, s.root.get_list(), 2))
    for protocol in range(5):
        s("protocol %d" % protocol, lambda: pickle.loads(root.____conn__.sync_request(consts.HANDLE_PICKLE, root.get_list(), protocol)))
