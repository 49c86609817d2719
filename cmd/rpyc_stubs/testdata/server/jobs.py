"""A queue of jobs, with results as they come."""
from __future__ import annotations

import itertools
import queue
import threading
import time
from collections import deque
from enum import Enum, auto
from typing import Any, Generator, Iterator, Optional

import rpyc
from rpyc.utils.helpers import classpartial
from rpyc.utils.server import ThreadedServer


class State(Enum):
    """Where a job is."""
    WAITING = auto()
    RUNNING = auto()
    DONE = auto()

    def is_final(self) -> bool:
        return self is State.DONE


class Cancelled(RuntimeError):
    pass


class Job:
    ids = itertools.count(1)

    def __init__(self, kind: str, payload: Any = None, *, priority: int = 0):
        self.exposed_id = next(self.ids)
        self.exposed_kind = kind
        self.exposed_state = State.WAITING
        self.payload = payload
        self.priority = priority

    def exposed_cancel(self) -> None:
        if self.exposed_state.is_final():
            raise Cancelled("job %d is done" % self.exposed_id)
        self.exposed_state = State.DONE

    def __lt__(self, other: Job) -> bool:
        return self.priority > other.priority


class JobService(rpyc.Service):
    exposed_State = State

    def __init__(self, size: int, name: str = "main"):
        super().__init__()
        self.size = size
        self.name = name
        self.waiting: deque[Job] = deque(maxlen=100)
        self.done: dict[int, Job] = {}
        self.wake = threading.Condition()

    def exposed_submit(self, kind: str, payload: Any = None, /, *, priority: int = 0) -> Job:
        """Queues a job."""
        if len(self.waiting) >= self.size:
            raise queue.Full(self.name)
        job = Job(kind, payload, priority=priority)
        self.waiting.append(job)
        return job

    def exposed_results(self, limit: Optional[int] = None) -> Iterator[Job]:
        """Runs what waits, and gives each job when it is done."""
        for _ in range(limit if limit is not None else len(self.waiting)):
            if not self.waiting:
                return
            job = self.waiting.popleft()
            job.exposed_state = State.DONE
            self.done[job.exposed_id] = job
            yield job

    def exposed_ticker(self, start: int = 0) -> Generator[int, Optional[int], str]:
        while True:
            sent = yield start
            start = start + 1 if sent is None else sent
            if start > 100:
                return "overflow"

    def exposed_lookup(self, id: int) -> Job | None:
        return self.done.get(id)

    @property
    def exposed_load(self) -> float:
        return len(self.waiting) / self.size


if __name__ == "__main__":
    service = classpartial(JobService, 5, name="batch")
    ThreadedServer(service, port=0, protocol_config=dict(allow_setattr=False, sync_request_timeout=60)).start()
