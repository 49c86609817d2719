"""Metadata beside calls: protocol/python/gorpyc_meta.py and Go, on either side, and peers that know nothing of it."""
import os
import sys

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


def conversation(addresses):
    import gorpyc_meta
    first, second, plain = addresses
    nothing = (None, None, None, (), None)

    conn = rpyc.connect(*first)
    assert conn.root.what() == nothing  # of a client without the file
    conn._channel.close()  # RPyC 6 may wait for half a minute in close()

    gorpyc_meta.install()
    conn = rpyc.connect(*first)
    assert conn.root.what() == nothing
    with gorpyc_meta.sending(traceparent=TRACE, tracestate="a=1", token="t\xf6ken", timeout=60):
        with gorpyc_meta.sending(pairs={"tenant": "b"}, timeout=600):
            *texts, left = conn.root.what()
        assert texts == [TRACE, "a=1", "t\xf6ken", (("tenant", "b"),)]
        assert 0 < left < 60
        for asked in (lambda: conn.root.next(*second), lambda: conn.root.back(what_here)):
            *texts, later = asked()
            assert texts == [TRACE, "a=1", None, ()]
            assert 0 < later < left
        assert conn.root.next(*plain) == nothing
    assert conn.root.what() == nothing

    with pytest.raises(Exception) as failed, gorpyc_meta.sending(timeout=0.2):
        conn.root.wait()
    assert isinstance(failed.value, gorpyc_meta.async_.AsyncResultTimeout)
    assert conn.root.waited() in ("given up", "deadline")
    waiting = rpyc.async_(conn.root.wait)()
    gorpyc_meta.cancel(waiting)
    assert waiting.expired
    conn.root.what()
    assert conn.root.waited() in ("given up", "deadline")  # of this call, or, if it had not begun, of the one before
    timed = rpyc.timed(conn.root.wait, 0.2)()
    with pytest.raises(gorpyc_meta.async_.AsyncResultTimeout):
        timed.wait()
    assert conn.root.waited() == "given up"

    for bad in ({"token": "x" * 9000}, {"traceparent": "\n"}, {"pairs": {"": "x"}}):
        with pytest.raises(ValueError), gorpyc_meta.sending(**bad):
            raise AssertionError("accepted")
    for bad in ({"token": b"secret"}, {"pairs": {"a": 1}}, {"pairs": {b"a": "x"}}, {"pairs": {"a": None}}):
        with pytest.raises(TypeError, match="^metadata is str, not (bytes|int|NoneType)$"), gorpyc_meta.sending(**bad):
            raise AssertionError("accepted")
    conn._channel.close()


def what_here():
    import gorpyc_meta
    call = gorpyc_meta.current()
    return (call.traceparent, call.tracestate, call.token, tuple(call.pairs), call.remaining())
