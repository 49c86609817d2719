"""A classic server for any Python from 2.7 on: ``old_classic.py [SERVICE]`` prints READY host port."""
import sys

from rpyc.core import service
from rpyc.utils.server import ThreadedServer

if __name__ == "__main__":
    server = ThreadedServer(getattr(service, (sys.argv[1:] or ["SlaveService"])[0]), hostname="127.0.0.1", port=0)
    server.listener.listen(server.backlog)  # before it is ready; start() does so again
    sys.stdout.write("READY 127.0.0.1 %d\n" % server.port)
    sys.stdout.flush()
    server.start()
