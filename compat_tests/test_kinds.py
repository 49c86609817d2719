"""Every kind of Go value as Python sees it.  Where Python has the like, the same is done to Python's own object beside
it."""
import calendar
import csv
import datetime
import gc
import inspect
import io
import os
import pydoc
import rlcompleter
import sys

import pytest
import rpyc

from describe import RPYC
from harness import Server, eventually, serving_here


@pytest.fixture(scope="module")
def kinds(request, peers):
    if "go" not in request.config.getoption("--peers"):
        pytest.skip("these are Go's own kinds")
    server = Server("kinds", [peers.binaries.path("kinds")])
    yield server
    server.stop()


@pytest.fixture
def root(kinds):
    conn = rpyc.connect(kinds.host, kinds.port, config={"allow_public_attrs": True})
    yield conn.root
    conn.close()


def outcome(do):
    try:
        return do()
    except Exception as error:
        return type(error).__name__


def test_scalars(root):
    assert root.scalars() == (True, -3, 1 << 63, 1.5, "text", b"\x00\xff", (1, 2), 1, 1.5, None)
    assert (root.levels().LOW, root.levels().HIGH) == (0, 1)


def test_generic_structs(root):
    first, second = root.pairs()
    first.swap()
    assert (first.first, first.second, second.first) == (2, 1, "a")
    first.first = 7
    assert first.first == 7
    assert type(first).__name__ == type(second).__name__ == "main.Pair"


def test_embedded(root):
    derived = root.derived()
    derived.name = "y"
    assert (derived.hello(), derived.extra) == ("hello y", 5)


def test_containers(root):
    ints, table, queue = root.ints(), root.table(), root.queue()
    assert (list(ints), ints[-1], list(ints[::-1]), 2 in ints, len(ints)) == ([3, 1, 2], 2, [2, 1, 3], True, 3)
    ints.sort()
    assert list(ints) == [1, 2, 3]
    assert list(table) == ["a", "b", "c"] and dict(table.items()) == {"a": 1, "b": 2, "c": 3}
    table["d"] = 4
    assert table["d"] == 4 and list(table) == ["a", "b", "c", "d"]
    with pytest.raises(KeyError) as caught:
        table["nope"]
    assert caught.value.args == ("nope",)
    queue.append("two")
    assert list(queue) == ["one", "two"]
    with pytest.raises(TypeError):
        queue.append(3)
    assert sorted(root.members()) == [1, 2] and isinstance(root.members(), set)
    assert isinstance(ints, list) and isinstance(table, dict)


VIEWS = {
    "minus list": lambda d: sorted(d.keys() - ["a", "x"]),
    "minus set": lambda d: sorted(d.keys() - {"a", "x"}),
    "minus generator": lambda d: sorted(d.keys() - (k for k in "ab")),
    "and set": lambda d: sorted(d.keys() & {"a", "x"}),
    "and text": lambda d: sorted(d.keys() & "xyza"),
    "or tuple": lambda d: sorted(d.keys() | ("x", "x")),
    "xor set": lambda d: sorted(d.keys() ^ {"a", "x"}),
    "set and": lambda d: sorted({"a", "x"} & d.keys()),
    "set minus": lambda d: sorted({"a", "x"} - d.keys()),
    "list minus": lambda d: sorted(["a", "x"] - d.keys()),
    "set or": lambda d: sorted({"a", "x"} | d.keys()),
    "set xor": lambda d: sorted({"a", "x"} ^ d.keys()),
    "views": lambda d: sorted(d.keys() & d.keys()),
    "items or set": lambda d: sorted(d.items() | {("a", 1), ("x", 9)}),
    "items minus list": lambda d: sorted(d.items() - [("a", 1), ("b", 9)]),
    "items and": lambda d: sorted(d.items() & [("a", 1), ("b", 9)]),
    "no iterable": lambda d: d.keys() - 5,
    "unhashable": lambda d: d.keys() | [[]],
    "values": lambda d: d.values() - [1],
    "disjoint": lambda d: (d.keys().isdisjoint(["x"]), d.keys().isdisjoint("xa"), d.items().isdisjoint({("a", 1)})),
    "disjoint from nothing iterable": lambda d: d.keys().isdisjoint(5),
    "fromkeys": lambda d: (dict(d.fromkeys(["x", "y", "x"]).items()), dict(d.fromkeys("ab", 0).items()),
                           dict(d.fromkeys({}).items())),
    "fromkeys of no iterable": lambda d: d.fromkeys(5),
    "mapping": lambda d: (d.keys().mapping["a"], len(d.values().mapping), list(d.items().mapping),
                          d.keys().mapping.get("x", 7)),
    "mapping's text": lambda d: repr(d.keys().mapping),
    # RPyC 5.3's clients call its type "type", whoever serves
    "mapping's type": lambda d: RPYC[:2] == (5, 3) or type(d.keys().mapping).__name__.split(".")[-1],
    "mapping's parts": lambda d: (sorted(d.keys().mapping.items()), "a" in d.keys().mapping),
    "mapping is read-only": lambda d: d.keys().mapping.__setitem__("a", 2),
    "mapping's copy": lambda d: sorted(d.keys().mapping.copy()),
    "difference of columns": lambda d: sorted(set(["a", "z"]).difference(d.keys())),
}


@pytest.mark.parametrize("name", VIEWS)
def test_dict_views(root, name):
    if sys.version_info < (3, 10) and ("mapping" in name or name in ("list minus",)):
        pytest.skip("not in this Python")
    assert outcome(lambda: VIEWS[name](root.table())) == outcome(lambda: VIEWS[name]({"a": 1, "b": 2, "c": 3}))


def test_csv_of_dicts(root):
    ours, theirs = io.StringIO(), io.StringIO()
    for out, rows in ((ours, [root.table()]), (theirs, [{"a": 1, "b": 2, "c": 3}])):
        csv.DictWriter(out, ["a", "b", "c"]).writerows(rows)
    assert ours.getvalue() == theirs.getvalue() == "1,2,3\r\n"


def test_generators(root):
    assert list(root.chan(3)) == [0, 1, 2]
    assert list(root.enumerate("a", "b")) == [(0, "a"), (1, "b")]
    count = root.count(10)
    assert repr(count).startswith("<generator object Kinds.exposed_count at ")
    assert (next(count), next(count)) == (0, 1)
    del count
    gc.collect()
    eventually(lambda: root.log() == ("count ended",))
    with pytest.raises(ValueError):
        closing = root.count(3)
        next(closing)
        closing.throw(ValueError, "thrown")
    assert root.log() == ("count ended",) * 2
    closing = root.count(3)
    next(closing)
    closing.close()
    assert root.log() == ("count ended",) * 3 and list(closing) == []


def test_methods_keep_generators(root):
    step = root.count(10).__next__  # of a generator that nothing else refers to
    gc.collect()
    assert (step(), step()) == (0, 1) and root.log() == ()
    del step
    gc.collect()
    eventually(lambda: root.log() == ("count ended",))


def test_generators_that_listen(root):
    echo = root.echo()
    assert outcome(lambda: echo.send(1)) == "TypeError"
    assert (next(echo), echo.send("x"), next(echo), echo.throw(KeyError)) == (None, "x", None, "caught")
    echo.close()
    assert root.log() == ("echo ended",)


class Coded(LookupError):
    def __str__(self):
        return "code %d" % self.args[0]


class Reticent(Exception):
    def __init__(self, secret):
        self.secret = secret

    def __repr__(self):
        return "<hidden>"


EXCEPTIONS = {
    "text": ValueError("x"), "none": ValueError(), "several": KeyError("k", 1, (2.5, None)), "key": KeyError("k"),
    "quotes": ValueError("it's \"so\"\n"), "own text": Coded(7), "unlike any": Reticent(3), "os": OSError(2, "No such"),
    "object": ValueError([1]), "stop": StopIteration(4), "exit": SystemExit(3), "unicode": ValueError("\u00e9\u4e2d"),
    "nested": ValueError(KeyError("k")),
}


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_exceptions_as_values(root, name):
    error = EXCEPTIONS[name]
    kind, text, args, lookup = root.on_error(error)
    assert (kind, text) == (type(error).__name__, str(error))
    if name not in ("object", "nested"):
        assert args == repr(error.args)
    if type(error) not in (Coded,):  # its bases are not told
        assert lookup == isinstance(error, LookupError)


def test_exceptions_in_containers(root):
    assert root.on_errors([ValueError("a"), KeyError("b"), Coded(3)], OSError("c")) == "\n".join(
        ["ValueError: a", "KeyError: 'b'", "test_kinds.Coded: code 3", "OSError: c"])
    for nonsense in (5, "x", [1], object(), int):
        with pytest.raises(TypeError, match="must be an exception, not"):
            root.on_error(nonsense)
    assert root.on_error(ValueError)[:2] == ("ValueError", "") and root.on_error(None) is None
    assert root.on_error(root.error_value()) == ("KeyError", "'k'", "('k',)", True)


THROWN = {
    "text": ("x",), "number": (5,), "None": (None,), "exception": (KeyError("k"),), "class": (KeyError,),
    "class and text": (KeyError, "k"), "class and exception": (KeyError, KeyError("k")),
    "class and subclass": (LookupError, KeyError("k")), "class and tuple": (KeyError, ("a", 1)),
    "exception and value": (KeyError("k"), "x"), "exception and None": (KeyError("k"), None, None),
    "class and None": (KeyError, None), "no traceback": (KeyError, None, 5), "own text": (Coded(7),),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", THROWN)
def test_throwing(root, name):
    def catcher():
        got = None
        while True:
            try:
                yield got
                got = None
            except Exception as e:
                got = type(e).__name__, str(e), repr(e.args)

    def throw(generator):
        next(generator)
        try:
            caught = generator.throw(*THROWN[name])
            return caught[:3], next(generator)
        except TypeError as e:
            return e.args
    assert throw(root.catcher()) == throw(catcher())


LINES = b"first\nsecond\r\n\nlast without end"
READS = {
    "read": lambda f: f.read(),
    "read 4, 0, rest": lambda f: (f.read(4), f.read(0), f.read(-1), f.read()),
    "read None": lambda f: f.read(None),
    "readline": lambda f: (f.readline(), f.readline(3), f.readline(), f.readline(-1), f.readline(), f.readline(),
                           f.readline()),
    "readlines": lambda f: (list(f.readlines()), list(f.readlines())),
    "iteration": lambda f: [line for line in f],
    "mixed": lambda f: (f.readline(), f.read(3), next(f), f.read()),
    "able": lambda f: (f.readable(),),
    "bad size": lambda f: f.read("x"),
}


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("make", ["buffer", "temp_file", "reader"])
def test_reading(root, make, name):
    assert outcome(lambda: READS[name](getattr(root, make)(LINES))) == outcome(lambda: READS[name](io.BytesIO(LINES)))


WRITES = {
    "write": lambda f: (f.write(b"abc"), f.write(b"")),
    "writelines": lambda f: f.writelines([b"a", b"b"]),
    "text": lambda f: f.write("text"),
    "flush": lambda f: (f.write(b"x"), f.flush()),
    "able": lambda f: f.writable(),
}


@pytest.mark.parametrize("name", WRITES)
def test_writing(root, name):
    ours, theirs = root.temp_file(b""), io.BytesIO()
    assert outcome(lambda: WRITES[name](ours)) == outcome(lambda: WRITES[name](theirs))
    ours.seek(0), theirs.seek(0)
    assert ours.read() == theirs.read()


def test_seeking(root):
    ours, theirs = root.temp_file(LINES), io.BytesIO(LINES)
    for do in (lambda f: f.seekable(), lambda f: (f.seek(3), f.tell(), f.read(2)), lambda f: (f.seek(-4, 2), f.read()),
               lambda f: (f.seek(0, os.SEEK_SET), f.readline(), f.tell()), lambda f: f.seek(-1)):
        theirs_did, ours_did = outcome(lambda: do(theirs)), outcome(lambda: do(ours))
        assert ours_did == theirs_did or (ours_did, theirs_did) == ("OSError", "ValueError")


def test_closing(root):
    with root.temp_file(b"x") as f:
        assert f.read() == b"x"
    with pytest.raises(ValueError):
        f.read()


TIMES = [(0, 0, 0), (1700000000, 123456789, 0), (1700000000, 0, 7200), (1600000000, 5000, -12600),
         (951827696, 999999999, 19800)]
DATETIMES = {
    "parts": lambda t: (t.year, t.month, t.day, t.hour, t.minute, t.second, t.microsecond),
    "isoformat": lambda t: (t.isoformat(), t.isoformat(" "), str(t), format(t), "{:%d.%m.%Y}".format(t)),
    "strftime": lambda t: t.strftime("%Y-%m-%d %H:%M:%S.%f %z %a %A %b %B %j %y %I %p %G-%V-%u %%"),
    "weekday": lambda t: (t.weekday(), t.isoweekday()),
    "timestamp": lambda t: t.timestamp(),
    "repr": lambda t: repr(t),
    "bad": lambda t: t.isoformat("--"),
    "date": lambda t: (lambda d: (
        d.year, d.month, d.day, d.weekday(), d.isoweekday(), d.toordinal(), str(d), repr(d), d.isoformat(), d.ctime(),
        d.strftime("%d.%m."), format(d, "%Y"), format(d), tuple(d.isocalendar())))(t.date()),
    "dates": lambda t: (
        t.date() == t.date(), t.date() != t.date(), t.date() < t.replace(day=1, month=1, year=1).date(),
        hash(t.date()) == hash(t.date()), str(t.date().replace(day=3)), t.date().timetuple()[:9]),
    "time": lambda t: (lambda c: (
        c.hour, c.minute, c.second, c.microsecond, str(c), repr(c), c.isoformat(), c.tzinfo, c.utcoffset(), c.tzname(),
        c.fold, c.strftime("%H.%M"), str(c.replace(second=1))))(t.time()),
    "times": lambda t: (
        t.time() == t.time(), t.time() < t.replace(hour=23, minute=59, second=59).time(), t.time() == t.date()),
    "tzinfo": lambda t: (
        str(t.tzinfo), repr(t.tzinfo), t.tzinfo.tzname(None), t.tzinfo.dst(None), t.tzinfo == t.tzinfo,
        t.dst(), t.fold),
    "replace": lambda t: str(t.replace(year=1999, month=2, day=28, hour=1, minute=2, second=3, microsecond=4)),
    "replace by position": lambda t: str(t.replace(2001, 2, 3, 4)),
    "replace the zone": lambda t: str(t.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=5)))),
    "replace nonsense": lambda t: [outcome(lambda: t.replace(**{name: value})) for name, value in (
        ("month", 13), ("day", 32), ("year", 0), ("year", 10000), ("hour", 24), ("hour", "x"), ("nope", 1),
        ("microsecond", -1), ("tzinfo", 5))],
    "astimezone": lambda t: (
        str(t.astimezone(datetime.timezone.utc)), t.astimezone() == t, t.astimezone(t.tzinfo) == t,
        str(t.astimezone(datetime.timezone(datetime.timedelta(hours=-3), "EST"))), outcome(lambda: t.astimezone(5))),
    "timetuple": lambda t: (
        tuple(t.timetuple()), t.timetuple().tm_year, t.timetuple().tm_yday, t.timetuple()[3], t.timetuple()[:3],
        len(t.timetuple()), repr(t.timetuple()), t.timetuple() == t.timetuple(), 1 in t.timetuple()),
    "utctimetuple": lambda t: (
        tuple(t.utctimetuple()), t.utctimetuple().tm_isdst, calendar.timegm(t.utctimetuple())),
    "ctime": lambda t: (t.ctime(), t.toordinal(), tuple(t.isocalendar())),
    "completion": lambda t: [
        name for name in dir(t) if name in ("year", "isoformat", "replace", "date", "tzinfo", "exposed_year")],
}


@pytest.mark.parametrize("name", DATETIMES)
@pytest.mark.parametrize("when", TIMES)
def test_times(root, when, name):
    seconds, nanoseconds, zone = when
    tz = datetime.timezone(datetime.timedelta(seconds=zone), "Z%d" % zone) if zone else datetime.timezone.utc
    theirs = datetime.datetime.fromtimestamp(seconds, tz).replace(microsecond=nanoseconds // 1000)
    ours = root.time(*when)
    if name == "timestamp":
        assert abs(ours.timestamp() - theirs.timestamp()) < 2e-6
    else:
        assert outcome(lambda: DATETIMES[name](ours)) == outcome(lambda: DATETIMES[name](theirs))


def test_named_zone(root):
    zoneinfo = pytest.importorskip("zoneinfo")
    try:
        berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    except zoneinfo.ZoneInfoNotFoundError:
        pytest.skip("no time zones here")
    theirs = datetime.datetime.fromtimestamp(1700000000, datetime.timezone.utc).astimezone(berlin)
    assert str(root.time(1700000000, 0, 0).astimezone(berlin)) == str(theirs)


def test_times_together(root):
    early, late = root.time(1000, 0, 0), root.time(1060, 0, 3600)
    here = datetime.datetime.fromtimestamp(1000, datetime.timezone.utc)
    assert isinstance(early, datetime.datetime)
    assert early < late and early != late and early == root.time(1000, 0, 0) and early == here and late > here
    assert hash(early) == hash(root.time(1000, 0, 7200))
    assert late - early == 60.0 and (early + 60) == late and (late - datetime.timedelta(minutes=1)) == early
    assert root.since(late, early) == 60.0 and root.since(late, here) == 60.0
    assert late.utcoffset() == 3600.0
    for when in (early, here):
        with pytest.raises(AttributeError, match="^'datetime.datetime' object has no attribute 'nosuch'"):
            when.nosuch


def test_funcs(root):
    assert root.func()(41) == 42
    upper = root.upper()
    assert upper(s="x") == "X" and upper.__doc__ == "Capitals."
    assert root.log == root.log and hash(root.log) == hash(root.log) and root.log != root.ints


def test_errors_and_strings(root):
    with pytest.raises(FileNotFoundError):
        root.fail()
    error = root.error_value()
    assert repr(error) == repr(KeyError("k")) and str(error) == str(KeyError("k")) and isinstance(error, KeyError)
    assert str(root.stringer()) == "number 7"


def test_classes(root):
    account, savings = root.classes()
    a = account(balance=3)
    assert a.deposit(4, note="n") == "n" and a.balance == 7
    a.balance = 9
    assert (a.balance, account.CURRENCY, a.CURRENCY) == (9, "EUR", "EUR")
    with pytest.raises(ValueError, match="no credit"):
        a.balance = -1
    with pytest.raises(TypeError):
        a.balance = "much"
    with pytest.raises(TypeError, match="deposit"):
        a.deposit()
    assert (account.__doc__, a.deposit.__doc__) == ("An account.", "Put money in.")
    s = savings(0.5)
    s.deposit(2)
    assert (s.balance, s.rate) == (2, 0.5)
    assert isinstance(a, account) and isinstance(s, savings) and not isinstance(a, savings)
    assert root.isinstance(s, account) and not root.isinstance(a, savings) and root.isinstance(s, (savings, account))
    assert root.isinstance(root.ints(), list) and root.isinstance([], list) and not root.isinstance(a, list)


def test_restricted(root):
    account = root.restricted()
    assert account.balance == 5 and account.deposit(2, note="") == ""
    account.balance = 1
    with pytest.raises(AttributeError):
        account.CURRENCY
    with pytest.raises(AttributeError):
        account.deposit = 1


class PythonKinds(rpyc.Service):
    """What the Go service has, for another prefix and for properties that can be set."""
    limits = 0

    def log(self):
        return ()
    pub_log = log

    @property
    def limit(self):
        return self.limits

    @limit.setter
    def limit(self, n):
        if n < 0:
            raise ValueError("below zero")
        self.limits = n
    exposed_limit = pub_limit = limit

    @property
    def fixed(self):
        return 1
    exposed_fixed = pub_fixed = fixed
    hidden = 5

    def _rpyc_setattr(self, name, value):  # rpyc.Service refuses everything
        for known in (name, "exposed_" + name):
            if isinstance(getattr(type(self), known, None), property):
                return setattr(self, known, value)
        raise AttributeError("access denied")


PREFIXED = {
    "the method": lambda r, p: getattr(r, p + "log")(),
    "the method without": lambda r, p: r.log(),
    "exposed_": lambda r, p: r.exposed_limit if p else None,
    "in dir": lambda r, p: (p + "log" in dir(r), "exposed_log" in dir(r), "hidden" in dir(r)),
    "a property": lambda r, p: r.limit,
    "hidden": lambda r, p: r.hidden,
    "missing": lambda r, p: r.nothing,
    "special": lambda r, p: r.__len__,
    "the name of the proxy's method": lambda r, p: hasattr(type(r), p + "log"),
}


@pytest.mark.parametrize("prefix", ["pub_", ""])
def test_prefixes(kinds, peers, prefix):
    server = Server("kinds", [peers.binaries.path("kinds"), "--prefix", prefix])
    try:
        ours = rpyc.connect(server.host, server.port)
        with serving_here(PythonKinds, exposed_prefix=prefix) as address:
            theirs = rpyc.connect(*address)
            for name, do in PREFIXED.items():
                assert outcome(lambda: do(ours.root, prefix)) == outcome(lambda: do(theirs.root, prefix)), name
            theirs.close()
        for name in dir(ours.root):
            if not name.startswith("__") and (prefix == "" or name != "hidden"):
                getattr(ours.root, name)
        ours.close()
    finally:
        server.stop()


ASSIGNED = {
    "property": lambda r: (setattr(r, "limit", 5), r.limit),
    "property by its whole name": lambda r: (setattr(r, "exposed_limit", 6), r.limit),
    "refused value": lambda r: setattr(r, "limit", -1),
    "read-only": lambda r: setattr(r, "fixed", 1),
    "new": lambda r: setattr(r, "anything", 1),
    "method": lambda r: setattr(r, "log", 1),
    "hidden": lambda r: setattr(r, "hidden", 1),
    "deleted": lambda r: delattr(r, "limit"),
}


@pytest.mark.parametrize("name", ASSIGNED)
def test_assignment_to_the_root(root, name):
    with serving_here(PythonKinds, allow_setattr=True, allow_delattr=True, allow_public_attrs=True) as address:
        theirs = rpyc.connect(*address)
        assert outcome(lambda: ASSIGNED[name](root)) == outcome(lambda: ASSIGNED[name](theirs.root))
        theirs.close()


class Account:
    """An account."""

    def exposed_deposit(self, amount, *, note=""):
        """Put money in."""


def upper(s):
    """Capitals."""


LOOKS = {
    "signature of a method": lambda m, f: str(inspect.signature(m)),
    "signature of a function": lambda m, f: str(inspect.signature(f)),
    "arguments of a method": lambda m, f: inspect.getfullargspec(m),
    "arguments of a function": lambda m, f: inspect.getfullargspec(f),
    "documentation": lambda m, f: (inspect.getdoc(m), inspect.getdoc(f)),
    "names": lambda m, f: (m.__name__, m.__func__.__name__, f.__code__.co_varnames[:1]),
    "kinds": lambda m, f: (inspect.ismethod(m), inspect.isfunction(f), inspect.isclass(m), inspect.iscode(f.__code__)),
    "globals": lambda m, f: isinstance(m, Account) or f.__globals__ is None,
}


@pytest.mark.skipif(RPYC < (5,), reason="inspect does not take RPyC 4's proxies for functions")
def test_introspection(peers):
    """One switch, and a person can look around; without it nothing is told, as by CPython's defaults."""
    method, function = Account().exposed_deposit, upper
    server = Server("kinds", [peers.binaries.path("kinds"), "--introspect"])
    try:
        root = rpyc.connect(server.host, server.port).root
        account = root.classes()[0](3)
        for name, look in LOOKS.items():
            if name == "globals":
                assert outcome(lambda: look(account.deposit, root.upper())) == "AttributeError"
                continue
            assert outcome(lambda: look(account.deposit, root.upper())) == outcome(lambda: look(method, function)), name
        assert "(amount, *, note='')" in pydoc.plain(pydoc.render_doc(account.deposit))
        assert "to_upper(s)" in pydoc.plain(pydoc.render_doc(root.upper()))
        complete = rlcompleter.Completer({"account": account, "root": root}).attr_matches
        assert [m.rstrip("(,)") for m in complete("account.dep")] == ["account.deposit"]
        assert [m.rstrip("(,)") for m in complete("root.on_")] == ["root.on_error", "root.on_errors"]
        for closed in ("hidden", "__dict__", "__init_subclass__", "note", "__globals__"):
            assert outcome(lambda: getattr(root, closed)) == "AttributeError"
    finally:
        server.stop()


def test_no_introspection(kinds, peers):
    server = Server("kinds", [peers.binaries.path("kinds"), "--prefix", "x_"])  # RPyC's defaults otherwise
    try:
        ours = rpyc.connect(server.host, server.port)
        with serving_here(PythonKinds, exposed_prefix="x_") as address:
            theirs = rpyc.connect(*address)
            for look in (lambda r: r.__name__, lambda r: inspect.signature(r), lambda r: r.limit.__code__):
                assert outcome(lambda: look(ours.root)) == outcome(lambda: look(theirs.root))
            theirs.close()
        ours.close()
    finally:
        server.stop()


def test_copies(root):
    """What is sent by value is Python's own, and costs no more requests."""
    stop = {"city": "a", "km": 1.5}
    assert root.stop() == (("city", "a"), ("km", 1.5)) and dict(root.stop()) == stop
    trip, as_tuple, pairs, again = root.trips()
    stops = tuple((("city", city), ("km", km)) for city, km in (("a", 1.5), ("b", 2.0)))
    assert as_tuple[:4] == ("t", stops, (("x", 1), ("y", 2)), None)
    payer = dict(pairs).pop("payer")
    assert dict(pairs) == {"name": "t", "stops": stops, "count": (("x", 1), ("y", 2)), "again": None, "payer": payer}
    assert again[:4] == ("t", stops, (("x", 1), ("y", 2)), ...)
    assert payer is as_tuple[4] is again[4] and payer.balance == 8  # registered, and so by reference
    assert trip.name == "t" and [dict(s)["city"] for s in trip.stops] == ["a", "b"]
