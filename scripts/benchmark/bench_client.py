"""A client on CPython's rpyc: reads jobs from stdin and prints a sample for each, as JSON lines (see measure.go)."""
import collections
import gc
import json
import os
import sys
import time

import rpyc

from bench_service import random_bytes

OUTSTANDING = 100


def cpu(pid):
    """The CPU time a process has used, in seconds: its clock on Linux, where clock_getcpuclockid(3) makes ids so."""
    try:
        return time.clock_gettime((~pid) << 3 | 2)
    except (AttributeError, OSError):
        return time.process_time() if pid == os.getpid() else 0.0


def check(right):
    if not right:
        raise RuntimeError("wrong result")


def sync(root, job):
    add = root.add
    return lambda: check(add(1, 2) == 3)


def uncached(root, job):
    return lambda: check(root.add(1, 2) == 3)


def getattr_(root, job):
    return lambda: check(root.answer == 42)


def async_(root, job):
    add = rpyc.async_(root.add)

    pending = collections.deque(add(1, 2) for _ in range(OUTSTANDING))

    def batch():
        for _ in range(OUTSTANDING):
            check(pending.popleft().value == 3)
            pending.append(add(1, 2))
        return OUTSTANDING
    return batch


def callback(root, job):
    call = root.callback
    times = 50

    def batch():
        check(call(lambda i, j: i + j, times) == sum(range(times)) + times)
        return times
    return batch


def newobj(root, job):
    thing = root.thing
    return lambda: check(thing(5).get() == 5)


def exc(root, job):
    fail = root.fail

    def one():
        try:
            fail("boom")
        except ValueError:
            return
        raise RuntimeError("nothing raised")
    return one


def upload(root, job):
    sink, data = root.sink, random_bytes(job["size"])
    return lambda: check(sink(data) == len(data))


def download(root, job):
    source, size = root.source, job["size"]
    return lambda: check(len(source(size, "random")) == size)


SLOW, MILLIS = 8, 20  # mixedSlow, slowMillis in rows.go


def slow_only(root, job):
    call = rpyc.async_(root.sleep)

    def one():
        for result in [call(MILLIS) for _ in range(SLOW)]:
            result.wait()
    return one


def mixed(root, job):
    slow, answer = slow_only(root, job), root.add

    def one():
        for _ in range(20):
            answer(1, 2)
        slow()
    return one


def by_tuple(root, job):
    total = root.total
    return lambda: check(total((1, 2, 3)) == 6)


def by_list(root, job):
    total = root.total
    return lambda: check(total([1, 2, 3]) == 6)


def kept_by_list(root, job):
    root.keep(lambda: None)
    return by_list(root, job)


MODES = {"sync": sync, "uncached": uncached, "getattr": getattr_, "async100": async_, "callback": callback,
         "newobj": newobj, "exc": exc, "upload": upload, "download": download,
         "slowonly": slow_only, "mixed": mixed, "bytuple": by_tuple, "bylist": by_list, "keptbylist": kept_by_list}

COLLECTING = ("bytuple", "bylist", "keptbylist")  # whose server tells how often a collection of garbage was forced


def connect(job):
    return rpyc.connect(job["host"], job["port"], config={"sync_request_timeout": 30})


def connecting(job):
    def one():
        c = connect(job)
        c.root
        c.close()
    return one


def loop(op, seconds, count):
    """Runs op for so long, or count times; a batch returns how many operations it was. -> (operations, times in ns)"""
    now = time.perf_counter_ns
    times, done = [], 0
    last = now()
    end = last + seconds * 1e9
    while True:
        done += op() or 1
        t = now()
        times.append(t - last)
        last = t
        if count and len(times) >= count or not count and t > end:
            return done, times


def measure(op, job):
    gc.collect()
    loop(op, job["warm"], min(job["n"], 2))
    client, server = cpu(os.getpid()), cpu(job["pid"])
    start = time.perf_counter()
    n, times = loop(op, job["seconds"], job["n"])
    seconds = time.perf_counter() - start
    client, server = cpu(os.getpid()) - client, cpu(job["pid"]) - server
    sample = {"n": n, "seconds": seconds, "mean_us": seconds / n * 1e6, "p50_us": 0, "p99_us": 0,
              "client_cpu_us": client / n * 1e6, "server_cpu_us": server / n * 1e6}
    if n == len(times):
        times.sort()
        sample.update(mean_us=sum(times) / n / 1e3, p50_us=times[n // 2] / 1e3, p99_us=times[n * 99 // 100] / 1e3)
    return sample


def run(job):
    if job["mode"] == "connect":
        return measure(connecting(job), job)
    c = connect(job)
    try:
        op = MODES[job["mode"]](c.root, job)
        if job["mode"] not in COLLECTING:
            return measure(op, job)
        forced = c.root.forced()
        sample = measure(op, job)
        sample["forced"] = c.root.forced() - forced
        return sample
    finally:
        c.close()


def main():
    for line in sys.stdin:
        try:
            sample = run(json.loads(line))
        except Exception as e:
            sample = {"err": "%s: %s" % (type(e).__name__, str(e).splitlines()[0] if str(e) else "")}
        print(json.dumps(sample), flush=True)


if __name__ == "__main__":
    main()
