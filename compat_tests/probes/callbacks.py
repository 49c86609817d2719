"""The client's objects, used by the server, and context managers."""
from probes.steps import fresh, probe, type_of_error


class Mine:
    """A client class with a bit of everything."""

    exposed_shown = "shown"
    hidden = "hidden"

    def __init__(self, *items):
        self.items = items

    def exposed_twice(self, x):
        return 2 * x

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]

    def __contains__(self, item):
        return item in self.items

    def __iter__(self):
        return iter(self.items)

    def __str__(self):
        return "mine"

    def __repr__(self):
        return "Mine()"

    def __call__(self, *args, **kwargs):
        return ("called", args, tuple(kwargs.items()))


class Bare:
    """A client class with nothing."""


@probe("core")
def callbacks(s):
    r = s.root
    s("call", lambda: r.call(lambda: 5))
    s("arguments", lambda: r.call(lambda *a, **k: (a, tuple(k.items())), 1, "x", None, z=1, a=(2,)))
    s("object", lambda: r.call(Mine(), 1, k=2))
    s("bound method", lambda: r.call([3, 1, 2].index, 1))
    s("builtin", lambda: r.call(max, 3, 9, 4))
    s("class", lambda: r.call(int, "12"))
    s("not callable", lambda: r.call(5))
    s("bare object", lambda: type_of_error(lambda: r.call(Bare())))
    s("returns mine", lambda: (lambda one: r.call(lambda: one) is one)([1]))
    s("returns theirs", lambda: (lambda one: r.call(lambda: one) is one)(r.get_list()))
    s("gets theirs", lambda: r.call(lambda one: list(one), r.get_list()))
    s("is the same", lambda: (lambda one: r.call(lambda other: other is one, one))(r.make_gadget()))
    s("theirs called there", lambda: r.call(r.add, 2, 3))
    s("nested", lambda: r.call(lambda: r.call(lambda: r.call(lambda: r.add(1, 2)))))
    s("pingpong", lambda: (lambda f: r.pingpong(f, 3))(lambda n: n * 10))

    def deep(n):
        return r.pingpong(deep, n)
    s("ten deep", lambda: r.pingpong(deep, 10))
    s("read while called", lambda: r.call(lambda: (r.bump(), r.answer, r.bump())))
    s("none", lambda: r.call(lambda: None))
    s("big", lambda: len(r.call(lambda x: x + x, b"x" * 100000)))


@probe("core")
def callbacks_that_fail(s):
    class Custom(Exception):
        pass

    def fail(error):
        def run(*_):
            raise error
        return run
    r = s.root
    for name, error in (("value", ValueError("bad", 1)), ("key", KeyError("k")), ("zero", ZeroDivisionError("z")),
                        ("os", FileNotFoundError(2, "gone", "/x")), ("custom", Custom("mine", 7)),
                        ("stop", StopIteration()),
                        ("type", TypeError("t")), ("attribute", AttributeError("a")), ("lookup", LookupError()),
                        ("runtime", RuntimeError("r", (1, 2))), ("not implemented", NotImplementedError("n"))):
        s("caught " + name, lambda: r.call_catching(fail(error)))
        if name != "stop":
            s("passed " + name, lambda: r.call(fail(error)))
    s("ok", lambda: r.call_catching(lambda: 5))
    s("ok theirs", lambda: r.call_catching(lambda: (1, [2])[0]))
    s("still alive", lambda: r.add(1, 2))
    s("fail there", lambda: r.call(lambda: r.fail("value")))
    s("two deep", lambda: r.call(lambda: r.call(fail(ValueError("deep")))))
    s("caught two deep", lambda: r.call_catching(lambda: r.call(fail(KeyError("deep")))))


@probe("core")
def callback_lists(s):
    r = s.root
    heard = []

    def one(x):
        heard.append(("one", x))
        return x + 1

    def two(x):
        heard.append(("two", x))
        return x * 2
    s("nothing", lambda: r.fire(1))
    s("register", lambda: (r.register(one), r.register(two)))
    s("fire", lambda: r.fire(10))
    s("heard", lambda: list(heard))
    s("unregister", lambda: (r.unregister(one), r.unregister(one)))
    s("fire again", lambda: r.fire(3))
    s("unregister mine", lambda: r.unregister(lambda x: x))
    s("other connection", lambda: s.connect().root.fire(1))
    point = r.make_point(1, 2)
    s("theirs", lambda: (r.register(point), [repr(x) for x in r.fire(2)[1:]], r.unregister(r.make_point(1, 2))))


@probe("core")
def my_objects(s):
    r = s.root
    mine = Mine(2, 4)
    s("read exposed", lambda: r.read_attr(mine, "shown"))
    s("read prefixed", lambda: r.read_attr(mine, "exposed_shown"))
    s("read hidden", lambda: r.read_attr(mine, "hidden"))
    s("read nope", lambda: r.read_attr(mine, "nope"))
    s("read doc", lambda: r.read_attr(mine, "__doc__"))
    s("read class", lambda: type_of_error(lambda: r.read_attr(mine, "__dict__")))
    s("method", lambda: r.call(r.read_attr(mine, "twice"), 21))
    s("write", lambda: r.write_attr(mine, "shown", 5))
    s("write nope", lambda: r.write_attr(mine, "nope", 5))
    s("unchanged", lambda: mine.exposed_shown)
    s("length", lambda: r.length_of(mine))
    s("length of bare", lambda: type_of_error(lambda: r.length_of(Bare())))
    open_root = s.connect(config={"allow_public_attrs": True, "allow_setattr": True}).root
    s("read public", lambda: open_root.read_attr(mine, "hidden"))
    s("write public", lambda: (open_root.write_attr(mine, "hidden", (1, 2)), mine.hidden))
    s("probe tuple", lambda: r.probe((5, 2)))
    s("probe list", lambda: type_of_error(lambda: r.probe([5, 2])))
    s("probe mine", lambda: r.probe(mine))
    s("probe point", lambda: r.probe(r.make_point(5, 2)))


class Manager:
    """A context manager of the client's."""

    def __init__(self, suppress=False, fail=None):
        self.suppress, self.fail, self.log = suppress, fail, []

    def __enter__(self):
        self.log.append("enter")
        if self.fail == "enter":
            raise LookupError("no entry")
        return "entered"

    def __exit__(self, kind, value, traceback):
        self.log.append(("exit", value is not None or kind is not None))
        if self.fail == "exit":
            raise LookupError("no exit")
        return self.suppress


@probe("core")
def my_context_managers(s):
    r = s.root
    for name, make in (("plain", Manager), ("suppress", lambda: Manager(True)),
                       ("fail enter", lambda: Manager(fail="enter")),
                       ("fail exit", lambda: Manager(fail="exit"))):
        one, two = make(), make()
        s(name + " use", lambda: r.use_ctx(one))
        s(name + " use log", lambda: one.log)
        s(name + " fail", lambda: r.fail_in_ctx(two))
        s(name + " fail log", lambda: two.log)
    s("bare", lambda: type_of_error(lambda: r.use_ctx(Bare())) in ("TypeError", "AttributeError"))


@probe("core")
def context_managers(s):
    r = s.root
    tag = fresh("ctx")

    def use(suppress, error=None):
        with r.ctx(tag, suppress) as value:
            if error:
                raise error
        return value
    s("plain", lambda: use(False))
    s("plain log", lambda: s.log(tag))
    s("error", lambda: use(False, KeyError("x")))
    s("error log", lambda: s.log(tag))
    s("suppressed", lambda: type_of_error(lambda: use(True, KeyError("x"))))
    s("suppressed log", lambda: s.log(tag))
    s("not a manager", lambda: type_of_error(lambda: r.make_gadget().__enter__()))
