"""A key-value store with transactions as context managers."""
import threading
from contextlib import contextmanager
from typing import Any, Iterator, Union

import rpyc


class Conflict(Exception):
    def __init__(self, key, expected=None):
        Exception.__init__(self, key, expected)
        self.key = key


class Transaction:
    """Changes that are made together, or not at all."""

    def __init__(self, store: "Store"):
        self._store = store
        self._changes = {}
        self.exposed_open = False

    def __enter__(self):
        self.exposed_open = True
        return self

    def __exit__(self, kind, value, traceback):
        self.exposed_open = False
        if kind is None:
            self._store._data.update(self._changes)
        return kind is not None and not self._changes

    def exposed_set(self, key: str, value: Any) -> None:
        if not self.exposed_open:
            raise RuntimeError("the transaction is closed")
        self._changes[key] = value

    def __len__(self) -> int:
        return len(self._changes)


class Store:
    def __init__(self):
        self._data = {}

    def __getitem__(self, key: str) -> Any:
        return self._data[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._data[key] = value

    def __delitem__(self, key: str) -> None:
        del self._data[key]

    def __contains__(self, key: object) -> bool:
        return key in self._data

    def __len__(self):
        return len(self._data)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._data))

    def __bool__(self):
        return True

    def __repr__(self) -> str:
        return "Store(%d)" % len(self)

    def exposed_begin(self) -> Transaction:
        return Transaction(self)

    def exposed_swap(self, key: str, old: Any, new: Any) -> Any:
        """Compares and swaps."""
        if self._data.get(key) != old:
            raise Conflict(key, old)
        self._data[key] = new
        return old


@rpyc.service
class KVService(rpyc.Service):
    def __init__(self):
        self._stores = {}
        self._lock = threading.Lock()

    @rpyc.exposed
    def store(self, name: str = "default") -> Store:
        with self._lock:
            return self._stores.setdefault(name, Store())

    @rpyc.exposed
    @contextmanager
    def locked(self, name: str, timeout: float = 1.5) -> Iterator[Store]:
        """Has nobody else make stores meanwhile."""
        if not self._lock.acquire(timeout=timeout):
            raise TimeoutError(name)
        try:
            yield self._stores.setdefault(name, Store())
        finally:
            self._lock.release()

    @property
    def exposed_size(self) -> int:
        return sum(len(s) for s in self._stores.values())

    @staticmethod
    def exposed_parse(text: str) -> Union[int, float, str]:
        for kind in (int, float):
            try:
                return kind(text)
            except ValueError:
                pass
        return text


if __name__ == "__main__":
    from rpyc.utils.server import ThreadedServer
    ThreadedServer(KVService, socket_path="/tmp/kv.sock").start()
