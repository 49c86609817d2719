"""The service of test_bridge.py: prints READY host port."""
import sys
import threading

import rpyc
from rpyc.utils.server import ThreadedServer


class Box:
    def __init__(self):
        self.exposed_value = 7


class BridgedService(rpyc.Service):
    lost = 0
    waits = 0

    def on_disconnect(self, conn):
        BridgedService.lost += 1

    def exposed_gone(self):
        return self.lost

    def exposed_add(self, a, b):
        return a + b

    def exposed_get_value(self):
        return 5

    def exposed_get_me(self):
        return self

    def exposed_get_box(self):
        return Box()

    exposed_box = exposed_get_box

    def exposed_secret(self):
        return "secret"

    def exposed_items(self):
        return [1, 2]

    def exposed_total(self, things):
        return len(things)

    def exposed_obtain(self, thing):
        return rpyc.utils.classic.obtain(thing) is not None

    def exposed_wait(self):
        BridgedService.waits += 1
        threading.Event().wait()

    def exposed_waiting(self):
        return self.waits


def main():
    config = {"allow_pickle": True, "allow_setattr": True, "allow_delattr": True}
    server = ThreadedServer(BridgedService, hostname="127.0.0.1", port=0, protocol_config=config)
    server.listener.listen(server.backlog)  # before it is ready; start() does so again
    print("READY", server.host, server.port)
    sys.stdout.flush()
    server.start()


if __name__ == "__main__":
    main()
