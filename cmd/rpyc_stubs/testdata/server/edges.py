"""Names and forms that are awkward in Go.

//go:build never
// +build never
*/ ` and "quotes" \\ stay in comments; brine.Tuple and time.Now are not used.
"""
import asyncio
import threading
import typing as t
from typing import overload

import rpyc as r

try:
    import numpy
except ImportError:
    numpy = None

π = 3.14159
T = t.TypeVar("T")
UserId = t.NewType("UserId", int)
Tree: t.TypeAlias = "dict[str, Tree]"
nil = None; true = 1; big = 2 ** 70
one, two = 1, 2


class error(Exception):
    """Lower case."""


class String(error, KeyError): pass


class Map(t.Generic[T]):
    """Collides with nothing, but type and func do."""

    def __init__(self: "Map[T]", type: t.Type[T] = None, range: "slice" = slice(1), *, func: "t.Callable[..., T] | None" = None):
        self.type = type

    def exposed_type(self, type: str, /, func: int = 1, *interface: int, map: int = 2, **chan: t.Any) -> None:
        '''Parameters are Go's keywords.'''

    def exposed_String(self) -> str: return "s"
    def exposed_Error(self) -> str: return "e"
    def exposed_error(self) -> str: return "E"
    def exposed_OnConnect(self): pass
    def exposed_py_len(self): return 3
    def exposed_init(self): return 4
    def _init(self): return 4
    def exposed_marshal_JSON(self): return b"5"
    def exposed_ReadByte(self): return 6
    def exposed_write_byte(self, c): return 7
    def exposed_values(self) -> int: return 8
    def exposed_item_(self): return 9
    def exposed__hidden(self): return 10
    def exposed_x1(self): return 11
    def exposed_GetURL(self): return 12
    def exposed_get_url(self): return 13
    def exposed_getURL(self): return 14
    def exposed_größe(self, länge: float = π) -> float: return länge
    def exposed_名前(self, 値=1): return 値
    def get_url(self): return "not the exposed one"
    lambda_ = lambda self: 1
    exposed_twice = exposed_ReadByte


class Outer:
    class Inner:
        class Inner:
            deep = True
            def exposed_deep(self) -> "Outer.Inner": ...
        def exposed_up(self) -> "Outer": ...

    class error(Exception):
        pass

    def exposed_inner(self) -> Inner: ...


class A:
    lock = threading.Lock()

    def __init__(self, a: int): self.exposed_a = a
    def exposed_who(self) -> str: return "A"
    def exposed_only_a(self, x: int = 1) -> int: return x


class B(A):
    def exposed_who(self) -> str: return "B"


class C(A):
    def exposed_who(self) -> str: return "C"
    def exposed_c(self, *xs: int) -> int: return sum(xs)


class D(B, C):
    """A diamond."""
    def exposed_d(self): return super().exposed_who()


class List(list):
    def exposed_first(self): return self[0]


class Service(r.Service):
    'Is called as its base is.'
    exposed_Map, exposed_Outer = Map, Outer
    exposed_D = D
    exposed_main = "main"
    exposed_table = {"a": [1, 2.5, None], "b": (True, b"\xff", "\u00e9\n")}
    exposed_lines: t.List[str] = ["one", "two"]
    exposed_computed = max(3, 4)
    exposed_nothing = None

    @overload
    def exposed_get(self, key: int) -> int: ...
    @overload
    def exposed_get(self, key: str) -> str: ...
    def exposed_get(self, key, default={}, missing=object(), *, deep=[1, 2], ratio: int = 1.5, flag: bool = None):
        return key

    async def exposed_wait(self, seconds: float = .5) -> t.AsyncIterator[int]:
        await asyncio.sleep(seconds)

    @r.exposed
    def undecorated(self): return 1

    def exposed_conn(self, conn: r.Connection, user: UserId, tree: Tree, any: t.Any) -> "UserId": return user

    def exposed_long(self, a: t.Dict[t.Tuple[int, int], t.List[t.Optional[t.Set[t.FrozenSet[bytes]]]]] = None,
                     b: "t.Iterator[t.Tuple[int, ...]]" = (),
                     c: 'unknown.Type' = None) -> t.Dict[t.Tuple[int, int], t.Set[t.Any]]:
        return {}

    @staticmethod
    def exposed_alone(self, x): return x

    @staticmethod
    def exposed_static(a: int, b: "Map" = None, *rest: str) -> "t.Tuple[()]": return ()

    @classmethod
    def exposed_make(cls, *args, **kwargs): return cls(*args, **kwargs)

    def exposed_f(self, context: str, exposed: int, vinegar: int, s: int, ctx: int, err: int, netref: int, iter: int): pass

    def on_connect(self, conn): self.exposed_since = 1

    def __getattr__(self, name): raise AttributeError(name)
    def __call__(self, x: int = 1) -> int: return x
    def __del__(self): pass

    for i in range(3):
        pass


def make_late(x):
    if x:
        class Late(r.Service):
            def exposed_x(self): return x
        return Late


def check(sock): return sock, None


if __name__ == "__main__":
    from rpyc.utils.server import ThreadedServer as Server
    import sys
    port = int(sys.argv[1])
    print("starting")
    Server(Service, port=port, ipv6=True, listener_timeout=0.5, authenticator=check).start()
