"""Peers whose bind_threads is on, as RPYC_BIND_THREADS turns it on in CPython: client programs, and what only bound
threads have."""
import threading

import pytest
import rpyc

from conftest import watched
from describe import RPYC
from harness import eventually
from test_clients import perform

pytestmark = pytest.mark.skipif(RPYC < (5, 3, 1), reason="RPyC %s cannot bind threads" % (rpyc.__version__,))

BOUND = {"RPYC_BIND_THREADS": "true"}
SCENARIOS = ("async_calls", "calls", "callbacks", "close", "ctx", "exceptions", "iteration", "references", "threads")


# Not close: with bound threads, CPython's client may find its own socket closed (OSError) where it is to find the peer
# gone. Not callbacks: its threads take requests that are for none of them in any order, and one step wants theirs kept.
@pytest.mark.seconds(180)
@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in ("callbacks", "close")])
def test_cpython_client(name, go_only, peers, run_program, request):
    perform(name, "cpython", watched(request, peers.shared("go")), peers, run_program, BOUND)


@pytest.fixture(scope="module")
def bound_server(peers):
    server = peers.start("cpython", BOUND)
    yield server
    server.stop()


# Not references: two threads of such a server, one that takes a reference in and one that gives the one before back,
# now and then agree on a proxy that is gone, and the reference is never given back.  RPyC's table of proxies is not
# made for threads.
@pytest.mark.seconds(180)
@pytest.mark.parametrize("name", [name for name in SCENARIOS if name != "references"])
def test_go_client_finds_out(name, go_only, bound_server, peers, run_program, request):
    perform(name, "go", watched(request, bound_server), peers, run_program)


def test_go_client_is_told(go_only, bound_server, peers, run_program, request):
    perform("calls", "go", watched(request, bound_server), peers, run_program, BOUND)


@pytest.fixture
def bound(go_only, peers, request):
    server = watched(request, peers.shared("go"))
    conn = rpyc.connect(server.host, server.port, config={"bind_threads": True})
    yield conn
    conn.close()


def in_thread(function):
    """Starts a thread; returns what waits for its result."""
    found = []
    thread = threading.Thread(target=lambda: found.append(function()), daemon=True)
    thread.start()

    def wait():
        thread.join(30)
        return found[0]
    wait.ready = lambda: bool(found)
    return wait


def test_callbacks_come_back_to_the_thread_that_has_called(bound):
    idents = lambda: bound.root.call(threading.get_ident)  # noqa: E731
    assert idents() == threading.get_ident()
    pairs = [in_thread(lambda: [(idents(), threading.get_ident()) for _ in range(20)]) for _ in range(5)]
    for wait in pairs:
        assert len(set(wait())) == 1 and all(theirs == ours for theirs, ours in wait())


def test_threads_do_not_wait_for_each_other(bound):
    sent = threading.Event()

    def sleep():
        pending = rpyc.async_(bound.root.sleep_echo)(3, "slept")  # keeps the turn of this thread
        sent.set()
        pending.wait()
        return pending.value

    slept = in_thread(sleep)
    assert sent.wait(30)
    assert [bound.root.add(n, 1) for n in range(20)] == list(range(1, 21))
    assert not slept.ready()
    assert slept() == "slept"


def test_requests_of_one_thread_keep_their_order(bound):
    seen = []
    pending = [rpyc.async_(bound.root.call)(seen.append, n) for n in range(50)]
    for result in pending:
        result.wait()
    assert seen == list(range(50))
    eventually(lambda: all(result.ready for result in pending), what="answers")
