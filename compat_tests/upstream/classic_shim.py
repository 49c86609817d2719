"""A pytest plugin that has RPyC's tests of classic mode use cmd/rpyc_classic.

GORPYC_CLASSIC is the program, GORPYC_CLASSIC_ENGINE its engine.  connect_thread connects to it, ThreadedServer(SlaveService) starts
it, and what tests run as bin/rpyc_classic.py is expected to be a script that does:

    GORPYC_CLASSIC=rpyc_classic GORPYC_CLASSIC_ENGINE=python3 python -m pytest -p classic_shim tests/test_classic.py …

with tests/ of RPyC's repository in the current directory, this directory on PYTHONPATH, and in bin/rpyc_classic.py:

    import os, sys
    os.execv(os.environ["GORPYC_CLASSIC"], ["rpyc_classic", "--engine", os.environ["GORPYC_CLASSIC_ENGINE"]] + sys.argv[1:])
"""
import atexit
import os
import subprocess

import rpyc
import rpyc.utils.classic
import rpyc.utils.server
from rpyc.core.service import SlaveService

COMMAND = [os.environ["GORPYC_CLASSIC"], "--engine", os.environ.get("GORPYC_CLASSIC_ENGINE", "go"), "-q", "--ready"]


def start(port):
    program = subprocess.Popen(COMMAND + ["-p", str(port)], stdout=subprocess.PIPE)
    atexit.register(program.kill)
    word, host, port = program.stdout.readline().split()
    assert word == b"READY"
    return program, host.decode(), int(port)


_, HOST, PORT = start(0)


def connect_thread():
    return rpyc.utils.classic.connect(HOST, PORT)


rpyc.utils.classic.connect_thread = connect_thread
Original = rpyc.utils.server.ThreadedServer


class ThreadedServer(Original):
    """RPyC's own for all services but the slave's."""

    def __init__(self, service, *args, **kwargs):
        self._program = None
        if service is SlaveService:
            self._program, self.host, self.port = start(kwargs.get("port", 0))
            self.logger = rpyc.lib.setup_logger()
        else:
            super().__init__(service, *args, **kwargs)

    def _start_in_thread(self):
        return None if self._program else super()._start_in_thread()

    def start(self):
        return self._program.wait() if self._program else super().start()

    def close(self):
        if self._program:
            self._program.terminate()
            self._program.wait()
        else:
            super().close()


rpyc.utils.server.ThreadedServer = rpyc.ThreadedServer = ThreadedServer
