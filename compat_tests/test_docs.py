"""The programs that documents show: all Python blocks compile, and those of the README and of the guide from Python to
Go are run as they stand, but for their address, which is a Unix socket in place of a port."""
import glob
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

import pytest

from harness import REPO, Program, eventually

pytestmark = pytest.mark.once

DOCUMENTS = sorted(os.path.relpath(path, REPO) for pattern in ("*.md", "docs/*.md", "cmd/*/*.md")
                   for path in glob.glob(os.path.join(REPO, pattern)))


def blocks(document, language):
    with open(os.path.join(REPO, document), encoding="utf-8") as f:
        return re.findall(r"^```%s\n(.*?)^```$" % language, f.read(), re.M | re.S)


def the(document, language, start):
    """The block of a document that has a text in it."""
    found, = [block for block in blocks(document, language) if start in block]
    return found


def test_there_are_python_blocks():
    assert sum(len(blocks(document, "python")) for document in DOCUMENTS) > 20


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if blocks(d, "python")])
def test_python_compiles(document):
    for block in blocks(document, "python"):
        compile(block, document, "exec")


@pytest.fixture
def run():
    """Runs blocks as programs: run.serve(block) and run.client(block), which returns what it prints."""
    stage = Stage()
    yield stage
    stage.end()


class Stage:
    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="docs-")  # short enough for a socket's path
        self.socket = os.path.join(self.directory, "socket")
        self.programs = []

    def end(self):
        for program in self.programs:
            program.stop()
        shutil.rmtree(self.directory)

    def command(self, block):
        """Writes a block into a file, with the socket's path for its address, and returns the command that runs it."""
        name = os.path.join(self.directory, "program%d" % len(os.listdir(self.directory)))
        here = '"%s"' % self.socket
        if block.startswith("package"):
            replaced = block.replace('"tcp", "localhost:18861"', '"unix", ' + here)
            command = [name]
        else:
            replaced = (block.replace('rpyc.connect("localhost", 18861)', "rpyc.utils.factory.unix_connect(%s)" % here)
                        .replace('hostname="localhost", port=18861', "socket_path=" + here))
            command = [sys.executable, name + ".py"]
        assert replaced.count(here) == 1, "the address is not where it was"
        source = name + (".go" if command == [name] else ".py")
        with open(source, "w", encoding="utf-8") as f:
            f.write(replaced)
        if command == [name]:
            subprocess.run(["go", "build", "-o", name, source], cwd=REPO, check=True, timeout=600)
        return command

    def serve(self, block):
        program = Program("a service of a document", self.command(block))
        self.programs.append(program)
        eventually(self.listening, timeout=30, what="the service listens")

    def listening(self):
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(self.socket) == 0

    def client(self, block):
        return subprocess.run(self.command(block), stdout=subprocess.PIPE, check=True,
                              timeout=60).stdout.decode().splitlines()


@pytest.mark.seconds(600)
def test_readme(run):
    run.serve(the("README.md", "go", "servers.Server"))
    assert run.client(the("README.md", "python", "conn.root.div")) == ["3 [1, 4, 9]"]
    client = the("README.md", "go", "protocol.Dial")
    assert run.client(client) == re.findall(r"fmt\.Println\(.*\) // (.*)", client)


@pytest.mark.seconds(600)
@pytest.mark.parametrize("language", ["go", "python"])
def test_python_to_go(run, language):
    """The client prints what the guide says, whichever service it talks to."""
    guide = "docs/python-to-go.md"
    if language == "python" and sys.version_info < (3, 10):
        pytest.skip("names of classes in messages are of Python 3.10")
    run.serve(the(guide, language, {"go": "servers.Server", "python": "ThreadedServer(StockService()"}[language]))
    expected, = blocks(guide, "text")
    assert run.client(the(guide, "python", "# client.py")) == expected.splitlines()
