#!/usr/bin/env python3
"""Runs RPyC's own tests, unmodified, with their servers replaced by Go ones.  See README.md beside this file.

    run.py [--tests CHECKOUT] [pytest arguments]
    run.py --classic ENGINE [--tests CHECKOUT] [pytest arguments]   # go, python3, cpython or all: see classic.py
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
sys.path.append(os.path.dirname(HERE))

import classic  # noqa: E402
import netns  # noqa: E402
from selection import TESTS  # noqa: E402

SOURCE = "https://github.com/tomerfiliba-org/rpyc"


def checkout(given, target):
    """Puts RPyC's tests/ and bin/ into the directory target, from a checkout, a git directory, or the project's
    site."""
    parts = ("tests", "bin")
    if given and os.path.isdir(os.path.join(given, "tests")):
        for part in parts:
            shutil.copytree(os.path.join(given, part), os.path.join(target, part))
        return
    if not given:
        given = os.path.join(target, "rpyc.git")
        subprocess.run(["git", "clone", "--quiet", "--bare", "--depth", "1", SOURCE, given], check=True)
    archive = subprocess.run(("git", "--git-dir", given, "archive", "HEAD") + parts, check=True, stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", target], input=archive.stdout, check=True)


def build(target, package="./compat_tests/peers/upstream"):
    """Builds a Go program, unless GORPYC_BIN_DIR has it."""
    program = os.path.join(os.environ.get("GORPYC_BIN_DIR", target), os.path.basename(package))
    if not os.path.exists(program):
        flags = os.environ.get("GORPYC_GO_BUILD_FLAGS", "").split()
        subprocess.run(["go", "build"] + flags + ["-o", program, package], cwd=REPO, check=True)
    return os.path.abspath(program)


def registry(work, cpython, rest):
    """Runs the tests of the registry, which broadcast and want port 18811, in a network of their own.  Returns pytest's
    status."""
    reason = netns.unavailable()
    if reason:
        print("test_registry.py: SKIPPED: " + reason)
        return 0
    environment = dict(os.environ, PYTHONPATH=HERE, PYTHONDONTWRITEBYTECODE="1")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", work, "-c", os.devnull]
    if not cpython:
        environment["GORPYC_UPSTREAM_REGISTRY"] = build(work, "./cmd/rpyc_registry")
        command += ["-p", "registry_shim"]
    command += (rest or ["-q"]) + [os.path.join("tests", "test_registry.py")]
    status = subprocess.run(netns.command(command), cwd=work, env=environment).returncode
    return 0 if rest and status == 5 else status  # 5: nothing of it was selected


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", default=os.environ.get("GORPYC_UPSTREAM"),
                        help="a checkout of RPyC's repository, or its git directory (default: $GORPYC_UPSTREAM, or a "
                             "clone of %s)" % SOURCE)
    parser.add_argument("--cpython", action="store_true",
                        help="leave the tests their own servers: what passes at all here?")
    parser.add_argument("--classic", choices=classic.ENGINES + ("all",),
                        help="the whole suite with cmd/rpyc_classic in the place of its classic servers, compared with "
                             "RPyC's own program")
    parser.add_argument("--source", action="store_true", help="print where the tests would be cloned from, and quit")
    options, rest = parser.parse_known_args()
    if options.source:
        print(SOURCE)
        return 0
    with tempfile.TemporaryDirectory(prefix="gorpyc-upstream-") as work:
        source = os.path.join(work, "source")
        os.mkdir(source)
        checkout(options.tests, source)
        if options.classic:
            engines = classic.ENGINES if options.classic == "all" else [options.classic]
            return classic.compare(engines, source, work, build(work, "./cmd/rpyc_classic"), rest)
        work = source
        environment = dict(os.environ, PYTHONPATH=HERE, PYTHONDONTWRITEBYTECODE="1")
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "selection", "--rootdir", work]
        if not options.cpython:
            environment["GORPYC_UPSTREAM_PROGRAM"] = build(work)
            command += ["-p", "shim"]
        command += ["-c", os.devnull] + (rest or ["-q"])
        files = sorted({os.path.join("tests", test.partition("::")[0]) for test in TESTS})
        alone = [file for file in files if "gevent" in file]  # they change the process they run in
        together = [file for file in files if file not in alone]
        status = 0
        for group in [together] + [[file] for file in alone]:
            ended = subprocess.run(command + group, cwd=work, env=environment).returncode
            if ended != 5:  # no test selected, by -k
                status = status or ended
        return registry(work, options.cpython, rest) or status


if __name__ == "__main__":
    sys.exit(main())
