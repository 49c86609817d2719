"""Metadata beside calls: protocol/python/gorpyc_meta.py and Go, on either side, and peers that know nothing of it."""
import os
import signal
import sys
import time

import pytest
import rpyc

from harness import REPO, apart

sys.path.insert(0, os.path.join(REPO, "protocol", "python"))
REFERENCE = [sys.executable, os.path.join(REPO, "compat_tests", "reference", "metadata_server.py")]
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def addresses(kind, peers, start):
    """A server of this kind, one of the other, and one of CPython's without the file."""
    both = {"cpython": REFERENCE, "go": [peers.binaries.path("metadata")]}
    other = "go" if kind == "cpython" else "cpython"
    return [(s.host, s.port) for s in (
        start(kind, both[kind]), start(other, both[other]), start("cpython", REFERENCE + ["plain"]))]


def test_metadata(addresses):
    apart(conversation, addresses)


@pytest.mark.once
def test_through_a_bridge(addresses, peers, start):
    """A bridge passes all of it on, both ways."""
    (host, port), *others = addresses
    far = start("bridge", [peers.binaries.path("rpyc_bridge"), "--listen", "127.0.0.1:0", "--ready", "--metadata",
                           "--to", "%s:%d" % (host, port)])
    apart(conversation, [(far.host, far.port)] + others)


@pytest.mark.once
@pytest.mark.usefixtures("go_only")
def test_classic_server(peers, start):
    """What a client has given up ends, and the next request is served."""
    apart(endless, start("classic", [peers.binaries.path("rpyc_classic"), "-p", "0", "--ready", "--metadata"]).port)


def endless(port):
    import gorpyc_meta
    gorpyc_meta.install()
    conn = rpyc.classic.connect("127.0.0.1", port)
    with pytest.raises(gorpyc_meta.async_.AsyncResultTimeout), gorpyc_meta.sending(timeout=0.5):
        conn.execute("while True: pass")
    assert conn.eval("6 * 7") == 42
    conn._channel.close()


def conversation(addresses):
    import gorpyc_meta
    first, second, plain = addresses
    nothing = (None, None, None, (), None)

    conn = rpyc.connect(*first)
    assert conn.root.what() == nothing  # of a client without the file
    conn._channel.close()  # RPyC 6 may wait for half a minute in close()

    gorpyc_meta.install()
    conn = rpyc.connect(*first)
    *texts, left = conn.root.what()
    assert tuple(texts) == nothing[:-1]
    assert 20 < left <= 30  # of sync_request_timeout
    with gorpyc_meta.sending(traceparent=TRACE, tracestate="a=1", token="t\xf6ken", timeout=60):
        with gorpyc_meta.sending(pairs={"tenant": "b"}, timeout=600):
            *texts, left = conn.root.what()
        assert texts == [TRACE, "a=1", "t\xf6ken", (("tenant", "b"),)]
        assert 0 < left < 60
        for asked in (lambda: conn.root.next(*second), lambda: conn.root.back(what_here)):
            *texts, later = asked()
            assert texts == [TRACE, "a=1", None, ()]
            assert 0 < later <= left  # in whole milliseconds
        assert conn.root.next(*plain) == nothing
    assert tuple(conn.root.what())[:-1] == nothing[:-1]

    wait = conn.root.wait  # reading it takes a while, too
    with pytest.raises(Exception) as failed, gorpyc_meta.sending(timeout=0.5):
        wait()
    assert isinstance(failed.value, gorpyc_meta.async_.AsyncResultTimeout)
    assert conn.root.waited() in ("given up", "deadline")
    waiting = rpyc.async_(wait)()
    gorpyc_meta.cancel(waiting)
    assert waiting.expired
    conn.root.what()
    assert conn.root.waited() in ("given up", "deadline")  # of this call, or, if it had not begun, of the one before
    timed = rpyc.timed(wait, 0.2)()
    with pytest.raises(gorpyc_meta.async_.AsyncResultTimeout):
        timed.wait()
    assert conn.root.waited() == "given up"
    polled = rpyc.async_(wait)()  # if it is not given up, what follows waits behind it
    polled.set_expiry(0.2)
    while not (polled.expired or polled.ready):
        time.sleep(0.01)
    assert conn.root.waited() == "given up"
    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    with pytest.raises(KeyboardInterrupt):
        wait()
    assert conn.root.waited() == "given up"

    for bad in ({"token": "x" * 9000}, {"traceparent": "\n"}, {"pairs": {"": "x"}}):
        with pytest.raises(ValueError), gorpyc_meta.sending(**bad):
            raise AssertionError("accepted")
    for bad in ({"token": b"secret"}, {"pairs": {"a": 1}}, {"pairs": {b"a": "x"}}, {"pairs": {"a": None}}):
        with pytest.raises(TypeError, match="^metadata is str, not (bytes|int|NoneType)$"), gorpyc_meta.sending(**bad):
            raise AssertionError("accepted")
    conn._channel.close()


def interrupt(*_):
    raise KeyboardInterrupt


def what_here():
    import gorpyc_meta
    call = gorpyc_meta.current()
    return (call.traceparent, call.tracestate, call.token, tuple(call.pairs), call.remaining())
