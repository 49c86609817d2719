"""rpyc.utils.classic.interact: what is typed at the prompt of a classic server does there what it does at CPython's."""
import io
import re

import pytest
from rpyc.utils.classic import interact

from test_classic_server import classic, classic_servers  # noqa: F401  fixtures

SESSIONS = {
    "values": ["1 + 2", "None", "x = 5", "x", "_ * 2", "'a'", "x; y = 6", "y", ""],
    "blocks": ["for i in range(3):", "    print(i)", "", "def f(a):", "    if a:", "        return 1", "    return 2", "", "f(0)", "if 1: x = 3", "", "x"],
    "brackets": ["[1,", "", "2]", "f(", "'''a", "", "b'''", ")", "s = '''a", "b'''", "s", "x = 1 + \\", "  2", "x"],
    "errors": ["1 / 0", "nothing", "x = ", "x = = 2", "  x", "if x:", "", "y = 1", "'a", ")", "import no_such_module", "raise ValueError('bad', 1)", "7"],
    "try": ["try:", "    1 / 0", "except ZeroDivisionError as e:", "    print('caught', e)", "", "2"],
    "modules": ["import os", "os.path.join('a', 'b')", "from os.path import (basename,", "  dirname)", "basename('/x/y')", "print('to', 'stdout')"],
    "decorated": ["def twice(f):", "    return lambda x: f(f(x))", "", "@twice", "def add(x):", "    return x + 1", "", "add(1)"],
    "client's": ["answer", "conn is not None", "here('from the server')"],
    "exit": ["1", "raise SystemExit(3)", "2"],
}
TRACEBACK = re.compile(r"Traceback \(most recent call last\):\n(?:  .*\n|    .*\n)+")
SYNTAX = re.compile(r'  File "<console>", line \d+\n(?:    .*\n)*(\w+Error): .*\n')


@pytest.mark.parametrize("name", sorted(SESSIONS))
def test_interact(request, kind, classic, monkeypatch, name):
    if kind != "cpython":
        reference = request.getfixturevalue("classic_servers")("cpython")
    else:
        reference = None

    def session(conn):
        said = []
        monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(SESSIONS[name]) + "\n"))
        monkeypatch.setattr("sys.stdout", io.StringIO())
        monkeypatch.setattr("sys.stderr", io.StringIO())
        import sys
        try:
            interact(conn, {"answer": 42, "here": said.append})
            ended = None
        except SystemExit as e:
            ended = e.code
        out, err = sys.stdout.getvalue(), sys.stderr.getvalue()
        monkeypatch.undo()
        err = err.partition("\n(InteractiveConsole)\n")[2]
        if ended is not None:
            err = err.replace("now exiting InteractiveConsole...\n", "")  # which only some releases say
        return ended, said, out, SYNTAX.sub(r"\1\n", TRACEBACK.sub("", err))

    found = session(classic)
    if reference is None:
        assert found[0] == (3 if name == "exit" else None)
        return
    import rpyc
    conn = rpyc.classic.connect(reference.host, reference.port)
    try:
        assert found == session(conn)
    finally:
        conn.close()
