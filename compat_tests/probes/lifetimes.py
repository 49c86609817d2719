"""Errors, asynchronous use, and how long references and connections live."""
import gc
import pickle
import threading

import rpyc
from rpyc.core import consts

from harness import eventually
from probes.steps import fresh, probe, type_of_error


@probe("core")
def failures(s):
    for kind in ("zero", "value", "key", "os", "unicode", "custom", "json", "unbrinable", "stop", "exit", "chain",
                 "other"):
        s(kind, lambda: s.root.fail(kind))
    s("still alive", lambda: s.root.add(1, 2))


@probe("core")
def quiet_failures(s):
    root = s.connect("quiet").root
    for kind in ("zero", "value", "custom", "chain"):
        s(kind, lambda: root.fail(kind))

    def versions(kind):
        try:
            root.fail(kind)
        except Exception as error:
            return (error._remote_version, error._remote_tb)
    s("denied", lambda: versions("zero"))


@probe("core")
def protocol_errors(s):
    request = s.conn.sync_request
    s("unknown handler", lambda: request(99))
    s("handler 0", lambda: request(0))
    s("handler text", lambda: request("GETROOT"))
    s("handler -1", lambda: request(-1))
    s("ping nothing", lambda: type_of_error(lambda: request(consts.HANDLE_PING)))
    s("ping two", lambda: type_of_error(lambda: request(consts.HANDLE_PING, 1, 2)))
    s("ping value", lambda: request(consts.HANDLE_PING, (1, "x")))
    s("getroot argument", lambda: type_of_error(lambda: request(consts.HANDLE_GETROOT, 1)))
    s("call with number", lambda: type_of_error(lambda: request(consts.HANDLE_CALL, s.root.add, 5, ())))
    s("call with text", lambda: request(consts.HANDLE_CALL, s.root.add, "ab", ()))
    s("call with bytes", lambda: request(consts.HANDLE_CALL, s.root.add, b"ab", ()))
    s("call no kwargs", lambda: request(consts.HANDLE_CALL, s.root.add, (1, 2)))
    s("kwargs pairs", lambda: request(consts.HANDLE_CALL, s.root.add, (1,), (("b", 2),)))
    s("kwargs twice", lambda: request(consts.HANDLE_CALL, s.root.call_shape, (), (("b", 2), ("b", 3))))
    s("kwargs bytes", lambda: type_of_error(lambda: request(consts.HANDLE_CALL, s.root.add, (1,), ((b"b", 2),))))
    s("kwargs number", lambda: type_of_error(lambda: request(consts.HANDLE_CALL, s.root.add, (1,), 5)))
    s("callattr", lambda: request(consts.HANDLE_CALLATTR, s.root, "add", (1, 2), ()))
    s("callattr denied", lambda: request(consts.HANDLE_CALLATTR, s.root, "hidden", (), ()))
    s("repr value", lambda: request(consts.HANDLE_REPR, (1, "x")))
    s("str value", lambda: request(consts.HANDLE_STR, "x"))
    s("hash value", lambda: request(consts.HANDLE_HASH, 5))
    s("dir value", lambda: "__len__" in request(consts.HANDLE_DIR, "x"))
    s("cmp value", lambda: request(consts.HANDLE_CMP, 5, 6, "__lt__"))
    s("cmp text value", lambda: request(consts.HANDLE_CMP, "a", 6, "__eq__"))
    s("cmp nope", lambda: type_of_error(lambda: request(consts.HANDLE_CMP, s.root, 6, "__nope__")))
    s("cmp private", lambda: type_of_error(lambda: request(consts.HANDLE_CMP, s.root.get_list(), 1, "append")))
    s("cmp default", lambda: type_of_error(lambda: request(consts.HANDLE_CMP, 5, 6)))
    s("still alive", lambda: s.root.add(1, 2))


@probe("core")
def asynchronous(s):
    r = s.root
    add, fail, sleep = rpyc.async_(r.add), rpyc.async_(r.fail), rpyc.async_(r.sleep_echo)
    s("value", lambda: add(1, 2).value)
    s("in order", lambda: [one.value for one in [add(i, 1) for i in range(50)]])
    s("error", lambda: fail("value").value)

    def error_flag():
        one = fail("zero")
        one.wait()
        return (one.ready, one.error, one.expired)
    s("error flag", error_flag)
    s("wait", lambda: (lambda one: (one.wait(), one.ready, one.error, one.value))(add(2, 2)))

    def with_callback():
        heard = []
        one = add(3, 4)
        one.add_callback(lambda result: heard.append(result.value))
        one.wait()
        one.add_callback(lambda result: heard.append(-result.value))
        return heard
    s("callback", with_callback)
    s("timed", lambda: rpyc.timed(r.add, 10)(1, 2).value)
    s("expires", lambda: type_of_error(lambda: rpyc.timed(r.sleep_echo, 0.05)(0.3, "late").value))
    s("after expiry", lambda: r.add(1, 1))
    s("slow", lambda: sleep(0.01, "v").value)
    s("ping", lambda: s.conn.ping())
    s("ping data", lambda: s.conn.ping("x" * 5000))
    s("ping bytes", lambda: s.conn.ping(b"\0" * 10))

    def ticks():
        heard = []
        result = r.tick(heard.append, 3, 0.001)
        eventually(lambda: (s.conn.poll_all(0.01), len(heard) == 3)[1], what="three ticks")
        return result, heard
    s("tick", ticks)


@probe("core")
def lifetimes(s):
    r = s.root
    tag = fresh("life")

    def finals(n):
        return s.log(tag, lambda lines: len(lines) >= n)
    s("dropped at once", lambda: (r.tracked(tag + "a").name == tag + "a", gc.collect() and 0, finals(1)))
    kept = s("kept", lambda: r.tracked(tag + "b"))
    s("still there", lambda: (kept.name == tag + "b", finals(1)))
    s("given back", lambda: (r.echo(kept) is kept, r.same(kept, kept), r.echo((1, kept))[1] is kept, finals(1)))

    def release():
        nonlocal kept
        kept = None
        gc.collect()
        return finals(2)
    s("released", release)

    def held():
        r.hold(r.tracked(tag + "c"))
        gc.collect()
        before = finals(2)
        r.release()
        return before, finals(3)
    s("held", held)

    def in_list():
        box = r.get_list()
        box[0] = r.tracked(tag + "d")
        gc.collect()
        before = finals(3)
        del box[0]
        return before, finals(4)
    s("in a list", in_list)

    def by_closing():
        other = s.connect()
        mine = other.root.tracked(tag + "e")
        before = finals(4)
        other.close()
        return before, finals(5), mine is not None
    s("by closing", by_closing)
    s("by closing while held", lambda: hold_and_close(s, tag, finals))


def hold_and_close(s, tag, finals):
    other = s.connect()
    other.root.hold(other.root.tracked(tag + "f"))
    gc.collect()
    other.close()
    before = finals(5)
    s.root.release()
    return before, finals(6)


@probe("core")
def connection_events(s):
    tag = fresh("conn")
    other = s.connect()
    s("tag", lambda: other.root.tag(tag))
    s("nothing yet", lambda: s.log(tag))
    s("closed", lambda: (other.close(), s.log(tag, bool)))
    third = s.connect()
    third.root.tag(tag + "x")
    s("socket lost", lambda: (third._channel.close(), s.log(tag + "x", bool)))


@probe("core")
def hanging_up(s):
    for how in ("socket", "close"):
        conn = s.connect()
        tag = fresh(how)
        conn.root.tag(tag)
        hang_up = conn.root.hang_up
        s(how, lambda: type_of_error(lambda: hang_up(how)))
        s(how + " log", lambda: s.log(tag, bool))
        s(how + " dead", lambda: type_of_error(lambda: conn.root.add(1, 2)))


@probe("core")
def parallel_connections(s):
    results = {}

    def work(number):
        conn = s.connect()
        results[number] = [conn.root.bump() for _ in range(5)] + [conn.root.add(number, 1)]
        conn.close()
    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    s("results", lambda: {str(key): value for key, value in results.items()})


@probe("core")
def pickling(s):
    from rpyc.utils.classic import obtain
    root = s.connect("pickle").root
    s("list", lambda: obtain(root.get_list()))
    s("dict", lambda: obtain(root.get_dict()))
    s("empty", lambda: obtain(root.empty_list()))
    s("denied", lambda: type_of_error(lambda: obtain(s.root.get_list())))
    s("denied raw", lambda: s.conn.sync_request(consts.HANDLE_PICKLE, s.root.get_list(), 2))
    for protocol in range(5):
        s("protocol %d" % protocol, lambda: pickle.loads(
            root.____conn__.sync_request(consts.HANDLE_PICKLE, root.get_list(), protocol)))
