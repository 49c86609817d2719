"""The modules of the classic server beyond files: each function does on the server what it does in the CPython that
runs the tests."""
import os
import re
import stat
import sys

import pytest
import rpyc

from describe import RPYC
from test_classic_server import classic, classic_servers, outcome, plain, same, told, Here  # noqa: F401  fixtures

DOCUMENTS = ['{}', '[]', '1', '-0', '1.5e3', '"a\\u00e9\\n\\ud83d\\ude00"',
             '{"a": [1, 2, {"b": null}], "c": true, "a": 2}', ' [1 , 2 ] ', '123456789012345678901234567890',
             'NaN', '-Infinity', '1e999', '"tab\\t\\/"', '', ' ', '{', '[1,', '[1 2]', '{"a" 1}', '{"a": 1,}', '{a: 1}',
             '"abc', '"\\x"', '"\\u12"', '01', '1.', '-', 'nul',
             '[1] x', '"\n"', '\ufeff1', '[' * 10 + ']' * 10, '{"é": "ü"}']
VALUES = [{}, [], [1, 2.5, None, True, "x"], {"b": 1, "a": [1, {"c": None}]}, "é\n\"\\\x01\x7f😀",
          10 ** 30, 1e16, 1e-7,
          float("inf"), {1: 2, None: 3, True: 4, 2.5: 5},
          (1, 2), {"a": {1, 2}}, b"x", {(1, 2): 3}, [[[]]], [float("nan")]]


@pytest.mark.parametrize("text", DOCUMENTS)
def test_json_loads(classic, text):
    def use(c):
        try:
            return plain(c.modules.json.loads(text))
        except Exception as e:
            return (type(e).__name__.rpartition(".")[2], str(e).split("\n")[0],
                    getattr(e, "pos", None), getattr(e, "lineno", None), getattr(e, "colno", None))
    if sys.version_info >= (3, 13) and text == '{"a": 1,}':
        pytest.skip("3.13 has another wording")
    same(classic, use)


@pytest.mark.parametrize("options", [{}, {"indent": 2}, {"sort_keys": True}, {"ensure_ascii": False},
                                     {"separators": (",", ":")}, {"indent": "\t", "ensure_ascii": False},
                                     {"allow_nan": False}, {"skipkeys": True}])
def test_json_dumps(classic, options):
    def use(c):
        results = []
        for value in VALUES:
            try:
                there = value if c is Here else rpyc.classic.deliver(c, value)
                results.append(c.modules.json.dumps(there, **options))
            except (TypeError, ValueError) as e:
                results.append(type(e).__name__)
        return results
    same(classic, use)


def test_json_files(classic, tmp_path):
    path = str(tmp_path / "j")

    def use(c):
        with c.builtins.open(path, "w") as f:
            c.modules.json.dump({"a": [1]}, f)
        with c.builtins.open(path) as f:
            return plain(c.modules.json.load(f))
    same(classic, use)


def test_hashlib(classic):
    def use(c):
        h = c.modules.hashlib
        results = []
        for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_224", "sha3_256", "sha3_384",
                     "sha3_512"):
            x = h.new(name, b"abc")
            x.update(b"def")
            y = getattr(h, name)(b"abcdef")
            results.append((x.hexdigest(), y.digest(), x.name, x.digest_size, x.block_size,
                            name in h.algorithms_available))
            z = y.copy()
            z.update(b"more")
            results.append((z.hexdigest(), y.hexdigest()))
        results.append(h.pbkdf2_hmac("sha256", b"password", b"salt", 1000))
        return results
    same(classic, use)
    same(classic, lambda c: c.modules.hashlib.new("nothing"), kind_of_error=True)
    same(classic, lambda c: c.modules.hashlib.md5("text"), kind_of_error=True)


PROGRAMS = [
    lambda s: s.run(["echo", "hello"], stdout=s.PIPE).stdout,
    lambda s: s.run(["echo", "hello"], capture_output=True, text=True).stdout,
    lambda s: s.run("echo out; echo err >&2; exit 3", shell=True, capture_output=True, text=True).stderr,
    lambda s: s.run("echo out; echo err >&2; exit 3", shell=True, capture_output=True).returncode,
    lambda s: s.run("echo out; echo err >&2", shell=True, stdout=s.PIPE, stderr=s.STDOUT).stdout,
    lambda s: s.run(["cat"], input=b"x" * 200000, stdout=s.PIPE).stdout == b"x" * 200000,
    lambda s: s.run(["cat"], input="ünï\r\n", stdout=s.PIPE, text=True).stdout,
    lambda s: s.run(["sh", "-c", "kill -9 $$"]).returncode,
    lambda s: s.run(["pwd"], cwd="/", capture_output=True).stdout,
    lambda s: s.run(["sh", "-c", "echo $A"], env={"A": "b", "PATH": os.environ["PATH"]}, capture_output=True).stdout,
    lambda s: s.run(["no-such-program-at-all"]),
    lambda s: s.run(["/etc/hostname"]),
    lambda s: s.run(["true"], cwd="/no/such/directory"),
    lambda s: s.run([]),
    lambda s: s.run(["true"], nonsense=1),
    lambda s: s.run(["true"]),
    lambda s: s.run(["false"], check=True),
    lambda s: s.run(["sleep", "10"], timeout=0.2),
    lambda s: s.run(["cat"], input=5),
    lambda s: s.run(["true"], capture_output=True, stdout=s.PIPE),
    lambda s: s.check_output(["echo", "x"]),
    lambda s: s.check_output("exit 4", shell=True),
    lambda s: s.call(["false"]),
    lambda s: s.check_call(["true"]),
    lambda s: s.getoutput("echo a; echo b"),
    lambda s: s.getstatusoutput("echo a; exit 5"),
    lambda s: s.run(["echo", "x"], stdout=s.DEVNULL).stdout,
    lambda s: (s.PIPE, s.STDOUT, s.DEVNULL),
    lambda s: s.run(["printf", "a\\r\\nb"], capture_output=True, universal_newlines=True).stdout,
    # a PATH that is given counts, and without one there is another
    lambda s: s.run(["true"], env={}).returncode,
    lambda s: s.run(["true"], env={"PATH": "/nonexistent"}),
    lambda s: s.run(["hostname"], env={"PATH": "/nonexistent:/etc"}),
    lambda s: s.run(["no-such-program-at-all"], env={"PATH": ""}),
]


@pytest.mark.parametrize("f", PROGRAMS)
def test_subprocess(classic, f):
    exact = f not in (PROGRAMS[13], PROGRAMS[14], PROGRAMS[17], PROGRAMS[18])
    same(classic, lambda c: f(c.modules.subprocess), kind_of_error=not exact)


def test_nodes(classic, tmp_path):
    def use(c):
        steps = []
        base = str(tmp_path / ("here" if c is Here else "there"))
        os.mkdir(base)
        for make in (lambda: c.modules.os.mknod(base + "/plain"), lambda: c.modules.os.mknod(base + "/plain"),
                     lambda: c.modules.os.mknod(base + "/typed", 0o640 | stat.S_IFREG),
                     lambda: c.modules.os.mkfifo(base + "/pipe"),
                     lambda: c.modules.os.mkfifo(base + "/pipe2", mode=0o600),
                     lambda: c.modules.os.mkfifo(base + "/no/such"),
                     lambda: c.modules.os.mknod(5)):
            try:
                steps.append(make())
            except (OSError, TypeError) as e:
                steps.append(told(e))
        return steps + sorted((name, oct(os.stat(os.path.join(base, name)).st_mode)) for name in os.listdir(base))
    same(classic, use)


def test_popen(classic):
    def use(c):
        s = c.modules.subprocess
        p = s.Popen(["cat"], stdin=s.PIPE, stdout=s.PIPE)
        steps = [p.poll(), p.returncode, p.pid > 0, p.stdin.write(b"line\n"), p.stdin.flush(), p.stdout.readline(),
                 p.stdin.close(), p.stdout.read(), p.wait(), p.poll(), p.returncode]
        q = s.Popen(["sleep", "30"])
        try:
            q.wait(timeout=0.1)
        except Exception as e:
            steps.append(type(e).__name__.rpartition(".")[2])
        q.terminate()
        steps.append(q.wait())
        q.kill()
        with s.Popen(["sh", "-c", "read x; echo got $x"], stdin=s.PIPE, stdout=s.PIPE, text=True) as r:
            steps.append(plain(r.communicate("value\n", timeout=10)))
        steps.append(r.returncode)
        return steps
    same(classic, use)


def test_os_system_and_popen(classic):
    def use(c):
        f = c.modules.os.popen("echo one; echo two; exit 2")
        lines = [line for line in f]
        return (c.modules.os.system("exit 3"), c.modules.os.system("true"), lines, f.close(),
                c.modules.os.popen("true").close())
    same(classic, use)


def test_shutil(classic, tmp_path):
    def use(c):
        base = str(tmp_path / "s")
        os.makedirs(base + "/a/b")
        for name in ("/a/f", "/a/b/g"):
            with open(base + name, "w") as f:
                f.write(name)
        os.chmod(base + "/a/f", 0o640)
        os.utime(base + "/a/f", (1000, 2000))
        os.symlink("f", base + "/a/l")
        s = c.modules.shutil
        steps = []

        def step(f, *a, **k):
            try:
                steps.append(plain(f(*a, **k)))
            except Exception as e:
                steps.append(told(e).rpartition(".")[2] if "Error" in type(e).__name__ and not isinstance(e, OSError)
                             else type(e).__name__.rpartition(".")[2])
        step(s.copy, base + "/a/f", base + "/copy")
        step(s.copy2, base + "/a/f", base + "/a/b")
        step(s.copyfile, base + "/a/f", base + "/a/f")
        step(s.copyfile, base + "/none", base + "/x")
        step(s.copyfile, base + "/a", base + "/x")
        step(s.copytree, base + "/a", base + "/tree")
        step(s.copytree, base + "/a", base + "/tree")
        step(s.copytree, base + "/a", base + "/links", symlinks=True)
        step(s.move, base + "/copy", base + "/moved")
        step(s.move, base + "/moved", base + "/tree")
        step(s.move, base + "/none", base + "/x")
        step(s.rmtree, base + "/none")
        step(s.rmtree, base + "/none", ignore_errors=True)
        step(s.rmtree, base + "/a/f")
        step(s.rmtree, base + "/a/l")
        step(s.which, "sh")
        step(s.which, "no-such-program")
        step(s.disk_usage, "/none")
        step(lambda: s.disk_usage("/").total)
        for root, dirs, files in sorted(os.walk(base)):
            for name in sorted(files):
                st = os.lstat(os.path.join(root, name))
                steps.append((root, name, stat.filemode(st.st_mode), st.st_size,
                              os.path.islink(os.path.join(root, name)), st.st_mtime == 2000))
        step(s.rmtree, base)
        steps.append(os.path.exists(base))
        return steps
    same(classic, use)


PATTERNS = ["*", "*.txt", "a*", "?", "[ab]*", "[!a]*", "**", "**/*.txt", "*/", "*/*", ".*", "sub/*", "sub/**", "**/",
            "a.txt", "none", "sub", "[", "[]a]*", "*[0-9]*", "sub/../*.txt", ""]


@pytest.mark.parametrize("recursive", [False, True])
def test_glob(classic, tmp_path, recursive):
    for name in ("a.txt", "b.txt", "c1.py", ".hidden", "sub/d.txt", "sub/deep/e.txt", "sub/.h/x.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")

    def use(c):
        return [sorted(c.modules.glob.glob(os.path.join(str(tmp_path), p), recursive=recursive)) for p in PATTERNS]
    same(classic, use)
    same(classic, lambda c: [c.modules.fnmatch.fnmatch(n, p) for p in PATTERNS
                             for n in ("a", "a.txt", "[", "]a", "x/y", "a\nb")])
    same(classic, lambda c: c.modules.glob.escape("a*[b]?"))


def test_tempfile(classic):
    t, os_ = classic.modules.tempfile, classic.modules.os
    d = t.mkdtemp(prefix="gorpyc-", suffix="-x")
    assert os.path.isdir(d) and stat.S_IMODE(os.stat(d).st_mode) == 0o700
    assert os.path.basename(d).startswith("gorpyc-") and d.endswith("-x")
    fd, path = t.mkstemp(dir=d)
    os_.write(fd, b"data")
    os_.close(fd)
    with open(path, "rb") as f:
        assert f.read() == b"data"
    with t.NamedTemporaryFile(dir=d) as f:
        name = f.name
        f.write(b"x")
        f.flush()
        assert os.path.getsize(name) == 1
    assert not os.path.exists(name)
    with t.TemporaryDirectory(dir=d) as name:
        assert os.path.isdir(name)
    assert not os.path.exists(name)
    classic.modules.shutil.rmtree(d)
    same(classic, lambda c: c.modules.tempfile.gettempdir())
    same(classic, lambda c: c.modules.tempfile.mkdtemp(dir="/no/such"), kind_of_error=True)


MOMENTS = [0, 1, 86399, 951782400, 1700000000, 1709208000, 1735689599, 2 ** 31, -1, 1.75]


def test_time(classic):
    def use(c):
        t = c.modules.time
        results = []
        for m in MOMENTS:
            g = t.gmtime(m)
            results.append([list(g), g.tm_year, g.tm_zone, g[7], list(t.localtime(m)), t.ctime(m), t.asctime(g),
                            t.mktime(t.localtime(m)),
                            t.strftime(
                                "%Y-%m-%d %H:%M:%S %a %A %b %B %j %U %W %w %y %I %p %% %c %x %X %D %T %F %R %e %u",
                                       tuple(g)), repr(g)])
        return results, t.timezone, t.tzname, t.daylight
    same(classic, use)
    for bad in (lambda c: c.modules.time.sleep(-1), lambda c: c.modules.time.sleep("x"),
                lambda c: c.modules.time.gmtime("x"),
                lambda c: c.modules.time.strftime("%Y", (1, 2)),
                lambda c: c.modules.time.strftime("%d", (2000, 13, 1, 0, 0, 0, 0, 1, 0))):
        same(classic, bad, kind_of_error=True)
    assert abs(classic.modules.time.time() - __import__("time").time()) < 5
    assert classic.modules.time.monotonic() <= classic.modules.time.monotonic()


def test_timed_sleep(classic):
    timed = rpyc.timed(classic.modules.time.sleep, 0.2)
    with pytest.raises(rpyc.AsyncResultTimeout):
        timed(5).value


def test_platform_and_socket(classic):
    same(classic, lambda c: [c.modules.platform.system(), c.modules.platform.node(), c.modules.platform.release(),
                             c.modules.platform.machine(),
                             c.modules.platform.version(), c.modules.platform.architecture()[0],
                             c.modules.platform.uname().system])
    same(classic, lambda c: [c.modules.socket.gethostname(), c.modules.socket.gethostbyname("127.0.0.1"),
                             c.modules.socket.gethostbyname("localhost")])
    same(classic, lambda c: c.modules.socket.gethostbyname("no such host at all"), kind_of_error=True)


def test_constants(classic):
    import errno
    import signal
    there = classic.modules.errno
    for name in dir(there):
        if name.startswith("E"):
            assert getattr(there, name) == getattr(errno, name), name
    there = classic.modules.signal
    for name in dir(there):
        if re.match("SIG[A-Z]+[0-9]?$", name):
            assert int(getattr(there, name)) == getattr(signal, name), name
    there = classic.modules.stat
    for name in dir(there):
        if name.startswith("S"):
            value = getattr(there, name)
            if isinstance(value, int):
                assert value == getattr(stat, name), name
    same(classic, lambda c: [c.modules.stat.filemode(m) for m in range(0, 0o200000, 0o123)])
    same(classic, lambda c: c.modules.getpass.getuser())


@pytest.mark.skipif(RPYC < (5,), reason="inspect.isbuiltin takes no netref for what it is before RPyC 5")
def test_builtin_functions(classic):
    import inspect
    same(classic, lambda c: [inspect.isbuiltin(f) for f in (
        c.modules.os.listdir, c.builtins.len, c.builtins.open, c.modules.time.time, c.modules.os.makedirs)])
    same(classic, lambda c: [repr(c.builtins.len), repr(c.modules.os.listdir), c.builtins.len.__name__])
