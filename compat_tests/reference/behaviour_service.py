"""The behaviour service on CPython: what every other implementation of it is compared with.

It shows, through one root object, everything that a client can observe of an RPyC server: values of every kind,
references and their counts, callbacks, iterators, errors, context managers, attribute rules and the life of a
connection.  It is plain RPyC and nothing else, so that it runs unchanged on every release from 4.1 to 6.0.

The module must stay importable under the name ``behaviour_service``: class names travel with their module.  Test
programs never import it, so that the classes below exist on the serving side only.
"""
import json
import threading
import time

import rpyc

EVENTS = []     # the process-wide event log, shared by all connections
ENDPOINTS = {}  # endpoint name -> port; the launcher fills it in
HELD = []       # what hold() keeps alive


class ServiceError(Exception):
    """An exception class that no client knows."""

    def __init__(self, text, code, detail):
        super().__init__(text)
        self.code = code
        self.detail = detail
        self._secret = "never sent"


class Point:
    """A point on the integer plane."""

    def __init__(self, x, y):
        self.exposed_x = x
        self.exposed_y = y

    def exposed_norm1(self):
        """Manhattan length."""
        return abs(self.exposed_x) + abs(self.exposed_y)

    @staticmethod
    def exposed_origin():
        """The point (0, 0)."""
        return Point(0, 0)

    def _pair(self):
        return (self.exposed_x, self.exposed_y)

    def __repr__(self):
        return "Point(%s, %s)" % self._pair()

    def __str__(self):
        return "<%s;%s>" % self._pair()

    def __format__(self, spec):
        return "%s|%s|%s" % ((spec,) + self._pair())

    def __eq__(self, other):
        try:
            return self._pair() == (other.exposed_x, other.exposed_y)
        except AttributeError:
            return NotImplemented

    def __lt__(self, other):
        try:
            return self._pair() < (other.exposed_x, other.exposed_y)
        except AttributeError:
            return NotImplemented

    def __hash__(self):
        return 1000 * self.exposed_x + self.exposed_y

    def __add__(self, other):
        try:
            return Point(self.exposed_x + other.exposed_x, self.exposed_y + other.exposed_y)
        except AttributeError:
            return NotImplemented

    def __mul__(self, k):
        return Point(self.exposed_x * k, self.exposed_y * k)

    def __rmul__(self, k):
        return self * k

    def __neg__(self):
        return self * -1

    def __call__(self, k):
        return self * k

    def __len__(self):
        return 2

    def __getitem__(self, index):
        if index not in (0, 1):
            raise IndexError("point index out of range")
        return self._pair()[index]

    def __contains__(self, value):
        return value in self._pair()

    def __iter__(self):
        return iter(self._pair())

    def __bool__(self):
        return self._pair() != (0, 0)

    def __int__(self):
        return self.exposed_x + self.exposed_y

    def __index__(self):
        return int(self)

    def __float__(self):
        return float(int(self))


class Point3(Point):
    """A point with a colour."""

    def __init__(self, x, y, colour="red"):
        super().__init__(x, y)
        self.exposed_colour = colour


class Gadget:
    """An object with attributes of every visibility."""

    def __init__(self):
        self.exposed_value = 10
        self.hidden = "hidden"
        self._private = "private"
        self._evaluations = 0

    def exposed_describe(self, verbose=False):
        """Describe the gadget."""
        return "gadget value=%s verbose=%s" % (self.exposed_value, verbose)

    def plain(self):
        """not exposed"""
        return "plain"

    @property
    def exposed_counter(self):
        self._evaluations += 1
        return self._evaluations

    @property
    def exposed_bad(self):
        raise ZeroDivisionError("division by zero")

    @property
    def exposed_ro(self):
        return "read-only"


class Tracked:
    """Logs final:NAME when the server drops it."""

    def __init__(self, name):
        self.exposed_name = name

    def __del__(self):
        EVENTS.append("final:" + self.exposed_name)


class Context:
    """A context manager that logs its comings and goings."""

    def __init__(self, tag, suppress):
        self._tag = tag
        self._suppress = suppress

    def __enter__(self):
        EVENTS.append("enter:" + self._tag)
        return "entered:" + self._tag

    def __exit__(self, kind, value, traceback):
        EVENTS.append("exit:%s:%s" % (self._tag, value is not None))
        return self._suppress


def _chained():
    try:
        raise KeyError("inner")
    except KeyError as cause:
        raise ValueError("outer") from cause


def _raiser(make):
    def run():
        raise make()
    return run


FAILURES = {
    "zero": _raiser(lambda: ZeroDivisionError("division by zero")),
    "value": _raiser(lambda: ValueError("bad value", 7, None)),
    "key": _raiser(lambda: KeyError("missing-key")),
    "os": _raiser(lambda: FileNotFoundError(2, "No such file or directory", "/no/such/file")),
    "unicode": _raiser(lambda: UnicodeDecodeError("utf-8", b"\xff\xfe", 0, 1, "invalid start byte")),
    "custom": _raiser(lambda: ServiceError("it broke", 42, [1, 2])),
    "json": _raiser(lambda: json.JSONDecodeError("Expecting value", "{]", 1)),
    "unbrinable": _raiser(lambda: ValueError([1, 2], (3, 4))),
    "stop": _raiser(lambda: StopIteration(99)),
    "exit": _raiser(lambda: SystemExit(3)),
    "kbi": _raiser(KeyboardInterrupt),
    "chain": _chained,
}


class BehaviourService(rpyc.Service):
    """Reference service for behaviour checks."""

    ALIASES = ("behaviour", "bhv")

    exposed_answer = 42
    exposed_Point = Point
    exposed_Point3 = Point3

    def __init__(self):
        self._conn = None
        self._tag = None
        self._count = 0
        self._callbacks = []
        self._list = [1, 2, 3]
        self.hidden = "hidden"
        self._secret = "secret"

    # The connection.

    def on_connect(self, conn):
        self._conn = conn

    def on_disconnect(self, conn):
        if self._tag:
            EVENTS.append("disconnect:" + self._tag)

    def exposed_tag(self, tag):
        self._tag = tag

    def exposed_events(self):
        return tuple(EVENTS)

    def exposed_endpoint(self, name):
        return ENDPOINTS[name]

    def exposed_bump(self):
        self._count += 1
        return self._count

    def exposed_hang_up(self, how):
        if how == "close":
            self._conn.close()
        else:
            self._conn._channel.close()

    # Calls and values.

    def exposed_add(self, a, b):
        """Add two numbers."""
        return a + b

    def exposed_greet(self, name, greeting="Hello", *, punct="!"):
        return "%s, %s%s" % (greeting, name, punct)

    def exposed_call_shape(self, *args, **kwargs):
        return args, tuple(kwargs.items())

    def exposed_echo(self, x):
        return x

    def exposed_echo_type(self, x):
        return "netref" if isinstance(x, rpyc.BaseNetref) else type(x).__name__

    def exposed_same(self, a, b):
        return a is b

    # Containers.

    def exposed_get_list(self):
        return [1, 2, 3]

    def exposed_empty_list(self):
        return []

    def exposed_shared_list(self):
        return self._list

    def exposed_get_dict(self):
        return {"a": 1, "b": 2}

    def exposed_get_set(self):
        return {1, 2, 3}

    def exposed_get_none(self):
        return None

    def exposed_mixed(self):
        return (1, "two", [3], {"four": 4}, (5, [6]))

    def exposed_twice(self):
        gadget = Gadget()
        return (gadget, gadget)

    def exposed_many(self, n):
        return tuple(Point(i, 0) for i in range(n))

    def exposed_length_of(self, x):
        return len(x)

    # Iterators.

    def exposed_count_up(self, n, tag=""):
        try:
            for i in range(n):
                yield i
        finally:
            if tag:
                EVENTS.append("gen_closed:" + tag)

    def exposed_gen_fail(self, n):
        for i in range(n):
            yield i
        raise ValueError("gen failed")

    # Objects.

    def exposed_make_point(self, x, y):
        return Point(x, y)

    def exposed_make_gadget(self):
        return Gadget()

    def exposed_tracked(self, name):
        return Tracked(name)

    def exposed_ctx(self, tag, suppress=False):
        return Context(tag, suppress)

    # Errors.

    def exposed_fail(self, kind):
        if kind not in FAILURES:
            raise NotImplementedError(kind)
        FAILURES[kind]()

    # The client's objects.

    def exposed_call(self, f, *args, **kwargs):
        return f(*args, **kwargs)

    def exposed_call_catching(self, f):
        try:
            return ("ok", f())
        except Exception as error:
            return (type(error).__name__, error.args)

    def exposed_pingpong(self, f, n):
        return 0 if n == 0 else 1 + f(n - 1)

    def exposed_register(self, f):
        self._callbacks.append(f)

    def exposed_unregister(self, f):
        if f not in self._callbacks:
            return False
        self._callbacks.remove(f)
        return True

    def exposed_fire(self, x):
        return tuple(f(x) for f in self._callbacks)

    def exposed_read_attr(self, o, name):
        return getattr(o, name)

    def exposed_write_attr(self, o, name, value):
        setattr(o, name, value)

    def exposed_probe(self, o):
        return (len(o), o[0], tuple(o), str(o), repr(o), 2 in o, bool(o), o == o, hash(o) == hash(o))

    def exposed_use_ctx(self, cm):
        with cm as value:
            return value

    def exposed_fail_in_ctx(self, cm):
        with cm:
            raise ValueError("inside")
        return "suppressed"

    def exposed_hold(self, o):
        HELD.append(o)

    def exposed_release(self):
        HELD.clear()

    # Time.

    def exposed_sleep_echo(self, seconds, value):
        time.sleep(seconds)
        return value

    def exposed_tick(self, f, n, interval):
        send = rpyc.async_(f)

        def run():
            for i in range(n):
                send(i)
                time.sleep(interval)

        threading.Thread(target=run, daemon=True).start()


class GreetingService(BehaviourService):
    """Calls its client, which calls back, when that connects, and refuses one that fails."""

    def on_connect(self, conn):
        super().on_connect(conn)
        self._greeting = ()
        self._greeting = (conn.root.name(), conn.root.apply(self.exposed_bump))

    def exposed_greeting(self):
        return self._greeting
