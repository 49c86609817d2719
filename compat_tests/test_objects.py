"""The table in the documentation of package netref: every row, in Python and in Go, on objects that CPython serves.

What comes of a row in Python (reference/objects_rows.py) is what has to come of it in Go (peers/objects). Both columns
of the table must stand in these programs as they stand in the documentation.
"""
import json
import os
import re
import sys

import pytest

from harness import HERE, REPO, Server

REFERENCE = os.path.join(HERE, "reference")
sys.path.insert(0, REFERENCE)
import objects_rows  # noqa: E402
sys.path.remove(REFERENCE)

GO_PEER = os.path.join(HERE, "peers", "objects")


@pytest.fixture(scope="module")
def serve():
    """serve(config) -> a server of objects."""
    servers = {}

    def start(config):
        if config not in servers:
            servers[config] = Server("cpython objects", [sys.executable, os.path.join(REFERENCE, "objects_server.py"),
                                                         "--config", config],
                                     env={"PYTHONDONTWRITEBYTECODE": "1"})
        return servers[config]

    yield start
    for server in servers.values():
        server.stop()


def rows_of(program):
    found = {}
    for line in program.lines(100):
        row = json.loads(line)
        name = row.pop("row")
        found[name] = ordered(row)
    assert program.process.wait(20) == 0, program.stderr()
    return found


def ordered(form):
    """The form with the items of dicts and sets in one order."""
    if isinstance(form, dict):
        return {key: sorted(ordered(item), key=repr) if key in ("dict", "set") else ordered(item) for key,
                item in form.items()}
    return [ordered(item) for item in form] if isinstance(form, list) else form


@pytest.mark.seconds(180)
def test_rows(go_only, serve, peers, run_program):
    server = serve("all")
    address = [server.host, str(server.port)]
    python = rows_of(run_program("python rows", [sys.executable, os.path.join(REFERENCE, "objects_rows.py")] + address,
                                 {"PYTHONDONTWRITEBYTECODE": "1"}))
    go = rows_of(run_program("go rows", [peers.binaries.path("objects")] + address))
    assert list(python) == [row[0] for row in objects_rows.ROWS]
    assert set(go) == set(python)
    different = {row: (python[row], go[row]) for row in python if go[row] != python[row]}
    assert not different


# Under the attributes that a peer allows by default. Go copies without pickling and without a dict's items(), so it can
# do more than Python; but what Python is refused because a method is kept from it must not come from another method in
# Go.
REFUSED = ["x = complex(o)", "x = bytes(o)", "x = v @ w"]
BY_ATTRIBUTES = ["named"]  # Go fills structs from attributes, which a namedtuple does not show by default


@pytest.mark.seconds(180)
def test_rows_by_default(go_only, serve, peers, run_program):
    server = serve("default")
    address = [server.host, str(server.port)]
    python = rows_of(run_program("python rows", [sys.executable, os.path.join(REFERENCE, "objects_rows.py")] + address,
                                 {"PYTHONDONTWRITEBYTECODE": "1"}))
    go = rows_of(run_program("go rows", [peers.binaries.path("objects")] + address))
    assert set(go) == set(python)
    different = {row: (python[row], go[row]) for row in python
                 if "value" in python[row] and go[row] != python[row] and row not in BY_ATTRIBUTES}
    assert not different
    for row in REFUSED:
        assert "error" in python[row] and "error" in go[row], row


# What a conversion takes under the attributes that a peer allows by default, and with all public ones.
REQUESTS = {
    "default": {"list": 1, "set": 1, "dict of 2": 3, "dict of 300": 302, "dict of 300, copied": 302,
                "list of 3 lists": 4,
                "list of 3 lists, copied": 4, "list of 3 datetimes": 4},
    "public": {"list": 1, "set": 1, "dict of 2": 3, "dict of 300": 3, "dict of 300, copied": 3, "list of 3 lists": 4,
               "list of 3 lists, copied": 4, "list of 3 datetimes": 4},
}


@pytest.mark.parametrize("config", sorted(REQUESTS))
def test_requests(go_only, config, serve, peers, run_program):
    server = serve(config)
    found = rows_of(run_program("go requests", [peers.binaries.path("objects"), server.host, str(server.port),
                                                "requests"]))
    assert found == {row: {"value": {"int": str(n)}} for row, n in REQUESTS[config].items()}


def table():
    """The rows of the documentation's tables: (Python, Go)."""
    with open(os.path.join(REPO, "netref", "doc.go"), encoding="utf-8") as source:
        doc = source.read()
    rows, column = [], None
    for line in doc.splitlines():
        if not line.startswith("//\t"):
            column = None
            continue
        line = line[3:]
        if line.startswith("Python "):
            column = line.index("Go")
        elif column:
            rows.append((line[:column].rstrip(), line[column:].strip()))
    return rows


def test_table():
    rows = table()
    assert len(rows) > 50
    lines = {row[0]: row for row in objects_rows.ROWS}
    source = ""
    for name in sorted(os.listdir(GO_PEER)):
        with open(os.path.join(GO_PEER, name), encoding="utf-8") as file:
            source += re.sub(r"\s+", " ", file.read())
    for python, go in rows:
        assert python in lines, "nothing executes %r" % python
        program = lines[python][1] or python
        assert python in program, "the program of %r is another" % python
        assert go in source, "no Go program has %r" % go
