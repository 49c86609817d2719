"""Writes expressions.jsonl, what CPython 3.11 makes of expressions about text, formatting and constructors: one
[expression, repr of its value or "Exception: text"] a line. Run with CPython 3.11:

    python3.11 record.py > expressions.jsonl
"""
import json
import sys
import warnings

assert sys.version_info[:2] == (3, 11), "the texts of exceptions are those of CPython 3.11"
warnings.simplefilter("ignore")

TEXTS = ["", "abc", "a,b,,c", "  a b\tc \n", "Äpfel ünd Öl", "one\r\ntwo\nthree\x85four", "日本 語", "ab ab AB aB", "-42",
         "\u00a0a\u2003", "tïtle case it's", "ǅ ǆ Ⅷ ªº", "x²٣Ⅻ"]
BYTES = [b"", b"abc", b"a,b,,c", b"  a b\tc \n", b"one\r\ntwo\x85\x0bthree", b"AbC dEf-42", b"\xa0a\xff\x00", b"+7"]
expressions = []


def add(*texts):
    expressions.extend(texts)


def each(values, *methods):
    add(*["%r.%s" % (v, m) for v in values for m in methods])


each(TEXTS + BYTES, "upper()", "lower()", "strip()", "lstrip()", "rstrip()", "split()", "rsplit()", "splitlines()",
    "splitlines(True)",
     "capitalize()", "swapcase()", "title()", "isdigit()", "isalpha()", "isspace()", "isalnum()", "isascii()",
     "islower()", "isupper()",
     "istitle()", "expandtabs()", "split(None, 1)", "rsplit(None, 1)", "split(maxsplit=0)", "rsplit(None, 0)",
     "zfill(6)", "center(9)",
     "ljust(5)", "rjust(5)", "center(6)")
each(TEXTS, "isidentifier()", "isdecimal()", "encode()", "casefold()", "encode('ascii', 'replace')",
    "encode('latin-1', 'ignore')",
     "encode('ascii', 'backslashreplace')", "encode('ascii', 'xmlcharrefreplace')", "encode('ascii')",
     "encode('latin1')",
     "find('', 99)", "find('', 1, 0)", "replace('', '-')", "join(['1', '2'])", "center(7, 'é')")
each(BYTES, "hex()", "decode()", "decode('latin-1')", "decode('ascii', 'ignore')", "decode('utf-8', 'replace')",
     "decode('utf-8', 'backslashreplace')", "decode('ascii')", "decode('utf-8', 'surrogateescape')")
for values, parts in ((TEXTS, [",", "b", " ", "ab", "ü"]), (BYTES, [b",", b"b", b" ", b"ab", b"\xff"])):
    for p in parts:
        each(values, *["%s(%r)" % (m, p) for m in ("split", "rsplit", "find", "rfind", "count", "startswith",
        "endswith", "partition",
                                                   "rpartition", "strip", "removeprefix", "removesuffix")])
        each(values[:6], "replace(%r, %r)" % (p, p + p), "replace(%r, %r, 1)" % (p, p[:0]), "split(%r, 1)" % p,
        "rsplit(%r, 1)" % p,
             "find(%r, 2)" % p, "find(%r, -3, -1)" % p, "index(%r)" % p, "rindex(%r, 1, 100)" % p, "count(%r, 1)" % p)

# Arguments that do not fit.
for a, other, nothing in (("'a'", "b'a'", "''"), ("b'a'", "'a'", "b''")):
    for m in ("strip({o})", "lstrip(5)", "split({o})", "split(5)", "split({n})", "rsplit({n})", "split(None, 'x')",
            "split(sep=5)", "find({o})",
              "find(5)", "find(500)", "find({s}, 'x')", "find({s}, None, None)", "find({s}, 10**30)",
              "find({s}, -10**30, 10**30)", "count({o})",
              "index({n}, 2)", "rindex({n}, 1)", "startswith({o})", "startswith(({s}, 5))", "startswith(5)",
              "endswith(())", "startswith({s}, 1)",
              "partition({o})", "partition({n})", "rpartition({n})", "join(5)", "join([{s}, {o}])", "join([5])",
              "join({n})", "join(iter([{s}, {s}]))",
              "replace({s})", "replace({o}, {s})", "replace({s}, {o})", "replace({s}, {s}, 'x')",
              "replace({s}, {s}, -1)", "removeprefix({o})",
              "removesuffix(5)", "ljust('x')", "ljust(5, {o})", "ljust(5, {n})", "center(5, {s} * 2)", "rjust(10**30)",
              "zfill('x')", "zfill(None)",
              "zfill(True)", "expandtabs('x')", "expandtabs(tabsize=2)", "expandtabs(0)", "splitlines(keepends=1)",
              "upper(1)",
              "upper(x=1)", "strip({s}, {s})", "encode('no-such')", "decode('no-such')", "encode(5)",
              "decode('utf-8', 'no-such')", "decode(5)", "isdigit(1)"):
        add(a + "." + m.format(s=a, o=other, n=nothing))
add("'é'.encode('ascii', 'no-such')", "b'\\xe9'.decode('ascii', 'no-such')", "b'\\xc3'.decode()",
    "b'\\xe2\\x82'.decode()", "b'a\\xe2\\x82b'.decode()",
    "b'\\xed\\xa0\\x80'.decode()", "b'\\xf0\\x9f\\x98'.decode('utf-8', 'replace')",
    "b'a\\xc0\\x80'.decode('utf-8', 'replace')",
    "b'\\xff\\xfe'.decode(errors='replace')", "b'x'.decode(encoding='U8')", "b'x'.decode('US-ASCII')",
    "'x'.encode('ISO_8859-1')", "'x'.encode('UTF8')")

# Methods that are read from their class, or through functions.
add("str.upper('a')", "str.upper(5)", "str.split('a b')", "str.split(5)", "bytes.split(b'a b')",
    "list(map(str.upper, ['a', 'b']))", "getattr(str, 'strip')(' a ')",
    "sorted(['b', 'A'], key=str.lower)", "str.join('-', 'abc')", "bytes.decode(b'a')", "str.format('{}', 1)",
    "int.__format__(5, '03')",
    "str.__mod__('%d', 5)", "str.__format__('a', '3')", "'a'.__format__(5)", "(5).__format__('')",
    "str.encode('é', 'latin-1')", "' '.join(map(str, range(3)))",
    "isinstance('a', str), isinstance(b'a', bytes), isinstance(True, int)", "type('a') is str, type(b'') is bytes",
    "str.__name__, bytes.__name__")

# The operator %.
for f, values in {
    "%s": ("'a'", "5", "None", "[1]", "'é'", "(1,)", "(1, 2)", "()", "{'a': 1}"), "%r": ("'é'", "b'x'", "1.5"),
    "%a": ("'é€😀'", "5"),
    "%d": ("5", "-5", "5.9", "-5.9", "True", "'x'", "None", "2**70", "[]", "1j", "float('nan')", "float('inf')"),
    "%i|%u": ("(3, -3)",), "%5d|%-5d|%05d|%+d|% d": ("(42,) * 5", "(-42,) * 5"),
    "%.3d|%8.3d|%-8.3d|%08.3d": ("(7,) * 4", "(-7,) * 4"),
    "%x|%X|%o|%#x|%#X|%#o": ("(255,) * 6", "(-255,) * 6", "(0,) * 6"), "%x": ("1.5", "'a'"),
    "%#08x|%-#8x|": ("(255, 255)",),
    "%e|%E|%.2e|%.0e|%#.0e": ("(12345.678,) * 5", "(0.0,) * 5"), "%f|%F|%.2f|%.0f|%#.0f": ("(2.675,) * 5",
    "(-0.0,) * 5", "(1e22,) * 5", "(5,) * 5"),
    "%g|%G|%.3g|%#g|%#.3g|%.0g": ("(1234567.0,) * 6", "(0.0001,) * 6", "(0.00001,) * 6", "(100.0,) * 6", "(1e100,) * 6",
    "(123.0,) * 6"),
    "%f": ("'x'", "None", "float('inf')", "float('-inf')", "float('nan')", "10**400", "True", "1j"),
    "%F": ("float('inf')",), "%+f|% f|%010.2f|%-10.2f|": ("(3.14159,) * 4",),
    "%05s|%5s|%-5s|%.2s|%5.1s": ("('abc',) * 5", "('é',) * 5"), "%c": ("'x'", "65", "'xy'", "''", "-1", "0x110000",
    "1.5", "8364"), "%5c|%-3c|": ("('x', 'y')",),
    "%(a)s %(b)05d": ("{'a': 1, 'b': 2}", "{'a': 1}", "(1, 2)", "5"), "%(a": ("{'a': 1}",),
    "%(a(b)c)s": ("{'a(b)c': 1}",), "%%": ("()", "5"), "100%% %s": ("'x'",),
    "%*d": ("(5, 1)", "(-5, 1)", "('x', 1)", "(5,)"), "%.*f": ("(2, 3.14159)", "(-1, 2.5)"),
    "%*.*f": ("(8, 2, 3.14159)",), "%ld %hd %Ld": ("(1, 2, 3)",),
    "%": ("5",), "%5": ("5",), "%q": ("5",), "%é": ("5",), "%z %d": ("5",), "%s %s": ("1", "(1,)"), "x": ("5", "{}",
    "[]", "'a'", "()"), "%-05d|%+05d|%- 5d": ("(3, 3, 3)",),
    "%0*d": ("(4, 7)",), "%#5x|%#-8o|%+x": ("(10, 8, 255)",), "%s|%.1s": ("(True, None)",), "%d %s": ("5",
    "(1, 'a', 2)"),
}.items():
    for v in values:
        add("%r %% %s" % (f, v))
for f, values in {b"%s": ("b'a'", "'a'", "5"), b"%b": ("b'\\xff'",), b"%a": ("'é'",), b"%r": ("'é'", "b'x'"),
        b"%d|%5d": ("(5, 6)",), b"%c": ("65", "b'x'", "256", "'x'", "b'xy'"),
                  b"%(a)s": ("{b'a': b'1'}",), b"%q": ("5",), b"\xff%d": ("1",), b"x": ("5",), b"%.1f": ("2.25",),
                  b"%s %s": ("(b'a',)",)}.items():
    for v in values:
        add("%r %% %s" % (f, v))

# Format specifications.
for spec in ("", "d", "5", "<5", "^5", ">5", "=5", "05", "+", "-", " ", "+05", "x", "X", "o", "b", "#x", "#X", "#o",
        "#b", "#010x", "c", "n", ",", "_", "010,", "_b", "_x", "e", ".2f", "%",
             ".1%", "g", ",.2f", "*^9", "é>6", "s", "q", ".3", ",b", ",n", "_n", ",_", "__", ",,", "5x5", "é", "z",
             "zd", "+c", "#c", ",c", ".", "99999999999999999999", ".99999999999999999999f",
             "<08", "0<8", "0=8", "^08", "x^+#10x", "013,", "012,", "011,", "012_b", "06_x"):
    for v in ("42", "-1234567", "True", "2**70"):
        add("format(%s, %r)" % (v, spec))
for spec in ("", "e", "E", "f", "F", "g", "G", "n", "%", ".0f", "#.0f", ".0e", "#.0e", ".3g", "#.3g", "10", "010",
        "<10", "^10.1f", "=+10.2f", "+", " ", ",", "_", ",.1f", "015,.2f", "012,", "_.3f", ".10",
             ".1", ".0", "#", "#.3", "s", "d", "x", "z", "z.1f", "+z.0f", ",n", ".400f", "1000.2f"):
    for v in ("0.0", "-0.0", "1.5", "-1234567.891", "1e22", "1e16", "123456789012345680.0", "1e-5", "0.0001",
            "float('inf')", "float('-inf')", "float('nan')", "-0.04", "2.675"):
        add("format(%s, %r)" % (v, spec))
for spec in ("", "5", "<5", "^5", ">5", "=5", "05", "é^7", ".2", "6.1", ".0", "s", "d", "+", " ", "#", ",", "_", "z",
        "x", "<<5", "{<5", "0>5", "5s", ".2s", "5q5"):
    for v in ("'abc'", "''", "'日本語'"):
        add("format(%s, %r)" % (v, spec))
add("format([], '')", "format([], '5')", "format(None, '5')", "format(object, '')", "format(1, 5)", "format(b'a', '')",
    "format((1,), 'x')", "ascii('é€😀\\x7f')", "ascii([b'a', 'ü'])")

# str.format.
add("'{} {}'.format(1, 2)", "'{1} {0}'.format(1, 2)", "'{a} {b}'.format(a=1, b=2)", "'{} {0}'.format(1)",
    "'{0} {}'.format(1)", "'{}'.format()", "'{2}'.format(1)", "'{a}'.format()",
    "'{0[1]} {0[0]}'.format([1, 2])", "'{a[x]}'.format(a={'x': 5})", "'{0.real} {0.imag}'.format(5)",
    "'{0.nope}'.format(5)", "'{a[-1]}'.format(a={'-1': 3})", "'{0[a}'.format({})", "'{0[]}'.format([1])",
    "'{0.}'.format(1)", "'{0[0]x}'.format([1])", "'{{}} {}'.format(1)", "'{'.format(1)", "'}'.format(1)",
    "'{}}'.format(1)", "'{0'.format(1)", "'{0!r} {0!s} {0!a}'.format('é')", "'{0!x}'.format(1)", "'{0!}'.format(1)",
    "'{0!r'.format(1)", "'{0!rx}'.format(1)", "'{0!'.format(1)", "'{:>{}}'.format('a', 5)",
    "'{:{}.{}f}'.format(3.14159, 8, 2)", "'{:{:{}}}'.format(1, 2, 3)", "'{0:{1}}'.format('a', '^5')",
    "'{:{w}}'.format(5, w=4)",
    "'{:'.format(1)", "'{:{}'.format(1, 2)", "'{a{b}}'.format(a=1)", "'{!r:5}|'.format('a')", "'{:d}'.format('a')",
    "'{:,}'.format(1234567)", "'{:%}'.format(0.25)", "'{0[a b]}'.format({'a b': 1})",
    "'{0[0][1]}'.format([[1, 2]])", "'{a.real}'.format(a=3)", "'{x}'.format_map({'x': 1})", "'{x}'.format_map({})",
    "'{}'.format_map({})", "'{0}'.format_map([])", "'{[}]}'.format({'}': 1})",
    "'{:{{}}}'.format(1)", "'{0:}}'.format(1)", "'{0:>5}{0:<5}{0:^5}|'.format('é')",
    "'{99999999999999999999}'.format(1)", "'{ 0}'.format(1)", "'{0x1}'.format(1)", "'{+1}'.format(1)",
    "'{0}'.format(*[7])",
    "'{a}'.format(**{'a': 1})", "f'{5:>3}{\"x\"!r:>5}{2.5:.2f}'", "f'{3!s:<{4}}|'", "'%s' % f'{1:02}'")

# Constructors.
for x in ("'5'", "' 12 '", "'-3'", "'+4'", "'1_000'", "'1__0'", "'_1'", "'0x1f'", "'0b11'", "'foo'", "''", "'٣'",
        "'١٢.٥'", "5", "5.7", "-5.7", "True", "None", "[]", "b'7'", "b'x'", "'1' * 30", "1j", "'1.5'", "'-'", "'+-1'",
          "float('inf')", "float('nan')", "'inf'", "'-Infinity'", "'nan'", "'+nan'", "'1e5'", "'1_0.5'", "'1_.5'",
          "'1._5'", "'1e_5'", "'.5'", "'5.'", "'.'", "'0x1p3'", "'--1'", "'1e400'", "'-1e400'", "'1e-400'", "10**400",
          "'infin'",
          "'1 2'", "'\\x001'", "' \\n7\\t'", "str", "2**70", "1e30"):
    add("int(%s)" % x, "float(%s)" % x)
for x in ("'ff', 16", "'0xff', 16", "'0xff', 0", "'077', 0", "'0o77', 0", "'0b101', 2", "'z', 36", "'9', 8", "'1', 1",
        "'1', 37", "5, 10", "'00', 0", "'-0x10', 16", "'', 0", "'1', 'x'", "'0_7', 8", "'0x_f', 16", "'0x', 16",
          "'0', 0", "b'11', 2", "'11', base=2", "'12', base=None", "base=10", "'9' * 4301", "'1' * 4301, 2",
          "'1', 10**30", "'1', True", "'0b1', 0", "'0B1', 16"):
    add("int(%s)" % x)
add("int(float('1e308')) == 10**308", "float(2**53 + 1)", "float(x=1)", "float(1, 2)", "float()", "int()", "bool()",
    "str()", "bytes()", "tuple()", "list()", "set()", "frozenset()", "dict()", "complex()",
    "type(object()) is object or True", "list(1, 2)", "list(x=1)", "set([[1]])", "frozenset(5)",
    "dict([('a', 1), ('b', 2)])", "dict({'a': 1}, b=2)", "dict([1])", "dict(1)", "dict({}, {})", "dict([(1, 2, 3)])",
    "dict(a=1)",
    "dict([[[], 1]])", "str(5)", "str(None)", "str(b'ab', 'utf-8')", "str(b'ab')", "str('x', 'utf-8')",
    "str(5, 'utf-8')", "str(b'\\xff', 'utf-8', 'replace')", "str(object='x')", "str(b'\\xff', errors='ignore')",
    "bytes(3)", "bytes([1, 2, 255])", "bytes([256])", "bytes([-1])", "bytes(['a'])", "bytes(-1)", "bytes('x')",
    "bytes('xä', 'utf-8')", "bytes(None)", "bytes(10**30)", "bytes(1.5)", "bytes(b'a')", "bytes(range(3))",
    "bytes('é', 'ascii')", "bytes('é', 'ascii', 'replace')", "bytes({1: 2})", "bytes('abc', encoding='ascii')",
    "bool([])", "bool('a')", "bool(1, 2)", "bool(x=1)", "slice(5)", "slice(1, 2, 3)", "slice(1, 2)", "slice()",
    "slice(1, 2, 3, 4)",
    "complex(1, 2)", "complex('1+2j')", "complex('x')", "complex(' 1j ')", "complex('1', 2)", "complex(1, '2')",
    "complex([])", "complex(1.5)", "complex(1j, 1j)", "complex(real=1, imag=2)", "complex('j')", "complex('-1-j')",
    "complex('1e3')",
    "complex('(1+2j)')", "complex('1 + 2j')", "complex('infj')", "complex(10**400)", "tuple('ab')", "list({'k': 1})",
    "tuple(5)", "list(None)", "sorted(set('aab'))", "sorted(frozenset([3, 1, 3]))", "set('a', 'b')",
    "bytes(b'a', 'utf-8')", "bytes(5, 'utf-8')", "int(' ')", "int('1\\x00')", "bytes(True)")

print_line = sys.stdout.write
seen = set()
for e in expressions:
    if e in seen:
        continue
    seen.add(e)
    try:
        result = repr(eval(e))
    except Exception as err:
        result = "%s: %s" % (type(err).__name__, err)
    if result.startswith("AttributeError: ") and "object has no attribute" in result and "nope" not in e:
        continue  # str has no decode, bytes no encode
    print_line(json.dumps([e, result]) + "\n")
