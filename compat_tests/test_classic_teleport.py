"""The package rpyc on a classic server: functions that are sent there, and connections that go on from there."""
import linecache
import os

import pytest

from describe import RPYC
from test_classic_server import classic, classic_servers  # noqa: F401  fixtures

FIVE = 5

def defaults(a, b=FIVE, *args, k=(1, "z"), **kw):
    """A docstring

    of several lines."""
    import os
    total = 0
    for i in range(a):
        total += i
    return total, b, args, k, kw.get("q"), os.getpid()

def on_a_line(x): return (x,
    2)  # noqa: E128

def calls(x):
    return on_a_line(x)[0] * missing  # noqa: F821

def keep(f):
    return f

@keep
@keep
def decorated(x, /, y=1):
    # a comment
    return x + y

def generator(n):
    for i in range(n):
        yield i

modern = pytest.mark.skipif(RPYC < (5, 2),
                            reason="older releases do not know the code objects of all the Pythons that run this")

@modern
def test_teleport(classic):
    pid = classic.modules.os.getpid()
    there = classic.teleport(defaults)
    assert there(3) == defaults(3)[:-1] + (pid,)
    assert there(1, 2, 3, 4, k=5, q=6) == (0, 2, (3, 4), 5, 6, pid)
    assert classic.eval("defaults(4)[0]") == 6
    assert classic.teleport(on_a_line)(1) == (1, 2)
    there = classic.teleport(calls)
    with pytest.raises(NameError):
        there(1)
    classic.namespace["missing"] = 3
    assert there(2) == 6
    assert list(classic.teleport(generator)(3)) == [0, 1, 2]
    there = classic.teleport(decorated)
    assert there(1) == 2 and there(1, y=2) == 3
    with pytest.raises(TypeError):
        there(x=1)
    with pytest.raises(TypeError):
        there()

@modern
def test_teleport_into_other_globals(classic):
    from rpyc.utils.classic import teleport_function
    its_own = classic.builtins.dict()
    its_own["missing"] = 7
    its_own["on_a_line"] = classic.teleport(on_a_line)
    assert teleport_function(classic, calls, its_own)(3) == 21
    assert "calls" in its_own and "calls" not in classic.namespace
    classic.namespace["generator"] = "mine"
    teleport_function(classic, generator, classic.namespace, False)
    assert classic.namespace["generator"] == "mine"
    assert sorted(classic.namespace)[-2:] == ["generator", "on_a_line"]

@modern
@pytest.mark.parametrize("text, why", [("lambda x: x", "no source of it: no def is at"),
                                       ("eval('lambda x: x')", "no source of it: no def is at")])
def test_what_a_server_without_python_cannot_run(kind, classic, text, why):
    if kind != "go":
        pytest.skip("a Python runs bytecode")
    with pytest.raises(NotImplementedError, match=why):
        classic.teleport(eval(text))

@modern
def test_a_function_whose_file_has_changed(kind, classic, tmp_path):
    if kind != "go":
        pytest.skip("a Python runs bytecode")
    path = tmp_path / "changing.py"
    path.write_text("def f(x):\n    return x + 1\n")
    space = {}
    exec(compile(path.read_text(), str(path), "exec"), space)
    assert classic.teleport(space["f"])(1) == 2
    path.write_text("def f(x):\n    return x + 2\n")

    linecache.checkcache(str(path))
    linecache.clearcache()
    with pytest.raises(NotImplementedError, match="something else"):
        classic.teleport(space["f"])

def test_connect_from_there(classic, kind, classic_servers):
    server = classic_servers(kind)
    port = int(server.port)
    theirs = classic.modules.rpyc
    with theirs.connect("localhost", port) as onward:
        assert onward.root.getmodule("platform").node() == classic.modules.platform.node()
        assert not onward.closed
        with pytest.raises(AttributeError):
            onward.modules
    assert onward.closed
    with pytest.raises(ConnectionRefusedError):
        theirs.connect("localhost", 1)


def test_classic_connect_from_there(classic, kind, classic_servers):
    if kind == "cpython" and RPYC < (5,):
        pytest.skip("a server of RPyC 4 loses the connection")
    onward = classic.modules.rpyc.classic.connect("localhost", int(classic_servers(kind).port))
    assert onward.modules.os.getcwd() == onward.modules["os"].getcwd() == os.path.realpath(classic.modules.os.getcwd())
    assert "json" in onward.modules and "no_such_module" not in onward.modules
    with pytest.raises((AttributeError, ImportError)):
        onward.modules.no_such_module
    onward.execute("x = 4")
    assert onward.eval("x + 1") == 5 and onward.namespace["x"] == 4 and onward.builtins.len([1, 2]) == 2
    with pytest.raises(ZeroDivisionError):
        onward.eval("1 / 0")
    onward.close()

def test_versions(classic, kind):
    if kind == "cpython" and RPYC < (5,):
        pytest.skip("RPyC 4 has its version as a tuple only")
    theirs = classic.modules.rpyc
    assert theirs.__version__.split(".") == [str(n) for n in theirs.version.version]
    assert theirs.lib.compat.is_py_3k and "rpyc.utils.teleportation" in classic.modules
    with pytest.raises(AttributeError):
        theirs.no_such_name
