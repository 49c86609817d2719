"""RPyC's own classic server, printing READY host port: what rpyc_classic.py -m threaded runs."""
import sys

from rpyc.core.service import SlaveService
from rpyc.utils.server import ThreadedServer

server = ThreadedServer(SlaveService, hostname="127.0.0.1", port=0)
if hasattr(server, "_listen"):  # from 5.0 on start() listens; until then the constructor has
    server._listen()
print("READY %s %d" % (server.host, server.port), flush=True)
server.start()
