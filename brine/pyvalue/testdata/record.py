"""Writes golden.jsonl: what this CPython says of plain values. Recorded with CPython 3.11.7.

A value is null, true, false, "...", ["i", decimal], ["f", hex], ["c", hex, hex], ["s", hex of UTF-8], ["b", hex],
["t", items],
["F", items] or ["L", items]; a result may also be {"raise": [class, message]}.
"""
import ast
import itertools
import json
import keyword
import operator
import sys

inf, nan = float("inf"), float("nan")
P = 2 ** 61 - 1


def enc(v):
    if v is None or v is True or v is False:
        return v
    if v is Ellipsis:
        return "..."
    if v is NotImplemented:
        return "NotImplemented"
    t = type(v)
    if t is int:
        sys.set_int_max_str_digits(0)
        text = str(v)
        sys.set_int_max_str_digits(4300)
        return ["i", text]
    if t is float:
        return ["f", v.hex()]
    if t is complex:
        return ["c", v.real.hex(), v.imag.hex()]
    if t is str:
        return ["s", v.encode("utf-8", "surrogateescape").hex()]
    if t is bytes:
        return ["b", v.hex()]
    if t is slice:
        return ["L", [enc(v.start), enc(v.stop), enc(v.step)]]
    if t in (list, tuple, frozenset):
        return [{list: "l", tuple: "t", frozenset: "F"}[t], [enc(x) for x in v]]
    if t is dict:
        return ["d", [[enc(k), enc(x)] for k, x in v.items()]]
    raise TypeError(t)


def run(f, *args):
    try:
        return enc(f(*args))
    except RecursionError:
        raise
    except Exception as e:
        return {"raise": [type(e).__name__, str(e)]}


lines = []


def put(**kw):
    lines.append(json.dumps(kw, ensure_ascii=True, separators=(",", ":")))


ints = [0, 1, -1, 2, -2, 3, 7, -7, 10, 255, 256, 2 ** 31, 2 ** 53, 2 ** 53 + 1, -2 ** 53 - 1, 2 ** 62, 2 ** 63 - 1,
        2 ** 63,
        -2 ** 63, -2 ** 63 - 1, 2 ** 64, P, -P, P + 1, P - 1, 2 * P, -2 * P, 3 * P + 5, 10 ** 19, 10 ** 30, -10 ** 30,
        10 ** 308,
        10 ** 309, -10 ** 400, 10 ** 4299 - 1]
floats = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 0.1, 1 / 3, 1e15, 1e16, 1e17, 123456789012345680.0, 1e22,
          1e-4, 1e-5,
          9.999e-5, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -1e308, 2.0 ** 53, 2.0 ** 61,
          2.0 ** 61 - 512, 2.0 ** 63,
          -2.0 ** 63, 2.0 ** 64, float(P), 1e300, 314159.0, inf, -inf, nan, 255.0, 7.0, -7.0, 3.0]
complexes = [0j, 1 + 0j, 1j, -1j, 1 + 2j, -1.5 - 2.5j, complex(-0.0, 1), complex(0.0, -0.0), complex(-0.0, -0.0),
             complex(1, -0.0),
             complex(nan, 1), complex(1, nan), complex(inf, -inf), complex(1e16, 1e-5), complex(2, 0), complex(0, inf),
             3 + 0j]
texts = ["", "a", "abc", "it's", 'say "hi"', "it's \"both\"", "back\\slash", "new\nline\ttab\rcr",
         "\x00\x1f\x7f\x80\x9f\xa0\xad",
         "é", "ü" * 3, "日本語", "\u2028\u2029\u200b\ufeff", "\U0001f600", "\U000e0001", "\uffff", "\U0010ffff", "\ue000",
         "x" * 100,
         b"\xff\xfe".decode("utf-8", "surrogateescape"), b"ok\x80".decode("utf-8", "surrogateescape")]
bytess = [b"", b"a", b"it's", b'say "hi"', b"it's \"both\"", b"\x00\n\r\t\\\x7f\x80\xff", bytes(range(256))]
scalars = [None, True, False, Ellipsis, NotImplemented] + ints + floats + complexes + texts + bytess
containers = [(), (1,), (1, 2), (None, "a", b"b", 1.5), ((),), ((1, (2, (3,))),), (1.0, True, 1), (nan,), frozenset(),
              frozenset([1]),
              frozenset([1, 2, 3]), frozenset([1.5, 2 ** 70, -1]), frozenset([(1, 2)]), frozenset([frozenset([1]),
              frozenset()]),
              slice(None), slice(1, 2, 3), slice(None, "a", (1,)), tuple(range(50)), (-1, -2), (P, 2 * P), (0.5, 1j),
              (1, -1, 0.1),
              frozenset(range(100)), frozenset([0.25, 0.125, -3]), (slice(1, 2),), (frozenset([7]), (8,)), (0,),
              (False,), (0, 0)]


def hashes(v):  # whether the hash is the same in every process
    if isinstance(v, (tuple, frozenset)):
        return all(hashes(x) for x in v)
    return isinstance(v, (int, float, complex)) and v == v and not (isinstance(v, complex) and v != v)


values = scalars + containers
for v in values:
    bare = NotImplemented if v is NotImplemented else v
    put(what="value", v=enc(v), repr=repr(v).encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
        truth=True if v is NotImplemented else bool(v), type=type(v).__name__, hash=str(hash(v)) if hashes(v) else "")

compared = [None, True, False, Ellipsis] + ints[:30] + floats + complexes + texts[:4] + bytess[:3] + containers
put(what="compared", values=[enc(v) for v in compared])
for a in compared:
    # two occurrences of one object are told apart, as values that travel are
    row = ""
    for b in compared:
        row += "1" if (a == b and not (isinstance(a, tuple) and a and a[0] is nan)) else "0"
    order = ""
    for b in compared:
        try:
            order += "1" if a < b else "0"
        except TypeError:
            order += "-"
    put(what="row", eq=row, lt=order)

numbers = [True, 0, 1, -2, 3, 7, -7, 2 ** 63 - 1, -2 ** 63, 2 ** 64, -10 ** 30, 10 ** 309, 0.0, -0.0, 0.5, -2.5, 3.0,
           1e16, 1e308, 5e-324,
           inf, -inf, nan, 1 + 2j, 0j]
binary = {"add": operator.add, "sub": operator.sub, "mul": operator.mul, "truediv": operator.truediv,
          "floordiv": operator.floordiv,
          "mod": operator.mod}
for name, f in binary.items():
    for a, b in itertools.product(numbers, numbers):
        put(what="op", op=name, a=enc(a), b=enc(b), r=run(f, a, b))
small = [True, False, 0, 1, -1, 2, -2, 3, 7, -7, 10, 64, 2 ** 63 - 1, -2 ** 63, 2 ** 64, -10 ** 30]
for name, f in {"and": operator.and_, "or": operator.or_, "xor": operator.xor}.items():
    for a, b in itertools.product(small, small):
        put(what="op", op=name, a=enc(int(a)), b=enc(int(b)), r=enc(int(f(a, b))))
for name, f in {"lshift": operator.lshift, "rshift": operator.rshift}.items():
    for a, b in itertools.product(small, [0, 1, 2, 7, 63, 64, 100, -1]):
        put(what="op", op=name, a=enc(a), b=enc(b), r=run(f, a, b))
for a, b in itertools.product([0, 1, -1, 2, -2, 3, 10, -10, 2 ** 64, 0.0, -0.0, 0.5, 2.5, -2.5, inf, -inf, nan, 1e200],
                              [0, 1, 2, 3, 10, 100, -1, -2, 0.0, 0.5, -0.5, 2.0, 3.5, inf, -inf, nan]):
    r = run(operator.pow, a, b)
    if not (isinstance(r, list) and r[0] == "c"):  # powers of complex numbers are not supported
        put(what="op", op="pow", a=enc(a), b=enc(b), r=r)
for a, b in itertools.product([0, 1, -1, 7, -7, 10 ** 20, 2.5, -2.5, inf, nan, -0.0], [1, -1, 3, -3, 10 ** 10, 0.5,
        -0.5, inf, 0, 0.0]):
    put(what="op", op="divmod", a=enc(a), b=enc(b), r=run(divmod, a, b))
for a in [0, 1, 15, 25, 35, -15, 12345, 10 ** 30 + 5, 0.5, 1.5, 2.5, -2.5, 2.675, 1.005, 0.1, 1e16, 123.456, -123.456,
          1e300, inf, nan, -0.0,
          5e-324, 15.0, 25.0, 1e22]:
    for d in [None, 0, 1, 2, 3, -1, -2, 10, 400, -400]:
        put(what="round", a=enc(a), b=enc(d), r=run(round, a, d) if d is not None else run(round, a))
for a, b, m in itertools.product([0, 1, 3, -3, 10 ** 20], [0, 1, 5, -1, 10 ** 10], [1, -1, 7, -7, 10, 0]):
    put(what="pow3", a=enc(a), b=enc(b), m=enc(m), r=run(pow, a, b, m))

int_texts = ["0", "1", "-1", "+5", " 7 ", "\t\n8\r\x0b\x0c", "\x1c9\x1f", "\x85\xa0 10", "\u30001\u2003", "", " ", "-",
             "+", "--1", "+-1", "1 2", "1_0", "_1",
             "1_", "1__0", "0_1", "0x10", "0X1f", "0x", "0x_1f", "0x__1", "0b101", "0B2", "0o17", "0o8", "017", "00",
             "0_0", "1.0", "1e5",
             "٣", "१२३", "１２", "²", "Ⅷ", "abc", "z", "ff", "it's", "a" * 300, "9" * 4300, "9" * 4301, "0" * 4301,
             "-" + "9" * 4301,
             "1" + "_1" * 2000, "f" * 5000, "9223372036854775807", "9223372036854775808", "-9223372036854775808",
             "1\x00", "é"]
for t in int_texts:
    for base in (10, 0, 2, 16, 36, 8, 1, 37):
        if len(t) < 200 or base in (10, 16, 0):
            put(what="int", v=enc(t), base=base, r=run(int, t, base))
for t in [b"1", b" 12\n", b"\x1c1", b"\xa01", b"-5", b"0x1f", b"", b"x\xff", b"1_000"]:
    for base in (10, 0, 16):
        put(what="int", v=enc(t), base=base, r=run(int, t, base))
for t in ["0", "1.5", "-1.5", "+2", ".5", "5.", ".", "", " 1 ", "1e5", "1E5", "1e+5", "1e-5", "1e", "e5", "1e5.0",
          "1_0.5", "1__0", "_1", "1_", "1_.5",
          "1._5", "1e1_0", "1_e1", "nan", "NaN", "-nan", "+nan", "inf", "-inf", "+Infinity", "iNf", "infinit", "in_f",
          "0x10", "0x1p3", "1p3", "1e400", "-1e400", "1e-400",
          "--1", "+-1", "1+1", "1-1", "1d5", "٣.٤", "\x1c1", "\u20031", "1\x00", "it's", "1,5", "0.1e-5",
          "123456789012345678901234567890",
          "179769313486231580793728971405301e276", "4.9e-324", "2.4e-324", "9" * 400]:
    put(what="float", v=enc(t), r=run(float, t))
for t in [b"1.5", b"\xa01", b" 1\n", b"nan", b"x", b"1_0"]:
    put(what="float", v=enc(t), r=run(float, t))
for t in ["1", "1.5", "1j", "-1j", "j", "+j", "-j", "1+2j", "1-2j", "1e5+2e-5j", "1e+5-2e+5j", " 1+2j ", "(1+2j)",
          "( 1+2j )", "1 + 2j", "1+2", "1+2i", "nan", "nanj",
          "inf-infj", "1+j", "1-j", "", "()", "1j+2", "1__0j", "1_0j", "1+-2j", "1j2", "1J", "infinityj"]:
    put(what="complex", v=enc(t), r=run(complex, t))

literals = ["None", "True", "False", "...", "1", "-1", "+1", "0x1F", "0b11", "0o17", "1_000", "00", "01", "1.", ".5",
            "1e5", "1e-5", "-1.5e300", "1j", "-2j", "1+2j",
            "1-2j", "-1.5-2.5j", "1 + 2j", "0j", "1__0", "1_", "0x", "1e", "9" * 50, "'a'", '"a"', "'it\\'s'", "''",
            "'''a\nb'''", '"""q"q"""', "r'\\n'", "R'\\''",
            "b'a'", "b'\\xff\\n'", "B'x'", "rb'\\n'", "bR'\\x'", "u'x'", "'a' 'b'", "b'a' b'b'", "'a' b'b'",
            "'\\x41\\u00e9\\U0001F600\\101\\0\\18'",
            "'\\a\\b\\f\\n\\r\\t\\v\\\\\\q'", "'a\\\nb'", "'\\x4'", "'\\u12'", "b'\\x4'", "b'\\u1234'", "b'\\400'",
            "b'é'", "'é日'", "'open", "\"open'", "()", "(1,)", "(1, 2)", "(1)",
            "((1, (2,)), 'x')", "( 1 , )", "(,)", "(1,,)", "(1 2)", "(1", "1, 2", "1,", "[]", "[1, [2], 'x']", "[1,]",
            "[,]", "{}", "{'a': 1, 2: (3,)}", "{'a': [None]}",
            "{'a' 1}", "{1: 2,}", "{1: 2, 1: 3}", "none", "true", "x", "1 2", "", " ", "f(1)", "--1", "- 1",
            "'a' + 'b'", "1 if 1 else 2", "not 1", "(1, 2j, -3.0)", "'\\N'", "1.5.2",
            "0777", "0_7", "1e5j", "1_0j", "09.5", "09j", "True.x", "'\\ud800'"[:0] + "'\\ufffd'", "0xffff_ffff",
            "1E+10", "5 .real", "Ellipsis", "(1+2j, 3)", "-True"]
for t in literals:
    try:
        r = enc(ast.literal_eval(t))
    except (SyntaxError, ValueError, TypeError):
        r = {"raise": ["", ""]}
    put(what="literal", v=enc(t), r=r)
put(what="keywords", r=sorted(keyword.kwlist))
for t in ["a", "_", "a1", "1a", "", "é", "日本", "a-b", "a b", "a.b", "None", "π2", "a\u0301", "\u0301a", "²", "a²", "Ⅷ",
          "a·b", "℘", "x\u203fy", "\u203f", "a\n"]:
    put(what="identifier", v=enc(t), r=t.isidentifier())
with open(__file__.rsplit("/", 1)[0] + "/golden.jsonl", "w") as f:
    f.write(json.dumps({"what": "python", "version": sys.version.split()[0]}) + "\n" + "\n".join(lines) + "\n")
