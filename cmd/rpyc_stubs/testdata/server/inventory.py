"""An inventory: plain methods, module constants, exceptions of its own."""
import rpyc
from rpyc.utils.server import ThreadedServer

DEFAULT_UNIT = "pcs"
LIMIT = 1000


class InventoryError(Exception):
    """Something is wrong with the inventory."""


class NotEnough(InventoryError, ValueError):
    """There is less than was asked for."""

    def __init__(self, name: str, wanted: int, there: int):
        super().__init__(f"not enough {name}: {wanted} wanted, {there} there")
        self.name = name
        self.there = there


class InventoryService(rpyc.Service):
    """Counts things."""

    def __init__(self):
        self._counts = {}

    def exposed_put(self, name: str, count: int = 1, unit: str = DEFAULT_UNIT) -> int:
        """Adds some, and returns how many there are."""
        if count < 0:
            raise ValueError("count must not be negative: %d" % count)
        self._counts[name] = min(LIMIT, self._counts.get(name, 0) + count)
        return self._counts[name]

    def exposed_take(self, name: str, count: int = 1) -> int:
        there = self._counts.get(name, 0)
        if there < count:
            raise NotEnough(name, count, there)
        self._counts[name] = there - count
        return there - count

    def exposed_names(self) -> list[str]:
        return sorted(self._counts)

    def exposed_report(self, *names: str, width: int = 8, **options) -> str:
        """A line for each name."""
        lines = []
        for name in names or self.exposed_names():
            lines.append("%s%s%d" % (name.ljust(width), options.get("sep", " "), self._counts.get(name, 0)))
        return "\n".join(lines)


if __name__ == "__main__":
    ThreadedServer(InventoryService(), hostname="localhost", port=18861).start()
