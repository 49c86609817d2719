"""Values and calls."""
import operator
import sys

from rpyc.core import consts

from describe import RPYC, methods, operators
from probes.steps import fresh, probe

VALUES = {
    "none": None, "true": True, "false": False, "zero": 0, "one": 1, "minus": -1, "imm_low": -48, "imm_high": 159,
    "past_low": -49, "past_high": 160, "int64": 2 ** 63 - 1, "int64_min": -2 ** 63, "int65": 2 ** 63,
    "uint64": 2 ** 64 - 1,
    "huge": 10 ** 300 + 7, "huge_negative": -3 ** 500, "digits_255": int("9" * 255), "digits_256": int("9" * 256),
    "digits_4300": int("7" * 4300),
    "float": 1.5, "float_zero": 0.0, "float_minus_zero": -0.0, "inf": float("inf"), "minus_inf": float("-inf"),
    "nan": float("nan"), "tiny": 5e-324, "pi": 3.141592653589793, "big_float": 1.7976931348623157e308,
    "complex": 1.5 - 2j, "complex_zero": complex(-0.0, 0.0), "complex_inf": complex(float("inf"), float("nan")),
    "str_empty": "", "str": "hello", "str_latin": "caf\u00e9", "str_cjk": "\u4f60\u597d",
    "str_astral": "\U0001f40d\U0001f439",
    "str_nul": "a\0b", "str_bom": "\ufeffx", "str_255": "x" * 255, "str_256": "y" * 256, "str_utf8_256": "\u00e9" * 128,
    "bytes_empty": b"", "bytes_1": b"\0", "bytes_4": b"abcd", "bytes_5": b"abcde", "bytes_all": bytes(range(256)),
    "bytes_255": b"z" * 255, "bytes_256": b"z" * 256,
    "tuple_empty": (), "tuple_1": (1,), "tuple_4": (1, 2, 3, 4), "tuple_5": (1, 2, 3, 4, 5),
    "tuple_255": tuple(range(255)),
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

    mine = {"list": [1], "dict": {}, "set": {1}, "bytearray": bytearray(b"x"), "function": lambda: None,
            "class": Number,
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
    # before, other attributes were listed, and static methods undocumented
    if RPYC >= (6, 0, 1) and sys.version_info >= (3, 10):
        s("docs", lambda: {name: doc for name, doc in methods(s.conn, r.make_point(1, 2)).items()
                           if name.startswith("exposed_")})
        s("gadget methods", lambda: {name: doc for name, doc in methods(s.conn, r.make_gadget()).items()
                                     if name[:2] != "__"})
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
