"""What probe programs are made of."""
import itertools
import time

from describe import describe
from harness import eventually

PROBES = {}
_numbers = itertools.count()


def probe(level):
    def add(function):
        name = function.__name__
        assert name not in PROBES, name
        PROBES[name] = (level, function)
        return function
    return add


class Steps:
    """One run of a program: s("step name", thunk) performs a step and returns its value (None if it raised)."""

    def __init__(self, connect, server):
        self.connect = connect
        self.server = server
        self.conn = connect()
        self.root = self.conn.root
        self.outcomes = {}

    def __call__(self, step, thunk):
        assert step not in self.outcomes, "step %r twice" % step
        try:
            value = thunk()
        except Exception as error:
            self.outcomes[step] = ("raised", describe(error))
            error.__traceback__ = None  # let go of what the step's frames hold
            return None
        except (SystemExit, KeyboardInterrupt) as error:
            self.outcomes[step] = ("raised", describe(error))
            return None
        self.outcomes[step] = ("value", describe(value))
        return value

    def log(self, prefix, ready=lambda lines: True):
        """The event log's lines with this prefix, once ready(lines) holds."""
        def read():
            lines = [line for line in self.root.events() if prefix in line]
            return (lines,) if ready(lines) else None
        return [line.replace(prefix, "TAG") for line in eventually(read, what="event log of " + prefix)[0]]


def run(name, connect, server):
    steps = Steps(connect, server)
    PROBES[name][1](steps)
    return steps.outcomes


def fresh(prefix):
    """A name for the event log that nobody else uses."""
    return "%s-%d-%d" % (prefix, time.time_ns(), next(_numbers))


def type_of_error(thunk):
    try:
        thunk()
    except Exception as error:
        return type(error).__name__
    return None
