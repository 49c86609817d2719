"""The classic server: unmodified rpyc.classic clients of a server in Go, compared with CPython in place.

What a module's function does is compared with the module of the CPython that runs the tests: `same` carries a piece of
Python out here and on the server and compares results and exceptions.  The server runs on this machine, so that files
and processes are the same.
"""
import builtins
import contextlib
import hashlib
import importlib
import io
import os
import re
import signal
import sys

import pytest
import rpyc

from conftest import watched
from describe import RPYC
from harness import HERE, Server, apart, eventually


@pytest.fixture(scope="session")
def classic_servers(peers):
    running = {}

    def server(kind):
        if kind not in running or not running[kind].running():
            if kind == "go":
                command = [peers.binaries.path("rpyc_classic"), "-p", "0", "--ready"]
            else:
                command = [sys.executable, os.path.join(HERE, "reference", "classic_server.py")]
            running[kind] = Server(kind, command)
        return running[kind]
    yield server
    for program in running.values():
        program.signal(signal.SIGTERM)
        program.stop()


@pytest.fixture
def classic(request, kind, classic_servers):
    """A connection of rpyc.classic.connect."""
    server = watched(request, classic_servers(kind))
    conn = rpyc.classic.connect(server.host, server.port)
    yield conn
    conn.close()
    assert server.running()


class Here:
    """What a classic connection has, in this process."""

    class modules:
        def __getattr__(self, name):
            return importlib.import_module(name)

        def __getitem__(self, name):
            return importlib.import_module(name)

    modules = modules()
    builtins = builtins


ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def plain(value, depth=0):
    """A value as text, netrefs by their contents, so that a remote one and a local one look the same."""
    if isinstance(value, rpyc.BaseNetref) or isinstance(value, (list, tuple, dict, set, frozenset)):
        if depth < 5:
            if isinstance(value, dict):
                return "{%s}" % ", ".join(sorted("%s: %s" % (plain(k, depth + 1), plain(v, depth + 1)) for k,
                                                 v in list(value.items())))
            if isinstance(value, (set, frozenset)):
                return "%s{%s}" % ("set", ", ".join(sorted(plain(v, depth + 1) for v in value)))
            if isinstance(value, list):
                return "[%s]" % ", ".join(plain(v, depth + 1) for v in value)
            if type(value) is tuple:
                return "(%s)" % ", ".join(plain(v, depth + 1) for v in value)
    return ADDRESS.sub("", repr(value))


def outcome(f, conn):
    try:
        return plain(f(conn))
    except Exception as e:
        return told(e)


def told(e):
    """An exception as text.  RPyC prints an OSError that has crossed the wire with a second file name of None."""
    if isinstance(e, OSError) and e.errno is not None:
        text = plain((e.errno, e.strerror, e.filename))
    else:
        text = str(e).split("\n\n========= Remote")[0]
    return "%s: %s" % (type(e).__name__, text)


def same(classic, f, kind_of_error=False):
    here, there = outcome(f, Here), outcome(f, classic)
    if kind_of_error and ": " in here:  # CPython's wording differs between its releases
        here, there = here.split(":")[0], there.split(":")[0]
    assert there == here


# What every classic client does.

def test_connects_and_imports(classic):
    assert os.path.isdir(classic.modules.os.getcwd())
    assert classic.modules.sys is classic.modules["sys"]
    assert classic.builtin.len([1, 2]) == 2
    with pytest.raises(AttributeError if RPYC >= (5, 1) else ImportError):
        classic.modules.no_such_module
    with pytest.raises(AttributeError):
        classic.modules.os.no_such_function
    assert "<module 'os'" in repr(classic.modules.os)
    assert "posixpath" in repr(classic.modules["os.path"])


@pytest.mark.skipif(RPYC < (5, 3), reason="until 5.3 `in` asks __getattr__")
def test_module_in_modules(classic):
    assert "os" in classic.modules
    assert "no_such_module" not in classic.modules


def test_execute_eval_namespace(classic):
    classic.execute("x = 5")
    assert classic.namespace["x"] == 5
    assert classic.eval("1 + x") == 6
    classic.namespace["x"] = 7
    classic.execute("def f(a, b=2, *c, **d):\n    return (a + x, b, c, d['k'] if d else None)\n")
    assert classic.namespace["f"](1) == (8, 2, (), None)
    assert classic.namespace["f"](1, 3, 4, k=5) == (8, 3, (4,), 5)
    classic.execute("import os.path\nfrom os import sep as s, getcwd\nimport sys as system, os")
    assert classic.eval("os.path.join('a', 'b') + s") == "a/b/"
    assert classic.eval("getcwd() == os.getcwd()") is True
    classic.execute("l = [3, 1, 2]\nl.sort()\nl += [9]")
    assert list(classic.namespace["l"]) == [1, 2, 3, 9]
    classic.namespace["l"].append(10)
    assert classic.eval("len(l)") == 5
    assert classic.eval("f is f, l is l, x is None, x is not None") == (True, True, False, True)
    classic.execute("del x")
    with pytest.raises(NameError):
        classic.eval("x")


@pytest.mark.parametrize("text", [
    "1 / 0", "nothing", "1 +", "[1, 2][5]", "{'a': 1}['b']", "'a' + 1", "len(5)", "int('x')", "5()", "(1).nothing",
    "None + 1", "[] < 5", "'x'.join([1])",
    "-7 // 2, -7 % 3, 7 / 2, 1 << 70, pow(2, 100), 0.1 + 0.2, 10 ** 0 if False else 1",
    "'héllo'[1:3], len('é'), 'é'.upper(), 'a-b'.split('-'), '%s' == '%s', 'abc'[::-1], 'b' in 'abc'",
    "[i * i for i in range(5) if i % 2]", "sorted({'b': 1, 'a': 2})", "{k: v for k, v in [(1, 2)]}",
    "sum([1, 2, 3]), max([1, 5, 2]), min(3, 1)",
    "[1, 2, 3][-1], (1, 2) + (3,), [0] * 3", "not [], bool({}), 1 and 0, '' or 'x'",
    "list(zip([1, 2], 'ab')), list(enumerate('ab'))",
    "isinstance(5, int), isinstance('x', (int, str)), type(5) is int",
    "repr('x'), str(1.5), repr(b'x'), str(None), repr([1, 'a', None, 2.0])",
    "(lambda a, b=2: a + b)(1)", "all([1, 2]), any([0, 0])", "list(map(str, [1, 2])), list(filter(None, [0, 1]))",
    "b'ab' + b'c', b'abc'[0], b'abc'[1:]",
])
def test_eval_like_python(classic, text):
    def run(conn):
        return eval(text) if conn is Here else conn.eval(text)
    if "**" in text:
        text = text.replace("10 ** 0", "1")
    same(classic, run, kind_of_error=True)


@pytest.mark.parametrize("text, error", [
    ("raise ValueError('bad', 2)", ValueError), ("raise KeyError('k')", KeyError),
    ("raise OSError(2, 'No such file', '/x')", FileNotFoundError),
    ("assert 1 == 2, 'never'", AssertionError), ("import no_such_module", ImportError),
    ("from os import no_such_name", ImportError),
    ("a, b = 1, 2, 3", ValueError), ("def f(): return f()\nf()", RecursionError), ("x = (", SyntaxError),
    ("  x = 1", SyntaxError),
    ("def f(a): pass\nf()", TypeError), ("def f():\n    y += 1\nf()", UnboundLocalError), ("del nothing", NameError),
    ("for i in 5: pass", TypeError),
])
def test_execute_errors(classic, text, error):
    with pytest.raises(error):
        classic.execute(text)


def test_getconn(classic):
    assert classic.root.getconn().closed is False
    assert classic.root.getconn()._last_traceback is None


def redirected(host, port):
    conn = rpyc.classic.connect(host, port)
    with contextlib.redirect_stdout(io.StringIO()) as out, rpyc.classic.redirected_stdio(conn):
        conn.modules.sys.stdout.write("hello\n")
        conn.execute("print('printed', 1, [2], sep='-')")
    conn.close()
    return out.getvalue()


def test_redirected_stdio(kind, classic_servers):
    server = classic_servers(kind)
    assert apart(redirected, server.host, server.port) == "hello\nprinted-1-[2]\n"


def test_upload_and_download(classic, tmp_path):
    source = tmp_path / "one"
    (source / "deep" / "er").mkdir(parents=True)
    for name, size in (("empty", 0), ("small", 10), ("chunks", 200000), ("deep/file", 65536), ("deep/er/naïve", 3)):
        (source / name).write_bytes(os.urandom(size))
    rpyc.classic.upload(classic, str(source), str(tmp_path / "two"))
    rpyc.classic.download(classic, str(tmp_path / "two"), str(tmp_path / "three"))

    def digests(root):
        return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in root.rglob("*")
                if p.is_file()}
    assert digests(tmp_path / "three") == digests(source) and len(digests(source)) == 5
    with pytest.raises(ValueError):
        rpyc.classic.download(classic, str(tmp_path / "nothing"), str(tmp_path / "four"))


def test_upload_package(classic, tmp_path):
    import json
    rpyc.classic.upload_package(classic, json, str(tmp_path / "json"))
    assert (tmp_path / "json" / "decoder.py").exists()


def test_obtain_and_deliver(classic):
    classic.execute("data = {'a': [1, 2.5, None, 'x', b'y', (1, 2)]}")
    got = rpyc.classic.obtain(classic.namespace["data"])
    assert type(got) is dict and got == {"a": [1, 2.5, None, "x", b"y", (1, 2)]}
    there = rpyc.classic.deliver(classic, {"k": [1, (2, 3)], "s": {4}})
    assert isinstance(there, rpyc.BaseNetref) and there["k"][1] == (2, 3)
    assert 4 in there["s"]


def test_obtain_of_what_cannot_be_copied(classic):
    """An error, and no empty object."""
    assert rpyc.classic.obtain(classic.eval("[range(1, 9, 2)]")) == [range(1, 9, 2)]
    for text in ("lambda: 1", "[open('/dev/null')]", "(x for x in [1])"):
        with pytest.raises(Exception, match="(?i)pickle|callable|module"):
            rpyc.classic.obtain(classic.eval(text))


def test_async_and_buffiter(classic):
    assert list(rpyc.buffiter(classic.builtin.range(10000))) == list(range(10000))
    a_int = rpyc.async_(classic.builtin.int)
    result = a_int("foo")
    result.wait()
    assert result.error
    with pytest.raises(ValueError):
        result.value


def test_isinstance(classic):
    assert isinstance(classic.builtins.list((1, 2)), list)
    assert isinstance(classic.builtins.Exception(), Exception)
    assert isinstance(classic.builtins.RuntimeError(), Exception)
    assert repr(classic.builtins.dict) == repr(dict)
    assert type(classic.builtins.dict.__class__) is type


def test_callbacks(classic):
    assert list(classic.builtins.sorted([3, 1, 2], key=lambda x: -x)) == [3, 2, 1]
    assert list(classic.builtins.map(lambda x: x + 1, [1, 2])) == [2, 3]
    classic.namespace["callback"] = lambda a: a * 2
    assert classic.eval("callback(21)") == 42
    classic.namespace["items"] = [1, 2, 3]
    assert list(classic.eval("[x + 1 for x in items]")) == [2, 3, 4]


# builtins and files

@pytest.mark.parametrize("f", [
    lambda c: c.builtins.int("0x1f", 16), lambda c: c.builtins.int("x"), lambda c: c.builtins.float("1e3"),
    lambda c: c.builtins.str(5),
    lambda c: c.builtins.hex(255), lambda c: c.builtins.oct(8), lambda c: c.builtins.bin(-5),
    lambda c: c.builtins.chr(960), lambda c: c.builtins.ord("x"),
    lambda c: c.builtins.ord("xy"), lambda c: c.builtins.divmod(-7, 3), lambda c: c.builtins.pow(2, 10, 1000),
    lambda c: c.builtins.round(2.5),
    lambda c: c.builtins.round(2.675, 2), lambda c: c.builtins.abs(-3), lambda c: c.builtins.max([1, 3, 2]),
    lambda c: c.builtins.min([]),
    lambda c: c.builtins.max([], default=4), lambda c: c.builtins.sum([1, 2], 3), lambda c: c.builtins.any([0, 1]),
    lambda c: c.builtins.all([]),
    lambda c: c.builtins.repr("x'y"), lambda c: c.builtins.ascii("é"), lambda c: c.builtins.len(5),
    lambda c: c.builtins.range(1, 10, 3)[1],
    lambda c: c.builtins.range(5)[::-1], lambda c: c.builtins.range(0), lambda c: c.builtins.list(c.builtins.range(3)),
    lambda c: 3 in c.builtins.range(5),
    lambda c: c.builtins.range(1, 2, 0), lambda c: c.builtins.len(c.builtins.range(10)),
    lambda c: c.builtins.bytes([1, 2]), lambda c: c.builtins.callable(c.builtins.len),
    lambda c: c.builtins.issubclass(c.builtins.bool, c.builtins.int),
    lambda c: c.builtins.isinstance(True, c.builtins.int),
    lambda c: c.builtins.getattr(5, "nothing", "default"), lambda c: c.builtins.hasattr(5, "real"),
    lambda c: c.builtins.dict(a=1, b=[2]),
    lambda c: c.builtins.set([1, 2, 2]), lambda c: c.builtins.tuple("ab"),
    lambda c: c.builtins.next(c.builtins.iter([]), "end"),
    lambda c: c.builtins.list(c.builtins.reversed([1, 2])), lambda c: c.builtins.list(c.builtins.enumerate("ab", 5)),
    lambda c: c.builtins.format(5),
    lambda c: c.builtins.open("/no/such/file"), lambda c: c.builtins.open("/tmp"),
    lambda c: c.builtins.open("/tmp/x", "z"), lambda c: c.builtins.open("/tmp/x", "rw"),
    lambda c: c.builtins.open("/tmp/x", "rb", encoding="utf-8"), lambda c: c.builtins.open("/tmp/x", "w", 0),
    lambda c: c.builtins.open(5.5), lambda c: c.builtins.open("a\0b"),
])
def test_builtins(classic, f):
    same(classic, f, kind_of_error=True)


TEXT = "first\nsecond ünï\r\nthird\rlast"


@pytest.mark.parametrize("mode", ["r", "rb", "r+", "rb+", "w", "wb", "w+", "a", "a+", "ab", "x", "U"])
def test_open_modes(classic, tmp_path, mode):
    if mode == "U" and sys.version_info < (3, 11):
        pytest.skip("Go's modules refuse what Python 3.11 has removed")
    path = str(tmp_path / "file")

    def use(c):
        if os.path.exists(path):
            os.remove(path)
        if mode != "x":
            with open(path, "w", newline="") as f:
                f.write(TEXT)
        steps = []

        def step(what):
            try:
                steps.append(plain(what()))
            except Exception as e:
                steps.append(type(e).__name__)
        try:
            f = c.builtins.open(path, mode)
        except ValueError:
            return "ValueError"
        data = b"new\n" if "b" in mode else "new\n"
        for what in (f.readable, f.writable, f.seekable, f.tell, f.readline, lambda: f.read(3), f.readlines,
                     lambda: f.seek(0), lambda: f.write(data),
                     f.flush, lambda: f.seek(0), f.read, lambda: f.seek(0, 2), lambda: f.write(data), f.tell,
                     lambda: f.truncate(5), lambda: f.name == path,
                     lambda: f.mode, lambda: f.closed, f.close, lambda: f.closed, f.read, lambda: f.write(data),
                     f.close, f.fileno):
            step(what)
        with open(path, "rb") as f:
            steps.append(f.read())
        return steps
    same(classic, use)


@pytest.mark.parametrize("newline", [None, "", "\n", "\r", "\r\n"])
def test_open_newlines(classic, tmp_path, newline):
    path = str(tmp_path / "file")

    def use(c):
        with open(path, "w", newline="") as f:
            f.write(TEXT)
        f = c.builtins.open(path, newline=newline, encoding="utf-8")
        lines = [line for line in f]
        f.close()
        f = c.builtins.open(path, "w", newline=newline)
        f.write("a\nb\r\n")
        f.writelines(["c\n", "d"])
        f.close()
        with open(path, "rb") as f:
            return lines, f.read()
    same(classic, use)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii", "UTF8", "no-such"])
def test_open_encodings(classic, tmp_path, encoding):
    path = str(tmp_path / "file")

    def use(c):
        with c.builtins.open(path, "w", encoding=encoding) as f:
            f.write("abc")
        with c.builtins.open(path, "a", encoding=encoding, errors="replace") as f:
            f.write("ünï")
        with c.builtins.open(path, encoding=encoding) as f:
            return f.read(2), f.tell(), f.read(), f.encoding
    same(classic, use, kind_of_error=True)


def test_memory_files(classic):
    def use(c):
        s = c.modules.io.StringIO("one\ntwo\n")
        b = c.modules.io.BytesIO(b"abc\ndef")
        b.seek(1)
        return (s.readline(), s.read(), s.write("x"), s.getvalue(),
                b.read(1), b.readline(), b.write(b"!"), b.getvalue(), b.tell())
    same(classic, use)


# os and os.path

PATHS = ["", "/", "//", "///", "a", "a/b", "/a/b/", "a//b", "./a", "../a", "/..", "a/../b", "a/./b", ".bashrc", "a.b.c",
         "a.b/c", "/a/.b", "~", "~/x", "$HOME/x",
         "${HOME}y", "~no-such-user/x", "a/b.tar.gz", "é/ü", "..", ".", "/a/b/../../..", "//a/b", "a/", "...", "a.",
         b"x/y", b"/x/../y.z"]
ONE = ["basename", "dirname", "split", "splitext", "splitdrive", "normpath", "normcase", "abspath", "isabs",
       "expanduser", "expandvars", "exists", "lexists",
       "isfile", "isdir", "islink", "ismount", "realpath"]


@pytest.mark.parametrize("name", ONE)
def test_path_functions(classic, name):
    def use(c):
        f = getattr(c.modules["os.path"], name)
        return [plain(f(p)) for p in PATHS]
    if name in ("abspath", "realpath"):
        classic.modules.os.chdir(os.getcwd())
    same(classic, use)
    same(classic, lambda c: getattr(c.modules["os.path"], name)(None), kind_of_error=True)


def test_path_of_several(classic):
    text = [p for p in PATHS if isinstance(p, str)]

    def use(c):
        path = c.modules.os.path
        return ([path.join(a, b) for a in text for b in text], path.join("a", "b", "", "c"), path.join(b"a", b"b"),
                [path.relpath(a, "/x/y") for a in text if a.startswith("/")], path.relpath("/a/b/c", "/a/d"),
                path.commonprefix(["abc", "abd"]), path.commonprefix([]),
                path.commonpath(["/a/b", "/a/c/d"]), path.commonpath(["a/b", "a"]))
    same(classic, use)
    for bad in (lambda c: c.modules.os.path.join("a", b"b"), lambda c: c.modules.os.path.join("a", 5),
                lambda c: c.modules.os.path.relpath(""),
                lambda c: c.modules.os.path.commonpath([]), lambda c: c.modules.os.path.commonpath(["/a", "b"]),
                lambda c: c.modules.os.path.getsize("/no/such")):
        same(classic, bad)


def test_stat(classic, tmp_path):
    (tmp_path / "file").write_text("x" * 1000)
    os.symlink("file", str(tmp_path / "link"))
    fields = [f for f in dir(os.stat_result) if f.startswith("st_") and "atime" not in f]

    def use(c):
        results = []
        for path in (str(tmp_path / "file"), str(tmp_path / "link"), str(tmp_path), "/dev/null"):
            for stat in (c.modules.os.stat, c.modules.os.lstat):
                st = stat(path)
                results.append([getattr(st, f) for f in fields] + list(st)[:7] + [len(st), st[6], st == st])
        path = c.modules.os.path
        return results, path.getsize(str(tmp_path / "file")), path.getmtime(str(tmp_path / "file"))
    same(classic, use)
    for bad in ("/no/such", str(tmp_path / "file" / "below")):
        same(classic, lambda c: c.modules.os.stat(bad))


def test_directories(classic, tmp_path):
    def use(c):
        os_ = c.modules.os
        base = str(tmp_path / "base")
        steps = []

        def step(f, *a, **k):
            try:
                steps.append(plain(f(*a, **k)))
            except Exception as e:
                steps.append(told(e))
        step(os_.mkdir, base)
        step(os_.mkdir, base)
        step(os_.makedirs, base + "/a/b/c")
        step(os_.makedirs, base + "/a/b/c")
        step(os_.makedirs, base + "/a/b/c", exist_ok=True)
        step(os_.makedirs, base + "/f/../g/", 0o700)
        step(os_.rmdir, base)
        step(os_.remove, base)
        step(os_.unlink, base + "/none")
        step(os_.listdir, base + "/none")
        step(lambda: sorted(os_.listdir(base)))
        step(lambda: sorted(os_.listdir(base.encode())))
        step(os_.rename, base + "/none", base + "/x")
        step(os_.rename, base + "/a", base + "/z")
        step(os_.symlink, "z", base + "/link")
        step(os_.readlink, base + "/link")
        step(os_.readlink, base + "/z")
        step(os_.chmod, base + "/z", 0o750)
        step(lambda: oct(os_.stat(base + "/z").st_mode))
        step(os_.utime, base + "/z", (5, 6.5))
        step(lambda: os_.stat(base + "/z").st_mtime)
        step(os_.removedirs, base + "/z/b/c")
        step(os_.truncate, base, 5)
        step(os_.access, base, 4)
        step(os_.getcwd)
        step(os_.chdir, base + "/none")
        step(lambda: sorted((e.name, e.is_dir(), e.is_symlink(), e.path) for e in os_.scandir(base)))
        step(lambda: sorted((d, sorted(a), sorted(f)) for d, a, f in os_.walk(base)))
        step(lambda: [d for d, a, f in os_.walk(base, topdown=False)][-1])
        step(os_.fspath, 5)
        step(os_.listdir, 5.5)
        import shutil
        shutil.rmtree(base)
        return steps
    same(classic, use)


def test_environment_and_process(classic):
    os_ = classic.modules.os
    os_.environ["GORPYC_TEST"] = "x"
    assert os_.environ["GORPYC_TEST"] == "x" == os_.getenv("GORPYC_TEST") == os_.environ.get("GORPYC_TEST")
    assert "GORPYC_TEST" in os_.environ and "GORPYC_NONE" not in os_.environ
    del os_.environ["GORPYC_TEST"]
    with pytest.raises(KeyError):
        os_.environ["GORPYC_TEST"]
    with pytest.raises(TypeError):
        os_.environ["x"] = 5
    assert os_.getenv("GORPYC_TEST", "no") == "no"
    same(classic, lambda c: [c.modules.os.getuid(), c.modules.os.getgid(), c.modules.os.cpu_count(), c.modules.os.sep,
                             c.modules.os.name, c.modules.os.linesep,
                             c.modules.os.O_CREAT, list(c.modules.os.uname()), c.modules.os.uname().sysname,
                             c.modules.os.strerror(2), c.modules.os.getppid() > 0])
    assert len(os_.urandom(16)) == 16
    same(classic, lambda c: c.modules.os.kill(2 ** 22 - 1, 0))


def test_descriptors(classic, tmp_path):
    path = str(tmp_path / "f")

    def use(c):
        os_ = c.modules.os
        fd = os_.open(path, os_.O_CREAT | os_.O_RDWR | os_.O_TRUNC, 0o644)
        steps = [os_.write(fd, b"hello"), os_.lseek(fd, 1, 0), os_.read(fd, 3), os_.fstat(fd).st_size, os_.isatty(fd)]
        os_.ftruncate(fd, 2)
        steps.append(os_.stat(path).st_size)
        os_.close(fd)
        try:
            os_.read(fd, 1)
        except OSError as e:
            steps.append(e.errno)
        return steps
    same(classic, use)


def test_sys(classic):
    sys_ = classic.modules.sys
    sys_.path.append("xxx")
    assert sys_.path.pop(-1) == "xxx"
    assert sys_.platform == sys.platform and sys_.byteorder == sys.byteorder and sys_.maxsize == sys.maxsize
    assert tuple(sys_.version_info)[0] == 3 and sys_.version_info.major == 3 and sys_.version_info >= (3, 6)
    assert "sys" in sys_.modules
    with pytest.raises(SystemExit):
        try:
            sys_.exit(3)
        except BaseException as e:
            raise SystemExit(e.code) if type(e).__name__ == "SystemExit" else e
