"""Like containers.py, for the methods of str, bytes and numbers and for the constructors: a target of type "class" is the
builtin class of that name, and its method "__call__" is its constructor."""
import json
import os
import sys

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "containers.py")) as f:
    exec(f.read().split("\nL, D, S =")[0])

TEXTS = ["", " ", "abc", "a,b,,c", "  a b\tc \n", "Äpfel ünd Öl", "aXbXc", "one\r\ntwo\nthree", "x" * 5, "日本 語", "ab ab AB aB", "-42", "\u00a0a\u2003", "3.5e2", "tïtle case it's"]
cases = []


def case(target, method, *args, **kwargs):
    cases.append((target, method, args, kwargs))


def either(text, method, *args):
    case(text, method, *args)
    try:
        if text.isascii() and not any(isinstance(a, str) and not a.isascii() for a in args):
            case(text.encode(), method, *[a.encode() if isinstance(a, str) else a for a in args])
    except AttributeError:  # 3.6
        pass


for t in TEXTS:
    for m in ("upper", "lower", "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines"):
        either(t, m)
    for m in ("capitalize", "swapcase", "isdigit", "isalpha", "isspace", "isalnum", "isascii", "islower", "isupper",
              "isidentifier", "isdecimal", "encode", "expandtabs", "casefold"):
        case(t, m)
    case(t, "splitlines", True)
    for s in (",", "b", " ", "X", "ab", "é", "ü"):
        for m in ("split", "rsplit", "find", "rfind", "index", "rindex", "count", "startswith", "endswith", "partition",
                  "rpartition", "strip", "lstrip", "rstrip"):
            either(t, m, s)
        either(t, "replace", s, "<>")
        either(t, "replace", s, "", 1)
        either(t, "split", s, 1)
        either(t, "rsplit", s, 1)
        either(t, "find", s, 2)
        either(t, "find", s, -3, -1)
        either(t, "rindex", s, 1, 100)
        either(t, "count", s, 1)
    for n in (0, 1, 2):
        either(t, "split", None, n)
        either(t, "rsplit", None, n)
    for n in (0, 4, 9, 12):
        for m in ("center", "ljust", "rjust", "zfill"):
            either(t, m, n)
        case(t, "center", n, "é")
    case(t, "find", "", 99)
    case(t, "find", "", 1, 0)
    case(t, "replace", "", "-")
    case(t, "encode", "ascii", "replace")
    case(t, "encode", "latin-1", "ignore")
    case(t, "join", ["1", "2"])
case("a", "join", ["x", 1])
case(b"a", "join", [b"x", "y"])
case("a", "join", 5)
case("a", "split", "")
case("a", "split", 1)
case("a", "startswith", ("b", "a"))
case("a", "startswith", 1)
case("a", "find", 1)
case("a", "encode", "no-such")
case("é", "encode", "ascii")
case("a", "center", "x")
case("a", "zfill", None)
case("a", "replace", "a")
case(b"\xff\xfe", "decode")
case(b"\xff\xfe", "decode", "latin-1")
case(b"abc\xc3\xa4", "decode", "utf-8")
case(b"a\xffb", "decode", "utf-8", "replace")
case(b"a\xffb", "decode", "ascii", "ignore")
case(b"a\xffb", "decode", "ascii")
case(b"\x00\xff", "hex")

INTS = [0, 1, -1, 7, -7, 12, 255, 2 ** 70, -2 ** 70]
for a in INTS:
    for b in INTS:
        for m in ("__divmod__", "__rdivmod__", "__and__", "__or__", "__xor__"):
            case(a, m, b)
    for b in (0, 1, 3, 65, -1):
        for m in ("__lshift__", "__rshift__", "__pow__"):
            if not (m == "__pow__" and a and b < 0 and abs(a) > 1):
                case(a, m, b)
        case(a, "__round__", b)
        case(a, "__round__", -b)
    case(a, "bit_length")
    case(a, "__round__")
    case(a, "__pow__", 5, 13)
case(2, "__pow__", 3, 0)
case(1.5, "__divmod__", 0.4)
case(1.5, "__divmod__", 0)
for f in (0.5, 1.5, 2.5, -2.5, 2.675, 1e300, 123.456, -0.04, float("nan")):
    for d in (0, 1, 2, 400):
        case(f, "__round__", d)
    if f == f:
        case(f, "__round__")
    case(f, "__round__", -1)
    case(f, "is_integer")
case(2.0, "__pow__", 0.5)
case(0.0, "__pow__", -1)


class Class:
    def __init__(self, c):
        self.c = c


def make(c, *args, **kwargs):
    case(Class(c), "__call__", *args, **kwargs)


for x in ("5", " 12 ", "-3", "+4", "1_000", "1__0", "_1", "0x1f", "0b11", "foo", "", "٣", 5, 5.7, -5.7, True, None, [], b"7", "1" * 30,
          float("inf"), float("nan"), "1.5", 1j):
    make(int, x)
    make(float, x)
for x, b in (("ff", 16), ("0xff", 16), ("0xff", 0), ("077", 0), ("0o77", 0), ("0b101", 2), ("z", 36), ("9", 8), ("1", 1), ("1", 37), (5, 10),
             ("00", 0), ("-0x10", 16), ("", 0), ("1", "x")):
    make(int, x, b)
for x in ("inf", "-Infinity", "nan", "1e5", "1_0.5", "1_.5", ".5", "5.", "0x1p3", "--1", "1e400", 10 ** 400):
    make(float, x)
for c in (int, float, bool, str, bytes, tuple, list, set, frozenset, dict, complex):
    make(c)
for c in (list, tuple, set, frozenset):
    for x in ("abc", [1, 2, 1], (), {"k": 1}, 5, None, [[1]]):
        if c in (list, tuple) or x != "abc":
            make(c, x)
make(list, 1, 2)
make(dict, [("a", 1), ("b", 2)])
make(dict, {"a": 1}, b=2)
make(dict, [1])
make(dict, 1)
make(dict, {}, {})
make(str, 5)
make(str, None)
make(str, b"ab", "utf-8")
make(str, b"ab")
make(str, "x", "utf-8")
make(bytes, 3)
make(bytes, [1, 2, 255])
make(bytes, [256])
make(bytes, -1)
make(bytes, "x")
make(bytes, "xä", "utf-8")
make(bytes, None)
make(bool, [])
make(bool, "a")
make(slice, 5)
make(slice, 1, 2, 3)
make(slice)
make(complex, 1, 2)
make(complex, "1+2j")
make(complex, "x")

print(json.dumps({"version": list(sys.version_info[:2])}))
for target, method, args, kwargs in cases:
    line = {"method": method, "args": [enc(a) for a in args], "kwargs": [[k, enc(v)] for k, v in kwargs.items()]}
    line["target"] = {"t": "class", "v": target.c.__name__} if isinstance(target, Class) else enc(target)
    f = target.c if isinstance(target, Class) else getattr(target, method, None)
    if f is None:
        continue
    try:
        r = f(*args, **kwargs)
        line["result"] = "{" + ", ".join(sorted(map(repr, r))) + "}" if isinstance(r, set) and r else repr(r)
    except Exception as e:
        line["error"] = type(e).__name__ + ": " + str(e)
    line["after"] = repr(target) if not isinstance(target, Class) else repr(target.c)
    print(json.dumps(line))
