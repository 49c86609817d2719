"""The two Python programs of a chain Python -> Go -> Python -> Go.

    chain.py call PORT [gorpyc_meta]    calls the Go service at PORT, which calls the other, and prints the trace's id
    chain.py serve [gorpyc_meta]        prints a port and serves until stdin ends; what it is called with is a port to call
"""
import sys
import threading
import time

import rpyc
from rpyc.utils.server import ThreadedServer

if "gorpyc_meta" in sys.argv:
    import gorpyc_meta
    gorpyc_meta.install()

conns = []


class Middle(rpyc.Service):
    def exposed_forward(self, port):
        conns.append(rpyc.connect("127.0.0.1", port))
        return conns[-1].root.last()


if sys.argv[1] == "call":
    conn = rpyc.connect("127.0.0.1", int(sys.argv[2]))
    if "gorpyc_meta" in sys.argv:
        parent = gorpyc_meta.new_traceparent()
        with gorpyc_meta.sending(traceparent=parent):
            assert conn.root.first() == "the end"
        print(parent)
    else:
        assert conn.root.first() == "the end"
        print("none")
else:
    server = ThreadedServer(Middle, hostname="127.0.0.1", port=0)
    threading.Thread(target=server.start, daemon=True).start()
    while not server.active:
        time.sleep(0.01)
    print(server.port, flush=True)
    sys.stdin.read()
