"""Applies methods to builtin objects and prints what CPython does, one JSON object per line.

{"target", "method", "args", "kwargs": values as {"t": type, "v": …},
 "result": repr or null, "error": "Class: message" or null, "after": repr of the target}
"""
import copy
import json
import sys


def enc(v):
    if v is None or v is Ellipsis or v is NotImplemented:
        return {"t": repr(v)}
    if isinstance(v, bool):
        return {"t": "bool", "v": v}
    if isinstance(v, (int, float, complex)):
        return {"t": type(v).__name__, "v": repr(v)}
    if isinstance(v, str):
        return {"t": "str", "v": v}
    if isinstance(v, bytes):
        return {"t": "bytes", "v": list(v)}
    if isinstance(v, slice):
        return {"t": "slice", "v": [enc(x) for x in (v.start, v.stop, v.step)]}
    if isinstance(v, dict):
        return {"t": "dict", "v": [[enc(k), enc(x)] for k, x in v.items()]}
    return {"t": type(v).__name__, "v": [enc(x) for x in v]}


L, D, S = [1, 2.5, "x", None], {"a": 1, 2: "b"}, {1, 2, 3}
cases = []


def case(target, method, *args, **kwargs):
    cases.append((target, method, args, kwargs))


for i in (0, 1, -1, -4, 4, -5, True, 10**30, -10**30, "0", 1.0, None, (), slice(1, 3), slice(None, None, -1),
          slice(-3, None, 2), slice(5, 1, -2), slice(None, None, 0), slice("a", None), slice(10**30, None, -1),
          slice(None, 2.0), slice(0, 0), slice(3, 1)):
    for t in (L, (1, 2, 3, 4), "aébc", b"abcd"):
        case(t, "__getitem__", i)
    case(L, "__delitem__", i)
    case(L, "__setitem__", i, 9)
    case(L, "__setitem__", i, "yz")
    case([1, 2, 3], "__setitem__", i, [7, 8, 9])
for v in (1, 1.0, True, "x", None, "nope", [], float("nan"), 2.5):
    for m in ("__contains__", "index", "remove", "count"):
        case(L, m, v)
case(L, "__getitem__")
case(L, "__getitem__", 1, 2)
case(L, "__len__")
case(L, "__len__", 1)
case(L, "append")
case(L, "append", 1, 2)
case(L, "append", [1])
case(L, "append", x=1)
case(L, "__len__", x=1)
case(L, "pop")
case(L, "pop", 0)
case(L, "pop", -2)
case(L, "pop", 9)
case(L, "pop", "x")
case(L, "pop", 1, 2)
case([], "pop")
case(L, "insert", 1, "new")
case(L, "insert", -1, "new")
case(L, "insert", 100, "new")
case(L, "insert", -100, "new")
case(L, "insert", 1)
case(L, "insert", "a", 1)
case(L, "extend", (5, 6))
case(L, "extend", "ab")
case(L, "extend", 5)
case(L, "extend", {"k": 1})
case(L, "clear")
case(L, "clear", 1)
case(L, "copy")
case(L, "reverse")
case([3, 1, 2], "sort")
case([3, 1, 2], "sort", reverse=True)
case([3, 1, 2], "sort", 1)
case([3, 1, 2], "sort", nope=1)
case([3, "a", 2], "sort")
case([(2, "b"), (1, "a"), (2, "a")], "sort")
case([True, 0.5, 0, -1], "sort")
case([[2], [1, 5], []], "sort")
case(L, "index")
case(L, "index", "x", 0, 2)
case(L, "index", "x", 2)
for o in ([1], [], L, (1,), "a", 5, {"a": 1}, None):
    for m in ("__add__", "__iadd__", "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"):
        case(L, m, o)
case([1, 2], "__lt__", [1, 3])
case([1, 2], "__lt__", [1, "a"])
case([1, 2], "__ge__", [1])
case([[1], [2]], "__eq__", [[1.0], [True + 1]])
for o in (0, 2, -1, True, "a", 1.5, None):
    for m in ("__mul__", "__rmul__", "__imul__"):
        case(L, m, o)
case(L, "__hash__x")
case([1, "it's", 'say "x"', "both'\"", b"b'\x00\xff", 1e16, 1e-5, 0.1, float("inf"), -0.0, 1 + 2j, -1j, 1e22,
      (1,), (), [], {}, {1: {2: 3}}, "\n\t\\\x01\x7f\xa0\u2028\U0001f600é", 10**30, True], "__repr__")
case({1.5, "a"} and {7}, "__repr__")
case(frozenset([1]), "__repr__")
case(slice(1, None, -1), "__repr__")

for k in ("a", "b", 2, 2.0, None, [], {}, (1, 2), (1, []), True):
    case(D, "__getitem__", k)
    case(D, "__delitem__", k)
    case(D, "__contains__", k)
    case(D, "__setitem__", k, "new")
    case(D, "get", k)
    case(D, "get", k, "dflt")
    case(D, "pop", k)
    case(D, "pop", k, "dflt")
    case(D, "setdefault", k, "dflt")
case({1: "a"}, "__getitem__", True)
case({1: "a"}, "__setitem__", 1.0, "b")
case(D, "__len__")
case(D, "get")
case(D, "get", 1, 2, 3)
case(D, "keys")
case(D, "values")
case(D, "items")
case(D, "keys", 1)
case(D, "copy")
case(D, "clear")
case(D, "popitem")
case({}, "popitem")
case(D, "update", {"a": 5, "z": 6})
case(D, "update", [("q", 1), [7, 8]])
case(D, "update", q=1, r=2)
case(D, "update", {"a": 5}, z=1)
case(D, "update", [1])
case(D, "update", ["abc"])
case(D, "update", 5)
case(D, "update", 1, 2)
for o in (D, {}, {"a": 1.0, 2: "b"}, {2: "b", "a": 1}, [], None, {"a": 1, 3: "b"}):
    for m in ("__eq__", "__ne__", "__lt__", "__or__"):
        case(D, m, o)
case(D, "__repr__")

for o in (S, {1}, {1, 2, 3, 4}, frozenset([2, 3]), set(), [1], "a", 5, {7}):
    for m in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__sub__", "__and__", "__xor__", "__or__"):
        case(S, m, o)
    for m in ("issubset", "issuperset", "isdisjoint"):
        case(S, m, o)
    for m in ("__ior__", "__iand__", "__isub__", "__ixor__"):
        case({5}, m, o)
for v in (1, 9, 1.0, [], "x"):
    for m in ("__contains__", "add", "remove", "discard"):
        case({1}, m, v)
case({1}, "pop")
case(set(), "pop")
case({1}, "union", [2], (3,))
case({1, 2}, "intersection", [2, 3])
case({1, 2}, "difference", [2])
case({1, 2}, "symmetric_difference", [2, 3])
case({1}, "update", [2], [3])
case({1, 2}, "difference_update", [2])
case({1, 2}, "intersection_update", [2])
case({1}, "union", 5)
case({1}, "add")
case({1}, "copy")
case({1}, "clear")
case(set(), "__repr__")

numbers = (0, 1, -7, 3, 10**20, -10**25, True, 0.5, -2.0, 0.0, 1e300, 2j, 1 + 1j)
for a in numbers:
    for b in numbers + ("x", None):
        for op in ("add", "sub", "mul", "truediv", "floordiv", "mod", "radd", "rsub", "eq", "lt", "ge", "ne"):
            if isinstance(a, complex) and op in ("floordiv", "mod"):
                continue
            if op == "truediv" and isinstance(a, complex) | isinstance(b, complex):
                continue
            case(a, "__%s__" % op, b)
    if not isinstance(a, complex):
        case(a, "__int__")
        case(a, "__float__")
    case(a, "__neg__")
    case(a, "__abs__")
    case(a, "__bool__")
for t in ("abc", b"abc", (1, 2)):
    for o in ("bc", b"bc", 98, 300, (2,), 2, None, "abc", b"abc", (1, 2), (1, 3)):
        for m in ("__contains__", "__add__", "__eq__", "__lt__", "__ge__"):
            case(t, m, o)
    case(t, "__len__")


def rep(v):
    """repr with the items of a set sorted"""
    return "{" + ", ".join(sorted(map(repr, v))) + "}" if type(v) is set and v else repr(v)


def name(e):
    return type(e).__name__ + ": " + str(e)


print(json.dumps({"version": list(sys.version_info[:2])}))
for target, method, args, kwargs in cases:
    t = copy.deepcopy(target)
    a = copy.deepcopy(args)
    line = {"target": enc(target), "method": method, "args": [enc(x) for x in args],
            "kwargs": [[k, enc(v)] for k, v in kwargs.items()], "result": None, "error": None}
    try:
        f = getattr(t, method)
    except AttributeError:
        continue
    try:
        r = f(*a, **kwargs)
        line["result"] = rep(r)
    except Exception as e:
        line["error"] = name(e)
    line["after"] = rep(t)
    print(json.dumps(line))
