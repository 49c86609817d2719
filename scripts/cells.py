#!/usr/bin/env python3
"""Runs cells of the matrix with tox, some at a time, and shows how far they are.

    cells.py --tox PROGRAM --workdir DIRECTORY --logs DIRECTORY [--jobs N] CELL ...

CELL is NAME, or NAME=OPTIONS with the options of its pytest, e.g. "py38-rpyc531=--peers go --rest".  A cell with
options is run with the peers in GORPYC_BIN_DIR, one without is the thorough kind: with those in GORPYC_RACE_BIN_DIR,
CPython in the place of Go as well, a bridge, and the releases from before the matrix.  Exit status 1 if one
of them failed.
"""
import argparse
import collections
import os
import re
import signal
import subprocess
import sys
import time

SHOW_SECONDS = 20


def clock(seconds):
    return "%d:%02d" % divmod(int(seconds), 60)


class Cell:
    def __init__(self, text, logs):
        self.name, thorough, self.arguments = text.partition("=")[0], "=" not in text, text.partition("=")[2].split()
        self.done = os.path.join(logs, self.name + ".done")  # a byte for each test; tox shows output at the end only
        self.environment = dict(os.environ, GORPYC_PROGRESS=self.done)
        if thorough:
            self.environment.update(GORPYC_BIN_DIR=os.environ["GORPYC_RACE_BIN_DIR"], GORPYC_OLD_RELEASES="1",
                                    GORPYC_COMPAT_PEERS="cpython,go,bridge")
        self.log = os.path.join(logs, self.name + ".log")

    def start(self, tox):
        self.began = time.monotonic()
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(tox + ["-e", self.name, "--", "-q"] + self.arguments, env=self.environment,
                                            stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=subprocess.STDOUT, start_new_session=True)

    def said(self):
        with open(self.log, errors="replace") as log:
            return log.read()

    def progress(self):
        return "%s %d tests" % (self.name, os.path.getsize(self.done) if os.path.exists(self.done) else 0)

    def end(self):
        """Shows what came of it; True if all is well."""
        failed = self.process.returncode != 0
        text = self.said()
        if failed:
            start = max(text.find("= FAILURES ="), text.find("= ERRORS ="), text.find("INTERNALERROR>"))
            print("\n".join(text[max(start, 0):].splitlines()[-400:]))
        counts = re.findall(r"^(?:=+ )?((?:\d+ \w+(?:, )?)+) in [\d.]+s", text, re.M)
        print("   %-14s %s: %s in %s" % (self.name, "FAILED" if failed else "ok", counts[-1] if counts else "no result",
                                         clock(time.monotonic() - self.began)))
        return not failed


def run(cells, tox, jobs):
    waiting, running, done, failed = collections.deque(cells), [], 0, 0
    began = shown = time.monotonic()
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(waiting.popleft())
                running[-1].start(tox)
            time.sleep(0.2)
            for cell in [cell for cell in running if cell.process.poll() is not None]:
                running.remove(cell)
                done += 1
                failed += not cell.end()
            if running and time.monotonic() - shown > SHOW_SECONDS:
                shown = time.monotonic()
                print("   %5s  %s; %d of %d cells done" % (clock(shown - began),
                                                           ", ".join(c.progress() for c in running), done, len(cells)))
            sys.stdout.flush()
    finally:
        for cell in running:
            os.killpg(cell.process.pid, signal.SIGTERM)
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--tox", "--workdir", "--logs"):
        parser.add_argument(name, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("cells", nargs="+", metavar="CELL")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    tox = [options.tox, "run", "--workdir", options.workdir]
    return 1 if run([Cell(text, options.logs) for text in options.cells], tox, options.jobs) else 0


if __name__ == "__main__":
    sys.exit(main())
