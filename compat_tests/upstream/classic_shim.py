"""A pytest plugin that has RPyC's tests use a classic server in a process of its own wherever they start one.

GORPYC_CLASSIC is the command, a JSON list: cmd/rpyc_classic or RPyC's own program. Replaced are connect_thread, the
server classes where they get a SlaveService, and nothing else; scripts that tests run as bin/rpyc_classic.py are
run.py's affair. What came of each test is appended to the file GORPYC_CLASSIC_RESULTS, line by line, so that it is
there after a hang, too.
"""
import atexit
import json
import os
import re
import socket
import subprocess
import threading

import rpyc
import rpyc.utils.classic
import rpyc.utils.factory
import rpyc.utils.server
from rpyc.core.service import SlaveService

COMMAND = json.loads(os.environ["GORPYC_CLASSIC"])
OURS = "--ready" in COMMAND
SWITCHES = {"keyfile": "--ssl-keyfile", "certfile": "--ssl-certfile", "ca_certs": "--ssl-cafile"}
os.environ["PYTHONPATH"] = os.environ["GORPYC_CLASSIC_PYTHONPATH"]  # for the servers; the other was for this plugin


def is_slave(service):
    return issubclass(service if isinstance(service, type) else type(service), SlaveService)


class Program:
    """The classic server as a program that listens."""

    def __init__(self, *switches):
        pipe = {"stdout" if OURS else "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(COMMAND + list(switches), stdin=subprocess.DEVNULL, **pipe)
        atexit.register(self.close)
        for line in self.process.stdout or self.process.stderr:
            at = re.search(rb"^READY (\S+) (\d+)$|server started on \[(\S+)\]:(\d+)", line)
            if at:
                host, port = filter(None, at.groups())
                self.host, self.port = host.decode(), int(port)
                break
        else:
            raise RuntimeError("%s ended with status %d" % (COMMAND, self.process.wait()))
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self):
        for _ in self.process.stdout or self.process.stderr:
            pass

    def wait(self):
        self.process.wait()

    def close(self):
        self.process.terminate()
        self.process.wait()


class Inetd:
    """What inetd does, for a socket that the program itself cannot listen to: a program in mode stdio for each
    client."""

    host = ""

    def __init__(self, path):
        self.port = path
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                process = subprocess.Popen([arg for arg in COMMAND if arg != "--ready"] + ["-q", "-m", "stdio"],
                                           stdin=client, stdout=client)
            threading.Thread(target=process.wait, daemon=True).start()

    def wait(self):
        self._thread.join()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def switches(hostname=None, ipv6=False, port=0, authenticator=None):
    """A server's arguments, as switches."""
    yield from ("-p", str(port))
    if hostname:
        yield from ("--host", hostname)
    if ipv6:
        yield "--ipv6"
    if authenticator is not None:
        files = {name: getattr(authenticator, name) for name in SWITCHES}
        if authenticator.cert_reqs and not files["ca_certs"]:
            # the program cannot demand certificates and trust nobody; nobody has this one
            files["ca_certs"] = files["certfile"]
        for name, file in files.items():
            if file:
                yield from (SWITCHES[name], file)


def external(original):
    """The class of a server that leaves a SlaveService to the program."""

    class Server(original):
        def __init__(self, service, *args, **kwargs):
            self._program = None
            if not is_slave(service):
                super().__init__(service, *args, **kwargs)
                return
            self.logger = kwargs.get("logger") or rpyc.lib.setup_logger()
            self.clients = set()  # those of this process
            if "socket_path" in kwargs:
                self._program = Inetd(kwargs["socket_path"])
            else:
                known = {name: kwargs[name] for name in ("hostname", "ipv6", "port", "authenticator") if name in kwargs}
                self._program = Program(*switches(*args, **known))
            self.host, self.port = self._program.host, self._program.port

        def _listen(self):
            if not self._program:
                super()._listen()

        def start(self):
            if self._program:
                self._program.wait()
            else:
                super().start()

        def _start_in_thread(self):
            if not self._program:
                return super()._start_in_thread()
            thread = threading.Thread(target=self.start, daemon=True)
            thread.start()
            return thread

        def close(self):
            if self._program:
                self._program.close()
            else:
                super().close()

    Server.__name__ = Server.__qualname__ = original.__name__
    return Server


def install():
    for name in ("ThreadedServer", "ThreadPoolServer", "ForkingServer", "GeventServer", "OneShotServer"):
        replacement = external(getattr(rpyc.utils.server, name))
        for module in (rpyc.utils.server, rpyc):
            if hasattr(module, name):
                setattr(module, name, replacement)
    own, programs = rpyc.utils.factory.connect_thread, []

    def connect_thread(service=rpyc.VoidService, config={}, remote_service=rpyc.VoidService, remote_config={}):
        if not is_slave(remote_service):
            return own(service, config, remote_service, remote_config)
        if not programs:
            programs.append(Program("-p", "0"))
        return rpyc.connect(programs[0].host, programs[0].port, service=service, config=config)

    rpyc.utils.factory.connect_thread = rpyc.connect_thread = connect_thread
    rpyc.utils.classic.connect_thread = lambda: connect_thread(rpyc.ClassicService, {}, SlaveService)


install()


def note(*fields):
    with open(os.environ["GORPYC_CLASSIC_RESULTS"], "a") as file:
        file.write(json.dumps(fields) + "\n")


def pytest_collection_finish(session):
    for item in session.items:
        note(item.nodeid, "unfinished", "")


def pytest_runtest_logreport(report):
    if report.failed or report.skipped or report.when == "call":
        why = report.longrepr[2] if report.skipped else str(getattr(report.longrepr, "reprcrash", None)
                                                            or report.longrepr or "")
        note(report.nodeid, report.outcome, why)
