"""A pytest plugin that puts Go servers in the place of RPyC's own.

Loaded before RPyC's tests are imported, it replaces the server classes of rpyc.utils.server and rpyc.connect_thread by
stand-ins that have the same service served by the Go program ``upstream`` (compat_tests/peers/upstream), which knows a
Go form of every service that the tests define.  The tests themselves are not touched: they connect with RPyC's own
client.

A test that looks into its service object (``service.on_connect_called``) sees the fields of the Go one.
"""
import atexit
import itertools
import json
import logging
import os
import socket
import subprocess
import threading
import unittest

import rpyc
import rpyc.utils.classic
import rpyc.utils.factory
import rpyc.utils.server
from _queue import SimpleQueue  # not queue's, which gevent replaces: what is waited for comes from a thread

SECONDS = 30
SWITCHES = ("allow_getattr", "allow_setattr", "allow_delattr", "allow_all_attrs", "allow_public_attrs",
            "allow_safe_attrs",
            "allow_exposed_attrs", "allow_pickle", "exposed_prefix", "include_local_traceback", "include_local_version")


class GoProgram:
    """The Go side of the conversation described in compat_tests/peers/upstream/main.go."""

    def __init__(self, command):
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self._ids = itertools.count(1)
        self._answers = {}
        self._lock = threading.Lock()
        self._ended = False
        threading.Thread(target=self._read, name="upstream", daemon=True).start()
        atexit.register(self.stop)

    def _read(self):
        for line in self._process.stdout:
            message = json.loads(line)
            if "event" in message:
                EVENTS[message["event"]](message["value"])
                self._write({"op": "ack"})
            else:
                self._answers.pop(message["id"]).put(message)
        self._ended = True
        for waiting in list(self._answers.values()):
            waiting.put({"error": "the Go program has ended"})

    def _write(self, message):
        with self._lock:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")

    def __call__(self, op, **arguments):
        number = next(self._ids)
        answer = self._answers[number] = SimpleQueue()
        if self._ended:
            raise RuntimeError("the Go program has ended with status %s" % self._process.wait())
        self._write(dict(arguments, id=number, op=op))
        message = answer.get(timeout=SECONDS)
        if "error" in message:
            raise RuntimeError("%s: %s" % (op, message["error"]))
        return message["ok"]

    def stop(self):
        self._process.stdin.close()
        try:
            self._process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()


def set_version(value):
    rpyc.version.__version__ = value


EVENTS = {"version": set_version}
GO = GoProgram([os.environ["GORPYC_UPSTREAM_PROGRAM"]])


def go_name(service):
    """The name under which the Go program knows a service class or object."""
    cls = service if isinstance(service, type) else type(service)
    if issubclass(cls, rpyc.SlaveService):
        return "SlaveService"
    return "%s.%s" % (cls.__module__.rpartition(".")[2], cls.__name__)


def switches(config):
    return {name: config[name] for name in SWITCHES if name in config}


def mirror(service, names):
    """Lets a service object show the fields of its Go form."""
    key = str(id(service))
    fields = {name: property(lambda self, name=name: GO("state", instance=key, name=name)) for name in names}
    fields["__module__"] = type(service).__module__
    service.__class__ = type(type(service).__name__, (type(service),), fields)


KEPT = {}  # service objects by key: an id must not be used again


class Config(dict):
    """A protocol_config that tells the Go server of every change."""

    def __init__(self, items, changed):
        super().__init__(items)
        self._changed = changed

    def update(self, *args, **kwargs):
        super().update(*args, **kwargs)
        self._changed(self)

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        self._changed(self)


class Listener:
    """What tests look at of a server's listening socket."""

    def __init__(self, server):
        self._server = server

    @property
    def _closed(self):
        return self._server._closed


class GoServer:
    """rpyc.utils.server.Server, served by Go."""

    KIND = "threaded"

    def __init__(self, service, hostname=None, ipv6=False, port=0, backlog=None, reuse_addr=True, authenticator=None,
                 registrar=None,
                 auto_register=None, protocol_config=None, logger=None, listener_timeout=0.5, socket_path=None, **rest):
        self.service = service
        self.logger = logger or logging.getLogger("upstream")
        arguments = {"service": go_name(service), "kind": self.KIND, "config": switches(protocol_config or {}),
                     "files": {"unittest": unittest.__file__}}
        if socket_path is not None:
            arguments["path"] = socket_path
        else:
            arguments.update(host=hostname or ("::1" if ipv6 else "127.0.0.1"), port=port)
        if authenticator is not None:
            arguments["tls"] = {"key": authenticator.keyfile, "cert": authenticator.certfile,
                                "ca": authenticator.ca_certs or "",
                                "require": authenticator.cert_reqs == rpyc.utils.authenticators.ssl.CERT_REQUIRED}
        shared = not isinstance(service, type)
        if shared:
            arguments["instance"] = str(id(service))
        opened = GO("serve", **arguments)
        self._number = opened["server"]
        self.host, self.port = arguments.get("host", ""), opened.get("port", socket_path)
        if shared and str(id(service)) not in KEPT:
            KEPT[str(id(service))] = service
            mirror(service, opened.get("state", ()))
        self._config = Config(protocol_config or {}, self._configure)
        self._gone = threading.Event()
        self.listener = Listener(self)

    @property
    def protocol_config(self):
        return self._config

    @protocol_config.setter
    def protocol_config(self, config):
        self._config = Config(config, self._configure)
        self._configure(config)

    def _configure(self, config):
        GO("config", server=self._number, config=switches(config))

    @property
    def clients(self):
        return set(range(GO("clients", server=self._number)))

    @property
    def _closed(self):
        return self._gone.is_set() or GO("closed", server=self._number)

    def close(self):
        GO("close", server=self._number)
        self._gone.set()

    def start(self):
        self._gone.wait()

    def _start_in_thread(self):
        thread = threading.Thread(target=self.start, daemon=True)
        thread.start()
        return thread


class GoOneShotServer(GoServer):
    KIND = "oneshot"


class GoThreadPoolServer(GoServer):
    KIND = "pool"


class GoGeventServer(GoServer):
    def _listen(self):
        """It listens since it was made."""


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


def skip(reason, original=unittest.skip):
    """RPyC leaves its IPv6 tests out because the machines it is tested on have none."""
    if reason == "requires IPv6" and has_ipv6():
        return lambda test: test
    return original(reason)


def connect_thread(service=rpyc.VoidService, config={}, remote_service=rpyc.VoidService, remote_config={}):
    server = GoOneShotServer(remote_service, protocol_config=dict(remote_config))
    return rpyc.connect(server.host, server.port, service=service, config=config)


def install():
    servers = rpyc.utils.server
    for module in (servers, rpyc):
        for name, replacement in (("ThreadedServer", GoServer), ("OneShotServer", GoOneShotServer),
                                  ("ThreadPoolServer", GoThreadPoolServer), ("GeventServer", GoGeventServer)):
            if hasattr(module, name):
                setattr(module, name, replacement)
    rpyc.utils.factory.connect_thread = rpyc.connect_thread = connect_thread
    unittest.skip = skip


install()
