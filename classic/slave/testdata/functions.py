"""Functions that teleport_test.go sends to the Go engine; record.py writes down what they are compiled to and what they return."""
FIVE = 5


def defaults(a, b=FIVE, *args, k=(1, "z"), **kw):
    """A docstring

    of several lines."""
    import os
    total = 0
    for i in range(a):
        total += i
    return total, b, args, k, kw.get("q"), os.sep


def on_a_line(x): return (x,
    2)


def keep(f):
    return f


@keep
@keep
def positional(x, /, y=1, *, z, w=4):
    # a comment
    return x + y, z, w


def nested(n):
    def inner(m):
        return m + n
    return [inner(i) for i in range(n)]


def generator(n):
    for i in range(n):
        yield i


def several(): a = 1; b = 2; return a + b


async def coroutine():
    return 1


no_def = lambda x: x

CALLS = {
    "defaults": ["(3)", "(1, 2, 3, 4, k=5, q=6)", "()"],
    "on_a_line": ["(1)"],
    "positional": ["(1, z=2)", "(1, 2, z=3, w=5)", "(1)", "(x=1, z=2)"],
    "nested": ["(3)"],
    "generator": ["(3)"],
    "several": ["()"],
    "coroutine": [],
    "no_def": [],
}
