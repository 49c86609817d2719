"""Not the class's doc."""
import rpyc


class Helper(object):
    def exposed_help(self): pass


class MainService(rpyc.Service):  # class Comment:
    r"""A service: with "quotes"."""
    ALIASES = ["x"]
    exposed_limit: int = 5
    not_exposed = 1

    class exposed_Inner:
        def exposed_deep(self): pass

    def __init__(self, x):
        self.exposed_set_here = x

    def exposed_folded(
        self,
        first: int,   # a comment, with ) and '
        second: "str" = "x, (y",
        *, third={"a": [1, 2]}
    ) -> str:
        '''Two lines,

            indented.
        '''
        def exposed_inside(self): pass
        return """
    def exposed_in_a_string(self): pass
"""

    def exposed_again(self, first): pass

    def exposed_again(self, second: str) -> None:
        if second: \
            return

    @staticmethod
    def exposed_static(a: int): return a

    @classmethod
    def exposed_class(cls, x: int) -> int: return x

    @property
    def exposed_ratio(self) -> float:
        """A property."""

    @exposed_ratio.setter
    def exposed_ratio(self, value): pass

    @rpyc.exposed
    def decorated(this, a): pass

    def exposed_one(self) -> int: "One line."; return 1

    def exposed_other(self) -> Helper: return Helper()

    def exposed_others(self, *names) -> "list[Helper]": return []

    def public(self): pass

    def _private(self): pass


def exposed_function(): pass
