"""Containers and iteration."""
import gc
import operator

import rpyc
from rpyc.core import consts

from describe import RPYC
from probes.steps import fresh, probe, type_of_error


@probe("core")
def lists(s):
    r = s.root
    new = r.get_list
    s("len", lambda: len(new()))
    s("empty", lambda: (len(r.empty_list()), bool(r.empty_list()) if hasattr(list, "__bool__")
                        else len(r.empty_list()) > 0))
    for index in (0, 2, -1, -3, 3, -4, 10 ** 30, True):
        s("item %r" % index, lambda: new()[index])
    s("item text", lambda: new()["x"])
    s("item float", lambda: new()[1.0])
    s("item none", lambda: new()[None])
    for cut in (slice(None), slice(1, None), slice(None, -1), slice(None, None, -1), slice(5, 9), slice(None, None, 2)):
        s("slice %r" % cut, lambda: new()[cut])
        s("items of slice %r" % cut, lambda: list(new()[cut]))
    s("slice step 0", lambda: new()[::0])
    s("in", lambda: (2 in new(), 5 in new(), "x" in new(), 2.0 in new(), True in new()))
    s("iter", lambda: list(new()))
    s("sum", lambda: sum(new()))
    s("star", lambda: (*new(),))
    s("eq same", lambda: (lambda one: one == one)(new()))
    s("eq remote", lambda: (new() == new(), new() != new(), new() < new(), new() <= new(), new() > r.empty_list()))
    s("eq local", lambda: (new() == [1, 2, 3], new() != [1, 2, 3]))
    s("less local", lambda: new() < [1, 2, 3])
    s("hash", lambda: hash(new()))
    s("repr", lambda: (repr(new()), str(new())))
    s("add remote", lambda: list(new() + new()))
    s("add is new", lambda: new() + r.empty_list())
    s("add tuple", lambda: new() + (1,))
    s("times", lambda: list(new() * 2))
    s("times left", lambda: list(2 * new()))
    s("isinstance", lambda: (isinstance(new(), list), isinstance(new(), dict)))


@probe("core")
def list_changes(s):
    shared = s.root.shared_list()
    s("one object", lambda: s.root.shared_list() is shared)
    s("same", lambda: s.root.same(shared, s.root.shared_list()))
    s("set", lambda: (operator.setitem(shared, 0, "x"), list(shared))[1])
    s("set negative", lambda: (operator.setitem(shared, -1, (1, 2)), list(shared))[1])
    s("set far", lambda: operator.setitem(shared, 9, 1))
    s("set slice", lambda: (operator.setitem(shared, slice(1, 2), (7, 8)), list(shared))[1])
    s("delete", lambda: (operator.delitem(shared, 0), list(shared))[1])
    s("delete far", lambda: operator.delitem(shared, 9))
    s("delete slice", lambda: (operator.delitem(shared, slice(0, 1)), list(shared))[1])
    mine = {"k": 1}
    s("set mine", lambda: (operator.setitem(shared, 0, mine), shared[0] is mine)[1])

    def add():
        box = shared
        before = box
        box += (4, 5)
        return (box is before, len(box), list(box)[1:])
    s("+=", add)
    s("length remote", lambda: s.root.length_of(shared))
    other = s.connect().root
    s("per service object", lambda: list(other.shared_list()))
    public = s.connect("public").root
    s("public append", lambda: (lambda one: (one.append(5), list(one), one.pop(), one.pop(0), one.index(3),
                                             list(one)))(public.get_list()))
    s("public index", lambda: public.get_list().index(9))
    s("public pop empty", lambda: public.empty_list().pop())


@probe("core")
def dicts(s):
    r = s.root
    new = r.get_dict
    s("item", lambda: (new()["a"], new()["b"]))
    s("missing", lambda: new()["zz"])
    s("missing number", lambda: new()[5])
    s("unhashable", lambda: new()[[1]])
    s("len", lambda: len(new()))
    s("in", lambda: ("a" in new(), "zz" in new(), 1 in new()))
    s("iter", lambda: list(new()))
    s("sorted", lambda: sorted(new()))
    s("set", lambda: (lambda d: (operator.setitem(d, "c", 3), d["c"], len(d)))(new()))
    s("set tuple key", lambda: (lambda d: (operator.setitem(d, (1, "x"), 3), d[(1, "x")]))(new()))
    s("delete", lambda: (lambda d: (operator.delitem(d, "a"), len(d), list(d)))(new()))
    s("delete missing", lambda: operator.delitem(new(), "zz"))
    s("number keys", lambda: (lambda d: (operator.setitem(d, 1, "int"), operator.setitem(d, True, "bool"),
                                         operator.setitem(d, 1.0, "float"), d[1], len(d)))(new()))
    s("repr", lambda: (repr(new()), str(new())))
    s("eq", lambda: (new() == new(), new() == {"a": 1, "b": 2}))
    s("hash", lambda: hash(new()))
    s("keys denied", lambda: new().keys())
    s("bool", lambda: bool(new()))
    s("isinstance", lambda: isinstance(new(), dict))
    public = s.connect("public").root.get_dict()
    s("public get", lambda: (public.get("a"), public.get("zz"), public.get("zz", 9)))
    s("public items", lambda: sorted(public.items()))
    s("public keys", lambda: sorted(public.keys()))
    mine = [1]
    s("mine", lambda: (operator.setitem(public, "mine", mine), public["mine"] is mine))


@probe("core")
def sets(s):
    new = s.root.get_set
    s("len", lambda: len(new()))
    s("in", lambda: (1 in new(), 9 in new()))
    s("iter", lambda: sorted(new()))
    s("eq", lambda: new() == new())
    s("hash", lambda: hash(new()))
    s("bool", lambda: bool(new()))


@probe("core")
def tuples(s):
    r = s.root

    def flat(value):
        if isinstance(value, tuple):
            return tuple(flat(item) for item in value)
        if isinstance(value, dict):
            return {key: value[key] for key in value}
        return list(value) if isinstance(value, list) else value
    s("mixed", lambda: flat(r.mixed()))
    s("twice", lambda: (lambda pair: pair[0] is pair[1])(r.twice()))
    s("twice equal", lambda: (lambda pair: (pair[0] == pair[1], r.same(*pair)))(r.twice()))
    s("many", lambda: [p.x for p in r.many(5)])
    s("many none", lambda: r.many(0))
    s("length of tuple", lambda: (r.length_of((1, 2)), r.length_of("abc"), r.length_of(b"")))
    s("length of mine", lambda: (r.length_of([1, 2]), r.length_of({}), r.length_of(range(7))))
    s("length of none", lambda: r.length_of(None))


@probe("core")
def formats(s):
    if RPYC < (5, 1):  # __format__ was not a safe attribute yet
        return
    r = s.root
    s("point plain", lambda: format(r.make_point(3, 4), ""))
    s("point spec", lambda: format(r.make_point(3, 4), ">5"))
    s("point f", lambda: "{0:abc}".format(r.make_point(3, 4)))
    s("list", lambda: format(r.get_list(), ""))
    s("list spec", lambda: format(r.get_list(), "x"))


@probe("core")
def iteration(s):
    r = s.root
    tag = fresh("it")
    s("generator", lambda: list(r.count_up(5)))
    s("empty", lambda: list(r.count_up(0)))
    s("next", lambda: (lambda g: (next(g), next(g), next(g, "end"), next(g, "end")))(r.count_up(2)))
    s("next past the end", lambda: next(r.count_up(0)))
    s("iter is itself", lambda: (lambda g: iter(g) is g)(r.count_up(3)))
    s("exhausted log", lambda: (list(r.count_up(2, tag + "a")), s.log(tag + "a", bool)))

    def drop():
        g = r.count_up(9, tag + "b")
        next(g)
        before = s.log(tag + "b")
        del g
        gc.collect()
        return before, s.log(tag + "b", bool)
    s("dropped log", drop)
    s("fails", lambda: list(r.gen_fail(3)))
    s("fails after", lambda: (lambda g: (next(g), next(g), type_of_error(lambda: next(g)),
                                         type_of_error(lambda: next(g))))(r.gen_fail(2)))
    s("list twice", lambda: (lambda one: (list(one), list(one)))(r.get_list()))
    s("list iterator", lambda: (lambda it: (next(it), list(it), list(it)))(iter(r.get_list())))
    s("enumerate", lambda: list(enumerate(r.get_list())))
    s("zip", lambda: list(zip(r.get_list(), r.count_up(9))))
    s("unpack", lambda: (lambda a, b, c: (c, b, a))(*r.get_list()))
    s("dict", lambda: list(r.get_dict()))
    s("in generator", lambda: 3 in r.count_up(5))
    s("generator method", lambda: r.count_up(3).send(None))
    s("generator close", lambda: r.count_up(3).close())
    s("reversed", lambda: list(reversed(r.get_list())))
    s("not iterable", lambda: list(r.make_gadget()))
    s("my iterator there", lambda: r.call(lambda it: list(it), r.count_up(3)))


@probe("core")
def buffered_iteration(s):
    r = s.root
    for chunk in (1, 2, 3, 7, 100):
        s("list %d" % chunk, lambda: list(rpyc.buffiter(r.get_list(), chunk)))
        s("generator %d" % chunk, lambda: list(rpyc.buffiter(r.count_up(10), chunk, 4, 2)))
    s("empty", lambda: list(rpyc.buffiter(r.empty_list())))
    s("dict", lambda: list(rpyc.buffiter(r.get_dict())))
    s("point", lambda: list(rpyc.buffiter(r.make_point(1, 2))))
    s("fails", lambda: list(rpyc.buffiter(r.gen_fail(25), 10)))
    s("bad factor", lambda: list(rpyc.buffiter(r.get_list(), factor=0)))
    s("references", lambda: (lambda d: [list(x) for x in rpyc.buffiter(d)])(r.echo(([1], [2]))))
    s("long", lambda: sum(rpyc.buffiter(r.count_up(5000), 100)))
    it = iter(r.get_list())
    s("count none", lambda: s.conn.sync_request(consts.HANDLE_BUFFITER, it, None))
    s("count zero", lambda: s.conn.sync_request(consts.HANDLE_BUFFITER, r.get_list(), 0))
    s("count negative", lambda: type_of_error(lambda: s.conn.sync_request(consts.HANDLE_BUFFITER, r.get_list(), -1)))
    s("not iterable", lambda: s.conn.sync_request(consts.HANDLE_BUFFITER, r.make_gadget(), 5))
    s("of a value", lambda: s.conn.sync_request(consts.HANDLE_BUFFITER, (1, 2, 3), 2))
