"""Connections: many at once, their ends, time-outs."""
import gc
import os
import signal
import socket
import sys
import threading
import time

import pytest
import rpyc

from conftest import Connector
from describe import RPYC
from harness import apart, eventually, serving_thread
from reference import quantity


def in_threads(count, work):
    """Runs work(i) in count threads and returns the results; the first exception is raised."""
    results, errors = [None] * count, []

    def run(i):
        try:
            results[i] = work(i)
        except BaseException as error:
            errors.append(error)
    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


@pytest.mark.seconds(180)
def test_200_threads_on_200_connections(fresh_server):
    barrier = threading.Barrier(200)

    def work(i):
        conn = rpyc.connect(fresh_server.host, fresh_server.port, config={"sync_request_timeout": 120})
        try:
            root = conn.root
            barrier.wait(120)  # all are connected at once
            outcome = [root.add(i, 1), root.echo("x" * i) == "x" * i, root.call(lambda x: x * 2, i), root.bump(),
                       root.bump()]
            point = root.make_point(i, 0)
            return outcome + [point.x, len(root.get_list())]
        finally:
            conn.close()
    assert in_threads(200, work) == [[i + 1, True, 2 * i, 1, 2, i, 3] for i in range(200)]
    conn = rpyc.connect(fresh_server.host, fresh_server.port)
    assert conn.root.add(1, 2) == 3
    conn.close()


def test_many_threads_on_one_connection(connect):
    # Values only: a client that shares a connection among threads may not unbox new references in them (RPyC's own
    # caveat).
    conn = connect(config={"sync_request_timeout": 40})
    add, echo = conn.root.add, conn.root.echo

    def work(i):
        return [add(i, n) for n in range(20)] + [echo("t%d" % i)]
    assert in_threads(8, work) == [[i + n for n in range(20)] + ["t%d" % i] for i in range(8)]


def test_threads_beside_a_serving_thread(connect):
    conn = connect(config={"sync_request_timeout": 40})
    add = conn.root.add
    background = serving_thread(conn)
    try:
        assert in_threads(4, lambda i: [add(i, n) for n in range(20)]) == [[i + n for n in range(20)] for i in range(4)]
    finally:
        background.stop()


def test_connections_are_served_in_parallel(connect):
    slow, quick = connect(), connect()
    sleeping = rpyc.async_(slow.root.sleep_echo)(2, "done")
    start = time.monotonic()
    assert quick.root.add(1, 2) == 3
    assert time.monotonic() - start < 1.8
    assert sleeping.value == "done"


def test_requests_of_one_connection_keep_their_order(root):
    bump = rpyc.async_(root.bump)
    results = [bump() for _ in range(100)]
    assert [result.value for result in results] == list(range(1, 101))


# Time-outs and asynchronous calls.

def test_a_late_reply_is_dropped(connect):
    conn = connect(config={"sync_request_timeout": 0.2})
    sleep_echo, add = conn.root.sleep_echo, conn.root.add
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        sleep_echo(1.5, "late")
    assert time.monotonic() - start < 1.2
    conn._config["sync_request_timeout"] = 30
    assert add(1, 2) == 3


def test_a_late_reference_is_released(connect, tag, logged):
    conn = connect()
    tracked, sleep_echo = rpyc.async_(conn.root.tracked), rpyc.async_(conn.root.sleep_echo)
    first = sleep_echo(0.3, None)
    late = tracked(tag)
    late.set_expiry(0.01)
    with pytest.raises(TimeoutError):
        late.value
    first.wait()
    del late
    conn.root.bump()
    gc.collect()
    eventually(lambda: logged("final:" + tag) == 1, what="late reference released")


def test_timed_and_async(root):
    assert rpyc.timed(root.add, 10)(2, 3).value == 5
    with pytest.raises(TimeoutError):
        rpyc.timed(root.sleep_echo, 0.05)(0.5, "late").value
    fail = rpyc.async_(root.fail)
    result = fail("key")
    result.wait()
    assert result.error
    with pytest.raises(KeyError):
        result.value
    heard = []
    result = rpyc.async_(root.add)(1, 2)
    result.add_callback(lambda done: heard.append(done.value))
    result.wait()
    assert heard == [3]


def test_ping(conn):
    conn.ping()
    conn.ping("\u00fc" * 5000)
    conn.ping(data=b"\0\1", timeout=5)


# The end of a connection.

def test_close_returns_quickly(connect):
    conn = connect()
    conn.root.bump()
    start = time.monotonic()
    conn.close()
    assert time.monotonic() - start < 2
    assert conn.closed
    with pytest.raises(EOFError):
        conn.ping()


def test_close_of_an_unused_connection_returns_quickly(connect):
    conn = connect()
    start = time.monotonic()
    conn.close()
    assert time.monotonic() - start < 2


def test_close_while_the_server_is_busy(connect, tag, logged):
    conn = connect()
    conn.root.tag(tag)
    rpyc.async_(conn.root.sleep_echo)(0.5, "x")
    start = time.monotonic()
    conn.close()
    assert time.monotonic() - start < 2
    eventually(lambda: logged("disconnect:" + tag) == 1, what="disconnect event")


@pytest.mark.parametrize("end", ["close", "socket", "shutdown"])
def test_the_end_is_noticed_once(connect, tag, logged, end):
    conn = connect()
    conn.root.tag(tag)
    assert logged("disconnect:" + tag) == 0
    if end == "close":
        conn.close()
    elif end == "socket":
        conn._channel.close()
    else:
        conn._channel.stream.sock.shutdown(socket.SHUT_WR)  # half open: the server sees the end and closes its side
        with pytest.raises(EOFError):
            conn.root.bump()
    eventually(lambda: logged("disconnect:" + tag) == 1, what="disconnect event")


def test_shutdown_lets_the_running_request_finish_or_end(connect, tag, logged):
    conn = connect()
    conn.root.tag(tag)
    result = rpyc.async_(conn.root.sleep_echo)(0.2, "x")
    conn._channel.stream.sock.shutdown(socket.SHUT_WR)
    try:
        assert result.value == "x"
    except EOFError:
        pass
    eventually(lambda: logged("disconnect:" + tag) == 1, what="disconnect event")


@pytest.mark.parametrize("how", ["socket", "close"])
def test_the_server_hangs_up(connect, tag, logged, how):
    conn = connect()
    conn.root.tag(tag)
    with pytest.raises(EOFError):
        conn.root.hang_up(how)
    with pytest.raises(EOFError):
        conn.ping()
    eventually(lambda: logged("disconnect:" + tag) == 1, what="disconnect event")
    assert connect().root.add(1, 2) == 3


CLIENT = """
import sys, rpyc
conn = rpyc.connect(sys.argv[1], int(sys.argv[2]))
root = conn.root
root.tag(sys.argv[3])
kept = [root.tracked(sys.argv[3] + "-t"), root.count_up(5, sys.argv[3] + "-g")]
next(kept[1])
root.hold(kept[0])
root.register(lambda x: x)
print("READY", flush=True)
mode = sys.argv[4]
if mode == "busy":
    root.sleep_echo(60, "never")
elif mode == "callback":
    root.call(lambda: sys.stdin.read())
else:
    sys.stdin.read()
"""


@pytest.mark.parametrize("mode", ["idle", "callback"])
def test_a_killed_client_leaves_nothing_behind(server, connect, run_program, tag, logged, mode):
    client = run_program("client", [sys.executable, "-c", CLIENT, server.host, str(server.port), tag, mode])
    assert client.line() == "READY"
    client.signal(signal.SIGKILL)
    client.process.wait()
    eventually(lambda: logged("disconnect:" + tag) == 1, what="disconnect event")
    eventually(lambda: logged("gen_closed:%s-g" % tag) == 1, what="generator closed")
    assert logged("final:%s-t" % tag) == 0  # held
    connect().root.release()
    eventually(lambda: logged("final:%s-t" % tag) == 1, what="final event")


def test_a_killed_client_does_not_stop_the_others(server, connect, run_program, tag):
    other = connect().root
    client = run_program("client", [sys.executable, "-c", CLIENT, server.host, str(server.port), tag, "busy"])
    assert client.line() == "READY"
    client.signal(signal.SIGKILL)
    assert other.add(1, 2) == 3
    assert connect().root.add(1, 2) == 3
    other.release()


def test_a_stopped_client_does_not_stop_the_others(server, connect, run_program, tag):
    client = run_program("client", [sys.executable, "-c", CLIENT, server.host, str(server.port), tag, "idle"])
    assert client.line() == "READY"
    client.signal(signal.SIGSTOP)
    for _ in range(3):
        assert connect().root.add(1, 2) == 3
    client.signal(signal.SIGKILL)
    connect().root.release()


def test_reconnecting_many_times(server):
    for i in range(30):
        conn = rpyc.connect(server.host, server.port)
        assert conn.root.add(i, 1) == i + 1
        conn.close()


def test_connections_that_say_nothing(server, connect):
    silent = [socket.create_connection((server.host, server.port)) for _ in range(20)]
    assert connect().root.add(1, 2) == 3
    for sock in silent:
        sock.close()
    assert connect().root.add(1, 2) == 3


def test_two_endpoints_share_one_event_log(connect, tag):
    with connect("public").root.ctx(tag):
        pass
    assert "enter:" + tag in connect("quiet").root.events()


# The process.

def test_the_server_ends_when_its_stdin_does(kind, peers):
    server = peers.start(kind)
    conn = rpyc.connect(server.host, server.port)
    assert conn.root.add(1, 2) == 3
    server.process.stdin.close()
    assert server.process.wait(10) == 0
    with pytest.raises(EOFError):
        conn.root.add(1, 2)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
def test_nothing_grows_with_connections(fresh_server):
    def descriptors():
        return len(os.listdir("/proc/%d/fd" % fresh_server.process.pid))

    def rounds(n):
        for _ in range(n):
            conn = rpyc.connect(fresh_server.host, fresh_server.port)
            conn.root.call(lambda: 1)
            conn.close()
    rounds(3)
    before = eventually(descriptors)
    rounds(20)
    eventually(lambda: descriptors() <= before, what="descriptors back to %d" % before)


def test_the_library_is_the_one_under_test():
    wanted = os.environ.get("GORPYC_RPYC")
    if wanted:
        assert ".".join(map(str, RPYC)) == wanted
    assert Connector


@pytest.mark.skipif(RPYC < (6,), reason="only a client of the newest family is called before it has said anything")
def test_a_client_that_only_serves_is_called_when_it_connects(connect):
    class Guest(rpyc.Service):
        called = []

        def exposed_name(self):
            self.called.append("name")
            return "anna"

        def exposed_apply(self, f):
            self.called.append(f())
            return 1
    conn = connect("greeting", service=Guest)
    eventually(lambda: (conn.poll_all(0.01), Guest.called == ["name", 1])[1])
    eventually(lambda: conn.root.greeting() == ("anna", 1))


def test_types_that_programs_add_to_brine(server, connect):
    assert apart(quantity.echoed, server.host, connect.port("codecs")) == [True] * 5 + ["AttributeError"]


def test_a_type_that_the_peer_has_not_added_to_brine(go_only, peers):
    server = peers.shared("go")
    outcome = apart(quantity.unknown, server.host, server.port)
    assert outcome[0] == "ValueError" and "unknown tag 0xfa" in outcome[1] and outcome[2] == 3
