"""RPyC's whole test suite with its classic servers replaced by programs: RPyC's own, which is the reference, and
cmd/rpyc_classic.

run.py --classic calls compare, which prints what passes and returns the exit status: 0 if everything that passes with
the reference passes here, too, except what classic_known.py gives a reason for.
"""
import collections
import concurrent.futures
import glob
import json
import os
import shutil
import signal
import subprocess
import sys

import netns
from classic_known import KNOWN

HERE = os.path.dirname(os.path.abspath(__file__))
REFERENCE = "cpython"
ENGINES = (REFERENCE, "go", "python3")
SECONDS = 120  # a file of tests; the longest takes 20
LAUNCHER = "import os, sys\nos.execv(%r, %r + sys.argv[1:])\n"


class Suite:
    """A checkout of the tests for one engine, which is behind all classic servers."""

    def __init__(self, engine, source, directory, program, arguments):
        self.engine, self.directory, self.arguments = engine, directory, arguments
        self.wrap = (lambda command: command) if netns.unavailable() else netns.command
        shutil.copytree(source, directory)
        script = os.path.join(directory, "bin", "rpyc_classic.py")  # some tests run it themselves
        self.command = [sys.executable, script]
        if engine != REFERENCE:
            ours = [program, "--engine", "go" if engine == "go" else sys.executable]
            self.command = ours + ["--ready"]
            with open(script, "w") as file:
                file.write(LAUNCHER % (ours[0], ours))

    def run(self, file):
        """Runs a file of tests.  Returns what came of each: {id: (outcome, why)}."""
        results = os.path.join(self.directory, "results")
        environment = dict(os.environ, PYTHONPATH=HERE, PYTHONDONTWRITEBYTECODE="1",
                           GORPYC_CLASSIC=json.dumps(self.command),
                           GORPYC_CLASSIC_RESULTS=results, GORPYC_CLASSIC_PYTHONPATH=self.directory)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "classic_shim", "--rootdir",
                   self.directory,
                   "-c", os.devnull] + self.arguments + [file]
        process = subprocess.Popen(self.wrap(command), cwd=self.directory, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            output, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
        found = {}
        if os.path.exists(results):
            with open(results) as lines:
                for line in lines:
                    test, outcome, why = json.loads(line)
                    if found.get(test, ("",))[0] != "failed":
                        found[test] = outcome, why
            os.remove(results)
        if not found and process.returncode != 5:  # 5: nothing was selected
            found[file] = "failed", output.decode("utf-8", "replace")
        return found

    def all(self):
        """Runs all files, and those in which something fails unexpectedly again: RPyC's own server sometimes loses a
        TLS alert."""
        found = {}
        for path in sorted(glob.glob(os.path.join(self.directory, "tests", "test_*.py"))):
            file = os.path.relpath(path, self.directory)
            results = self.run(file)
            for _ in range(2):
                if all(outcome in ("passed", "skipped") or test in KNOWN.get(self.engine, ()) for test,
                       (outcome, _) in results.items()):
                    break
                results.update({test: what for test, what in self.run(file).items() if what[0] == "passed"})
            found.update(results)
        return found


def counted(found):
    counts = collections.Counter(outcome for outcome, _ in found.values())
    return ", ".join("%d %s" % (n, outcome) for outcome, n in sorted(counts.items(), key=lambda item: -item[1]))


def judge(engine, found, reference, selected):
    """Prints how an engine compares with the reference; selected if not all tests ran.  Returns what is wrong, as
    lines."""
    wanted = sorted(test for test, (outcome, _) in reference.items() if outcome == "passed")
    missing = [test for test in wanted if found.get(test, ("missing", ""))[0] != "passed"]
    print("\n%s: %s; %d of the %d that pass with rpyc_classic.py"
          % (engine, counted(found), len(wanted) - len(missing), len(wanted)))
    known, wrong = KNOWN[engine], []
    for test in missing:
        print("  %s\n    %s" % (test, known.get(test, "NO REASON KNOWN: %s: %s" % found.get(test, ("missing", "")))))
        if test not in known:
            wrong.append("%s fails with the engine %s and has no reason in classic_known.py" % (test, engine))
    for test in known:
        if found.get(test, ("",))[0] == "passed":
            wrong.append("%s passes with the engine %s and has a reason in classic_known.py" % (test, engine))
        elif test not in found and not selected:
            wrong.append("%s has a reason in classic_known.py and does not exist" % test)
    return wrong


def compare(engines, source, work, program, arguments):
    """Runs the suite with the engines and the reference, at the same time if each can have a network of its own."""
    engines = sorted(set(engines) | {REFERENCE}, key=ENGINES.index)
    suites = [Suite(engine, source, os.path.join(work, "classic-" + engine), program, arguments) for engine in engines]
    reason = netns.unavailable()
    if reason:
        print("one engine after the other: " + reason)
    with concurrent.futures.ThreadPoolExecutor(1 if reason else len(suites)) as pool:
        results = dict(zip(engines, pool.map(Suite.all, suites)))
    reference = results.pop(REFERENCE)
    print("rpyc_classic.py: " + counted(reference))
    for test, (outcome, why) in sorted(reference.items()):
        if outcome != "passed":
            print("  %s %s: %s" % (outcome, test, why.splitlines()[0] if why else ""))
    wrong = [line for engine, found in results.items() for line in judge(engine, found, reference, bool(arguments))]
    if not any(outcome == "passed" for outcome, _ in reference.values()):
        wrong.append("no test passed with rpyc_classic.py")
    print("\n".join([""] + wrong) if wrong else "\nas expected")
    return 1 if wrong else 0
