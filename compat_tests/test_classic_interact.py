"""rpyc.utils.classic.interact: what is typed at the prompt of a classic server does there what it does at CPython's."""
import contextlib
import io
import re
import sys

import pytest
import rpyc
from rpyc.utils.classic import interact

from harness import apart
from test_classic_server import classic_servers  # noqa: F401  a fixture

SESSIONS = {
    "values": ["1 + 2", "None", "x = 5", "x", "_ * 2", "'a'", "x; y = 6", "y", ""],
    "blocks": ["for i in range(3):", "    print(i)", "", "def f(a):", "    if a:", "        return 1", "    return 2",
               "", "f(0)", "if 1: x = 3", "", "x"],
    "brackets": ["[1,", "", "2]", "f(", "'''a", "", "b'''", ")", "s = '''a", "b'''", "s", "x = 1 + \\", "  2", "x"],
    "errors": ["1 / 0", "nothing", "x = ", "x = = 2", "  x", "if x:", "", "y = 1", "'a", ")", "import no_such_module",
               "raise ValueError('bad', 1)", "7"],
    "try": ["try:", "    1 / 0", "except ZeroDivisionError as e:", "    print('caught', e)", "", "2"],
    "modules": ["import os", "os.path.join('a', 'b')", "from os.path import (basename,", "  dirname)",
                "basename('/x/y')", "print('to', 'stdout')"],
    "decorated": ["def twice(f):", "    return lambda x: f(f(x))", "", "@twice", "def add(x):", "    return x + 1", "",
                  "add(1)"],
    "client's": ["answer", "conn is not None", "here('from the server')"],
    "exit": ["1", "raise SystemExit(3)", "2"],
}
TRACEBACK = re.compile(r"Traceback \(most recent call last\):\n(?:  .*\n|    .*\n)+")
SYNTAX = re.compile(r'  File "<console>", line \d+\n(?:    .*\n)*(\w+Error): .*\n')


def all_sessions(host, port):
    """Types all sessions, each on a connection of its own, and returns what came of each."""
    found = {}
    for name, typed in SESSIONS.items():
        conn = rpyc.classic.connect(host, port)
        said, out, err = [], io.StringIO(), io.StringIO()
        ended = None
        sys.stdin = io.StringIO("\n".join(typed) + "\n")
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                interact(conn, {"answer": 42, "here": said.append})
            except SystemExit as e:
                ended = e.code
        conn.close()
        err = err.getvalue().partition("\n(InteractiveConsole)\n")[2]
        if ended is not None:
            err = err.replace("now exiting InteractiveConsole...\n", "")  # which only some releases say
        found[name] = ended, said, out.getvalue(), SYNTAX.sub(r"\1\n", TRACEBACK.sub("", err))
    return found


@pytest.fixture(scope="session")
def sessions(classic_servers):
    """sessions(kind) -> what came of each session with a server of this kind; in a process of its own, whose stdin and
    stdout they have."""
    seen = {}

    def of(kind):
        if kind not in seen:
            server = classic_servers(kind)
            seen[kind] = apart(all_sessions, server.host, server.port)
        return seen[kind]
    return of


@pytest.mark.parametrize("name", sorted(SESSIONS))
def test_interact(kind, sessions, name):
    found = sessions(kind)[name]
    if kind == "cpython":
        assert found[0] == (3 if name == "exit" else None)
    else:
        assert found == sessions("cpython")[name]
