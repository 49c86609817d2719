"""The client's objects in the server's hands: callbacks, counts, iterators, context managers."""
import gc
import threading
import time
import weakref

import pytest
import rpyc

from describe import is_netref, message, remote_text
from harness import eventually, serving_thread


def served(conn, check, **options):
    """Polls check() while serving what the server asks of conn."""
    def step():
        conn.poll_all(0)
        gc.collect()
        return check()
    return eventually(step, **options)


def test_callback(root):
    assert root.call(lambda a, b=0: a + b, 1, b=2) == 3


def test_nested_ten_deep(root):
    depths = []

    def deeper(n):
        depths.append(n)
        return root.pingpong(deeper, n)
    assert root.pingpong(deeper, 10) == 10
    assert depths == list(range(9, -1, -1))


def test_nested_through_many_functions(root):
    def wrap(n):
        return (lambda: root.add(1, 1)) if n == 0 else (lambda: root.call(wrap(n - 1)))
    assert root.call(wrap(10)) == 2


def test_requests_of_a_callback_are_served(root):
    def callback():
        with root.ctx("in-callback") as entered:
            return entered, list(root.count_up(3)), root.bump()
    entered, counted, bumped = root.call(callback)
    assert (entered, counted, bumped) == ("entered:in-callback", [0, 1, 2], 1)


def test_exception_of_a_callback_comes_back(root):
    def fail():
        raise ValueError("mine", 5)
    with pytest.raises(ValueError) as info:
        root.call(fail)
    assert info.value.args == ("mine", 5)
    assert "========= Remote Traceback (1) =========" in remote_text(info.value)
    assert "========= Remote Traceback (2) =========" in str(info.value)
    assert root.call_catching(fail) == ("ValueError", ("mine", 5))


def test_clients_refusal_propagates(root):
    class Private:
        hidden = 5
    with pytest.raises(AttributeError) as info:
        root.read_attr(Private(), "hidden")
    assert message(info.value) == "cannot access 'hidden'"
    with pytest.raises(AttributeError):
        root.write_attr(Private(), "hidden", 6)
    assert Private.hidden == 5


def test_identity(root):
    mine = [1, 2]
    assert root.echo(mine) is mine
    assert root.echo((mine, 1))[0] is mine
    assert root.same(mine, mine)
    theirs = root.make_gadget()
    assert root.echo(theirs) is theirs
    assert root.same(theirs, theirs)
    one, two = root.twice()
    assert one is two
    assert root.call(lambda x: x is theirs, theirs)


def test_arguments_are_released_soon_after_the_call(conn, root):
    def callback(x):
        return x
    watch = weakref.ref(callback)
    assert root.call(callback, 5) == 5
    del callback
    served(conn, lambda: watch() is None, what="callback released")


def test_many_passes_of_one_object_are_all_taken_back(conn, root):
    class Thing:
        pass
    thing = Thing()
    watch = weakref.ref(thing)
    for _ in range(50):
        root.echo(thing)
    root.echo((thing, thing, thing))
    del thing
    served(conn, lambda: watch() is None, what="object released")


@pytest.fixture
def collect_there(kind, connect):
    """Makes CPython drop what sits in reference cycles, as its failed calls do.  A Go server has to do without."""
    if kind == "go":
        return lambda: None
    return connect("all").root.add.__globals__["threading"]._sys.modules["gc"].collect


def test_arguments_of_failed_calls_are_released(conn, root, collect_there):
    class Thing:
        def __call__(self):
            raise KeyError("no")
    thing = Thing()
    watch = weakref.ref(thing)
    for attempt in (lambda: root.call(thing), lambda: root.add(thing, 1), lambda: root.add(thing),
                    lambda: root.nope(thing)):
        with pytest.raises(Exception):
            attempt()
    del thing, attempt
    conn._last_traceback = None
    collect_there()
    served(conn, lambda: watch() is None, what="object released")


def test_kept_arguments_stay_until_released(conn, root):
    class Thing:
        pass
    thing = Thing()
    watch = weakref.ref(thing)
    root.hold(thing)
    del thing
    for _ in range(20):
        root.bump()
        gc.collect()
    assert watch() is not None
    root.release()
    served(conn, lambda: watch() is None, what="held object released")


def test_registered_callbacks_stay_and_go(conn, root):
    heard = []

    def callback(x):
        heard.append(x)
        return -x
    watch = weakref.ref(callback)
    root.register(callback)
    assert root.fire(3) == (-3,)
    assert root.unregister(callback) is True
    assert root.unregister(callback) is False
    assert root.fire(4) == ()
    assert heard == [3]
    del callback
    served(conn, lambda: watch() is None, what="unregistered callback released")


def test_ticks_arrive_while_the_client_serves(conn, root):
    heard = []
    assert root.tick(heard.append, 5, 0.001) is None
    served(conn, lambda: len(heard) == 5)
    assert heard == [0, 1, 2, 3, 4]


def test_ticks_arrive_in_a_background_thread(conn, root):
    heard, done = [], threading.Event()

    def callback(i):
        heard.append(i)
        if len(heard) == 5:
            done.set()
    background = serving_thread(conn)
    try:
        root.tick(callback, 5, 0.001)
        assert done.wait(20)
    finally:
        background.stop()
    assert sorted(heard) == [0, 1, 2, 3, 4]


class Manager:
    def __init__(self, suppress=False):
        self.log, self.suppress = [], suppress

    def __enter__(self):
        self.log.append("enter")
        return self

    def __exit__(self, kind, value, traceback):
        self.log.append("exit" if kind is None and value is None else "failed")
        return self.suppress


def test_the_servers_with_blocks(root):
    manager = Manager()
    assert root.use_ctx(manager) is manager
    assert manager.log == ["enter", "exit"]
    manager = Manager()
    with pytest.raises(ValueError) as info:
        root.fail_in_ctx(manager)
    assert info.value.args == ("inside",)
    assert manager.log == ["enter", "failed"]
    manager = Manager(suppress=True)
    assert root.fail_in_ctx(manager) == "suppressed"


def test_with_blocks_on_the_server(root, tag):
    with root.ctx(tag) as entered:
        assert entered == "entered:" + tag
    with pytest.raises(KeyError):
        with root.ctx(tag):
            raise KeyError("x")
    with root.ctx(tag, suppress=True):
        raise KeyError("x")
    assert [line for line in root.events() if tag in line] == [
        "enter:" + tag, "exit:" + tag + ":False", "enter:" + tag, "exit:" + tag + ":True", "enter:" + tag,
        "exit:" + tag + ":True"]


# Iteration.

def test_generators(root):
    assert list(root.count_up(5)) == [0, 1, 2, 3, 4]
    generator = root.count_up(2)
    assert is_netref(generator)
    assert (next(generator), next(generator), next(generator, "end")) == (0, 1, "end")
    seen = []
    with pytest.raises(ValueError):
        for i in root.gen_fail(3):
            seen.append(i)
    assert seen == [0, 1, 2]


def test_generators_are_closed(root, tag, logged):
    assert list(root.count_up(3, tag + "-a")) == [0, 1, 2]
    eventually(lambda: logged("gen_closed:%s-a" % tag) == 1, what="exhausted generator closed")
    generator = root.count_up(3, tag + "-b")
    next(generator)
    assert logged("gen_closed:%s-b" % tag) == 0
    del generator
    gc.collect()
    eventually(lambda: logged("gen_closed:%s-b" % tag) == 1, what="dropped generator closed")


def test_generators_are_closed_with_their_connection(connect, tag, logged):
    conn = connect()
    generator = conn.root.count_up(3, tag)
    next(generator)
    conn.close()
    eventually(lambda: logged("gen_closed:" + tag) == 1, what="generator closed")


@pytest.mark.parametrize("chunk", [1, 2, 3, 10, 1000])
def test_buffered_iteration(root, chunk):
    assert list(rpyc.buffiter(root.count_up(25), chunk, 8, 2)) == list(range(25))
    assert list(rpyc.buffiter(root.get_list(), chunk)) == [1, 2, 3]
    assert list(rpyc.buffiter(root.get_dict(), chunk)) == ["a", "b"]


def test_buffered_iteration_is_fast(root):
    start = time.monotonic()
    assert sum(rpyc.buffiter(root.count_up(20000), 100, 5000)) == sum(range(20000))
    assert time.monotonic() - start < 10


# The server's objects in the client's hands.

def test_tracked_objects_die_when_dropped(root, tag, logged):
    one = root.tracked(tag)
    assert one.name == tag
    assert logged("final:" + tag) == 0
    del one
    gc.collect()
    eventually(lambda: logged("final:" + tag) == 1, what="final event")


def test_counts_add_up(root, tag, logged):
    one = root.tracked(tag)
    for _ in range(30):
        assert root.echo(one) is one
    assert root.echo((one, one, 1))[1] is one
    root.bump()
    assert logged("final:" + tag) == 0
    del one
    gc.collect()
    eventually(lambda: logged("final:" + tag) == 1, what="final event after many arrivals")


def test_dropping_and_taking_again(root, tag, logged):
    root.hold(root.tracked(tag))
    for _ in range(20):
        gc.collect()
        root.bump()
    assert logged("final:" + tag) == 0
    root.release()
    eventually(lambda: logged("final:" + tag) == 1, what="final event")


def test_closing_releases_everything(connect, tag, logged):
    conn = connect()
    kept = [conn.root.tracked("%s-%d" % (tag, i)) for i in range(20)]
    conn.close()
    for i in range(20):
        eventually(lambda: logged("final:%s-%d" % (tag, i)) == 1, what="final event %d" % i)
    del kept


def test_many_references(conn, root):
    points = root.many(300)
    assert sum(point.x for point in points) == sum(range(300))
    assert len({id(point) for point in points}) == 300
    del points
    gc.collect()
    assert root.add(1, 2) == 3
    # on the client nothing is left but the root (and what the last call brought)
    eventually(lambda: len([key for key in dict(conn._proxy_cache._dict)]) < 10, what="proxies gone")
