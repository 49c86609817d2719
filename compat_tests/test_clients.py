"""Client programs against behaviour services: {CPython, Go} x {CPython, Go}, one scenario at a time.

The programs print what they see (README.md, "Client programs"); what it should be stands here.
"""
import json
import os
import sys

import pytest

import tagged
from conftest import selected, watched
from harness import HERE
from probes import VALUES


class Error:
    """An expected exception: class, args, and the attributes that must be there."""

    def __init__(self, name, *args, **attrs):
        self.name, self.args, self.attrs = name, args, attrs

    def check(self, line):
        error = line.get("error")
        assert error and "class" in error, line
        name = self.name if "." in self.name else "builtins." + self.name
        assert error["class"] == name, line
        if self.args != (ANY,):
            assert error["args"] == [tagged.encode(item) for item in self.args], line
        found = {key: value for key, value in error["attrs"].items() if key in self.attrs}
        assert found == {key: tagged.encode(value) for key, value in self.attrs.items()}, line
        assert not [key for key in error["attrs"] if key.startswith("_")], line


class Local:
    """An expected failure on the client's own side: "timeout" or "closed"."""

    def __init__(self, what):
        self.what = what

    def check(self, line):
        assert line.get("error", {}).get("local") == self.what, line


class Ref:
    """An expected reference, by the name in its id."""

    def __init__(self, name):
        self.name = name


class Any:
    """Anything but an error."""

    def check(self, line):
        assert "error" not in line, line


ANY = Any()


def plain(value):
    if isinstance(value, Ref):
        return {"ref": value.name}
    if isinstance(value, tuple):
        return {"tuple": [plain(item) for item in value]}
    return tagged.encode(value)


def check(line, wanted):
    if hasattr(wanted, "check"):
        wanted.check(line)
    else:
        assert "error" not in line, line
        assert tagged.normal(line["value"]) == tagged.normal(plain(wanted)), line


DENIED = Error("AttributeError", ANY)

EXPECTED = {
    "calls": {
        "add": 5, "add float": 1.5, "add text": "abc\u00e9", "add past int64": 2 ** 63, "none": None, "answer": 42,
        "bump": (1, 2, 3),
        "name": "BEHAVIOUR", "root": Ref("behaviour_service.BehaviourService"), "wrong": Error("TypeError", ANY),
        "number + text": Error("TypeError", ANY),
    },
    "kwargs": {
        "greet": "Hello, Ada?", "greet all": "Bye, Bob",
        "shape": ((1, "x"), (("zulu", 1), ("alpha", None), ("\u00fc", (2,)))), "unknown": Error("TypeError", ANY),
    },
    "values": {
        step: wanted for name, value in VALUES.items()
        for step, wanted in (("echo " + name, value), ("type " + name, type(value).__name__))
    },
    "big": {"echo 64 MiB": True, "length 64 MiB": 64 << 20, "echo noise": True, "sizes": True, "text": True},
    "callbacks": {
        "call": 42, "ten deep": 10, "depths": list(range(9, -1, -1)), "fails": Error("ValueError", "bad", 1),
        "caught": ("ValueError", ("bad", 1)), "caught plain": ("plain",), "panic": True, "ok": ("ok", 7),
        "register": None,
        "fire": (6,), "unregister": True, "unregister again": False, "tick": None, "ticks": [0, 1, 2, 3, 4],
        "once": "x",
        "released": True, "theirs": 5, "alive": 3,
    },
    "exceptions": {
        "zero": Error("ZeroDivisionError", "division by zero"), "value": Error("ValueError", "bad value", 7, None),
        "key": Error("KeyError", "missing-key"),
        "os": Error("FileNotFoundError", 2, "No such file or directory", errno=2, strerror="No such file or directory",
                    filename="/no/such/file"),
        "unicode": Error("UnicodeDecodeError", "utf-8", b"\xff\xfe", 0, 1, "invalid start byte", encoding="utf-8",
                         object=b"\xff\xfe", start=0, end=1, reason="invalid start byte"),
        "custom": Error("behaviour_service.ServiceError", "it broke", code=42, detail="[1, 2]"),
        "json": Error("json.decoder.JSONDecodeError", "Expecting value: line 1 column 2 (char 1)",
                      msg="Expecting value", doc="{]",
                      pos=1, lineno=1, colno=2),
        "unbrinable": Error("ValueError", "[1, 2]", (3, 4)), "stop": Error("StopIteration"),
        "exit": Error("SystemExit", 3),
        "chain": Error("ValueError", "outer"), "other": Error("NotImplementedError", "other"), "missing": DENIED,
        "is a missing file": True, "quiet": Error("ZeroDivisionError", "division by zero"), "alive": 3,
    },
    "iteration": {
        "list": [1, 2, 3], "empty": [], "dict": ["a", "b"], "generator": [0, 1, 2, 3, 4],
        "fails": Error("ValueError", "gen failed"),
        "before it failed": [0, 1, 2], "buffered": sum(range(5000)), "buffered list": [1, 2, 3], "exhausted": True,
        "dropped": True,
    },
    "references": {
        "dropped": ANY, "echo": True, "same": True, "not dropped": False, "dropped after many": True, "twice": True,
        "many": sum(range(300)), "mixed": (1, "two", Ref("builtins.list"), Ref("builtins.dict"),
                                           (5, Ref("builtins.list"))),
        "mine": True, "mine type": "netref", "hold": None, "held": True, "release": None, "released": True,
        "closed": True,
    },
    "containers": {
        "len": 3, "item": 3, "item far": Error("IndexError", "list index out of range"),
        "item text": Error("TypeError", ANY),
        "slice": [2, 3], "contains": (True, False), "change": ["x", 3], "key": 1,
        "key missing": Error("KeyError", "zz"),
        "change dict": (2, (1, 2)), "length of mine": 3, "append": [1, 2, 3, 5], "append denied": DENIED,
    },
    "ctx": {
        "enter": ANY, "use": ANY, "suppressed": True, "passed": True,
        "log": ["enter:TAG-u", "exit:TAG-u:False", "enter:TAG-u", "exit:TAG-u:True", "enter:TAG-u", "exit:TAG-u:True"],
        "mine": "entered", "mine suppresses": "suppressed", "mine passes": Error("ValueError", "inside"),
        "mine log": [["enter", "exit"], ["enter", "failed"], ["enter", "failed"]],
    },
    "async_calls": {"hundred": sum(range(100)) + 100, "error": Error("ValueError", "bad value", 7, None),
                    "batch": (sum(range(100)) + 100, True), "slow": "slow"},
    "threads": {"on one connection": True, "on 200 connections": True, "alive": 3},
    "timeout": {"expires": Local("timeout"), "early": True, "late reference": Local("timeout"), "alive": 3,
                "released": True},
    "close": {
        "close": None, "quick": True, "after close": Local("closed"), "noticed": True,
        "hang up socket": Local("closed"), "after hang up socket": Local("closed"), "noticed socket": True,
        "hang up close": Local("closed"), "after hang up close": Local("closed"), "noticed close": True, "alive": 3,
    },
    "ping": {"ping": None, "ping data": None},
    "operators": {
        "__eq__": False, "__ne__": True, "__lt__": True, "__gt__": NotImplemented, "__le__": NotImplemented,
        "eq same": True,
        "eq number": NotImplemented, "hash": 3004, "hash list": Error("TypeError", "unhashable type: 'list'"),
        "str": "<3;4>",
        "repr": "Point(3, 4)", "dir": ["exposed_norm1", "exposed_origin", "exposed_x", "exposed_y"],
        "doc": "Add two numbers.",
        "len": 2, "item": (3, 4), "item 2": Error("IndexError", "point index out of range"), "contains": True,
        "add": "Point(6, 9)", "neg": "Point(-3, -4)", "call": "Point(9, 12)", "bool": False, "iter": [3, 4],
        "class": Ref("behaviour_service.Point"), "construct": "Point(5, 6)", "method": 7,
    },
    "attributes": {
        "value": 10, "hidden": Error("AttributeError", "cannot access 'hidden'"), "property": 1,
        "bad": Error("ZeroDivisionError", "division by zero"),
        "set denied": Error("AttributeError", "cannot access 'value'"),
        "delete denied": Error("AttributeError", "cannot access 'value'"), "set": 5, "delete": None, "deleted": DENIED,
        "public": "plain", "root denied": Error("AttributeError", "access denied"),
    },
    "greeting": {
        "sum": 3, "greeted": True, "greeting": ("anna", 10), "refused": Local("closed"),
        "own refusal": Error("ValueError", "refused", 3), "alive": 3,
    },
}


def pytest_generate_tests(metafunc):
    kinds = [kind for kind in selected(metafunc.config) if kind != "bridge"]
    metafunc.parametrize("client, served_by", [(client, server) for client in kinds for server in kinds],
                         ids=lambda kind: kind)
    metafunc.parametrize("name", sorted(EXPECTED))


@pytest.mark.seconds(180)
def test_client(name, client, served_by, peers, run_program, request):
    perform(name, client, watched(request, peers.shared(served_by)), peers, run_program)


def perform(name, client, server, peers, run_program, env=None, python=sys.executable):
    """One scenario, by a client of this kind."""
    if client == "go":
        command = [peers.binaries.path("goclient")]
    else:
        command = [python, os.path.join(HERE, "reference", "ref_client.py")]
    tag = "%s-%s-%s-%d" % (name, client, server.kind, len(env or ()))
    program = run_program(client + " client", command + [server.host, str(server.port), name, tag],
                          dict(env or {}, PYTHONDONTWRITEBYTECODE="1"))
    lines = [json.loads(line) for line in program.lines(150)]
    assert program.process.wait(20) == 0
    assert lines and lines.pop() == {"step": "done"}
    assert [line["step"] for line in lines] == list(EXPECTED[name])
    for line in lines:
        check(line, EXPECTED[name][line["step"]])
    if name == "exceptions":
        check_tracebacks({line["step"]: line for line in lines})
    assert server.running()


def check_tracebacks(lines):
    text = lines["zero"]["error"]["text"]
    assert text.startswith("Traceback (most recent call last):\n")
    assert text.rstrip().endswith("ZeroDivisionError: division by zero")
    assert lines["quiet"]["error"]["text"] == "<traceback denied>"
