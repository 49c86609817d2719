"""The tool gorpyc at a terminal: prompts with completion, history and interrupts, and progress bars."""
import os
import re
import signal
import sys
import time

import pytest

from describe import RPYC
from harness import eventually
from test_gorpyc import CLASSIC, SERVICE, classic, service, start, tool  # noqa: F401  fixtures

pytestmark = pytest.mark.once

LEAVING = 1.0 * float(os.environ.get("GORPYC_PATIENCE", "1"))  # seconds that somebody who leaves has to wait


@pytest.fixture
def shell(tool, terminal, tmp_path):
    """shell(address, …) -> gorpyc shell at a terminal, with a history of its own."""
    def run(address, *more):
        return terminal([tool.path, "shell", address, "--history", str(tmp_path / "history")] + list(more),
                        env={"HOME": str(tmp_path)})
    return run


def test_prompt(shell, service):
    t = shell(service)
    t.expect(">>> ")
    t.type("ad", "tab")
    t.expect(r"add\(")
    t.type("2, 3)", "enter")
    t.expect(r"\n5\r?\n.*>>> ")
    t.type("up", "enter")  # the line again
    t.expect(r"add\(2, 3\)\s+5\r?\n.*>>> ")
    t.type("thing.si", "tab", "enter")
    t.expect(r"thing\.size\s+1\r?\n.*>>> ")
    t.type("thing.size = [1, 2]", "enter")
    t.expect(">>> ")
    t.type("thing.size[1] + 40", "enter")  # of a list of ours that the server has: an object of this side comes back
    t.expect(">>> ")
    t.type("fail()", "enter")
    t.expect(r"KeyError: 'missing'\r?\n.*>>> ")
    t.type("1 +", "enter")
    t.expect(r"gorpyc: .+\r?\n.*>>> ")
    t.editing()
    t.type("never entered", "ctrl-c")
    t.expect(r"never entered[\s\S]*\n\r?>>> ")
    t.type("add(1)", "enter")
    t.expect(r"\n2\r?\n.*>>> ")
    t.type("ctrl-d")
    assert t.end() == 0
    assert "never entered" not in t.seen.split("add(1)")[-1]


def test_history_stays(shell, service, tmp_path):
    for line in ("add(1)", "quit"):
        t = shell(service)
        t.expect(">>> ")
        if line == "quit":
            t.type("up")
            t.expect(r"add\(1\)")
            t.type("ctrl-u")
        t.type(line, "enter")
        if line == "quit":
            assert t.end() == 0
        else:
            t.expect(r"\n2\r?\n.*>>> ")
            t.type("ctrl-d")
            assert t.end() == 0
    assert "add(1)" in (tmp_path / "history").read_text().splitlines()
    assert os.stat(str(tmp_path / "history")).st_mode & 0o077 == 0


def test_ctrl_c_gives_the_prompt_back(shell, run_program):
    """The call is given up, the prompt stays; the server, which is CPython's, goes on with what it does."""
    address, server = start(run_program, SERVICE)
    t = shell(address)
    t.expect(">>> ")
    t.type("sleep(3)", "enter")
    assert server.line() == "sleeping"
    t.type("ctrl-c")
    t.expect(r"gorpyc: interrupted\r?\n.*>>> ")
    t.type("add(1)", "enter")
    t.expect(r"\n2\r?\n.*>>> ", timeout=30)
    t.type("quit", "enter")
    assert t.end() == 0


def test_server_that_goes_away(shell, run_program):
    t = shell(start(run_program, SERVICE)[0])
    t.expect(">>> ")
    t.type("die()", "enter")
    t.expect("gorpyc: ")
    assert t.end() == 3


def test_python_prompt(shell, classic):
    t = shell(classic)
    t.expect(r"Python %d\.%d[\s\S]*>>> " % sys.version_info[:2])
    t.type("import os", "enter")
    t.expect(">>> ")
    t.type("os.getp", "tab")
    t.expect(r"os\.getp")
    t.type("id() == %d" % os.getpid(), "ctrl-u", "6 * 7", "enter")
    t.expect(r"\n42\r?\n>>> ")
    t.type("def f(x):", "enter")
    t.expect(r"\.\.\. ")
    t.type("    return x + 1", "enter")
    t.expect(r"\.\.\. ")
    t.type("enter")
    t.expect(">>> ")
    t.type("print(f(1))", "enter")
    t.expect(r"\n2\r?\n>>> ")
    t.type("1 / 0", "enter")
    t.expect(r"ZeroDivisionError: .*\r?\n>>> ")
    t.editing()
    t.type("half a line", "ctrl-c")
    t.expect(r"KeyboardInterrupt\r?\n>>> ")
    t.type("input('name? ')", "enter")
    t.expect(r"name\? ")
    t.type("Ann", "enter")
    t.expect(r"'Ann'\r?\n>>> ")
    t.type("ctrl-d")
    assert t.end() == 0


def test_ctrl_c_in_python(shell, classic):
    """It is a KeyboardInterrupt over there, as soon as something is printed."""
    t = shell(classic)
    t.expect(">>> ")
    t.type("while True: print('run' + 'ning')", "enter")
    t.expect(r"\.\.\. ")
    t.type("enter")
    t.expect("running")
    t.type("ctrl-c")
    t.expect(r"KeyboardInterrupt[\s\S]*>>> ", timeout=30)
    t.type("6 * 7", "enter")
    t.expect(r"\n42\r?\n>>> ")
    t.type("exit()", "enter")
    assert t.end() == 0


def test_second_ctrl_c_leaves(shell, run_program):
    address, server = start(run_program, CLASSIC)
    t = shell(address)
    t.expect(">>> ")
    t.type("__import__('sys').__stdout__.write('busy' + chr(10)) and __import__('sys').__stdout__.flush() or "
           "__import__('time').sleep(60)", "enter")
    assert server.line() == "busy"
    t.type("ctrl-c")
    t.expect("once more leaves")
    begin = time.monotonic()
    t.type("ctrl-c")
    assert t.end() == 130
    assert time.monotonic() - begin < LEAVING


BUSY = """
import sys, time
def say(text):
    sys.__stdout__.write(text + chr(10))
    sys.__stdout__.flush()
say("busy")
%s
"""
WAITS = {
    "input": "time.sleep(2)\ntry:\n    input()\nfinally:\n    say('over')",
    "print": "try:\n    while sys.stdout is not sys.__stdout__:\n        print('x' * 100)\nfinally:\n    say('over')",
}


@pytest.mark.parametrize("how", sorted(WAITS))
def test_ctrl_c_leaves_the_server_alive(tool, run_program, how):
    """The server is in the middle of input() or print() when its streams are put back, or else when they are gone."""
    address, server = start(run_program, CLASSIC)
    client = run_program("gorpyc exec", [tool.path, "exec", address, BUSY % WAITS[how]])
    assert server.line() == "busy"
    begin = time.monotonic()
    client.signal(signal.SIGINT)
    assert client.process.wait(20) == 130
    assert time.monotonic() - begin < LEAVING
    assert server.line() == "over"
    assert tool("exec", address, "print('alive')") == "alive\n"
    assert server.running()


def test_progress(tool, terminal, classic, tmp_path):
    (tmp_path / "one").write_bytes(os.urandom(3 << 20))
    for command in ("upload", "download"):
        t = terminal([tool.path, command, classic, str(tmp_path / "one"), str(tmp_path / command)])
        t.expect(r'"one"\s+\[#{30}\] 100% 3\.0 MiB [\d.]+ [KMG]iB/s')
        assert t.end() == 0
        assert (tmp_path / command).read_bytes() == (tmp_path / "one").read_bytes()
    t = terminal([tool.path, "upload", classic, str(tmp_path / "one"), str(tmp_path / "quiet"), "-q"])
    assert t.end() == 0 and t.seen == ""
    assert "100%" not in tool("upload", classic, str(tmp_path / "one"), str(tmp_path / "again"))
