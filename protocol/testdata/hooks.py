"""The peer of the tests of hooks: `hooks.py call PORT` is a client, `hooks.py serve` a server."""
import sys

import rpyc
from rpyc.utils.server import ThreadedServer


class ClientService(rpyc.Service):
    def exposed_divide(self, a, b):
        return a / (b - b)


class ServerService(ClientService):
    def exposed_add(self, a, b):
        return a + b

    def exposed_apply(self, function):
        return function(20)


if sys.argv[1] == "serve":
    server = ThreadedServer(ServerService, hostname="127.0.0.1", port=0)
    server.listener.listen()
    print(server.port, flush=True)
    server.start()
    sys.exit()

conn = rpyc.connect("127.0.0.1", int(sys.argv[2]), service=ClientService)
add = conn.root.add
assert add(1, 2) == 3
try:
    add("x")
    raise SystemExit("no TypeError")
except TypeError:
    pass
try:
    conn.root.call_root("divide")
    raise SystemExit("no ZeroDivisionError")
except ZeroDivisionError:
    pass
assert not hasattr(conn.root, "missing")
conn.close()
print("OK")
