"""The language of the classic server without Python: programs of language.txt do there what they do in the CPython that
runs the tests.

Each program leaves its result in r.  Of exceptions the class is compared: CPython's words differ between its releases.
"""
import contextlib
import io
import os
import re
import warnings

import pytest

from harness import HERE, apart
from test_classic_server import classic, classic_servers  # noqa: F401  fixtures

LANGUAGE = os.path.join(os.path.dirname(HERE), "classic", "script", "testdata", "language.txt")
with open(LANGUAGE, encoding="utf-8") as f:
    PROGRAMS = f.read().rstrip("\n").split("\n###\n")

ADDRESS = re.compile("0x[0-9a-f]{6,}")


def told(error):
    return "raises " + type(error).__name__.rpartition(".")[2]


def here(text):
    """What becomes of r in this process."""
    names = {"__name__": "builtins"}
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(text, names)
            return ADDRESS.sub("0x", repr(names.get("r")))
        except BaseException as e:
            return told(e)


def all_here(texts):
    return [here(text) for text in texts]


@pytest.fixture(scope="session")
def expected_values():
    """What becomes of r in each program, by CPython: in a process of its own, since some print and some run out of
    stack."""
    return dict(zip(PROGRAMS, apart(all_here, PROGRAMS)))


def there(conn, text):
    conn.namespace.clear()
    try:
        conn.execute(text)
        return ADDRESS.sub("0x", conn.eval("repr(r)")) if "r" in conn.namespace else "None"
    except BaseException as e:
        return told(e)


@pytest.mark.parametrize("text", PROGRAMS)
def test_language(classic, expected_values, text):
    assert there(classic, text) == expected_values[text]


@pytest.mark.parametrize("text", ["class A: pass", "async def f(): pass", "x = await y", "match 5:\n    case 5: pass",
                                  "def f(a, /): pass", "f = lambda: (yield)",
                                  "try: pass\nexcept* OSError: pass", "x = a @ b", "@d\nclass A: pass", "x[1:2, 3:4]",
                                  r"x = '\N{BULLET}'", r"x = '\ud800'"])
def test_what_the_language_lacks(request, kind, classic, text):
    """DIALECT.md lists these: they are refused before anything runs."""
    if kind != "go":
        pytest.skip("CPython has it")
    with pytest.raises(SyntaxError):
        classic.execute("ran = 1\n" + text)
    assert "ran" not in classic.namespace


@pytest.mark.parametrize("text", ["bytearray()", "memoryview(b'')", "property()", "super()", "compile('', '', 'exec')"])
def test_builtins_that_are_not_there(kind, classic, text):
    if kind != "go":
        pytest.skip("CPython has them")
    with pytest.raises(NameError):
        classic.eval(text)
