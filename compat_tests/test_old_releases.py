"""Releases that are not in the matrix: RPyC 3.4.4, 4.0.2 and 4.1 on Python 2, and rpyc-ng, all on one Go port.

What such a client sees of the Go service is compared with what it sees of its own kind; what the Go client sees of such
a service with what it sees of a service of the release under test.
"""
import os
import re
import sys

import pytest

from conftest import watched
from describe import RPYC
from harness import HERE, other_release, printed
from test_clients import EXPECTED, perform

pytestmark = pytest.mark.skipif(not os.environ.get("GORPYC_OLD_RELEASES") or RPYC < (6,),
                                reason="old releases are tested in one cell of the matrix: RPyC 6, GORPYC_OLD_RELEASES")

NEW_PYTHONS = "3.13 3.12 3.11 3.10"
# and the newest, if it is asked for by scripts/test --canary
NG = [(NEW_PYTHONS, release, "rpyc-ng") for release in
      sorted({"7.0.2", "7.0.11", "7.0.15", os.environ.get("GORPYC_NEWEST_NG", "7.0.15")})]
FORKS = [(NEW_PYTHONS, "3.3.0.post4", "PortaPyC"), (NEW_PYTHONS, "1.1.0", "rpyc-async")]
OLD = [("2.7", "3.4.4"), ("2.7", "4.1.0"), ("2.7", "4.1.5"), ("3.6", "3.4.4"), ("3.6", "4.0.2")] + NG + FORKS
SERVICE = os.path.join(HERE, "reference", "old_service.py")
CLASSIC = os.path.join(HERE, "reference", "old_classic.py")
CLASSIC_CLIENT = os.path.join(HERE, "reference", "old_classic_client.py")
CLIENT = os.path.join(HERE, "reference", "old_client.py")


def own_text(line):
    """A line that a fork prints, with RPyC's words in the place of its own."""
    return re.sub(r"'OldService' object has no attribute '(?:exposed_)?(\w+)'", r"cannot access '\1'", line)


def name_of(release):
    return "py%s-rpyc%s" % release if len(release) == 2 else "%s%s" % (release[2], release[1])


@pytest.fixture(scope="module", params=OLD, ids=name_of)
def old(request):
    """The start of a command for a Python, and an environment in which it has an RPyC that is not in the matrix."""
    found = other_release(*request.param)
    if found is None:
        pytest.skip("python%s is not here" % request.param[0])
    return found


def test_old_clients_see_what_they_see_of_their_own_kind(old, peers, start):
    python, env = old
    seen = {}
    for kind, server in (("cpython", start("cpython", python + [SERVICE], env=env)),
                         ("go", start("go", [peers.binaries.path("oldpeer"), "serve"]))):
        seen[kind] = printed(python + [CLIENT, server.host, str(server.port)], env)
    assert len(seen["cpython"]) > 20
    assert seen["go"] == [own_text(line) for line in seen["cpython"]]


def test_old_services_look_like_new_ones_to_go(old, peers, start):
    python, env = old
    seen = {}
    for kind, server in (("new", start("cpython", [sys.executable, SERVICE])),
                         ("old", start("cpython", python + [SERVICE], env=env))):
        seen[kind] = printed([peers.binaries.path("oldpeer"), "call", server.host, str(server.port)])
    assert len(seen["new"]) > 12
    assert seen["old"] == seen["new"]


def test_classic_mode_of_old_releases(old, peers, start):
    python, env = old
    seen = {}
    for kind, server in (("new", start("cpython", [sys.executable, CLASSIC])),
                         ("old", start("cpython", python + [CLASSIC], env=env))):
        seen[kind] = printed([peers.binaries.path("oldpeer"), "classic", server.host, str(server.port)])
    assert len(seen["new"]) == 10
    assert seen["old"] == seen["new"]


def test_classic_clients_of_old_releases(old, peers, start, request):
    python, env = old
    if any(fork[2] in request.node.name for fork in FORKS):
        pytest.skip("they ask the server for modules of their own")
    seen = {}
    for kind, server in (("cpython", start("cpython", python + [CLASSIC], env=env)),
                         ("go", start("go", [peers.binaries.path("rpyc_classic"), "--ready", "-q", "--host",
                                             "127.0.0.1", "-p", "0"]))):
        seen[kind] = printed(python + [CLASSIC_CLIENT, server.host, str(server.port)], env)
    assert len(seen["cpython"]) == 24
    assert seen["go"] == seen["cpython"]


def test_servers_that_want_the_clients_interpreter_in_return(peers, start):
    seen = []
    for service in "SlaveService", "ClassicService":
        server = start("cpython", [sys.executable, CLASSIC, service])
        seen.append(printed([peers.binaries.path("oldpeer"), "classic", server.host, str(server.port)]))
    assert seen[0] == seen[1]


def test_new_clients_see_no_difference(peers, start):
    """A server that serves old releases serves new ones as before."""
    server = start("go", [peers.binaries.path("oldpeer"), "serve"])
    own = start("cpython", [sys.executable, SERVICE])
    seen, expected = (printed([sys.executable, CLIENT, s.host, str(s.port)]) for s in (server, own))
    assert seen == expected


@pytest.mark.parametrize("name", sorted(set(EXPECTED) - {"close"}))  # which closes RPyC's socket, a private attribute
@pytest.mark.seconds(180)
def test_behaviour_for_the_newest_fork(name, peers, run_program, request):
    """A client of rpyc-ng sees of the behaviour service what one of RPyC 6 does."""
    python, env = other_release(*NG[-1]) or pytest.skip("no Python for rpyc-ng is here")
    perform(name, "cpython", watched(request, peers.shared("go")), peers, run_program, env, python[0])
