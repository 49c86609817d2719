"""Files of a directory."""
import io
import os
from pathlib import Path
from typing import BinaryIO, IO, Iterator, Protocol

import rpyc
from rpyc.utils.server import ForkingServer


class Progress(Protocol):
    def update(self, done: int, total: int) -> None: ...


class FileStore(rpyc.Service):
    def __init__(self, root: str = "/srv/files"):
        self.root = Path(root)

    class exposed_Handle:
        """An open file."""

        def __init__(self, path: str, mode: str = "r"):
            self.path, self.mode = path, mode
            self._file = open(path, mode)
            self.exposed_closed = False

        def exposed_read(self, n: int = -1) -> str:
            return self._file.read(n)

        def exposed_write(self, data: str) -> int:
            return self._file.write(data)

        def exposed_seek(self, offset: int, whence: int = 0) -> int:
            return self._file.seek(offset, whence)

        def exposed_close(self) -> None:
            self._file.close()
            self.exposed_closed = True

        def __enter__(self) -> "exposed_Handle":
            return self

        def __exit__(self, *args) -> None:
            self.exposed_close()

        def __iter__(self):
            return self

        def __next__(self) -> str:
            line = self._file.readline()
            if not line:
                raise StopIteration
            return line

        class Stat:
            def __init__(self, size: int):
                self.exposed_size = size

        def exposed_stat(self) -> Stat:
            return self.Stat(os.path.getsize(self.path))

    def exposed_open(self, name: str, mode: str = "r") -> exposed_Handle:
        return self.exposed_Handle(str(self.root / name), mode)

    def exposed_list(self, pattern: str = "*") -> Iterator[str]:
        for path in sorted(self.root.glob(pattern)):
            yield path.name

    def exposed_read_bytes(self, name: str, offset: int = 0, size: int | None = None) -> bytes:
        data = (self.root / name).read_bytes()
        return data[offset:None if size is None else offset + size]

    def exposed_upload(self, name: str, source: BinaryIO, progress: Progress) -> int:
        total = 0
        with open(self.root / name, "wb") as f:
            while chunk := source.read(4096):
                f.write(chunk)
                total += len(chunk)
                progress.update(total, total)
        return total

    def exposed_remove(self, name: str) -> None:
        try:
            os.remove(self.root / name)
        except FileNotFoundError as e:
            raise KeyError(name) from e


if __name__ == "__main__":
    ForkingServer(FileStore, port=18865, registrar=None).start()
