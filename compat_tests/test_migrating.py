"""The guide docs/migrating.md, from its first command to its last, and what each is said to print."""
import glob
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import time

import pytest

from harness import CACHE, REPO, eventually, free_port
from test_docs import blocks

pytestmark = pytest.mark.once

GUIDE = "docs/migrating.md"
DONE = "the command is done"


def scientific():
    """A Python with rpyc and numpy: this one, or one that the Go tests have made."""
    for python in [sys.executable] + sorted(glob.glob(os.path.join(CACHE, "numpy-py3.1*-rpyc6*", "bin", "python"))):
        if subprocess.run([python, "-c", "import numpy, rpyc, sys; assert sys.version_info > (3, 10)"],
                          stderr=subprocess.DEVNULL).returncode == 0:
            return python
    return pytest.skip("no Python of 3.10 or later has numpy and rpyc")


class Shell:
    """A bash in which the guide's commands run, one after the other."""

    def __init__(self, directory, path):
        environment = dict(os.environ, PATH=path + os.pathsep + os.environ["PATH"], GOFLAGS="-mod=mod")
        self.process = subprocess.Popen(["bash", "--norc"], cwd=directory, env=environment, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        self.run("set -m")  # background commands can be interrupted, as at a prompt

    def run(self, command, timeout=300):
        self.process.stdin.write(("%s\necho %s\n" % (command, DONE)).encode())
        self.process.stdin.flush()
        text, deadline = b"", time.monotonic() + timeout
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not text.endswith((DONE + "\n").encode()):
                assert selector.select(max(0, deadline - time.monotonic())), "%s takes too long: %r" % (command, text)
                piece = os.read(self.process.stdout.fileno(), 65536)
                assert piece, "the shell has ended: %r" % text
                text += piece
        return text.decode()[:-len(DONE) - 1].splitlines()

    def end(self):
        try:
            self.run("kill $(jobs -p) 2>/dev/null; wait")
        finally:
            self.process.stdin.close()
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process.stdout.close()


def commands(block):
    """The commands of a console block, each with the lines that it prints."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(([line[2:]], []))
        elif line.startswith("> ") or found[-1][0][-1].endswith("\\"):
            found[-1][0].append(line[2:] if line.startswith("> ") else line)
        else:
            found[-1][1].append(line)
    return [("\n".join(lines), printed) for lines, printed in found]


def agrees(printed, expected):
    """Whether lines are those expected, among which … stands for any number of others."""
    pattern = "".join("(?:.*\n)*" if line == "…" else re.escape(line) + "\n" for line in expected)
    return re.fullmatch(pattern, "".join(line + "\n" for line in printed))


def complete(service, text):
    """Replaces what the guide has written in Go, and adds what is new."""
    with open(service, encoding="utf-8") as f:
        source = f.read()
    for path in re.findall(r'^\t("[^"]+")$', text[:text.index(")\n")], re.M):
        if "\n\t%s\n" % path not in source:
            source = source.replace("import (\n", "import (\n\t%s\n" % path, 1)
    for part in re.findall(r"^(?:func|type) .*?^}\n", text, re.M | re.S):
        head = re.match(r"func \(s \*\w+\) \w+\(|type \w+ ", part).group(0)
        source, count = re.subn("^" + re.escape(head) + ".*?^}\n", lambda _: part, source, flags=re.M | re.S)
        if not count:
            source += "\n" + part
    with open(service, "w", encoding="utf-8") as f:
        f.write(source)


@pytest.fixture
def stage(peers, tmp_path):
    """A directory with the guide's programs, and a path on which its commands are found."""
    bin = tmp_path / "bin"
    bin.mkdir()
    python = scientific()
    (bin / "python").write_text('#!/bin/sh\nexec "%s" "$@"\n' % python)
    (bin / "python").chmod(0o755)
    for name in ("gorpyc", "rpyc_stubs"):
        os.symlink(peers.binaries.path(name), str(bin / name))
    shell = Shell(str(tmp_path), str(bin))
    yield tmp_path, shell
    shell.end()


def go_module(directory):
    """What the guide's go mod commands do, without asking a registry: what is needed is what this module needs."""
    with open(os.path.join(REPO, "go.mod"), encoding="utf-8") as f:
        text = re.sub("^module .*", "module example.org/sensors", f.read(), flags=re.M)
    (directory / "go.mod").write_text(text + "\nrequire github.com/gorpyc/gorpyc v0.1.0\n"
                                      "replace github.com/gorpyc/gorpyc => %s\n" % REPO)
    shutil.copy(os.path.join(REPO, "go.sum"), str(directory))


@pytest.mark.seconds(600)
def test_guide(stage):
    directory, shell = stage
    for tool in ("bash", "openssl"):
        if shutil.which(tool) is None:
            pytest.skip("there is no " + tool)
    ports = {str(port): str(free_port()) for port in (18860, 18861, 18862)}

    def moved(text):
        return re.sub("|".join(ports), lambda m: ports[m.group(0)], text)

    for block in blocks(GUIDE, "python"):
        name = re.match(r"# (\w+\.py)\n", block).group(1)
        (directory / name).write_text(moved(block), encoding="utf-8")
    text = open(os.path.join(REPO, GUIDE), encoding="utf-8").read()
    ran = 0
    for kind, block in re.findall(r"^```(console|sh|go bodies)\n(.*?)^```$", text, re.M | re.S):
        if kind == "sh":
            go_module(directory / "sensors")
        elif kind == "go bodies":
            complete(str(directory / "sensors" / "service.go"), block)
        else:
            for command, expected in commands(block):
                if command.endswith("&"):
                    shell.run("rm -f shadow.log")  # that of the shadow before says READY, too
                printed = shell.run(moved(command))
                assert agrees(printed, [moved(line) for line in expected]), "%s\nprints\n%s" % (command,
                                                                                               "\n".join(printed))
                if command.endswith("&"):
                    listening(shell, command, ports)
                ran += 1
    assert ran > 20


def listening(shell, command, ports):
    """Waits until what a command has started listens. A connection would count in what the shadow reports."""
    check = "grep READY shadow.log"
    if "shadow" not in command:
        check = ("python -c 'import socket; socket.create_connection((\"localhost\", %s))' 2>/dev/null && echo yes"
                 % ports["18862" if "18862" in command else "18861"])
    eventually(lambda: shell.run(check), timeout=60, what="%s listens" % command)
