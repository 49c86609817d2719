#!/usr/bin/env python3
"""Records what CPython makes of the programs in files of testdata: record.py FILE.txt ...

A file has programs, separated by lines of ###; what is before a line of ##### stands before each of them.  What a
program leaves in r is recorded in FILE.json beside it, as repr has it, or the exception that ended it (of a SyntaxError
its class alone); recorded_test.go and the like compare the Go engine with that.  Nothing may depend on the machine:
each program runs in an empty directory, which is written DIR, in one that is written UP, and which is the home and,
with tmp, the place for temporary files; time zone, language, umask, PATH and command line are fixed, addresses are left
out.  Programs name no users, hosts or clocks.

The recordings in the repository are those of CPython 3.11, whose library package modules imitates.
"""
import contextlib
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings

ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}")
ENVIRONMENT = {"TZ": "UTC", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "0",
               "USER": "user"}


def outcome(text):
    names = {"__name__": "builtins"}
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(text, names)
            return repr(names.get("r"))
        except SyntaxError as e:  # the words are those of CPython's parser
            return "raises " + type(e).__name__
        except BaseException as e:
            return "raises %s: %s" % (type(e).__name__, re.sub(r" \(/.*\.py\)$", " (unknown location)", str(e)))


def run(text):
    """What a program does in a process and a directory of its own."""
    with tempfile.TemporaryDirectory() as up:
        up = os.path.realpath(up)
        directory = os.path.join(up, "dir")
        os.makedirs(os.path.join(directory, "tmp"))
        environment = dict(ENVIRONMENT, HOME=directory, TMPDIR=os.path.join(directory, "tmp"))
        result = subprocess.run([sys.executable, os.path.abspath(__file__), "--program"], input=text.encode(),
                                cwd=directory, env=environment,
                                stdout=subprocess.PIPE, check=True).stdout.decode("utf-8", "surrogateescape")
        return ADDRESS.sub("0x", result.replace(directory, "DIR").replace(up, "UP"))


def main():
    if sys.argv[1:] == ["--program"]:
        text = sys.stdin.read()
        os.umask(0o022)
        sys.argv = ["program"]
        result = outcome(text)
        sys.stdout.buffer.write(result.encode("utf-8", "surrogateescape"))
        return
    if sys.version_info[:2] != (3, 11):
        sys.exit("record.py: the recordings are CPython 3.11's; this is " + sys.version.split()[0])
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            prelude, _, programs = ("#####\n" + file.read()).rpartition("#####\n")
        prelude = prelude.replace("#####\n", "")
        programs = [prelude + text for text in programs.rstrip("\n").split("\n###\n")]
        results = {hashlib.sha1(text.encode()).hexdigest()[:16]: run(text) for text in programs}
        with open(os.path.splitext(path)[0] + ".json", "w", encoding="utf-8") as file:
            json.dump(results, file, indent=0)
            file.write("\n")


if __name__ == "__main__":
    main()
