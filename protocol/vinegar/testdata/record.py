"""Record what real CPythons and a real RPyC do with exceptions.

    python -OO record.py exceptions >> exceptions.jsonl   (once per Python)
    python -OO record.py classes    >> classes.jsonl      (once per Python)
    python -OO record.py forwarded  >  forwarded.jsonl

The interpreter needs rpyc for "exceptions" and "forwarded". Tracebacks are off,
or cut to their unindented lines, so that no one's source text and paths are in
the result. See README.md for the fields.
"""
import builtins
import json
import sys
import traceback
import types

PY = "%d.%d" % sys.version_info[:2]

# One statement (or block) per row, executed in a module called "excmod".
RAISE = {
    "zero": "1 // 0",
    "zero_float": "1.0 / 0",
    "index": "[][0]",
    "key_text": "{}['no']",
    "key_quotes": "{}['it\\'s \"q\"']",
    "key_number": "{}[1.5]",
    "key_tuple": "{}[('a', 2)]",
    "key_none": "{}[None]",
    "key_bytes": "{}[b'k\\xff']",
    "key_object": "{}[frozenset([type])]",
    "key_two": "raise KeyError('a', 'b')",
    "key_empty": "raise KeyError",
    "key_empty_text": "raise KeyError('')",
    "attribute": "(1).nothing",
    "attribute_plain": "raise AttributeError('text')",
    "attribute_fields": "raise AttributeError('text', name='n', obj=(1, 2))",
    "name": "no_such_name",
    "name_plain": "raise NameError('text')",
    "unbound": "def f():\n    del x\n    x = 1\nf()",
    "type": "len(5)",
    "type_call": "int(1, 2, 3)",
    "value": "int('x')",
    "value_none": "raise ValueError",
    "value_empty": "raise ValueError('')",
    "value_args": "raise ValueError('bad', 7, None)",
    "value_one_none": "raise ValueError(None)",
    "value_one_tuple": "raise ValueError((1,))",
    "value_tuples": "raise ValueError((), (1,), (1, 2), ((),))",
    "value_unbrinable": "raise ValueError([1, 2], {'k': 1.5}, object)",
    "value_lone": "raise ValueError([1, 2])",
    "value_mixed": "raise ValueError(-1, 2 ** 80, 0.1, 1e100, -0.0, 2j, True, ..., NotImplemented)",
    "value_more": "raise ValueError(slice(1, None, 2), frozenset([3]), frozenset(), b'\\x00\\'\\\"', 'tab\\t')",
    "value_unicode": "raise ValueError('gr\\xfc\\xdf \\u4f60 \\U0001f600 \\u200b')",
    "value_lines": "raise ValueError('two\\nlines')",
    "decode": "b'ab\\xfe'.decode('utf-8')",
    "decode_range": "b'\\xe4\\xbd'.decode('utf-8')",
    "decode_made": "raise UnicodeDecodeError('own', b'abc', 1, 3, 'because')",
    "encode_1": "'a\\xe9'.encode('ascii')",
    "encode_2": "'\\u20ac'.encode('latin-1')",
    "encode_4": "'x\\U0001f600'.encode('ascii')",
    "encode_range": "'\\u20ac\\u20ac!'.encode('ascii')",
    "translate": "raise UnicodeTranslateError('abc', 1, 2, 'why')",
    "translate_range": "raise UnicodeTranslateError('abc', 0, 2, 'why')",
    "unicode_plain": "raise UnicodeError('text')",
    "import": "from sys import no_such_thing",
    "module": "import no_such_module",
    "import_fields": "raise ImportError('text', name='n', path='p')",
    "import_two": "raise ImportError('a', 'b')",
    "file": "open('/no/such/file')",
    "directory": "open('/')",
    "rename": "import os\nos.rename('/no/such/a', '/no/such/b')",
    "os_text": "raise OSError('text')",
    "os_none": "raise OSError",
    "os_two": "raise OSError(2, 'words')",
    "os_two_text": "raise OSError('a', 'b')",
    "os_three": "raise OSError(13, 'words', 'it\\'s')",
    "os_bytes": "raise OSError(13, 'words', b'raw')",
    "os_five": "raise OSError(17, 'words', 'a', None, 'b')",
    "os_three_none": "raise OSError(5, 'words', None)",
    "os_unknown": "raise OSError(9999, 'words')",
    "os_six": "raise OSError(1, 2, 3, 4, 5, 6)",
    "blocking": "raise BlockingIOError(11, 'words', 5)",
    "blocking_file": "raise OSError(11, 'words', 'f')",
    "broken_pipe": "raise BrokenPipeError(32, 'words')",
    "timeout_text": "raise TimeoutError('result expired')",
    "connection": "raise ConnectionRefusedError(111, 'words')",
    "errnos": None,  # replaced below by one row per errno that has a class
    "stop_sub": "class Sub(StopIteration): pass\nraise Sub(5)",
    "stop": "raise StopIteration(5)",
    "stop_async": "raise StopAsyncIteration(1)",
    "generator_exit": "raise GeneratorExit",
    "exit_none": "raise SystemExit",
    "exit_number": "raise SystemExit(3)",
    "exit_text": "raise SystemExit('bye')",
    "exit_two": "raise SystemExit(1, 2)",
    "interrupt": "raise KeyboardInterrupt",
    "syntax": "compile('a b', '<file>', 'exec')",
    "indent": "compile(' x', '<file>', 'exec')",
    "syntax_plain": "raise SyntaxError('text')",
    "syntax_none": "raise SyntaxError",
    "syntax_four": "raise SyntaxError('text', ('f.py', 3, 2, 'line'))",
    "recursion": "raise RecursionError('text')",
    "runtime": "raise RuntimeError('text')",
    "not_implemented": "raise NotImplementedError('kind')",
    "assertion": "raise AssertionError('text')",
    "overflow": "10.0 ** 400",
    "eof": "raise EOFError('stream has been closed')",
    "memory": "raise MemoryError",
    "buffer": "raise BufferError('text')",
    "lookup": "'x'.encode('no-such-codec')",
    "reference": "raise ReferenceError('text')",
    "system": "raise SystemError('text')",
    "base": "raise BaseException('text')",
    "exception": "raise Exception('text')",
    "warning": "raise DeprecationWarning('text')",
    "from": "try: {}['k']\nexcept KeyError as e: raise ValueError('outer') from e",
    "notes": "e = ValueError('text')\ne.__notes__ = ['one']\nraise e",
    "json": "import json\njson.loads('{]')",
    "json_lines": "import json\njson.loads('[1,\\n\\u20ac 2,\\n  x]')",
    "json_made": "import json\nraise json.JSONDecodeError('words', 'ab\\ncd', 4)",
    "called": "import subprocess\nraise subprocess.CalledProcessError(2, ['a'], b'o')",
    "unsupported": "import io\nio.StringIO().fileno()",
    "gai": "import socket\nraise socket.gaierror(-2, 'words')",
    "sock_timeout": "import socket\nraise socket.timeout('timed out')",
    "cancelled": "import concurrent.futures\nraise concurrent.futures.CancelledError",
    "async_cancelled": "import asyncio\nraise asyncio.CancelledError",
    "async_timeout": "import asyncio\nraise asyncio.TimeoutError",
    "custom": "class Mine(Exception):\n    kind = 'k'\n    def __init__(self, m, code):\n"
              "        super().__init__(m)\n        self.code = code\n        self.detail = [1, 2]\n"
              "        self._secret = 1\nraise Mine('it broke', 42)",
    "custom_value": "class Sub(ValueError): pass\nraise Sub('text')",
    "custom_key": "class Sub(KeyError): pass\nraise Sub('text')",
    "custom_os": "class Sub(OSError): pass\nraise Sub(2, 'words', 'f')",
    "attrs": "e = ValueError('v')\ne.z = 1\ne.a = (1, 'x')\ne.m = None\nraise e",
    "args_replaced": "e = ValueError('v')\ne.args = ('w', (1, [2]))\nraise e",
}
if sys.version_info >= (3, 11):
    RAISE["group"] = "raise ExceptionGroup('text', [ValueError(1), TypeError(2)])"
    RAISE["base_group"] = "raise BaseExceptionGroup('text', [KeyboardInterrupt()])"
    RAISE["encoding_warning"] = "raise EncodingWarning('text')"

# Payloads that no peer sends, for the loader.
TB = "Traceback (most recent call last):\nX\n"
NAME = ("builtins", "ValueError")
MADE = {
    "made_one": 1,
    "made_true": True,
    "made_float": 1.0,
    "made_complex": 1 + 0j,
    "made_text": "text exception",
    "made_bytes": b"bytes exception",
    "made_two": 2,
    "made_none": None,
    "made_empty": (),
    "made_three": (NAME, (), ()),
    "made_five": (NAME, (), (), TB, 1),
    "made_plain": (NAME, ("m",), (), TB),
    "made_module": (("no.such.module", "Thing"), ("m",), (), TB),
    "made_unknown": (("builtins", "NoSuchThing"), ("m",), (), TB),
    "made_no_class": (("builtins", "len"), (), (), TB),
    "made_ioerror": (("builtins", "IOError"), ("m",), (), TB),
    "made_python2": (("exceptions", "KeyError"), ("m",), (), TB),
    "made_bytes_names": ((b"builtins", b"ValueError"), ("m",), (), TB),
    "made_dotted": (("a.b", "C.D"), (1,), (), TB),
    "made_name_one": (("builtins",), (), (), TB),
    "made_name_text": ("builtins.ValueError", (), (), TB),
    "made_args_text": (NAME, "abc", (), TB),
    "made_args_bytes": (NAME, b"abc", (), TB),
    "made_args_set": (NAME, frozenset([7]), (), TB),
    "made_args_none": (NAME, None, (), TB),
    "made_args_number": (NAME, 5, (), TB),
    "made_attrs_none": (NAME, (), None, TB),
    "made_attrs_set": (NAME, (), frozenset([("x", 1)]), TB),
    "made_attrs_twice": (NAME, (), (("x", 1), ("x", 2)), TB),
    "made_attrs_triple": (NAME, (), (("x", 1, 2),), TB),
    "made_attrs_bytes": (NAME, (), ((b"x", 1),), TB),
    "made_attrs_number": (NAME, (), ((1, 2),), TB),
    "made_tb_none": (NAME, ("m",), (), None),
    "made_tb_number": (NAME, ("m",), (), 5),
    "made_version_other": (NAME, ("m",), (("_remote_version", "4.1.5"),), TB),
    "made_version_number": (NAME, ("m",), (("_remote_version", 5),), TB),
    "made_cause": (NAME, (), (("__cause__", "text"),), TB),
    "made_group": (("builtins", "ExceptionGroup"), ("eg", "x"), (), TB),
    "made_forwarded": (("rpyc.core.vinegar/main", "main.GoError"), ("m",), (), TB),
    "made_forwarded_twice": (
        ("rpyc.core.vinegar/rpyc.core.vinegar/main", "rpyc.core.vinegar/main.main.GoError"), ("m",), (), TB),
}


def scrub(v):
    """Replace the address in the repr of a method by a constant."""
    return v[:v.rindex(" at 0x")] + " at 0x1>" if isinstance(v, str) and " at 0x" in v else v


def loaded(hexed):
    from rpyc.core import brine, vinegar
    vinegar._generic_exceptions_cache.clear()
    try:
        e = vinegar.load(brine.load(bytes.fromhex(hexed)), False, False, False)
    except Exception as err:
        return {"error": type(err).__name__}
    if e is StopIteration:
        return {"class": ["builtins", "StopIteration"], "mro": ["Exception", "BaseException"], "args": "()", "str": ""}
    if isinstance(e, str):
        return {"text": e}
    mro = [c.__name__ for c in type(e).__mro__[1:] if c.__module__ == "builtins"][:-1]
    plain = type(e).__mro__[1]
    try:
        text = plain.__str__(e)
    except Exception:
        text = None
    return {"class": [plain.__module__, plain.__name__], "mro": mro, "args": repr(e.args), "str": text}


def exceptions():
    import errno
    import rpyc
    from rpyc.core import brine, vinegar

    cases = dict(RAISE)
    del cases["errnos"]
    for num in sorted(errno.errorcode):
        if type(OSError(num, "")) is not OSError:
            cases["errno_%d" % num] = "raise OSError(%d, 'words')" % num
    for id, src in cases.items():
        module = types.ModuleType("excmod")
        module.__dict__["__name__"] = "excmod"
        try:
            exec(compile(src, "<row>", "exec"), module.__dict__)
        except BaseException:
            typ, val, tb = sys.exc_info()
        if id == "import":  # the text contains a path on some systems
            val.args, val.path = (val.msg,), None
        value = vinegar.dump(typ, val, None, False, True)
        if value != 1:
            name, args, attrs, text = value
            value = (name, tuple(map(scrub, args)), tuple((k, scrub(v)) for k, v in attrs), text)
        row = {"id": id, "python": PY, "rpyc": rpyc.__version__, "hex": brine.dump(value).hex(),
               "line": "".join(traceback.TracebackException(typ, val, None, lookup_lines=False)
                               .format_exception_only()).splitlines()}
        if value != 1:
            row["args"], row["attrs"] = repr(value[1]), [[k, repr(v)] for k, v in value[2]]
        row["load"] = loaded(row["hex"])
        print(json.dumps(row))
    for id, value in MADE.items():
        hexed = brine.dump(value).hex()
        print(json.dumps({"id": id, "python": PY, "rpyc": rpyc.__version__, "hex": hexed, "load": loaded(hexed)}))


def cut(text):
    return "\n".join(l for l in text.split("\n") if not l.startswith("  "))


def forwarded():
    """Payloads of exceptions on their way through several real connections."""
    import rpyc
    from rpyc.core import brine, vinegar

    log = []
    dump = vinegar.dump

    def spy(*args, **kwargs):
        value = dump(*args, **kwargs)
        if value != 1:
            name, args, attrs, text = value
            value = (name, args, tuple((k, scrub(v)) for k, v in attrs), cut(text))
        log.append(value)
        return value

    vinegar.dump = spy

    class Service(rpyc.Service):
        def exposed_call(self, f):
            return f()

        def exposed_wrap(self, f):
            try:
                return f()
            except Exception as e:
                raise RuntimeError("outer") from e

    class Custom(Exception):
        pass

    Custom.__module__ = "main"
    conn = rpyc.connect_thread(remote_service=Service)

    def thrower(e):
        def f():
            raise e
        return f

    def nested(n):
        return thrower(ValueError("deep")) if n == 0 else lambda: conn.root.call(nested(n - 1))

    for id, call, f in (
        ("message", conn.root.call, thrower(ValueError("bad value"))),
        ("empty", conn.root.call, thrower(ValueError())),
        ("key", conn.root.call, thrower(KeyError("k"))),
        ("custom", conn.root.call, thrower(Custom("c"))),
        ("deep", conn.root.call, nested(2)),
        ("wrap", conn.root.wrap, thrower(ValueError("bad value"))),
    ):
        del log[:]
        try:
            call(f)
        except BaseException as e:
            final = cut(str(e))
        print(json.dumps({"id": id, "hops": [brine.dump(v).hex() for v in log], "client_str": final}))
    conn.close()


def classes():
    table = {}
    for name, c in sorted(vars(builtins).items()):
        if isinstance(c, type) and issubclass(c, BaseException):
            table[name] = [c.__name__] + [b.__name__ for b in c.__bases__]
    print(json.dumps({"python": PY, "builtins": table}))


if __name__ == "__main__":
    {"exceptions": exceptions, "classes": classes, "forwarded": forwarded}[sys.argv[1]]()
