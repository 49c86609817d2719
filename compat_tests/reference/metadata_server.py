"""A service that says what came with its calls, by gorpyc_meta. Prints READY host port and serves until stdin ends."""
import os
import sys
import threading
import time

import rpyc
from rpyc.utils.server import ThreadedServer

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "protocol", "python"))
import gorpyc_meta


CONNS = []  # that are kept: closing one in a handler can take RPyC 6 half a minute


class Service(rpyc.Service):
    waited = None

    def exposed_what(self):
        call = gorpyc_meta.current()
        return (call.traceparent, call.tracestate, call.token, tuple(sorted(call.pairs.items())), call.remaining())

    def exposed_next(self, host, port):
        CONNS.append(rpyc.connect(host, port))
        return CONNS[-1].root.what()

    def exposed_back(self, ask):
        return ask()

    def exposed_wait(self):
        call = gorpyc_meta.current()
        while not call.cancelled():
            time.sleep(0.01)
        self.waited = "deadline" if call.remaining() == 0 else "given up"

    def exposed_waited(self):
        return self.waited


if __name__ == "__main__":
    if "plain" not in sys.argv:
        gorpyc_meta.install()
    server = ThreadedServer(Service, hostname="127.0.0.1", port=0)
    threading.Thread(target=server.start, daemon=True).start()
    while not server.active:
        time.sleep(0.01)
    print("READY", server.host, server.port, flush=True)
    sys.stdin.read()
