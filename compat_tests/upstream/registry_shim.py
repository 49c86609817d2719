"""A pytest plugin that puts the Go registry in the place of RPyC's own: UDPRegistryServer and TCPRegistryServer of
rpyc.utils.registry become stand-ins that start the program GORPYC_UPSTREAM_REGISTRY.  The registrars are RPyC's.
"""
import logging
import os
import subprocess

import rpyc.utils.registry as registry


class GoRegistryServer:
    MODE = None

    def __init__(self, host="0.0.0.0", port=registry.REGISTRY_PORT, pruning_timeout=None, logger=None,
                 allow_listing=False):
        command = [os.environ["GORPYC_UPSTREAM_REGISTRY"], "--mode", self.MODE, "--host", host, "--port", str(port),
                   "--ready",
                   "--timeout", str(pruning_timeout or registry.DEFAULT_PRUNING_TIMEOUT), "--listing",
                   str(allow_listing)]
        self.logger = logger or logging.getLogger("REGSRV")
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        word, self.host, port = self._process.stdout.readline().split()
        assert word == b"READY"
        self.port = int(port)

    def start(self):
        assert self._process.wait() == 0

    def close(self):
        self._process.terminate()


class UDPRegistryServer(GoRegistryServer):
    MODE = "UDP"


class TCPRegistryServer(GoRegistryServer):
    MODE = "TCP"


registry.UDPRegistryServer = UDPRegistryServer
registry.TCPRegistryServer = TCPRegistryServer
